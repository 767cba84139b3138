//! Messages that failed but may have been shown: no response came, or the deadline came first.
//!
//! The events of such a message are reported as failed, and EventBridge repeats them. In a new
//! message with a new key, the group would see them twice. So the message is kept, and sent again
//! verbatim when one of its events comes back: if it was shown, the chat knows its key and does not
//! show it again. For a chat that knows no keys, it says that it may be a repeat.

use super::batch::OutgoingMessage;
use super::keys::EventKey;
use super::timestamps::Timestamps;
use std::collections::VecDeque;
use std::time::Duration;

/// Most events of one route that are kept: some megabytes if their data are large.
const CAPACITY: usize = 2_000;
/// EventBridge repeats an event for a day.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The unconfirmed messages of one route. An event is in one of them at most.
#[derive(Default)]
pub(super) struct Unconfirmed {
    /// The oldest first, each with the time at which it failed.
    messages: VecDeque<(OutgoingMessage, Timestamps)>,
}

impl Unconfirmed {
    /// Keeps a message. The oldest messages make room for it.
    pub(super) fn insert(&mut self, message: OutgoingMessage, now: Timestamps) {
        self.messages.push_back((message, now));
        while self.count_events() > CAPACITY && self.messages.len() > 1 {
            self.messages.pop_front();
        }
    }

    /// Takes the message that holds this event, if there is one.
    pub(super) fn take(&mut self, event: EventKey, now: Timestamps) -> Option<OutgoingMessage> {
        self.messages.retain(|(_, since)| now.age_of(*since) < KEPT);
        let place = (self.messages.iter()).position(|(message, _)| message.contains(event))?;
        Some(self.messages.remove(place)?.0)
    }

    fn count_events(&self) -> usize {
        let count = |(message, _): &(OutgoingMessage, Timestamps)| message.events.len();
        self.messages.iter().map(count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Form;
    use super::super::tests::event;
    use super::*;
    use std::time::{Instant, SystemTime};

    fn message(events: std::ops::Range<usize>) -> OutgoingMessage {
        OutgoingMessage {
            events: events.map(|n| (key(n), event(n))).collect(),
            uuid: String::new(),
            body: None,
            max_size: 0,
            form: Form::default(),
        }
    }

    fn key(n: usize) -> EventKey {
        EventKey(n as u128)
    }

    fn start() -> Timestamps {
        Timestamps {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    #[test]
    fn any_event_brings_its_whole_message_back_once() {
        let (mut unconfirmed, now) = (Unconfirmed::default(), start());
        unconfirmed.insert(message(0..3), now);
        unconfirmed.insert(message(3..5), now);
        unconfirmed.insert(message(5..6), now);
        let mut take = |n| Some(unconfirmed.take(key(n), now)?.events.len());
        assert_eq!(
            [6, 4, 3, 0, 5].map(&mut take),
            [None, Some(2), None, Some(3), Some(1)]
        );
        assert!(unconfirmed.messages.is_empty());
    }

    #[test]
    fn the_oldest_make_room_and_all_end_after_a_day() {
        let (mut unconfirmed, now) = (Unconfirmed::default(), start());
        for n in 0..=CAPACITY {
            unconfirmed.insert(message(n..n + 1), now);
        }
        assert!(unconfirmed.take(key(0), now).is_none());
        assert!(unconfirmed.take(key(1), now).is_some());
        let almost = now.plus(KEPT - Duration::from_secs(1));
        assert!(unconfirmed.take(key(CAPACITY), almost).is_some());
        assert!(unconfirmed.take(key(2), now.plus(KEPT)).is_none());
        assert!(unconfirmed.messages.is_empty());
        // One that is too large by itself is kept until the next comes.
        unconfirmed.insert(message(0..CAPACITY + 1), now);
        assert_eq!(unconfirmed.messages.len(), 1);
        unconfirmed.insert(message(CAPACITY + 1..CAPACITY + 2), now);
        assert!(unconfirmed.take(key(0), now).is_none());
    }
}
