//! One JSON line for each event and route, on standard output.

use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Longest text of one field, in bytes before JSON's escapes. With every field this long a line
/// stays under 16 KiB, and so under Function Compute's limit of 32 KB for one log entry.
const MAX_FIELD: usize = 600;

/// Lines are gathered until there are so many bytes of them, and written together.
const GATHERED: usize = 32 * 1024;

/// What there is to tell of one event at one route; what has no value is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    /// When the line was written, RFC 3339 in UTC with milliseconds.
    #[serde(serialize_with = "text")]
    pub time: &'a str,
    /// Function Compute's request id.
    #[serde(skip_serializing_if = "str::is_empty", serialize_with = "text")]
    pub request_id: &'a str,
    /// The event's own id, or the hash of its content where it has none.
    #[serde(serialize_with = "text")]
    pub event_id: &'a str,
    /// The event's full name.
    #[serde(serialize_with = "text")]
    pub event: &'a str,
    /// `CRITICAL`, `WARN`, `INFO` or `UNKNOWN`.
    pub level: &'static str,
    /// The resource's id.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "option")]
    pub resource: Option<&'a str>,
    /// The region's id.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "option")]
    pub region: Option<&'a str>,
    /// The route's name.
    #[serde(serialize_with = "text")]
    pub route: &'a str,
    /// `delivered`, `duplicate`, `filtered` or `failed`.
    pub outcome: &'static str,
    /// The variable that decided about the event.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "option")]
    pub rule: Option<&'a str>,
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
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "option")]
    pub message_uuid: Option<&'a str>,
    /// Milliseconds from taking the event to knowing its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What to do about a failure.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "remedy")]
    pub remedy: Option<&'a str>,
}

/// Where the lines go: those of one invocation together, before the response that they belong to.
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

    /// Lines to be written. They have been when this is over.
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            log: self,
            gathered: Vec::new(),
        }
    }

    /// Whole lines in one call. An output that is gone does not fail the deliveries they tell of.
    fn write(&self, lines: &[u8]) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(lines).and_then(|()| out.flush());
    }
}

/// Lines on their way to the log: thousands of them take few calls.
pub struct Lines<'a> {
    log: &'a Log,
    gathered: Vec<u8>,
}

impl Lines<'_> {
    /// Adds one line.
    pub fn add(&mut self, line: &Line) {
        let before = self.gathered.len();
        match serde_json::to_writer(&mut self.gathered, line) {
            Ok(()) => self.gathered.push(b'\n'),
            Err(_) => self.gathered.truncate(before),
        }
        if self.gathered.len() >= GATHERED {
            self.log.write(&self.gathered);
            self.gathered.clear();
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if !self.gathered.is_empty() {
            self.log.write(&self.gathered);
        }
    }
}

/// One field of a line for people: without control characters, and not longer than a field of the log.
pub(crate) fn field(text: &str) -> Cow<'_, str> {
    bounded(text, MAX_FIELD)
}

fn text<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&bounded(text, MAX_FIELD))
}

fn option<S: Serializer>(text: &Option<&str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&bounded(text.unwrap_or_default(), MAX_FIELD))
}

fn remedy<S: Serializer>(text: &Option<&str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&bounded(text.unwrap_or_default(), 2 * MAX_FIELD))
}

/// The text without control characters, cut between characters.
fn bounded(text: &str, max: usize) -> Cow<'_, str> {
    // 0xc2 begins, among others, the control characters beyond ASCII.
    let may_hold_control = |byte: u8| byte.is_ascii_control() || byte == 0xc2;
    if text.len() <= max && !text.bytes().any(may_hold_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if out.len() + c.len_utf8() > max {
            out.push('…');
            break;
        }
        out.push(c);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    #[test]
    fn fields_without_a_value_are_left_out() {
        let line = Line {
            time: "2026-11-25T01:01:00.000Z",
            event_id: "1",
            event: "A:B",
            level: "UNKNOWN",
            route: "default",
            outcome: "filtered",
            ..Line::default()
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"time":"2026-11-25T01:01:00.000Z","eventId":"1","event":"A:B","level":"UNKNOWN","route":"default","outcome":"filtered"}"#
        );
    }

    /// Notes each call to write.
    #[derive(Clone, Default)]
    struct Calls(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_and_many_together() {
        for (count, expected_calls) in [(0, 0), (1, 1), (3, 1), (1000, 3)] {
            let calls = Calls::default();
            let log = Log::to(calls.clone());
            let mut lines = log.lines();
            for _ in 0..count {
                lines.add(&Line::default());
            }
            drop(lines);
            let calls = calls.0.lock().unwrap();
            assert_eq!(calls.len(), expected_calls);
            for call in calls.iter() {
                assert!(call.ends_with(b"}\n"));
            }
            let all: Vec<u8> = calls.concat();
            assert_eq!(all.iter().filter(|byte| **byte == b'\n').count(), count);
        }
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_16_kib_or_holds_a_control_character(
            text in "[\"\\\\\u{0}\u{1f}a实]{0,4000}|[\u{7f}-\u{a1}]{0,9}",
        ) {
            let line = Line {
                time: &text,
                request_id: &text,
                event_id: &text,
                event: &text,
                resource: Some(&text),
                region: Some(&text),
                route: &text,
                rule: Some(&text),
                message_uuid: Some(&text),
                remedy: Some(&text),
                ..Line::default()
            };
            let json = serde_json::to_string(&line).unwrap();
            prop_assert!(json.len() <= 16 * 1024, "{}", json.len());
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert!(!read["event"].as_str().unwrap().contains(char::is_control));
        }
    }
}
