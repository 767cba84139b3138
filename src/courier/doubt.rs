//! Messages that failed but may have been shown: the answer was lost, or the time was over first.
//!
//! An event of such a message is told as failed, and EventBridge repeats it. Alone, or combined with
//! others, it would be a new message with a new key, and the group would see it twice.

use super::Now;
use crate::event::Event;
use std::collections::VecDeque;
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
pub(super) struct Doubts(VecDeque<Doubt>);

impl Doubts {
    /// Keeps a message in mind; the oldest makes room.
    pub(super) fn keep(&mut self, doubt: Doubt) {
        self.0.push_back(doubt);
        while self.0.len() > 1
            && self.0.iter().map(|doubt| doubt.events.len()).sum::<usize>() > CAPACITY
        {
            self.0.pop_front();
        }
    }

    /// Takes the message that holds this event, if there is one.
    pub(super) fn take(&mut self, identity: &Arc<str>, now: Now) -> Option<Doubt> {
        self.0.retain(|doubt| now.since(doubt.since) < KEPT);
        let place = self
            .0
            .iter()
            .position(|doubt| doubt.events.iter().any(|(known, _)| known == identity))?;
        self.0.remove(place)
    }
}
