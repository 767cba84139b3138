//! Hides the values of an event's data that are secret by their name, before anything can show them
//! or make a hash of them.
//!
//! A name is the key of a field, also of one in a text: in JSON, whole or cut off, in a form, in
//! `name=value`, and in any of these inside another. Nothing else of a text changes. Each layer of
//! a text is read once, so the work grows with its length and with the number of layers, which has
//! a limit.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Range;

/// What stands in place of a secret.
const MASK: &str = "***";
/// Words that make a name that of a secret, in lower case and without what may stand inside them.
const WORDS: [&[u8]; 9] = [
    b"password",
    b"passwd",
    b"pwd",
    b"secret",
    b"token",
    b"userdata",
    b"accesskey",
    b"privatekey",
    b"credential",
];
/// How many texts inside texts are read. A text further inside that names a secret is hidden as a
/// whole.
const MAX_LAYERS: u32 = 6;

/// Marks without which a text names no secret.
const MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut rest: &[u8] = b"=\"'%\\";
    while let [mark, others @ ..] = rest {
        marks[*mark as usize] = true;
        rest = others;
    }
    marks
};

/// Hides the secrets in an event's data.
pub(super) fn mask(data: &mut Map<String, Value>) {
    for (key, value) in data.iter_mut() {
        if is_secret(key.as_bytes()) {
            hide(value);
        } else {
            mask_value(value);
        }
    }
}

fn mask_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(masked) = masked(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_value),
        Value::Object(map) => mask(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Hides a value. What says no more than yes, no or nothing is no secret.
fn hide(value: &mut Value) {
    let is_open = match value {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if !is_open {
        *value = MASK.into();
    }
}

/// Returns the text with its secrets hidden; `None` where it has none.
fn masked(text: &str) -> Option<String> {
    if !may_name_secret(text.as_bytes()) {
        return None;
    }
    let spans = spans(text.as_bytes(), 0);
    if spans.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        let quote = span.quote.text();
        out.push_str(text.get(from..span.start)?);
        out.push_str(&quote);
        out.push_str(MASK);
        out.push_str(&quote);
        from = span.end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// Returns true if the name is that of a secret, in any letter case and with any `_`, `-`, `.` or
/// blank inside.
fn is_secret(name: &[u8]) -> bool {
    // Most names fail at the first two letters.
    let may_begin = |at: usize| {
        let next = name.get(at + 1).copied().unwrap_or_default();
        let is_letter = next.is_ascii_alphabetic();
        match (name[at] | 0x20, next | 0x20) {
            (b'p', b'a' | b'w' | b'r') | (b's' | b'c', b'e' | b'r') => true,
            (b't', b'o') | (b'u', b's') | (b'a', b'c') => true,
            (b'p' | b's' | b'c' | b't' | b'u' | b'a', _) => !is_letter,
            _ => false,
        }
    };
    (0..name.len())
        .any(|at| may_begin(at) && WORDS.iter().any(|word| begins_with(&name[at..], word)))
}

fn begins_with(text: &[u8], word: &[u8]) -> bool {
    let mut letters = text
        .iter()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b'.' | b' ' | b'\t'));
    word.iter().all(|letter| {
        letters
            .next()
            .is_some_and(|byte| byte.to_ascii_lowercase() == *letter)
    })
}

/// Returns false for most texts that name no secret. A name stands before `=` or in quotes, all of
/// which may be escaped.
fn may_name_secret(text: &[u8]) -> bool {
    text.iter().any(|byte| MARKS[usize::from(*byte)])
        && (is_secret(text) || has_hidden_letters(text))
}

/// Returns true if letters of a name may be written as `\u0070` or `%70`.
fn has_hidden_letters(text: &[u8]) -> bool {
    text.contains(&b'%') || text.windows(4).any(|escape| escape == b"\\u00")
}

/// A part of a text that gives way to the mask.
struct Span {
    start: usize,
    end: usize,
    quote: Quote,
}

/// What stands around a mask: nothing, or a quotation mark in all the escapes of its layers. Two
/// bits for each layer, the innermost first.
#[derive(Clone, Copy)]
struct Quote(u32);

impl Quote {
    const NONE: Quote = Quote(0);
    const PLAIN: Quote = Quote(1);

    fn in_layer(self, layer: Layer) -> Quote {
        match self.0 {
            0 => self,
            layers => Quote(layers << 2 | layer as u32),
        }
    }

    fn text(self) -> Cow<'static, str> {
        match self.0 {
            0 => Cow::Borrowed(""),
            1 => Cow::Borrowed("\""),
            layers => {
                let inner = Quote(layers >> 2).text();
                Cow::Owned(if layers & 3 == Layer::Json as u32 {
                    inner.replace('\\', "\\\\").replace('"', "\\\"")
                } else {
                    inner.replace('\\', "%5C").replace('"', "%22")
                })
            }
        }
    }
}

