//! Which CPU does what.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPU of the programs that are measured, and the one of whoever measures; the same where there
/// is only one.
#[derive(Debug, Clone, Copy)]
pub struct Cpus {
    pub work: usize,
    pub own: usize,
}

impl Cpus {
    /// The last two CPUs that this process may use: the first one serves most interrupts.
    pub fn find() -> Cpus {
        let allowed = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        let mut usable = (0..CpuSet::MAX_CPU)
            .rev()
            .filter(|cpu| allowed.is_set(*cpu));
        let work = usable.next().unwrap_or(0);
        Cpus {
            work,
            own: usable.next().unwrap_or(work),
        }
    }

    /// Whether there is a second CPU to measure from.
    pub fn are_two(self) -> bool {
        self.work != self.own
    }
}

/// Keeps this thread, and the threads and processes that it starts, on one CPU. Where the system does
/// not let it, it stays free.
pub fn pinned(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    let _ = sched_setaffinity(None, &set);
}
