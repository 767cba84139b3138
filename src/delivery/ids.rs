//! Typed ids, so that an index of one kind cannot be taken for another.

use crate::event::Event;
use sha2::{Digest, Sha256};

/// A route, by its place among the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RouteId(pub(super) usize);

/// A chatbot. Routes that lead to the same chatbot share its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndpointId(pub(super) usize);

/// An event in the queue of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EntryId(pub(super) u64);

/// What is the same for every repeat of an event, on every instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EventKey(pub(super) u128);

impl EventKey {
    pub(super) fn of(event: &Event) -> EventKey {
        EventKey(event.dedup_key())
    }
}

/// Returns the idempotency key (a UUID) of the message of these events.
///
/// It is the same for the same events on the same route, on every instance and at every repeat. The
/// route counts, because two routes may show the same events differently through one chatbot, and
/// the second message must not be taken for a repeat of the first.
pub(super) fn message_uuid(route: &str, mut events: Vec<EventKey>) -> String {
    events.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(route);
    for EventKey(number) in events {
        hash.update(format!("\n{number:032x}"));
    }
    let hex: String = hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_uuid_depends_on_route_and_events_not_on_order() {
        let uuid = |route, events: [u128; 2]| message_uuid(route, events.map(EventKey).to_vec());
        let first = uuid("default", [1, 2]);
        // Pinned: instances of other versions make the same.
        assert_eq!(first, "ad10ae35-0f7b-5132-1a3e-4d5d4e11177d");
        assert_eq!(first, uuid("default", [2, 1]));
        assert_ne!(first, uuid("ops", [1, 2]));
        assert_ne!(first, uuid("default", [1, 3]));
    }
}
