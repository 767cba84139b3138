//! As much of a message as a chat takes.

use super::{MAX_DETAILS, Message, RenderOptions, compose_limited};
use crate::event::Event;
use jiff::Timestamp;

/// Each text from an event is cut to so many characters where a message is too long otherwise.
const SHORTER: [usize; 5] = [80, 40, 20, 10, 5];

/// What a channel makes of a message.
pub trait Encoded {
    /// The size as the chat counts it.
    fn size(&self) -> usize;
}

impl Encoded for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// Composes the message of these events, as long as `encode` makes a body of at most `max_size` of
/// it. Returns it with this body.
///
/// A message that is too long shows fewer lines of a single event's own data, then of its tags. A
/// digest names fewer resources in each group, then shows fewer groups, without the mildest ones. A
/// list of upcoming maintenance shows fewer events, without the latest ones.
/// What is left out is counted. All else stays; where it is still too long, each text from an event
/// is cut. It exceeds `max_size` where that does not help either.
///
/// # Panics
///
/// Panics if there is no event.
pub fn encode_within<B: Encoded>(
    events: &[&Event],
    options: &RenderOptions,
    now: Timestamp,
    max_size: usize,
    encode: impl Fn(&Message) -> B,
) -> (Message, B) {
    let encoded = |limit| {
        let message = compose_limited(events, options, now, limit);
        let body = encode(&message);
        (message, body)
    };
    let whole = encoded(usize::MAX);
    if whole.1.size() <= max_size {
        return whole;
    }
    let limits: Vec<usize> = (0..MAX_DETAILS.max(events.len())).collect();
    let fitting = limits.partition_point(|limit| encoded(*limit).1.size() <= max_size);
    if fitting > 0 {
        return encoded(fitting - 1);
    }
    // The lowest limit shows the least. What events wrote into it may still be long.
    let least = encoded(0);
    let cut = SHORTER.into_iter().map(|max_chars| {
        let message = least.0.clone().cut(max_chars);
        let body = encode(&message);
        (message, body)
    });
    let fitting = cut.into_iter().find(|(_, body)| body.size() <= max_size);
    fitting.unwrap_or(least)
}

impl Message {
    /// Cuts each text from an event after `max_chars` characters.
    fn cut(mut self, max_chars: usize) -> Message {
        let sections = self.sections.iter_mut();
        let of_sections = sections.flat_map(|section| {
            let lines = section.lines.iter_mut();
            lines
                .map(|line| (Some(&mut line.label), &mut line.value))
                .chain(std::iter::once((None, &mut section.heading)))
        });
        let lines = self.lines.iter_mut().chain(&mut self.note);
        let lines = lines.map(|line| (Some(&mut line.label), &mut line.value));
        let texts = [&mut self.title, &mut self.heading, &mut self.footer];
        let texts = texts.into_iter().map(|text| (None, text));
        for (label, text) in texts.chain(lines).chain(of_sections) {
            text.cut(max_chars);
            if let Some(Some(label)) = label {
                label.cut(max_chars);
            }
        }
        self
    }
}
