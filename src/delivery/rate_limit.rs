//! The rate of one chatbot: a token bucket, kept as the generic cell rate algorithm (GCRA) keeps
//! it.

use std::time::{Duration, Instant};

/// Allows at most `per_minute` requests within any 60 s.
///
/// A third of them may leave at once, the rest is spread over the minute: what is saved up and what
/// is refilled within 60 s come to the limit together, never to more.
#[derive(Debug)]
pub(super) struct RateLimiter {
    /// Between two requests at the even rate.
    interval: Duration,
    /// How far ahead of the even rate requests may run.
    burst_tolerance: Duration,
    /// Between the end of a request and the next one.
    min_gap: Duration,
    /// When the last request ended.
    ended: Option<Instant>,
    /// The theoretical arrival time: when the next request would be due at the even rate.
    tat: Option<Instant>,
}

impl RateLimiter {
    pub(super) fn new(per_minute: u32, min_gap: Duration) -> RateLimiter {
        let burst = (per_minute / 3).max(1);
        let interval = Duration::from_secs(60) / per_minute.saturating_sub(burst).max(1);
        RateLimiter {
            interval,
            min_gap,
            ended: None,
            burst_tolerance: interval * (burst - 1),
            tat: None,
        }
    }

    /// The earliest moment at which a request may leave; in the past where one may leave now.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let by_rate = match self.tat {
            Some(tat) => tat.checked_sub(self.burst_tolerance).unwrap_or(now),
            None => now,
        };
        (self.ended).map_or(by_rate, |ended| by_rate.max(ended + self.min_gap))
    }

    /// The gap counts from the end of a request: how long it took to arrive is not known.
    pub(super) fn ended(&mut self, now: Instant) {
        if !self.min_gap.is_zero() {
            self.ended = Some(now);
        }
    }

    /// Takes a token for a request that leaves now.
    pub(super) fn acquire(&mut self, now: Instant) {
        let from = self.tat.map_or(now, |tat| tat.max(now));
        self.tat = Some(from + self.interval);
    }

    /// Gives back the token of a request that never left.
    pub(super) fn give_back(&mut self) {
        self.tat = self.tat.and_then(|tat| tat.checked_sub(self.interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// When requests leave that ask at these moments, each as soon as it may.
    fn departures(limit: u32, min_gap: Duration, asked: &[u64]) -> Vec<Duration> {
        let begin = Instant::now();
        let mut limiter = RateLimiter::new(limit, min_gap);
        let mut now = begin;
        asked
            .iter()
            .map(|gap| {
                now += Duration::from_millis(*gap);
                now = now.max(limiter.ready_at(now));
                limiter.acquire(now);
                limiter.ended(now);
                now - begin
            })
            .collect()
    }

    #[test]
    fn a_third_leaves_at_once_and_the_rest_is_spread() {
        let left = departures(18, Duration::ZERO, &[0; 8]);
        assert_eq!(left[5], Duration::ZERO);
        assert_eq!(left[6], Duration::from_secs(5));
        assert_eq!(left[7], Duration::from_secs(10));
    }

    #[test]
    fn a_token_given_back_can_be_taken_again() {
        let now = Instant::now();
        let mut limiter = RateLimiter::new(3, Duration::ZERO);
        limiter.acquire(now);
        assert!(limiter.ready_at(now) > now);
        limiter.give_back();
        assert!(limiter.ready_at(now) <= now);
    }

    proptest! {
        #[test]
        fn no_minute_holds_more_than_the_limit(
            limit in 2u32..=100,
            gap in prop_oneof![Just(0u64), 1u64..3_000],
            asked in proptest::collection::vec(0u64..30_000, 1..200),
        ) {
            let gap = Duration::from_millis(gap);
            let left = departures(limit, gap, &asked);
            prop_assert!(left.windows(2).all(|pair| pair[1] - pair[0] >= gap));
            for (i, first) in left.iter().enumerate() {
                let minute = left[i..].iter().take_while(|t| **t - *first <= Duration::from_secs(60)).count();
                prop_assert!(minute <= limit as usize, "{} in the minute from {:?}", minute, first);
            }
        }
    }
}
