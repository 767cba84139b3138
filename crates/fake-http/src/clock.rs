//! The clock of a stand-in: the machine's, or one that moves only when a test moves it.

use std::time::{Duration, SystemTime};

/// A clock that a test can set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// The moment at which an injected clock stands, in milliseconds since 1970.
    pub injected_ms: Option<u64>,
    /// Is added to the machine's clock if none is injected, in milliseconds.
    pub offset_ms: i64,
}

impl Clock {
    /// Returns the time in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.injected_ms.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let ms = since.unwrap_or_default().as_millis() as u64;
            ms.saturating_add_signed(self.offset_ms)
        })
    }

    /// Moves the clock forward; from then on it is an injected one.
    pub fn advance(&mut self, time: Duration) {
        self.injected_ms = Some(self.now_ms() + time.as_millis() as u64);
    }
}

/// Writes a time, in milliseconds since 1970, as in HTTP's header `Date`.
pub fn http_date(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injected_clock_moves_only_when_moved() {
        let mut clock = Clock {
            injected_ms: Some(1_582_163_555_000),
            offset_ms: 5,
        };
        assert_eq!(clock.now_ms(), 1_582_163_555_000);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now_ms(), 1_582_163_557_000);
        assert_eq!(http_date(clock.now_ms()), "Thu, 20 Feb 2020 01:52:37 GMT");
    }
}
