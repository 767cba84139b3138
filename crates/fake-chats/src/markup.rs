//! Finds markup in a text: what the markups of the chats have in common.

use crate::shown::{LinkKind, Shown, StyleKind};

/// Reads markup at the start of `rest`, which follows `before`. Adds what is shown and returns how
/// many bytes it took; `None` if there is none of its kind.
pub(crate) type Rule =
    fn(before: &str, rest: &str, rules: Rules, shown: &mut Shown) -> Option<usize>;

/// The rules of a chat's markup: the first that applies is taken.
#[derive(Clone, Copy)]
pub(crate) struct Rules(pub(crate) &'static [Rule]);

/// Reads a text.
pub(crate) fn read(text: &str, rules: Rules) -> Shown {
    let mut shown = Shown::default();
    read_into(text, rules, &mut shown);
    shown
}

/// Reads a text that is a part of another one. Returns what is shown of it.
pub(crate) fn read_into(text: &str, rules: Rules, shown: &mut Shown) -> String {
    let start = shown.text.len();
    let mut at = 0;
    while let Some((before, rest)) = text.split_at_checked(at) {
        let Some(next) = rest.chars().next() else {
            break;
        };
        let used = rules
            .0
            .iter()
            .find_map(|rule| rule(before, rest, rules, shown));
        if used.is_none() {
            shown.text.push(next);
        }
        at += used.unwrap_or(next.len_utf8());
    }
    shown.text.get(start..).unwrap_or_default().to_owned()
}

/// A style between two delimiters on one line, with no blank inside of either.
pub(crate) fn delimited(
    rest: &str,
    delimiter: &str,
    kind: StyleKind,
    rules: Rules,
    shown: &mut Shown,
) -> Option<usize> {
    let inner = rest.strip_prefix(delimiter)?;
    let line = inner.lines().next()?;
    // `***` ends with its last characters.
    let mark = delimiter.chars().next()?;
    let mut from = 0;
    let end = loop {
        let end = from + line.get(from..)?.find(delimiter)?;
        let after = line.get(end + delimiter.len()..)?;
        if end > 0 && !after.starts_with(mark) {
            break end;
        }
        from = end + mark.len_utf8();
    };
    let inner = line.get(..end)?;
    if inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace) {
        return None;
    }
    let text = read_into(inner, rules, shown);
    shown.style(kind, &text);
    Some(end + 2 * delimiter.len())
}

/// As [`delimited`], but not inside of a word.
pub(crate) fn delimited_word(
    before: &str,
    rest: &str,
    delimiter: &str,
    kind: StyleKind,
    rules: Rules,
    shown: &mut Shown,
) -> Option<usize> {
    if before.ends_with(char::is_alphanumeric) {
        return None;
    }
    let mut trial = shown.clone();
    let used = delimited(rest, delimiter, kind, rules, &mut trial)?;
    if rest.get(used..)?.starts_with(char::is_alphanumeric) {
        return None;
    }
    *shown = trial;
    Some(used)
}

/// Code between two delimiters; it may hold line breaks if the delimiter is long.
pub(crate) fn code(rest: &str, delimiter: &str, shown: &mut Shown) -> Option<usize> {
    let inner = rest.strip_prefix(delimiter)?;
    let end = inner.find(delimiter).filter(|end| *end > 0)?;
    let inner = inner.get(..end)?;
    if delimiter.len() == 1 && inner.contains('\n') {
        return None;
    }
    shown.text.push_str(inner);
    shown.style(StyleKind::Code, inner);
    Some(end + 2 * delimiter.len())
}

/// `[text](address)`, or a picture if it follows `!`.
pub(crate) fn link(rest: &str, rules: Rules, shown: &mut Shown) -> Option<usize> {
    let is_image = rest.starts_with("![");
    let inner = rest.strip_prefix('!').unwrap_or(rest).strip_prefix('[')?;
    let middle = inner.find("](")?;
    let text = inner.get(..middle).filter(|text| !text.contains('\n'))?;
    let after = inner.get(middle + 2..)?;
    let end = after.find(')')?;
    let address = after.get(..end).filter(|address| !address.contains('\n'))?;
    let text = read_into(text, rules, shown);
    if is_image {
        shown.images.push(address.to_owned());
    } else {
        shown.link(LinkKind::Markup, &text, address);
    }
    Some(rest.len() - after.len() + end + 1)
}

