//! The events that wait on one route, and the batches that are on their way.

use super::batch::{Batch, BatchState};
use super::ids::{EndpointId, EntryId, EventKey, message_uuid};
use super::outcome::Outcome;
use super::target::{Role, Target};
use super::timestamps::Timestamps;
use super::unconfirmed::{Unconfirmed, UnconfirmedMessage};
use crate::event::Event;
use crate::message::Capacity;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// The queue of one route.
pub(super) struct Queue {
    pub(super) target: Arc<Target>,
    primary: EndpointId,
    pub(super) fallback: Option<EndpointId>,
    /// Events that are in no batch yet, the oldest first. The first is in `entries`; others may
    /// have been cancelled, and leave a gap.
    waiting: VecDeque<EntryId>,
    entries: HashMap<EntryId, QueuedEvent>,
    /// The entries that are not settled.
    by_key: HashMap<EventKey, EntryId>,
    last_id: u64,
    /// The batch that is being sent, and behind it unconfirmed messages that are to be sent again.
    /// New events are combined into a batch when none is left.
    batches: VecDeque<Batch>,
    unconfirmed: Unconfirmed,
}

/// An event for which invocations wait.
struct QueuedEvent {
    event: Arc<Event>,
    key: EventKey,
    since: Instant,
    /// Invocations that wait for it. A duplicate waits for the same entry.
    waiters: usize,
    state: EntryState,
}

enum EntryState {
    Waiting,
    /// It stays in its batch until that is settled or abandoned.
    Batched,
    Settled {
        outcome: Outcome,
        at: Timestamps,
    },
}

