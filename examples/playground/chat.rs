//! Renders DingTalk's messages as HTML, limited to its markdown subset.
//!
//! The message is untrusted text. Markdown outside the subset is turned into text after parsing,
//! and a sanitiser then removes every tag and attribute outside the subset.

use fake_dingtalk::Delivery;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream, html};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// The deep link that opens an address in the browser.
const IN_BROWSER: &str = "dingtalk://dingtalkclient/page/link?";

/// Returns what the page shows of a message; `bytes` is the length of the request's body.
pub fn to_json(number: usize, delivery: &Delivery, bytes: usize, is_fallback: bool) -> Value {
    let body = &delivery.body[delivery.msgtype.as_str()];
    let is_markdown = ["markdown", "actionCard"].contains(&delivery.msgtype.as_str());
    let mentions = Mentions::of(delivery);
    let mut html = if is_markdown {
        render(&delivery.text, &mentions)
    } else {
        clean(&format!("<p>{}</p>", mentions.mark(&delivery.text)))
    };
    if delivery.at_all {
        html.push_str("<p><span class=\"mention\">@所有人</span></p>");
    }
    json!({
        "type": "message",
        "chat": "dingtalk",
        "number": number,
        "at": delivery.clock_ms,
        "uuid": delivery.msg_uuid,
        "title": delivery.title,
        "text": delivery.text,
        "html": html,
        "buttons": buttons(&delivery.msgtype, body),
        "mentioned": delivery.mentioned.len(),
        "atAll": delivery.at_all,
        "bytes": bytes,
        "fallback": is_fallback,
    })
}

/// Returns the buttons of a card, or the links of a link message or feed card.
fn buttons(msgtype: &str, body: &Value) -> Vec<Value> {
    let button = |value: &Value, title: &str, url: &str| {
        let href = href(value[url].as_str()?)?;
        Some(json!({"title": value[title].as_str()?, "href": href}))
    };
    let each = |key: &str, title: &str, url: &str| -> Vec<Value> {
        let items = body[key].as_array().into_iter().flatten();
        items.filter_map(|item| button(item, title, url)).collect()
    };
    match msgtype {
        "actionCard" if body["singleTitle"].is_string() => {
            Vec::from_iter(button(body, "singleTitle", "singleURL"))
        }
        "actionCard" => each("btns", "title", "actionURL"),
        "feedCard" => each("links", "title", "messageURL"),
        "link" => Vec::from_iter(button(body, "title", "messageUrl")),
        _ => Vec::new(),
    }
}

/// Returns the web address of a link, unwrapped if it is DingTalk's deep link. Returns `None` if it
/// is not a web address.
pub fn href(target: &str) -> Option<String> {
    let unwrapped = target.strip_prefix(IN_BROWSER).map(|query| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let url = pairs.find(|(name, _)| *name == "url");
        url.map_or_else(String::new, |(_, url)| percent_decoded(url))
    });
    let url = unwrapped.unwrap_or_else(|| target.to_owned());
    let lower = url.to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://")).then_some(url)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, code) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let digits = code.get(1..3);
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = code.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = code.get(1..).unwrap_or_default();
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The ids in a message's `at`.
struct Mentions {
    /// Ids that also stand in the text and are of the group: shown as mentions.
    effective: Vec<String>,
    /// All other ids: mobile numbers among them are shown masked.
    others: Vec<String>,
}

impl Mentions {
    fn of(delivery: &Delivery) -> Mentions {
        let named = ["atMobiles", "atUserIds"].map(|key| delivery.body["at"][key].as_array());
        let others = named
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .filter(|id| !delivery.mentioned.contains(id))
            .collect();
        Mentions {
            effective: delivery.mentioned.clone(),
            others,
        }
    }

