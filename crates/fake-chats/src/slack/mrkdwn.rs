//! Slack's markup.
//!
//! Source: <https://docs.slack.dev/messaging/formatting-message-text>

use crate::markup::{self, Rules, bracketed, delimited, delimited_word};
use crate::shown::{LinkKind, Shown, StyleKind};

const QUOTE: [StyleKind; 1] = [StyleKind::Quote];

/// With `verbatim`, clients make no link of addresses that stand in the text.
const VERBATIM: Rules = Rules(&[
    |_, rest, _, shown| ampersand(rest, shown),
    |_, rest, _, shown| sequence(rest, shown),
    |before, rest, _, shown| markup::line(before, rest, &QUOTE, shown),
    |before, rest, rules, shown| single(before, rest, "*", StyleKind::Bold, rules, shown),
    |before, rest, rules, shown| delimited_word(before, rest, "_", StyleKind::Italic, rules, shown),
    |before, rest, rules, shown| single(before, rest, "~", StyleKind::Strike, rules, shown),
    |_, rest, _, shown| markup::code(rest, "```", shown),
    |_, rest, _, shown| markup::code(rest, "`", shown),
    |_, rest, _, shown| markup::emoji(rest, is_emoji, shown),
]);

const RULES: Rules = Rules(&[
    |_, rest, _, shown| ampersand(rest, shown),
    |_, rest, _, shown| sequence(rest, shown),
    |before, rest, _, shown| markup::line(before, rest, &QUOTE, shown),
    |before, rest, rules, shown| single(before, rest, "*", StyleKind::Bold, rules, shown),
    |before, rest, rules, shown| delimited_word(before, rest, "_", StyleKind::Italic, rules, shown),
    |before, rest, rules, shown| single(before, rest, "~", StyleKind::Strike, rules, shown),
    |_, rest, _, shown| markup::code(rest, "```", shown),
    |_, rest, _, shown| markup::code(rest, "`", shown),
    |_, rest, _, shown| markup::emoji(rest, is_emoji, shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
]);

/// Plain text has pictures at most.
const PLAIN: Rules = Rules(&[|_, rest, _, shown| markup::emoji(rest, is_emoji, shown)]);

/// Reads markup.
pub(super) fn read(text: &str, is_verbatim: bool) -> Shown {
    markup::read(text, if is_verbatim { VERBATIM } else { RULES })
}

/// Reads plain text.
pub(super) fn read_plain(text: &str, has_emoji: bool) -> Shown {
    if has_emoji {
        markup::read(text, PLAIN)
    } else {
        Shown::plain(text)
    }
}

/// Which names there are is not checked, but numbers are names only if they are known ones: else
/// every time of day would have one.
fn is_emoji(key: &str) -> bool {
    let is_name = key
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_+-'".contains(&b));
    let has_letter = key.bytes().any(|b| b.is_ascii_lowercase());
    is_name && (has_letter || ["100", "1234", "+1", "-1"].contains(&key))
}

/// A style between single delimiters. Doubled ones are shown as typed.
fn single(
    before: &str,
    rest: &str,
    delimiter: &str,
    kind: StyleKind,
    rules: Rules,
    shown: &mut Shown,
) -> Option<usize> {
    let is_doubled = before.ends_with(delimiter) || rest.get(1..)?.starts_with(delimiter);
    if is_doubled {
        return None;
    }
    delimited(rest, delimiter, kind, rules, shown)
}

/// `&` begins one of three entities, or should have been one.
fn ampersand(rest: &str, shown: &mut Shown) -> Option<usize> {
    if !rest.starts_with('&') {
        return None;
    }
    for (entity, c) in [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')] {
        if rest.starts_with(entity) {
            shown.text.push(c);
            return Some(entity.len());
        }
    }
    shown.ampersands.push(rest.chars().take(12).collect());
    shown.text.push('&');
    Some(1)
}

/// A sequence in angle brackets: a link, a mention, a channel, a date.
fn sequence(rest: &str, shown: &mut Shown) -> Option<usize> {
    let whole = bracketed(rest, shown)?;
    let inner = whole.get(1..whole.len() - 1)?;
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label)),
        None => (inner, None),
    };
    let mut label = label.map(|label| unescape(label).into_owned());
    if let Some(name) = target.strip_prefix('!') {
        // `<!date^…|text>` mentions nobody.
        if !name.starts_with("date^") {
            shown.mentions.push(name.to_owned());
            let text = label.take().unwrap_or_else(|| name.to_owned());
            label = Some(format!("@{text}"));
        }
    } else if let Some(id) = target.strip_prefix('@') {
        shown.mentions.push(id.to_owned());
        label = Some(format!("@{}", label.as_deref().unwrap_or(id)));
    } else if let Some(id) = target.strip_prefix('#') {
        let text = format!("#{}", label.as_deref().unwrap_or(id));
        shown.link(LinkKind::Markup, &text, id);
        label = Some(text);
    } else if target.contains(':') && !target.contains(char::is_whitespace) {
        let address = unescape(target);
        let text = label.unwrap_or_else(|| address.clone().into_owned());
        shown.link(LinkKind::Markup, &text, &address);
        label = Some(text);
    } else {
        // No sequence that is known: shown as typed.
        return None;
    }
    shown.text.push_str(&label.unwrap_or_default());
    Some(whole.len())
}

fn unescape(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::TRICKY;

    #[test]
    fn all_markup_is_found_and_full_width_twins_are_none() {
        let text = "*bold* _it_ ~no~ `c` <https://example.com/?a=1&amp;b=2|docs> <@U1> <!here> <!subteam^S1|team> <#C1> :fire:\n\
             > quote\n&lt;!channel&gt; &amp;amp; a & b &copy; https://example.org <b> 10:20:30 a_b_c **x** [a](b) 1 < 2";
        let shown = read(text, false);
        assert_eq!(
            shown.text,
            "bold it no c docs @U1 @here @team #C1 :fire:\n quote\n\
             <!channel> &amp; a & b &copy; https://example.org <b> 10:20:30 a_b_c **x** [a](b) 1 < 2"
        );
        let links: Vec<_> = shown.links.iter().map(|l| l.address.as_str()).collect();
        assert_eq!(
            links,
            ["https://example.com/?a=1&b=2", "C1", "https://example.org"]
        );
        assert_eq!(shown.mentions, ["U1", "here", "subteam^S1"]);
        assert_eq!(shown.emoji, ["fire"]);
        assert_eq!(shown.ampersands, ["& b &copy; h", "&copy; https"]);
        let styles: Vec<_> = shown.styles.iter().map(|s| s.kind).collect();
        use StyleKind::{Bold, Code, Italic, Quote, Strike};
        assert_eq!(styles, [Bold, Italic, Strike, Code, Quote]);
        assert_eq!(shown.tags.len(), 7, "{:?}", shown.tags);

        assert!(read("https://example.org", true).is_plain());
        let harmless = "＊x＊ ～x～ ＜!channel＞ ＆amp; ＠here a_b 10:20:30 ｜";
        assert!(
            read(harmless, false).is_plain(),
            "{:?}",
            read(harmless, false)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in TRICKY) {
            read(&text, false);
            read_plain(&text, true);
        }
    }
}
