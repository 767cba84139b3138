//! What a warm instance knows of each chatbot: whether it is closed, and which secret it last took.

use crate::clock::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The gates of all chatbots, by [`crate::dingtalk::Webhook::same_robot_key`].
pub(super) struct Gates {
    clock: Arc<dyn Clock>,
    by_robot: Mutex<HashMap<String, Gate>>,
}

#[derive(Default)]
struct Gate {
    closed: Option<Closed>,
    secret: usize,
}

/// Closed until then, by either clock: the monotonic one may stand still while the instance is
/// frozen, the wall clock may be set.
#[derive(Clone, Copy)]
struct Closed {
    until: Instant,
    until_wall: SystemTime,
}

impl Gates {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Gates {
        Gates {
            clock,
            by_robot: Mutex::default(),
        }
    }

    /// When the chatbot reopens, if it is closed now.
    pub(super) fn closed_until(&self, robot: &str) -> Option<SystemTime> {
        let mut gates = self.lock();
        let gate = gates.get_mut(robot)?;
        let closed = gate.closed?;
        if self.clock.now() >= closed.until || self.clock.wall() >= closed.until_wall {
            gate.closed = None;
            return None;
        }
        Some(closed.until_wall)
    }

    /// Closes the chatbot for `pause`; tells when it reopens. A longer closing stays.
    pub(super) fn close(&self, robot: &str, pause: Duration) -> SystemTime {
        let closed = Closed {
            until: self.clock.now() + pause,
            until_wall: self.clock.wall() + pause,
        };
        let mut gates = self.lock();
        let gate = gates.entry(robot.to_owned()).or_default();
        match gate.closed {
            Some(earlier) if earlier.until > closed.until => earlier.until_wall,
            _ => {
                gate.closed = Some(closed);
                closed.until_wall
            }
        }
    }

    /// Which of the chatbot's secrets was last accepted; the first where none was.
    pub(super) fn secret(&self, robot: &str) -> usize {
        self.lock().get(robot).map_or(0, |gate| gate.secret)
    }

    /// Remembers which secret was accepted.
    pub(super) fn remember_secret(&self, robot: &str, secret: usize) {
        self.lock().entry(robot.to_owned()).or_default().secret = secret;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Gate>> {
        // Nothing is left half-done under this lock: what a panicking holder left is valid.
        self.by_robot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
