//! What each route has been given: a repeat of it is a success that sends nothing.

use super::Now;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// Most pairs of route and event that are remembered.
const CAPACITY: usize = 10_000;
/// How long a pair is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Delivered pairs of route and event, the oldest first. Kept small: ten thousand of them are most of what a warm
/// instance holds.
#[derive(Default)]
pub(super) struct Memory {
    /// What the ages are counted from.
    begin: Option<Now>,
    by_age: VecDeque<(Pair, Age)>,
    known: HashSet<Pair>,
}

/// A route, and the 16 bytes that an event's identity spells out.
type Pair = (u16, [u8; 16]);

/// When it was, in seconds by either clock.
#[derive(Clone, Copy)]
struct Age {
    mono: u32,
    /// The wall clock may be set back.
    wall: i32,
}

impl Memory {
    /// Remembers that `route` was given the event. Called after the success, never before.
    pub(super) fn remember(&mut self, route: usize, event: &str, now: Now) {
        let (pair, age) = (pair(route, event), self.age(now));
        if !self.known.insert(pair) {
            return;
        }
        self.by_age.push_back((pair, age));
        if self.by_age.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    /// Whether `route` was given the event within the last 24 hours.
    pub(super) fn knows(&mut self, route: usize, event: &str, now: Now) -> bool {
        let now = self.age(now);
        while let Some((_, then)) = self.by_age.front()
            && now.since(*then) >= KEPT.as_secs()
        {
            self.forget_oldest();
        }
        self.known.contains(&pair(route, event))
    }

    fn age(&mut self, now: Now) -> Age {
        let begin = *self.begin.get_or_insert(now);
        let mono = now.mono.saturating_duration_since(begin.mono).as_secs();
        let wall = match now.wall.duration_since(begin.wall) {
            Ok(later) => i32::try_from(later.as_secs()).unwrap_or(i32::MAX),
            Err(sooner) => i32::try_from(sooner.duration().as_secs()).map_or(i32::MIN, |s| -s),
        };
        Age {
            mono: u32::try_from(mono).unwrap_or(u32::MAX),
            wall,
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((pair, _)) = self.by_age.pop_front() {
            self.known.remove(&pair);
        }
    }
}

impl Age {
    /// Seconds since `then`, by whichever clock says more.
    fn since(self, then: Age) -> u64 {
        let mono = self.mono.saturating_sub(then.mono);
        let wall = i64::from(self.wall) - i64::from(then.wall);
        u64::from(mono).max(u64::try_from(wall).unwrap_or(0))
    }
}

/// The identity is 32 hexadecimal digits; of another text, a hash.
fn pair(route: usize, event: &str) -> Pair {
    let bytes = match u128::from_str_radix(event, 16) {
        Ok(number) if event.len() == 32 => number.to_be_bytes(),
        _ => {
            let mut bytes = [0; 16];
            let hash = Sha256::digest(event);
            bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
            bytes
        }
    };
    (u16::try_from(route).unwrap_or(u16::MAX), bytes)
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
        assert_eq!(memory.by_age.len(), memory.known.len());
    }
}
