//! Writes one JSON line for each event and route to standard output.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Longest text of one field, in bytes before JSON's escapes. With every field this long a line
/// stays under 16 KiB, and so under Function Compute's limit of 32 KB for one log entry.
const MAX_FIELD: usize = 600;

/// Bytes that a pipe takes without blocking when `poll` reports it writable (pipe(7)). A write of up
/// to so many bytes is atomic.
const PIPE_BUF: usize = 4096;

/// Bytes of lines that are buffered before they are written.
const BUFFER: usize = 32 * 1024;

/// The outcome of one event on one route. Fields without a value are left out.
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

/// Writes the lines of one invocation together, and before the response that they belong to.
pub struct Log {
    state: Mutex<State>,
    /// Notified when an invocation has put the writer back.
    released: Condvar,
}

struct State {
    /// `None` while an invocation writes its lines.
    writer: Option<Writer>,
    /// Lines that were dropped and not reported yet.
    lost: usize,
}

impl Log {
    /// Writes to standard output.
    pub fn stdout() -> Log {
        Log::new(std::io::stdout(), |limit| {
            is_writable(std::io::stdout(), limit)
        })
    }

    /// Writes to a writer that never blocks.
    pub fn to(writer: impl Write + Send + 'static) -> Log {
        Log::new(writer, |_| true)
    }

    fn new(
        output: impl Write + Send + 'static,
        is_writable: impl Fn(Instant) -> bool + Send + 'static,
    ) -> Log {
        let writer = Writer {
            output: Box::new(output),
            is_writable: Box::new(is_writable),
            buffer: Vec::new(),
            is_inside_line: false,
        };
        Log {
            state: Mutex::new(State {
                writer: Some(writer),
                lost: 0,
            }),
            released: Condvar::new(),
        }
    }

    /// Begins the lines of one invocation; they are written when the result is dropped. Other
    /// invocations wait until then.
    ///
    /// Waiting, for them and for the output, ends after `within`. Lines that are not written by then
    /// are dropped; how many is reported on stderr once lines can be written again. A closed output is
    /// ignored.
    pub fn lines(&self, within: Duration) -> Lines<'_> {
        let limit = Instant::now() + within;
        // A mutex held while writing would do, but for its `lock`, which has no time limit.
        let (mut state, _) = self
            .released
            .wait_timeout_while(self.lock(), within, |state| state.writer.is_none())
            .expect(NO_PANIC);
        Lines {
            log: self,
            limit,
            writer: state.writer.take(),
            lost: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds the log's lock";

/// The lines of one invocation.
pub struct Lines<'a> {
    log: &'a Log,
    limit: Instant,
    /// `None` if others did not release it in time.
    writer: Option<Writer>,
    lost: usize,
}

impl Lines<'_> {
    /// Adds one line.
    pub fn add(&mut self, line: &Line) {
        let Some(writer) = &mut self.writer else {
            self.lost += 1;
            return;
        };
        serde_json::to_writer(&mut writer.buffer, line)
            .expect("a struct of texts and numbers is valid JSON, and memory takes it");
        writer.buffer.push(b'\n');
        if writer.buffer.len() >= BUFFER {
            self.lost += writer.write(self.limit);
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if let Some(writer) = &mut self.writer {
            self.lost += writer.write(self.limit);
        }
        let mut state = self.log.lock();
        state.lost += self.lost;
        let Some(writer) = self.writer.take() else {
            return;
        };
        // stderr must not block either: if it would, the count stays for the next invocation.
        let is_over = state.lost > 0 && self.lost == 0 && (writer.is_writable)(Instant::now());
        let reports = is_over && is_writable(std::io::stderr(), Instant::now());
        let lost = if reports {
            std::mem::take(&mut state.lost)
        } else {
            0
        };
        state.writer = Some(writer);
        drop(state);
        self.log.released.notify_one();
        if lost > 0 {
            let _ = writeln!(
                std::io::stderr(),
                "{lost} log lines were lost: standard output did not take them"
            );
        }
    }
}

struct Writer {
    output: Box<dyn Write + Send>,
    /// Waits until the output takes [`PIPE_BUF`] bytes without blocking; false after the limit.
    is_writable: Box<dyn Fn(Instant) -> bool + Send>,
    /// Lines to be written. After a timeout, the rest of a line that was begun.
    buffer: Vec<u8>,
    is_inside_line: bool,
}

impl Writer {
    /// Writes the buffered lines, and returns how many were dropped because time ran out.
    fn write(&mut self, limit: Instant) -> usize {
        let mut written = 0;
        while written < self.buffer.len() && (self.is_writable)(limit) {
            let rest = &self.buffer[written..];
            let portion = &rest[..rest.len().min(PIPE_BUF)];
            // Whole lines where they fit: then what others write to the same pipe cuts none in two.
            let end = portion.iter().rposition(|byte| *byte == b'\n');
            let portion = end.map_or(portion, |end| &portion[..=end]);
            let result = self.output.write_all(portion);
            if result.and_then(|()| self.output.flush()).is_err() {
                // A closed output is ignored, like its lines.
                self.is_inside_line = false;
                self.buffer.clear();
                return 0;
            }
            written += portion.len();
            self.is_inside_line = end.is_none();
        }
        self.buffer.drain(..written);
        // A line that was begun stays, and is completed before the next one.
        let begun = if self.is_inside_line {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            end.map_or(0, |end| end + 1)
        } else {
            0
        };
        let lost = count_lines(&self.buffer[begun..]);
        self.buffer.truncate(begun);
        lost
    }
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// Waits until an output takes [`PIPE_BUF`] bytes without blocking, or fails at once. Returns false
/// if it does neither before `limit`.
fn is_writable(output: impl AsFd, limit: Instant) -> bool {
    loop {
        let left = limit.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).expect("a log waits for seconds, not for centuries");
        match poll(&mut [PollFd::new(&output, PollFlags::OUT)], Some(&timeout)) {
            Ok(ready) => return ready > 0,
            // A signal.
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Returns a text for a line on stderr: without control characters, and not longer than a field of
/// the log.
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
mod tests;
