//! From a text to the JSON that it holds, within the memory that there is.
//!
//! A text is JSON, JSON in which a producer cut a character in half, a form of CloudMonitor, XML of
//! a queue, or one of these in Base64.

use super::{metric_alarm, xml};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};

/// Memory of an object: serde_json allocates eleven fields with the first one.
const OBJECT_BYTES: usize = 700;
/// Memory of any other value.
const VALUE_BYTES: usize = 64;
/// Memory of the value that a byte of a text begins or goes before. A table is fast without
/// vector instructions, which code that is optimized for size has none of.
const MEMORY: [u16; 256] = {
    let mut memory = [0; 256];
    memory[b'{' as usize] = OBJECT_BYTES as u16;
    memory[b'[' as usize] = VALUE_BYTES as u16;
    memory[b',' as usize] = VALUE_BYTES as u16;
    memory
};
/// Names that tell a form of CloudMonitor: the webhook's, and those of a threshold alarm.
const FORM_FIELDS: [&str; 6] = [
    "alert",
    "alertName",
    "alertState",
    "metricName",
    "rawMetricName",
    "triggerLevel",
];

/// A value, and the memory that it takes at most.
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) memory: usize,
}

/// Why a text gives no value.
#[derive(Debug)]
pub(super) enum Fault {
    /// It begins like JSON and is none.
    Json(serde_json::Error),
    /// It begins like XML and is none of a queue.
    Xml(&'static str),
    /// It is none of the accepted texts.
    Other,
    /// Its value would take more memory than is left.
    TooLarge,
}

/// Decodes a payload. Only here a bare number or word of JSON is a value.
pub(super) fn payload(body: &[u8], left: usize) -> Result<Decoded, Fault> {
    match json(body, left) {
        Err(Fault::Json(error)) => {
            let text = String::from_utf8_lossy(body);
            other_text(&text, left).map_err(|fault| match fault {
                Fault::Json(_) | Fault::Other => Fault::Json(error),
                fault => fault,
            })
        }
        result => result,
    }
}

/// Decodes a text inside a payload. Blanks and a byte order mark around it change nothing.
pub(super) fn text(text: &str, left: usize) -> Result<Decoded, Fault> {
    let trimmed = trim(text.as_bytes());
    if begins_like_json(trimmed) {
        return json(trimmed, left);
    }
    other_text(text, left)
}

/// Decodes a text that is not JSON itself.
pub(super) fn other_text(text: &str, left: usize) -> Result<Decoded, Fault> {
    let trimmed = trim(text.as_bytes());
    if trimmed.starts_with(b"<") {
        return xml(trimmed, left);
    }
    match form(text, left) {
        Some(result) => result,
        None => base64(text, left),
    }
}

/// Decodes Base64 of either alphabet, padded or not, that holds an object, an array, XML or a form.
pub(super) fn base64(text: &str, left: usize) -> Result<Decoded, Fault> {
    let bytes = base64_bytes(text).ok_or(Fault::Other)?;
    // Nearly every word is valid Base64. Only an object, an array, XML or a form was meant so.
    match trim(&bytes) {
        inner @ [b'{' | b'[', ..] => json(inner, left),
        inner @ [b'<', ..] => xml(inner, left),
        inner => {
            let text = std::str::from_utf8(inner).map_err(|_| Fault::Other)?;
            form(text, left).unwrap_or(Err(Fault::Other))
        }
    }
}

/// Decodes Base64 of either alphabet, padded or not, with blanks anywhere.
pub(super) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let standard = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let mut compact = Vec::with_capacity(text.len());
    let bytes = trim(text.as_bytes()).iter().copied();
    compact.extend(
        bytes
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(standard),
    );
    while compact.pop_if(|byte| *byte == b'=').is_some() {}
    STANDARD_NO_PAD.decode(compact).ok()
}

/// Decodes XML of a queue to what its API has in JSON: a message, or an array of them.
fn xml(text: &[u8], left: usize) -> Result<Decoded, Fault> {
    let tags = text.iter().filter(|byte| **byte == b'<').count();
    let memory = text.len() + tags * OBJECT_BYTES;
    if memory > left {
        return Err(Fault::TooLarge);
    }
    let text = String::from_utf8_lossy(text);
    let document = xml::read(&text);
    if let Some(problem) = document.fault {
        return Err(Fault::Xml(problem));
    }
    if !text[document.end..].trim().is_empty() {
        return Err(Fault::Xml("more text behind the end of the XML"));
    }
    let message = |body: xml::Body| Value::from_iter([("MessageBody", body.text)]);
    let mut messages: Vec<Value> = document.bodies.into_iter().map(message).collect();
    let value = match messages.len() {
        1 => messages.remove(0),
        _ => Value::Array(messages),
    };
    Ok(Decoded { value, memory })
}

