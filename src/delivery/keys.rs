//! The keys of events and messages: the same for every repeat, on every instance.

use sha2::{Digest, Sha256};

/// Identifies an event: [`Event::dedup_key`](crate::event::Event::dedup_key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EventKey(pub(super) u128);

/// Returns the idempotency key (a UUID) of the message of these events.
///
/// The order of the events does not matter. The route counts, because two routes may show the same
/// events differently through one chatbot, and the second message must not be taken for a repeat of
/// the first.
pub(super) fn message_uuid(route: &str, mut events: Vec<EventKey>) -> String {
    events.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(route);
    for EventKey(number) in events {
        hash.update(format!("\n{number:032x}"));
    }
    let bytes = &hash.finalize()[..16];
    let mut uuid: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for dash in [20, 16, 12, 8] {
        uuid.insert(dash, '-');
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Known, Lookup};
    use crate::testing;
    use std::sync::Arc;

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

    #[test]
    fn what_was_looked_up_changes_no_key() {
        let told = testing::event(1);
        let known = Known {
            name: Some("web-03".into()),
            tags: vec![("owner".into(), "alice".into())],
            ..Known::default()
        };
        for id in [told.id.clone(), None] {
            let told = Event { id, ..told.clone() };
            let looked_up = Event {
                known: Some(Arc::new(known.clone())),
                lookup: Some(Lookup::Found),
                ..told.clone()
            };
            assert_eq!(looked_up.dedup_key(), told.dedup_key());
            assert_eq!(looked_up.display_id(), told.display_id());
            let uuid = |event: &Event| message_uuid("default", vec![EventKey(event.dedup_key())]);
            assert_eq!(uuid(&looked_up), uuid(&told));
        }
    }
}