/// An address that clients make a link of.
pub(crate) fn address(before: &str, rest: &str, shown: &mut Shown) -> Option<usize> {
    let starts = ["https://", "http://", "www."];
    if before.ends_with(|last: char| last.is_ascii_alphanumeric())
        || !starts.iter().any(|start| starts_with(rest, start))
    {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || !c.is_ascii() || "<>\"'()[]{}|`".contains(c);
    let address = rest.split(is_end).next()?;
    let address = address.trim_end_matches(|c: char| ".,:;!?*_~".contains(c));
    if starts
        .iter()
        .any(|start| address.len() <= start.len() && starts_with(address, start))
    {
        return None;
    }
    shown.text.push_str(address);
    shown.link(LinkKind::Bare, address, address);
    Some(address.len())
}

/// A key between colons that is shown as a picture.
pub(crate) fn emoji(rest: &str, is_key: fn(&str) -> bool, shown: &mut Shown) -> Option<usize> {
    let inner = rest.strip_prefix(':')?;
    let key = inner.split(':').next().filter(|key| is_key(key))?;
    // Without the second colon it is no key.
    inner.get(key.len()..)?.strip_prefix(':')?;
    shown.emoji.push(key.to_owned());
    shown.text.push_str(&format!(":{key}:"));
    Some(key.len() + 2)
}

/// Marks of a whole line: heading, quote, list, rule.
pub(crate) fn line(
    before: &str,
    rest: &str,
    kinds: &[StyleKind],
    shown: &mut Shown,
) -> Option<usize> {
    let start = before.rsplit('\n').next().unwrap_or_default();
    if !start.trim().is_empty() {
        return None;
    }
    let whole = rest.lines().next()?;
    let (kind, used) = line_mark(whole)?;
    if !kinds.contains(&kind) {
        return None;
    }
    shown.style(kind, whole.get(used..)?);
    if kind == StyleKind::Item {
        shown.text.push_str(whole.get(..used)?);
    }
    Some(used)
}

/// Returns the mark that a line begins with, and its length.
fn line_mark(line: &str) -> Option<(StyleKind, usize)> {
    let count = |mark| line.chars().take_while(|c| *c == mark).count();
    let is_rule = |mark| count(mark) >= 3 && count(mark) == line.trim_end().len();
    if is_rule('-') || is_rule('*') || is_rule('_') {
        return Some((StyleKind::Rule, line.len()));
    }
    let hashes = count('#');
    if (1..=6).contains(&hashes) && line.get(hashes..)?.starts_with(' ') {
        return Some((StyleKind::Heading, hashes + 1));
    }
    if line.starts_with('>') {
        return Some((StyleKind::Quote, 1));
    }
    if ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark)) {
        return Some((StyleKind::Item, 2));
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let after = line.get(digits..)?;
    let is_item = digits > 0 && (after.starts_with(". ") || after.starts_with(") "));
    is_item.then_some((StyleKind::Item, digits + 2))
}

/// The sequence in angle brackets at the start of `rest`, with its brackets. A bracket that is not
/// closed is recorded alone and gives `None`.
pub(crate) fn bracketed<'a>(rest: &'a str, shown: &mut Shown) -> Option<&'a str> {
    if !rest.starts_with('<') {
        return None;
    }
    let sequence = rest.find('>').and_then(|end| rest.get(..=end));
    shown.tags.push(sequence.unwrap_or("<").to_owned());
    sequence
}

/// Returns the value of an attribute of a tag such as `<at id="x">`, with or without quotes.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.trim_start_matches('<').trim_end_matches('>');
    let after = tag
        .match_indices(name)
        .find_map(|(at, _)| {
            let (before, from) = tag.split_at_checked(at)?;
            let value = from.get(name.len()..)?.trim_start().strip_prefix('=')?;
            before.ends_with(char::is_whitespace).then_some(value)
        })?
        .trim_start();
    match after.chars().next()? {
        quote @ ('"' | '\'') => after.get(1..)?.split(quote).next(),
        _ => after.split(char::is_whitespace).next(),
    }
}

/// Ignores letter case.
fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// A pattern of texts that are made of markup more than of letters.
#[cfg(test)]
pub(crate) const TRICKY: &str = "(</?(font|at|a|!|@|#)|id=|color='|\\]\\(|https://|&#?|[<>\\[\\]()*_~`:;#!@|\\-=\"' \\n.a1中🔴]){0,40}";
