//! Bytes to events: no panic, no loss, the same result every time and in every wrapping, within
//! bounded space.

use crate::recipe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecs_dingtalk_notifier::event::{self, Level, Parsed};
use ecs_dingtalk_notifier::route::{self, Filter, Pattern};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Payloads are decoded to a depth of six; the checks add up to two levels of wrapping.
const SAFE_LAYERS: usize = 4;
/// The JSON reader gives up at 128 levels.
const SAFE_NESTING: usize = 100;
/// Longest text of one error, in bytes.
const MAX_ERROR: usize = 1_000;

/// Checks the payload that `input` stands for; see [`recipe::payload`].
pub fn check(input: &[u8]) {
    check_payload(&recipe::payload(input));
}

fn check_payload(payload: &[u8]) {
    let parsed = event::parse(payload);
    assert_same(&event::parse(payload), &parsed, "read a second time");
    bounded(payload, &parsed);
    for event in &parsed.events {
        assert!(!event.name.is_empty(), "a name is there");
        assert!(!event.display_id().is_empty());
        let key = event.dedup_key();
        assert_eq!(event.dedup_key(), key);
        assert_eq!(event::Event::clone(event).dedup_key(), key);
        let _ = (event.full_name(), event.is_final(), event.not_before());
        decided(event);
        hidden(&event.details);
    }

    let bom = "\u{feff}".as_bytes();
    if !payload.starts_with(bom) {
        let dressed = [bom, b"\n\t ", payload, b"\r\n"].concat();
        assert_same(&event::parse(&dressed), &parsed, "with BOM and blanks");
    }

    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        let held = std::str::from_utf8(payload).ok().and_then(inner);
        assert!(
            !parsed.events.is_empty()
                || !parsed.errors.is_empty()
                || held.is_some_and(|held| is_nothing(&held)),
            "what is not JSON is an error, or decoded"
        );
        return;
    };
    if nesting(&value) > SAFE_NESTING || layers(&value) > SAFE_LAYERS {
        return;
    }
    assert!(
        !parsed.events.is_empty() || !parsed.errors.is_empty() || is_nothing(&value),
        "neither event nor error"
    );
    each_element_counts(&value, &parsed);
    wrapped(payload, &value, &parsed);
}

/// Every element of an array gives what it gives alone.
fn each_element_counts(value: &Value, parsed: &Parsed) {
    let Value::Array(items) = value else { return };
    let mut events = Vec::new();
    let mut errors = 0;
    for item in items {
        let text = item.to_string();
        // Not every float comes back from its text exactly as it was.
        if serde_json::from_str::<Value>(&text).ok().as_ref() != Some(item) {
            return;
        }
        let alone = event::parse(text.as_bytes());
        assert!(
            !alone.events.is_empty() || !alone.errors.is_empty() || is_nothing(item),
            "an element was lost: {text}"
        );
        errors += error_count(&alone);
        events.extend(alone.events);
    }
    assert_eq!(parsed.events, events, "an array's events are its elements'");
    assert_eq!(
        error_count(parsed),
        errors,
        "an array's errors are its elements'"
    );
}

/// An array, a string of JSON, Base64, a queue message, a record and a topic's message around it
/// change nothing.
fn wrapped(payload: &[u8], value: &Value, parsed: &Parsed) {
    let Ok(text) = std::str::from_utf8(payload) else {
        return;
    };
    if !value.is_object() && !value.is_array() {
        return;
    }
    for (how, dressed) in [
        ("in an array", format!("[{text}]")),
        ("as a string", json!(text).to_string()),
        ("in Base64", STANDARD.encode(text)),
        ("in an array of strings", json!([text]).to_string()),
        (
            "in a string of Base64",
            json!(STANDARD.encode(text)).to_string(),
        ),
    ] {
        assert_alike(&event::parse(dressed.as_bytes()), parsed, how);
    }
    if parsed.events.is_empty() {
        return;
    }
    let encoded = STANDARD.encode(text);
    let record =
        json!({ "timestamp": 1, "requestContext": { "requestId": "1" }, "requestPayload": text });
    for (how, dressed) in [
        (
            "in a queue message",
            queue_message(json!({ "messageBody": text })),
        ),
        (
            "in a record in a queue message",
            queue_message(record.clone()),
        ),
        ("in a record", record),
        (
            "in a topic's message",
            json!({ "TopicOwner": "1", "MessageId": "1", "Message": encoded }),
        ),
        (
            "in a message of a queue",
            json!({ "MessageId": "1", "MessageBody": text }),
        ),
    ] {
        assert_alike(&event::parse(dressed.to_string().as_bytes()), parsed, how);
    }
}

