//! One JSON line for each event and route, on standard output.

use serde::Serialize;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest text of one field, in bytes before JSON's escapes. With every field this long a line
/// stays under 16 KiB, and so under Function Compute's limit of 32 KB for one log entry.
const MAX_FIELD: usize = 600;

/// Most bytes of lines that wait for an output that does not take them.
const MOST_WAITING: usize = 1024 * 1024;

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

/// Where the lines go. A line is written whole, in one call, and before the response it belongs to: unless the output
/// takes nothing, which must not keep an invocation from answering in time. Then the lines wait for it in memory.
pub struct Log(Arc<Pipe>);

/// From the invocations to the one thread that writes.
#[derive(Default)]
struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    waiting_bytes: usize,
    /// Lines that were taken in, and of these, lines that are through.
    taken: u64,
    done: u64,
    lost: u64,
    closed: bool,
}

impl Log {
    /// Lines on standard output.
    pub fn stdout() -> Log {
        Log::to(std::io::stdout())
    }

    /// Lines to any writer.
    pub fn to(writer: impl Write + Send + 'static) -> Log {
        let pipe = Arc::<Pipe>::default();
        let end = Arc::clone(&pipe);
        let thread = std::thread::Builder::new().name("log".to_owned());
        if thread.spawn(move || end.drain(writer)).is_err() {
            pipe.lock().closed = true;
        }
        Log(pipe)
    }

    /// Writes lines, and waits for them to be through, but not for longer than `within`. An output that is gone does not
    /// fail the delivery it tells of. Lines beyond 1 MiB that nobody takes are lost; how many, is told on standard error
    /// once lines can be written again.
    pub fn write(&self, lines: impl IntoIterator<Item = Line>, within: Duration) {
        let limit = Instant::now() + within;
        let mut last = 0;
        for line in lines {
            if let Ok(text) = serde_json::to_string(&line.bounded()) {
                last = self.0.take(text + "\n", limit).unwrap_or(last);
            }
        }
        drop(
            self.0
                .wait(self.0.lock(), limit, |state| state.done >= last),
        );
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready`, or until `limit`.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Instant,
        ready: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let left = limit.saturating_duration_since(Instant::now());
        self.changed
            .wait_timeout_while(state, left, |state| !state.closed && !ready(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Takes a line in and tells its number; `None` when there is no room for it before `limit`.
    fn take(&self, line: String, limit: Instant) -> Option<u64> {
        let has_room = |state: &State| state.waiting_bytes + line.len() <= MOST_WAITING;
        let mut state = self.wait(self.lock(), limit, has_room);
        if state.closed || !has_room(&state) {
            state.lost += 1;
            return None;
        }
        state.waiting_bytes += line.len();
        state.waiting.push_back(line);
        state.taken += 1;
        self.changed.notify_all();
        Some(state.taken)
    }

    /// Writes whatever comes, until there will be no more.
    fn drain(&self, mut out: impl Write) {
        let mut state = self.lock();
        loop {
            let Some(line) = state.waiting.pop_front() else {
                if state.closed {
                    return;
                }
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.waiting_bytes -= line.len();
            let lost = std::mem::take(&mut state.lost);
            drop(state);
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
            if lost > 0 {
                let _ = writeln!(
                    std::io::stderr(),
                    "{lost} log lines were lost: standard output did not take them"
                );
            }
            state = self.lock();
            state.done += 1;
            self.changed.notify_all();
        }
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

    fn line(n: usize) -> Line {
        Line {
            event_id: n.to_string(),
            event: "x".repeat(500),
            ..Line::default()
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
        log.write([line(0), line(1)], short);
        // More than there is room for: what is too much is lost, and the rest is not.
        log.write((2..4000).map(line), short);
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop(release);
        log.write([line(4000)], Duration::from_secs(30));
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        let numbers: Vec<usize> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| line["eventId"].as_str().unwrap().parse().unwrap())
            .collect();
        let kept = numbers.len() - 1;
        assert!(
            kept * 500 < MOST_WAITING + 10_000 && kept > 1000,
            "{kept} lines"
        );
        assert!(numbers[..kept].iter().copied().eq(0..kept));
        assert_eq!(numbers[kept], 4000);
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
