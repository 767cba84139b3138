//! When a route's function speaks by itself: the ticks of a timer, and what is due at each.
//!
//! Pure, without a clock: every tick names its own time, so that a late or repeated invocation of
//! the same tick finds the same due.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::fmt;

/// A tick of a timer. What is due after the tick before it is due at this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// When it was to be.
    pub at: Timestamp,
    /// The time since the tick before: 1 minute to 24 hours.
    pub every: SignedDuration,
}

impl Tick {
    /// Returns true if what is due at `time` is due at this tick.
    pub fn covers(&self, time: Timestamp) -> bool {
        let late = self.at.duration_since(time);
        !late.is_negative() && late < self.every
    }
}

/// When one route's function speaks by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// `MESSAGE_DIGEST_AT`
    pub digest_at: Vec<DailyTime>,
    /// `MESSAGE_HEARTBEAT_AT`
    pub heartbeat_at: Vec<DailyTime>,
    /// `MESSAGE_REMIND_BEFORE`
    pub remind_before: Vec<Lead>,
    /// The zone of the times of day.
    pub zone: TimeZone,
}

impl Schedule {
    /// A schedule on which nothing is ever due.
    pub fn none(zone: TimeZone) -> Schedule {
        Schedule {
            digest_at: Vec::new(),
            heartbeat_at: Vec::new(),
            remind_before: Vec::new(),
            zone,
        }
    }

    /// Returns true if something on it is about upcoming maintenance.
    pub fn needs_maintenance(&self) -> bool {
        !self.digest_at.is_empty() || !self.remind_before.is_empty()
    }

    /// Returns true if a digest is due at this tick.
    pub fn wants_digest(&self, tick: Tick) -> bool {
        self.is_due(&self.digest_at, tick)
    }

    /// Returns true if a sign of life is due at this tick.
    pub fn wants_heartbeat(&self, tick: Tick) -> bool {
        self.is_due(&self.heartbeat_at, tick)
    }

    /// Returns how long before `start` a reminder is due at this tick. Of several the shortest.
    pub fn lead(&self, tick: Tick, start: Timestamp) -> Option<Lead> {
        let leads = self.remind_before.iter().copied();
        let due = leads.filter(|lead| lead.before(start).is_some_and(|time| tick.covers(time)));
        due.min()
    }

    fn is_due(&self, times: &[DailyTime], tick: Tick) -> bool {
        times.iter().any(|time| time.is_due(&self.zone, tick))
    }
}

/// A time of the day, on all days or on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyTime {
    /// The first and the last day of the week; `None` for all days.
    pub days: Option<(Weekday, Weekday)>,
    pub time: Time,
}

impl DailyTime {
    fn is_due(&self, zone: &TimeZone, tick: Tick) -> bool {
        let today = zone.to_datetime(tick.at).date();
        // A tick reaches back one day at most. A time that a change of zone left out is later than
        // its date says.
        let days = (-2..=0).filter_map(|days| today.checked_add(days.days()).ok());
        let dates = days.filter(|date| self.falls_on(date.weekday()));
        let mut times = dates.filter_map(|date| first_instant(date.to_datetime(self.time), zone));
        times.any(|time| tick.covers(time))
    }

    fn falls_on(&self, day: Weekday) -> bool {
        self.days
            .is_none_or(|(first, last)| first.until(day) <= first.until(last))
    }
}

impl fmt::Display for DailyTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days {
            None => {}
            Some((first, last)) if first == last => write!(f, "{} ", short_name(first))?,
            Some((first, last)) => write!(f, "{}-{} ", short_name(first), short_name(last))?,
        }
        write!(f, "{}", self.time.strftime("%H:%M"))
    }
}

/// Returns when clocks in `zone` first show `time`. One that they leave out is done at the next
/// moment that they show, one that they show twice at the first of both.
fn first_instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            // Behind the gap by as much as the time is into it.
            let behind = ambiguous.later().ok()?;
            let transition = zone.preceding(behind.checked_add(1.second()).ok()?).next();
            transition.map(|transition| transition.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()
        }
    }
}

/// How long before planned work a reminder is due: 1 minute to 30 days, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lead(SignedDuration);

impl Lead {
    /// The longest time before planned work: work is announced a few days before.
    pub const MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Parses `24h`, `90m` or `2d`. Returns `None` for other texts, and beyond [`Lead::MAX`].
    pub fn parse(text: &str) -> Option<Lead> {
        parse_duration(text)
            .filter(|duration| *duration <= Lead::MAX)
            .map(Lead)
    }

    /// Returns the span of starts of which a reminder is due at this tick: after the first, up to
    /// the second. `None` beyond the end of the calendar.
    pub fn starts(self, tick: Tick) -> Option<(Timestamp, Timestamp)> {
        let until = tick.at.checked_add(self.0).ok()?;
        Some((until.checked_sub(tick.every).ok()?, until))
    }

    /// Returns so long before `start`.
    fn before(self, start: Timestamp) -> Option<Timestamp> {
        start.checked_sub(self.0).ok()
    }
}

/// In hours where that is a whole number, else in minutes: `24h`, `90m`.
impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_mins();
        match minutes % 60 {
            0 => write!(f, "{}h", minutes / 60),
            _ => write!(f, "{minutes}m"),
        }
    }
}

/// Parses whole minutes, hours or days, one at least: `10m`, `24h`, `2d`.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    const MAX_DIGITS: usize = 6;
    let unit = text.chars().last()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    };
    let number = &text[..text.len() - unit.len_utf8()];
    let is_number = number.len() <= MAX_DIGITS && number.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = number.parse().ok().filter(|_| is_number)?;
    (number > 0).then(|| SignedDuration::from_mins(number * minutes))
}

/// The days of the week as they are written in settings.
const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Mon"),
    (Weekday::Tuesday, "Tue"),
    (Weekday::Wednesday, "Wed"),
    (Weekday::Thursday, "Thu"),
    (Weekday::Friday, "Fri"),
    (Weekday::Saturday, "Sat"),
    (Weekday::Sunday, "Sun"),
];

/// Parses `Mon`, in any letter case.
pub fn parse_weekday(text: &str) -> Option<Weekday> {
    let mut days = DAYS.iter();
    let day = days.find(|(_, name)| name.eq_ignore_ascii_case(text))?;
    Some(day.0)
}

fn short_name(day: Weekday) -> &'static str {
    let mut days = DAYS.iter();
    let found = days.find(|(known, _)| *known == day);
    found.map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests;
