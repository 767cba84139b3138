//! One JSON line for each event and route, on standard output.

mod pipe;

use pipe::{Pipe, stdout_takes, take};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Where the lines go: those of one invocation together, and before the response that they belong to. Unless the output
/// takes nothing, which must not keep an invocation from answering in time: then the lines wait for it in memory.
pub struct Log(Arc<Pipe>);

impl Log {
    /// Lines on standard output.
    pub fn stdout() -> Log {
        Log::new(std::io::stdout(), stdout_takes)
    }

    /// Lines to any writer, which may take its time.
    pub fn to(writer: impl Write + Send + 'static) -> Log {
        Log::new(writer, |_| false)
    }

    /// Lines to a writer that never makes anybody wait.
    pub fn at_once(writer: impl Write + Send + 'static) -> Log {
        Log::new(writer, |_| true)
    }

    fn new(writer: impl Write + Send + 'static, takes: fn(usize) -> bool) -> Log {
        Log(Arc::new(Pipe::new(writer, takes)))
    }

    /// Lines to be written. They have been when this is over, which waits for it, but not for longer than `within`. An
    /// output that is gone does not fail the deliveries they tell of. Lines beyond 1 MiB that nobody takes are lost; how
    /// many, is told on standard error once lines can be written again.
    pub fn lines(&self, within: Duration) -> Lines<'_> {
        Lines {
            log: self,
            limit: Instant::now() + within,
            gathered: Vec::new(),
            last: 0,
        }
    }
}

/// Lines on their way to the log: thousands of them take few calls.
pub struct Lines<'a> {
    log: &'a Log,
    limit: Instant,
    gathered: Vec<u8>,
    /// The number of the last portion.
    last: u64,
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
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let portion = std::mem::take(&mut self.gathered);
        if self.log.0.write_at_once(&portion) {
            return;
        }
        if let Some(number) = take(&self.log.0, portion, self.limit) {
            self.last = number;
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if !self.gathered.is_empty() {
            self.hand_over();
        }
        if self.last > 0 {
            self.log.0.wait_until_done(self.last, self.limit);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.close();
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
    use super::pipe::{MOST_WAITING, takes};
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

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

    const LONG: Duration = Duration::from_secs(30);

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
            let mut lines = log.lines(LONG);
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

    /// An output that takes nothing until it is told to.
    struct Stuck {
        released: std::sync::mpsc::Receiver<()>,
        out: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // Fails, and so no longer waits, once the other end is gone.
            let _ = self.released.recv();
            self.out.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn write(log: &Log, numbers: impl IntoIterator<Item = usize>, within: Duration) {
        let mut lines = log.lines(within);
        for number in numbers {
            lines.add(&Line {
                event_id: &number.to_string(),
                event: &"x".repeat(500),
                ..Line::default()
            });
        }
    }

    #[test]
    fn an_output_that_takes_nothing_holds_nobody_up_and_gets_the_lines_later() {
        let (release, released) = std::sync::mpsc::channel();
        let out = Arc::<Mutex<Vec<u8>>>::default();
        let stuck = Stuck {
            released,
            out: Arc::clone(&out),
        };
        let log = Log::to(stuck);
        let short = Duration::from_millis(10);
        let begun = Instant::now();
        write(&log, [0, 1], short);
        // More than there is room for: what is too much is lost, and the rest is not.
        write(&log, 2..4000, short);
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop(release);
        write(&log, [4000], LONG);
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        let numbers: Vec<usize> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| line["eventId"].as_str().unwrap().parse().unwrap())
            .collect();
        let kept = numbers.len() - 1;
        assert!(
            kept * 500 < MOST_WAITING + 2 * GATHERED && kept > 1000,
            "{kept} lines"
        );
        assert!(numbers[..kept].iter().copied().eq(0..kept));
        assert_eq!(numbers[kept], 4000);
    }

    /// Notes who wrote, and how much.
    #[derive(Clone, Default)]
    struct Writers(Arc<Mutex<Vec<(std::thread::ThreadId, usize)>>>);

    impl Write for Writers {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let writer = std::thread::current().id();
            self.0.lock().unwrap().push((writer, bytes.len()));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_the_output_takes_at_once_is_written_by_whoever_has_it_and_no_thread_is_started() {
        let writers = Writers::default();
        let log = Log::new(writers.clone(), |bytes| bytes < 2000);
        for count in [1, 1, 4, 1] {
            write(&log, 0..count, LONG);
        }
        let here = std::thread::current().id();
        let written = writers.0.lock().unwrap();
        let by_us: Vec<bool> = written.iter().map(|(writer, _)| *writer == here).collect();
        assert_eq!(by_us, [true, true, false, true]);
        drop(written);

        let log = Log::at_once(Writers::default());
        write(&log, 0..100, LONG);
        assert!(!log.0.lock().drained);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_takes_4_kib_while_it_has_room_for_them_and_somebody_reads() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        assert!(!takes(&writer, 4097));
        let mut written = 0;
        while takes(&writer, 4096) {
            writer.write_all(&[0; 4096]).unwrap();
            written += 4096;
        }
        // Of Linux's 64 KiB not one portion less, and no write was stuck.
        assert!(written >= 4096, "{written}");
        assert!(!takes(&writer, 1));
        drop(reader);
        assert!(!takes(&writer, 1));
    }

    #[test]
    fn lines_do_not_overtake_those_that_wait_nor_get_stuck_with_them() {
        let (release, released) = std::sync::mpsc::channel();
        let out = Arc::<Mutex<Vec<u8>>>::default();
        let stuck = Stuck {
            released,
            out: Arc::clone(&out),
        };
        let log = Log::new(stuck, |bytes| bytes < 2000);
        let short = Duration::from_millis(10);
        write(&log, 0..4, short);
        write(&log, [4], short);
        assert!(out.lock().unwrap().is_empty());
        drop(release);
        write(&log, [5], LONG);
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        let ids = text.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["eventId"].as_str().unwrap().to_owned()
        });
        assert!(ids.eq((0..6).map(|n| n.to_string())), "{text}");
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
