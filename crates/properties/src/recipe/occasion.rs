//! Occasions on which the function speaks by itself, with the worst text in every place.

use ecs_dingtalk_notifier::event::{
    AccessError, Event, LookupHealth, Occasion, OccasionKind, Vitals,
};
use ecs_dingtalk_notifier::schedule::{Lead, Tick};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Why the function speaks of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// They arrived.
    Arrived,
    Digest,
    Reminder,
    Heartbeat,
    MaintenanceUnknown,
    /// Of several, one for this and one for that.
    Mixed,
}

/// The choices of a byte: in half of all cases the events arrived.
const SPEECHES: [Speech; 10] = [
    Speech::Arrived,
    Speech::Digest,
    Speech::Reminder,
    Speech::Heartbeat,
    Speech::MaintenanceUnknown,
    Speech::Mixed,
    Speech::Arrived,
    Speech::Arrived,
    Speech::Arrived,
    Speech::Arrived,
];

impl Speech {
    pub(crate) fn of(choice: usize) -> Speech {
        SPEECHES[choice % SPEECHES.len()]
    }
}

/// Returns the occasion of the event, the `copy`th of its kind. `text` is in all that comes from
/// elsewhere.
pub(crate) fn occasion(
    speech: Speech,
    event: &Event,
    copy: usize,
    text: &str,
) -> Option<Box<Occasion>> {
    let kind = match speech {
        Speech::Arrived => return None,
        Speech::Digest => OccasionKind::Digest,
        Speech::Reminder => OccasionKind::Reminder(Lead::parse("24h")?),
        Speech::Heartbeat => OccasionKind::Heartbeat(Box::new(vitals(event, copy, text))),
        Speech::MaintenanceUnknown => OccasionKind::MaintenanceUnknown(access_error(copy, text)),
        Speech::Mixed => return occasion(SPEECHES[copy % 5], event, copy, text),
    };
    let tick = Tick {
        at: Timestamp::UNIX_EPOCH,
        every: SignedDuration::from_hours(1),
    };
    Some(Box::new(Occasion { tick, kind }))
}

fn vitals(event: &Event, copy: usize, text: &str) -> Vitals {
    let size = text.len();
    let seconds = i64::try_from(size).unwrap_or(i64::MAX);
    Vitals {
        version: "0.1.0",
        routes: vec![text.to_owned(); copy + size % 25],
        since: [Timestamp::UNIX_EPOCH, Timestamp::MIN, Timestamp::MAX][size % 3],
        delivered: [0, u64::MAX][size % 2],
        filtered: 0,
        failed: [0, 1, u64::MAX][size % 3],
        lookups: match size % 4 {
            0 => LookupHealth::Off,
            1 => LookupHealth::Work,
            _ => LookupHealth::Fail(access_error(size / 4, text)),
        },
        clock_ahead: [
            None,
            Some(SignedDuration::from_secs(seconds)),
            Some(SignedDuration::MIN),
            Some(SignedDuration::MAX),
        ][size % 4],
        upcoming: match size % 5 {
            0 => None,
            1 => Some((None, size)),
            _ => Some((Some(Arc::new(event.clone())), size)),
        },
    }
}

fn access_error(choice: usize, text: &str) -> AccessError {
    match choice % 4 {
        0 => AccessError::Other(text.to_owned()),
        1 => AccessError::Denied {
            permission: text.to_owned(),
        },
        2 => AccessError::NoRole,
        _ => AccessError::NoRegion,
    }
}
