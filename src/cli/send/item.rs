//! The parts of the files: which of them are sent, and in which order.

use super::Outcome;
use crate::cli::{NAME, Payload, print_error};
use crate::event::{Content, Event, EventTime, LeftOutKind, Part, read_file};
use crate::trigger::{self, Trigger};
use std::collections::HashMap;
use std::sync::Arc;

/// A part of a file, and what became of it.
pub(super) struct Item<'a> {
    file: &'a str,
    part: Part,
    /// `None` for an event that is still to be sent.
    pub(super) outcome: Option<Outcome>,
}

impl Item<'_> {
    pub(super) fn event(&self) -> Option<&Arc<Event>> {
        match &self.part.content {
            Content::Event { event, .. } => Some(event),
            Content::LeftOut(_) | Content::Fault(_) => None,
        }
    }

    /// Returns the file and the place in it.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.file, self.part.place())
    }
}

/// Reads the files. A timer's event that is a whole file is a tick of today and returned apart.
/// Events that occur again are duplicates of the first.
pub(super) fn read(payloads: &[Payload]) -> (Vec<&Payload>, Vec<Item<'_>>) {
    let (mut ticks, mut items) = (Vec::new(), Vec::new());
    for payload in payloads {
        let (file, bytes) = payload;
        let parts = read_file(bytes);
        if is_timer(&parts) && matches!(trigger::parse(bytes), Trigger::Tick(_)) {
            ticks.push(payload);
            continue;
        }
        if parts.is_empty() {
            print_error(format!("{NAME}: {file}: no event in it"));
        }
        items.extend(parts.into_iter().map(|part| Item {
            file,
            outcome: Outcome::of_part(&part.content),
            part,
        }));
    }
    mark_duplicates(&mut items);
    (ticks, items)
}

fn is_timer(parts: &[Part]) -> bool {
    let [part] = parts else { return false };
    matches!(part.content, Content::LeftOut(LeftOutKind::Timer))
}

/// The same event may lie in a queue several times.
fn mark_duplicates(items: &mut [Item]) {
    let mut first: HashMap<u128, String> = HashMap::new();
    for item in items {
        let Some(event) = item.event() else { continue };
        let key = event.dedup_key();
        match first.get(&key) {
            Some(place) => item.outcome = Some(Outcome::Duplicate(place.clone())),
            None => _ = first.insert(key, item.place()),
        }
    }
}

/// Returns the places of the events that are to be sent, the oldest first. One without a time that
/// can be read comes last.
pub(super) fn in_order_of_time(items: &[Item]) -> Vec<usize> {
    let is_open = |place: &usize| items[*place].outcome.is_none();
    let mut places: Vec<usize> = (0..items.len()).filter(is_open).collect();
    places.sort_by_key(|place| {
        let time = items[*place].event().and_then(|event| match event.time {
            Some(EventTime::At(at)) => Some(at),
            _ => None,
        });
        (time.is_none(), time)
    });
    places
}

/// Returns the events that are not delivered, as they came.
pub(super) fn undelivered<'a>(items: &'a [Item]) -> impl Iterator<Item = &'a str> {
    items.iter().filter_map(|item| match &item.part.content {
        Content::Event { json, .. } => {
            let outcome = item.outcome.as_ref();
            outcome.is_none_or(Outcome::is_failure).then_some(&**json)
        }
        Content::LeftOut(_) | Content::Fault(_) => None,
    })
}
