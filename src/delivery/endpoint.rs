//! What a warm instance knows of each chatbot: its rate, whether it is banned or busy, and which
//! secret it accepted last.

use super::rate_limit::RateLimiter;
use super::target::Target;
use super::timestamps::Timestamps;
use crate::channel::{Ban, Channel, Limits};
use std::collections::HashMap;
use std::time::Duration;

/// The state of all chatbots, by [`Channel::id`].
pub(super) struct Endpoints(HashMap<String, EndpointState>);

/// The state of one chatbot, shared by all routes that lead to it.
pub(super) struct EndpointState {
    pub(super) rate: RateLimiter,
    banned: Option<Banned>,
    /// It was banned, and has taken no message since.
    was_banned: bool,
    repeated_ban: Duration,
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
        let mut limits: HashMap<String, Limits> = HashMap::new();
        for target in targets {
            for channel in std::iter::once(&target.channel).chain(&target.fallback) {
                // Routes that share a chatbot share its rate: the lowest of their limits holds.
                let own = channel.limits();
                let lowest = limits.entry(channel.id().to_owned()).or_insert(own);
                lowest.per_minute = own.per_minute.min(lowest.per_minute);
            }
        }
        let state = |(id, limits): (_, Limits)| (id, EndpointState::new(limits));
        Endpoints(limits.into_iter().map(state).collect())
    }

    pub(super) fn of(&mut self, channel: &dyn Channel) -> &mut EndpointState {
        let state = self.0.get_mut(channel.id());
        state.expect("every chatbot of a target has a state")
    }
}

impl EndpointState {
    fn new(limits: Limits) -> EndpointState {
        EndpointState {
            rate: RateLimiter::new(limits.per_minute, limits.min_gap),
            banned: None,
            was_banned: false,
            repeated_ban: limits.repeated_ban,
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
        let time = match self.was_banned {
            true => time.max(self.repeated_ban),
            false => time,
        };
        self.was_banned = true;
        let until = now.plus(time);
        *self.banned.insert(Banned { until, ban })
    }
}

impl EndpointState {
    /// The chatbot took a message that was signed with this secret.
    pub(super) fn delivered(&mut self, secret: usize) {
        self.was_banned = false;
        // The secret that was accepted comes first from now on.
        self.secret = secret;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Instant, SystemTime};

    fn limits(repeated_ban: Duration) -> Limits {
        Limits {
            repeated_ban,
            ..Limits::new(18, 0)
        }
    }

    #[test]
    fn a_ban_after_a_ban_is_longer_until_a_message_is_delivered() {
        let mut now = Timestamps {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        };
        let [minute, longer] = [60, 600].map(Duration::from_secs);
        let mut endpoint = EndpointState::new(limits(longer));
        for (is_delivered, expected) in [(false, minute), (false, longer), (true, minute)] {
            if is_delivered {
                endpoint.delivered(0);
            }
            let banned = endpoint.ban(Ban::Chatbot, minute, now);
            assert_eq!(banned.until.wall, now.wall + expected);
            now = now.plus(expected);
        }
    }

    #[test]
    fn a_ban_ends_by_either_clock_and_stays_ended() {
        let now = Timestamps {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        };
        let minute = Duration::from_secs(60);
        // The instance was frozen: the wall clock alone went on. Or the wall clock was set back.
        for (monotonic, wall) in [(Duration::ZERO, minute), (minute, Duration::ZERO)] {
            let mut endpoint = EndpointState::new(limits(Duration::ZERO));
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
