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

/// The same for a chat that also turns `:name:` into a picture.
pub(super) fn escape_with_emoji(out: &mut String, text: &str) {
    let start = out.len();
    escape(out, text);
    if out[start..].contains(':') {
        let escaped = out.split_off(start);
        push_without(out, &escaped, |text| opens_emoji(text).then_some(':'));
    }
}

/// The same for a chat that also turns the name of a host into a link.
pub(super) fn escape_with_hosts(out: &mut String, text: &str) {
    let start = out.len();
    escape_with_emoji(out, text);
    let escaped = out.split_off(start);
    // No top-level domain begins with a digit: addresses and versions stay as they are.
    let is_host = |text: &str| {
        let rest = text.strip_prefix('.');
        rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
    };
    push_without(out, &escaped, |text| is_host(text).then_some('.'));
}

/// Appends `text`, with full-width twins where `meaning` finds a character at the beginning of the
/// rest.
fn push_without(out: &mut String, text: &str, meaning: impl Fn(&str) -> Option<char>) {
    for (at, c) in text.char_indices() {
        out.push(meaning(&text[at..]).map_or(c, full_width));
    }
}

/// Returns true for a colon with a name behind it that ends in a colon.
fn opens_emoji(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(':') else {
        return false;
    };
    let is_of_name = |c: char| c.is_alphanumeric() || "_+'-".contains(c);
    let behind = rest.trim_start_matches(is_of_name);
    behind.len() < rest.len() && behind.starts_with(':')
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
            ("12:30:05", "12：30:05"),
            ("::", "::"),
            (":+1: x", "：+1: x"),
            ("fe80::1 x", "fe80::1 x"),
        ] {
            assert_eq!(escaped(escape_with_emoji, text), expected);
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
