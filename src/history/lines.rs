//! Text → the function's log lines, wherever they stand.
//!
//! Nothing is assumed of the text around them: a log line is found as the JSON object that it is,
//! behind a prefix, in an array, as a member of another object, in the text of the member `message`
//! of another object, and in a quoted field of a CSV file. So lines of every kind may be mixed.

use serde_json::error::Category;
use serde_json::{Deserializer, Map, Value};

/// The most text that is searched for the end of one object. An entry of Simple Log Service is
/// at most 1 MB. What is longer may be a whole download in one object: its parts are read.
pub(super) const MAX_OBJECT: usize = 1024 * 1024;
/// The most text outside of objects that is kept until its line ends.
const MAX_TEXT: usize = 4096;
/// The first part of a CSV field that is taken for an object.
const FIRST_PART: usize = 256;
/// How deep texts are searched that stand in texts.
const MAX_TEXTS: usize = 4;

/// What `s logs` prints in place of a word that holds a time and more: for a line of the function
/// all of it up to the first blank.
const SPOILED: &str = "Invalid date";

/// How many lines were understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Log lines of the function.
    pub read: usize,
    /// Other lines, and other objects.
    pub left_out: usize,
    /// How many of those `s logs` wrote over.
    pub spoiled: usize,
}

impl LineCounts {
    pub(super) fn add(&mut self, others: LineCounts) {
        self.read += others.read;
        self.left_out += others.left_out;
        self.spoiled += others.spoiled;
    }
}

/// Finds log lines in a text that comes in parts.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) counts: LineCounts,
    /// What the line that is being read has held so far.
    has_object: bool,
    has_text: bool,
    is_spoiled: bool,
}

impl Lines {
    /// Finds the log lines in a text, and returns how much of it is done with. The rest is to be
    /// given again with more text behind it, and all is done with if there is none (`is_last`).
    pub(super) fn find(
        &mut self,
        text: &str,
        is_last: bool,
        found: &mut dyn FnMut(&Map<String, Value>),
    ) -> usize {
        self.find_nested(text, is_last, MAX_TEXTS, found)
    }

    fn find_nested(
        &mut self,
        text: &str,
        is_last: bool,
        depth: usize,
        found: &mut dyn FnMut(&Map<String, Value>),
    ) -> usize {
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let is_stop = |byte| byte == b'{' || byte == b'\n';
            let Some(next) = rest.bytes().position(is_stop) else {
                if !is_last && rest.len() < MAX_TEXT {
                    return at;
                }
                self.pass(rest);
                if is_last {
                    self.end_line();
                }
                return text.len();
            };
            self.pass(&rest[..next]);
            at += next;
            if rest[next..].starts_with('\n') {
                self.end_line();
                at += 1;
                continue;
            }
            let object = &text[at..];
            match first_object(object) {
                First::Object(value, length) => {
                    self.has_object = true;
                    if !self.visit(&value, depth, found) {
                        self.counts.left_out += 1;
                    }
                    at += length;
                }
                First::Begun if !is_last && object.len() < MAX_OBJECT => return at,
                First::Begun | First::None => {
                    self.has_text = true;
                    at += 1;
                }
            }
        }
    }

    /// Finds the log lines in a JSON value. Returns false if nothing in it was counted.
    fn visit(
        &mut self,
        value: &Value,
        depth: usize,
        found: &mut dyn FnMut(&Map<String, Value>),
    ) -> bool {
        match value {
            Value::Object(line) if is_log_line(line) => {
                self.counts.read += 1;
                found(line);
                true
            }
            Value::Object(members) => {
                let mut any = false;
                for (name, member) in members {
                    any |= match member {
                        Value::String(text) if name == "message" && depth > 0 => {
                            self.find_in_message(text, depth - 1, found)
                        }
                        member => self.visit(member, depth, found),
                    };
                }
                any
            }
            Value::Array(items) => {
                let visit = |any, item| self.visit(item, depth, found) | any;
                items.iter().fold(false, visit)
            }
            _ => false,
        }
    }

    /// Finds the log lines in the text of a member. Returns false if nothing in it was counted.
    fn find_in_message(
        &mut self,
        text: &str,
        depth: usize,
        found: &mut dyn FnMut(&Map<String, Value>),
    ) -> bool {
        let mut inner = Lines::default();
        inner.find_nested(text, true, depth, found);
        self.counts.add(inner.counts);
        inner.counts != LineCounts::default()
    }

    /// Passes text that is outside of objects.
    fn pass(&mut self, text: &str) {
        let is_between = |c: char| c.is_whitespace() || ['[', ']', ','].contains(&c);
        if !self.has_text && !text.chars().all(is_between) {
            self.has_text = true;
        }
        self.is_spoiled |= text.contains(SPOILED);
    }

    /// Counts the line that ends here if it held text but no object.
    fn end_line(&mut self) {
        if self.has_text && !self.has_object {
            self.counts.left_out += 1;
            self.counts.spoiled += usize::from(self.is_spoiled);
        }
        (self.has_object, self.has_text, self.is_spoiled) = (false, false, false);
    }
}

/// What a text begins with.
enum First {
    /// A JSON object of this length.
    Object(Value, usize),
    /// A JSON object that does not end in this text.
    Begun,
    /// No JSON object.
    None,
}

/// Reads the object that a text begins with, as it is or as it stands in a quoted field of CSV.
fn first_object(text: &str) -> First {
    match first_json(text) {
        First::None if text[1..].trim_start().starts_with("\"\"") => first_in_csv(text),
        first => first,
    }
}

/// Reads the object that a text begins with, in which each quotation mark stands twice.
fn first_in_csv(text: &str) -> First {
    // Most texts that begin like one and are none are known by their first part.
    let mut part = FIRST_PART;
    loop {
        let end = text.floor_char_boundary(part);
        let plain = text[..end].replace("\"\"", "\"");
        match first_json(&plain) {
            First::Object(value, length) => {
                let marks = plain[..length].matches('"').count();
                return First::Object(value, length + marks);
            }
            First::Begun if end < text.len() && part < MAX_OBJECT => part *= 4,
            first => return first,
        }
    }
}

fn first_json(text: &str) -> First {
    let mut values = Deserializer::from_slice(text.as_bytes()).into_iter();
    match values.next() {
        Some(Ok(value)) => First::Object(value, values.byte_offset()),
        Some(Err(error)) if error.classify() == Category::Eof => First::Begun,
        Some(Err(_)) | None => First::None,
    }
}

/// Returns true if an object is a line of the function's log.
fn is_log_line(object: &Map<String, Value>) -> bool {
    let is_text = |name: &str| object.get(name).is_some_and(Value::is_string);
    let outcome = object.get("outcome").and_then(Value::as_str);
    let is_outcome = |word| ["delivered", "duplicate", "filtered", "failed"].contains(&word);
    outcome.is_some_and(is_outcome) && is_text("route") && is_text("eventId")
}
