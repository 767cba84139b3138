//! The lines of an event's own data: labelled, the most important first, never the raw dump.

use super::fields::{Field, field};
use super::renderer::Renderer;
use super::status::{is_resolved, upcoming_start};
use super::{Foreign, Line, Span, Text};
use super::{alarm, api_call, values};
use crate::event::{Event, EventTime, Level};
use serde_json::Value;

/// Longest value shown, in characters.
const MAX_VALUE: usize = 300;
/// Longest key shown where a key has no label of its own, in characters.
const MAX_KEY: usize = 60;
/// How deep nested objects become lines of their own; deeper ones are written in one line.
const MAX_DEPTH: usize = 4;

impl Renderer<'_> {
    /// The lines of the event's own data, and of what was looked up.
    ///
    /// What an API call or an alarm says comes first, then the known keys, in the order of the
    /// table; unknown ones follow under their own names.
    pub(super) fn details(&self, event: &Event) -> Vec<Line> {
        let mut known = self.looked_up(event);
        let mut unknown = Vec::new();
        for (key, value) in &event.details {
            if is_omitted(event, key, value) {
                continue;
            }
            match field(key) {
                Some((place, field)) => {
                    let line = self.field(field, key, value);
                    known.extend(line.map(|line| (place, line)));
                }
                None => self.flatten(key, value, 0, &mut unknown),
            }
        }
        known.sort_by_key(|(place, _)| *place);
        let known = known.into_iter().map(|(_, line)| line);
        let mut lines = self.api_call(event);
        lines.extend(self.alarm(event));
        lines.extend(known.chain(unknown));
        lines
    }

    /// Returns true if the event's own data have something to show under this key.
    pub(super) fn shows(&self, event: &Event, key: &str) -> bool {
        let value = event.details.get(key);
        value
            .is_some_and(|value| !is_omitted(event, key, value) && self.value(key, value).is_some())
    }

    fn field(&self, field: Field, key: &str, value: &Value) -> Option<Line> {
        let (label, shown) = match field {
            Field::Text(zh, en) => (self.select(zh, en), self.value(key, value)),
            Field::Time(zh, en) => {
                let shown = match EventTime::parse(value) {
                    Some(at @ EventTime::At(_)) => self.time(&at),
                    _ => self.value(key, value),
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
        } else if let Some(shown) = self.value(path, value) {
            let label = Foreign::new(path, MAX_KEY).map_or(Span::from("-"), Span::from);
            lines.push(Line::new(label, shown));
        }
    }

    /// A value in one line, documented ones in words; `None` where there is nothing to show.
    pub(super) fn value(&self, key: &str, value: &Value) -> Option<Text> {
        let language = self.options.language;
        let text = match value {
            Value::Null => return None,
            Value::String(text) => match values::word(key, text, language) {
                Some(word) => return Some(word.into()),
                None => return Text::foreign(text, MAX_VALUE),
            },
            Value::Bool(value) => return Some(values::truth(*value, language).into()),
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(key, item));
                let items: Vec<String> = items.map(|item| item.to_string()).collect();
                items.join(", ")
            }
            Value::Object(_) | Value::Number(_) => verbatim(value)?,
        };
        Text::foreign(&text, MAX_VALUE)
    }
}

/// A value in one line. Beside keys of the API values stay as the API has them.
fn verbatim(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(verbatim).collect();
            items.join(", ")
        }
        Value::Object(map) => {
            let items = map
                .iter()
                .filter_map(|(key, value)| Some(format!("{key} {}", verbatim(value)?)));
            items.collect::<Vec<_>>().join(", ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    })
}

/// Returns true if a line of the event's own data names a resource by this id.
pub(super) fn names(event: &Event, id: &str) -> bool {
    let is_shown = |key: &str, value| field(key).is_some() && !is_omitted(event, key, value);
    let mut values = event.details.iter();
    values.any(|(key, value)| value == id && is_shown(key, value))
        || event.operation.is_some() && api_call::related(event).contains(&id)
}

/// Returns true if the value stands elsewhere in the message or is of no use to a person.
fn is_omitted(event: &Event, key: &str, value: &Value) -> bool {
    let is = |shown: &Option<String>| shown.as_ref().is_some_and(|shown| value == shown);
    let is_special = event.operation.is_some() && api_call::is_omitted(event, key, value)
        || event.name == alarm::NAME && alarm::is_omitted(event, key, value);
    if is_special {
        return true;
    }
    match key {
        "eventStatus" | "eventType" | "eventLevel" | "state" | "resourceType" | "resourceId"
        | "publishTime" | "ownerId" | "playerUid" | "requestId" => true,
        "instanceId" | "diskId" | "snapshotId" | "eniId" | "imageId" => is(&event.resource_id),
        "instanceName" | "snapshotName" | "diskName" => is(&event.resource_name),
        "vmName" => is(&event.resource_id) || is(&event.resource_name),
        "regionId" => is(&event.region),
        // Told with the status.
        "alertStatus" => is_resolved(event),
        "result" | "status" | "invocationStatus" => is(&event.status),
        "errorCode" => value == "0",
        "level" | "curLevel" => {
            event.level.is_some() && value.as_str().and_then(Level::parse) == event.level
        }
        "eventTime" => EventTime::parse(value) == event.time,
        "notBefore" => upcoming_start(event).is_some(),
        _ => false,
    }
}
