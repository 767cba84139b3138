//! Reads a message as clients do: by the rules of several markdown dialects, and as bare text.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

/// Characters with a meaning in markdown, HTML or mentions, wherever they stand. No text from an
/// event may hold one; headings, labels and links of ours do.
pub(crate) const MARKS: [char; 13] = [
    '[', ']', '<', '>', '&', '@', '*', '`', '~', '|', '\\', '$', '^',
];

/// What our own link begins with, at each site, and what it ends with.
const LINK_STARTS: [&str; 2] = [
    "dingtalk://dingtalkclient/page/link?url=https%3A%2F%2Fecs.console.aliyun.com%2F",
    "dingtalk://dingtalkclient/page/link?url=https%3A%2F%2Fecs.console.alibabacloud.com%2F",
];
const LINK_END: &str = "&pc_slide=false";

/// What stands between beginning and end of our own link; `None` for any other link.
fn link_inside(link: &str) -> Option<&str> {
    LINK_STARTS
        .iter()
        .find_map(|start| link.strip_prefix(start)?.strip_suffix(LINK_END))
}

/// Checks the text of a message. `own` is that text without the mentions and the keyword at its
/// end, which come from the configuration.
pub(crate) fn check(own: &str, whole: &str) {
    raw(own);
    for options in [
        Options::empty(),
        Options::ENABLE_GFM | Options::ENABLE_TABLES,
        Options::all(),
    ] {
        read(own, options);
        // Mentions and keyword do not change how the rest is read.
        let headings = |text: &str| {
            Parser::new_ext(text, options)
                .filter(|e| matches!(e, Event::Start(Tag::Heading { .. })))
                .count()
        };
        assert_eq!(headings(whole), 1, "{whole}");
    }
}

/// Checks the text as a client shows it that knows neither escapes nor entities.
fn raw(text: &str) {
    assert!(!text.contains('\\'), "a backslash in {text}");
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    for line in text.lines() {
        let known = [
            "### ",
            "**",
            "[在控制台查看](",
            "[Open in the console](",
            "CloudMonitor · ECS · ",
            "…",
            "🔴 ",
            "🟠 ",
            "🔵 ",
            "⚪ ",
            "✅ ",
            "🚫 ",
        ];
        assert!(
            line.is_empty() || known.iter().any(|start| line.starts_with(start)),
            "{line:?} in {text}"
        );
    }
    let rest = match text.split_once("](") {
        Some((before, link)) => {
            let (link, after) = link.split_once(')').expect("a link has an end");
            let inside = link_inside(link).expect("our own link");
            assert!(
                inside
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)),
                "{inside}"
            );
            format!(
                "{}{after}",
                before.rsplit_once('[').expect("a link has a beginning").0
            )
        }
        None => text.to_owned(),
    };
    linkless(&rest);
    let rest = rest.replace("**", "");
    assert!(
        !rest.contains(MARKS),
        "{:?} in {text}",
        rest.find(MARKS).and_then(|at| rest.get(at..))
    );
}

/// Checks that the text holds nothing that clients turn into a link by themselves.
fn linkless(text: &str) {
    let lower = text.to_lowercase();
    assert!(!lower.contains("//"), "an address in {text}");
    let autolink = lower.match_indices("www.").any(|(at, _)| {
        !lower
            .get(..at)
            .unwrap_or_default()
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric)
    });
    assert!(!autolink, "an address in {text}");
}

/// Checks the text as a markdown parser reads it.
fn read(text: &str, options: Options) {
    let (mut headings, mut links, mut strong) = (0, 0, 0);
    let mut in_link = false;
    let mut block = String::new();
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Heading {
                level,
                id,
                classes,
                attrs,
            }) => {
                headings += 1;
                assert!(
                    level == HeadingLevel::H3
                        && id.is_none()
                        && classes.is_empty()
                        && attrs.is_empty(),
                    "{text}"
                );
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            }) => {
                links += 1;
                in_link = true;
                assert_eq!(link_type, LinkType::Inline, "{text}");
                assert!(
                    link_inside(&dest_url).is_some() && title.is_empty(),
                    "{text}"
                );
            }
            Event::Start(Tag::Strong) => strong += 1,
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Strong) => {}
            Event::End(TagEnd::Link) => in_link = false,
            Event::End(TagEnd::Heading(_) | TagEnd::Paragraph) => {
                linkless(&block);
                assert!(!block.contains(MARKS), "{block:?} in {text}");
                block.clear();
            }
            Event::Text(words) if in_link => {
                assert!(
                    ["在控制台查看", "Open in the console"].contains(&&*words),
                    "{words} in {text}"
                );
            }
            Event::Text(words) => block.push_str(&words),
            Event::SoftBreak | Event::HardBreak => block.push('\n'),
            other => panic!("{other:?} in {text}"),
        }
    }
    assert_eq!(headings, 1, "{text}");
    assert!(links <= 1, "{text}");
    assert_eq!(
        strong * 2,
        text.matches("**").count(),
        "a label that is none: {text}"
    );
}
