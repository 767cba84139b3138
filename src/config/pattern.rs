//! Patterns that can match something. One that never can would filter every event in silence.

use super::value::quote;
use crate::event::region::{REGIONS, Region};
use crate::event::{known_names, type_name};
use crate::route::Pattern;

const WILDCARDS: [char; 2] = ['*', '?'];

/// Parses a pattern on an event's name or full name.
///
/// A leading `ecs:` is dropped: EventBridge's types have it, the names of their events do not.
pub(super) fn name(text: &str) -> Result<Pattern, String> {
    let (written, has_prefix) = (text, has_product_prefix(text));
    let text = if has_prefix {
        &text[PREFIX_BYTES..]
    } else {
        text
    };
    // A type of another product, or one of CloudMonitor's: their events have another name.
    let name = match cloud_monitor_type(text).filter(|_| has_prefix) {
        Some(kind) => type_name(&kind),
        None if has_prefix => None,
        None => type_name(written),
    };
    if let Some(name) = name {
        return Err(format!(
            "{} is a type of EventBridge; write the name that its events have here: {}",
            quote(written),
            quote(&name)
        ));
    }
    let is_odd = |c: &char| !c.is_alphanumeric() && !":._-*?".contains(*c) || is_full_width(*c);
    match text.chars().find(is_odd) {
        None if text.is_empty() => {
            Err("\"ecs:\" alone names no event; write ecs:* or *".to_owned())
        }
        // A status would follow the colon, and none is empty.
        None if text.ends_with(':') => Err(format!(
            "{} matches no event, because no name ends in a colon; write {}, or leave the colon out",
            quote(written),
            quote(&format!("{written}*"))
        )),
        None => Ok(Pattern::new(text)),
        Some(odd) => Err(format!(
            "{} matches no event, because no name of an event holds {}: {}",
            quote(written),
            shown(odd),
            match odd {
                '^' | '$' | '(' | ')' | '[' | ']' | '+' | '%' | '/' =>
                    "write the name as it is, with * for any text and ? for one character",
                _ if odd.is_whitespace() => "separate several patterns by commas or line breaks",
                _ =>
                    "write letters, digits and : . _ - only, with * for any text and ? for one character",
            }
        )),
    }
}

