//! What a warm instance knows of each chatbot: its rate, whether it is banned or busy, and which
//! secret it accepted last.

use super::rate_limit::RateLimiter;
use super::target::Target;
use super::timestamps::Timestamps;
use crate::channel::{Ban, Channel};
use std::collections::HashMap;
use std::time::Duration;

/// The state of all chatbots, by [`Channel::id`].
pub(super) struct Endpoints(HashMap<String, EndpointState>);

/// The state of one chatbot, shared by all routes that lead to it.
pub(super) struct EndpointState {
    pub(super) rate: RateLimiter,
    banned: Option<Banned>,
    /// A request is under way. There is one at a time, so that what arrives meanwhile is combined.
    pub(super) busy: bool,
    /// Which of its secrets was accepted last.
    pub(super) secret: usize,
}

/// A ban in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Banned {
    /// Ends by either clock: the monotonic one stands still in a freeze, the wall clock may be set.
    pub(super) until: Timestamps,
    pub(super) ban: Ban,
}

impl Endpoints {
    pub(super) fn new(targets: &[Target]) -> Endpoints {
        let mut limits: HashMap<String, u32> = HashMap::new();
        for target in targets {
            for channel in std::iter::once(&target.channel).chain(&target.fallback) {
                // Routes that share a chatbot share its rate: the lowest of their limits holds.
                let limit = channel.limits().per_minute;
                let lowest = limits.entry(channel.id().to_owned()).or_insert(limit);
                *lowest = limit.min(*lowest);
            }
        }
        let state = |(id, limit)| (id, EndpointState::new(limit));
        Endpoints(limits.into_iter().map(state).collect())
    }

    pub(super) fn of(&mut self, channel: &dyn Channel) -> &mut EndpointState {
        let state = self.0.get_mut(channel.id());
        state.expect("every chatbot of a target has a state")
    }
}

impl EndpointState {
    fn new(per_minute: u32) -> EndpointState {
        EndpointState {
            rate: RateLimiter::new(per_minute),
            banned: None,
            busy: false,
            secret: 0,
        }
    }

    /// Returns the ban in force. One that has ended stays ended, even if the wall clock is set
    /// back.
    pub(super) fn banned_until(&mut self, now: Timestamps) -> Option<Banned> {
        self.banned.take_if(|banned| now.reached(banned.until));
        self.banned
    }

    /// Bans the chatbot for `time` from now on. Only a chatbot that is not banned gets the request
    /// that a ban answers.
    pub(super) fn ban(&mut self, ban: Ban, time: Duration, now: Timestamps) -> Banned {
        let until = now.plus(time);
        *self.banned.insert(Banned { until, ban })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Instant, SystemTime};

    #[test]
    fn a_ban_ends_by_either_clock_and_stays_ended() {
        let now = Timestamps {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        };
        let minute = Duration::from_secs(60);
        // The instance was frozen: the wall clock alone went on. Or the wall clock was set back.
        for (monotonic, wall) in [(Duration::ZERO, minute), (minute, Duration::ZERO)] {
            let mut endpoint = EndpointState::new(18);
            endpoint.ban(Ban::Address, minute, now);
            let banned = endpoint.banned_until(now).unwrap();
            assert_eq!(
                (banned.until.wall, banned.ban),
                (now.wall + minute, Ban::Address)
            );
            let later = Timestamps {
                monotonic: now.monotonic + monotonic,
                wall: now.wall + wall,
            };
            assert!(endpoint.banned_until(later).is_none());
            assert!(endpoint.banned_until(now).is_none());
        }
    }
}
