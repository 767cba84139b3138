//! What waits for one route, and the message that is on its way to its chatbot.

use super::retry::Progress;
use super::unconfirmed::{Doubt, Doubts};
use super::{Delivery, Failure, Now, message_uuid};
use crate::channel::dingtalk::MAX_BYTES;
use crate::event::Event;
use crate::message::Capacity;
use crate::route::Route;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// What waits for one route, and the message that is on its way.
pub(super) struct Queue {
    pub(super) route: Route,
    pub(super) first: usize,
    pub(super) fallback: Option<usize>,
    pub(super) waiting: VecDeque<Ticket>,
    pub(super) entries: HashMap<Ticket, Entry>,
    pub(super) by_event: HashMap<Arc<str>, Ticket>,
    pub(super) shipment: Option<Shipment>,
    /// Messages that are to be sent again as they were, before any new one is formed.
    pub(super) revived: VecDeque<Shipment>,
    pub(super) doubts: Doubts,
}

/// Names an event that waits at a route.
pub(super) type Ticket = u64;

/// An event that waits.
pub(super) struct Entry {
    pub(super) event: Arc<Event>,
    pub(super) identity: Arc<str>,
    pub(super) since: Instant,
    /// Invocations that wait for it: twins wait for one entry.
    pub(super) waiters: usize,
    /// It is in a message, and stays in it until that is settled or given up.
    pub(super) shipped: bool,
    /// What became of it, and since when that is known.
    pub(super) settled: Option<(Delivery, Now)>,
}

/// A message with the events that it holds; they stay the same over all its attempts.
pub(super) struct Shipment {
    pub(super) tickets: Vec<Ticket>,
    pub(super) uuid: String,
    pub(super) body: Option<Arc<Vec<u8>>>,
    pub(super) budget: usize,
    pub(super) at_fallback: bool,
    pub(super) secret: usize,
    pub(super) fresh: bool,
    pub(super) progress: Progress,
    pub(super) not_before: Instant,
    /// Somebody makes an attempt right now.
    pub(super) driven: bool,
    /// An attempt had no clear answer: it may have been shown.
    pub(super) doubtful: bool,
    pub(super) told: Told,
    pub(super) first_told: Option<Told>,
}

/// What is known of a message's attempts.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) failure: Option<Failure>,
    pub(super) class: Option<&'static str>,
    pub(super) errcode: Option<i64>,
    pub(super) attempts: u32,
    pub(super) remedy: Option<String>,
}

impl Queue {
    /// An empty queue for a route with these chatbots.
    pub(super) fn new(route: Route, first: usize, fallback: Option<usize>) -> Queue {
        Queue {
            route,
            first,
            fallback,
            waiting: VecDeque::new(),
            entries: HashMap::new(),
            by_event: HashMap::new(),
            shipment: None,
            revived: VecDeque::new(),
            doubts: Doubts::default(),
        }
    }

