//! The lines of an event's own data: labelled, the most important first, never the raw dump.

use super::event::Renderer;
use super::i18n::{Field, field, status_word};
use super::{Foreign, Line, Text};
use crate::event::{Event, EventTime, Level};
use serde_json::Value;

/// Longest value shown, in characters.
const MAX_VALUE: usize = 300;
/// Longest key shown where a key has no label of its own, in characters.
const MAX_KEY: usize = 60;
/// How deep nested objects become lines of their own; deeper ones are written in one line.
const MAX_DEPTH: usize = 4;

impl Renderer<'_> {
    /// The lines of the event's own data.
    ///
    /// Known keys come first, in the order of the table; unknown ones follow under their own names.
    /// What stands elsewhere in the message is not repeated.
    pub(super) fn details(&self, event: &Event, is_countdown_shown: bool) -> Vec<Line> {
        let mut known: Vec<(usize, Field, &Value)> = Vec::new();
        let mut unknown = Vec::new();
        for (key, value) in event.details.iter() {
            match field(key) {
                Some((place, field)) => {
                    if !is_repetition(event, key, value, is_countdown_shown) {
                        known.push((place, field, value));
                    }
                }
                None => unknown.push((key, value)),
            }
        }
        known.sort_by_key(|(place, _, _)| *place);
        let mut lines = Vec::new();
        for (_, field, value) in known {
            let (label, shown) = match field {
                Field::Hidden => continue,
                Field::Text(zh, en) => (self.select(zh, en), self.value(value)),
                Field::Time(zh, en) => (self.select(zh, en), self.time_value(value)),
            };
            lines.extend(shown.map(|shown| Line::new(label, shown)));
        }
        for (key, value) in unknown {
            self.flatten(key, value, 0, &mut lines);
        }
        lines
    }

    /// Appends the lines for a key without a label, nested ones as `outer.inner`.
    fn flatten(&self, path: &str, value: &Value, depth: usize, lines: &mut Vec<Line>) {
        if let Value::Object(map) = value
            && depth < MAX_DEPTH
        {
            for (key, value) in map.iter() {
                match path {
                    "" => self.flatten(key, value, depth + 1, lines),
                    _ => self.flatten(&format!("{path}.{key}"), value, depth + 1, lines),
                }
            }
        } else if let Some(shown) = self.value(value) {
            let label = match Foreign::new(path, MAX_KEY) {
                Some(label) => label.into(),
                None => Text::from("-"),
            };
            lines.push(Line::new(label, shown));
        }
    }

    /// A value in one line; `None` where there is nothing to show.
    fn value(&self, value: &Value) -> Option<Text> {
        // Status words are translated wherever they stand.
        if let Some(word) = value
            .as_str()
            .and_then(|text| status_word(text, self.options.language))
        {
            return Some(word.into());
        }
        let shown = match value {
            Value::Null => return None,
            Value::String(text) => Foreign::new(text, MAX_VALUE),
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(item));
                let items: Vec<String> = items.map(|item| item.to_string()).collect();
                Foreign::new(&items.join(", "), MAX_VALUE)
            }
            Value::Object(map) => {
                let items = map
                    .iter()
                    .filter_map(|(key, value)| Some(format!("{key} {}", self.value(value)?)));
                Foreign::new(&items.collect::<Vec<_>>().join(", "), MAX_VALUE)
            }
            other => Foreign::new(&other.to_string(), MAX_VALUE),
        };
        shown.map(Text::from)
    }

    fn time_value(&self, value: &Value) -> Option<Text> {
        match EventTime::parse(value) {
            Some(at @ EventTime::At(_)) => self.time(&at),
            _ => self.value(value),
        }
    }
}

/// Returns true if the value stands elsewhere in the message.
fn is_repetition(event: &Event, key: &str, value: &Value, is_countdown_shown: bool) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    let is = |shown: &Option<String>| shown.as_deref() == Some(text);
    match key {
        "instanceId" | "diskId" | "snapshotId" | "eniId" => is(&event.resource_id),
        "instanceName" | "snapshotName" => is(&event.resource_name),
        "result" | "status" | "invocationStatus" => is(&event.status),
        "level" | "curLevel" => event.level.is_some() && Level::parse(text) == event.level,
        "eventTime" => EventTime::parse(value) == event.time,
        "notBefore" => is_countdown_shown,
        _ => false,
    }
}
