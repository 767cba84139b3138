//! The events that wait on one route, and the batches that are on their way.

use super::batch::{Batch, BatchState, Form, OutgoingMessage};
use super::keys::{EventKey, message_uuid};
use super::outcome::Outcome;
use super::target::{Role, Target};
use super::timestamps::Timestamps;
use super::unconfirmed::Unconfirmed;
use crate::event::Event;
use crate::message::Capacity;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The outcome of an event once it is settled, and when that was. The queue and the invocations
/// that wait for the event share it.
pub(super) type Settled = Arc<OnceLock<(Outcome, Timestamps)>>;

/// The queue of one route.
pub(super) struct Queue {
    pub(super) target: Arc<Target>,
    /// Events that are in no batch yet, the oldest first.
    waiting: VecDeque<(EventKey, Arc<Event>)>,
    /// The batch that is being sent, and behind it unconfirmed messages that are to be sent again.
    /// New events are combined into a batch when none is left.
    pub(super) batches: VecDeque<Batch>,
    /// One for each event in `waiting` and `batches`.
    entries: HashMap<EventKey, Entry>,
    pub(super) unconfirmed: Unconfirmed,
}

/// An event that is not settled.
struct Entry {
    since: Instant,
    /// Invocations that wait for it: a duplicate joins the first.
    waiters: usize,
    settled: Settled,
}

impl Entry {
    fn new(now: Timestamps) -> Entry {
        Entry {
            since: now.monotonic,
            waiters: 0,
            settled: Settled::default(),
        }
    }
}

impl Queue {
    pub(super) fn new(target: Target) -> Queue {
        Queue {
            target: Arc::new(target),
            waiting: VecDeque::new(),
            batches: VecDeque::new(),
            entries: HashMap::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }

    /// Adds a waiter for the event.
    pub(super) fn enqueue(
        &mut self,
        key: EventKey,
        event: &Arc<Event>,
        now: Timestamps,
    ) -> Settled {
        if !self.entries.contains_key(&key) {
            if let Some(message) = self.unconfirmed.take(key, now) {
                // The message is sent again verbatim, with all of its events, whether they came
                // back or not.
                for (key, _) in &message.events {
                    self.entries.insert(*key, Entry::new(now));
                }
                self.batches.push_back(Batch {
                    new_connection: true,
                    unconfirmed: true,
                    ..Batch::new(message)
                });
            } else {
                self.entries.insert(key, Entry::new(now));
                self.waiting.push_back((key, Arc::clone(event)));
            }
        }
        let entry = self.entry(key);
        entry.waiters += 1;
        Arc::clone(&entry.settled)
    }

    fn entry(&mut self, key: EventKey) -> &mut Entry {
        let entry = self.entries.get_mut(&key);
        entry.expect("an event that is not settled has an entry")
    }

    /// Returns the batch whose turn it is. If there is none, the events that have waited longest
    /// become one, as many as fit into a message.
    pub(super) fn next_batch(&mut self) -> &mut Batch {
        if self.batches.is_empty() {
            let max_size = self.target.channel.limits().max_size;
            let mut capacity = Capacity::new(&self.target.options, max_size);
            let first = self.waiting.front().map(|(_, event)| Arc::clone(event));
            let is_like_first = |event: &Event| {
                let first = first.as_ref();
                first.is_some_and(|first| first.may_share_message(event))
            };
            let waiting = self.waiting.iter();
            let fitting =
                waiting.take_while(|(_, event)| is_like_first(event) && capacity.try_add(event));
            let count = fitting.count();
            let events: Vec<_> = self.waiting.drain(..count).collect();
            let keys = events.iter().map(|(key, _)| *key).collect();
            self.batches.push_back(Batch::new(OutgoingMessage {
                uuid: message_uuid(&self.target.route, keys),
                events,
                body: None,
                max_size,
                form: Form::default(),
            }));
        }
        &mut self.batches[0]
    }

    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns since when the oldest event has waited that could be sent now, and to which chatbot.
    pub(super) fn ready_since(&self, now: Timestamps) -> Option<(Instant, Role)> {
        let (key, role) = match self.batches.front() {
            Some(batch) if !batch.is_ready(now) => return None,
            Some(batch) => (batch.message.events[0].0, batch.role),
            None => (self.waiting.front()?.0, Role::Primary),
        };
        Some((self.entries[&key].since, role))
    }

    /// Settles an event of a batch that was taken out.
    pub(super) fn settle(&mut self, key: EventKey, outcome: Outcome, now: Timestamps) {
        let entry = self.entries.remove(&key);
        let entry = entry.expect("an event that is not settled has an entry");
        let settled = entry.settled.set((outcome, now));
        settled.expect("an event is settled once");
    }

    /// Ends one invocation's wait for an event, and returns what is known of the message that holds
    /// it, if one does. Call [`Queue::drop_abandoned`] afterwards.
    pub(super) fn cancel(&mut self, key: EventKey) -> Option<&Outcome> {
        self.entry(key).waiters -= 1;
        let mut batches = self.batches.iter();
        let batch = batches.find(|batch| batch.message.contains(key))?;
        Some(&batch.outcome)
    }

    /// Drops the events and the batches for which no invocation waits, but for a batch in flight.
    /// They are not sent until one of the events comes back.
    pub(super) fn drop_abandoned(&mut self, now: Timestamps) {
        self.waiting.retain(|(key, _)| {
            let is_kept = self.entries[key].waiters > 0;
            if !is_kept {
                self.entries.remove(key);
            }
            is_kept
        });
        let is_kept = |batch: &Batch| {
            let mut events = batch.message.events.iter();
            batch.state == BatchState::InFlight
                || events.any(|(key, _)| self.entries[key].waiters > 0)
        };
        let batches = std::mem::take(&mut self.batches);
        let (kept, abandoned): (VecDeque<Batch>, _) = batches.into_iter().partition(is_kept);
        self.batches = kept;
        for batch in abandoned {
            for (key, _) in &batch.message.events {
                self.entries.remove(key);
            }
            if batch.unconfirmed {
                self.unconfirmed.insert(batch.message, now);
            }
        }
    }
}
