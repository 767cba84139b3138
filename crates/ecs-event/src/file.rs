//! A file of what was stored: what a queue, a console or an SDK gave back, in one file in any mixture.
//!
//! One JSON value, an array, values one a line or one after the other, XML of a queue, lines of
//! Base64, forms. Each good part counts, whatever stands beside it; what is none has its place.

use super::decode;
use super::event::Event;
use super::payload::{LeftOutKind, parse_stored};
use super::xml;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// How often a text within a file may be Base64 again.
const MAX_DEPTH: usize = 6;
/// A line of fewer characters is no Base64 that could begin a value: it may be any word.
const MIN_BASE64: usize = 16;
/// The values that Base64 is decoded to may take this much memory each, as in a payload.
const MAX_MEMORY: usize = 48 * 1024 * 1024;

/// A part of a file, with its place.
#[derive(Debug)]
pub struct Part {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// Its path within what begins there: `$`, `$[2].data.messageBody`, `Message[3]`.
    pub path: String,
    /// What it is.
    pub content: Content,
}

/// What a part of a file is.
#[derive(Debug)]
pub enum Content {
    /// An event.
    Event {
        /// The event.
        event: Arc<Event>,
        /// The event as it came, secrets and all, without what it was wrapped in: JSON in one line.
        json: String,
    },
    /// Understood, and no event.
    LeftOut(LeftOutKind),
    /// Not understood: what is wrong with it.
    Fault(String),
}

impl Part {
    /// Returns its place in the file: `line 3`, `line 3 $[2]`.
    pub fn place(&self) -> impl fmt::Display {
        fmt::from_fn(|f| match self.path.as_str() {
            "$" => write!(f, "line {}", self.line),
            path => write!(f, "line {} {path}", self.line),
        })
    }
}

/// Reads a file: UTF-8, or UTF-16 where a byte order mark or a first zero byte tells.
///
/// Returns its parts in order of appearance. An empty file or array has none.
pub fn read_file(bytes: &[u8]) -> Vec<Part> {
    read_text(&decode_text(bytes), 0)
}

fn read_text(text: &str, depth: usize) -> Vec<Part> {
    let mut reader = Reader {
        text,
        at: 0,
        counted: (0, 1),
        depth,
        array: None,
        parts: Vec::new(),
    };
    while reader.read_part() {}
    reader.parts
}

/// The way through a text.
struct Reader<'a> {
    text: &'a str,
    /// How far it was read, in bytes.
    at: usize,
    /// An offset, and its line.
    counted: (usize, usize),
    /// How many times over the text was wrapped in Base64.
    depth: usize,
    array: Option<Array>,
    parts: Vec<Part>,
}

/// An array that is open. Its elements are parts of the file: it may be long, or break off.
struct Array {
    line: usize,
    /// The number of the next element.
    index: usize,
}

