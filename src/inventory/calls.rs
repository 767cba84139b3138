//! The calls at each place, and what is known of a resource while they go on.

use super::cache::{Cache, Key, Memory};
use super::pace::Pace;
use super::{Place, Refusal, Resource};
use crate::event::{Known, Lookup};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Default)]
pub(super) struct State {
    pub(super) cache: Cache,
    pub(super) pace: Pace,
    pub(super) queues: HashMap<Place, Queue>,
}

/// The calls at one place. One is under way at a time. What is asked for meanwhile leaves together
/// in the next.
#[derive(Default)]
pub(super) struct Queue {
    /// How many invocations are here.
    pub(super) invocations: usize,
    /// Calls begun so far.
    pub(super) calls: u64,
    /// The ids of the call that is under way.
    pub(super) under_way: Option<Vec<String>>,
    pub(super) waiting: BTreeSet<String>,
    /// The last call that failed: its number, ids and refusal.
    pub(super) failure: Option<(u64, Vec<String>, Refusal)>,
}

/// What is known of one resource, and how that came about.
pub(super) struct Answer {
    pub(super) lookup: Lookup,
    pub(super) resource: Option<Arc<Resource>>,
    pub(super) refusal: Option<Refusal>,
}

pub(super) type Answers = HashMap<Key, Answer>;

impl State {
    pub(super) fn queue(&mut self, place: &Place) -> &mut Queue {
        self.queues.entry(place.clone()).or_default()
    }

    /// Returns what is known of a resource; `None` where a call must tell.
    ///
    /// `first_call` is the first call that can hold the answer; `None` before there was one.
    pub(super) fn answer(
        &self,
        key: &Key,
        first_call: Option<u64>,
        now: SystemTime,
    ) -> Option<Answer> {
        let answer = |lookup, resource| Answer {
            lookup,
            resource,
            refusal: None,
        };
        let refused = |refusal| Answer::refused(refusal, self.cache.last_known(key));
        match self.cache.get(key, now) {
            Some(Memory::Found(resource)) if first_call.is_some() => {
                Some(answer(Lookup::Found, Some(resource)))
            }
            Some(Memory::Found(resource) | Memory::Gone(resource)) => {
                Some(answer(Lookup::Cached, Some(resource)))
            }
            Some(Memory::Absent) => Some(answer(Lookup::Absent, None)),
            Some(Memory::Refused(refusal)) => Some(refused(refusal)),
            None => {
                let (call, ids, refusal) = self.queues.get(&key.0)?.failure.as_ref()?;
                let is_mine = first_call.is_some_and(|first| first <= *call);
                (is_mine && ids.contains(&key.1)).then(|| refused(refusal.clone()))
            }
        }
    }
}

impl Answer {
    pub(super) fn refused(refusal: Refusal, resource: Option<Arc<Resource>>) -> Answer {
        Answer {
            lookup: refusal.lookup,
            resource,
            refusal: Some(refusal),
        }
    }

    /// Returns what is known of the resource, and of the instance that it is attached to.
    pub(super) fn known(&self, instance: Option<&Answer>) -> Option<Known> {
        let mut known = self.resource.as_ref()?.known.clone();
        let instance = instance.and_then(|answer| answer.resource.as_ref());
        if let Some(instance) = instance {
            known.instance_name = instance.known.name.clone();
            known.tags.extend(instance.known.tags.iter().cloned());
        }
        Some(known)
    }
}
