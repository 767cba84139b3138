//! The invocations in flight: a maximum that run at once, and waiting for all to end.

use crate::semaphore::{Permit, Semaphore};
use crate::sync::{Signal, lock};
use std::sync::Mutex;
use std::time::Instant;

/// Knows the deadlines of the invocations from their arrival until their answers are written.
#[derive(Debug)]
pub(crate) struct Invocations {
    turns: Semaphore,
    state: Mutex<State>,
    changed: Signal,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers are given in order of arrival.
    next_number: u64,
    /// Number and deadline of each invocation that waits or runs.
    deadlines: Vec<(u64, Instant)>,
}

/// An invocation that may run. It ends on drop, including during unwinding.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    _turn: Permit<'a>,
    _entry: Entry<'a>,
}

/// The entry of one invocation in [`State::deadlines`]. Removed on drop.
#[derive(Debug)]
struct Entry<'a> {
    invocations: &'a Invocations,
    number: u64,
}

impl Invocations {
    pub(crate) fn new(max_running: usize) -> Invocations {
        Invocations {
            turns: Semaphore::new(max_running),
            state: Mutex::default(),
            changed: Signal::default(),
        }
    }

    /// Waits for a turn to run. Returns `None` if it does not come before the deadline.
    pub(crate) fn acquire(&self, deadline: Instant) -> Option<Invocation<'_>> {
        let entry = self.enter(deadline);
        let turn = self.turns.acquire(1, deadline)?;
        // A turn is granted past the deadline too, if it is free. The handler has no time then.
        (Instant::now() < deadline).then_some(Invocation {
            _turn: turn,
            _entry: entry,
        })
    }

    fn enter(&self, deadline: Instant) -> Entry<'_> {
        let mut state = lock(&self.state);
        let number = state.next_number;
        state.next_number += 1;
        state.deadlines.push((number, deadline));
        Entry {
            invocations: self,
            number,
        }
    }

    /// Waits until the invocations that are in flight now have ended, or their deadlines have
    /// passed.
    pub(crate) fn drain(&self) {
        let mut state = lock(&self.state);
        let newer = state.next_number;
        loop {
            let earlier = state.deadlines.iter().filter(|(number, _)| *number < newer);
            let Some(latest) = earlier.map(|(_, deadline)| *deadline).max() else {
                return;
            };
            let left = latest.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait(state, left);
        }
    }

    /// Returns the latest deadline of the invocations in flight.
    pub(crate) fn latest_deadline(&self) -> Option<Instant> {
        let state = lock(&self.state);
        state.deadlines.iter().map(|(_, deadline)| *deadline).max()
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.invocations.state);
        state.deadlines.retain(|(number, _)| *number != self.number);
        self.invocations.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn when_no_turn_comes_before_the_deadline_the_entry_is_removed() {
        let invocations = Invocations::new(1);
        let first = invocations.acquire(Instant::now() + LONG);
        assert!(
            invocations
                .acquire(Instant::now() + Duration::from_millis(20))
                .is_none()
        );
        drop(first);
        assert!(
            invocations.acquire(Instant::now()).is_none(),
            "a deadline that is over leaves no turn"
        );
        assert!(invocations.acquire(Instant::now() + LONG).is_some());
        assert!(lock(&invocations.state).deadlines.is_empty());
    }

    #[test]
    fn when_an_invocation_panics_its_turn_is_released() {
        let invocations = Invocations::new(1);
        for _ in 0..3 {
            let result = std::panic::catch_unwind(|| {
                let _invocation = invocations.acquire(Instant::now() + LONG).unwrap();
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(result.is_err());
        }
        assert!(lock(&invocations.state).deadlines.is_empty());
        assert!(invocations.acquire(Instant::now() + LONG).is_some());
    }

    #[test]
    fn drain_waits_for_those_in_flight_but_not_past_their_deadline() {
        let invocations = Invocations::new(2);
        invocations.drain();
        let overdue = invocations.acquire(Instant::now() + Duration::from_millis(20));
        invocations.drain();
        assert!(overdue.is_some());
        assert!(invocations.latest_deadline().unwrap() <= Instant::now());
        drop(overdue);

        let running = invocations.acquire(Instant::now() + LONG).unwrap();
        let (report, drained) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                invocations.drain();
                report.send(()).unwrap();
            });
            assert!(drained.recv_timeout(Duration::from_millis(50)).is_err());
            drop(running);
            drained.recv_timeout(LONG).unwrap();
        });
    }
}
