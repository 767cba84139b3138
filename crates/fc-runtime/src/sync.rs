//! Locking that survives panics.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even after a panic has poisoned the mutex: this crate keeps its state consistent at every
/// step under a lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
