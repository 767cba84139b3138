//! Events → the same events with what is known of their resources.

use super::cache::Key;
use super::calls::{Answer, Answers, State};
use super::{Inventory, Kind, MaintenanceError, Place, Refusal, Resource};
use crate::aliyun::{Credentials, MAX_IDS, is_id, is_region};
use crate::clock::Clock;
use crate::event::{Event, EventTime, Lookup};
use crate::parallel;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest time that all calls of one invocation take together.
const MAX_TIME: Duration = Duration::from_secs(1);
/// At most this part of the time left is for look-ups: the message comes first.
const PART_OF_TIME: u32 = 4;
/// The longest id of an account, in digits. Those of today have 16.
const MAX_ACCOUNT: usize = 32;

/// Looks up the resources of events, for all invocations of an instance.
pub struct Directory {
    inventory: Box<dyn Inventory>,
    clock: Arc<dyn Clock>,
    /// Resources of other accounts can be asked for.
    reaches_other_accounts: bool,
    state: Mutex<State>,
    /// Notified when a call has ended.
    ended: Condvar,
}

/// What one invocation asks with.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub credentials: &'a Credentials,
    /// The function's own account, where it is known.
    pub account: Option<&'a str>,
    pub deadline: Instant,
}

/// The events of one invocation after their look-ups.
pub struct LookedUp {
    /// In the same order as before.
    pub events: Vec<Arc<Event>>,
    /// Why something was not looked up and what to change, in one line.
    pub problem: Option<String>,
}

impl Directory {
    pub fn new(
        inventory: Box<dyn Inventory>,
        clock: Arc<dyn Clock>,
        reaches_other_accounts: bool,
    ) -> Directory {
        Directory {
            inventory,
            clock,
            reaches_other_accounts,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Returns the events with what is known of the resources of those that are `wanted`.
    ///
    /// Takes at most 1 s, and at most a quarter of the time until the asker's deadline. Whatever
    /// goes wrong, every event comes back.
    pub fn look_up(
        &self,
        events: &[Arc<Event>],
        asker: Asker,
        wanted: impl Fn(&Event) -> bool,
    ) -> LookedUp {
        let key = |event: &Arc<Event>| {
            let key = self.key(event, asker.account)?;
            wanted(event).then_some(key)
        };
        let keys: Vec<Option<Key>> = events.iter().map(key).collect();
        let now = self.clock.now();
        let left = asker.deadline.saturating_duration_since(now);
        let asker = Asker {
            deadline: now + MAX_TIME.min(left / PART_OF_TIME),
            ..asker
        };
        let found = self.find(keys.iter().flatten().cloned(), asker);
        // A disk shows its instance's name too.
        let instance = |key: &Key| instance_of(key, found.get(key)?.resource.as_deref()?);
        let instances = self.find(keys.iter().flatten().filter_map(instance), asker);
        let mut problem = None;
        let mut complete = |event: &Arc<Event>, key: &Option<Key>| {
            let (Some(key), Some(answer)) = (key, key.as_ref().and_then(|key| found.get(key)))
            else {
                return Arc::clone(event);
            };
            let instance = instance(key).and_then(|key| instances.get(&key));
            for answer in instance.into_iter().chain([answer]) {
                if let Some(refusal) = &answer.refusal {
                    problem = Some(refusal.remedy.clone());
                }
            }
            let mut event = Event::clone(event);
            event.lookup = Some(answer.lookup);
            event.known = answer.known(instance).map(Arc::new);
            Arc::new(event)
        };
        let events = events.iter().zip(&keys);
        LookedUp {
            events: events.map(|(event, key)| complete(event, key)).collect(),
            problem,
        }
    }

    /// Asks for maintenance in all these regions at once: that which begins soonest comes first.
    /// Returns also why there is none of some region.
    ///
    /// Takes at most half of the time until the asker's deadline: the messages need the rest.
    pub fn maintenance(
        &self,
        regions: &[String],
        asker: Asker,
    ) -> (Vec<Event>, Vec<MaintenanceError>) {
        let now = self.clock.now();
        let left = asker.deadline.saturating_duration_since(now);
        let deadline = now + left / 2;
        let answers = parallel::map(regions, |region| {
            self.inventory
                .maintenance(region, asker.credentials, deadline)
        });
        let (mut events, mut errors) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(found) => events.extend(found),
                Err(problem) => errors.push(problem),
            }
        }
        events.sort_by_cached_key(|event| {
            let start = match event.not_before() {
                Some(EventTime::At(start)) => start,
                _ => Timestamp::MAX,
            };
            (start, event.id.clone(), event.region.clone())
        });
        (events, errors)
    }

    /// Returns the resource that an event is about, if it can be asked for.
    fn key(&self, event: &Event, own_account: Option<&str>) -> Option<Key> {
        if !["acs.ecs", "acs.ebs"].contains(&event.source.as_str()) {
            return None;
        }
        let id = event.resource_id.as_ref().filter(|id| is_id(id))?;
        let kind = match id.split_once('-') {
            Some(("i", _)) => Kind::Instance,
            Some(("d", _)) => Kind::Disk,
            _ => return None,
        };
        // It becomes part of a host's name.
        let region = event.region.as_ref().filter(|region| is_region(region))?;
        let account = event.account.as_deref();
        let account = account.filter(|account| own_account.is_some_and(|own| own != *account));
        if account.is_some_and(|id| !self.reaches_other_accounts || !is_account(id)) {
            return None;
        }
        let place = Place {
            kind,
            region: region.clone(),
            account: account.map(str::to_owned),
        };
        Some((place, id.clone()))
    }

