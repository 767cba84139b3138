//! The lines that an event's own data give: what a person wants of it, labelled, never the raw dump.

use super::Style;
use super::markdown::plain;
use super::when;
use super::words::{FIELDS, Field, status_word};
use crate::event::{Event, Level, Moment, parse_moment};
use serde_json::{Map, Value};

/// Longest value shown, in characters.
const MAX_VALUE: usize = 300;
/// Longest key shown where a key has no label of its own, in characters.
const MAX_KEY: usize = 60;
/// How deep nested objects are followed; deeper ones are told by their size.
const MAX_DEPTH: usize = 4;
/// Most lines that one event's data give before the rest is counted.
const MAX_LINES: usize = 60;

/// The labelled lines of `event`'s data, and how many more there would have been.
///
/// Known keys come first, in the order of the table; unknown ones follow under their own names.
/// What stands elsewhere in the message is not repeated.
pub(super) fn lines(event: &Event, style: &Style, planned_shown: bool) -> (Vec<String>, usize) {
    let mut lines = Vec::new();
    let said = |key: &str, value: &Value| {
        let Some(text) = value.as_str() else {
            return false;
        };
        let same = |other: &Option<String>| other.as_deref() == Some(text);
        match key {
            "instanceId" | "diskId" | "snapshotId" | "eniId" => same(&event.resource_id),
            "instanceName" | "snapshotName" => same(&event.resource_name),
            "result" | "status" | "invocationStatus" => same(&event.status),
            "level" | "curLevel" => event.level.is_some() && Level::parse(text) == event.level,
            "eventTime" => parse_moment(value) == event.time,
            "notBefore" => planned_shown,
            _ => false,
        }
    };
    for (key, field) in FIELDS {
        let Some(value) = event.details.get(*key) else {
            continue;
        };
        if said(key, value) {
            continue;
        }
        let (label, shown) = match field {
            Field::Hidden => continue,
            Field::Text(zh, en) => (style.language.pick(*zh, *en), text(value, style)),
            Field::Time(zh, en) => (style.language.pick(*zh, *en), time(value, style)),
        };
        if let Some(shown) = shown {
            lines.push(style.language.line(label, &shown));
        }
    }
    let mut rest = Vec::new();
    flatten("", &event.details, 0, style, &mut rest);
    lines.append(&mut rest);
    let more = lines.len().saturating_sub(MAX_LINES);
    lines.truncate(MAX_LINES);
    (lines, more)
}

/// Lines for the keys without a label, nested ones as `outer.inner`.
fn flatten(
    prefix: &str,
    map: &Map<String, Value>,
    depth: usize,
    style: &Style,
    lines: &mut Vec<String>,
) {
    for (key, value) in map {
        if depth == 0 && FIELDS.iter().any(|(known, _)| known == key) {
            continue;
        }
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Object(inner) if depth < MAX_DEPTH => {
                flatten(&path, inner, depth + 1, style, lines);
            }
            _ => {
                if let Some(shown) = text(value, style) {
                    let label = plain(&path, MAX_KEY);
                    let label = if label.is_empty() { "-" } else { &label };
                    lines.push(style.language.line(label, &shown));
                }
            }
        }
    }
}

/// A value in words; `None` where there is nothing to show.
fn text(value: &Value, style: &Style) -> Option<String> {
    let raw = match value {
        Value::Null => return None,
        Value::String(s) => status_word(s, style.language).map_or_else(|| s.clone(), str::to_owned),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().filter_map(|item| text(item, style)).collect();
            parts.join(", ")
        }
        Value::Object(map) => map
            .iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", text(value, style)?)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    Some(plain(&raw, MAX_VALUE)).filter(|shown| !shown.is_empty())
}

fn time(value: &Value, style: &Style) -> Option<String> {
    match parse_moment(value) {
        Some(at @ Moment::At(_)) => Some(when::moment(&at, &style.zone)),
        _ => text(value, style),
    }
}
