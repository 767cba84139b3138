//! Events as a message in Chinese or English: what is said, without the markup of any chat.
//!
//! [`compose`] makes a [`Message`] from one event or from many. A channel writes it in its chat's
//! markup, and [`encode_within`] composes less of it until the channel's body is small enough. Text
//! is own or foreign by type ([`Span`]): a channel escapes what came from an event, and only that.
//!
//! Pure functions: the time is an argument, and nothing here knows sockets.
//!
//! | Module | What |
//! |---|---|
//! | `event`, `details`, `digest` | the message of one event; its own data; of many events |
//! | `own` | which message it is where the function speaks by itself; its signs of life |
//! | `upcoming`, `reminder` | lists of upcoming maintenance; the reminder of a single event |
//! | `capacity`, `share` | how many events fit into one message; what one takes in a list |
//! | `fit` | as much of a message as a chat takes |
//! | `status` | what has become of the matter: words and icons |
//! | `alarm`, `api_call` | what only threshold alarms and records of API calls say |
//! | `known` | what a look-up adds: names, addresses and tags |
//! | `mentions` | whom a message mentions |
//! | `account` | the account, where it needs mention |
//! | `fields`, `values`, `i18n` | labels of keys; words for their values; all other words |
//! | `text` | own and foreign text |
//! | `time`, `console_link` | times and countdowns; links to the console |

mod account;
mod alarm;
mod api_call;
mod capacity;
mod console_link;
mod details;
mod digest;
mod event;
mod fields;
mod fit;
mod i18n;
mod known;
mod mentions;
mod own;
mod reminder;
mod renderer;
mod share;
mod status;
mod text;
mod time;
mod upcoming;
mod values;

pub use capacity::{Capacity, chunks};
pub use fit::{Encoded, encode_within};
pub use i18n::Language;
pub use mentions::{MAX_MENTIONS, Mentionable, is_everyone, is_mobile, is_user_id};
pub(crate) use text::is_invisible;
pub use text::{Foreign, Span, Text};
pub use time::format_time;

use crate::event::{Event, Level};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use renderer::Renderer;
use std::collections::BTreeMap;

/// Longest name or id of a resource that is shown, in characters.
const MAX_NAME: usize = 100;
/// Most lines of a single event's tags and own data that are shown; the rest is counted.
const MAX_DETAILS: usize = 60;

/// How one route wants its messages.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    pub language: Language,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    pub mentions: Mentions,
    /// The levels whose events mention them; a final event never does.
    pub mention_levels: Vec<Level>,
    /// The key of the tag whose value names people to mention besides: `…_AT_TAG`.
    pub mention_tag: Option<String>,
    /// Whom the chat can mention.
    pub mentionable: Mentionable,
    /// The keys of the tags that are shown, in this order: `MESSAGE_TAGS`.
    pub tags: Vec<String>,
    pub accounts: AccountNames,
    /// The site whose console the links lead to.
    pub console: Console,
    /// A message of events that happened hours or days ago says when it was sent: what was lost is
    /// sent by hand.
    pub tells_lateness: bool,
}

impl RenderOptions {
    /// Messages that mention nobody, name no account and link to the console of aliyun.com.
    pub fn new(language: Language, zone: TimeZone) -> RenderOptions {
        RenderOptions {
            language,
            zone,
            mentions: Mentions::default(),
            mention_levels: Vec::new(),
            mention_tag: None,
            mentionable: Mentionable::default(),
            tags: Vec::new(),
            accounts: AccountNames::default(),
            console: Console::default(),
            tells_lateness: false,
        }
    }
}

/// What is known of Alibaba Cloud accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountNames {
    /// The account that the function runs in, which needs no mention; `None` where it is not known.
    pub own: Option<String>,
    /// Names by account id.
    pub names: BTreeMap<String, String>,
}

/// The site of Alibaba Cloud whose console a link leads to. Accounts of one site cannot log in at
/// the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Console {
    /// aliyun.com
    #[default]
    China,
    /// alibabacloud.com
    International,
}

