//! Hours of the day in which events of some levels are not sent.

use crate::event::{Event, Level};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// When a route keeps quiet, and about which levels.
#[derive(Debug, Clone, PartialEq)]
pub struct QuietHours {
    /// `EVENT_QUIET_HOURS`.
    pub span: DaySpan,
    /// The zone of the span.
    pub zone: TimeZone,
    /// `EVENT_QUIET_LEVELS`.
    pub levels: Vec<Level>,
}

/// A part of the day: from `start` on, up to and without `end`. Where `end` is the earlier time,
/// the span goes past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpan {
    pub start: Time,
    pub end: Time,
}

impl QuietHours {
    /// Returns true if the event is not to be sent at `now`. An event of unknown level always is.
    pub(super) fn hold_back(&self, event: &Event, now: Timestamp) -> bool {
        let is_quiet = |level: Level| self.levels.contains(&level);
        event.level.is_some_and(is_quiet)
            && self
                .span
                .contains(now.to_zoned_datetime(self.zone.clone()).time())
    }
}

impl DaySpan {
    fn contains(self, time: Time) -> bool {
        let (has_begun, has_ended) = (time >= self.start, time >= self.end);
        if self.start < self.end {
            has_begun && !has_ended
        } else {
            has_begun || !has_ended
        }
    }
}
