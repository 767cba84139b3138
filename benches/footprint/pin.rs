//! Pins threads to CPUs.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs of the measured programs (`work`) and of the measuring thread (`own`). They are equal
/// if there is only one CPU.
#[derive(Debug, Clone, Copy)]
pub struct Cpus {
    pub work: usize,
    pub own: usize,
}

impl Cpus {
    /// Returns the last two usable CPUs: the first CPU serves most interrupts.
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

    /// Returns true if there are two CPUs.
    pub fn are_separate(self) -> bool {
        self.work != self.own
    }
}

/// Pins this thread, and the threads and processes that it starts, to one CPU. An error of the
/// system is ignored.
pub fn pinned(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    let _ = sched_setaffinity(None, &set);
}
