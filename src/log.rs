//! One JSON line for each event and route, on standard output.

use serde::Serialize;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Longest text of one field, in bytes before JSON's escapes. With every field this long a line
/// stays under 16 KiB, and so under Function Compute's limit of 32 KB for one log entry.
const MAX_FIELD: usize = 600;

/// What there is to tell of one event at one route; what has no value is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// When the line was written, RFC 3339 in UTC with milliseconds.
    pub time: String,
    /// Function Compute's request id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The event's own id, or the hash of its content where it has none.
    pub event_id: String,
    /// The event's full name.
    pub event: String,
    /// `CRITICAL`, `WARN`, `INFO` or `UNKNOWN`.
    pub level: &'static str,
    /// The resource's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The region's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The route's name.
    pub route: String,
    /// `delivered`, `duplicate`, `filtered` or `failed`.
    pub outcome: &'static str,
    /// The variable that decided about the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// DingTalk's `errcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// The class of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// Requests made to the chatbot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How many events the message holds, where it holds several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<usize>,
    /// The message's idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_uuid: Option<String>,
    /// Milliseconds from taking the event to knowing its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What to do about a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Where the lines go. A line is written whole, in one call, before the response it belongs to.
pub struct Log(Mutex<Box<dyn Write + Send>>);

impl Log {
    /// Lines on standard output.
    pub fn stdout() -> Log {
        Log::to(std::io::stdout())
    }

    /// Lines to any writer.
    pub fn to(writer: impl Write + Send + 'static) -> Log {
        Log(Mutex::new(Box::new(writer)))
    }

    /// Writes one line. An output that is gone does not fail the delivery it tells of.
    pub fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_string(&line.bounded()) else {
            return;
        };
        text.push('\n');
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl Line {
    fn bounded(&self) -> Line {
        let owned = |text: &Option<String>| text.as_deref().map(bounded);
        Line {
            time: bounded(&self.time),
            request_id: bounded(&self.request_id),
            event_id: bounded(&self.event_id),
            event: bounded(&self.event),
            resource: owned(&self.resource),
            region: owned(&self.region),
            route: bounded(&self.route),
            rule: owned(&self.rule),
            message_uuid: owned(&self.message_uuid),
            remedy: self
                .remedy
                .as_deref()
                .map(|text| bounded_to(text, 2 * MAX_FIELD)),
            ..*self
        }
    }
}

/// The text without control characters, cut between characters.
pub(crate) fn bounded(text: &str) -> String {
    bounded_to(text, MAX_FIELD)
}

fn bounded_to(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if out.len() + c.len_utf8() > max {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_without_a_value_are_left_out() {
        let line = Line {
            time: "2026-11-25T01:01:00.000Z".into(),
            event_id: "1".into(),
            event: "A:B".into(),
            level: "UNKNOWN",
            route: "default".into(),
            outcome: "filtered",
            ..Line::default()
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"time":"2026-11-25T01:01:00.000Z","eventId":"1","event":"A:B","level":"UNKNOWN","route":"default","outcome":"filtered"}"#
        );
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_16_kib(text in "[\"\\\\\u{0}\u{1f}a实]{0,4000}") {
            let line = Line {
                time: text.clone(),
                request_id: text.clone(),
                event_id: text.clone(),
                event: text.clone(),
                resource: Some(text.clone()),
                region: Some(text.clone()),
                route: text.clone(),
                rule: Some(text.clone()),
                message_uuid: Some(text.clone()),
                remedy: Some(text),
                ..Line::default()
            };
            let json = serde_json::to_string(&line.bounded()).unwrap();
            prop_assert!(json.len() <= 16 * 1024, "{}", json.len());
        }
    }
}
