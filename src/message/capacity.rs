//! How many events fit into one message.

use super::known::{MAX_LISTED_TAG, MAX_LISTED_TAGS, names, tags};
use super::mentions::{MAX_MENTIONS, Owner, halves, needs_people, owners};
use super::share::{Once, Share};
use super::{MAX_NAME, RenderOptions};
use crate::event::Event;
use std::collections::{HashMap, HashSet};

/// Bytes around a name and an id: parentheses of three bytes each, and a separator.
const AROUND: usize = 9;
/// Bytes before a tag: a separator.
const BEFORE_TAG: usize = 3;
/// Bytes around a mention, in the text and beside it: `@`, blank, quotes and comma.
const AROUND_MENTION: usize = 5;
/// Eighths of a message that count as half of it. Some names more are counted, for fewer messages.
const HALF: usize = 5;
/// Most events of one message, however few resources they name: bounds what is held for it.
const MAX_EVENTS: usize = 2_000;

/// The capacity of one message as it fills up with events.
///
/// An estimate, on the safe side for names without characters that need escapes. Names and tags of
/// resources, and mentions of their owners, may take four fifths of the message. Where the rest
/// needs more than one fifth, the digest itself counts what it cannot name. An event of a list of
/// upcoming maintenance takes its line, and what the list says for the first time because of it.
#[derive(Debug)]
pub struct Capacity<'a> {
    options: &'a RenderOptions,
    /// The resources and the bytes of each.
    named: HashMap<(Option<&'a str>, Option<&'a str>), usize>,
    owners: HashSet<Owner<'a>>,
    /// What a list of upcoming maintenance says once.
    said: HashSet<Once>,
    /// Bytes of all of them, and how many there may be.
    bytes: usize,
    max_bytes: usize,
    /// An event mentions by what makes the message half as long.
    is_half: bool,
    events: usize,
}

impl<'a> Capacity<'a> {
    /// The capacity of an empty message of at most `max_bytes` bytes.
    pub fn new(options: &'a RenderOptions, max_bytes: usize) -> Capacity<'a> {
        Capacity {
            options,
            named: HashMap::new(),
            owners: HashSet::new(),
            said: HashSet::new(),
            bytes: 0,
            max_bytes: max_bytes / 5 * 4,
            is_half: false,
            events: 0,
        }
    }

    /// Adds the event if it fits, and returns true if it did. The first event always fits.
    pub fn try_add(&mut self, event: &'a Event) -> bool {
        let share = Share::of(event, self.options);
        let resource = (event.resource_name.as_deref(), event.resource_id.as_deref());
        let size = self.resource_size(event);
        // It may have been looked up for this event and not for those before.
        let counted = self.named.get(&resource).copied().unwrap_or(0);
        let shown = match &share {
            Some(share) => share.bytes(&self.said),
            None => size.saturating_sub(counted),
        };
        let owners: HashSet<Owner> = self.more_owners(event).collect();
        let mentions = owners
            .iter()
            .map(|owner| AROUND_MENTION + 2 * owner.as_str().len());
        let bytes = shown + mentions.sum::<usize>();
        let is_half = self.is_half || halves(event, self.options);
        let max_bytes = match is_half {
            true => self.max_bytes / 8 * HALF,
            false => self.max_bytes,
        };
        let is_full = self.bytes + bytes > max_bytes || self.events == MAX_EVENTS;
        if is_full && self.events > 0 {
            return false;
        }
        match share {
            Some(share) => self.said.extend(share.once),
            None => {
                self.named.insert(resource, size.max(counted));
            }
        }
        self.is_half = is_half;
        self.owners.extend(owners);
        self.bytes += bytes;
        self.events += 1;
        true
    }

    /// Bytes of the resource's name, id and tags in a digest.
    fn resource_size(&self, event: &Event) -> usize {
        let size = |text: Option<&str>| text.map_or(0, |text| text.len().min(4 * MAX_NAME));
        let tags = tags(event, self.options).into_iter().take(MAX_LISTED_TAGS);
        let tags = tags.map(|(key, value)| {
            let shown = if value.is_empty() { key } else { value };
            BEFORE_TAG + shown.len().min(4 * MAX_LISTED_TAG)
        });
        AROUND
            + size(names(event).next())
            + size(event.resource_id.as_deref())
            + tags.sum::<usize>()
    }

    /// The people whom the message mentions because of this event alone.
    fn more_owners(&self, event: &'a Event) -> impl Iterator<Item = Owner<'a>> {
        let is_asked = needs_people(event, self.options);
        let owners = owners(event, self.options).flatten();
        let new = owners.filter(move |owner| is_asked && !self.owners.contains(owner));
        new.take(MAX_MENTIONS.saturating_sub(self.owners.len()))
    }
}

/// Splits the events into chunks, each of which fits into one message of at most `max_bytes` bytes.
pub fn chunks<'a>(
    events: &[&'a Event],
    options: &'a RenderOptions,
    max_bytes: usize,
) -> Vec<Vec<&'a Event>> {
    let mut chunks = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut capacity = Capacity::new(options, max_bytes);
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
    use crate::channel::dingtalk::markdown;
    use crate::event::{self, Known, Level, Occasion, OccasionKind};
    use crate::message::{Language, RenderOptions, encode_within};
    use crate::schedule::{Lead, Tick};
    use crate::testing;
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};
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
            let chunks = chunks(&events, &options, MAX_BYTES);
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

