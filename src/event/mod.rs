//! Events: the wire shapes in which they arrive, and the one [`Event`] that they all become.

pub mod catalog;
mod cloud_event;
mod cloud_monitor;
mod name;
mod payload;
mod resource;
mod time;
mod value;

pub use payload::{Batch, Fault, parse};
pub use time::parse_moment;
pub use value::{Map, Value};

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;

/// How bad a kind of event is, as CloudMonitor counts it. The order is by gravity: the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing for whoever cares.
    Info,
    /// Some impact; watch it, or choose a time to act.
    Warn,
    /// Large impact; act soon.
    Critical,
}

impl Level {
    /// All levels, the worst first.
    pub const ALL: [Level; 3] = [Level::Critical, Level::Warn, Level::Info];

    /// Reads a level in any letter case; `WARNING` is `WARN`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Level> {
        match text.trim().to_ascii_uppercase().as_str() {
            "CRITICAL" => Some(Level::Critical),
            "WARN" | "WARNING" => Some(Level::Warn),
            "INFO" => Some(Level::Info),
            _ => None,
        }
    }

    /// The wire name: `CRITICAL`, `WARN` or `INFO`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Critical => "CRITICAL",
            Level::Warn => "WARN",
            Level::Info => "INFO",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A moment that an event tells: read, or kept as it came where it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A point in time.
    At(jiff::Timestamp),
    /// Text of an unknown format, to be shown as it came.
    Text(String),
}

/// One event, whatever shape it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// CloudEvents `source` (`acs.ecs`); for CloudMonitor's shapes `acs.` and the product in lower case.
    pub source: String,
    /// The event's own id; debug events have none.
    pub id: Option<String>,
    /// The name without status: `Instance:SystemMaintenance.Reboot`.
    pub name: String,
    /// `Scheduled`, `Executing`, …, or a state such as `Stopped`, or a result such as `failed`.
    pub status: Option<String>,
    /// The level that the event carries, else the catalogue's; `None` is "unknown".
    pub level: Option<Level>,
    /// Product as CloudMonitor writes it (`ECS`, `EBS`, `MongoDB`), where it is known.
    pub product: Option<String>,
    /// Id of the resource that the event is about: `i-…`, `d-…`, `s-…`, `eni-…`.
    pub resource_id: Option<String>,
    /// Kind of that resource as ARNs name it: `instance`, `disk`, `snapshot`, `eni`.
    pub resource_kind: Option<String>,
    /// Name of that resource (or, for a disk, of the instance that it is attached to), where the event tells it.
    pub resource_name: Option<String>,
    /// Region id: `cn-hangzhou`.
    pub region: Option<String>,
    /// Account id that owns the resource.
    pub account: Option<String>,
    /// When it happened: the event's own time, else the envelope's.
    pub time: Option<Moment>,
    /// When EventBridge stamped the envelope, where that differs from `time`.
    pub envelope_time: Option<Moment>,
    /// Titles that came with the event (CloudMonitor's localised names), zh and en.
    pub titles: Titles,
    /// What the event tells beyond the above: `data` or `content`, as it came.
    pub details: Map,
}

/// Localised names that an event brought along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    /// Chinese (`eventRealname`, `eventNameZh`).
    pub zh: Option<String>,
    /// English; only where it is more than the event's code.
    pub en: Option<String>,
}

impl Event {
    /// `name:status`, or the name alone where there is no status.
    pub fn full_name(&self) -> String {
        match &self.status {
            Some(status) => format!("{}:{status}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the matter is over: `Executed`, `Avoided` or `Canceled`.
    pub fn is_over(&self) -> bool {
        let over = ["Executed", "Avoided", "Canceled", "Cancelled"];
        self.status
            .as_deref()
            .is_some_and(|status| over.iter().any(|word| word.eq_ignore_ascii_case(status)))
    }

    /// When planned work is to begin.
    pub fn not_before(&self) -> Option<Moment> {
        parse_moment(self.details.get("notBefore")?)
    }

    /// What tells this event from all others: the same for the same event on every instance and at
    /// every repeat. 32 hexadecimal digits.
    ///
    /// EventBridge identifies an event by `source` and `id`. Some producers reuse an id for different
    /// events, so name, status and resource count too: none may be taken for a repeat of another.
    pub fn identity(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.source);
        hash.update([0]);
        // The full name.
        hash.update(&self.name);
        if let Some(status) = &self.status {
            hash.update(":");
            hash.update(status);
        }
        hash.update([0]);
        let mut part = |text: &str| {
            hash.update(text);
            hash.update([0]);
        };
        part(self.resource_id.as_deref().unwrap_or_default());
        match &self.id {
            Some(id) => part(id),
            None => part(&self.content_hash()),
        }
        if let Some(status) = string(&self.details, cloud_monitor::ALERT_STATUS) {
            part(status);
        }
        hex(hash.finalize().into_iter().take(16))
    }

    /// The event's own id; for one without, the hash of its content.
    pub fn display_id(&self) -> Cow<'_, str> {
        match &self.id {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(self.content_hash()),
        }
    }

    fn content_hash(&self) -> String {
        // A map of serde_json is sorted by key, so equal content has equal text.
        let content = serde_json::json!([
            self.name,
            self.status,
            self.level.map(Level::as_str),
            self.resource_id,
            self.resource_name,
            self.region,
            self.account,
            self.time.as_ref().map(|time| match time {
                Moment::At(at) => at.to_string(),
                Moment::Text(text) => text.clone(),
            }),
            self.details,
        ]);
        hex(Sha256::digest(content.to_string()).into_iter().take(16))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: impl Iterator<Item = u8>) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// A text that says something: a string that is not blank, or a number or flag as text.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A string that is not blank.
fn string<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
