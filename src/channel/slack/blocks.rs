//! Messages as Slack's blocks, with all text from an event escaped.
//!
//! Slack refuses a whole message for one block that is too long or empty, and does not say which:
//! <https://docs.slack.dev/reference/block-kit/blocks>.

use crate::channel::Body;
use crate::channel::escape::{escape, escape_with_hosts, escape_with_lowercase_emoji};
use crate::channel::markup::{Markup, join};
use crate::message::{Mentions, Message};
use serde_json::{Value, json};

/// Characters of all blocks together. Slack refuses more than some 13,000, which is not documented.
pub const MAX_CHARACTERS: usize = 12_000;
/// Characters of a header.
const MAX_HEADER: usize = 150;
/// Characters of a section, with a reserve.
const MAX_SECTION: usize = 2_900;
/// Characters of the footer, and of the text for notifications.
const MAX_LINE: usize = 2_000;

/// Bold opens behind a blank and closes before one or before a punctuation mark.
const MRKDWN: Markup = Markup {
    bold: ["*", "*"],
    strong: ["*", "*"],
    needs_blank: true,
    escape: escape_with_lowercase_emoji,
};

/// In a message without blocks, names of hosts become links.
const ALONE: Markup = Markup {
    escape: escape_with_hosts,
    ..MRKDWN
};

/// For elements without markup, where names of events stay as they are.
const PLAIN: Markup = Markup {
    bold: ["", ""],
    strong: ["", ""],
    needs_blank: false,
    escape,
};

/// Encodes the message as a request body: JSON in raw UTF-8. A plain one has no blocks.
pub fn encode(message: &Message, is_plain: bool) -> Body {
    let (size, body) = match is_plain {
        true => alone(message),
        false => blocks(message),
    };
    Body {
        bytes: body.to_string().into_bytes(),
        size,
    }
}

fn blocks(message: &Message) -> (usize, Value) {
    let title = PLAIN.text(&message.title);
    let header = cut(&title, MAX_HEADER);
    let footer = cut(&PLAIN.text(&message.footer), MAX_LINE);
    let sections = sections(&paragraphs(&MRKDWN, message));
    let texts = sections.iter().chain([&header, &footer]);
    let size = texts.map(|text| units(text)).sum();

    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let section = |text: &String| {
        // Without `verbatim`, names of hosts and channels become links.
        let text = json!({"type": "mrkdwn", "text": text, "verbatim": true});
        json!({"type": "section", "text": text})
    };
    let mut blocks = vec![json!({"type": "header", "text": plain(&header)})];
    blocks.extend(sections.iter().map(section));
    blocks.push(json!({"type": "context", "elements": [plain(&footer)]}));
    // What notifications and screen readers get.
    let text = cut(&MRKDWN.text(&message.title), MAX_LINE);
    (size, json!({"text": text, "blocks": blocks}))
}

fn alone(message: &Message) -> (usize, Value) {
    let mut all = vec![vec![format!("*{}*", ALONE.text(&message.title))]];
    all.extend(paragraphs(&ALONE, message));
    all.push(vec![ALONE.text(&message.footer)]);
    let text = join(&all);
    (units(&text), json!({"text": text}))
}

/// All between title and footer.
fn paragraphs(markup: &Markup, message: &Message) -> Vec<Vec<String>> {
    let mut paragraphs = markup.paragraphs(message);
    let link = message.link.as_ref();
    paragraphs.extend(link.map(|link| vec![format!("<{}|{}>", link.url, link.label)]));
    let mentions = mention_text(&message.mentions);
    if !mentions.is_empty() {
        paragraphs.push(vec![mentions]);
    }
    paragraphs
}

fn mention_text(mentions: &Mentions) -> String {
    let ids = mentions
        .user_ids
        .iter()
        .map(|id| match id.starts_with('S') {
            true => format!("<!subteam^{id}>"),
            false => format!("<@{id}>"),
        });
    let all = mentions.all.then(|| "<!channel>".to_owned());
    ids.chain(all).collect::<Vec<_>>().join(" ")
}

/// Puts the lines into as few sections as they take. A line that is too long for one is broken.
fn sections(paragraphs: &[Vec<String>]) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for (number, paragraph) in paragraphs.iter().enumerate() {
        for (place, line) in paragraph.iter().enumerate() {
            let between = match (number, place) {
                (0, 0) => "",
                (_, 0) => "\n\n",
                _ => "\n",
            };
            for (part, text) in broken(line).into_iter().enumerate() {
                let between = if part == 0 { between } else { "\n" };
                match sections.last_mut() {
                    Some(last) if units(last) + units(text) + 2 <= MAX_SECTION => {
                        last.push_str(between);
                        last.push_str(text);
                    }
                    _ => sections.push(text.to_owned()),
                }
            }
        }
    }
    sections
}

/// Breaks a line into parts that fit into a section, behind commas where there are some.
fn broken(mut line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while units(line) > MAX_SECTION {
        let end = prefix(line, MAX_SECTION).len();
        let comma = line[..end].rfind([',', '、']);
        let at = comma.map_or(end, |at| {
            at + line[at..].chars().next().map_or(1, char::len_utf8)
        });
        let (part, rest) = line.split_at(at);
        parts.push(part);
        line = rest.trim_start();
    }
    if !line.is_empty() {
        parts.push(line);
    }
    parts
}

/// Cuts a text to so many characters, marked with `…`.
fn cut(text: &str, max: usize) -> String {
    match units(text) {
        ..=0 => "-".to_owned(),
        size if size <= max => text.to_owned(),
        _ => format!("{}…", prefix(text, max - 1).trim_end()),
    }
}

/// The beginning of a text, as much as fits into so many characters.
fn prefix(text: &str, max: usize) -> &str {
    let mut size = 0;
    let end = text.char_indices().find(|(_, c)| {
        size += c.len_utf16();
        size > max
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// Characters as Slack counts them. Which unit it has is not documented, and this is the larger.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fill_sections_and_long_ones_are_broken_behind_commas() {
        let long = "实例-01（i-0123456789）、".repeat(300);
        let lines = vec![
            vec!["first".to_owned(), long.clone()],
            vec!["last".to_owned()],
        ];
        let sections = sections(&lines);
        assert!(sections.len() >= 2 && sections.iter().all(|text| units(text) <= MAX_SECTION));
        assert!(sections.iter().all(|text| !text.is_empty()));
        assert_eq!(
            sections.concat().replace('\n', ""),
            format!("first{long}last")
        );
        let whole = sections[..sections.len() - 1].iter();
        assert!(whole.skip(1).all(|text| text.ends_with('、')));
    }

    #[test]
    fn a_cut_is_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        // Two units each.
        assert_eq!(cut("🔴🔴🔴", 5), "🔴🔴…");
        assert_eq!(cut("🔴🔴🔴", 4), "🔴…");
        assert_eq!(cut("", 4), "-");
    }
}
