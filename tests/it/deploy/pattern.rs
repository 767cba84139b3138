//! The part of EventBridge's event patterns that the tests need.
//!
//! All keys of a pattern must match, each with one of its alternatives. Matching is exact and
//! case-sensitive. An array in the event matches if one of its items does.

use serde_json::Value;

/// Returns true if `event` matches `pattern`.
pub fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(keys) => keys.iter().all(|(key, inner)| match inner {
            Value::Array(alternatives) => {
                alternatives.iter().any(|a| matches_one(a, event.get(key)))
            }
            inner => event.get(key).is_some_and(|value| matches(inner, value)),
        }),
        _ => false,
    }
}

fn matches_one(alternative: &Value, value: Option<&Value>) -> bool {
    if let Some(wanted) = alternative.get("exists").and_then(Value::as_bool) {
        return value.is_some() == wanted;
    }
    match value {
        None => false,
        Some(Value::Array(items)) => items
            .iter()
            .any(|item| matches_one(alternative, Some(item))),
        Some(value) => matches_value(alternative, value),
    }
}

fn matches_value(alternative: &Value, value: &Value) -> bool {
    let Some(operator) = alternative.as_object() else {
        return alternative == value;
    };
    let text = value.as_str().unwrap_or_default();
    operator
        .iter()
        .all(|(name, wanted)| match (name.as_str(), wanted) {
            ("prefix", Value::String(wanted)) => value.is_string() && text.starts_with(wanted),
            ("suffix", Value::String(wanted)) => value.is_string() && text.ends_with(wanted),
            ("contains", Value::String(wanted)) => value.is_string() && text.contains(wanted),
            ("anything-but", Value::Array(unwanted)) => {
                !unwanted.iter().any(|u| matches_value(u, value))
            }
            ("anything-but", unwanted) => !matches_value(unwanted, value),
            ("numeric", Value::Array(ranges)) => {
                value.as_f64().is_some_and(|n| in_ranges(n, ranges))
            }
            _ => panic!("the test's matcher does not know {name}: {wanted}"),
        })
}

fn in_ranges(number: f64, ranges: &[Value]) -> bool {
    ranges.chunks(2).all(|pair| {
        let bound = pair[1].as_f64().unwrap();
        match pair[0].as_str().unwrap() {
            "=" => number == bound,
            ">" => number > bound,
            ">=" => number >= bound,
            "<" => number < bound,
            "<=" => number <= bound,
            other => panic!("{other} is not a comparison"),
        }
    })
}

#[test]
fn operators_match_as_documented() {
    use serde_json::json;
    let event = json!({"source": "acs.ecs", "type": "ecs:Instance:StateChange", "n": 3, "list": ["a", "b"],
        "data": {"state": "Running", "nothing": null, "empty": ""}});
    for (pattern, expected) in [
        (json!({"source": ["acs.ecs"]}), true),
        (
            json!({"source": ["acs.oss", "acs.ecs"], "type": [{"prefix": "ecs:Instance:"}]}),
            true,
        ),
        (json!({"source": ["ACS.ECS"]}), false),
        (
            json!({"source": ["acs.ecs"], "type": ["ecs:Instance"]}),
            false,
        ),
        (json!({"type": [{"suffix": ":StateChange"}]}), true),
        (json!({"type": [{"contains": "Interruption"}]}), false),
        (
            json!({"data": {"state": [{"anything-but": "Running"}]}}),
            false,
        ),
        (
            json!({"data": {"state": [{"anything-but": ["Starting", "Stopping"]}]}}),
            true,
        ),
        (
            json!({"data": {"state": [{"anything-but": {"prefix": "Run"}}]}}),
            false,
        ),
        (json!({"n": [{"numeric": [">", 0, "<=", 3]}]}), true),
        (json!({"n": [{"numeric": ["<", 3]}]}), false),
        (json!({"data": {"x": [{"exists": false}]}}), true),
        (json!({"data": {"state": [{"exists": false}]}}), false),
        (json!({"data": {"nothing": [null], "empty": [""]}}), true),
        (json!({"list": ["b", "c"]}), true),
        (json!({"missing": ["x"]}), false),
        (json!({"data": {"deep": {"er": ["x"]}}}), false),
    ] {
        assert_eq!(matches(&pattern, &event), expected, "{pattern}");
    }
}
