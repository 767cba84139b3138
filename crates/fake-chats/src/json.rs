//! Reads JSON without tolerance: an object that has a member twice is a fault of its sender.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads an object. `None` if the bytes are no JSON in UTF-8, another value than an object, or have
/// a member twice.
pub(crate) fn object(bytes: &[u8]) -> Option<Value> {
    let Strict(value) = serde_json::from_slice(bytes).ok()?;
    value.is_object().then_some(value)
}

/// Returns true if JSON writes a character beyond ASCII as `\uXXXX`.
pub(crate) fn has_escapes_beyond_ascii(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let code = escape
            .get(1..5)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if escape.first() == Some(&b'u') && code.is_some_and(|code| code > 0x7f) {
            return true;
        }
        // The byte after a backslash is no backslash of its own.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON without a member twice")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Strict(element)) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(Error::custom("a member stands there twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_with_a_member_twice_is_refused() {
        let body = r#"{"a": [1, -2, 1.5, true, null, {"b": "c"}]}"#;
        assert_eq!(object(body.as_bytes()), serde_json::from_str(body).ok());
        for refused in [
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": {"b": 1, "b": 1}}"#,
            "[]",
            "{} {}",
            "",
        ] {
            assert_eq!(object(refused.as_bytes()), None, "{refused}");
        }
        assert_eq!(object(b"{\"a\": \"\xe9\"}"), None);
    }

    #[test]
    fn escapes_beyond_ascii_are_found() {
        for (text, found) in [
            (r#""\u4e2d""#, true),
            (r#""\\\u00e9""#, true),
            (r#""\\u4e2d""#, false),
            (r#""\u0007 \n""#, false),
            (r#""中""#, false),
            (r#"\"#, false),
        ] {
            assert_eq!(has_escapes_beyond_ascii(text.as_bytes()), found, "{text}");
        }
    }
}