impl Console {
    /// The value of `MESSAGE_CONSOLE`: `china` or `international`.
    pub fn as_str(self) -> &'static str {
        match self {
            Console::China => "china",
            Console::International => "international",
        }
    }

    /// The address of the ECS console.
    fn address(self) -> &'static str {
        match self {
            Console::China => "https://ecs.console.aliyun.com",
            Console::International => "https://ecs.console.alibabacloud.com",
        }
    }
}

/// The people that a message mentions; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Mobile numbers, as the group's members registered them.
    pub mobiles: Vec<String>,
    /// The chat's own ids of people.
    pub user_ids: Vec<String>,
    /// Every member of the group.
    pub all: bool,
}

/// How bad the matter of a message is, the worst first: a chat that has colours shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    Critical,
    Warn,
    /// The level is not known.
    Unknown,
    Info,
    /// The matter is over, or there is none.
    Good,
}

impl Tone {
    fn of_level(level: Option<Level>) -> Tone {
        match level {
            Some(Level::Critical) => Tone::Critical,
            Some(Level::Warn) => Tone::Warn,
            Some(Level::Info) => Tone::Info,
            None => Tone::Unknown,
        }
    }
}

/// A message for a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub language: Language,
    /// Shown in notifications and in the list of conversations.
    pub title: Text,
    /// The first line of the message itself.
    pub heading: Text,
    /// How it is coloured.
    pub tone: Tone,
    /// What is known of a single event; of a digest the levels and the times; of a list of upcoming
    /// maintenance what its events have in common.
    pub lines: Vec<Line>,
    /// The groups of a digest, the worst first; of a list the days, the soonest first.
    pub sections: Vec<Section>,
    /// What to do about a single event or about all of a list; how many events of a digest no
    /// section names.
    pub note: Option<Line>,
    /// Where to look.
    pub link: Option<Link>,
    /// The origin of the message.
    pub footer: Text,
    pub mentions: Mentions,
}

/// Events of a digest that say the same of different resources; a day of a list, or its advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub heading: Text,
    /// How many events; 0 for advice.
    pub events: usize,
    /// How many of the events are of a resource that the first line names.
    named: usize,
    /// The resources, and what is said of all of them; of a day each event, of advice each kind.
    pub lines: Vec<Line>,
}

/// A value with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What the value is; `None` where it says so itself.
    pub label: Option<Span>,
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

impl Message {
    /// Marks the message in its footer: it was sent before, and may have been shown.
    pub fn mark_as_repeat(&mut self) {
        let words = (self.language).select("可能是重复发送", "sent again: may be a repeat");
        let footer = std::mem::replace(&mut self.footer, words.into());
        self.footer = footer.with(" · ").with(words);
    }
}

impl Line {
    fn new(label: impl Into<Span>, value: Text) -> Line {
        Line {
            label: Some(label.into()),
            ..Line::without_label(value)
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
/// A digest groups the events, the worst first, and names every resource. Where the function speaks
/// by itself, the occasion of the first event decides: upcoming maintenance is a list by day.
///
/// # Panics
///
/// Panics if there is no event.
pub fn compose(events: &[&Event], options: &RenderOptions, now: Timestamp) -> Message {
    compose_limited(events, options, now, usize::MAX)
}

fn compose_limited(
    events: &[&Event],
    options: &RenderOptions,
    now: Timestamp,
    limit: usize,
) -> Message {
    let renderer = Renderer {
        options,
        now,
        limit,
    };
    let message = match (&events[0].occasion, events) {
        (Some(occasion), _) => return renderer.own(&occasion.kind, events),
        (None, [event]) => renderer.event(event),
        (None, events) => renderer.digest(events),
    };
    match renderer.lateness(events) {
        Some(lateness) => Message {
            footer: message.footer.with(" · ").and(lateness),
            ..message
        },
        None => message,
    }
}
