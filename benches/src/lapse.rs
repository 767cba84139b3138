//! A clock that does not wait: whoever would wait for his turn finds that the time has come.

use ecs_dingtalk_notifier::clock::Clock;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The machine's clock plus every wait that was jumped over. A chatbot takes 20 messages a minute at
/// most, so ten thousand deliveries would take half a day; with this clock they take what they cost.
#[derive(Debug)]
pub struct Lapse {
    mono: Instant,
    wall: SystemTime,
    jumped: Mutex<Duration>,
    /// Whether time goes on between the jumps.
    runs: bool,
}

impl Lapse {
    /// One that runs as the machine's does between its jumps.
    pub fn running() -> Lapse {
        Lapse {
            runs: true,
            ..Lapse::standing(SystemTime::now())
        }
    }

    /// One that stands at `wall` until somebody waits, so that the same work takes the same steps.
    pub fn standing(wall: SystemTime) -> Lapse {
        Lapse {
            mono: Instant::now(),
            wall,
            jumped: Mutex::default(),
            runs: false,
        }
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.jumped.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn since_start(&self) -> Duration {
        let ran = if self.runs {
            self.mono.elapsed()
        } else {
            Duration::ZERO
        };
        ran + *self.jumped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Lapse {
    fn now(&self) -> Instant {
        self.mono + self.since_start()
    }

    fn wall(&self) -> SystemTime {
        self.wall + self.since_start()
    }

    fn wait_until(&self, then: Instant) -> Duration {
        let wait = then.saturating_duration_since(self.now());
        self.advance(wait);
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_over_at_once_and_both_clocks_have_moved_by_it() {
        let clock = Lapse::standing(SystemTime::UNIX_EPOCH);
        let then = clock.now() + Duration::from_secs(5);
        assert_eq!(clock.wait_until(then), Duration::ZERO);
        assert_eq!(clock.now(), then);
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        assert_eq!(clock.wall(), expected);
        // What is past is waited for by nobody.
        clock.wait_until(then);
        assert_eq!(clock.now(), then);
    }
}
