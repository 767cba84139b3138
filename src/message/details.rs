//! The lines that an event's own data give: what a person wants of it, labelled, never the raw dump.

use super::Style;
use super::i18n::{Field, field, status_word};
use super::markdown::{BREAK, plain};
use super::time;
use crate::event::{Event, EventTime, Level};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longest value shown, in characters.
const MAX_VALUE: usize = 300;
/// Longest key shown where a key has no label of its own, in characters.
const MAX_KEY: usize = 60;
/// How deep nested objects are followed; deeper ones are told by their size.
const MAX_DEPTH: usize = 4;
/// Most lines that one event's data give before the rest is counted.
const MAX_LINES: usize = 60;

/// The lines as they are written.
struct Lines<'a> {
    text: &'a mut String,
    style: &'a Style,
    /// Where each line ends in the text.
    ends: Vec<usize>,
    /// Lines beyond [`MAX_LINES`].
    more: usize,
}

impl Lines<'_> {
    fn push(&mut self, label: &str, value: &str) {
        if self.ends.len() == MAX_LINES {
            self.more += 1;
            return;
        }
        self.text.push_str(BREAK);
        self.style.language.line(self.text, label, &[value]);
        self.ends.push(self.text.len());
    }
}

/// Appends the labelled lines of `event`'s data to `text`; tells where each of them ends, and how many more there would
/// have been.
///
/// Known keys come first, in the order of the table; unknown ones follow under their own names.
/// What stands elsewhere in the message is not repeated.
pub(super) fn write(
    text: &mut String,
    event: &Event,
    style: &Style,
    planned_shown: bool,
) -> (Vec<usize>, usize) {
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
            "eventTime" => EventTime::parse(value) == event.time,
            "notBefore" => planned_shown,
            _ => false,
        }
    };
    let mut known: Vec<(usize, Field, &Value)> = Vec::new();
    let mut unknown = Vec::new();
    for (key, value) in event.details.iter() {
        match field(key) {
            Some((_, Field::Hidden)) => {}
            Some((place, field)) if !said(key, value) => {
                let at = known.partition_point(|(before, _, _)| *before < place);
                known.insert(at, (place, field, value));
            }
            Some(_) => {}
            None => unknown.push((key, value)),
        }
    }

    let mut lines = Lines {
        text,
        style,
        ends: Vec::new(),
        more: 0,
    };
    for (_, field, value) in known {
        let (label, shown) = match field {
            Field::Hidden => continue,
            Field::Text(zh, en) => (style.language.pick(zh, en), words(value, style)),
            Field::Time(zh, en) => (style.language.pick(zh, en), time(value, style)),
        };
        if let Some(shown) = shown {
            lines.push(label, &shown);
        }
    }
    for (key, value) in unknown {
        flatten(key, value, 0, &mut lines);
    }
    (lines.ends, lines.more)
}

/// Lines for a key without a label, nested ones as `outer.inner`.
fn flatten(path: &str, value: &Value, depth: usize, lines: &mut Lines) {
    match value {
        Value::Object(inner) if depth < MAX_DEPTH => nested(path, inner, depth + 1, lines),
        _ => {
            if let Some(shown) = words(value, lines.style) {
                let label = plain(path, MAX_KEY);
                let label = if label.is_empty() { "-" } else { &label };
                lines.push(label, &shown);
            }
        }
    }
}

fn nested(outer: &str, map: &Map<String, Value>, depth: usize, lines: &mut Lines) {
    for (key, value) in map.iter() {
        if outer.is_empty() {
            flatten(key, value, depth, lines);
        } else {
            flatten(&format!("{outer}.{key}"), value, depth, lines);
        }
    }
}

/// A value in words; `None` where there is nothing to show.
fn words<'a>(value: &'a Value, style: &Style) -> Option<Cow<'a, str>> {
    let shown = match value {
        Value::Null => return None,
        Value::String(s) => plain(status_word(s, style.language).unwrap_or(s), MAX_VALUE),
        _ => Cow::Owned(plain(&unquoted(value, style), MAX_VALUE).into_owned()),
    };
    Some(shown).filter(|shown| !shown.is_empty())
}

/// A flag, a number, or what a list or an object holds.
fn unquoted(value: &Value, style: &Style) -> String {
    match value {
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().filter_map(|item| words(item, style)).collect();
            parts.join(", ")
        }
        Value::Object(map) => map
            .iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", words(value, style)?)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

fn time<'a>(value: &'a Value, style: &Style) -> Option<Cow<'a, str>> {
    match EventTime::parse(value) {
        Some(at @ EventTime::At(_)) => Some(Cow::Owned(time::moment(&at, &style.zone))),
        _ => words(value, style),
    }
}