/// Returns the type of EventBridge that begins with `CloudMonitor:`, without the product before it;
/// `None` for other texts, and for known names that begin so.
fn cloud_monitor_type(text: &str) -> Option<String> {
    const PREFIX: &str = "CloudMonitor:";
    let begins_with = |name: &str| {
        let start = text.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let is_type = begins_with(PREFIX) && !known_names().any(begins_with);
    is_type.then(|| format!("ecs:{PREFIX}{}", &text[PREFIX.len()..]))
}

/// Returns true if patterns match the name of every event, known or not.
pub(super) fn match_every_name(patterns: &[Pattern]) -> bool {
    let is_matched = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    known_names().chain(["Brand:New", "x"]).all(is_matched)
}

/// Bytes of `ecs:` and of `ebs:`.
const PREFIX_BYTES: usize = 4;

/// Returns true if a text begins with a prefix that types have and the names of their events lack.
fn has_product_prefix(text: &str) -> bool {
    let prefix = text.get(..PREFIX_BYTES).unwrap_or_default();
    ["ecs:", "ebs:"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(prefix))
}

/// Parses a pattern on a region's id: `cn-hangzhou`, `cn-*`.
///
/// Accepts every id that could be a region's, known or not.
pub(super) fn region(text: &str) -> Result<Pattern, String> {
    const EXAMPLE: &str = "write a region's id such as cn-hangzhou, or a pattern such as cn-*";
    let is_id_character = |c: char| c.is_ascii_alphanumeric() || c == '-' || WILDCARDS.contains(&c);
    if !text.chars().all(is_id_character) || !may_be_region(text) {
        let known = REGIONS.iter().filter(|region| is_called(region, text));
        let ids: Vec<&str> = known.map(|region| region.id).collect();
        return Err(match ids.as_slice() {
            // So many that they are no answer: "China".
            [] | [_, _, _, _, ..] => format!("{} is no region's id; {EXAMPLE}", quote(text)),
            ids => format!(
                "{} is no region's id; write {}",
                quote(text),
                ids.join(" or ")
            ),
        });
    }
    if let Some(region) = region_of_zone(text) {
        return Err(format!(
            "{} is the id of a zone, and events tell their region; write {}",
            quote(text),
            quote(region)
        ));
    }
    Ok(Pattern::new(text))
}

/// Parses a region's id: `cn-hangzhou`. One that is not known may be new, and is accepted.
pub(super) fn region_id(text: &str) -> Result<String, String> {
    if text.contains(WILDCARDS) {
        return Err(format!(
            "{} is a pattern, and each region is asked by its id; write the ids, such as cn-hangzhou,cn-beijing",
            quote(text)
        ));
    }
    region(text).map(|pattern| pattern.as_str().to_ascii_lowercase())
}

/// Region ids begin with `cn-`, `us-`, `rus-`: with two or three letters so far.
const MAX_FIRST_LETTERS: usize = 4;

/// Returns true if a region's id can match: hyphens between letters and digits, letters at the
/// beginning, and one hyphen at least.
fn may_be_region(pattern: &str) -> bool {
    let mut segments = pattern.split('-');
    let first = segments.next().unwrap_or_default();
    let is_open = pattern.contains('*');
    // Behind two letters, and before one at least.
    let inner = pattern.get(2..pattern.len().saturating_sub(1));
    let may_hold_hyphen = inner.is_some_and(|inner| inner.contains('?'));
    let letters = first.split(WILDCARDS).next().unwrap_or_default();
    first
        .chars()
        .all(|c| c.is_ascii_alphabetic() || WILDCARDS.contains(&c))
        && letters.len() <= MAX_FIRST_LETTERS
        && (first.len() > 1 || first == "*")
        && segments.all(|segment| !segment.is_empty())
        && (is_open || pattern.contains('-') || may_hold_hyphen)
}

/// Returns true if a text is part of a region's name in words.
fn is_called(region: &Region, text: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let text = plain(text);
    let holds = |name: &str| {
        let name = plain(name);
        // "China (Hangzhou)" is written where the table has it, "杭州 cn-hangzhou" is not.
        text.chars().count() > 1 && (name.contains(&text) || text.contains(&name))
    };
    holds(region.zh) || holds(region.en) || holds(region.id)
}

/// Returns the region of a zone: `cn-hangzhou` of `cn-hangzhou-b`, `us-east-1` of `us-east-1a`.
fn region_of_zone(text: &str) -> Option<&str> {
    let rest = text.strip_suffix(|c: char| c.is_ascii_alphabetic())?;
    if let Some(region) = rest.strip_suffix('-') {
        return Some(region);
    }
    let number = rest.rsplit('-').next()?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(rest)
}

/// Parses a pattern on an account's id, which has digits only.
pub(super) fn account(text: &str) -> Result<Pattern, String> {
    let is_digit = |c: char| c.is_ascii_digit() || WILDCARDS.contains(&c);
    if text.chars().all(is_digit) {
        return Ok(Pattern::new(text));
    }
    Err(format!(
        "{} is no account's id; write the digits that the console shows as the account's id, such as 1234567890123456",
        quote(text)
    ))
}

/// Parses a pattern on the text `key=value` of a tag.
pub(super) fn tag(text: &str) -> Result<Pattern, String> {
    let key = text.split_once('=').map(|(key, _)| key.trim());
    if key.is_none_or(str::is_empty) {
        return Err(format!(
            "{} is no tag; write its key, = and its value, such as team=payments, or team=* for any value",
            quote(text)
        ));
    }
    if text.chars().any(|c| "^$<>{}\"…".contains(c)) {
        return Err(format!(
            "{} matches no tag: write key=value, with * for any text and ? for one character",
            quote(text)
        ));
    }
    Ok(Pattern::new(text))
}

/// Parses a pattern on a resource's id or name. Names may hold nearly anything.
pub(super) fn resource(text: &str) -> Result<Pattern, String> {
    let fault = |what: &str| Err(format!("{} {what}", quote(text)));
    let is_arn = |text: &str| {
        text.get(..4)
            .is_some_and(|acs| acs.eq_ignore_ascii_case("acs:"))
    };
    if is_arn(text) {
        return fault("is an ARN; write the resource's id alone, what stands behind the last /");
    }
    if text.chars().any(|c| "^$<>{}\"…".contains(c)) {
        return fault(
            "matches no resource: write an id or a name, with * for any text and ? for one character",
        );
    }
    let mut words = text.split_whitespace();
    if words.clone().count() > 1 && words.all(is_id) {
        return fault("holds several ids; separate them by commas or line breaks");
    }
    Ok(Pattern::new(text))
}

/// Returns true for the id of a resource: `i-bp1ecr4x7k2m9q5go2go`.
fn is_id(word: &str) -> bool {
    const PREFIXES: [&str; 6] = ["i-", "d-", "s-", "eni-", "m-", "vsw-"];
    let rest = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix));
    rest.is_some_and(|id| id.len() >= 10 && id.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Returns true for letters, digits and signs in their full-width form, which Chinese input methods
/// write.
fn is_full_width(c: char) -> bool {
    ('\u{ff01}'..='\u{ff5e}').contains(&c)
}

/// A character for a fault's text.
fn shown(c: char) -> String {
    match c {
        c if c.is_whitespace() => "a blank".to_owned(),
        c => format!("{c:?}"),
    }
}

#[cfg(test)]
mod tests;
