//! Which events were delivered on which route: a repeat is a success that sends nothing.

use super::keys::EventKey;
use super::timestamps::Timestamps;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// Most pairs of route and event that are kept.
const CAPACITY: usize = 10_000;
/// EventBridge repeats an event for a day.
const KEPT_SECONDS: u32 = 24 * 60 * 60;

/// Delivered pairs of route and event.
#[derive(Default)]
pub(super) struct DedupCache {
    pairs: HashSet<Pair>,
    /// The oldest first, each with the second in which it was inserted.
    by_age: VecDeque<(Pair, u32)>,
    /// When the cache was used last, and the time that had passed by then.
    last_use: Option<Timestamps>,
    passed: Duration,
}

/// An event's key with the route mixed in: the key is a hash, so that no two pairs are alike.
type Pair = [u8; 16];

fn pair(route: usize, event: EventKey) -> Pair {
    (event.0 ^ route as u128).to_be_bytes()
}

impl DedupCache {
    /// Remembers that the event was delivered. Call it after the success: an event that failed must
    /// be sent again when it is repeated.
    pub(super) fn insert(&mut self, route: usize, event: EventKey, now: Timestamps) {
        let (pair, second) = (pair(route, event), self.second(now));
        if self.by_age.is_empty() {
            // Reserved at once and touched only as it fills: growing would leave as much behind
            // again.
            self.pairs.reserve(CAPACITY);
            self.by_age.reserve_exact(CAPACITY);
        }
        if !self.pairs.insert(pair) {
            return;
        }
        if self.by_age.len() == CAPACITY {
            self.remove_oldest();
        }
        self.by_age.push_back((pair, second));
    }

    /// Returns true if the event was delivered on this route within the last 24 hours.
    pub(super) fn contains(&mut self, route: usize, event: EventKey, now: Timestamps) -> bool {
        let now = self.second(now);
        while let Some((_, second)) = self.by_age.front()
            && now - second >= KEPT_SECONDS
        {
            self.remove_oldest();
        }
        self.pairs.contains(&pair(route, event))
    }

    /// Seconds since the first use. From one use to the next, the clock that says more counts: a
    /// freeze makes older, a wall clock that is set back makes nothing younger.
    fn second(&mut self, now: Timestamps) -> u32 {
        let last_use = self.last_use.replace(now).unwrap_or(now);
        self.passed += now.age_of(last_use);
        // A wall clock that jumps by more than a century makes everything old.
        u32::try_from(self.passed.as_secs()).unwrap_or(u32::MAX)
    }

    fn remove_oldest(&mut self) {
        if let Some((pair, _)) = self.by_age.pop_front() {
            self.pairs.remove(&pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Instant, SystemTime};

    const ROUTE: usize = 0;
    const DAY: Duration = Duration::from_secs(KEPT_SECONDS as u64);

    fn start() -> Timestamps {
        Timestamps {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// A key as events have it: a hash.
    fn key(n: usize) -> EventKey {
        EventKey((n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    #[test]
    fn a_delivered_event_is_known_for_a_day_on_its_route() {
        let mut cache = DedupCache::default();
        let now = start();
        cache.insert(ROUTE, key(1), now);
        assert!(cache.contains(ROUTE, key(1), now));
        assert!(!cache.contains(1, key(1), now));
        assert!(!cache.contains(ROUTE, key(2), now));
        assert!(cache.contains(ROUTE, key(1), now.plus(DAY - Duration::from_secs(1))));
        assert!(!cache.contains(ROUTE, key(1), now.plus(DAY)));
    }

    #[test]
    fn a_freeze_counts_and_a_wall_clock_set_back_does_not() {
        let mut cache = DedupCache::default();
        let now = start();
        cache.insert(ROUTE, key(1), now);
        let back = Timestamps {
            wall: now.wall - DAY,
            ..now
        };
        assert!(cache.contains(ROUTE, key(1), back));
        // The instance was frozen: only the wall clock went on.
        let frozen = Timestamps {
            wall: now.wall + DAY,
            ..now
        };
        assert!(!cache.contains(ROUTE, key(1), frozen));
        // Set back, and a day passes by the other clock.
        cache.insert(ROUTE, key(1), frozen);
        assert!(cache.contains(ROUTE, key(1), back));
        let next_day = Timestamps {
            monotonic: now.monotonic + DAY,
            ..back
        };
        assert!(!cache.contains(ROUTE, key(1), next_day));
        // A clock in the far future only makes old.
        cache.insert(ROUTE, key(1), now);
        let far = Timestamps {
            wall: now.wall + 200 * 366 * DAY,
            ..now
        };
        assert!(!cache.contains(ROUTE, key(1), far));
    }

    #[test]
    fn the_oldest_make_room_and_the_rest_stays_found() {
        let mut cache = DedupCache::default();
        let now = start();
        let all = 3 * CAPACITY;
        for n in 0..all {
            cache.insert(n % 3, key(n), now);
            // Once more changes nothing.
            cache.insert(n % 3, key(n), now);
        }
        let mut is_known = |n: &usize| cache.contains(n % 3, key(*n), now);
        let known: Vec<usize> = (0..all).filter(|n| is_known(n)).collect();
        assert!(known.into_iter().eq(all - CAPACITY..all));
        assert_eq!(
            (cache.pairs.len(), cache.by_age.len()),
            (CAPACITY, CAPACITY)
        );
    }

    #[test]
    fn memory_is_reserved_once() {
        let mut cache = DedupCache::default();
        cache.insert(ROUTE, key(0), start());
        let reserved = cache.by_age.capacity();
        for n in 1..3 * CAPACITY {
            cache.insert(ROUTE, key(n), start());
        }
        assert_eq!(cache.by_age.capacity(), reserved);
    }
}
