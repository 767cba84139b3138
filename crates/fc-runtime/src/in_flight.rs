//! The invocations in flight: so many at once, the others in line, and who waits for them all to end.

use super::lock;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

/// Counts invocations from their arrival until their answer has left.
#[derive(Debug)]
pub(super) struct InFlight {
    max_running: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers are given in order of arrival, which is what makes the line fair.
    next: u64,
    waiting: VecDeque<u64>,
    running: usize,
    deadlines: Vec<(u64, Instant)>,
}

impl State {
    fn forget(&mut self, number: u64) {
        self.deadlines.retain(|(known, _)| *known != number);
    }
}

/// One invocation at work; it is over when this is dropped, be it by a panic.
#[derive(Debug)]
pub(super) struct Invocation<'a> {
    all: &'a InFlight,
    number: u64,
}

impl InFlight {
    pub(super) fn new(max_running: usize) -> InFlight {
        InFlight {
            max_running,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits for a turn. `None` when it does not come before the deadline.
    pub(super) fn enter(&self, deadline: Instant) -> Option<Invocation<'_>> {
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(number);
        state.deadlines.push((number, deadline));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let is_turn =
                state.running < self.max_running && state.waiting.front() == Some(&number);
            if left.is_zero() || is_turn {
                state.waiting.retain(|waiting| *waiting != number);
                // Whoever is next in line may have its turn as well.
                self.changed.notify_all();
                if left.is_zero() {
                    state.forget(number);
                    return None;
                }
                state.running += 1;
                return Some(Invocation { all: self, number });
            }
            state = wait(&self.changed, state, left);
        }
    }

    /// Waits until the invocations that are in flight now are over, or their deadlines are.
    pub(super) fn settle(&self) {
        let mut state = lock(&self.state);
        let newer = state.next;
        loop {
            let latest = state
                .deadlines
                .iter()
                .filter(|(number, _)| *number < newer)
                .map(|(_, deadline)| *deadline)
                .max();
            let left = latest.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if !left.is_zero() => state = wait(&self.changed, state, left),
                _ => return,
            }
        }
    }

    /// The latest deadline of those in flight.
    pub(super) fn latest_deadline(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let deadlines = state.deadlines.iter();
        deadlines.map(|(_, deadline)| *deadline).max()
    }
}

impl Drop for Invocation<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.all.state);
        state.running -= 1;
        state.forget(self.number);
        self.all.changed.notify_all();
    }
}

fn wait<'a>(
    changed: &Condvar,
    guard: std::sync::MutexGuard<'a, State>,
    left: std::time::Duration,
) -> std::sync::MutexGuard<'a, State> {
    changed
        .wait_timeout(guard, left)
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn until(condition: impl Fn() -> bool) {
        let end = Instant::now() + LONG;
        while !condition() {
            assert!(Instant::now() < end, "in vain");
            std::thread::yield_now();
        }
    }

    #[test]
    fn turns_come_in_order_of_arrival() {
        let line = InFlight::new(1);
        let (tell, order) = mpsc::channel();
        std::thread::scope(|scope| {
            let first = line.enter(Instant::now() + LONG).unwrap();
            for number in 0..5 {
                let (tell, line) = (tell.clone(), &line);
                scope.spawn(move || {
                    let _turn = line.enter(Instant::now() + LONG).unwrap();
                    tell.send(number).unwrap();
                });
                until(|| lock(&line.state).waiting.len() == number + 1);
            }
            drop(first);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn who_has_no_turn_before_the_deadline_leaves_the_line() {
        let line = InFlight::new(1);
        let first = line.enter(Instant::now() + LONG);
        assert!(
            line.enter(Instant::now() + Duration::from_millis(20))
                .is_none()
        );
        drop(first);
        assert!(
            line.enter(Instant::now()).is_none(),
            "a deadline that is over leaves no turn"
        );
        assert!(line.enter(Instant::now() + LONG).is_some());
        assert!(lock(&line.state).deadlines.is_empty());
    }

    #[test]
    fn a_panic_gives_the_turn_back() {
        let line = InFlight::new(1);
        for _ in 0..3 {
            let result = std::panic::catch_unwind(|| {
                let _turn = line.enter(Instant::now() + LONG).unwrap();
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(result.is_err());
        }
        assert_eq!(lock(&line.state).running, 0);
    }

    #[test]
    fn settling_waits_for_those_in_flight_but_not_past_their_deadline() {
        let line = InFlight::new(2);
        line.settle();
        let overdue = line.enter(Instant::now() + Duration::from_millis(20));
        line.settle();
        assert!(overdue.as_ref().unwrap().all.latest_deadline().unwrap() <= Instant::now());
        drop(overdue);

        let running = line.enter(Instant::now() + LONG).unwrap();
        let (tell, settled) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                line.settle();
                tell.send(()).unwrap();
            });
            assert!(settled.recv_timeout(Duration::from_millis(50)).is_err());
            drop(running);
            settled.recv_timeout(LONG).unwrap();
        });
    }
}
