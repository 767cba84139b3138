//! The JSON values that an event is made of.
//!
//! serde_json's own put every key and every text on the heap, some forty of them for an ordinary event. Here those of up
//! to 23 bytes, nearly all, lie in their place.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;
use smol_str::SmolStr;
use std::fmt;

/// Any JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(SmolStr),
    /// A list.
    Array(Vec<Value>),
    /// An object.
    Object(Map),
}

/// A JSON object: each key once (of several alike the last counts), sorted by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map(Vec<(SmolStr, Value)>);

/// Keys for which there is room with the first one.
const ROOM: usize = 8;

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }
}

impl Map {
    /// An object without keys.
    pub const fn new() -> Map {
        Map(Vec::new())
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Gives a key a value, in place of the one that it may have.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) {
        let key = key.into();
        match self.place(&key) {
            Ok(place) => {
                if let Some(entry) = self.0.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// Takes a key and its value out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.place(key).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_str().cmp(key))
    }

    /// Of entries in any order.
    fn sorted(mut entries: Vec<(SmolStr, Value)>) -> Map {
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            // The last of those with the same key comes first, and stays.
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(later, _), (kept, _)| later == kept);
        }
        Map(entries)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

/// As compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => to.serialize_unit(),
            Value::Bool(flag) => to.serialize_bool(*flag),
            Value::Number(number) => number.serialize(to),
            Value::String(text) => to.serialize_str(text),
            Value::Array(items) => to.collect_seq(items),
            Value::Object(map) => map.serialize(to),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
        match Value::deserialize(from)? {
            Value::Object(map) => Ok(map),
            _ => Err(serde::de::Error::custom("not an object")),
        }
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = from.next_entry()? {
            if entries.is_empty() {
                entries.reserve_exact(ROOM);
            }
            entries.push(entry);
        }
        Ok(Value::Object(Map::sorted(entries)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// JSON texts, also with keys that stand there twice.
    fn json() -> impl Strategy<Value = String> {
        let text = "\"[a-c]{0,2}\"|\"[a-z实🔴 ]{0,30}\"|\"\\\\u00[01][0-9a-f]\"";
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|flag| flag.to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            // Other fractions do not come back from serde_json as they went.
            any::<i32>().prop_map(|eighths| (f64::from(eighths) / 8.0).to_string()),
            text,
        ];
        leaf.prop_recursive(4, 60, 12, move |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..6);
            let object = proptest::collection::vec((text, inner), 0..12);
            prop_oneof![
                list.prop_map(|items| format!("[{}]", items.join(","))),
                object.prop_map(|entries| {
                    let entries = entries.into_iter();
                    let entries: Vec<_> = entries.map(|(k, v)| format!("{k}:{v}")).collect();
                    format!("{{{}}}", entries.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_those_of_serde_json_in_the_same_order(text in json()) {
            let ours: Value = serde_json::from_str(&text).unwrap();
            let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(ours.to_string(), theirs.to_string());
            let written: Value = serde_json::from_str(&ours.to_string()).unwrap();
            prop_assert_eq!(&written, &ours);
            if let (Value::Object(ours), Some(theirs)) = (ours, theirs.as_object()) {
                prop_assert!(ours.iter().map(|(key, _)| key).eq(theirs.keys()));
                for (key, value) in theirs {
                    prop_assert_eq!(ours.get(key).unwrap().to_string(), value.to_string());
                }
            }
        }

        #[test]
        fn inserting_and_taking_out_keep_the_order(
            steps in proptest::collection::vec(("[a-d]{0,2}", any::<Option<bool>>()), 0..40),
        ) {
            let mut ours = Map::new();
            let mut theirs = std::collections::BTreeMap::new();
            for (key, step) in &steps {
                match step {
                    Some(flag) => {
                        ours.insert(key.as_str(), Value::Bool(*flag));
                        theirs.insert(key.as_str(), Value::Bool(*flag));
                    }
                    None => prop_assert_eq!(ours.remove(key), theirs.remove(key.as_str())),
                }
                prop_assert_eq!(ours.contains_key(key), step.is_some());
            }
            prop_assert!(ours.iter().eq(theirs.iter().map(|(key, value)| (*key, value))));
        }
    }

    #[test]
    fn values_are_no_larger_than_those_of_serde_json() {
        assert!(size_of::<Value>() <= size_of::<serde_json::Value>());
    }
}
