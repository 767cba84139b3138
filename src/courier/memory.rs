//! What each route has been given: a repeat of it is a success that sends nothing.

use super::Now;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Most pairs of route and event that are remembered.
const CAPACITY: usize = 10_000;
/// How long a pair is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Delivered pairs of route and event, the oldest first.
#[derive(Default)]
pub(super) struct Memory {
    by_age: VecDeque<(usize, Arc<str>, Now)>,
    known: HashSet<(usize, Arc<str>)>,
}

impl Memory {
    /// Remembers that `route` was given the event. Called after the success, never before.
    pub(super) fn remember(&mut self, route: usize, event: &Arc<str>, now: Now) {
        if !self.known.insert((route, Arc::clone(event))) {
            return;
        }
        self.by_age.push_back((route, Arc::clone(event), now));
        if self.by_age.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    /// Whether `route` was given the event within the last 24 hours.
    pub(super) fn knows(&mut self, route: usize, event: &Arc<str>, now: Now) -> bool {
        while let Some((_, _, since)) = self.by_age.front()
            && now.since(*since) >= KEPT
        {
            self.forget_oldest();
        }
        self.known.contains(&(route, Arc::clone(event)))
    }

    fn forget_oldest(&mut self) {
        if let Some((route, event, _)) = self.by_age.pop_front() {
            self.known.remove(&(route, event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(memory.by_age.len(), memory.known.len());
    }
}
