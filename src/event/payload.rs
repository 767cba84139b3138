//! From the bytes of a payload to the events in it, in whatever they are wrapped.

use super::event::Event;
use super::{cloud_event, cloud_monitor};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
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

impl std::error::Error for ParseError {}

const ACCEPTED: &str = "accepted are CloudEvents of EventBridge, CloudMonitor's event JSON and webhook, arrays of these, and queue messages that hold one";

/// Parses a payload. Good parts become events, others errors; an empty array is neither.
pub fn parse(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let body = body
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(body)
        .trim_ascii();
    if body.is_empty() {
        parsed.error("$", format!("the payload is empty; {ACCEPTED}"));
        return parsed;
    }
    if !fits_memory(body) {
        let problem = "so many commas and brackets are more than there is memory for; send fewer events at once";
        parsed.error(Path::Root, problem.to_owned());
        return parsed;
    }
    match serde_json::from_slice(body) {
        Ok(value) => parsed.walk(value, &Path::Root, 0),
        Err(error) => match repair_surrogates(body).or_else(|| decode_non_json(body)) {
            Some(value) => parsed.walk(value, &Path::Root, 0),
            None => parsed.error(
                format!("byte {}", offset(body, &error)),
                format!("not JSON ({}); {ACCEPTED}", cause(&error)),
            ),
        },
    }
    parsed
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

/// Decodes a payload that is not JSON itself: a form with JSON fields, or JSON in Base64.
fn decode_non_json(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    decode_form(text).or_else(|| decode_nested(text))
}

/// Parses JSON in which a producer cut a character in half, with a replacement character for the
/// half. Such payloads were reported: a producer that shortens texts to a number of UTF-16 units
/// leaves half a surrogate pair, and its event is sent nevertheless.
fn repair_surrogates(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&replace_half_surrogates(&text)).ok()
}

/// Returns the text with each `\uD8xx` to `\uDFxx` that has no partner replaced.
fn replace_half_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let taken = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // A backslash and what it escapes, which may be another backslash.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (kept, after) = escape.split_at(taken);
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Returns the surrogate that a text begins with: 0xd83d for `\ud83d`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

/// A place in a payload. It is formatted only for an error.
enum Path<'a> {
    Root,
    /// An item of an array.
    Item(&'a Path<'a>, usize),
    /// The body of a queue message.
    Data(&'a Path<'a>, &'static str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("$"),
            Path::Item(outer, index) => write!(f, "{outer}[{index}]"),
            Path::Data(outer, key) => write!(f, "{outer}.data.{key}"),
        }
    }
}

impl Parsed {
    fn error(&mut self, path: impl fmt::Display, problem: String) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(ParseError {
                path: path.to_string(),
                problem,
            });
        } else {
            self.more_errors += 1;
        }
    }

    /// Returns true and adds an error if there are as many events as one payload may have.
    fn is_full(&mut self, path: &Path) -> bool {
        let is_full = self.events.len() >= MAX_EVENTS;
        if is_full {
            let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
            self.error(path, problem);
        }
        is_full
    }

    fn push(&mut self, event: Event) {
        self.events.push(Arc::new(event));
    }

    fn walk(&mut self, value: Value, path: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            self.error(path, format!("wrapped more than {MAX_DEPTH} times over"));
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.walk(item, &Path::Item(path, index), depth + 1);
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

    fn object(&mut self, map: Map<String, Value>, path: &Path, depth: usize) {
        if self.is_full(path) {
            return;
        }
        match cloud_monitor::alert(&map) {
            Some(alert) if cloud_monitor::is_named(&alert) => {
                self.push(cloud_monitor::webhook(map, alert));
            }
            _ if cloud_event::is_cloud_event(&map) && !cloud_monitor::is_flat_with_type(&map) => {
                if !self.queue_message(&map, path, depth) {
                    self.push(cloud_event::event(map));
                }
            }
            _ if cloud_monitor::is_flat(&map) => self.push(cloud_monitor::flat(map)),
            Some(alert) => self.push(cloud_monitor::webhook(map, alert)),
            None => self.error(
                path,
                format!("an object with neither a CloudEvents \"type\" nor a CloudMonitor \"name\" or \"alert\"; {ACCEPTED}"),
            ),
        }
    }

    /// Takes the events in the body of a queue message. Returns false if there are none, so that
    /// the message itself is the event.
    fn queue_message(&mut self, map: &Map<String, Value>, path: &Path, depth: usize) -> bool {
        for (key, body) in cloud_event::queue_bodies(map) {
            let inner = match body {
                Value::String(text) => decode_nested(&text),
                Value::Object(_) | Value::Array(_) => Some(body),
                _ => None,
            };
            let Some(inner) = inner else {
                continue;
            };
            let mut found = Parsed::default();
            found.walk(inner, &Path::Data(path, key), depth + 1);
            if found.events.is_empty() {
                continue;
            }
            for event in found.events {
                if !self.is_full(path) {
                    self.events.push(event);
                }
            }
            for error in found.errors {
                self.error(&error.path, error.problem);
            }
            self.more_errors += found.more_errors;
            return true;
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
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(&compact).ok())
        .filter(|bytes| fits_memory(bytes))?;
    let inner = String::from_utf8(bytes).ok()?;
    // Nearly every word is valid Base64. Only what decodes to JSON was meant so.
    let start = inner.trim_start_matches('\u{feff}').trim_start();
    start
        .starts_with(['{', '['])
        .then(|| decode_nested(&inner))?
}

/// Decodes a form that holds an alert (`severity=…&alert=%7B…`) to an object of strings.
fn decode_form(text: &str) -> Option<Value> {
    if text.starts_with(['{', '[', '"'])
        || !text.split('&').any(|field| field.starts_with("alert="))
    {
        return None;
    }
    let mut map = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !fits_memory(value.as_bytes()) {
            return None;
        }
        map.insert(name.into_owned(), value.into_owned().into());
    }
    Some(Value::Object(map))
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

/// Returns serde_json's message without its line and column.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}