impl<'a> Reader<'a> {
    /// Reads one part, or a mark between parts. Returns false at the end.
    fn read_part(&mut self) -> bool {
        let is_between = |char: char| char.is_whitespace() || matches!(char, '\u{feff}' | '\0');
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_between).len();
        match (self.rest().bytes().next(), &mut self.array) {
            (None, None) => return false,
            (None, Some(array)) => {
                let line = array.line;
                self.array = None;
                let problem = "an array that is not closed: the file may be cut off";
                self.add(line, "$".into(), Content::Fault(problem.into()));
            }
            (Some(b'['), None) => {
                let line = self.line(self.at);
                self.array = Some(Array { line, index: 0 });
                self.at += 1;
            }
            (Some(b']'), Some(_)) => {
                self.array = None;
                self.at += 1;
            }
            // Elements of an array may have been copied without its brackets.
            (Some(b','), _) => self.at += 1,
            (Some(b'<'), _) => self.read_xml(),
            (Some(b'{' | b'[' | b'"'), _) | (_, Some(_)) => self.read_json(),
            (Some(_), None) => self.read_lines(),
        }
        true
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Returns the line of an offset. Offsets come in ascending order, so that each byte is looked
    /// at once.
    fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let passed = self.text.as_bytes()[from..at].iter();
        let passed = passed.filter(|byte| **byte == b'\n').count();
        self.counted = (at, line + passed);
        self.counted.1
    }

    fn add(&mut self, line: usize, path: String, content: Content) {
        self.parts.push(Part {
            line,
            path,
            content,
        });
    }

    /// Adds what a text holds that was found at this line, under this path.
    fn add_payload(&mut self, text: &str, line: usize, root: &str) {
        let parsed = parse_stored(text, root);
        for (event, source) in parsed.events.into_iter().zip(parsed.sources) {
            let json = source.json;
            self.add(line, source.path, Content::Event { event, json });
        }
        if parsed.timer.is_some() {
            let timer = Content::LeftOut(LeftOutKind::Timer);
            self.add(line, root.to_owned(), timer);
        }
        for part in parsed.left_out {
            self.add(line, part.path, Content::LeftOut(part.kind));
        }
        for error in parsed.errors {
            self.add(line, error.path, Content::Fault(error.problem));
        }
        if parsed.more_errors > 0 {
            let more = format!("and {} more that are no events", parsed.more_errors);
            self.add(line, root.to_owned(), Content::Fault(more));
        }
    }

    fn read_json(&mut self) {
        let (rest, start) = (self.rest(), self.at);
        let line = self.line(start);
        let path = match &mut self.array {
            None => "$".to_owned(),
            Some(array) => {
                array.index += 1;
                format!("$[{}]", array.index - 1)
            }
        };
        let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.at += end;
                self.add_payload(&rest[..end], line, &path);
            }
            Some(Err(error)) if error.is_eof() => {
                let problem = "the JSON breaks off: the file may be cut off here";
                self.break_off(start, line, path, problem.into());
            }
            Some(Err(error)) => {
                let text = error.to_string();
                let cause = text.split(" at line ").next().unwrap_or_default();
                let at = line - 1 + error.line();
                let problem = format!("not JSON: {cause} in line {at}");
                self.break_off(start, line, path, problem);
            }
            None => self.at = self.text.len(),
        }
    }

    fn read_xml(&mut self) {
        let start = self.at;
        let document = xml::read(self.rest());
        let count = document.bodies.len();
        for (index, body) in document.bodies.into_iter().enumerate() {
            let line = self.line(start + body.start);
            let root = match count {
                1 => "Message".to_owned(),
                _ => format!("Message[{index}]"),
            };
            self.add_payload(&body.text, line, &root);
        }
        self.at = start + document.end;
        if let Some(problem) = document.fault {
            // What follows may have been taken for text of the element that is open.
            let whole = start + document.last_body_end;
            let line = self.line(whole);
            self.break_off(whole, line, "$".into(), problem.into());
        }
    }

    /// Reads lines that are neither JSON nor XML.
    fn read_lines(&mut self) {
        let start = self.at;
        let line = self.line(start);
        let rest = self.rest();
        let first = rest.lines().next().unwrap_or_default();
        // A value of its own.
        if decode::other_text(first, MAX_MEMORY).is_ok() {
            self.at += first.len();
            return self.add_payload(first, line, "$");
        }
        let run = wrapped_lines(rest);
        if let Some(held) = self.held_in(run) {
            self.at += run.len();
            for part in held {
                self.add(line, part.path, part.content);
            }
            return;
        }
        let problem = "neither JSON, XML of a queue, Base64 of these, nor a form";
        self.break_off(start, line, "$".into(), problem.into());
    }

    /// Returns the parts that Base64 holds, in lines of equal length.
    fn held_in(&self, lines: &str) -> Option<Vec<Part>> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        let bytes = decode::base64_bytes(lines)?;
        let text = String::from_utf8(bytes).ok()?;
        let is_meant = matches!(
            decode::trim(text.as_bytes()),
            [b'{' | b'[' | b'<' | b'"', ..]
        );
        is_meant.then(|| read_text(&text, self.depth + 1))
    }

    /// Adds a fault, and goes on where the next part may begin behind `start`: at a line that is not
    /// indented further.
    fn break_off(&mut self, start: usize, line: usize, path: String, problem: String) {
        self.add(line, path, Content::Fault(problem));
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let indent = indent(&self.text[line_start..]);
        let mut at = line_start;
        for line in self.text[line_start..].split_inclusive('\n') {
            let is_end = self.array.is_some() && line.trim_start().starts_with(']');
            if at > start && self::indent(line) <= indent && (begins_part(line) || is_end) {
                self.at = at;
                return;
            }
            at += line.len();
        }
        self.at = self.text.len();
        // That it is not closed is no news.
        self.array = None;
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn begins_part(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['{', '[', '<', '"'])
        || line.len() >= MIN_BASE64 && is_base64(line)
        || decode::form(line, MAX_MEMORY).is_some()
}

fn is_base64(line: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    !line.is_empty() && line.bytes().all(is_digit)
}

/// Returns the lines at the start of a text that may be one value in Base64: of equal length, but
/// for a shorter last one.
fn wrapped_lines(text: &str) -> &str {
    let mut length = None;
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let digits = line.trim();
        let first = *length.get_or_insert(digits.len());
        if !is_base64(digits) || digits.len() > first {
            break;
        }
        end += line.len();
        if digits.len() < first || digits.ends_with('=') {
            break;
        }
    }
    &text[..end]
}

fn decode_text(bytes: &[u8]) -> Cow<'_, str> {
    let (unit, bytes): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        [1..=255, 0, ..] => (u16::from_le_bytes, bytes),
        [0, 1..=255, ..] => (u16::from_be_bytes, bytes),
        _ => return String::from_utf8_lossy(bytes),
    };
    // An odd byte at the end is half of a character.
    let (pairs, _) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units).into()
}

#[cfg(test)]
mod tests;
