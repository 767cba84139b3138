//! From the bytes of a payload to the events in it, in whatever they are wrapped.

use super::event::Event;
use super::field::into_object;
use super::{cloud_event, cloud_monitor};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// How deep arrays, strings that hold JSON and queue messages may be nested.
const MAX_DEPTH: usize = 8;
/// Most bytes of memory that the values of one payload may take, estimated by its commas and
/// brackets, also those in strings that hold JSON. Two bytes can be a value of over thirty bytes in
/// memory, and an instance has 128 MB for all.
const MAX_MEMORY: usize = 48 * 1024 * 1024;
/// Memory of an object: serde_json allocates eleven fields with the first one.
const OBJECT_BYTES: usize = 700;
/// Memory of any other value.
const VALUE_BYTES: usize = 64;
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

const ACCEPTED: &str = "accepted are CloudEvents of EventBridge, CloudMonitor's event JSON and webhook, arrays of these, and queue messages that hold one";

/// Parses a payload. Good parts become events, others errors; an empty array is neither.
pub fn parse(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let body = trim(body);
    if body.is_empty() {
        parsed.error("$", format!("the payload is empty; {ACCEPTED}"));
    } else if !fits_memory(body) {
        let problem = "so many commas and brackets are more than there is memory for; send fewer events at once";
        parsed.error("$", problem.to_owned());
    } else {
        let value = serde_json::from_slice(body);
        match value.or_else(|error| decode_non_json(body).ok_or(error)) {
            Ok(value) => parsed.walk(value, "$", 0),
            Err(error) => {
                let text = error.to_string();
                let cause = text.split(" at line ").next().unwrap_or_default();
                let path = format!("byte {}", offset(body, &error));
                parsed.error(&path, format!("not JSON ({cause}); {ACCEPTED}"));
            }
        }
    }
    parsed
}

/// Returns a text without a byte order mark and blanks around it.
fn trim(text: &[u8]) -> &[u8] {
    let bom = "\u{feff}".as_bytes();
    text.strip_prefix(bom).unwrap_or(text).trim_ascii()
}

/// Returns true if there is memory for all values of a text that may be JSON.
fn fits_memory(text: &[u8]) -> bool {
    let bytes = text.iter().map(|byte| match byte {
        b'{' => OBJECT_BYTES,
        b',' | b'[' => VALUE_BYTES,
        _ => 0,
    });
    bytes.sum::<usize>() <= MAX_MEMORY
}

/// Decodes a payload that is not JSON itself: JSON in which a producer cut a character in half, a
/// form with JSON fields, or JSON in Base64.
///
/// A producer that shortens texts to a number of UTF-16 units leaves half a surrogate pair. Its
/// event is sent nevertheless, with a replacement character.
fn decode_non_json(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&replace_half_surrogates(&text))
        .ok()
        .or_else(|| decode_form(&text))
        .or_else(|| decode_nested(&text))
}

/// Returns the text with each `\uD8xx` to `\uDFxx` that has no partner replaced.
fn replace_half_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let next = escape.get(6..).and_then(surrogate);
        let (kept, taken) = match (surrogate(escape), next) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(_), _) => ("\u{fffd}", 6),
            (None, _) => {
                // A backslash and what it escapes, which may be another backslash.
                let taken = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (&escape[..taken], taken)
            }
        };
        out.push_str(kept);
        rest = &escape[taken..];
    }
    out.push_str(rest);
    out
}

/// Returns the surrogate that a text begins with: 0xd83d for `\ud83d`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

impl Parsed {
    fn error(&mut self, path: &str, problem: String) {
        if self.errors.len() < MAX_ERRORS {
            let path = path.to_owned();
            self.errors.push(ParseError { path, problem });
        } else {
            self.more_errors += 1;
        }
    }

    fn walk(&mut self, value: Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.error(path, format!("wrapped more than {MAX_DEPTH} times over"));
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.walk(item, &format!("{path}[{index}]"), depth + 1);
                }
            }
            Value::String(text) => match decode_nested(&text) {
                Some(inner) => self.walk(inner, path, depth + 1),
                None => self.error(path, format!("a text that holds no JSON; {ACCEPTED}")),
            },
            Value::Object(map) => self.object(map, path, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.error(path, format!("neither an object nor an array; {ACCEPTED}"));
            }
        }
    }

    fn object(&mut self, mut map: Map<String, Value>, path: &str, depth: usize) {
        if self.events.len() >= MAX_EVENTS {
            let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
            self.error(path, problem);
            return;
        }
        let event = match cloud_monitor::alert(&map) {
            Some(alert) if cloud_monitor::is_named(&alert) => cloud_monitor::webhook(&map, alert),
            _ if cloud_event::is_cloud_event(&map) && !cloud_monitor::is_flat_with_type(&map) => {
                let data = into_object(map.remove("data"), "data");
                if self.queue_message(&data, path, depth) {
                    return;
                }
                cloud_event::event(&map, data)
            }
            _ if cloud_monitor::is_flat(&map) => cloud_monitor::flat(map),
            Some(alert) => cloud_monitor::webhook(&map, alert),
            None => {
                let problem = "an object with neither a CloudEvents \"type\" nor a CloudMonitor \"name\" or \"alert\"";
                self.error(path, format!("{problem}; {ACCEPTED}"));
                return;
            }
        };
        self.events.push(Arc::new(event));
    }

    /// Takes the events in the body of a queue message. Returns false if there are none, so that
    /// the message itself is the event.
    fn queue_message(&mut self, data: &Map<String, Value>, path: &str, depth: usize) -> bool {
        for key in ["messageBody", "body", "value"] {
            let inner = match data.get(key) {
                Some(Value::String(text)) => decode_nested(text),
                Some(body @ (Value::Object(_) | Value::Array(_))) => Some(body.clone()),
                _ => None,
            };
            let Some(inner) = inner else {
                continue;
            };
            let (events, errors) = (self.events.len(), self.errors.len());
            let more_errors = self.more_errors;
            self.walk(inner, &format!("{path}.data.{key}"), depth + 1);
            if self.events.len() > events {
                return true;
            }
            // Without events in it, the body is data of the message: errors in it are none.
            self.errors.truncate(errors);
            self.more_errors = more_errors;
        }
        false
    }
}

/// Decodes the JSON in a text, which may be in Base64 of either alphabet, padded or not.
fn decode_nested(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['{', '[', '"']) {
        return serde_json::from_str(text).ok();
    }
    let blank = |c: char| c.is_ascii_whitespace();
    let compact = text.replace(blank, "").replace('-', "+").replace('_', "/");
    let bytes = STANDARD_NO_PAD.decode(compact.trim_end_matches('=')).ok()?;
    let inner = trim(&bytes);
    // Nearly every word is valid Base64. Only an object or array was meant so.
    let may_be_meant = matches!(inner, [b'{' | b'[', ..]) && fits_memory(inner);
    may_be_meant.then(|| serde_json::from_slice(inner).ok())?
}

/// Decodes a form that holds an alert (`severity=…&alert=%7B…`) to an object of strings.
fn decode_form(text: &str) -> Option<Value> {
    let has_alert = || text.split('&').any(|field| field.starts_with("alert="));
    if text.starts_with(['{', '[', '"']) || !has_alert() {
        return None;
    }
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| fits_memory(value.as_bytes()).then_some((name, value)))
        .collect()
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
