//! Memory for request bodies, shared by all connections: many small ones at once, large ones in turn.

use super::lock;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// What there is of memory, and who waits for it.
#[derive(Debug)]
pub(super) struct Bodies {
    total: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    left: usize,
    /// Numbers are given in order of arrival: a large body is not kept waiting by ever new smaller ones.
    next: u64,
    waiting: VecDeque<u64>,
}

/// Memory for one body; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    all: &'a Bodies,
    bytes: usize,
}

impl Bodies {
    pub(super) fn new(total: usize) -> Bodies {
        Bodies {
            total,
            state: Mutex::new(State {
                left: total,
                next: 0,
                waiting: VecDeque::new(),
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits for so many bytes, or for all there are where that is less. They are given at once or not at all: of
    /// bodies that each had a part, none might ever become whole. `None` when they are not free before `limit`.
    pub(super) fn take(&self, bytes: usize, limit: Instant) -> Option<Share<'_>> {
        let bytes = bytes.min(self.total);
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(number);
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            let is_turn = state.waiting.front() == Some(&number) && state.left >= bytes;
            if is_turn || left.is_zero() {
                state.waiting.retain(|waiting| *waiting != number);
                // Whoever is next in line may have its turn as well.
                self.changed.notify_all();
                if !is_turn {
                    return None;
                }
                state.left -= bytes;
                return Some(Share { all: self, bytes });
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        lock(&self.all.state).left += self.bytes;
        self.all.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn no_more_is_given_than_there_is_and_what_is_given_back_can_be_had_again() {
        let bodies = Bodies::new(100);
        let half = bodies.take(50, Instant::now() + LONG).unwrap();
        let rest = bodies.take(50, Instant::now() + LONG);
        assert!(bodies.take(1, Instant::now() + SHORT).is_none());
        drop(rest);
        assert!(bodies.take(51, Instant::now() + SHORT).is_none());
        std::thread::scope(|scope| {
            let all = scope.spawn(|| bodies.take(1_000_000, Instant::now() + LONG).is_some());
            drop(half);
            assert!(all.join().unwrap(), "more than there is, is all there is");
        });
        assert!(bodies.take(100, Instant::now() + SHORT).is_some());
    }

    #[test]
    fn who_needs_much_is_not_overtaken_by_who_needs_little() {
        let bodies = Bodies::new(100);
        let half = bodies.take(50, Instant::now() + LONG);
        std::thread::scope(|scope| {
            let large = scope.spawn(|| bodies.take(80, Instant::now() + LONG).is_some());
            while lock(&bodies.state).waiting.is_empty() {
                std::thread::yield_now();
            }
            assert!(bodies.take(1, Instant::now() + SHORT).is_none());
            drop(half);
            assert!(large.join().unwrap());
        });
    }
}
