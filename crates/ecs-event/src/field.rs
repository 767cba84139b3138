//! Tolerant reading of JSON fields: a value of the wrong type counts as absent and never fails the
//! whole event.

use super::level::Level;
use super::time::EventTime;
use serde_json::{Map, Value};

/// Returns a string that is not blank.
pub(super) fn string<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    Some(map.get(key)?.as_str()?.trim()).filter(|text| !text.is_empty())
}

/// Returns a string that is not blank, or a number or flag as text.
pub(super) fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    match map.get(key)? {
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => string(map, key).map(str::to_owned),
    }
}

pub(super) fn level(map: &Map<String, Value>, key: &str) -> Option<Level> {
    Level::parse(string(map, key)?)
}

pub(super) fn time(map: &Map<String, Value>, key: &str) -> Option<EventTime> {
    EventTime::parse(map.get(key)?)
}

/// Returns an event's data as an object: an object verbatim, an object as JSON in a string, and
/// any other value under `key`.
pub fn into_object(value: Option<Value>, key: &str) -> Map<String, Value> {
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) if text.trim().is_empty() => Map::new(),
        Some(Value::String(text)) => serde_json::from_str(&text)
            .unwrap_or_else(|_| Map::from_iter([(key.to_owned(), Value::String(text))])),
        Some(other) => Map::from_iter([(key.to_owned(), other)]),
    }
}