/// Decodes JSON.
///
/// A producer that shortens texts to a number of UTF-16 units leaves half a surrogate pair. Its
/// event is sent nevertheless, with a replacement character.
fn json(text: &[u8], left: usize) -> Result<Decoded, Fault> {
    let memory = memory(text);
    if memory > left {
        return Err(Fault::TooLarge);
    }
    let value = serde_json::from_slice(text).or_else(|error| {
        let repaired = replace_half_surrogates(&String::from_utf8_lossy(text));
        serde_json::from_str(&repaired).map_err(|_| Fault::Json(error))
    })?;
    Ok(Decoded { value, memory })
}

/// Decodes a form of CloudMonitor to an object of strings: that of an event subscription
/// (`severity=…&alert=%7B…`) or that of a threshold alarm (`alertName=…&metricName=…`). Returns
/// `None` for any other text.
pub(super) fn form(text: &str, left: usize) -> Option<Result<Decoded, Fault>> {
    let text = std::str::from_utf8(trim(text.as_bytes())).ok()?;
    let is_known = |field: &str| {
        let name = field.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| FORM_FIELDS.contains(&name))
    };
    if begins_like_json(text.as_bytes()) || !text.split('&').any(is_known) {
        return None;
    }
    let mut memory = text.len() + text.split('&').count() * 2 * VALUE_BYTES;
    let mut fields = Map::new();
    if memory <= left {
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            memory += self::memory(value.as_bytes());
            if memory > left {
                break;
            }
            fields.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }
    if memory > left {
        return Some(Err(Fault::TooLarge));
    }
    let is_form = fields.contains_key("alert") || metric_alarm::is_alarm(&fields);
    let value = Value::Object(fields);
    is_form.then_some(Ok(Decoded { value, memory }))
}

/// Returns a text without a byte order mark and blanks around it.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let bom = "\u{feff}".as_bytes();
    text.strip_prefix(bom).unwrap_or(text).trim_ascii()
}

fn begins_like_json(text: &[u8]) -> bool {
    matches!(text, [b'{' | b'[' | b'"', ..])
}

/// Returns the memory that a text and the values in it take at most, by its length and by its
/// commas and brackets. Texts in it that are JSON again are counted with it, so that reading them
/// once more stays within twice as much.
fn memory(text: &[u8]) -> usize {
    let values = text.iter().map(|byte| MEMORY[usize::from(*byte)]);
    text.len() + values.map(usize::from).sum::<usize>() + hidden_memory(text)
}

/// Returns the memory of what stands behind escapes (`\u007b` is `{`), as many times over as may be.
fn hidden_memory(text: &[u8]) -> usize {
    if !text.contains(&b'\\') {
        return 0;
    }
    let is_hidden = |escape: &&[u8]| {
        let code = escape.strip_prefix(b"\\u00").unwrap_or_default();
        [b"2c", b"5b", b"7b", b"5c"]
            .iter()
            .any(|known| code.eq_ignore_ascii_case(*known))
    };
    text.windows(6).filter(is_hidden).count() * OBJECT_BYTES
}

/// Returns the memory that a copy of a value takes at most.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => VALUE_BYTES + text.len(),
        Value::Array(items) => VALUE_BYTES + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| key.len() + size(value));
            OBJECT_BYTES + fields.sum::<usize>()
        }
        _ => VALUE_BYTES,
    }
}

/// Returns the text with each `\uD8xx` to `\uDFxx` that has no partner replaced.
fn replace_half_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let next = escape.get(6..).and_then(surrogate);
        let (kept, taken) = match (surrogate(escape), next) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(_), _) => ("\u{fffd}", 6),
            (None, _) => {
                // A backslash and what it escapes, which may be another backslash.
                let taken = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (&escape[..taken], taken)
            }
        };
        out.push_str(kept);
        rest = &escape[taken..];
    }
    out.push_str(rest);
    out
}

/// Returns the surrogate that a text begins with: 0xd83d for `\ud83d`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}
