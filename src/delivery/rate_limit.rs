//! The pace of one chatbot: a token bucket that no window of 60 s can outrun.

use std::time::{Duration, Instant};

/// A third of the limit may go out at once, the rest is spread over the minute: what is saved up and
/// what flows in within any 60 s come to the limit together, never to more.
///
/// Kept as the generic cell rate algorithm keeps it: one moment, from which all else follows.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    /// How far ahead of the even flow requests may run.
    slack: Duration,
    /// When the even flow would have room for the next request.
    due: Option<Instant>,
}

impl Bucket {
    /// A full bucket for `limit` requests a minute (3 to 20).
    pub(super) fn new(limit: u32) -> Bucket {
        let burst = (limit / 3).max(1);
        let interval = Duration::from_secs(60) / limit.saturating_sub(burst).max(1);
        Bucket {
            interval,
            slack: interval * (burst - 1),
            due: None,
        }
    }

    /// The earliest moment at which a request may leave; in the past where one may leave now.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        match self.due {
            Some(due) => due.checked_sub(self.slack).unwrap_or(now),
            None => now,
        }
    }

    /// Takes a token for a request that leaves now.
    pub(super) fn take(&mut self, now: Instant) {
        let from = self.due.map_or(now, |due| due.max(now));
        self.due = Some(from + self.interval);
    }

    /// Gives back the token of a request that never left.
    pub(super) fn give_back(&mut self) {
        self.due = self.due.and_then(|due| due.checked_sub(self.interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// When requests leave that ask at these moments, each as soon as it may.
    fn departures(limit: u32, asked: &[u64]) -> Vec<Duration> {
        let begin = Instant::now();
        let mut bucket = Bucket::new(limit);
        let mut now = begin;
        asked
            .iter()
            .map(|gap| {
                now += Duration::from_millis(*gap);
                now = now.max(bucket.ready_at(now));
                bucket.take(now);
                now - begin
            })
            .collect()
    }

    #[test]
    fn a_third_leaves_at_once_and_the_rest_is_spread() {
        let left = departures(18, &[0; 8]);
        assert_eq!(left[5], Duration::ZERO);
        assert_eq!(left[6], Duration::from_secs(5));
        assert_eq!(left[7], Duration::from_secs(10));
    }

    #[test]
    fn a_token_given_back_can_be_taken_again() {
        let now = Instant::now();
        let mut bucket = Bucket::new(3);
        bucket.take(now);
        assert!(bucket.ready_at(now) > now);
        bucket.give_back();
        assert!(bucket.ready_at(now) <= now);
    }

    proptest! {
        #[test]
        fn no_minute_ever_holds_more_than_the_limit(
            limit in 3u32..=20,
            asked in proptest::collection::vec(0u64..30_000, 1..200),
        ) {
            let left = departures(limit, &asked);
            for (i, first) in left.iter().enumerate() {
                let minute = left[i..].iter().take_while(|t| **t - *first <= Duration::from_secs(60)).count();
                prop_assert!(minute <= limit as usize, "{} in the minute from {:?}", minute, first);
            }
        }
    }
}