    /// Names, tags and owners that only a look-up tells.
    #[test]
    fn a_chunk_has_room_for_all_that_was_looked_up() {
        let options = RenderOptions {
            mention_levels: vec![Level::Critical],
            mention_tag: Some("owner".into()),
            tags: vec!["team".into(), "env".into()],
            ..RenderOptions::new(Language::Zh, TimeZone::UTC)
        };
        let team = "支付平台".repeat(4);
        let tags = |n: usize| {
            let owner = format!("{}{n:03}", "x".repeat(60));
            [
                ("team", team.clone()),
                ("env", String::new()),
                ("owner", owner),
            ]
        };
        let known = |n| Known {
            name: Some(format!("店铺-{n}")),
            tags: tags(n).map(|(key, value)| (key.to_owned(), value)).to_vec(),
            ..Known::default()
        };
        let looked_up = |n: usize| Event {
            // The same without a look-up stands before.
            known: (n >= 300).then(|| Arc::new(known(n % 300))),
            ..testing::event(n % 300)
        };
        let events: Vec<Event> = (0..600).map(looked_up).collect();
        let events: Vec<&Event> = events.iter().collect();
        let of_known = chunks(&events[300..], &options, MAX_BYTES);
        assert_eq!(of_known.len(), 4);
        let of_all = chunks(&events, &options, MAX_BYTES);
        for chunk in of_known.iter().chain(&of_all) {
            let encode = |message: &_| markdown::encode(message, None, "uuid");
            let now = Timestamp::UNIX_EPOCH;
            let (message, body) = encode_within(chunk, &options, now, MAX_BYTES, encode);
            assert!(body.len() <= MAX_BYTES);
            assert_eq!(
                message.note,
                None,
                "{} of {}",
                message.sections[0].lines[0].value,
                chunk.len()
            );
        }
        assert_eq!(of_all.concat(), events);
    }

    /// Planned work on instances with names and tags that only a look-up tells, a few an hour, of
    /// some kinds that the catalog knows and some that it does not.
    fn upcoming(n: usize, occasion: &Occasion) -> Event {
        let kinds = ["Reboot", "Stop", "Redeploy", "IsolateErrorDisk"];
        let statuses = ["Scheduled", "Inquiring", "Executing"];
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(17 * n as i64);
        let details = serde_json::json!({ "notBefore": start.to_string() });
        let known = Known {
            name: Some(format!("店铺-web-{n}")),
            tags: vec![
                ("team".into(), "支付平台".into()),
                ("env".into(), "prod".into()),
            ],
            ..Known::default()
        };
        Event {
            name: match n % 5 {
                4 => format!("Instance:SystemMaintenance.New{}", n % 40),
                place => format!("Instance:SystemMaintenance.{}", kinds[place]),
            },
            status: Some(statuses[n % 3].into()),
            region: Some(["cn-hangzhou", "cn-shanghai"][n % 2].into()),
            known: Some(Arc::new(known)),
            occasion: Some(Box::new(occasion.clone())),
            details: details.as_object().unwrap().clone(),
            ..testing::event(n)
        }
    }

    #[test]
    fn every_chunk_of_upcoming_maintenance_names_all_of_its_events() {
        let tick = Tick {
            at: Timestamp::UNIX_EPOCH,
            every: SignedDuration::from_hours(1),
        };
        let lead = Lead::parse("24h").unwrap();
        for kind in [OccasionKind::Digest, OccasionKind::Reminder(lead)] {
            let occasion = Occasion { tick, kind };
            let events: Vec<Event> = (0..250).map(|n| upcoming(n, &occasion)).collect();
            let events: Vec<&Event> = events.iter().collect();
            for (language, max_bytes, expected) in [
                (Language::Zh, MAX_BYTES, 3),
                (Language::En, MAX_BYTES, 4),
                (Language::Zh, MAX_BYTES / 4, 16),
                (Language::En, MAX_BYTES / 4, 18),
            ] {
                let options = RenderOptions {
                    tags: vec!["team".into(), "env".into()],
                    ..RenderOptions::new(language, TimeZone::UTC)
                };
                let chunks = chunks(&events, &options, max_bytes);
                assert_eq!(chunks.concat(), events);
                assert_eq!(chunks.len(), expected, "{language:?} {max_bytes}");
                for chunk in &chunks {
                    for now in [Timestamp::UNIX_EPOCH, Timestamp::MIN, Timestamp::MAX] {
                        let encode = |message: &_| markdown::encode(message, None, "uuid");
                        let (message, body) =
                            encode_within(chunk, &options, now, max_bytes, encode);
                        assert!(body.len() <= max_bytes, "{}", body.len());
                        let lines = message.sections.iter().map(|section| section.events);
                        assert_eq!(lines.sum::<usize>(), chunk.len(), "{language:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_events_of_few_resources_are_one_message() {
        let one = events(1, |_| "web".into()).remove(0);
        let many: Vec<&Event> = std::iter::repeat_n(one.as_ref(), MAX_EVENTS + 1).collect();
        let options = RenderOptions::new(Language::En, TimeZone::UTC);
        let chunks = |events: &[_]| chunks(events, &options, MAX_BYTES);
        let sizes: Vec<usize> = chunks(&many).iter().map(Vec::len).collect();
        assert_eq!(sizes, [MAX_EVENTS, 1]);
        assert!(chunks(&[]).is_empty());
    }
}
