//! How many events fit into one message.

use super::MAX_NAME;
use crate::event::Event;
use std::collections::HashSet;

/// Bytes that the names of resources may take of [`MAX_BYTES`](super::MAX_BYTES): the rest is for what is said of them.
/// Where there is more to say than usual, the digest itself counts what it cannot name.
const FOR_NAMES: usize = 16_000;
/// What stands around a name and an id: parentheses in three bytes each, and a separator.
const AROUND: usize = 9;
/// Most events of one message, however few resources they name: bounds what is held for it.
const MOST: usize = 2_000;

/// The room of one message, as it fills up with events. An estimate, on the safe side for names without odd characters.
#[derive(Debug, Default)]
pub struct Room<'a> {
    named: HashSet<(Option<&'a str>, Option<&'a str>)>,
    bytes: usize,
    events: usize,
}

impl<'a> Room<'a> {
    /// Takes the event if there is room for it, and tells whether there was. There always is for the first.
    pub fn takes(&mut self, event: &'a Event) -> bool {
        let names = (event.resource_name.as_deref(), event.resource_id.as_deref());
        let size = |name: Option<&str>| name.map_or(0, |name| name.len().min(4 * MAX_NAME));
        let bytes = if self.named.contains(&names) {
            0
        } else {
            AROUND + size(names.0) + size(names.1)
        };
        let full = self.bytes + bytes > FOR_NAMES || self.events == MOST;
        if full && self.events > 0 {
            return false;
        }
        self.named.insert(names);
        self.bytes += bytes;
        self.events += 1;
        true
    }
}

/// The events in portions, each of which fits into one message.
pub fn portions<'a>(events: &[&'a Event]) -> Vec<Vec<&'a Event>> {
    let mut portions: Vec<Vec<&Event>> = Vec::new();
    let mut room = Room::default();
    for event in events {
        if portions.is_empty() || !room.takes(event) {
            room = Room::default();
            room.takes(event);
            portions.push(Vec::new());
        }
        if let Some(portion) = portions.last_mut() {
            portion.push(event);
        }
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;
    use crate::message::{Language, MAX_BYTES, Mentions, Style, render_all};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use std::sync::Arc;

    fn events(count: usize, name: impl Fn(usize) -> String) -> Vec<Arc<Event>> {
        let payload: Vec<_> = (0..count)
            .map(|n| {
                serde_json::json!({
                    "type": "ecs:Instance:StateChange", "source": "acs.ecs", "id": format!("e{n}"),
                    "data": {"resourceId": format!("i-{n:020}"), "instanceName": name(n), "state": "Stopped"},
                })
            })
            .collect();
        event::parse(serde_json::Value::from(payload).to_string().as_bytes()).events
    }

    #[test]
    fn every_portion_names_all_of_its_events_and_none_is_lost() {
        let style = Style {
            language: Language::En,
            zone: TimeZone::UTC,
            keyword: None,
            mentions: Mentions::default(),
        };
        for (count, portions_expected, name) in [
            (500, 1, &(|_| String::new()) as &dyn Fn(usize) -> String),
            (1000, 2, &|_| String::new()),
            (1000, 3, &|n| format!("web-{n}")),
            (300, 3, &|_| "实例".repeat(15)),
        ] {
            let events = events(count, name);
            let events: Vec<&Event> = events.iter().map(Arc::as_ref).collect();
            let portions = portions(&events);
            assert_eq!(portions.len(), portions_expected, "{}", name(1));
            assert_eq!(portions.concat(), events);
            for portion in portions {
                let message = render_all(&portion, &style, Timestamp::UNIX_EPOCH, MAX_BYTES);
                assert!(!message.text.contains(" more"), "{}", message.text);
                assert!(message.size() <= MAX_BYTES);
            }
        }
    }

    #[test]
    fn many_events_of_few_resources_are_one_message() {
        let one = events(1, |_| "web".into()).remove(0);
        let many: Vec<&Event> = std::iter::repeat_n(one.as_ref(), MOST + 1).collect();
        let sizes: Vec<usize> = portions(&many).iter().map(Vec::len).collect();
        assert_eq!(sizes, [MOST, 1]);
        assert!(portions(&[]).is_empty());
    }
}
