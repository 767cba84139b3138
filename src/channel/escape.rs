//! Text from an event, so that no chat takes it for markup.

/// Appends foreign text, with every character escaped that markdown, HTML or mentions of a chat
/// could interpret.
///
/// Backslash escapes would show on clients that do not honour them, and a client that renders HTML
/// even inside code would still render it. So each character with a meaning gives way to its
/// full-width twin, which looks alike and means nothing: `[` to `［`, `<` to `＜`, `@` to `＠`.
pub(super) fn escape(out: &mut String, text: &str) {
    let start = out.len();
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let has_meaning = match c {
            '[' | ']' | '<' | '>' | '&' | '@' | '*' | '`' | '~' | '|' | '$' | '^' | '{' | '}'
            | '\\' => true,
            '#' => out.len() == start,
            // Between letters it is part of a name (SCALE_IN_START); else it may open emphasis.
            '_' => !(last.is_alphanumeric() && next.is_some_and(char::is_alphanumeric)),
            // `http://`, a bare `//` and `www.` are what clients turn into links by themselves.
            '/' => next == Some('/'),
            '.' => ends_with_www(&out[start..]),
            _ => false,
        };
        last = if has_meaning { full_width(c) } else { c };
        out.push(last);
    }
}

/// The same for a chat that also turns `:name:` into a picture, and knows lists and rules.
pub(super) fn escape_with_emoji(out: &mut String, text: &str) {
    let start = out.len();
    escape(out, text);
    if let Some(at) = list_marker(&out[start..]) {
        let mark = char::from(out.as_bytes()[start + at]);
        let twin = full_width(mark);
        out.replace_range(start + at..=start + at, twin.encode_utf8(&mut [0; 4]));
    }
    if out[start..].contains(':') {
        replace(out, start, |rest| emoji_at(rest).is_some().then_some(':'));
    }
}

/// Returns the place of the mark that makes an item of a list of a line: `- `, `+ `, `1. `, `1) `; or
/// a rule: `---`.
fn list_marker(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[digits..];
    let is_mark = match rest.as_bytes() {
        [b'-' | b'+', b' ', ..] | [b'-', b'-', ..] => digits == 0,
        [b'.' | b')', b' ', ..] => digits > 0,
        _ => false,
    };
    is_mark.then_some(digits)
}

/// The same for a chat whose names of pictures are in lower case: names of events are none.
pub(super) fn escape_with_lowercase_emoji(out: &mut String, text: &str) {
    let start = out.len();
    escape(out, text);
    if out[start..].contains(':') {
        let is_lowercase = |name: &str| !name.contains(|c: char| c.is_ascii_uppercase());
        let is_emoji = |rest: &str| emoji_at(rest).is_some_and(is_lowercase);
        replace(out, start, |rest| is_emoji(rest).then_some(':'));
    }
}

/// The same for a chat that also turns the name of a host into a link.
pub(super) fn escape_with_hosts(out: &mut String, text: &str) {
    let start = out.len();
    escape_with_lowercase_emoji(out, text);
    // No top-level domain begins with a digit: addresses and versions stay as they are.
    let is_host = |rest: &str| {
        let rest = rest.strip_prefix('.');
        rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
    };
    replace(out, start, |rest| is_host(rest).then_some('.'));
}

/// Puts full-width twins where `meaning` finds a character at the beginning of the rest.
fn replace(out: &mut String, start: usize, meaning: impl Fn(&str) -> Option<char>) {
    let text = out.split_off(start);
    for (at, c) in text.char_indices() {
        out.push(meaning(&text[at..]).map_or(c, full_width));
    }
}

/// Returns the name between the colon that a text begins with and the next one. Two digits are part
/// of a time of day.
fn emoji_at(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(':')?;
    let is_of_name = |c: char| c.is_alphanumeric() || "_+'-".contains(c);
    let behind = rest.trim_start_matches(is_of_name);
    let name = &rest[..rest.len() - behind.len()];
    let is_of_time = name.len() <= 2 && name.bytes().all(|b| b.is_ascii_digit());
    (behind.starts_with(':') && !is_of_time).then_some(name)
}

/// Unicode holds the full-width twins of visible ASCII characters in the same order.
fn full_width(ascii: char) -> char {
    char::from_u32(u32::from('！') - u32::from('!') + u32::from(ascii))
        .expect("a visible character")
}

fn ends_with_www(text: &str) -> bool {
    let mut tail = text.chars().rev();
    // Chinese goes without blanks: a link may begin right behind it.
    (0..3).all(|_| matches!(tail.next(), Some('w' | 'W')))
        && !tail.next().is_some_and(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: fn(&mut String, &str), text: &str) -> String {
        let mut out = String::from(":");
        escape(&mut out, text);
        out.split_off(1)
    }

    #[test]
    fn names_of_emoji_are_broken_and_other_colons_stay() {
        for (text, expected) in [
            (":fire:", "：fire:"),
            ("A:OK:B", "A：OK:B"),
            (":a:b:", "：a：b:"),
            ("Instance:StateChange", "Instance:StateChange"),
            ("a: b", "a: b"),
            ("12:30:05", "12:30:05"),
            (":100: x", "：100: x"),
            ("::", "::"),
            (":+1: x", "：+1: x"),
            ("- a", "－ a"),
            ("+ a", "＋ a"),
            ("12. a", "12． a"),
            ("1) a", "1） a"),
            ("--- :a:", "－-- ：a:"),
            ("1.5 -a +b", "1.5 -a +b"),
            ("fe80::1 x", "fe80::1 x"),
        ] {
            assert_eq!(escaped(escape_with_emoji, text), expected);
        }
    }

    #[test]
    fn where_pictures_are_lower_case_names_of_events_stay() {
        for (text, expected) in [
            (":fire:", "：fire:"),
            (
                "Instance:StateChange:Stopped",
                "Instance:StateChange:Stopped",
            ),
            ("a:ok:b", "a：ok:b"),
        ] {
            assert_eq!(escaped(escape_with_lowercase_emoji, text), expected);
        }
    }

    #[test]
    fn names_of_hosts_are_broken_and_numbers_stay() {
        for (text, expected) in [
            ("evil.example", "evil．example"),
            ("10.0.0.1 v1.2", "10.0.0.1 v1.2"),
            ("end. x", "end. x"),
        ] {
            assert_eq!(escaped(escape_with_hosts, text), expected);
        }
    }
}
