//! WeCom's markup: a small subset of Markdown.
//!
//! Source: <https://developer.work.weixin.qq.com/document/path/99110>

use crate::markup::{self, Rules, attribute, bracketed, delimited, delimited_word};
use crate::shown::{Font, Shown, StyleKind};

const LINES: [StyleKind; 2] = [StyleKind::Heading, StyleKind::Quote];
const LINES_V2: [StyleKind; 4] = [
    StyleKind::Heading,
    StyleKind::Quote,
    StyleKind::Item,
    StyleKind::Rule,
];

const RULES: Rules = Rules(&[
    |_, rest, rules, shown| tag(rest, rules, shown),
    |before, rest, _, shown| markup::line(before, rest, &LINES, shown),
    |_, rest, rules, shown| markup::link(rest, rules, shown),
    |_, rest, rules, shown| delimited(rest, "**", StyleKind::Bold, rules, shown),
    |_, rest, _, shown| markup::code(rest, "`", shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
]);

/// The second version has no colours and no mentions.
const V2_RULES: Rules = Rules(&[
    |before, rest, _, shown| markup::line(before, rest, &LINES_V2, shown),
    |_, rest, rules, shown| markup::link(rest, rules, shown),
    |_, rest, rules, shown| delimited(rest, "**", StyleKind::Bold, rules, shown),
    |_, rest, rules, shown| delimited(rest, "*", StyleKind::Italic, rules, shown),
    |before, rest, rules, shown| delimited_word(before, rest, "_", StyleKind::Italic, rules, shown),
    |_, rest, _, shown| markup::code(rest, "```", shown),
    |_, rest, _, shown| markup::code(rest, "`", shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
]);

/// A text knows mentions alone.
const TEXT_RULES: Rules = Rules(&[
    |_, rest, _, shown| text_mention(rest, shown),
    |before, rest, _, shown| markup::address(before, rest, shown),
]);

/// Reads a message of type `markdown`.
pub(super) fn read(text: &str) -> Shown {
    markup::read(text, RULES)
}

/// Reads a message of type `markdown_v2`.
pub(super) fn read_v2(text: &str) -> Shown {
    markup::read(text, V2_RULES)
}

/// Reads a message of type `text`.
pub(super) fn read_text(text: &str) -> Shown {
    markup::read(text, TEXT_RULES)
}

fn tag(rest: &str, rules: Rules, shown: &mut Shown) -> Option<usize> {
    let tag = bracketed(rest, shown)?;
    if let Some(id) = mention(tag) {
        // All cannot be mentioned from here.
        if id != "all" {
            shown.mentions.push(id.to_owned());
        }
        shown.text.push_str(&format!("@{id}"));
        return Some(tag.len());
    }
    if !tag.starts_with("<font") {
        return None;
    }
    let after = rest.get(tag.len()..)?;
    let (inner, _) = after.split_once("</font>")?;
    let text = markup::read_into(inner, rules, shown);
    let color = attribute(tag, "color").unwrap_or_default().to_owned();
    shown.fonts.push(Font { color, text });
    Some(tag.len() + inner.len() + "</font>".len())
}

fn text_mention(rest: &str, shown: &mut Shown) -> Option<usize> {
    let tag = rest.get(..=rest.find('>')?)?;
    let id = mention(tag)?;
    shown.tags.push(tag.to_owned());
    shown.mentions.push(id.to_owned());
    shown.text.push_str(&format!("@{id}"));
    Some(tag.len())
}

/// The id in `<@id>`.
fn mention(tag: &str) -> Option<&str> {
    let id = tag.strip_prefix("<@")?.strip_suffix('>')?;
    let is_id = |c: char| c.is_alphanumeric() || "_-@.".contains(c);
    (!id.is_empty() && id.chars().all(is_id)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::TRICKY;

    #[test]
    fn all_markup_is_found_and_full_width_twins_are_none() {
        let text = "# Title\n> quote **b** `c`\n[a](https://example.com) <font color=\"warning\">hot</font> <@tom><@all> *x* _y_ www.example.org\n<b>";
        let shown = read(text);
        assert_eq!(
            shown.text,
            "Title\n quote b c\na hot @tom@all *x* _y_ www.example.org\n<b>"
        );
        let links: Vec<_> = shown.links.iter().map(|l| l.address.as_str()).collect();
        assert_eq!(links, ["https://example.com", "www.example.org"]);
        assert_eq!(shown.mentions, ["tom"]);
        assert_eq!(shown.fonts.len(), 1);
        assert_eq!(shown.fonts[0].color, "warning");
        let styles: Vec<_> = shown.styles.iter().map(|s| s.kind).collect();
        use StyleKind::{Bold, Code, Heading, Quote};
        assert_eq!(styles, [Heading, Quote, Bold, Code]);
        assert_eq!(
            shown.tags,
            ["<font color=\"warning\">", "<@tom>", "<@all>", "<b>"]
        );

        let harmless = "＊＊x＊＊ ［a］（b） ＜@all＞ a_b 10:20:30 ＃ 1.5\n- x";
        assert!(read(harmless).is_plain(), "{:?}", read(harmless));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in TRICKY) {
            read(&text);
            read_v2(&text);
            read_text(&text);
        }
    }
}
