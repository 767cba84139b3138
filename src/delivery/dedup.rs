//! What each route has been given: a repeat of it is a success that sends nothing.

use super::Now;
use hashbrown::HashTable;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Most pairs of route and event that are remembered; fewer than a [`Slot`] can tell apart.
const CAPACITY: usize = 10_000;
/// For how many there is an index at first: most instances see fewer, and it is touched as a whole.
const FEW: usize = 400;
/// How long a pair is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Delivered pairs of route and event, the oldest first. Kept small: ten thousand of them are most of what a warm
/// instance holds. Each stands here once, and the index by which it is found holds its number only.
#[derive(Default)]
pub(super) struct Memory {
    by_age: VecDeque<Given>,
    /// The number of the oldest.
    first: Slot,
    index: HashTable<Slot>,
    keys: RandomState,
    /// When somebody asked last, and the time that went by until then.
    asked: Option<Now>,
    time: Duration,
}

/// A pair, and the second in which the event was given.
struct Given {
    pair: Pair,
    second: u32,
}

/// The 16 bytes that an event's identity spells out, the route's number mixed in.
type Pair = [u8; 16];

/// The number of a pair, counted through from the first one and round.
type Slot = u16;

impl Memory {
    /// Remembers that `route` was given the event. Called after the success, never before.
    pub(super) fn remember(&mut self, route: usize, event: &str, now: Now) {
        let (pair, second) = (pair(route, event), self.second(now));
        if self.holds(&pair) {
            return;
        }
        if self.by_age.len() == CAPACITY {
            self.forget_oldest();
        }
        let Memory {
            by_age,
            first,
            index,
            keys,
            ..
        } = self;
        // Room for all at once, which is not touched before it is used: to grow into it would leave behind as much again.
        by_age.reserve_exact(CAPACITY - by_age.len());
        let hash = |slot: &Slot| at(by_age, *first, *slot).map_or(0, |pair| keys.hash_one(pair));
        if index.len() == index.capacity() {
            let room = if index.is_empty() { FEW } else { CAPACITY };
            index.reserve(room - index.len(), hash);
        }
        let slot = first.wrapping_add(by_age.len() as Slot);
        index.insert_unique(keys.hash_one(pair), slot, hash);
        by_age.push_back(Given { pair, second });
    }

    /// Whether `route` was given the event within the last 24 hours.
    pub(super) fn knows(&mut self, route: usize, event: &str, now: Now) -> bool {
        let now = self.second(now);
        while let Some(oldest) = self.by_age.front()
            && u64::from(now.saturating_sub(oldest.second)) >= KEPT.as_secs()
        {
            self.forget_oldest();
        }
        self.holds(&pair(route, event))
    }

    fn holds(&self, pair: &Pair) -> bool {
        let is_it = |slot: &Slot| at(&self.by_age, self.first, *slot) == Some(pair);
        self.index.find(self.keys.hash_one(pair), is_it).is_some()
    }

    /// Seconds that went by since the first question, counting from one to the next by whichever clock says more: the
    /// monotonic one stands still in a freeze, the other may be set back.
    fn second(&mut self, now: Now) -> u32 {
        let passed = now.since(*self.asked.get_or_insert(now));
        if !passed.is_zero() {
            self.time += passed;
            self.asked = Some(now);
        }
        u32::try_from(self.time.as_secs()).unwrap_or(u32::MAX)
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.by_age.front() else {
            return;
        };
        let hash = self.keys.hash_one(oldest.pair);
        if let Ok(found) = self.index.find_entry(hash, |slot| *slot == self.first) {
            found.remove();
        }
        self.by_age.pop_front();
        self.first = self.first.wrapping_add(1);
    }
}

/// The pair of a number, where `first` is the number of the oldest.
fn at(by_age: &VecDeque<Given>, first: Slot, slot: Slot) -> Option<&Pair> {
    let place = slot.wrapping_sub(first);
    by_age.get(usize::from(place)).map(|given| &given.pair)
}

/// The identity is 32 hexadecimal digits; of another text, a hash. It is a hash itself: the few bits that tell the route
/// make no two events alike.
fn pair(route: usize, event: &str) -> Pair {
    let number = match u128::from_str_radix(event, 16) {
        Ok(number) if event.len() == 32 => number,
        _ => {
            let hash = Sha256::digest(event);
            hash.iter()
                .take(16)
                .fold(0, |number, byte| (number << 8) | u128::from(*byte))
        }
    };
    (number ^ route as u128).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Instant, SystemTime};

    fn start() -> Now {
        Now {
            mono: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    fn event(n: usize) -> Arc<str> {
        Arc::from(n.to_string())
    }

    #[test]
    fn what_was_given_is_known_for_a_day_and_on_its_route_only() {
        let mut memory = Memory::default();
        let now = start();
        memory.remember(0, &event(1), now);
        assert!(memory.knows(0, &event(1), now));
        assert!(!memory.knows(1, &event(1), now));
        assert!(!memory.knows(0, &event(2), now));
        let day = Duration::from_secs(86_400);
        assert!(memory.knows(0, &event(1), now.plus(day - Duration::from_secs(1))));
        // The instance was frozen: only the wall clock went on.
        let frozen = Now {
            wall: now.wall + day,
            ..now
        };
        // And one that was set back makes nothing older, nor younger later.
        let back = Now {
            wall: now.wall - day,
            ..now
        };
        assert!(memory.knows(0, &event(1), back));
        assert!(!memory.knows(0, &event(1), frozen));
        assert!(!memory.knows(0, &event(1), now.plus(day)));
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut memory = Memory::default();
        let now = start();
        for n in 0..=CAPACITY {
            memory.remember(0, &event(n), now);
            memory.remember(0, &event(n), now);
        }
        assert!(!memory.knows(0, &event(0), now));
        assert!(memory.knows(0, &event(1), now) && memory.knows(0, &event(CAPACITY), now));
        assert_eq!(memory.by_age.len(), memory.index.len());
    }

    #[test]
    fn numbers_go_round_and_every_pair_stays_found() {
        let mut memory = Memory::default();
        let now = start();
        let all = 3 * CAPACITY + usize::from(Slot::MAX);
        for n in 0..all {
            memory.remember(n % 3, &event(n), now);
        }
        let is_known = |n: &usize| memory.holds(&pair(n % 3, &event(*n)));
        assert!((0..all).filter(is_known).eq(all - CAPACITY..all));
        assert_eq!(memory.index.len(), CAPACITY);
    }
}