    /// Returns text as HTML with marked mentions and, as in DingTalk's clients, linked addresses.
    fn mark(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (length, html) = self.piece(rest, out.is_empty() || !out.ends_with(is_word));
            out.push_str(&html);
            rest = rest.get(length..).unwrap_or_default();
        }
        out
    }

    /// Returns the length of the next piece of a text and its HTML.
    fn piece(&self, text: &str, is_at_word: bool) -> (usize, String) {
        if let Some(after) = text.strip_prefix('@') {
            let id_in = |ids: &[String]| {
                let fits = |id: &&String| {
                    after
                        .strip_prefix(id.as_str())
                        .is_some_and(|next| !next.starts_with(is_word))
                };
                ids.iter().filter(fits).map(String::len).max()
            };
            if let Some(length) = id_in(&self.effective) {
                let id = escaped(after.get(..length).unwrap_or_default());
                return (length + 1, format!("<span class=\"mention\">@{id}</span>"));
            }
            if let Some(length) = id_in(&self.others) {
                return (length + 1, format!("@{}", escaped(&masked(after, length))));
            }
        }
        let begins = |prefix: &str| {
            let start = text.get(..prefix.len());
            is_at_word && start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if begins("http://") || begins("https://") || begins("www.") {
            let end = text.find(|c: char| !c.is_ascii_graphic() || "<>\"()[]".contains(c));
            let url = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
            let scheme = if begins("www.") { "http://" } else { "" };
            let shown = escaped(url);
            return (
                url.len(),
                format!("<a href=\"{scheme}{shown}\">{shown}</a>"),
            );
        }
        let length = text.chars().next().map_or(1, char::len_utf8);
        (length, escaped(text.get(..length).unwrap_or_default()))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Returns the id of this length at the start of `text`, its middle masked if it is a number.
fn masked(text: &str, length: usize) -> String {
    let id = text.get(..length).unwrap_or_default();
    match (id.get(..3), id.get(length.saturating_sub(4)..)) {
        (Some(first), Some(last)) if length > 7 && id.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{first}****{last}")
        }
        _ => id.to_owned(),
    }
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Renders DingTalk's markdown as HTML.
fn render(text: &str, mentions: &Mentions) -> String {
    let parsed = Parser::new_ext(text, Options::empty()).flat_map(in_subset);
    let mut is_link_open = Vec::new();
    let marked = TextMergeStream::new(parsed).filter_map(|event| match event {
        Event::Start(Tag::Link {
            dest_url,
            title,
            link_type,
            id,
        }) => {
            let href = href(&dest_url);
            is_link_open.push(href.is_some());
            let dest_url = CowStr::from(href?);
            Some(Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }))
        }
        Event::End(TagEnd::Link) => is_link_open.pop()?.then_some(Event::End(TagEnd::Link)),
        Event::Text(text) if is_link_open.last() != Some(&true) => {
            Some(Event::InlineHtml(mentions.mark(&text).into()))
        }
        event => Some(event),
    });
    let mut out = String::new();
    html::push_html(&mut out, marked);
    clean(&out)
}

/// Replaces a parser event outside DingTalk's subset by text.
fn in_subset(event: Event<'_>) -> Vec<Event<'_>> {
    let paragraph = |begins| match begins {
        true => Event::Start(Tag::Paragraph),
        false => Event::End(TagEnd::Paragraph),
    };
    match event {
        Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => vec![paragraph(true)],
        Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock) => vec![paragraph(false)],
        Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::SoftBreak => vec![Event::Text(" ".into())],
        Event::Rule => vec![paragraph(true), Event::Text("---".into()), paragraph(false)],
        // A picture would be fetched from another host: show its description instead.
        Event::Start(Tag::Image { .. }) => vec![Event::Text("🖼 ".into())],
        Event::End(TagEnd::Image) => Vec::new(),
        event => vec![event],
    }
}

/// Colours of text in Lark and WeCom, and mentions.
const CLASSES: [&str; 7] = [
    "font-red",
    "font-green",
    "font-grey",
    "font-warning",
    "font-info",
    "font-comment",
    "mention",
];