    /// Nothing waits, and nothing is to be sent again.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.revived.is_empty()
    }

    /// A new entry.
    pub(super) fn enter(
        &mut self,
        identity: &Arc<str>,
        event: &Arc<Event>,
        waiters: usize,
        now: Now,
        last: &mut Ticket,
    ) -> Ticket {
        *last += 1;
        self.by_event.insert(Arc::clone(identity), *last);
        let entry = Entry {
            event: Arc::clone(event),
            identity: Arc::clone(identity),
            since: now.mono,
            waiters,
            shipped: false,
            settled: None,
        };
        self.entries.insert(*last, entry);
        *last
    }

    /// An event came back of which it is not known whether its message was shown. The message is sent
    /// again as it was, with the same key: if it was shown, DingTalk shows it no second time.
    pub(super) fn revive(
        &mut self,
        doubt: Doubt,
        identity: &Arc<str>,
        now: Now,
        last: &mut Ticket,
    ) -> Option<Ticket> {
        let tickets: Vec<Ticket> = doubt
            .events
            .iter()
            .map(|(other, event)| {
                self.enter(other, event, usize::from(other == identity), now, last)
            })
            .collect();
        self.ship(&tickets);
        let mut shipment = Shipment::new(doubt.uuid, tickets, now);
        shipment.body = doubt.body;
        shipment.budget = doubt.budget;
        shipment.fresh = true;
        shipment.doubtful = true;
        self.revived.push_back(shipment);
        self.by_event.get(identity).copied()
    }

    /// Keeps in mind a message that failed but may have been shown.
    pub(super) fn doubt(&mut self, shipment: &Shipment, now: Now) {
        if !shipment.doubtful {
            return;
        }
        let events = shipment
            .tickets
            .iter()
            .filter_map(|ticket| self.entries.get(ticket))
            .map(|entry| (Arc::clone(&entry.identity), Arc::clone(&entry.event)))
            .collect();
        self.doubts.keep(Doubt {
            events,
            uuid: shipment.uuid.clone(),
            body: shipment.body.clone(),
            budget: shipment.budget,
            since: now,
        });
    }

    /// The next message: one that is to be sent again, else what has waited longest, as much as fits.
    pub(super) fn form(&mut self, at_fallback: bool, now: Now) {
        if let Some(revived) = self.revived.pop_front() {
            self.shipment = Some(Shipment {
                at_fallback,
                ..revived
            });
            return;
        }
        let mut tickets: Vec<Ticket> = Vec::new();
        let mut capacity = Capacity::new(MAX_BYTES);
        while let Some(ticket) = self.waiting.front() {
            // An entry that nobody waits for any more has left its place in the line behind.
            if let Some(entry) = self.entries.get(ticket) {
                if !capacity.try_add(&entry.event) {
                    break;
                }
                tickets.push(*ticket);
            }
            self.waiting.pop_front();
        }
        self.ship(&tickets);
        let mut identities: Vec<&str> = tickets
            .iter()
            .filter_map(|ticket| Some(self.entries.get(ticket)?.identity.as_ref()))
            .collect();
        identities.sort_unstable();
        let uuid = message_uuid(&self.route.name, identities);
        self.shipment = Some(Shipment {
            at_fallback,
            ..Shipment::new(uuid, tickets, now)
        });
    }

    /// These events are in a message now.
    fn ship(&mut self, tickets: &[Ticket]) {
        for ticket in tickets {
            if let Some(entry) = self.entries.get_mut(ticket) {
                entry.shipped = true;
            }
        }
    }

    /// Since when the oldest event here has waited.
    pub(super) fn since(&self) -> Option<Instant> {
        let ticket = match &self.shipment {
            Some(shipment) => shipment.tickets.first(),
            None => match self.revived.front() {
                Some(shipment) => shipment.tickets.first(),
                None => self.waiting.front(),
            },
        };
        Some(self.entries.get(ticket?)?.since)
    }

    /// One invocation no longer waits for the entry; an entry that is settled or on nobody's mind goes.
    pub(super) fn let_go(&mut self, ticket: Ticket) {
        let Some(entry) = self.entries.get_mut(&ticket) else {
            return;
        };
        entry.waiters = entry.waiters.saturating_sub(1);
        let on_its_way = entry.shipped && entry.settled.is_none();
        if entry.waiters == 0 && !on_its_way {
            if entry.settled.is_none() {
                self.by_event.remove(&entry.identity);
            }
            self.entries.remove(&ticket);
        }
        while self
            .waiting
            .front()
            .is_some_and(|first| !self.entries.contains_key(first))
        {
            self.waiting.pop_front();
        }
    }

    /// The message that holds the event, while it is on its way.
    pub(super) fn shipment_of(&self, ticket: Ticket) -> Option<&Shipment> {
        if !self.entries.get(&ticket)?.shipped {
            return None;
        }
        let mut shipments = self.shipment.iter().chain(&self.revived);
        shipments.find(|shipment| shipment.tickets.contains(&ticket))
    }

    /// A message for which nobody waits any more is not sent again, until one of its events comes back.
    pub(super) fn drop_orphans(&mut self, now: Now) {
        let is_orphan = |shipment: &Shipment, entries: &HashMap<Ticket, Entry>| {
            let waited_for = |ticket| {
                entries
                    .get(ticket)
                    .is_some_and(|entry: &Entry| entry.waiters > 0)
            };
            !shipment.driven && !shipment.tickets.iter().any(waited_for)
        };
        let mut orphans: Vec<Shipment> = Vec::new();
        orphans.extend(
            self.shipment
                .take_if(|shipment| is_orphan(shipment, &self.entries)),
        );
        for shipment in std::mem::take(&mut self.revived) {
            if is_orphan(&shipment, &self.entries) {
                orphans.push(shipment);
            } else {
                self.revived.push_back(shipment);
            }
        }
        for shipment in orphans {
            self.doubt(&shipment, now);
            for ticket in &shipment.tickets {
                if let Some(entry) = self.entries.remove(ticket) {
                    self.by_event.remove(&entry.identity);
                }
            }
        }
    }
}

impl Shipment {
    pub(super) fn new(uuid: String, tickets: Vec<Ticket>, now: Now) -> Shipment {
        Shipment {
            tickets,
            uuid,
            body: None,
            budget: MAX_BYTES,
            at_fallback: false,
            secret: 0,
            fresh: false,
            progress: Progress::default(),
            not_before: now.mono,
            driven: false,
            doubtful: false,
            told: Told::default(),
            first_told: None,
        }
    }
}

impl Told {
    pub(super) fn delivery(self, shipment: &Shipment) -> Delivery {
        Delivery {
            failure: self.failure,
            class: self.class,
            errcode: self.errcode,
            attempts: self.attempts,
            remedy: self.remedy,
            message_uuid: Some(shipment.uuid.clone()),
            combined: shipment.tickets.len(),
            ..Delivery::default()
        }
    }

    /// Both chatbots failed: both remedies, named after the worse failure.
    pub(super) fn with_first(self, first: &Told) -> Told {
        let said = |told: &Told| told.remedy.clone().unwrap_or_else(|| "no answer".into());
        let remedy = Some(format!(
            "{}; the fallback chatbot: {}",
            said(first),
            said(&self)
        ));
        let attempts = self.attempts;
        let worse = if first.failure < self.failure {
            first.clone()
        } else {
            self
        };
        Told {
            remedy,
            attempts,
            ..worse
        }
    }
}
