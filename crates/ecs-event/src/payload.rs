//! From the bytes of a payload to the events in it, in whatever they are wrapped.

use super::cloud_monitor::is_flat;
use super::decode::{self, Decoded, Fault};
use super::event::Event;
use super::field::into_object;
use super::wrapper::{self, Content};
use super::{cloud_event, cloud_monitor, metric_alarm};
use serde_json::{Map, Value};
use std::fmt;
use std::mem;
use std::sync::Arc;

/// How deep arrays, texts that hold JSON, queue messages and records may be nested around an event.
const MAX_DEPTH: usize = 6;
/// Most bytes of memory that the values of one payload may take at a time, estimated by commas and
/// brackets. Two bytes can be a value of over thirty bytes in memory, and an instance has 128 MB for
/// all.
///
/// This one sum bounds whatever is nested: each text that is decoded and each value that is copied
/// is taken from it before it is made, and given back only if no event was made of it.
const MAX_MEMORY: usize = 48 * 1024 * 1024;
/// Most events of one payload: as many as an instance remembers. With its outcome, one takes 3 KB
/// and more.
const MAX_EVENTS: usize = 10_000;
/// Most errors of one payload that are reported one by one.
const MAX_ERRORS: usize = 20;

/// The content of a payload.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The events, in order of appearance.
    pub events: Vec<Arc<Event>>,
    /// The first twenty parts that are not events, in order of appearance.
    pub errors: Vec<ParseError>,
    /// How many errors there are beyond those.
    pub more_errors: usize,
    /// The event of a timer, where the payload is nothing else.
    pub timer: Option<Map<String, Value>>,
    /// Parts that are understood and are no events, in order of appearance.
    pub left_out: Vec<LeftOut>,
    /// Where each event was found. Empty but for a part of a file.
    pub sources: Vec<Source>,
}

/// A part of a payload that is understood and is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where, as in [`ParseError`].
    pub path: String,
    /// What it is.
    pub kind: LeftOutKind,
}

/// What is left out of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutKind {
    /// The event of a timer within something else: a tick that was stored says nothing of today.
    Timer,
    /// In what was stored, Function Compute's record of an invocation that succeeded: its event was
    /// delivered.
    Success,
}

/// Where an event was found.
#[derive(Debug)]
pub struct Source {
    /// As in [`ParseError`].
    pub path: String,
    /// The event as it came, secrets and all, without what it was wrapped in.
    pub json: String,
}

/// A part of a payload that is not an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Where: a JSON path (`$[2].data.messageBody`), or `byte 17` where it is not JSON.
    pub path: String,
    /// What is wrong, and what would be accepted.
    pub problem: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

const ACCEPTED: &str = "accepted are CloudEvents of EventBridge, CloudMonitor's event JSON, webhook and threshold alarm (JSON or form), arrays of these, and what holds one: a queue's message, a topic's JSON (\"Message\"), Function Compute's record of an invocation (\"requestPayload\")";

const DATA_ALONE: &str = "only the data of an event, which do not say what happened; in the target of the EventBridge rule choose the complete event (完整事件, not a partial one such as $.data) as what is sent to the function";

/// Parses a payload. Good parts become events, others errors; an empty array is neither.
pub fn parse(body: &[u8]) -> Parsed {
    walk(body, "$", false)
}

/// Parses a payload that was stored, and keeps where each event was found. Paths begin with `root`.
pub(super) fn parse_stored(text: &str, root: &str) -> Parsed {
    walk(text.as_bytes(), root, true)
}

fn walk(body: &[u8], root: &str, is_stored: bool) -> Parsed {
    let mut walk = Walk {
        parsed: Parsed::default(),
        left: MAX_MEMORY,
        makes_events: false,
        is_stored,
    };
    let body = decode::trim(body);
    match decode::payload(body, MAX_MEMORY) {
        _ if body.is_empty() => walk.error(root, format!("the payload is empty; {ACCEPTED}")),
        Ok(Decoded { value, memory }) => {
            walk.left -= memory;
            walk.value(value, root, 0);
        }
        Err(Fault::Json(error)) => {
            // A part of a file has its line.
            let path = match is_stored {
                true => root.to_owned(),
                false => format!("byte {}", offset(body, &error)),
            };
            walk.error(&path, format!("not JSON ({}); {ACCEPTED}", cause(&error)));
        }
        Err(fault) => walk.fault(root, &fault),
    }
    walk.parsed
}

