//! A weighted, fair semaphore whose waiters give up at a deadline.

use crate::sync::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Grants permits in order of arrival: a heavy request is not starved by ever new light ones.
///
/// Limits the invocations that run at once (each of weight 1), and the memory of large bodies
/// (weight in bytes).
pub(crate) struct Semaphore {
    total: usize,
    queue: Mutex<Queue>,
    /// Notified when an entry is removed.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    next_number: u64,
    /// The holders of permits and, behind them, the waiters, in order of arrival. The entries whose
    /// weights fit the total, counted from the front, are the holders.
    entries: Vec<Entry>,
    /// Threads that wait for a change. To notify without one costs a syscall in every invocation.
    waiters: usize,
}

struct Entry {
    number: u64,
    weight: usize,
    deadline: Instant,
}

/// An entry in the queue of a semaphore. Removed on drop, including during unwinding.
pub(crate) struct Permit<'a> {
    semaphore: &'a Semaphore,
    number: u64,
}

impl Semaphore {
    pub(crate) fn new(total: usize) -> Semaphore {
        Semaphore {
            total,
            queue: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits for a permit of this weight; a weight above the total counts as the total.
    ///
    /// Returns `None` if `deadline` passes first. A permit that is free is granted even then.
    pub(crate) fn acquire(&self, weight: usize, deadline: Instant) -> Option<Permit<'_>> {
        let mut queue = lock(&self.queue);
        let number = queue.next_number;
        queue.next_number += 1;
        queue.entries.push(Entry {
            number,
            weight: weight.min(self.total),
            deadline,
        });
        let must_wait = |queue: &mut Queue| {
            let before = queue
                .entries
                .iter()
                .take_while(|entry| entry.number <= number);
            before.map(|entry| entry.weight).sum::<usize>() > self.total
        };
        let left = deadline.saturating_duration_since(Instant::now());
        queue.waiters += 1;
        let waited = self.changed.wait_timeout_while(queue, left, must_wait);
        let (mut queue, result) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.waiters -= 1;
        // A permit takes the lock when it is dropped.
        drop(queue);
        let permit = Permit {
            semaphore: self,
            number,
        };
        (!result.timed_out()).then_some(permit)
    }

    /// Waits until those that hold or wait for a permit now have ended, or their deadlines have
    /// passed.
    pub(crate) fn drain(&self) {
        let mut queue = lock(&self.queue);
        let newer = queue.next_number;
        loop {
            let earlier = queue.entries.iter().filter(|entry| entry.number < newer);
            let Some(latest) = earlier.map(|entry| entry.deadline).max() else {
                return;
            };
            let left = latest.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue.waiters += 1;
            let waited = self.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.waiters -= 1;
        }
    }

    /// Returns the latest deadline of those that hold or wait for a permit.
    pub(crate) fn latest_deadline(&self) -> Option<Instant> {
        let queue = lock(&self.queue);
        queue.entries.iter().map(|entry| entry.deadline).max()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.semaphore.queue);
        queue.entries.retain(|entry| entry.number != self.number);
        if queue.waiters > 0 {
            self.semaphore.changed.notify_all();
        }
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
            while lock(&semaphore.queue).entries.len() < 2 {
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
                while lock(&semaphore.queue).entries.len() < number + 2 {
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

    #[test]
    fn when_no_permit_comes_the_entry_is_removed() {
        let semaphore = Semaphore::new(1);
        let first = semaphore.acquire(1, Instant::now() + LONG);
        assert!(semaphore.acquire(1, Instant::now() + SHORT).is_none());
        drop(first);
        assert!(lock(&semaphore.queue).entries.is_empty());
        assert!(semaphore.acquire(1, Instant::now() + LONG).is_some());
    }

    #[test]
    fn when_a_waiter_gives_up_the_next_one_is_granted() {
        let semaphore = Semaphore::new(100);
        let half = semaphore.acquire(50, Instant::now() + LONG);
        std::thread::scope(|scope| {
            let heavy = scope.spawn(|| semaphore.acquire(80, Instant::now() + 3 * SHORT).is_none());
            while lock(&semaphore.queue).entries.len() < 2 {
                std::thread::yield_now();
            }
            // Without a notification it would wait for its own deadline, in vain.
            let light = scope.spawn(|| semaphore.acquire(50, Instant::now() + LONG).is_some());
            assert!(heavy.join().unwrap());
            assert!(light.join().unwrap());
        });
        assert!(half.is_some());
    }

    #[test]
    fn when_the_holder_panics_its_permit_is_released() {
        let semaphore = Semaphore::new(1);
        for _ in 0..3 {
            let result = std::panic::catch_unwind(|| {
                let _permit = semaphore.acquire(1, Instant::now() + LONG).unwrap();
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(result.is_err());
        }
        assert!(lock(&semaphore.queue).entries.is_empty());
        assert!(semaphore.acquire(1, Instant::now() + LONG).is_some());
    }

    #[test]
    fn drain_waits_for_the_queue_but_not_past_its_deadlines() {
        let semaphore = Semaphore::new(2);
        semaphore.drain();
        let overdue = semaphore.acquire(1, Instant::now() + SHORT);
        semaphore.drain();
        assert!(overdue.is_some());
        assert!(semaphore.latest_deadline().unwrap() <= Instant::now());
        drop(overdue);

        let running = semaphore.acquire(1, Instant::now() + LONG).unwrap();
        let (report, drained) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                semaphore.drain();
                report.send(()).unwrap();
            });
            assert!(drained.recv_timeout(3 * SHORT).is_err());
            drop(running);
            drained.recv_timeout(LONG).unwrap();
        });
    }
}
