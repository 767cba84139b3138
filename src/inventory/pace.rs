//! How often one place is asked: events that come in quick succession are asked for together.

use super::Place;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So many calls may follow each other at once: what comes at the same time as the first one finds
/// it under way, and the second one takes along only what came until then.
const BURST: u32 = 2;
/// After them, one more may begin every so often: at most 16 in 10 s. An invocation that waits for
/// one still has time for the call.
const INTERVAL: Duration = Duration::from_millis(700);

/// The pace of the calls at each place.
#[derive(Default)]
pub(super) struct Pace {
    /// When the calls begun so far would all be used up, at one call an interval.
    used_until: HashMap<Place, Instant>,
}

impl Pace {
    /// Returns when the next call may begin; `now` or earlier if it may begin at once.
    pub(super) fn next_call(&self, place: &Place, now: Instant) -> Instant {
        let tolerance = INTERVAL * (BURST - 1);
        let used_until = self.used_until.get(place).copied();
        used_until.map_or(now, |until| until.checked_sub(tolerance).unwrap_or(now))
    }

    /// Counts a call that begins.
    pub(super) fn count(&mut self, place: &Place, now: Instant) {
        // Places come from events: what is used up no more is forgotten.
        self.used_until.retain(|_, until| *until > now);
        let until = self.used_until.entry(place.clone()).or_insert(now);
        *until += INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn after_a_burst_calls_are_an_interval_apart() {
        let place = Place {
            kind: Kind::Instance,
            region: "cn-hangzhou".into(),
            account: None,
        };
        let mut pace = Pace::default();
        let begin = Instant::now();
        let mut now = begin;
        let mut calls = 0;
        while now <= begin + Duration::from_secs(10) {
            assert!(pace.next_call(&place, now) <= now + INTERVAL);
            if pace.next_call(&place, now) <= now {
                pace.count(&place, now);
                calls += 1;
                assert!(calls > BURST || now == begin);
            } else {
                now += Duration::from_millis(1);
            }
        }
        assert_eq!(calls, 16);
        // Elsewhere, and after a while, a burst is free again.
        now += Duration::from_secs(10);
        assert!(pace.next_call(&place, now) <= now);
        let other = Place {
            region: "cn-beijing".into(),
            ..place
        };
        pace.count(&other, now);
        assert_eq!(pace.used_until.len(), 1);
    }
}