/// How a text stands in another.
#[derive(Clone, Copy, PartialEq)]
enum Layer {
    /// As a string of JSON.
    Json = 2,
    /// As a value of a form.
    Form = 3,
}

impl Layer {
    /// Returns the byte at the beginning of an encoded text, and how many bytes it takes there. A
    /// character beyond ASCII is some byte that means nothing.
    fn unit(self, text: &[u8]) -> (u8, usize) {
        let other = (text[0], 1);
        match (self, text) {
            (Layer::Json, [b'\\', b'u', code @ ..]) => hex(code, 4).map_or(other, |byte| (byte, 6)),
            (Layer::Json, [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..]) => (b' ', 2),
            (Layer::Json, [b'\\', escaped, ..]) => (*escaped, 2),
            (Layer::Form, [b'%', code @ ..]) => hex(code, 2).map_or(other, |byte| (byte, 3)),
            (Layer::Form, [b'+', ..]) => (b' ', 1),
            _ => other,
        }
    }

    fn decode(self, mut text: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(text.len());
        while !text.is_empty() {
            let (byte, taken) = self.unit(text);
            decoded.push(byte);
            text = &text[taken..];
        }
        decoded
    }

    /// Moves spans of the decoded text to where they stand in the encoded one.
    fn encode(self, text: &[u8], spans: &mut [Span]) {
        let (mut encoded, mut decoded) = (0, 0);
        let mut place = |at: usize| {
            while decoded < at {
                encoded += self.unit(&text[encoded..]).1;
                decoded += 1;
            }
            encoded
        };
        for span in spans {
            span.start = place(span.start);
            span.end = place(span.end);
            span.quote = span.quote.in_layer(self);
        }
    }
}

