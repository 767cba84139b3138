//! Both clocks at one moment: an instance may be frozen, and its wall clock may be set.

use std::time::{Duration, Instant, SystemTime};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timestamps {
    /// May stand still while the instance is frozen.
    pub(super) monotonic: Instant,
    /// May be set, forward or back.
    pub(super) wall: SystemTime,
}

impl Timestamps {
    pub(super) fn plus(self, time: Duration) -> Timestamps {
        Timestamps {
            monotonic: self.monotonic + time,
            wall: self.wall + time,
        }
    }

    /// Returns the time spent since `start`. Setting the wall clock does not change it.
    pub(super) fn elapsed_since(self, start: Timestamps) -> Duration {
        self.monotonic.saturating_duration_since(start.monotonic)
    }

    /// Returns the age of what happened at `then`, by the clock that says more: a freeze counts.
    pub(super) fn age_of(self, then: Timestamps) -> Duration {
        let wall = self.wall.duration_since(then.wall).unwrap_or_default();
        self.elapsed_since(then).max(wall)
    }

    /// Returns true once `then` is reached by either clock.
    pub(super) fn reached(self, then: Timestamps) -> bool {
        self.monotonic >= then.monotonic || self.wall >= then.wall
    }
}
