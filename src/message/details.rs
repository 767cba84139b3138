//! The lines of an event's own data: labelled, the most important first, never the raw dump.

use super::event::{Renderer, upcoming_start};
use super::i18n::{Field, field};
use super::{Foreign, Line, MAX_DETAILS, Span, Text};
use crate::event::{Event, EventTime, Level};
use serde_json::Value;

/// Longest value shown, in characters.
const MAX_VALUE: usize = 300;
/// Longest key shown where a key has no label of its own, in characters.
const MAX_KEY: usize = 60;
/// How deep nested objects become lines of their own; deeper ones are written in one line.
const MAX_DEPTH: usize = 4;

impl Renderer<'_> {
    /// The lines of the event's own data, and the count of those that are not shown.
    ///
    /// Known keys come first, in the order of the table; unknown ones follow under their own names.
    pub(super) fn details(&self, event: &Event) -> Vec<Line> {
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for (key, value) in &event.details {
            if is_omitted(event, key, value) {
                continue;
            }
            match field(key) {
                Some((place, field)) => {
                    let line = self.field(field, value);
                    known.extend(line.map(|line| (place, line)));
                }
                None => self.flatten(key, value, 0, &mut unknown),
            }
        }
        known.sort_by_key(|(place, _)| *place);
        let known = known.into_iter().map(|(_, line)| line);
        let mut lines: Vec<Line> = known.chain(unknown).collect();
        let limit = self.limit.min(MAX_DETAILS);
        let hidden = lines.len().saturating_sub(limit);
        if hidden > 0 {
            lines.truncate(limit);
            lines.push(Line::without_label(Text::own(self.select(
                format_args!("…… 另有 {hidden} 项未显示"),
                format_args!("… and {hidden} more not shown"),
            ))));
        }
        lines
    }

    fn field(&self, field: Field, value: &Value) -> Option<Line> {
        let (label, shown) = match field {
            Field::Text(zh, en) => (self.select(zh, en), self.value(value)),
            Field::Time(zh, en) => {
                let shown = match EventTime::parse(value) {
                    Some(at @ EventTime::At(_)) => self.time(&at),
                    _ => self.value(value),
                };
                (self.select(zh, en), shown)
            }
        };
        Some(Line::new(label, shown?))
    }

    /// Appends the lines for a key without a label, nested ones as `outer.inner`.
    fn flatten(&self, path: &str, value: &Value, depth: usize, lines: &mut Vec<Line>) {
        if let Value::Object(map) = value
            && depth < MAX_DEPTH
        {
            for (key, value) in map {
                self.flatten(&format!("{path}.{key}"), value, depth + 1, lines);
            }
        } else if let Some(shown) = self.value(value) {
            let label = Foreign::new(path, MAX_KEY).map_or(Span::from("-"), Span::from);
            lines.push(Line::new(label, shown));
        }
    }

    /// A value in one line; `None` where there is nothing to show.
    fn value(&self, value: &Value) -> Option<Text> {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => return self.words(text, MAX_VALUE),
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(item));
                let items: Vec<String> = items.map(|item| item.to_string()).collect();
                items.join(", ")
            }
            Value::Object(map) => {
                let items = map
                    .iter()
                    .filter_map(|(key, value)| Some(format!("{key} {}", self.value(value)?)));
                items.collect::<Vec<_>>().join(", ")
            }
            Value::Bool(_) | Value::Number(_) => value.to_string(),
        };
        Text::foreign(&text, MAX_VALUE)
    }
}

/// Returns true if the value stands elsewhere in the message or is of no use to a person.
fn is_omitted(event: &Event, key: &str, value: &Value) -> bool {
    let is = |shown: &Option<String>| shown.as_ref().is_some_and(|shown| value == shown);
    match key {
        "eventStatus" | "eventType" | "eventLevel" | "state" | "resourceType" | "resourceId"
        | "publishTime" | "ownerId" | "playerUid" | "requestId" => true,
        "instanceId" | "diskId" | "snapshotId" | "eniId" => is(&event.resource_id),
        "instanceName" | "snapshotName" => is(&event.resource_name),
        "result" | "status" | "invocationStatus" => is(&event.status),
        "level" | "curLevel" => {
            event.level.is_some() && value.as_str().and_then(Level::parse) == event.level
        }
        "eventTime" => EventTime::parse(value) == event.time,
        "notBefore" => upcoming_start(event).is_some(),
        _ => false,
    }
}
