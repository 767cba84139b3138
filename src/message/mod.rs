//! Events as a message in Chinese or English: what is said, without the markup of any chat.
//!
//! [`compose`] makes a [`Message`] from one event or from many. A channel writes it in its chat's
//! markup, and [`Message::fit`] shows less of it until the channel's body is small enough. Text is
//! own or foreign by type ([`Span`]): a channel escapes what came from an event, and only that.
//!
//! Pure functions: the time is an argument, and nothing here knows sockets.

mod capacity;
mod console_link;
mod details;
mod digest;
mod event;
mod fit;
mod i18n;
mod text;
mod time;

pub use capacity::{Capacity, chunks};
pub use fit::Section;
pub use i18n::Language;
pub use text::{Foreign, Span, Text};
pub use time::format_time;

use crate::event::{Event, Level};
use event::Renderer;
use fit::{Group, Limits};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest name or id of a resource that is shown, in characters.
const MAX_NAME: usize = 100;

/// How one route wants its messages.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// The language of all words of ours.
    pub language: Language,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// Whom to mention.
    pub mentions: Mentions,
    /// The levels whose events mention them; a final event never does.
    pub mention_levels: Vec<Level>,
}

/// Whom a message mentions; by default nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Mobile numbers, as the group's members registered them.
    pub mobiles: Vec<String>,
    /// The chat's own ids of people.
    pub user_ids: Vec<String>,
    /// Every member of the group.
    pub all: bool,
}

/// A message for a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The language of all words of ours.
    pub language: Language,
    /// The level of the worst event; `None` is unknown.
    pub level: Option<Level>,
    /// All events are final: executed, avoided or canceled.
    pub is_final: bool,
    /// Shown in notifications and in the list of conversations.
    pub title: Text,
    /// The first line of the message itself.
    pub heading: Text,
    /// Lines that are always shown.
    lines: Vec<Line>,
    /// Lines of a single event's own data, the most important first.
    details: Vec<Line>,
    /// The groups of a digest, the worst first.
    groups: Vec<Group>,
    /// What to do about a single event.
    pub advice: Option<Line>,
    /// Where to look.
    pub link: Option<Link>,
    /// The origin of the message.
    pub footer: Text,
    /// Whom the message mentions.
    pub mentions: Mentions,
    /// How much of details and groups is shown.
    limits: Limits,
}

/// A value with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What the value is; `None` where it says so itself.
    pub label: Option<Text>,
    /// The value.
    pub value: Text,
    /// The value deserves attention.
    pub is_strong: bool,
}

/// A link to the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is shown.
    pub label: &'static str,
    /// The https address: ASCII letters, digits and `-_.:/?=`.
    pub url: String,
}

impl Line {
    fn new(label: impl Into<Text>, value: impl Into<Text>) -> Line {
        Line {
            label: Some(label.into()),
            value: value.into(),
            is_strong: false,
        }
    }

    fn without_label(value: Text) -> Line {
        Line {
            label: None,
            value,
            is_strong: false,
        }
    }

    fn strong(self) -> Line {
        Line {
            is_strong: true,
            ..self
        }
    }
}

/// Composes the message of these events: of a single event in detail, of several a digest.
///
/// A digest groups the events, the worst first, and names every resource.
///
/// # Panics
///
/// Panics if there is no event.
pub fn compose(events: &[&Event], options: &RenderOptions, now: Timestamp) -> Message {
    let renderer = Renderer { options, now };
    match events {
        [event] => renderer.event(event),
        events => renderer.digest(events),
    }
}

/// Composes the message of these events and shortens it until what `encode` makes of it has at most
/// `max_bytes` bytes. Returns these bytes; see [`Message::fit`].
///
/// # Panics
///
/// Panics if there is no event.
pub fn encode_within(
    events: &[&Event],
    options: &RenderOptions,
    now: Timestamp,
    max_bytes: usize,
    encode: impl Fn(&Message) -> Vec<u8>,
) -> Vec<u8> {
    compose(events, options, now).fit(max_bytes, encode)
}
