//! The same work for several items at once.

use std::panic::resume_unwind;
use std::thread;

/// Calls `work` for each item, all at the same time, and returns the results in the order of the
/// items. This thread does the last, and the others too for which the platform gives no thread. A
/// panic is passed on.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((last, others)) = items.split_last() else {
        return Vec::new();
    };
    let work = &work;
    thread::scope(|scope| {
        let spawn = |item| thread::Builder::new().spawn_scoped(scope, move || work(item));
        let threads: Vec<_> = others.iter().map(spawn).collect();
        let last = work(last);
        let others = others.iter().zip(threads);
        let others = others.map(|(item, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(item),
        });
        let mut results: Vec<R> = others.collect();
        results.push(last);
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;
    use std::sync::Barrier;

    #[test]
    fn all_items_are_worked_on_at_once_and_stay_in_order() {
        let barrier = Barrier::new(3);
        let doubled = map(&[1, 2, 3], |item| {
            barrier.wait();
            2 * item
        });
        assert_eq!(doubled, [2, 4, 6]);
        assert!(map(&[], |item: &u8| *item).is_empty());
    }

    #[test]
    fn a_panic_is_passed_on() {
        for bad in 0..3 {
            let work = |item: &i32| assert_ne!(*item, bad);
            assert!(catch_unwind(|| map(&[0, 1, 2], work)).is_err(), "{bad}");
        }
    }
}