/// The way through a payload.
struct Walk {
    parsed: Parsed,
    /// True for what was stored: sources are kept, and records of successes left out.
    is_stored: bool,
    /// How much of [`MAX_MEMORY`] is left.
    left: usize,
    /// True if the value that is being walked through became an event, not only what it holds.
    makes_events: bool,
}

/// How much was found at some moment.
#[derive(PartialEq)]
struct Mark {
    events: usize,
    errors: usize,
    more_errors: usize,
    left_out: usize,
}

impl Walk {
    fn error(&mut self, path: &str, problem: String) {
        if self.parsed.errors.len() < MAX_ERRORS {
            let path = path.to_owned();
            self.parsed.errors.push(ParseError { path, problem });
        } else {
            self.parsed.more_errors += 1;
        }
    }

    fn fault(&mut self, path: &str, fault: &Fault) {
        let problem = match fault {
            Fault::Json(error) => format!("a text that holds no JSON ({}); {ACCEPTED}", cause(error)),
            Fault::Xml(problem) => (*problem).to_owned(),
            Fault::Other => format!("a text that holds neither JSON nor a form; {ACCEPTED}"),
            Fault::TooLarge => "so many commas and brackets are more than there is memory for; send fewer events at once".to_owned(),
        };
        self.error(path, problem);
    }

    fn mark(&self) -> Mark {
        Mark {
            events: self.parsed.events.len(),
            errors: self.parsed.errors.len(),
            more_errors: self.parsed.more_errors,
            left_out: self.parsed.left_out.len(),
        }
    }

    /// Returns true if events were found, or what is known to be none.
    fn has_found_since(&self, mark: &Mark) -> bool {
        self.parsed.events.len() > mark.events || self.parsed.left_out.len() > mark.left_out
    }

    fn forget_errors_since(&mut self, mark: &Mark) {
        self.parsed.errors.truncate(mark.errors);
        self.parsed.more_errors = mark.more_errors;
    }

