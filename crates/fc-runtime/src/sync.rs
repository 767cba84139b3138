//! Locking that survives panics, and a condition variable without costs when no thread waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks even after a panic has poisoned the mutex: this crate keeps its state consistent at every
/// step under a lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A condition variable. [`Condvar`] makes a syscall at each notification, even without waiters:
/// five of them at each invocation.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    condvar: Condvar,
    /// Changed under the mutex of the condition only, so a notifier that has held that mutex sees
    /// every thread that waits.
    waiters: AtomicUsize,
}

impl Signal {
    /// Waits for a notification, at most for `timeout`.
    pub(crate) fn wait<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> MutexGuard<'a, T> {
        self.waiters.fetch_add(1, Ordering::Relaxed);
        let guard = self
            .condvar
            .wait_timeout(guard, timeout)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        self.waiters.fetch_sub(1, Ordering::Relaxed);
        guard
    }

    /// Wakes the waiting threads after a change under the mutex.
    pub(crate) fn notify_all(&self) {
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.condvar.notify_all();
        }
    }
}
