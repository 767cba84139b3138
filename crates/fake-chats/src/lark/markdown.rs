//! Lark's markup: the subset of Markdown in cards, and mentions in texts.
//!
//! Source: <https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-components/content-components/rich-text>

use crate::markup::{self, Rules, attribute, bracketed, delimited, delimited_word};
use crate::shown::{Font, LinkKind, Shown, StyleKind};

/// Headings, quotes and code belong to a later version of the markup, which some clients apply.
const LINES: [StyleKind; 4] = [
    StyleKind::Heading,
    StyleKind::Quote,
    StyleKind::Item,
    StyleKind::Rule,
];

const RULES: Rules = Rules(&[
    |_, rest, _, shown| entity(rest, shown),
    |_, rest, rules, shown| tag(rest, rules, shown),
    |before, rest, _, shown| markup::line(before, rest, &LINES, shown),
    |_, rest, rules, shown| markup::link(rest, rules, shown),
    |_, rest, rules, shown| delimited(rest, "**", StyleKind::Bold, rules, shown),
    |_, rest, rules, shown| delimited(rest, "*", StyleKind::Italic, rules, shown),
    |_, rest, rules, shown| delimited(rest, "~~", StyleKind::Strike, rules, shown),
    |before, rest, rules, shown| delimited_word(before, rest, "__", StyleKind::Bold, rules, shown),
    |before, rest, rules, shown| delimited_word(before, rest, "_", StyleKind::Italic, rules, shown),
    |_, rest, _, shown| markup::code(rest, "```", shown),
    |_, rest, _, shown| markup::code(rest, "`", shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
    |_, rest, _, shown| markup::emoji(rest, is_emoji, shown),
]);

/// A text knows mentions alone.
const TEXT_RULES: Rules = Rules(&[
    |_, rest, _, shown| mention(rest, shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
]);

/// Reads the markup of a card.
pub(super) fn read(text: &str) -> Shown {
    markup::read(text, RULES)
}

/// Reads the text of a message of type `text`.
pub(super) fn read_text(text: &str) -> Shown {
    markup::read(text, TEXT_RULES)
}

/// Which keys there are is not checked.
fn is_emoji(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A character reference such as `&#42;`. Its character is shown and has no meaning.
fn entity(rest: &str, shown: &mut Shown) -> Option<usize> {
    let name = rest.strip_prefix('&')?.split(';').next()?;
    rest.get(name.len() + 1..)?.strip_prefix(';')?;
    let c = match name.strip_prefix('#') {
        Some(digits) => {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => '\u{a0}',
            "sim" => '~',
            _ => return None,
        },
    };
    shown.text.push(c);
    Some(name.len() + 2)
}

fn tag(rest: &str, rules: Rules, shown: &mut Shown) -> Option<usize> {
    if let used @ Some(_) = mention(rest, shown) {
        return used;
    }
    let tag = bracketed(rest, shown)?;
    let after = rest.get(tag.len()..)?;
    match name(tag) {
        name @ ("font" | "text_tag" | "a") => {
            let end = format!("</{name}>");
            let inner = after.split_once(&end).map(|(inner, _)| inner)?;
            let text = markup::read_into(inner, rules, shown);
            if name == "a" {
                let address = attribute(tag, "href").unwrap_or_default();
                shown.link(LinkKind::Markup, &text, address);
            } else {
                let color = attribute(tag, "color").unwrap_or_default().to_owned();
                shown.fonts.push(Font { color, text });
            }
            Some(tag.len() + inner.len() + end.len())
        }
        "br" => {
            shown.text.push('\n');
            Some(tag.len())
        }
        _ => {
            let address = tag.trim_matches(['<', '>']);
            address.contains("://").then(|| {
                shown.text.push_str(address);
                shown.link(LinkKind::Bare, address, address);
                tag.len()
            })
        }
    }
}

/// `<at id=…></at>` of cards, `<at user_id="…">name</at>` of texts.
fn mention(rest: &str, shown: &mut Shown) -> Option<usize> {
    let tag = rest.get(..=rest.find('>')?)?;
    if name(tag) != "at" {
        return None;
    }
    shown.tags.push(tag.to_owned());
    let ids = ["id", "user_id", "ids", "open_id", "email"];
    let ids = ids.iter().find_map(|name| attribute(tag, name));
    let ids = ids.unwrap_or_default();
    let after = rest.get(tag.len()..)?;
    let inner = after.split_once("</at>").map(|(inner, _)| inner);
    let shown_name = inner.filter(|name| !name.is_empty()).unwrap_or(ids);
    shown.text.push_str(&format!("@{shown_name}"));
    let ids = ids.split(',').map(|id| id.trim().to_owned());
    shown.mentions.extend(ids);
    Some(tag.len() + inner.map_or(0, |inner| inner.len() + "</at>".len()))
}

/// The name of a tag; empty if the brackets hold none.
fn name(tag: &str) -> &str {
    let inner = tag.strip_prefix('<').unwrap_or_default();
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    inner.split(is_end).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::TRICKY;

    #[test]
    fn all_markup_is_found_and_full_width_twins_are_none() {
        let text = "**bold** and *it* ~~no~~ [docs](https://example.com/a_b) <font color='red'>8 < 9</font>\n\
             <text_tag color=\"blue\">x</text_tag> <at id=ou_1></at><at id=all></at> :DONE: &#42;&lt;at id=all&gt;\n\
             ---\n1. one\n- two\nhttps://example.org/x, <https://example.net> <br>a_b_c \\*x <b>";
        let shown = read(text);
        assert_eq!(
            shown.text,
            "bold and it no docs 8 < 9\nx @ou_1@all :DONE: *<at id=all>\n\
             \n1. one\n- two\nhttps://example.org/x, https://example.net \na_b_c \\*x <b>"
        );
        let links: Vec<_> = shown.links.iter().map(|l| l.address.as_str()).collect();
        assert_eq!(
            links,
            [
                "https://example.com/a_b",
                "https://example.org/x",
                "https://example.net"
            ]
        );
        assert_eq!(shown.mentions, ["ou_1", "all"]);
        let fonts: Vec<_> = shown.fonts.iter().map(|f| f.color.as_str()).collect();
        assert_eq!(fonts, ["red", "blue"]);
        assert_eq!(shown.emoji, ["DONE"]);
        let styles: Vec<_> = shown.styles.iter().map(|s| s.kind).collect();
        use StyleKind::{Bold, Italic, Item, Rule, Strike};
        assert_eq!(styles, [Bold, Italic, Strike, Rule, Item, Item]);
        assert!(shown.tags.contains(&"<b>".to_owned()));

        let harmless = "＊＊x＊＊ ［a］（b） ＜at id=all＞ ＠all a_b 10:20:30 ＃ 1.5";
        assert!(read(harmless).is_plain(), "{:?}", read(harmless));
    }

    #[test]
    fn a_text_knows_mentions_alone() {
        let shown =
            read_text("**x** <at user_id=\"ou_1\">Tom</at> <at user_id=\"all\">all</at> <b>");
        assert_eq!(shown.text, "**x** @Tom @all <b>");
        assert_eq!(shown.mentions, ["ou_1", "all"]);
        assert!(shown.styles.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in TRICKY) {
            read(&text);
            read_text(&text);
        }
    }
}
