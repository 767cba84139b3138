//! What an event takes in a list of upcoming maintenance.

use super::RenderOptions;
use super::renderer::Renderer;
use super::upcoming::Common;
use crate::event::{Event, OccasionKind};
use jiff::Timestamp;
use std::collections::HashSet;

/// Bytes around a line, and around the heading of a section with its number of events.
const AROUND_LINE: usize = 4;
const AROUND_HEADING: usize = 16;
/// Bytes around the name of a kind in the advice, and around advice.
const AROUND_KIND: usize = 3;
const AROUND_ADVICE: usize = 12;

/// What an event takes in a list of upcoming maintenance.
#[derive(Debug)]
pub(super) struct Share {
    /// Bytes of its line.
    line: usize,
    /// What stands there besides.
    pub(super) once: [Once; 3],
}

/// What a list says once, however many events it is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Once {
    Heading(String),
    Kind(String),
    Advice(&'static str),
}

impl Share {
    /// The share of the event, whatever the time is and whatever the other events have in common
    /// with it; `None` for one that no list is for.
    pub(super) fn of(event: &Event, options: &RenderOptions) -> Option<Share> {
        let kind = &event.occasion.as_ref()?.kind;
        let is_listed = matches!(kind, OccasionKind::Digest | OccasionKind::Reminder(_));
        is_listed.then(|| {
            // The longest wait and the longest day, and a time that has come.
            let renderers = [Timestamp::MIN, Timestamp::MAX].map(|now| Renderer {
                options,
                now,
                limit: usize::MAX,
            });
            let line = renderers.each_ref().map(|renderer| {
                let line = renderer.event_line(event, &Common::default());
                line.value.to_string().len()
            });
            let [renderer, _] = renderers;
            Share {
                line: AROUND_LINE + line[0].max(line[1]),
                once: [
                    Once::Heading(renderer.section_heading(event).to_string()),
                    Once::Kind(renderer.kind(event).to_string()),
                    Once::Advice(renderer.advice_now(event)),
                ],
            }
        })
    }

    /// Bytes of the event in a list that says so much already.
    pub(super) fn bytes(&self, said: &HashSet<Once>) -> usize {
        let new = self.once.iter().filter(|once| !said.contains(once));
        self.line + new.map(Once::size).sum::<usize>()
    }
}

impl Once {
    fn size(&self) -> usize {
        match self {
            Once::Heading(words) => AROUND_HEADING + words.len(),
            Once::Kind(words) => AROUND_KIND + words.len(),
            Once::Advice(words) => AROUND_ADVICE + words.len(),
        }
    }
}
