//! What a log tells, as values and as JSON.
//!
//! As JSON, with the log's own names where it has them:
//!
//! | Member | Content |
//! |---|---|
//! | `from`, `to` | `time` of the first and of the last line; `null` without lines |
//! | `routes[]` | by `route`, in the order of the names: numbers of events, and `messages` |
//! | `routes[].events` | those that the log names |
//! | `routes[].delivered`, `duplicate` | those with such an outcome |
//! | `routes[].filtered` | those that a rule left out, by `rule` |
//! | `routes[].failed` | those that failed at least once |
//! | `routes[].failedButShown` | of them, those that were delivered too, or were a duplicate |
//! | `routes[].neverShown` | of them, the others |
//! | `routes[].messages` | messages that were delivered: different `messageUuid` |
//! | `neverShown[]` | the events never shown on a route, oldest first: see [`NeverShown`] |
//! | `moreNeverShown` | how many more there are whose details were not kept |
//! | `messages` | those of all routes |
//! | `slowestMs` | the longest `durationMs`, or `null` |
//! | `slowest` | its line: `time`, `route`, `eventId`, `event`, `outcome`, `durationMs` |
//! | `linesRead`, `linesLeftOut` | lines of the function, and others |

use super::lines::LineCounts;
use serde_json::{Map, Value};

/// What a log tells.
#[derive(Debug, Default)]
pub struct Answer {
    /// Times of the first and of the last line.
    pub span: Option<(String, String)>,
    /// In the order of their names.
    pub routes: Vec<(String, RouteCounts)>,
    /// Oldest first.
    pub never_shown: Vec<NeverShown>,
    /// Events that were never shown and whose details were not kept.
    pub more_never_shown: usize,
    /// The longest time from taking an event to knowing its outcome, in milliseconds.
    pub slowest_ms: Option<u64>,
    /// The slowest line.
    pub slowest: Option<Value>,
    pub lines: LineCounts,
}

/// What a log tells of one route, in numbers of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteCounts {
    pub events: usize,
    pub delivered: usize,
    pub duplicate: usize,
    /// By rule.
    pub filtered: Map<String, Value>,
    /// Events that failed at least once.
    pub failed: usize,
    /// Events that failed, and were delivered or recognized as delivered, before or later.
    pub failed_but_shown: usize,
    /// Messages that were delivered, not events.
    pub messages: usize,
}

/// An event that was never shown on a route: the last line that tells of a failure without what is
/// the same for all of them, and with `tries`, the number of such lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverShown {
    /// The line as JSON.
    pub json: String,
}

impl Answer {
    /// Returns how many events were never shown on a route.
    pub fn never_shown_count(&self) -> usize {
        self.never_shown.len() + self.more_never_shown
    }

    /// Returns how many messages were delivered.
    pub fn messages(&self) -> usize {
        self.routes.iter().map(|(_, counts)| counts.messages).sum()
    }

    /// Returns the answer as JSON, but for the list `neverShown`.
    pub fn to_json(&self) -> Value {
        let routes = self
            .routes
            .iter()
            .map(|(name, counts)| counts.to_json(name));
        let (from, to) = self
            .span
            .as_ref()
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .unzip();
        object(&mut [
            ("from", from.into()),
            ("to", to.into()),
            ("routes", Value::Array(routes.collect())),
            ("moreNeverShown", self.more_never_shown.into()),
            ("messages", self.messages().into()),
            ("slowestMs", self.slowest_ms.into()),
            ("slowest", self.slowest.clone().into()),
            ("linesRead", self.lines.read.into()),
            ("linesLeftOut", self.lines.left_out.into()),
        ])
    }
}

impl RouteCounts {
    /// Returns how many events have failed and were not shown.
    pub fn never_shown(&self) -> usize {
        self.failed - self.failed_but_shown
    }

    fn to_json(&self, route: &str) -> Value {
        object(&mut [
            ("route", route.into()),
            ("events", self.events.into()),
            ("delivered", self.delivered.into()),
            ("duplicate", self.duplicate.into()),
            ("filtered", Value::Object(self.filtered.clone())),
            ("failed", self.failed.into()),
            ("failedButShown", self.failed_but_shown.into()),
            ("neverShown", self.never_shown().into()),
            ("messages", self.messages.into()),
        ])
    }
}

/// Takes the values into an object. Smaller code than `json!` makes.
fn object(members: &mut [(&str, Value)]) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        object.insert((*name).to_owned(), value.take());
    }
    Value::Object(object)
}

impl NeverShown {
    /// Takes the line behind its time.
    pub(super) fn new(mut line: String) -> NeverShown {
        let time = line.find('\n').expect("a line feed follows the time");
        line.drain(..=time);
        NeverShown { json: line }
    }

    /// Returns the line as a value.
    pub fn to_value(&self) -> Value {
        parsed(&self.json)
    }
}

pub(super) fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("it was written as JSON")
}
