//! From a timer's tick to events of our own: what is due, and how it is told.
//!
//! Pure: what must be asked for is an argument. From here on, filter, language, deduplication,
//! pace, fallback, log and answer are those of every event.

use crate::event::{AccessError, Event, EventTime, Occasion, OccasionKind, Vitals};
use crate::route::Route;
use crate::schedule::{Lead, Tick};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A tick that is older comes from a dead-letter queue, and what it would tell is no news.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);
/// The source of events of our own.
const SOURCE: &str = "ecs-dingtalk-notifier";

/// What is due at a tick on at least one route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    pub digest: bool,
    /// Reminders may be due: which, only the maintenance tells.
    pub reminders: bool,
    pub heartbeat: bool,
}

impl Due {
    /// Returns what is due at `tick` when it is `now`.
    pub fn at(tick: Tick, routes: &[Route], now: Timestamp) -> Due {
        if is_too_old(tick, now) {
            return Due::default();
        }
        let any = |is_due: fn(&Route, Tick) -> bool| routes.iter().any(|route| is_due(route, tick));
        Due {
            digest: any(|route, tick| route.schedule.wants_digest(tick)),
            reminders: any(|route, _| !route.schedule.remind_before.is_empty()),
            heartbeat: any(|route, tick| route.schedule.wants_heartbeat(tick)),
        }
    }

    /// Returns true if nothing is due.
    pub fn is_nothing(self) -> bool {
        self == Due::default()
    }

    /// Returns true if maintenance is to be told, so that not knowing it is worth a message.
    pub fn needs_maintenance(self) -> bool {
        self.digest || self.reminders
    }
}

/// Returns true if what was due at a tick is no news any more.
pub fn is_too_old(tick: Tick, now: Timestamp) -> bool {
    now.duration_since(tick.at) > MAX_AGE
}

/// Returns the reminders that are due on any route, then the events of the digest.
pub fn events(maintenance: &[Arc<Event>], due: Due, tick: Tick, routes: &[Route]) -> Vec<Event> {
    let of_kind = |event: &Event, kind| own(Event::clone(event), kind, tick);
    let reminders = maintenance.iter().flat_map(|event| {
        let leads = leads(event, tick, routes).into_iter();
        leads.map(|lead| of_kind(event, OccasionKind::Reminder(lead)))
    });
    let digest = maintenance.iter().filter(|_| due.digest);
    let digest = digest.map(|event| of_kind(event, OccasionKind::Digest));
    reminders.chain(digest).collect()
}

/// Returns how long before its start the routes want to be reminded of the event at this tick.
/// Work that is under way needs no reminder.
pub fn leads(event: &Event, tick: Tick, routes: &[Route]) -> BTreeSet<Lead> {
    let start = match event.not_before() {
        Some(EventTime::At(start)) if event.status.as_deref() != Some("Executing") => start,
        _ => return BTreeSet::new(),
    };
    let leads = routes.iter();
    leads
        .filter_map(|route| route.schedule.lead(tick, start))
        .collect()
}

/// Returns the maintenance that begins next after `now`. The first of those given begins soonest.
pub fn next(maintenance: &[Arc<Event>], now: Timestamp) -> Option<&Arc<Event>> {
    maintenance
        .iter()
        .find(|event| matches!(event.not_before(), Some(EventTime::At(start)) if start > now))
}

/// Returns the sign of life.
pub fn heartbeat(vitals: Vitals, tick: Tick) -> Event {
    let kind = OccasionKind::Heartbeat(Box::new(vitals));
    own(of_ourselves("Notifier:Heartbeat"), kind, tick)
}

/// Returns the event that maintenance cannot be read, the same for all ticks of a day in `zone`: it
/// is told once a day.
pub fn maintenance_unknown(cause: AccessError, tick: Tick, zone: &TimeZone) -> Event {
    let day = zone.to_datetime(tick.at).date();
    Event {
        id: Some(format!("maintenance-unknown {day}")),
        ..own(
            of_ourselves("Notifier:MaintenanceUnknown"),
            OccasionKind::MaintenanceUnknown(cause),
            tick,
        )
    }
}

/// Makes an event one of our own. Its id holds the kind and the tick: a repeat of the tick is a
/// repeat of the event, and a reminder is not taken for the event that it reminds of.
fn own(event: Event, kind: OccasionKind, tick: Tick) -> Event {
    let kind_in_id = match &kind {
        OccasionKind::Digest => "digest".to_owned(),
        OccasionKind::Reminder(lead) => format!("reminder {lead}"),
        OccasionKind::Heartbeat(_) => "heartbeat".to_owned(),
        OccasionKind::MaintenanceUnknown(_) => "maintenance-unknown".to_owned(),
    };
    let id = [event.id.as_deref(), Some(&kind_in_id)];
    let id: Vec<&str> = id.into_iter().flatten().collect();
    Event {
        id: Some(format!("{} {}", id.join(" "), tick.at)),
        occasion: Some(Box::new(Occasion { tick, kind })),
        ..event
    }
}

/// Returns an event about the function itself.
fn of_ourselves(name: &str) -> Event {
    let event = Event {
        source: SOURCE.into(),
        name: name.into(),
        product: Some("Notifier".into()),
        ..Event::default()
    };
    event.complete([None, None])
}

#[cfg(test)]
mod tests;
