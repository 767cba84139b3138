//! From the bytes of a payload to the events in it, whatever they are wrapped in.

use super::value::{Map, Value};
use super::{Event, cloud_event, cloud_monitor};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// How deep arrays, strings that hold JSON and queue messages are unwrapped.
const MAX_DEPTH: usize = 8;
/// Most bytes of memory that the values of one payload may take, estimated by its commas and brackets, also those in
/// texts that hold JSON. Two bytes can be a value that takes over thirty in memory, of which an instance has 128 MB for
/// all. An ordinary event takes about 3 KB.
const MAX_MEMORY: usize = 48 * 1024 * 1024;
/// What an object takes: room for several fields comes with the first.
const OBJECT_BYTES: usize = 700;
/// What any other value takes.
const VALUE_BYTES: usize = 64;
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
            "so many commas and brackets are more than there is memory for; send fewer events at once".to_owned();
        batch.fault(Path::Root, problem);
        return batch;
    }
    // Checked as a whole, text is read faster than with every string checked by itself.
    let value = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    match value {
        Ok(value) => batch.walk(value, &Path::Root, 0),
        Err(error) => match mended(body).or_else(|| without_json(body)) {
            Some(value) => batch.walk(value, &Path::Root, 0),
            None => batch.fault(
                format!("byte {}", offset(body, &error)),
                format!("not JSON ({}); {ACCEPTED}", cause(&error)),
            ),
        },
    }
    batch
}

/// Whether a text that may be JSON holds no more values than there is memory for.
fn is_bounded(text: &[u8]) -> bool {
    let bytes = text.iter().map(|byte| match byte {
        b'{' => OBJECT_BYTES,
        b',' | b'[' => VALUE_BYTES,
        _ => 0,
    });
    bytes.sum::<usize>() <= MAX_MEMORY
}

/// A payload that is not JSON itself: a form with JSON fields, or JSON in Base64.
fn without_json(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    form(text).or_else(|| unwrap(text))
}

/// JSON in which a producer cut a character in half: the half gives way to a replacement character, and the event is
/// shown.
fn mended(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&without_half_surrogates(&text)).ok()
}

/// The text with each `\uD8xx` to `\uDFxx` that has no partner replaced.
fn without_half_surrogates(text: &str) -> String {
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

/// The half of a character that a text begins with, if it begins with one: `\ud83d`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

/// Where in a payload: put into words only where there is a fault to tell.
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

impl Batch {
    fn fault(&mut self, path: impl fmt::Display, problem: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                path: path.to_string(),
                problem,
            });
        } else {
            self.more_faults += 1;
        }
    }

    /// Whether there are as many events as one payload may have; one more is a fault then.
    fn is_full(&mut self, path: &Path) -> bool {
        let full = self.events.len() >= MAX_EVENTS;
        if full {
            let problem = format!("beyond the first {MAX_EVENTS} events; send fewer at once");
            self.fault(path, problem);
        }
        full
    }

    fn walk(&mut self, value: Value, path: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            self.fault(path, format!("wrapped more than {MAX_DEPTH} times over"));
            return;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.walk(item, &Path::Item(path, index), depth + 1);
                }
            }
            Value::String(text) => match unwrap(&text) {
                Some(inner) => self.walk(inner, path, depth + 1),
                None => self.fault(path, format!("a text that holds no JSON; {ACCEPTED}")),
            },
            Value::Object(map) => self.object(map, path, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.fault(path, format!("neither an object nor an array; {ACCEPTED}"));
            }
        }
    }

    fn object(&mut self, map: Map, path: &Path, depth: usize) {
        if self.is_full(path) {
            return;
        }
        let alert = cloud_monitor::alert(&map);
        if let Some(alert) = alert
            .as_ref()
            .filter(|alert| cloud_monitor::is_named(alert))
        {
            self.events.push(cloud_monitor::webhook(&map, alert));
        } else if cloud_event::is_one(&map) && !cloud_monitor::is_flat_with_type(&map) {
            if !self.queue_message(&map, path, depth) {
                self.events.push(cloud_event::event(map));
            }
        } else if cloud_monitor::is_flat(&map) {
            self.events.push(cloud_monitor::flat(map));
        } else if let Some(alert) = alert {
            self.events.push(cloud_monitor::webhook(&map, &alert));
        } else {
            self.fault(
                path,
                format!("an object with neither a CloudEvents \"type\" nor a CloudMonitor \"name\" or \"alert\"; {ACCEPTED}"),
            );
        }
    }

    /// Takes the events in the body of a queue message; false where there is none, and the message
    /// itself is the event.
    fn queue_message(&mut self, map: &Map, path: &Path, depth: usize) -> bool {
        for (key, body) in cloud_event::queue_bodies(map) {
            let inner = match body {
                Value::String(text) => unwrap(&text),
                Value::Object(_) | Value::Array(_) => Some(body),
                _ => None,
            };
            let Some(inner) = inner else {
                continue;
            };
            let mut found = Batch::default();
            found.walk(inner, &Path::Data(path, key), depth + 1);
            if found.events.is_empty() {
                continue;
            }
            for event in found.events {
                if !self.is_full(path) {
                    self.events.push(event);
                }
            }
            for fault in found.faults {
                self.fault(&fault.path, fault.problem);
            }
            self.more_faults += found.more_faults;
            return true;
        }
        false
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
        map.insert(decode_form(name)?, Value::from(value.as_str()));
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