    /// Finds resources at all their places at once.
    fn find(&self, keys: impl Iterator<Item = Key>, asker: Asker) -> Answers {
        let mut places: HashMap<Place, BTreeSet<String>> = HashMap::new();
        for (place, id) in keys {
            places.entry(place).or_default().insert(id);
        }
        let places: Vec<(Place, BTreeSet<String>)> = places.into_iter().collect();
        let answers = parallel::map(&places, |(place, ids)| {
            self.find_at(place, ids.clone(), asker)
        });
        answers.into_iter().flatten().collect()
    }

    /// Finds resources at one place: in the cache, in the answers to calls of other invocations,
    /// and by calls of its own.
    fn find_at(&self, place: &Place, mut ids: BTreeSet<String>, asker: Asker) -> Answers {
        let mut answers = Answers::new();
        let _visit = Visit::begin(self, place);
        let mut state = self.lock();
        // The first call that can hold an answer for this invocation.
        let mut first_call = None;
        loop {
            let now = self.clock.wall();
            ids.retain(|id| {
                let key = (place.clone(), id.clone());
                let answer = state.answer(&key, first_call, now);
                let is_open = answer.is_none();
                answers.extend(answer.map(|answer| (key, answer)));
                is_open
            });
            let now = self.clock.now();
            if ids.is_empty() || now >= asker.deadline {
                break;
            }
            let may_begin = state.pace.next_call(place, now);
            let queue = state.queue(place);
            let under_way = queue.under_way.as_deref();
            first_call.get_or_insert(queue.calls + u64::from(under_way.is_none()));
            let is_open = |id: &&String| under_way.is_none_or(|ids| !ids.contains(id));
            queue.waiting.extend(ids.iter().filter(is_open).cloned());
            // More of them could not leave together.
            let is_full = queue.waiting.len() >= MAX_IDS;
            state = if queue.under_way.is_some() {
                self.wait(state, asker.deadline - now)
            } else if may_begin > now && !is_full {
                let limit = may_begin.min(asker.deadline);
                self.wait(state, self.clock.sleep_duration_until(limit))
            } else {
                self.call(state, place, &ids, asker)
            };
        }
        // Time is over for these. Who else waits for them adds them again.
        for id in ids {
            state.queue(place).waiting.remove(&id);
            let key = (place.clone(), id);
            let resource = state.cache.last_known(&key);
            answers.insert(key, Answer::refused(too_slow(), resource));
        }
        answers
    }

    /// Makes one call for `ids`, and for as many of those that others wait for as fit into it.
    fn call<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        place: &Place,
        ids: &BTreeSet<String>,
        asker: Asker,
    ) -> MutexGuard<'a, State> {
        let queue = state.queue(place);
        let mut batch: BTreeSet<String> = ids.iter().take(MAX_IDS).cloned().collect();
        for id in &queue.waiting {
            if batch.len() < MAX_IDS {
                batch.insert(id.clone());
            }
        }
        queue.waiting.retain(|id| !batch.contains(id));
        queue.calls += 1;
        let batch: Vec<String> = batch.into_iter().collect();
        queue.under_way = Some(batch.clone());
        if batch.len() < MAX_IDS {
            state.pace.count(place, self.clock.now());
        }
        drop(state);

        // Also if the call panics: others wait for its end.
        let call = Call {
            directory: self,
            place,
        };
        let (credentials, deadline) = (asker.credentials, asker.deadline);
        let result = self
            .inventory
            .resources(place, &batch, credentials, deadline);
        let now = self.clock.wall();
        let mut state = self.lock();
        match result {
            Ok(found) => state.cache.answered(place, &batch, found, now),
            Err(refusal) => {
                state.cache.refused(place, &refusal, now);
                let queue = state.queue(place);
                queue.failure = Some((queue.calls, batch, refusal));
            }
        }
        drop(state);
        drop(call);
        self.lock()
    }

    /// Waits for the end of a call, and no longer than `time`.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let waited = self.ended.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation at a place. On drop, also by a panic, it leaves.
struct Visit<'a> {
    directory: &'a Directory,
    place: &'a Place,
}

impl<'a> Visit<'a> {
    fn begin(directory: &'a Directory, place: &'a Place) -> Visit<'a> {
        directory.lock().queue(place).invocations += 1;
        Visit { directory, place }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut state = self.directory.lock();
        let queue = state.queue(self.place);
        queue.invocations -= 1;
        // Places come from events: one that no invocation is at is forgotten.
        if queue.invocations == 0 {
            state.queues.remove(self.place);
        }
    }
}

/// A call that is under way. On drop it has ended.
struct Call<'a> {
    directory: &'a Directory,
    place: &'a Place,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.directory.lock().queue(self.place).under_way = None;
        self.directory.ended.notify_all();
    }
}

/// Returns the instance that a disk is attached to.
fn instance_of((place, _): &Key, resource: &Resource) -> Option<Key> {
    let place = Place {
        kind: Kind::Instance,
        ..place.clone()
    };
    let id = resource.instance_id.clone().filter(|id| is_id(id))?;
    Some((place, id))
}

fn is_account(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ACCOUNT && text.bytes().all(|b| b.is_ascii_digit())
}

/// The refusal of one that waited in vain.
fn too_slow() -> Refusal {
    Refusal {
        lookup: Lookup::Unreachable,
        retry_after: None,
        remedy: "the ECS API did not answer in time: nothing to change if it passes".into(),
    }
}

#[cfg(test)]
mod tests;
