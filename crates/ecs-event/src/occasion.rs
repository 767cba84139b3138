//! Why the function speaks by itself.

use super::Event;
use super::schedule::{Lead, Tick};
use jiff::{SignedDuration, Timestamp};
use std::mem::discriminant;
use std::sync::Arc;

/// What made the function speak: its events are of its own making.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// The tick of the timer at which it was due.
    pub tick: Tick,
    pub kind: OccasionKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OccasionKind {
    /// A list of all maintenance that is under way or ahead.
    Digest,
    /// Maintenance begins in so long at the latest.
    Reminder(Lead),
    /// A sign of life.
    Heartbeat(Box<Vitals>),
    /// Upcoming maintenance cannot be read before somebody changes something.
    MaintenanceUnknown(AccessError),
}

impl Occasion {
    /// Returns true if events of both may share a message: reminders and digests list many. Of the
    /// others there is one at a tick.
    pub fn is_like(&self, other: &Occasion) -> bool {
        self.tick == other.tick && discriminant(&self.kind) == discriminant(&other.kind)
    }
}

/// How the function is.
#[derive(Debug, Clone, PartialEq)]
pub struct Vitals {
    /// The program's version.
    pub version: &'static str,
    /// The names of the routes.
    pub routes: Vec<String>,
    /// When this instance started.
    pub since: Timestamp,
    /// Outcomes since then, of events and routes.
    pub delivered: u64,
    pub filtered: u64,
    pub failed: u64,
    pub lookups: LookupHealth,
    /// How far the function's clock is ahead of the chatbot's; `None` where that is not known.
    pub clock_ahead: Option<SignedDuration>,
    /// The maintenance that begins next, and how much there is in all; `None` where that is not
    /// known.
    pub upcoming: Option<(Option<Arc<Event>>, usize)>,
}

/// Whether look-ups of resources work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupHealth {
    /// `RESOURCE_LOOKUP` is `off`.
    Off,
    /// The last call was answered.
    Work,
    /// The last call was not answered.
    Fail(AccessError),
}

/// Why the API could not be read, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessError {
    /// The function has no role.
    NoRole,
    /// Nobody says which region is to be asked.
    NoRegion,
    /// The role may not make a call.
    Denied {
        /// `ecs:DescribeInstanceHistoryEvents`
        permission: String,
    },
    /// Another reason, in one line with its remedy.
    Other(String),
}
