//! The entries that the page receives, in order. A new entry replaces the one with the same key.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The oldest entries beyond this number are removed.
const MAX_ENTRIES: usize = 3_000;

/// Stores entries and wakes the streams that wait for them.
#[derive(Default)]
pub struct Journal {
    entries: Mutex<Entries>,
    changed: Condvar,
}

#[derive(Default)]
struct Entries {
    last: u64,
    by_number: BTreeMap<u64, (String, Arc<str>)>,
    by_key: HashMap<String, u64>,
}

impl Journal {
    /// Appends an entry and removes the one with the same key.
    pub fn publish(&self, key: &str, entry: &Value) {
        let mut entries = self.lock();
        entries.last += 1;
        let number = entries.last;
        if let Some(old) = entries.by_key.insert(key.to_owned(), number) {
            entries.by_number.remove(&old);
        }
        let entry = (key.to_owned(), entry.to_string().into());
        entries.by_number.insert(number, entry);
        while entries.by_number.len() > MAX_ENTRIES {
            if let Some((_, (key, _))) = entries.by_number.pop_first() {
                entries.by_key.remove(&key);
            }
        }
        drop(entries);
        self.changed.notify_all();
    }

    /// Returns the entries after number `seen`, each with its number. Waits until there is one or
    /// the timeout is over.
    pub fn after(&self, seen: u64, timeout: Duration) -> Vec<(u64, Arc<str>)> {
        let entries = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |entries| entries.last <= seen)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        let newer = entries.by_number.range(seen + 1..);
        newer
            .map(|(number, (_, entry))| (*number, Arc::clone(entry)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
