//! How many events fit into one message.

use super::MAX_NAME;
use crate::event::Event;
use std::collections::HashSet;

/// Bytes around a name and an id: parentheses of three bytes each, and a separator.
const AROUND: usize = 9;
/// Most events of one message, however few resources they name: bounds what is held for it.
const MAX_EVENTS: usize = 2_000;

/// The capacity of one message as it fills up with events.
///
/// An estimate, on the safe side for names without characters that need escapes. Names of resources
/// may take four fifths of the message. Where the rest needs more than one fifth, the digest itself
/// counts what it cannot name.
#[derive(Debug)]
pub struct Capacity<'a> {
    named: HashSet<(Option<&'a str>, Option<&'a str>)>,
    /// Bytes of names, and how many there may be.
    bytes: usize,
    max_bytes: usize,
    events: usize,
}

impl<'a> Capacity<'a> {
    /// The capacity of an empty message of at most `max_bytes` bytes.
    pub fn new(max_bytes: usize) -> Capacity<'a> {
        Capacity {
            named: HashSet::new(),
            bytes: 0,
            max_bytes: max_bytes / 5 * 4,
            events: 0,
        }
    }

    /// Adds the event if it fits, and returns true if it did. The first event always fits.
    pub fn try_add(&mut self, event: &'a Event) -> bool {
        let names = (event.resource_name.as_deref(), event.resource_id.as_deref());
        let size = |name: Option<&str>| name.map_or(0, |name| name.len().min(4 * MAX_NAME));
        let bytes = if self.named.contains(&names) {
            0
        } else {
            AROUND + size(names.0) + size(names.1)
        };
        let is_full = self.bytes + bytes > self.max_bytes || self.events == MAX_EVENTS;
        if is_full && self.events > 0 {
            return false;
        }
        self.named.insert(names);
        self.bytes += bytes;
        self.events += 1;
        true
    }
}

/// Splits the events into chunks, each of which fits into one message of at most `max_bytes` bytes.
pub fn chunks<'a>(events: &[&'a Event], max_bytes: usize) -> Vec<Vec<&'a Event>> {
    let mut chunks = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut capacity = Capacity::new(max_bytes);
        let fitting = rest.iter().take_while(|event| capacity.try_add(event));
        let (chunk, behind) = rest.split_at(fitting.count());
        chunks.push(chunk.to_vec());
        rest = behind;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;
    use crate::message::{Language, RenderOptions, encode_within};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use std::sync::Arc;

    const MAX_BYTES: usize = 20_000;

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

    /// The words of a message, as good as a body for its size.
    fn words(message: &crate::message::Message) -> Vec<u8> {
        let mut words = message.heading.to_string();
        for section in &message.sections {
            words.push_str(&section.lines[0].value.to_string());
        }
        words.extend(message.note.iter().map(|line| line.value.to_string()));
        words.into_bytes()
    }

    #[test]
    fn every_chunk_names_all_of_its_events_and_none_is_lost() {
        let options = RenderOptions::new(Language::En, TimeZone::UTC);
        for (count, expected, name) in [
            (500, 1, &(|_| String::new()) as &dyn Fn(usize) -> String),
            (1000, 2, &|_| String::new()),
            (1000, 3, &|n| format!("web-{n}")),
            (300, 3, &|_| "实例".repeat(15)),
        ] {
            let events = events(count, name);
            let events: Vec<&Event> = events.iter().map(Arc::as_ref).collect();
            let chunks = chunks(&events, MAX_BYTES);
            assert_eq!(chunks.len(), expected, "{}", name(1));
            assert_eq!(chunks.concat(), events);
            for chunk in chunks {
                let now = Timestamp::UNIX_EPOCH;
                let (_, body) = encode_within(&chunk, &options, now, MAX_BYTES, words);
                let body = String::from_utf8(body).unwrap();
                assert!(!body.contains(" more"), "{body}");
                assert!(body.len() <= MAX_BYTES);
            }
        }
    }

    #[test]
    fn many_events_of_few_resources_are_one_message() {
        let one = events(1, |_| "web".into()).remove(0);
        let many: Vec<&Event> = std::iter::repeat_n(one.as_ref(), MAX_EVENTS + 1).collect();
        let sizes: Vec<usize> = chunks(&many, MAX_BYTES).iter().map(Vec::len).collect();
        assert_eq!(sizes, [MAX_EVENTS, 1]);
        assert!(chunks(&[], MAX_BYTES).is_empty());
    }
}
