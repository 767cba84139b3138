//! DingTalk's markdown subset, and what keeps foreign text harmless inside it.

use std::borrow::Cow;

/// A hard line break that every client honours: a lone line feed does not break.
pub(super) const BREAK: &str = "  \n";

/// A new paragraph.
pub(super) const PARAGRAPH: &str = "\n\n";

/// Foreign text as data: one line, at most `max_chars` characters, nothing in it that markdown,
/// HTML or DingTalk's mentions could take for their own.
///
/// Backslash escapes would show on clients that do not honour them, and a client that renders HTML
/// even inside code would still render it. So each character with a meaning gives way to its
/// full-width twin, which looks alike and means nothing: `[` to `［`, `<` to `＜`, `@` to `＠`.
/// Control, zero-width and direction-changing characters vanish.
pub(super) fn plain(text: &str, max_chars: usize) -> Cow<'_, str> {
    if text.len() <= max_chars && is_harmless(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(made_harmless(text, max_chars))
}

/// Whether a text is made of what has no meaning, as most names, ids and addresses are; a no is not
/// final.
fn is_harmless(text: &str) -> bool {
    let mut last = b' ';
    for byte in text.bytes() {
        let harmless = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b':' | b',' | b'+' | b'=' => true,
            b'.' => !last.eq_ignore_ascii_case(&b'w'),
            b'/' => last != b'/' && last != b':',
            b' ' => last != b' ',
            _ => false,
        };
        if !harmless {
            return false;
        }
        last = byte;
    }
    last != b' ' || text.is_empty()
}

fn made_harmless(text: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(text.len().min(4 * max_chars));
    let mut count = 0;
    // Gone before anything is looked at: between two characters they would hide what these mean together.
    let visible = text.trim().chars().filter(|c| !is_invisible(*c));
    let mut chars = visible.peekable();
    let mut last = ' ';
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let shown = match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            '[' => '［',
            ']' => '］',
            '<' => '＜',
            '>' => '＞',
            '&' => '＆',
            '@' => '＠',
            '*' => '＊',
            '`' => '｀',
            '~' => '～',
            '|' => '｜',
            '$' => '＄',
            '^' => '＾',
            '{' => '｛',
            '}' => '｝',
            '\\' => '＼',
            '#' if out.is_empty() => '＃',
            // Between letters it is part of a name (SCALE_IN_START); elsewhere it may open emphasis.
            '_' if !(last.is_alphanumeric() && next.is_some_and(char::is_alphanumeric)) => '＿',
            // `http://`, a bare `//` and `www.` are what clients turn into links by themselves.
            '/' if next == Some('/') => '／',
            '.' if ends_with_www(&out) => '．',
            c => c,
        };
        if shown == ' ' && last == ' ' {
            continue;
        }
        if count == max_chars {
            out.push('…');
            break;
        }
        out.push(shown);
        last = shown;
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

fn ends_with_www(text: &str) -> bool {
    let mut tail = text.chars().rev();
    (&mut tail)
        .take(3)
        .filter(|c| c.eq_ignore_ascii_case(&'w'))
        .count()
        == 3
        // Chinese goes without blanks: a link may begin right behind it.
        && !tail.next().is_some_and(|c| c.is_ascii_alphanumeric())
}

/// Characters that show as nothing or turn the direction of what follows.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Appends `text`, everything percent-encoded but the unreserved characters of RFC 3986.
pub(super) fn percent_encode(out: &mut String, text: &str) {
    let mut start = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            continue;
        }
        out.push_str(text.get(start..place).unwrap_or_default());
        out.push('%');
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
        }
        start = place + 1;
    }
    out.push_str(text.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_has_a_meaning_loses_it_and_names_stay_readable() {
        for (text, expected) in [
            ("web-01", "web-01"),
            ("iZbp1h2k7m4q9t6w3y8c5dZ", "iZbp1h2k7m4q9t6w3y8c5dZ"),
            ("AUTOSCALING:SCALE_IN_START", "AUTOSCALING:SCALE_IN_START"),
            ("_x_ __y__", "＿x＿ ＿＿y＿＿"),
            ("[a](http://evil.example)", "［a］(http:／/evil.example)"),
            ("www.evil.example wwww.b", "www．evil.example wwww.b"),
            ("中www.evil.example", "中www．evil.example"),
            ("<font color=red>x</font>", "＜font color=red＞x＜/font＞"),
            ("@13800000000 &lt;", "＠13800000000 ＆lt;"),
            ("# one\n## two\r\n\ttail  ", "＃ one ## two tail"),
            ("a\u{202e}b\u{200b}c\u{0}d", "abc d"),
            ("http:/\u{200b}/evil.example", "http:／/evil.example"),
            ("**b** `c` ~~d~~ \\[e", "＊＊b＊＊ ｀c｀ ～～d～～ ＼［e"),
            ("//evil.example a/b ///", "／/evil.example a/b ／／/"),
            ("$x$ y^2^ {#id .class}", "＄x＄ y＾2＾ ｛#id .class｝"),
        ] {
            assert_eq!(plain(text, 100), expected);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(plain("实例名称", 2), "实例…");
        assert_eq!(plain("实例", 2), "实例");
        assert_eq!(plain("a b", 2), "a …");
    }

    proptest! {
        #[test]
        fn no_character_with_a_meaning_survives(text in "\\PC{0,80}|[\\[\\]<>()@&*`#!_~|$^{}\\\\:/wW. \\n\u{200b}]{0,80}") {
            let out = plain(&text, 60);
            prop_assert!(!out.contains(['[', ']', '<', '>', '@', '&', '*', '`', '~', '|', '$', '^', '{', '}', '\\']), "{}", out);
            prop_assert!(!out.contains(char::is_control), "{}", out);
            prop_assert!(!out.contains("//"), "{}", out);
            prop_assert!(!out.starts_with('#'));
            prop_assert!(out.chars().count() <= 61);
        }

        #[test]
        fn what_is_passed_as_harmless_would_have_stayed_as_it_is(text in "[ wW.:/a-c0-9,+=-]{0,12}") {
            prop_assert_eq!(plain(&text, 60).into_owned(), made_harmless(&text, 60));
        }

        #[test]
        fn percent_encoding_leaves_only_url_characters_and_loses_nothing(text in "\\PC{0,40}|[a-c~/?=&%]{0,40}") {
            let mut encoded = String::new();
            percent_encode(&mut encoded, &text);
            let is_url_safe = encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b));
            prop_assert!(is_url_safe);
            let mut decoded = Vec::new();
            let mut parts = encoded.split('%');
            decoded.extend_from_slice(parts.next().unwrap().as_bytes());
            for part in parts {
                decoded.push(u8::from_str_radix(&part[..2], 16).unwrap());
                decoded.extend_from_slice(&part.as_bytes()[2..]);
            }
            prop_assert_eq!(decoded, text.into_bytes());
        }
    }
}
