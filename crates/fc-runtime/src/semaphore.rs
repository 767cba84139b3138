//! A weighted, fair semaphore whose waiters give up at a deadline.

use crate::sync::{Signal, lock};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

/// Hands out permits in order of arrival: a heavy request is not starved by ever new light ones.
#[derive(Debug)]
pub(crate) struct Semaphore {
    total: usize,
    state: Mutex<State>,
    changed: Signal,
}

#[derive(Debug)]
struct State {
    available: usize,
    next_ticket: u64,
    /// Tickets of the waiting callers, in order of arrival.
    waiting: VecDeque<u64>,
}

/// A share of a semaphore. Released on drop, including during unwinding.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    semaphore: &'a Semaphore,
    weight: usize,
}

impl Semaphore {
    pub(crate) fn new(total: usize) -> Semaphore {
        Semaphore {
            total,
            state: Mutex::new(State {
                available: total,
                next_ticket: 0,
                waiting: VecDeque::new(),
            }),
            changed: Signal::default(),
        }
    }

    /// Waits for a permit of this weight; a weight above the total counts as the total.
    ///
    /// Returns `None` if `deadline` passes first. A permit that is free is granted even then.
    pub(crate) fn acquire(&self, weight: usize, deadline: Instant) -> Option<Permit<'_>> {
        let weight = weight.min(self.total);
        let mut state = lock(&self.state);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        loop {
            // The whole weight or none: callers that each held a part could wait for each other.
            let granted = state.waiting.front() == Some(&ticket) && state.available >= weight;
            let left = deadline.saturating_duration_since(Instant::now());
            if granted || left.is_zero() {
                state.waiting.retain(|waiting| *waiting != ticket);
                // The next in line may fit as well.
                self.changed.notify_all();
                if !granted {
                    return None;
                }
                state.available -= weight;
                return Some(Permit {
                    semaphore: self,
                    weight,
                });
            }
            state = self.changed.wait(state, left);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        lock(&self.semaphore.state).available += self.weight;
        self.semaphore.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn permits_never_exceed_the_total_and_return_on_drop() {
        let semaphore = Semaphore::new(100);
        let half = semaphore.acquire(50, Instant::now() + LONG).unwrap();
        let rest = semaphore.acquire(50, Instant::now() + LONG);
        assert!(semaphore.acquire(1, Instant::now() + SHORT).is_none());
        drop(rest);
        assert!(semaphore.acquire(51, Instant::now() + SHORT).is_none());
        std::thread::scope(|scope| {
            let all = scope.spawn(|| {
                semaphore
                    .acquire(1_000_000, Instant::now() + LONG)
                    .is_some()
            });
            drop(half);
            assert!(
                all.join().unwrap(),
                "a weight above the total counts as the total"
            );
        });
        assert!(semaphore.acquire(100, Instant::now() + SHORT).is_some());
    }

    #[test]
    fn a_heavy_request_is_not_overtaken_by_a_light_one() {
        let semaphore = Semaphore::new(100);
        let half = semaphore.acquire(50, Instant::now() + LONG);
        std::thread::scope(|scope| {
            let large = scope.spawn(|| semaphore.acquire(80, Instant::now() + LONG).is_some());
            while lock(&semaphore.state).waiting.is_empty() {
                std::thread::yield_now();
            }
            assert!(semaphore.acquire(1, Instant::now() + SHORT).is_none());
            drop(half);
            assert!(large.join().unwrap());
        });
    }

    #[test]
    fn permits_are_granted_in_order_of_arrival() {
        let semaphore = Semaphore::new(1);
        let (report, order) = mpsc::channel();
        std::thread::scope(|scope| {
            let first = semaphore.acquire(1, Instant::now() + LONG).unwrap();
            for number in 0..5 {
                let (report, semaphore) = (report.clone(), &semaphore);
                scope.spawn(move || {
                    let _permit = semaphore.acquire(1, Instant::now() + LONG).unwrap();
                    report.send(number).unwrap();
                });
                while lock(&semaphore.state).waiting.len() <= number {
                    std::thread::yield_now();
                }
            }
            drop(first);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn when_the_deadline_is_over_only_a_free_permit_is_granted() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire(1, Instant::now());
        assert!(permit.is_some());
        assert!(semaphore.acquire(1, Instant::now()).is_none());
    }
}
