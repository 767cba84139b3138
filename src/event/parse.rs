//! From the bytes of a payload to the events in it, whatever they are wrapped in.

use super::{Event, cloudevent, cloudmonitor};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use std::fmt;

/// How deep arrays, strings that hold JSON and queue messages are unwrapped.
const MAX_DEPTH: usize = 8;
/// Most commas and brackets of one payload, which is to say JSON values, also in texts that hold JSON. An event has
/// about forty. Two bytes can be a value that takes over thirty in memory, of which an instance has 128 MB for all.
const MAX_VALUES: usize = 200_000;
/// Most events of one payload: as many as an instance remembers. With its outcome, one takes 3 KB and more.
const MAX_EVENTS: usize = 10_000;
/// Most faults of one payload that are told one by one.
const MAX_FAULTS: usize = 20;

/// What stands in a payload.
#[derive(Debug, Default)]
pub struct Batch {
    /// The events, in order of appearance.
    pub events: Vec<Event>,
    /// What is no event, in order of appearance: the first twenty.
    pub faults: Vec<Fault>,
    /// How many faults there are beyond those.
    pub more_faults: usize,
}

/// A part of a payload that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON path (`$[2].data.messageBody`), or `byte 17` where it is not JSON.
    pub path: String,
    /// What is wrong, and what would be accepted.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

const ACCEPTED: &str = "accepted are CloudEvents of EventBridge, CloudMonitor's event JSON and webhook, arrays of these, and queue messages that hold one";

/// Reads a payload. Good parts become events, others faults; an empty array is neither.
pub fn parse(body: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let body = body
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(body)
        .trim_ascii();
    if body.is_empty() {
        batch.fault("$", format!("the payload is empty; {ACCEPTED}"));
        return batch;
    }
    if !is_bounded(body) {
        let problem =
            format!("more than {MAX_VALUES} commas and brackets; send fewer events at once");
        batch.fault("$", problem);
        return batch;
    }
    match serde_json::from_slice(body) {
        Ok(value) => batch.walk(&value, "$", 0),
        Err(error) => match std::str::from_utf8(body).ok().and_then(without_json) {
            Some(value) => batch.walk(&value, "$", 0),
            None => batch.fault(
                &format!("byte {}", offset(body, &error)),
                format!("not JSON ({}); {ACCEPTED}", cause(&error)),
            ),
        },
    }
    batch
}

/// Whether a text that may be JSON holds no more values than there is memory for.
fn is_bounded(text: &[u8]) -> bool {
    let marks = text
        .iter()
        .filter(|byte| matches!(byte, b',' | b'[' | b'{'));
    marks.count() <= MAX_VALUES
}

/// A payload that is not JSON itself: a form with JSON fields, or JSON in Base64.
fn without_json(text: &str) -> Option<Value> {
    form(text).or_else(|| unwrap(text))
}

impl Batch {
    fn fault(&mut self, path: &str, problem: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                path: path.to_owned(),
                problem,
            });
        } else {
            self.more_faults += 1;
        }
    }

    fn walk(&mut self, value: &Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.fault(path, format!("wrapped more than {MAX_DEPTH} times over"));
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &format!("{path}[{index}]"), depth + 1);
                }
            }
            Value::String(text) => match unwrap(text) {
                Some(inner) => self.walk(&inner, path, depth + 1),
                None => self.fault(path, format!("a text that holds no JSON; {ACCEPTED}")),
            },
            Value::Object(map) => self.object(map, path, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.fault(path, format!("neither an object nor an array; {ACCEPTED}"));
            }
        }
    }

    fn object(&mut self, map: &Map<String, Value>, path: &str, depth: usize) {
        if self.events.len() >= MAX_EVENTS {
            let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
            self.fault(path, problem);
        } else if let Some(alert) = cloudmonitor::alert(map) {
            self.events.push(cloudmonitor::webhook(map, &alert));
        } else if cloudevent::is_one(map) {
            if !self.queue_message(map, path, depth) {
                self.events.push(cloudevent::event(map));
            }
        } else if cloudmonitor::is_flat(map) {
            self.events.push(cloudmonitor::flat(map));
        } else {
            self.fault(
                path,
                format!("an object with neither a CloudEvents \"type\" nor a CloudMonitor \"name\" or \"alert\"; {ACCEPTED}"),
            );
        }
    }

    /// Takes the events in the body of a queue message; false where there is none, and the message
    /// itself is the event.
    fn queue_message(&mut self, map: &Map<String, Value>, path: &str, depth: usize) -> bool {
        let Some((key, body)) = cloudevent::queue_body(map) else {
            return false;
        };
        let inner = match body {
            Value::String(text) => unwrap(text),
            Value::Object(_) | Value::Array(_) => Some(body.clone()),
            _ => None,
        };
        let Some(inner) = inner else {
            return false;
        };
        let mut found = Batch::default();
        found.walk(&inner, &format!("{path}.data.{key}"), depth + 1);
        if found.events.is_empty() {
            return false;
        }
        for event in found.events {
            if self.events.len() < MAX_EVENTS {
                self.events.push(event);
            } else {
                let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
                self.fault(path, problem);
            }
        }
        for fault in found.faults {
            self.fault(&fault.path, fault.problem);
        }
        self.more_faults += found.more_faults;
        true
    }
}

/// The JSON in a text, as it stands or in Base64 (either alphabet, padded or not).
fn unwrap(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['{', '[', '"']) {
        return serde_json::from_str(text).ok();
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(&compact).ok())
        .filter(|bytes| is_bounded(bytes))
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|inner| {
            inner
                .trim_start_matches('\u{feff}')
                .trim_start()
                .starts_with(['{', '['])
        })
        .and_then(|inner| unwrap(&inner))
}

/// The fields of a form that holds an alert (`severity=…&alert=%7B…`), as an object of strings.
fn form(text: &str) -> Option<Value> {
    if text.starts_with(['{', '[', '"'])
        || !text.split('&').any(|field| field.starts_with("alert="))
    {
        return None;
    }
    let mut map = Map::new();
    for field in text.split('&') {
        let (name, value) = field.split_once('=')?;
        let value = decode_form(value).filter(|value| is_bounded(value.as_bytes()))?;
        map.insert(decode_form(name)?, Value::String(value));
    }
    Some(Value::Object(map))
}

/// Percent-decodes a form's name or value; `+` is a blank.
fn decode_form(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// Where in the payload the JSON breaks off.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let before: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    before + error.column()
}

/// What serde_json says, without its own line and column.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}
