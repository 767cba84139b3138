//! What a warm instance knows of each chatbot: its pace, whether it is closed or busy, and which
//! secret it last took.

use super::Now;
use super::rate_limit::Bucket;
use std::time::{Duration, Instant, SystemTime};

/// One chatbot, shared by all routes that lead to it.
#[derive(Debug)]
pub(super) struct Robot {
    bucket: Bucket,
    /// Closed until then, by either clock: the monotonic one may stand still while the instance is
    /// frozen, the wall clock may be set.
    closed: Option<Now>,
    /// A request is on the wire.
    pub(super) busy: bool,
    /// Which of its secrets was last accepted.
    pub(super) secret: usize,
}

impl Robot {
    /// A chatbot that takes `limit` messages a minute.
    pub(super) fn new(limit: u32) -> Robot {
        Robot {
            bucket: Bucket::new(limit),
            closed: None,
            busy: false,
            secret: 0,
        }
    }

    /// When it reopens, if it is closed now.
    pub(super) fn closed_until(&mut self, now: Now) -> Option<SystemTime> {
        let until = self.closed?;
        if now.mono >= until.mono || now.wall >= until.wall {
            self.closed = None;
            return None;
        }
        Some(until.wall)
    }

    /// Closes it for `pause` from now; a longer closing stays. Tells when it reopens.
    pub(super) fn close(&mut self, pause: Duration, now: Now) -> SystemTime {
        let until = now.plus(pause);
        match self.closed {
            Some(later) if later.mono > until.mono => later.wall,
            _ => {
                self.closed = Some(until);
                until.wall
            }
        }
    }

    /// The earliest moment at which a request may leave.
    pub(super) fn ready_at(&self, now: Now) -> Instant {
        self.bucket.ready_at(now.mono)
    }

    /// A request leaves.
    pub(super) fn begin(&mut self, now: Now) {
        self.bucket.take(now.mono);
        self.busy = true;
    }

    /// The request is over; one that never left gives its token back.
    pub(super) fn end(&mut self, left: bool) {
        self.busy = false;
        if !left {
            self.bucket.give_back();
        }
    }
}
