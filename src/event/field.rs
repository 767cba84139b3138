//! Tolerant reading of JSON fields: a value of the wrong type counts as absent and never fails the
//! whole event.

use super::level::Level;
use super::time::EventTime;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::{Map, Value};

/// Returns a string that is not blank, or a number or flag as text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => not_blank(text).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Returns a string that is not blank.
pub(super) fn string<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    not_blank(map.get(key)?.as_str()?)
}

fn not_blank(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Returns an event's data as an object: an object verbatim, an object as JSON in a string, and
/// any other value under `key`.
pub(super) fn into_object(value: Option<Value>, key: &str) -> Map<String, Value> {
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) if text.trim().is_empty() => Map::new(),
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => map,
            _ => Map::from_iter([(key.to_owned(), Value::String(text))]),
        },
        Some(other) => Map::from_iter([(key.to_owned(), other)]),
    }
}

/// Reads an object as a struct whose fields all take any value.
pub(super) fn read<T: DeserializeOwned>(map: Map<String, Value>) -> T {
    T::deserialize(map).expect("every field takes any value")
}

/// For `#[serde(deserialize_with = "…")]`: each takes any value.
pub(super) mod lenient {
    use super::*;

    /// A string that is not blank, or a number or flag as text.
    pub(in crate::event) fn text<'de, D>(from: D) -> Result<Option<String>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(super::text(Some(&Value::deserialize(from)?)))
    }

    /// A string that is not blank.
    pub(in crate::event) fn string<'de, D>(from: D) -> Result<Option<String>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let value = Value::deserialize(from)?;
        Ok(value.as_str().and_then(not_blank).map(str::to_owned))
    }

    pub(in crate::event) fn level<'de, D>(from: D) -> Result<Option<Level>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let value = Value::deserialize(from)?;
        Ok(value.as_str().and_then(Level::parse))
    }

    pub(in crate::event) fn time<'de, D>(from: D) -> Result<Option<EventTime>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(EventTime::parse(&Value::deserialize(from)?))
    }
}
