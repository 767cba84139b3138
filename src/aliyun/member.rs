//! Tolerant reading of the API's JSON: every member may be missing or of another type.
//!
//! Some products write the first letter of their members in lower case, so both are read.

use serde_json::{Map, Value};

/// The longest text, in characters. The API's own limit for names and tags is 128.
const MAX_CHARS: usize = 256;

pub(super) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let (first, rest) = name.split_at_checked(1)?;
        object.get(&format!("{}{rest}", first.to_ascii_lowercase()))
    })
}

/// Returns a text without the blanks around it, cut to 256 characters; `None` if it is empty.
pub(super) fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = member(object, name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_CHARS).collect())
}

pub(super) fn object<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    member(object, name)?.as_object()
}

/// Returns the elements of a list, which is wrapped in an object: `"Tags": {"Tag": […]}`. A list
/// may be missing instead of empty.
pub(super) fn list<'a>(parent: &'a Map<String, Value>, outer: &str, inner: &str) -> &'a [Value] {
    let elements = object(parent, outer).and_then(|outer| member(outer, inner));
    elements
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_read_in_both_spellings_and_of_any_type() {
        let value = json!({
            "A": " x ", "b": "y", "C": 1, "D": "", "E": {"F": [1]}, "G": [1], "H": {"I": {}},
        });
        let value = value.as_object().unwrap();
        assert_eq!(text(value, "A").as_deref(), Some("x"));
        assert_eq!(text(value, "B").as_deref(), Some("y"));
        for odd in ["C", "D", "E", "Z", ""] {
            assert_eq!(text(value, odd), None, "{odd}");
        }
        assert_eq!(list(value, "E", "F"), [json!(1)]);
        for (outer, inner) in [("G", "F"), ("H", "I"), ("H", "Z"), ("Z", "F"), ("A", "F")] {
            assert!(list(value, outer, inner).is_empty(), "{outer}");
        }
        let long = json!({"A": "团".repeat(1000)});
        let cut = text(long.as_object().unwrap(), "A").unwrap();
        assert_eq!(cut, "团".repeat(256));
    }
}
