//! Rate limits of chatbots.

use std::collections::VecDeque;
use std::time::Duration;

/// What is known of a chatbot's earlier calls.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    /// When calls came, in milliseconds since 1970.
    calls: VecDeque<u64>,
    /// How many calls were refused for the limit.
    pub(crate) throttled: usize,
    /// A bucket is full again at this moment, in milliseconds since 1970.
    full_at: u64,
    /// Calls are refused until this moment, in milliseconds since 1970.
    paused_until: u64,
    /// How many calls came during pauses since the last accepted one.
    ignored: usize,
    is_off: bool,
}

/// What a bucket says to a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The call may pass.
    Pass,
    /// The call comes this many milliseconds too early.
    Early(u64),
    /// Too many calls came too early: none passes any more.
    Off,
}

impl Rate {
    /// Counts a call against limits of so many calls within so long. Returns false if there were
    /// more; such a call is remembered only if `refused_count`.
    pub(crate) fn pass_window(
        &mut self,
        limits: &[(usize, Duration)],
        refused_count: bool,
        now: u64,
    ) -> bool {
        let longest = limits.iter().map(|(_, window)| *window).max();
        let longest = longest.unwrap_or_default().as_millis() as u64;
        while self
            .calls
            .front()
            .is_some_and(|at| now.saturating_sub(*at) >= longest)
        {
            self.calls.pop_front();
        }
        let passes = limits.iter().all(|(limit, window)| {
            let window = window.as_millis() as u64;
            let is_recent = |at: &&u64| now.saturating_sub(**at) < window;
            self.calls.iter().filter(is_recent).count() < *limit
        });
        if passes || refused_count {
            self.calls.push_back(now);
        }
        if !passes {
            self.throttled += 1;
        }
        passes
    }

    /// Takes a call from a bucket of so many calls that fills within so long. A call beyond them
    /// starts a pause; after more than `patience` calls during pauses, no call passes any more.
    pub(crate) fn pass_bucket(
        &mut self,
        (size, fills_within): (usize, Duration),
        pause: Duration,
        patience: usize,
        now: u64,
    ) -> Turn {
        if self.is_off {
            return Turn::Off;
        }
        if now < self.paused_until {
            self.throttled += 1;
            self.ignored += 1;
            self.is_off = self.ignored > patience;
            return if self.is_off {
                Turn::Off
            } else {
                Turn::Early(self.paused_until - now)
            };
        }
        let fills_within = fills_within.as_millis() as u64;
        let interval = fills_within
            .checked_div(size as u64)
            .unwrap_or(fills_within);
        let full_at = self.full_at.max(now) + interval;
        if size > 0 && full_at - now <= fills_within {
            self.full_at = full_at;
            self.ignored = 0;
            return Turn::Pass;
        }
        self.throttled += 1;
        self.paused_until = now + pause.as_millis() as u64;
        Turn::Early(self.paused_until - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_slide_and_buckets_fill() {
        let limits = [(2, Duration::from_secs(1)), (3, Duration::from_secs(60))];
        let mut rate = Rate::default();
        let passed = [0, 0, 0, 1_000, 1_500, 59_999, 60_000];
        let passed = passed.map(|now| rate.pass_window(&limits, false, now));
        assert_eq!(passed, [true, true, false, true, false, false, true]);
        assert_eq!(rate.throttled, 3);

        let (bucket, pause) = ((2, Duration::from_secs(2)), Duration::from_secs(1));
        let mut rate = Rate::default();
        let turns = [0, 0, 0, 400, 1_000, 1_000, 1_999, 1_999, 9_000]
            .map(|now| rate.pass_bucket(bucket, pause, 2, now));
        use Turn::{Early, Off, Pass};
        assert_eq!(
            turns,
            [
                Pass,
                Pass,
                Early(1_000),
                Early(600),
                Pass,
                Early(1_000),
                Early(1),
                Early(1),
                Pass
            ]
        );
        let turns =
            [9_000, 9_000, 9_000, 9_000, 9_000].map(|now| rate.pass_bucket(bucket, pause, 2, now));
        assert_eq!(turns, [Pass, Early(1_000), Early(1_000), Early(1_000), Off]);
        assert_eq!(rate.pass_bucket(bucket, pause, 2, 99_000), Off);
    }
}
