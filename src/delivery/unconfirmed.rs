//! Messages that failed but may have been shown: the answer was lost, or the time was over first.
//!
//! An event of such a message is told as failed, and EventBridge repeats it. Alone, or combined with
//! others, it would be a new message with a new key, and the group would see it twice.

use super::Now;
use crate::event::Event;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Most events of one route that are kept in mind: some megabytes if their data are large.
const CAPACITY: usize = 2_000;
/// How long: EventBridge repeats an event for a day.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A message as it was sent, with the events that it holds.
pub(super) struct Doubt {
    pub(super) events: Vec<(Arc<str>, Arc<Event>)>,
    pub(super) uuid: String,
    pub(super) body: Option<Arc<Vec<u8>>>,
    pub(super) budget: usize,
    pub(super) since: Now,
}

/// The messages in doubt of one route, the oldest first.
#[derive(Default)]
pub(super) struct Doubts {
    /// Each with a number, in rising order.
    by_age: VecDeque<(u64, Doubt)>,
    /// The number of the message that holds an event.
    by_event: HashMap<Arc<str>, u64>,
    last: u64,
    /// Events of all these messages.
    events: usize,
}

impl Doubts {
    /// Keeps a message in mind; the oldest makes room.
    pub(super) fn keep(&mut self, doubt: Doubt) {
        self.last += 1;
        self.events += doubt.events.len();
        for (event, _) in &doubt.events {
            self.by_event.insert(Arc::clone(event), self.last);
        }
        self.by_age.push_back((self.last, doubt));
        while self.by_age.len() > 1 && self.events > CAPACITY {
            self.remove(0);
        }
    }

    /// Takes the message that holds this event, if there is one.
    pub(super) fn take(&mut self, identity: &Arc<str>, now: Now) -> Option<Doubt> {
        while let Some((_, oldest)) = self.by_age.front()
            && now.since(oldest.since) >= KEPT
        {
            self.remove(0);
        }
        let number = self.by_event.get(identity)?;
        let place = self.by_age.binary_search_by_key(number, |(n, _)| *n).ok()?;
        self.remove(place)
    }

    fn remove(&mut self, place: usize) -> Option<Doubt> {
        let (number, doubt) = self.by_age.remove(place)?;
        self.events -= doubt.events.len();
        for (event, _) in &doubt.events {
            if self.by_event.get(event) == Some(&number) {
                self.by_event.remove(event);
            }
        }
        Some(doubt)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::event;
    use super::*;
    use std::time::{Instant, SystemTime};

    fn doubt(events: std::ops::Range<usize>, since: Now) -> Doubt {
        Doubt {
            events: events.map(|n| (identity(n), event(n))).collect(),
            uuid: String::new(),
            body: None,
            budget: 0,
            since,
        }
    }

    fn identity(n: usize) -> Arc<str> {
        Arc::from(n.to_string())
    }

    fn start() -> Now {
        Now {
            mono: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    #[test]
    fn any_event_brings_its_whole_message_back_once() {
        let (mut doubts, now) = (Doubts::default(), start());
        doubts.keep(doubt(0..3, now));
        doubts.keep(doubt(3..5, now));
        doubts.keep(doubt(5..6, now));
        assert!(doubts.take(&identity(6), now).is_none());
        assert_eq!(doubts.take(&identity(4), now).unwrap().events.len(), 2);
        assert!(doubts.take(&identity(3), now).is_none());
        assert_eq!(doubts.take(&identity(0), now).unwrap().events.len(), 3);
        assert_eq!(doubts.take(&identity(5), now).unwrap().events.len(), 1);
        assert_eq!(
            (doubts.events, doubts.by_event.len(), doubts.by_age.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_oldest_make_room_and_a_day_ends_every_doubt() {
        let (mut doubts, now) = (Doubts::default(), start());
        for n in 0..=CAPACITY {
            doubts.keep(doubt(n..n + 1, now));
        }
        assert!(doubts.take(&identity(0), now).is_none());
        assert!(doubts.take(&identity(1), now).is_some());
        assert!(
            doubts
                .take(&identity(CAPACITY), now.plus(KEPT - Duration::from_secs(1)))
                .is_some()
        );
        assert!(doubts.take(&identity(2), now.plus(KEPT)).is_none());
        assert_eq!(doubts.by_event.len(), 0);
        // One that is too large by itself is kept until the next comes.
        doubts.keep(doubt(0..CAPACITY + 1, now));
        assert_eq!(doubts.by_age.len(), 1);
        doubts.keep(doubt(CAPACITY + 1..CAPACITY + 2, now));
        assert!(doubts.take(&identity(0), now).is_none());
    }
}
