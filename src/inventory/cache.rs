//! What the inventory said, and for how long that counts.

use super::{Place, Refusal, Resource};
use crate::event::Lookup;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a resource that was found counts as unchanged.
const FOUND: Duration = Duration::from_secs(10 * 60);
/// How long a resource that was not found counts as absent.
const ABSENT: Duration = Duration::from_secs(60);
/// How long nothing is asked after the role was found to lack a permission.
const DENIED: Duration = Duration::from_secs(5 * 60);
/// Calls are counted by the minute, in seconds: who is throttled may call again in the next one.
const MINUTE: u64 = 60;
/// Most resources that are remembered.
pub(super) const MAX_RESOURCES: usize = 5_000;

/// A resource by its place and id.
pub(super) type Key = (Place, String);

/// What is remembered. Times are of the wall clock, because the monotonic one may stand still while
/// the instance is frozen.
#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Key, Entry>,
    /// The keys of the entries, the oldest first.
    order: VecDeque<Key>,
    refusals: HashMap<Place, Refused>,
}

/// A refusal, and from when until when it counts.
struct Refused {
    refusal: Refusal,
    begin: SystemTime,
    end: SystemTime,
}

struct Entry {
    /// `None` if the resource has never been found.
    resource: Option<Arc<Resource>>,
    /// The last answer did not hold the resource.
    is_absent: bool,
    asked: SystemTime,
}

/// What counts of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Memory {
    /// The last answer held it.
    Found(Arc<Resource>),
    /// It is gone, but who was released still has a name.
    Gone(Arc<Resource>),
    Absent,
    Refused(Refusal),
}

impl Cache {
    /// Returns what counts of a resource at `now`; `None` where it is to be asked for.
    pub(super) fn get(&self, key: &Key, now: SystemTime) -> Option<Memory> {
        if let Some(entry) = self.entries.get(key)
            && entry.counts(now)
        {
            return Some(match &entry.resource {
                Some(resource) if entry.is_absent => Memory::Gone(Arc::clone(resource)),
                Some(resource) => Memory::Found(Arc::clone(resource)),
                None => Memory::Absent,
            });
        }
        let refused = self.refusals.get(&key.0)?;
        (refused.counts(now)).then(|| Memory::Refused(refused.refusal.clone()))
    }

    /// Returns the resource as it was known last, however long ago.
    pub(super) fn last_known(&self, key: &Key) -> Option<Arc<Resource>> {
        self.entries.get(key)?.resource.clone()
    }

    /// Remembers the answer to a call for `ids` at `place`.
    pub(super) fn answered(
        &mut self,
        place: &Place,
        ids: &[String],
        found: Vec<Resource>,
        now: SystemTime,
    ) {
        self.refusals.remove(place);
        let found = found.into_iter().map(|found| (found.id.clone(), found));
        let mut found: HashMap<String, Resource> = found.collect();
        for id in ids {
            let key = (place.clone(), id.clone());
            let resource = found.remove(id).map(Arc::new);
            let entry = Entry {
                is_absent: resource.is_none(),
                resource: resource.or_else(|| self.last_known(&key)),
                asked: now,
            };
            self.insert(key, entry);
        }
    }

    /// Remembers a refusal, where the next call would be refused as well.
    pub(super) fn refused(&mut self, place: &Place, refusal: &Refusal, now: SystemTime) {
        let pause = match refusal.lookup {
            Lookup::Denied => refusal.retry_after.unwrap_or(DENIED),
            Lookup::Throttled => refusal
                .retry_after
                .unwrap_or_else(|| until_next_minute(now)),
            _ => return,
        };
        // Places come from events: what no longer counts is forgotten.
        self.refusals.retain(|_, refused| refused.counts(now));
        if self.refusals.len() < MAX_RESOURCES {
            let refused = Refused {
                refusal: refusal.clone(),
                begin: now,
                end: now + pause,
            };
            self.refusals.insert(place.clone(), refused);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
        self.entries.len()
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        if self.entries.insert(key.clone(), entry).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > MAX_RESOURCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

impl Entry {
    /// Returns true while the answer counts. If the wall clock was set back, it does not.
    fn counts(&self, now: SystemTime) -> bool {
        let time = if self.is_absent { ABSENT } else { FOUND };
        now.duration_since(self.asked).is_ok_and(|age| age < time)
    }
}

impl Refused {
    /// Returns true while the refusal counts. If the wall clock was set back, it does not.
    fn counts(&self, now: SystemTime) -> bool {
        (self.begin..self.end).contains(&now)
    }
}

fn until_next_minute(now: SystemTime) -> Duration {
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since_1970.unwrap_or_default().as_secs();
    Duration::from_secs(MINUTE - seconds % MINUTE)
}
