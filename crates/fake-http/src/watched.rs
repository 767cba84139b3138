//! A state behind one lock.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A state that threads share, and whose changes they can wait for.
#[derive(Debug, Default)]
pub struct Watched<S> {
    state: Mutex<S>,
    changed: Condvar,
}

impl<S> Watched<S> {
    pub fn new(state: S) -> Watched<S> {
        Watched {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes the threads that wait for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `ready` or until the timeout is over.
    pub fn wait(&self, timeout: Duration, ready: impl Fn(&S) -> bool) -> MutexGuard<'_, S> {
        self.changed
            .wait_timeout_while(self.lock(), timeout, |state| !ready(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Blocks until `ready` or until the timeout is over.
    pub fn pause(&self, timeout: Duration, ready: impl Fn(&S) -> bool) {
        drop(self.wait(timeout, ready));
    }
}