impl Queue {
    pub(super) fn new(
        target: Arc<Target>,
        primary: EndpointId,
        fallback: Option<EndpointId>,
    ) -> Queue {
        Queue {
            target,
            primary,
            fallback,
            waiting: VecDeque::new(),
            entries: HashMap::new(),
            by_key: HashMap::new(),
            last_id: 0,
            batches: VecDeque::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }

    pub(super) fn endpoint(&self, role: Role) -> EndpointId {
        match role {
            Role::Primary => self.primary,
            Role::Fallback => self.fallback.expect("only a route with a fallback uses it"),
        }
    }

    /// Adds a waiter for the event.
    pub(super) fn enqueue(
        &mut self,
        key: EventKey,
        event: &Arc<Event>,
        now: Timestamps,
    ) -> EntryId {
        if !self.by_key.contains_key(&key) {
            match self.unconfirmed.take(key, now) {
                Some(message) => self.resend(message, now),
                None => {
                    let id = self.insert(key, Arc::clone(event), EntryState::Waiting, now);
                    self.waiting.push_back(id);
                }
            }
        }
        let id = self.by_key[&key];
        self.entry(id).waiters += 1;
        id
    }

    /// Queues an unconfirmed message with all of its events, whether they came back or not: the
    /// message is sent again verbatim.
    fn resend(&mut self, mut message: UnconfirmedMessage, now: Timestamps) {
        let events = std::mem::take(&mut message.events);
        let entries = events
            .into_iter()
            .map(|(key, event)| self.insert(key, event, EntryState::Batched, now))
            .collect();
        self.batches.push_back(Batch::resend(message, entries));
    }

    fn insert(
        &mut self,
        key: EventKey,
        event: Arc<Event>,
        state: EntryState,
        now: Timestamps,
    ) -> EntryId {
        self.last_id += 1;
        let id = EntryId(self.last_id);
        let entry = QueuedEvent {
            event,
            key,
            since: now.monotonic,
            waiters: 0,
            state,
        };
        self.entries.insert(id, entry);
        self.by_key.insert(key, id);
        id
    }

    fn entry(&mut self, id: EntryId) -> &mut QueuedEvent {
        let entry = self.entries.get_mut(&id);
        entry.expect("an entry stays while an invocation waits for it or a batch holds it")
    }

    /// The batch that is being sent, or comes next.
    pub(super) fn batch(&self) -> Option<&Batch> {
        self.batches.front()
    }

    pub(super) fn batch_mut(&mut self) -> Option<&mut Batch> {
        self.batches.front_mut()
    }

    /// Takes the batch that is being sent, to settle its events.
    pub(super) fn take_batch(&mut self) -> Batch {
        self.batches.pop_front().expect("a batch is being sent")
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.batches.is_empty()
    }

    /// Returns the next batch: a message that is sent again, else the events that have waited
    /// longest, as many as fit into one message.
    pub(super) fn next_batch(&mut self) -> &mut Batch {
        if self.batches.is_empty() {
            let batch = self.combine_waiting();
            self.batches.push_back(batch);
        }
        &mut self.batches[0]
    }

    fn combine_waiting(&mut self) -> Batch {
        let mut capacity = Capacity::new(self.target.channel.limits().max_bytes);
        let mut batched = Vec::new();
        while let Some(id) = self.waiting.front() {
            // One that was cancelled has left a gap.
            if let Some(entry) = self.entries.get(id) {
                if !capacity.try_add(&entry.event) {
                    break;
                }
                batched.push(*id);
            }
            self.waiting.pop_front();
        }
        let keys = self.mark_batched(&batched);
        let uuid = message_uuid(&self.target.route, keys);
        Batch::new(uuid, batched, self.target.channel.limits().max_bytes)
    }

    fn mark_batched(&mut self, ids: &[EntryId]) -> Vec<EventKey> {
        ids.iter()
            .map(|id| {
                let entry = self.entry(*id);
                entry.state = EntryState::Batched;
                entry.key
            })
            .collect()
    }

    /// The events of a batch.
    pub(super) fn events(&self, batch: &Batch) -> Vec<(EventKey, Arc<Event>)> {
        batch
            .entries
            .iter()
            .map(|id| &self.entries[id])
            .map(|entry| (entry.key, Arc::clone(&entry.event)))
            .collect()
    }

    /// Since when the oldest event has waited that is to be sent next.
    pub(super) fn oldest_since(&self) -> Option<Instant> {
        let id = match self.batches.front() {
            Some(batch) => &batch.entries[0],
            None => self.waiting.front()?,
        };
        Some(self.entries[id].since)
    }

    /// Gives every event of the batch this outcome.
    pub(super) fn settle(&mut self, batch: &Batch, outcome: &Outcome, now: Timestamps) {
        for id in &batch.entries {
            let entry = self.entry(*id);
            let key = entry.key;
            entry.state = EntryState::Settled {
                outcome: outcome.clone(),
                at: now,
            };
            // No invocation is left to collect it.
            if entry.waiters == 0 {
                self.entries.remove(id);
            }
            self.by_key.remove(&key);
        }
    }

    /// Returns the outcome of an event and since when it is settled, once it is; ends the wait for
    /// it.
    pub(super) fn collect(&mut self, id: EntryId) -> Option<(Outcome, Timestamps)> {
        let EntryState::Settled { outcome, at } = &self.entry(id).state else {
            return None;
        };
        let settled = (outcome.clone(), *at);
        self.release(id);
        Some(settled)
    }

    /// What is known so far of the message that holds the event, if one does.
    pub(super) fn outcome_so_far(&mut self, id: EntryId) -> Option<&Outcome> {
        if !matches!(self.entry(id).state, EntryState::Batched) {
            return None;
        }
        let mut batches = self.batches.iter();
        let batch = batches.find(|batch| batch.entries.contains(&id));
        Some(&batch.expect("a batched event is in a batch").outcome)
    }

    /// Ends one invocation's wait for an event. The last one takes the entry along, unless a batch
    /// holds it.
    pub(super) fn release(&mut self, id: EntryId) {
        let entry = self.entry(id);
        entry.waiters -= 1;
        if entry.waiters > 0 || matches!(entry.state, EntryState::Batched) {
            return;
        }
        if matches!(entry.state, EntryState::Waiting) {
            let key = entry.key;
            self.by_key.remove(&key);
        }
        self.entries.remove(&id);
        while let Some(first) = self.waiting.front()
            && !self.entries.contains_key(first)
        {
            self.waiting.pop_front();
        }
    }

    /// Drops the batches for which no invocation waits. They are not sent again until one of their
    /// events comes back.
    pub(super) fn drop_abandoned(&mut self, now: Timestamps) {
        let is_abandoned = |batch: &Batch| {
            let waiters = |id: &EntryId| self.entries[id].waiters;
            batch.state != BatchState::InFlight && batch.entries.iter().all(|id| waiters(id) == 0)
        };
        let batches = std::mem::take(&mut self.batches);
        let (abandoned, kept): (VecDeque<Batch>, _) = batches.into_iter().partition(is_abandoned);
        self.batches = kept;
        for batch in abandoned {
            self.keep_unconfirmed(&batch, now);
            for id in &batch.entries {
                let key = self.entry(*id).key;
                self.by_key.remove(&key);
                self.entries.remove(id);
            }
        }
    }

    /// Keeps a message that was not confirmed, if it may have been shown.
    pub(super) fn keep_unconfirmed(&mut self, batch: &Batch, now: Timestamps) {
        if !batch.unconfirmed {
            return;
        }
        self.unconfirmed.insert(UnconfirmedMessage {
            events: self.events(batch),
            uuid: batch.uuid.clone(),
            body: batch.body.clone(),
            max_bytes: batch.max_bytes,
            since: now,
        });
    }
}