/// Returns the byte that so many hexadecimal digits stand for.
fn hex(text: &[u8], digits: usize) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(..digits)?).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    Some(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Returns the secrets in a text, in order.
fn spans(text: &[u8], layer: u32) -> Vec<Span> {
    let mut scan = Scan {
        text,
        layer,
        plain_until: 0,
        spans: Vec::new(),
    };
    scan.run();
    scan.spans
}

struct Scan<'a> {
    text: &'a [u8],
    layer: u32,
    /// No value of a form before this place holds another text.
    plain_until: usize,
    spans: Vec<Span>,
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut braces = 0_usize;
        let mut last_word = 0..0;
        while let Some(byte) = self.text.get(at) {
            at = match byte {
                b'"' => self.string(at),
                b'{' => {
                    braces += 1;
                    at + 1
                }
                b'}' => {
                    braces = braces.saturating_sub(1);
                    at + 1
                }
                byte if is_word(*byte) => {
                    let word = at..self.skip(at, is_word);
                    let next = self.word(&last_word, word.clone(), braces > 0);
                    last_word = word;
                    next
                }
                _ => at + 1,
            };
        }
    }

    /// Reads a string at its quotation mark. Returns where it goes on.
    fn string(&mut self, at: usize) -> usize {
        let content = at + 1..self.string_end(at + 1, b'"');
        let after = (content.end + 1).min(self.text.len());
        let colon = self.skip(after, |byte| byte.is_ascii_whitespace());
        if self.text.get(colon) != Some(&b':') {
            self.inside(content, Layer::Json);
            return after;
        }
        let key = &self.text[content];
        let is_secret = match key.contains(&b'\\') {
            true => is_secret(&Layer::Json.decode(key)),
            false => is_secret(key),
        };
        if is_secret {
            self.value(colon + 1)
        } else {
            colon + 1
        }
    }

    /// Reads a word that may be a name. Returns where it goes on.
    ///
    /// A quotation mark may follow: that of a key whose beginning was cut off, or one of another
    /// kind.
    fn word(&mut self, last: &Range<usize>, word: Range<usize>, is_in_braces: bool) -> usize {
        let end = word.end;
        let mut after = self.skip(end, |byte| byte == b']');
        let equals = self.skip(after, |byte| matches!(byte, b' ' | b'\t'));
        let is_pair = self.text.get(equals) == Some(&b'=');
        if !is_pair {
            let marks = self.skip(after, |byte| byte == b'\\');
            after = self
                .skip(marks, |byte| matches!(byte, b'"' | b'\''))
                .min(marks + 1);
            let colon = self.skip(after, |byte| byte.is_ascii_whitespace());
            let is_key = after > marks && self.text.get(colon) == Some(&b':');
            if is_key && self.is_name(last, &word) {
                return self.value(colon + 1);
            }
            return end;
        }
        let start = self.skip(equals + 1, |byte| matches!(byte, b' ' | b'\t'));
        if self.is_name(last, &word) {
            return self.pair(start, is_in_braces);
        }
        // A value of a form, which may hold another text. One that was looked at is not again. One
        // that begins with `name=` is none: a form would escape the sign.
        if start >= self.plain_until && !self.begins_plain_pair(start) {
            let is_value = |byte| byte != b'&' && byte > b' ' && byte != b'"';
            let value = start..self.skip(start, is_value);
            if self.text[value.clone()].contains(&b'%') {
                let end = value.end;
                self.inside(value, Layer::Form);
                return end;
            }
            self.plain_until = value.end;
        }
        start
    }

    /// Returns true if a word is the name of a secret, or the second half of one.
    fn is_name(&self, last: &Range<usize>, word: &Range<usize>) -> bool {
        let is_secret = |range: Range<usize>| match &self.text[range] {
            name if name.contains(&b'%') || name.contains(&b'+') => {
                is_secret(&Layer::Form.decode(name))
            }
            name => is_secret(name),
        };
        let is_after_blank =
            || self.skip(last.end, |byte| matches!(byte, b' ' | b'\t')) == word.start;
        is_secret(word.clone())
            || !last.is_empty()
                && is_after_blank()
                && !is_secret(last.clone())
                && is_secret(last.start..word.end)
    }

    /// Hides the value behind the colon of a key. Returns where it goes on.
    fn value(&mut self, at: usize) -> usize {
        let at = self.skip(at, |byte| byte.is_ascii_whitespace());
        match self.text.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let end = self.string_end(at + 1, *quote);
                self.hide(at + 1..end, Quote::NONE);
                end + 1
            }
            Some(b'\\') => {
                let start = self.skip(at, |byte| byte == b'\\');
                let end = self.escaped_string_end(start + 1, start - at);
                self.hide(start + 1..end, Quote::NONE);
                self.skip(end, |byte| byte == b'\\') + 1
            }
            Some(b'{' | b'[') => {
                let end = self.bracket_end(at);
                self.hide(at..end, Quote::PLAIN);
                end
            }
            Some(_) => {
                let is_inside = |byte: u8| !matches!(byte, b',' | b'}' | b']') && byte > b' ';
                let end = self.skip(at, is_inside);
                self.hide(at..end, Quote::PLAIN);
                end
            }
            None => at,
        }
    }

    /// Hides the value behind an equals sign. Returns where it goes on.
    fn pair(&mut self, at: usize, is_in_braces: bool) -> usize {
        let from = match self.text.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let end = self.string_end(at + 1, *quote);
                self.hide(at + 1..end, Quote::NONE);
                return end + 1;
            }
            Some(b'{' | b'[') => self.bracket_end(at),
            _ => at,
        };
        let end = (from..self.text.len())
            .find(|end| self.ends_pair(*end, is_in_braces))
            .unwrap_or(self.text.len());
        self.hide(at..end, Quote::NONE);
        end
    }

    /// Returns true if the value of a pair ends before this byte. Between braces, as Java writes a
    /// map, it may have blanks inside. What may belong to it belongs to it.
    fn ends_pair(&self, at: usize, is_in_braces: bool) -> bool {
        let next = self.text.get(at + 1);
        let is_blank = |byte: &u8| byte.is_ascii_whitespace();
        let is_end_or_blank = next.is_none_or(is_blank);
        match self.text[at] {
            b'&' | b'"' | b'\n' | b'\r' => true,
            b' ' | b'\t' => !is_in_braces,
            b',' | b';' => !is_in_braces && is_end_or_blank || self.begins_pair(at + 1),
            b'}' | b')' | b']' => {
                is_end_or_blank || next.is_some_and(|byte| b",;&}])\"".contains(byte))
            }
            _ => false,
        }
    }

    /// Returns true if `name=` stands here.
    fn begins_pair(&self, at: usize) -> bool {
        let at = self.skip(at, |byte| byte == b' ');
        let end = self.skip(at, is_word);
        end > at && self.text.get(end) == Some(&b'=')
    }

    /// Returns true if `name=` stands here, and nothing of the name is escaped.
    fn begins_plain_pair(&self, at: usize) -> bool {
        let end = self.skip(at, |byte| is_word(byte) && byte != b'%');
        end > at && self.text.get(end) == Some(&b'=')
    }

    /// Searches a text that stands in this one.
    fn inside(&mut self, range: Range<usize>, layer: Layer) {
        let text = &self.text[range.clone()];
        if !may_name_secret(text) {
            return;
        }
        if self.layer == MAX_LAYERS {
            return self.hide(range, Quote::NONE);
        }
        let mut inner = spans(&layer.decode(text), self.layer + 1);
        layer.encode(text, &mut inner);
        self.spans.extend(inner.into_iter().map(|span| Span {
            start: range.start + span.start,
            end: range.start + span.end,
            ..span
        }));
    }

    /// Adds a secret, unless it is nothing, `true`, `false` or `null`.
    fn hide(&mut self, range: Range<usize>, quote: Quote) {
        let value = self.text.get(range.clone()).unwrap_or_default();
        let is_word = matches!(value, b"true" | b"false" | b"null");
        // What a text in Base64 ends with.
        let is_padding = value.iter().all(|byte| *byte == b'=');
        if !is_padding && !is_word {
            self.spans.push(Span {
                start: range.start,
                end: range.end,
                quote,
            });
        }
    }

    /// Returns the place of the first byte from `at` on that does not fit.
    fn skip(&self, at: usize, fits: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !fits(*byte));
        length.map_or(self.text.len().max(at), |length| at + length)
    }

    /// Returns the place of the mark that closes a string, or the end of a text that is cut off.
    fn string_end(&self, mut at: usize, quote: u8) -> usize {
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'\\' => at += 2,
                byte if *byte == quote => return at,
                _ => at += 1,
            }
        }
        self.text.len()
    }

    /// Returns where a string ends whose quotation marks have so many backslashes before them.
    fn escaped_string_end(&self, start: usize, backslashes: usize) -> usize {
        let mut at = start;
        loop {
            at = self.skip(at, |byte| byte != b'\\' && byte != b'"');
            let mark = self.skip(at, |byte| byte == b'\\');
            match self.text.get(mark) {
                Some(b'"') if mark - at <= backslashes => return at,
                Some(_) => at = mark + 1,
                None => return self.text.len().max(start),
            }
        }
    }

    /// Returns the place behind the bracket that closes the one here, or the end of a text that is
    /// cut off.
    fn bracket_end(&self, mut at: usize) -> usize {
        let mut open = 0_usize;
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'"' => at = self.string_end(at + 1, b'"'),
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            at += 1;
            if open == 0 {
                return at;
            }
        }
        self.text.len()
    }
}

/// Returns true for what names are made of, also in forms.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'+') || byte >= 0x80
}

#[cfg(test)]
mod tests;
