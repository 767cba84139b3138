//! Writes one JSON line for each event and route to standard output.

use crate::channel::Code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Longest text of one field, in bytes before JSON's escapes. With every field this long a line
/// stays under 16 KiB, and so under Function Compute's limit of 32 KB for one log entry.
const MAX_FIELD: usize = 512;

/// Bytes that a pipe takes without blocking when `poll` reports it writable (pipe(7)). A write of
/// up to so many bytes is atomic.
const PIPE_BUF: usize = 4096;

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
    /// The event's own id, or the hash of its content if it has none.
    #[serde(serialize_with = "text")]
    pub event_id: &'a str,
    /// The event's full name.
    #[serde(serialize_with = "text")]
    pub event: &'a str,
    /// `CRITICAL`, `WARN`, `INFO` or `UNKNOWN`.
    pub level: &'static str,
    /// The resource's id.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub resource: Option<&'a str>,
    /// The resource's name.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub resource_name: Option<&'a str>,
    /// The region's id.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub region: Option<&'a str>,
    /// The id of the account that owns the resource.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub account: Option<&'a str>,
    /// The route's name.
    #[serde(serialize_with = "text")]
    pub route: &'a str,
    /// `delivered`, `duplicate`, `filtered` or `failed`.
    pub outcome: &'static str,
    /// The variable that decided about the event.
    #[serde(serialize_with = "text")]
    pub rule: &'a str,
    /// How the look-up of the resource ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<&'static str>,
    /// The chat's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errcode: Option<&'a Code>,
    /// The class of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// Requests made to the chatbot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How many events the message holds, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<usize>,
    /// The message's idempotency key.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub message_uuid: Option<&'a str>,
    /// Milliseconds from taking the event to knowing its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What to do about a failure.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "remedy")]
    pub remedy: Option<&'a str>,
}

impl Line<'_> {
    /// Appends the line as JSON.
    pub fn append_to(&self, lines: &mut Vec<u8>) {
        let brace = lines.len();
        serde_json::to_writer(&mut *lines, self)
            .expect("a struct of texts and numbers is valid JSON, and memory takes it");
        // `s logs` takes what stands before the first blank for a time if a date is in it, and
        // prints "Invalid date" in its place.
        lines.insert(brace + 1, b' ');
        lines.push(b'\n');
    }
}

/// Writes the lines of one invocation together, and before the response that they belong to.
pub struct Log {
    /// `None` while an invocation writes its lines.
    writer: Mutex<Option<Writer>>,
    /// Notified when an invocation has put the writer back.
    released: Condvar,
    /// Lines that were dropped and not reported yet.
    lost: AtomicUsize,
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
            begun: Vec::new(),
        };
        Log {
            writer: Mutex::new(Some(writer)),
            released: Condvar::new(),
            lost: AtomicUsize::new(0),
        }
    }

    /// Writes the lines of one invocation, each ending in a line feed. One invocation writes at a
    /// time.
    ///
    /// Waiting, for another invocation and for the output, ends after `within`. Lines that are not
    /// written by then are dropped. Their number is reported on stderr once lines can be written
    /// again. A closed output is ignored.
    pub fn write(&self, lines: Vec<u8>, within: Duration) {
        if lines.is_empty() {
            return;
        }
        let limit = Instant::now() + within;
        // A mutex held while writing would do, but for its `lock`, which has no time limit.
        let (mut free, _) = self
            .released
            .wait_timeout_while(self.lock(), within, |writer| writer.is_none())
            .expect(NO_PANIC);
        let Some(mut writer) = free.take() else {
            self.lost.fetch_add(count_lines(&lines), Relaxed);
            return;
        };
        drop(free);
        let lost = writer.write(lines, limit);
        let before = self.lost.fetch_add(lost, Relaxed);
        // stderr must not block either: if it would, the count stays for the next invocation.
        if lost == 0 && before > 0 && is_writable(std::io::stderr(), Instant::now()) {
            let lost = self.lost.swap(0, Relaxed);
            let _ = writeln!(
                std::io::stderr(),
                "{lost} log lines were lost: standard output did not take them"
            );
        }
        *self.lock() = Some(writer);
        self.released.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds the log's lock";

struct Writer {
    output: Box<dyn Write + Send>,
    /// Waits until the output takes [`PIPE_BUF`] bytes without blocking; false after the limit.
    is_writable: Box<dyn Fn(Instant) -> bool + Send>,
    /// The rest of a line that was begun when time ran out. It is written before the next line.
    begun: Vec<u8>,
}

impl Writer {
    /// Writes whole lines, and returns how many were dropped because time ran out.
    fn write(&mut self, mut text: Vec<u8>, limit: Instant) -> usize {
        let begun = self.begun.len();
        text.splice(..0, self.begun.drain(..));
        let mut written = 0;
        while written < text.len() && (self.is_writable)(limit) {
            let rest = &text[written..];
            let portion = &rest[..rest.len().min(PIPE_BUF)];
            // Whole lines if they fit: then what others write to the same pipe cuts none in two.
            let line_end = portion.iter().rposition(|byte| *byte == b'\n');
            let portion = &portion[..line_end.map_or(portion.len(), |at| at + 1)];
            let result = self.output.write_all(portion);
            if result.and_then(|()| self.output.flush()).is_err() {
                // A closed output is ignored, like its lines.
                return 0;
            }
            written += portion.len();
        }
        // Keep the rest of a line that was begun, and drop the lines after it.
        let kept = match text[..written].last() {
            None => begun,
            Some(b'\n') => 0,
            Some(_) => {
                1 + text[written..]
                    .iter()
                    .take_while(|byte| **byte != b'\n')
                    .count()
            }
        };
        let dropped = text.split_off(written + kept);
        self.begun = text.split_off(written);
        count_lines(&dropped)
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

/// Serializes a text or `Some` text.
fn text<'a, T, S>(text: &T, to: S) -> Result<S::Ok, S::Error>
where
    T: Into<Option<&'a str>> + Copy,
    S: Serializer,
{
    let text: Option<&str> = (*text).into();
    to.serialize_str(&field(text.unwrap_or_default()))
}

fn remedy<S: Serializer>(text: &Option<&str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&bounded(text.unwrap_or_default(), 2 * MAX_FIELD))
}

/// Returns the text without control characters, cut between characters after `max` bytes.
fn bounded(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max && !text.contains(char::is_control) {
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