fn queue_message(data: Value) -> Value {
    json!({ "type": "mns:Queue:SendMessage", "source": "acs.mns", "id": "1", "data": data })
}

/// All errors, including those beyond the first twenty.
fn error_count(parsed: &Parsed) -> usize {
    parsed.errors.len() + parsed.more_errors
}

fn assert_same(other: &Parsed, parsed: &Parsed, how: &str) {
    assert_eq!(other.events, parsed.events, "{how}");
    assert_eq!(other.errors, parsed.errors, "{how}");
}

/// Paths of errors are not compared: wrapping changes them.
fn assert_alike(other: &Parsed, parsed: &Parsed, how: &str) {
    assert_eq!(other.events, parsed.events, "{how}");
    assert_eq!(error_count(other), error_count(parsed), "{how}");
    let keys = |parsed: &Parsed| {
        parsed
            .events
            .iter()
            .map(|event| event.dedup_key())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(other), keys(parsed), "{how}");
}

fn bounded(payload: &[u8], parsed: &Parsed) {
    assert!(
        parsed.events.len() <= payload.len() / 8 + 1,
        "more events than bytes for them"
    );
    assert!(parsed.errors.len() <= payload.len() + 1);
    for error in &parsed.errors {
        let text = error.to_string();
        assert!(text.len() <= MAX_ERROR, "{} bytes", text.len());
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// A filter decides about every event, the same each time.
fn decided(event: &event::Event) {
    let patterns = |texts: &[&str]| texts.iter().copied().map(Pattern::new).collect::<Vec<_>>();
    let filter = Filter {
        levels: vec![Level::Critical],
        include: patterns(&["Disk:*", "*a*b?c*"]),
        exclude: patterns(&["*:Executed"]),
        regions: patterns(&["cn-*", "*1"]),
        resources: Vec::new(),
        resources_exclude: patterns(&["?"]),
        ..Filter::default()
    };
    let now = Timestamp::UNIX_EPOCH;
    let decision = route::decide(&filter, event, now);
    assert_eq!(route::decide(&filter, event, now), decision);
}

/// No value of a field called a password is shown.
fn hidden(details: &Map<String, Value>) {
    for (key, value) in details {
        if key.to_lowercase().contains("password") {
            let says_nothing = value.is_null() || value.is_boolean() || value == "";
            assert!(says_nothing || value == "***", "{key}: {value}");
        }
        match value {
            Value::Object(inner) => hidden(inner),
            Value::Array(items) => items.iter().filter_map(Value::as_object).for_each(hidden),
            _ => {}
        }
    }
}

/// True for empty arrays at any depth: the only payloads that are neither event nor error.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_nothing),
        Value::String(text) => inner(text).is_some_and(|inner| is_nothing(&inner)),
        _ => false,
    }
}

/// How many times over something is wrapped at most.
fn layers(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(layers).max().unwrap_or_default(),
        Value::String(text) => 1 + inner(text).map_or(0, |inner| layers(&inner)),
        // Whatever it holds may be what it wraps.
        Value::Object(map) => 1 + map.values().map(layers).max().unwrap_or_default(),
        _ => 0,
    }
}

fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nesting).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(nesting).max().unwrap_or_default(),
        _ => 0,
    }
}

/// The JSON in a text, verbatim or in Base64. Written independently of the parser that it checks.
fn inner(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let standard: String = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && *c != '=')
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(standard)
        .ok()?;
    let text = String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())?;
    inner(&text)
}