/// Removes all tags outside the subset, and classes that the page does not know, and makes links
/// open in a new tab.
pub fn clean(html: &str) -> String {
    let tags = [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "br",
        "strong",
        "em",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "span",
    ];
    ammonia::Builder::empty()
        .tags(HashSet::from(tags))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .allowed_classes(HashMap::from([("span", HashSet::from(CLASSES))]))
        .url_schemes(HashSet::from(["http", "https"]))
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer"))
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mentions = Mentions {
            effective: vec!["13800000000".into(), "manager7675".into()],
            others: vec!["13100000009".into(), "stranger".into()],
        };
        render(text, &mentions).trim().to_owned()
    }

    #[test]
    fn the_subset_is_rendered() {
        for (text, expected) in [
            ("### a", "<h3>a</h3>"),
            (
                "**a** *b*  \nc",
                "<p><strong>a</strong> <em>b</em><br>\nc</p>",
            ),
            ("a\nb", "<p>a b</p>"),
            ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("1. a", "<ol>\n<li>a</li>\n</ol>"),
            (
                "[a](https://b.example/?c=1&d)",
                "<p><a href=\"https://b.example/?c=1&amp;d\" target=\"_blank\" rel=\"noopener noreferrer\">a</a></p>",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn markdown_outside_the_subset_is_text() {
        for (text, expected) in [
            ("`a`", "<p>a</p>"),
            ("```\n<b>\n```", "<p>&lt;b&gt;\n</p>"),
            ("|a|\n|-|\n|b|", "<p>|a| |-| |b|</p>"),
            ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>"),
            ("~~a~~", "<p>~~a~~</p>"),
            ("![a](https://b.example/c.png)", "<p>🖼 a</p>"),
            ("[a](javascript:alert(1))", "<p>a</p>"),
            ("[a](data:text/html,b)", "<p>a</p>"),
            (
                "[a](dtmd://dingtalkclient/sendMessage?content=b)",
                "<p>a</p>",
            ),
            ("a\n\n---", "<p>a</p>\n<p>---</p>"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        let script = shown("<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>");
        assert!(
            !script.contains("<script") && !script.contains("<img"),
            "{script}"
        );
        assert!(script.contains("&lt;script&gt;"), "{script}");
    }

    #[test]
    fn the_sanitiser_removes_scripts_and_attributes() {
        let html = clean(
            "<a href='javascript:x' onclick=x style=x>a</a><script>b</script><span class='mention evil'>c</span><iframe></iframe>",
        );
        assert_eq!(
            html,
            "<a target=\"_blank\" rel=\"noopener noreferrer\">a</a><span class=\"mention\">c</span>"
        );
    }

    #[test]
    fn a_deep_link_is_unwrapped() {
        let wrapped =
            |url: &str| format!("dingtalk://dingtalkclient/page/link?url={url}&pc_slide=false");
        assert_eq!(
            href(&wrapped("https%3A%2F%2Fa.example%2F%E4%B8%AD%3Fb%3Dc%2")).as_deref(),
            Some("https://a.example/中?b=c%2")
        );
        assert_eq!(href(&wrapped("javascript%3Aalert(1)")), None);
        assert_eq!(href("dingtalk://dingtalkclient/page/link?x=1"), None);
        assert_eq!(href("ftp://a.example"), None);
    }

    #[test]
    fn web_addresses_become_links() {
        let links = |text: &str| shown(text).matches("<a href").count();
        assert_eq!(
            links("see https://a.example/b?c=d, www.e.example and HTTP://F.example"),
            3
        );
        assert_eq!(
            links("https:／/a.example www．b.example xhttps://c.example"),
            0
        );
        assert_eq!(
            links("[https://a.example](https://b.example)"),
            1,
            "a link inside a link"
        );
        assert!(shown("www.a.example\"onclick=x").contains("href=\"http://www.a.example\""));
    }

    #[test]
    fn effective_mentions_are_marked_and_other_numbers_masked() {
        assert_eq!(
            shown("@13800000000 @manager7675 @13100000009 @stranger @other"),
            "<p><span class=\"mention\">@13800000000</span> <span class=\"mention\">@manager7675</span> @131****0009 @stranger @other</p>"
        );
        assert_eq!(
            shown("@138000000001 13800000000"),
            "<p>@138000000001 13800000000</p>"
        );
    }
}
