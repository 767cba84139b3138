//! Time as an argument: what waits or stamps takes a [`Clock`], so that a test can hold time still.

use std::time::{Duration, Instant, SystemTime};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Monotonic time, for deadlines and waits. May stand still while an instance is frozen.
    fn now(&self) -> Instant;

    /// Wall-clock time, for signatures, messages and whatever must see a freeze.
    fn wall(&self) -> SystemTime;

    /// How long to wait in real time until `then`. A test's clock may jump there and answer zero.
    fn wait_until(&self, then: Instant) -> Duration;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait_until(&self, then: Instant) -> Duration {
        then.saturating_duration_since(Instant::now())
    }
}
