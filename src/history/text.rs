//! Bytes → text: whatever encoding a download has, and without a terminal's colours.

use std::io::{ErrorKind, Read, Result};

/// Bytes asked for at a time.
const CHUNK: usize = 64 * 1024;

/// Reads an input as text: UTF-8, or UTF-16 where a byte order mark says so. What is neither
/// becomes replacement characters. Escape sequences are left out: `s logs` colours words inside of lines.
pub(super) struct Text<R> {
    input: R,
    /// Bytes that were read and not decoded yet.
    bytes: Vec<u8>,
    encoding: Option<Encoding>,
    escape: Escape,
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
}

/// How far an escape sequence has come.
#[derive(PartialEq)]
enum Escape {
    None,
    Begun,
    Parameters,
}

impl<R: Read> Text<R> {
    pub(super) fn new(input: R) -> Text<R> {
        Text {
            input,
            bytes: Vec::new(),
            encoding: None,
            escape: Escape::None,
        }
    }

    /// Appends more of the text. Returns false if there is no more.
    pub(super) fn read_to(&mut self, text: &mut String) -> Result<bool> {
        let mut is_last = !self.read()?;
        // Nothing can be said of less than a byte order mark.
        while self.encoding.is_none() && self.bytes.len() < 3 && !is_last {
            is_last = !self.read()?;
        }
        let encoding = *self.encoding.get_or_insert_with(|| {
            let (encoding, mark) = encoding(&self.bytes);
            self.bytes.drain(..mark);
            encoding
        });
        let decoded = match encoding {
            Encoding::Utf8 => decode_utf8(&mut self.bytes, is_last),
            Encoding::Utf16(unit) => decode_utf16(&mut self.bytes, unit, is_last),
        };
        self.escape.push_plain(&decoded, text);
        Ok(!is_last)
    }

    /// Reads more bytes. Returns false if there are none.
    fn read(&mut self) -> Result<bool> {
        let kept = self.bytes.len();
        self.bytes.resize(kept + CHUNK, 0);
        let count = loop {
            match self.input.read(&mut self.bytes[kept..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.bytes.truncate(kept + count);
        Ok(count > 0)
    }
}

/// Returns the encoding of a text, and the length of its byte order mark.
fn encoding(bytes: &[u8]) -> (Encoding, usize) {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Utf16(u16::from_le_bytes), 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16(u16::from_be_bytes), 2),
        _ => (Encoding::Utf8, 0),
    }
}

/// Takes the text out of `bytes`, but for a character at the end whose rest may follow.
fn decode_utf8(bytes: &mut Vec<u8>, is_last: bool) -> String {
    let kept = if is_last { 0 } else { begun_character(bytes) };
    let rest = bytes.split_off(bytes.len() - kept);
    let whole = std::mem::replace(bytes, rest);
    String::from_utf8(whole)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Returns how many bytes at the end begin a character without ending it.
fn begun_character(bytes: &[u8]) -> usize {
    let first = bytes
        .iter()
        .rev()
        .take(3)
        .position(|byte| byte & 0xc0 != 0x80);
    let Some(first) = first else { return 0 };
    let length = match bytes[bytes.len() - 1 - first] {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => 1,
    };
    if length > first + 1 { first + 1 } else { 0 }
}

/// Takes the text out of `bytes`, but for half a unit or half a pair at the end.
fn decode_utf16(bytes: &mut Vec<u8>, unit: fn([u8; 2]) -> u16, is_last: bool) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut units: Vec<u16> = units.collect();
    let is_half = |last: &u16| !is_last && (0xd800..0xdc00).contains(last);
    let _ = units.pop_if(|last| is_half(last));
    bytes.drain(..2 * units.len());
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

impl Escape {
    /// Appends a text without its escape sequences. One may have begun in the text before.
    fn push_plain(&mut self, text: &str, to: &mut String) {
        if *self == Escape::None && !text.contains('\u{1b}') {
            to.push_str(text);
            return;
        }
        for c in text.chars() {
            *self = match (&self, c) {
                (_, '\u{1b}') => Escape::Begun,
                (Escape::Begun, '[') => Escape::Parameters,
                (Escape::Parameters, '0'..='9' | ';' | ':' | '?') => Escape::Parameters,
                (Escape::Parameters, 'A'..='Z' | 'a'..='z') => Escape::None,
                // What is no sequence hides nothing.
                _ => {
                    to.push(c);
                    Escape::None
                }
            };
        }
    }
}