    /// Walks through a value. `depth` is how many times over it was wrapped.
    fn value(&mut self, value: Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.error(path, format!("wrapped more than {MAX_DEPTH} times over"));
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"), depth + 1);
                }
            }
            Value::String(text) => self.text(&text, path, depth + 1),
            Value::Object(map) => self.object(map, path, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.error(path, format!("neither an object nor an array; {ACCEPTED}"));
            }
        }
    }

    /// Walks through what a text holds.
    fn text(&mut self, text: &str, path: &str, depth: usize) {
        match decode::text(text, self.left) {
            Ok(decoded) => self.decoded(decoded, path, depth),
            Err(fault) => self.fault(path, &fault),
        }
    }

    /// Walks through a value that was not there before, and gives its memory back if no event was
    /// made of it.
    fn decoded(&mut self, decoded: Decoded, path: &str, depth: usize) {
        self.left -= decoded.memory;
        let outer = mem::take(&mut self.makes_events);
        self.value(decoded.value, path, depth);
        if !self.makes_events {
            self.left += decoded.memory;
        }
        self.makes_events = outer;
    }

    /// Walks through the content of a wrapper, which stays as it is. A text and what it holds are
    /// one layer.
    fn content(&mut self, content: &Value, path: &str, depth: usize) {
        if let Value::String(text) = content {
            return self.text(text, path, depth);
        }
        let memory = decode::size(content);
        if memory > self.left {
            return self.fault(path, &Fault::TooLarge);
        }
        let value = content.clone();
        self.decoded(Decoded { value, memory }, path, depth);
    }

    fn object(&mut self, mut map: Map<String, Value>, path: &str, depth: usize) {
        if self.parsed.events.len() >= MAX_EVENTS {
            let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
            self.error(path, problem);
            return;
        }
        if self.is_stored && wrapper::is_success(&map) {
            return self.leave_out(path, LeftOutKind::Success);
        }
        let source = self.is_stored.then(|| Value::Object(map.clone()));
        let alert = cloud_monitor::alert(&map);
        // A record has no member of an event; if this one has, its content goes first all the same.
        if wrapper::is_unmistakable(&map)
            && (alert.is_some() || cloud_event::is_cloud_event(&map) || is_flat(&map))
            && self.any(wrapper::contents(&map).take(1), path, depth)
        {
            return;
        }
        let event = match alert {
            Some(alert) if cloud_monitor::is_named(&alert) => cloud_monitor::webhook(&map, alert),
            _ if cloud_event::is_cloud_event(&map) && !cloud_monitor::is_flat_with_type(&map) => {
                let (data, key) = self.data(&mut map);
                if wrapper::may_hold(&data)
                    && self.inside(&map, &data, &format!("{path}.{key}"), depth)
                {
                    return;
                }
                cloud_event::event(&map, data)
            }
            _ if is_flat(&map) => cloud_monitor::flat(map),
            Some(alert) => cloud_monitor::webhook(&map, alert),
            None if metric_alarm::is_alarm(&map) => metric_alarm::event(map),
            None if wrapper::is_timer(&map) => {
                match depth {
                    0 => self.parsed.timer = Some(map),
                    _ => self.leave_out(path, LeftOutKind::Timer),
                }
                return;
            }
            None => return self.no_event(&map, path, depth),
        };
        self.parsed.events.push(Arc::new(event));
        self.parsed.sources.extend(source.map(|source| Source {
            path: path.to_owned(),
            json: source.to_string(),
        }));
        self.makes_events = true;
    }

    fn leave_out(&mut self, path: &str, kind: LeftOutKind) {
        let path = path.to_owned();
        self.parsed.left_out.push(LeftOut { path, kind });
    }

    /// Takes the data out of an envelope, and returns them with their key. Of `data` and
    /// `data_base64` an event has one.
    fn data(&mut self, envelope: &mut Map<String, Value>) -> (Map<String, Value>, &'static str) {
        let data = envelope.remove("data").filter(|data| !data.is_null());
        if data.is_some() {
            return (into_object(data, "data"), "data");
        }
        let encoded = envelope.remove("data_base64");
        let Some(encoded) = encoded.filter(|text| !text.is_null()) else {
            return (Map::new(), "data");
        };
        let decoded = encoded.as_str().map(|text| decode::base64(text, self.left));
        let data = match decoded {
            Some(Ok(Decoded { value, memory })) => {
                self.left -= memory;
                into_object(Some(value), "data")
            }
            // Shown as it came.
            _ => Map::from_iter([("data_base64".to_owned(), encoded)]),
        };
        (data, "data_base64")
    }

    /// Takes the events in the data of an event. Returns false if there are none, so that the event
    /// itself is one: errors in its data are none.
    fn inside(
        &mut self,
        envelope: &Map<String, Value>,
        data: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> bool {
        if self.is_stored && wrapper::is_success(data) {
            self.leave_out(path, LeftOutKind::Success);
            return true;
        }
        let Some(whole) = wrapper::whole(cloud_event::kind(envelope), data) else {
            return self.any(wrapper::contents(data), path, depth);
        };
        let mark = self.mark();
        self.content(&whole, path, depth + 1);
        if !self.has_found_since(&mark) {
            self.forget_errors_since(&mark);
        }
        self.has_found_since(&mark)
    }

    /// Takes the events in the first of these contents that has any.
    fn any<'a>(
        &mut self,
        contents: impl Iterator<Item = Content<'a>>,
        path: &str,
        depth: usize,
    ) -> bool {
        for content in contents {
            let mark = self.mark();
            self.content(content.value, &format!("{path}.{}", content.key), depth + 1);
            if self.has_found_since(&mark) {
                return true;
            }
            self.forget_errors_since(&mark);
        }
        false
    }

    /// Takes what an object holds that is no event itself. If it is a wrapper, what is wrong with
    /// its content is what is wrong with it.
    fn no_event(&mut self, map: &Map<String, Value>, path: &str, depth: usize) {
        for content in wrapper::contents(map) {
            let mark = self.mark();
            let path = format!("{path}.{}", content.key);
            self.content(content.value, &path, depth + 1);
            if self.has_found_since(&mark) {
                return;
            }
            if content.is_sure {
                // Nothing comes of an empty array, but nobody wraps one to say so.
                if self.mark() == mark {
                    self.error(&path, format!("holds no event; {ACCEPTED}"));
                }
                return;
            }
            self.forget_errors_since(&mark);
        }
        let problem = if cloud_event::is_data_alone(map) {
            DATA_ALONE.to_owned()
        } else {
            format!(
                "an object with neither a CloudEvents \"type\" nor a CloudMonitor \"name\" or \"alert\"; {ACCEPTED}"
            )
        };
        self.error(path, problem);
    }
}

/// Returns what is wrong with a JSON text, without the place.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let cause = text.split(" at line ").next();
    cause.unwrap_or_default().to_owned()
}

/// Returns the offset in the payload at which the JSON breaks off.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let before: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    before + error.column()
}
