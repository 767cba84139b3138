//! Time as an argument: what waits or stamps takes a [`Clock`], so that a test can hold time still.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};

/// The source of time.
pub trait Clock: Send + Sync {
    /// Monotonic time, for deadlines and waits. May stand still while an instance is frozen.
    fn now(&self) -> Instant;

    /// Wall-clock time, for signatures, messages and whatever must notice a freeze.
    fn wall(&self) -> SystemTime;

    /// Returns how long to sleep in real time until `then`. A [`ManualClock`] moves to `then` and
    /// returns zero.
    fn sleep_duration_until(&self, then: Instant) -> Duration;
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

    fn sleep_duration_until(&self, then: Instant) -> Duration {
        then.saturating_duration_since(Instant::now())
    }
}

/// Converts a wall-clock time for messages and logs. A time that no calendar holds becomes the
/// beginning of 1970.
pub fn to_timestamp(wall: SystemTime) -> Timestamp {
    Timestamp::try_from(wall).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A clock that is moved by hand: for tests, measurements and the playground.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    wall_start: SystemTime,
    /// How much faster than real time the clock runs by itself. At 0 it stands still.
    speed: u32,
    /// How far the clock was moved on, in nanoseconds.
    advanced: AtomicU64,
    /// Milliseconds by which the wall clock alone is off.
    wall_shift: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `wall` until it is moved. Waiting moves it.
    pub fn frozen_at(wall: SystemTime) -> Arc<ManualClock> {
        ManualClock::new(wall, 0)
    }

    /// A clock that runs in real time from the present on. Waiting moves it and takes no time.
    pub fn running() -> Arc<ManualClock> {
        ManualClock::new(SystemTime::now(), 1)
    }

    /// A clock that runs `speed` times as fast as real time. Waiting takes real time.
    pub fn fast(speed: u32) -> Arc<ManualClock> {
        ManualClock::new(SystemTime::now(), speed)
    }

    fn new(wall_start: SystemTime, speed: u32) -> Arc<ManualClock> {
        Arc::new(ManualClock {
            start: Instant::now(),
            wall_start,
            speed,
            advanced: AtomicU64::new(0),
            wall_shift: AtomicI64::new(0),
        })
    }

    /// Moves both clocks on by `time`.
    pub fn advance(&self, time: Duration) {
        self.advanced.fetch_add(time.as_nanos() as u64, SeqCst);
    }

    /// Returns how far the clock was moved on, by hand and by waiting.
    pub fn advanced(&self) -> Duration {
        Duration::from_nanos(self.advanced.load(SeqCst))
    }

    /// Sets the wall clock alone ahead of the right time by so many milliseconds; behind it, if
    /// they are negative.
    pub fn shift_wall(&self, milliseconds: i64) {
        self.wall_shift.store(milliseconds, SeqCst);
    }

    fn since_start(&self) -> Duration {
        self.start.elapsed() * self.speed + self.advanced()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.start + self.since_start()
    }

    fn wall(&self) -> SystemTime {
        let right = self.wall_start + self.since_start();
        let shift = self.wall_shift.load(SeqCst);
        let by = Duration::from_millis(shift.unsigned_abs());
        if shift < 0 { right - by } else { right + by }
    }

    fn sleep_duration_until(&self, then: Instant) -> Duration {
        let left = then.saturating_duration_since(self.now());
        if self.speed > 1 {
            return left / self.speed;
        }
        self.advance(left);
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_moves_a_frozen_clock_and_the_past_does_not() {
        let clock = ManualClock::frozen_at(SystemTime::UNIX_EPOCH);
        let then = clock.now() + Duration::from_secs(5);
        assert_eq!(clock.sleep_duration_until(then), Duration::ZERO);
        assert_eq!(clock.now(), then);
        assert_eq!(
            clock.wall(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(5)
        );
        clock.sleep_duration_until(then);
        assert_eq!(clock.now(), then);
    }

    #[test]
    fn the_wall_clock_alone_can_be_wrong() {
        let clock = ManualClock::frozen_at(SystemTime::UNIX_EPOCH + Duration::from_secs(10));
        let now = clock.now();
        clock.shift_wall(-2_500);
        assert_eq!(
            clock.wall(),
            SystemTime::UNIX_EPOCH + Duration::from_millis(7_500)
        );
        assert_eq!(clock.now(), now);
    }

    #[test]
    fn a_fast_clock_waits_a_fraction_of_real_time() {
        let clock = ManualClock::fast(1000);
        let wait = clock.sleep_duration_until(clock.now() + Duration::from_secs(1000));
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1));
    }
}
