//! The pictures of a message on the first page: `docs/message.en.svg` and `docs/message.zh.svg`.
//!
//! They are drawn from what DingTalk would get, so that the page shows what the group sees.
//! `INSTA_UPDATE=always` writes them anew.

use super::*;
use ecs_dingtalk_notifier::event::Known;
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
/// Where the text begins, and the widest line, in pixels.
const LEFT: f64 = 112.0;
const MAX_LINE: f64 = 596.0;
const RED: &str = "🔴";

/// A piece of text and the class that it is shown with.
type Piece = (String, &'static str);

/// A planned reboot of an instance that was looked up.
fn planned_reboot() -> Event {
    let mut payload: serde_json::Value = serde_json::from_str(&sample(REBOOT)).unwrap();
    payload["time"] = json!("2026-11-22T11:00:26Z");
    payload["data"]["notBefore"] = json!("2026-11-25T01:01:01Z");
    let tags = [("team", "shop"), ("owner", "alice")];
    let event = event::parse(payload.to_string().as_bytes())
        .events
        .remove(0);
    Event {
        known: Some(Arc::new(Known {
            name: Some("shop-db-02".into()),
            private_addresses: vec!["10.20.0.14".into()],
            tags: tags.map(|(key, value)| (key.into(), value.into())).to_vec(),
            ..Known::default()
        })),
        ..Arc::unwrap_or_clone(event)
    }
}

fn message(language: Language) -> Message {
    let options = RenderOptions {
        mention_levels: vec![Level::Critical],
        mention_tag: Some("owner".into()),
        tags: vec!["team".into(), "owner".into()],
        ..RenderOptions::new(language, TimeZone::get("Asia/Shanghai").unwrap())
    };
    let now = "2026-11-22T11:00:27Z".parse().unwrap();
    render_at(now, &[&planned_reboot()], &options, None, MAX_BYTES)
}

/// What one character takes, in pixels at a size of 15. Fonts differ, so this is on the wide side.
fn width(c: char) -> f64 {
    if c.is_ascii() { 8.0 } else { 15.0 }
}

/// Breaks a line where it would be too wide: at blanks, and between other characters than ASCII.
fn wrap(pieces: &[Piece], max: f64) -> Vec<Vec<Piece>> {
    let mut words: Vec<Piece> = Vec::new();
    for (text, class) in pieces {
        let mut word = String::new();
        for c in text.chars() {
            word.push(c);
            if c == ' ' || !c.is_ascii() {
                words.push((std::mem::take(&mut word), class));
            }
        }
        words.push((word, class));
    }
    let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut taken = 0.0;
    for (word, class) in words.into_iter().filter(|(word, _)| !word.is_empty()) {
        let size: f64 = word.trim_end().chars().map(width).sum();
        // A sign that ends a sentence does not begin a line.
        if taken + size > max && !"，。、；：）".contains(word.as_str()) {
            lines.push(Vec::new());
            taken = 0.0;
        }
        taken += word.chars().map(width).sum::<f64>();
        let line = lines.last_mut().unwrap();
        match line.last_mut() {
            Some((text, last)) if *last == class => text.push_str(&word),
            _ => line.push((word, class)),
        }
    }
    // What blanks end a line with is not drawn.
    for (text, _) in lines.iter_mut().filter_map(|line| line.last_mut()) {
        text.truncate(text.trim_end().len());
    }
    lines
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// One line as SVG. The icon of the level is drawn, because not every machine has emoji.
fn draw(svg: &mut String, y: f64, class: &str, pieces: &[Piece]) {
    write!(svg, "<text x=\"{LEFT}\" y=\"{y}\" class=\"{class}\">").unwrap();
    for (text, class) in pieces {
        let text = escape(text).replace(RED, "<tspan fill=\"#e5484d\">●</tspan>");
        match *class {
            "" => svg.push_str(&text),
            class => write!(svg, "<tspan class=\"{class}\">{text}</tspan>").unwrap(),
        }
    }
    svg.push_str("</text>\n");
}

/// Lines of the text with the paragraph that they are in: its number and its class.
fn lines(text: &str) -> Vec<(usize, &'static str, Vec<Piece>)> {
    let mut out: Vec<(usize, &'static str, Vec<Piece>)> = Vec::new();
    let (mut paragraph, mut class) = (0, "");
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Markdown::Start(Tag::Heading { .. }) => out.push((paragraph, "h", Vec::new())),
            Markdown::Start(Tag::Paragraph) => {
                paragraph += 1;
                out.push((paragraph, "p", Vec::new()));
            }
            Markdown::HardBreak | Markdown::SoftBreak => out.push((paragraph, "p", Vec::new())),
            Markdown::Start(Tag::Strong) => class = "b",
            Markdown::Start(Tag::Link { .. }) => class = "l",
            Markdown::End(pulldown_cmark::TagEnd::Strong | pulldown_cmark::TagEnd::Link) => {
                class = "";
            }
            Markdown::Text(text) => {
                let pieces = &mut out.last_mut().unwrap().2;
                pieces.push((text.into_string(), class));
            }
            _ => {}
        }
    }
    for (_, class, pieces) in &mut out {
        match pieces[0].0.as_str() {
            first if first.starts_with("CloudMonitor") => *class = "f",
            first if first.starts_with('@') => *class = "l",
            _ => {}
        }
    }
    out
}

fn picture(language: Language) -> String {
    let name = match language {
        Language::Zh => "ECS 事件通知 · 机器人",
        Language::En => "ECS notifier · chatbot",
    };
    let message = message(language);
    let (mut body, mut y, mut last) = (String::new(), 104.0, 0);
    for (paragraph, class, pieces) in lines(&message.text) {
        // The last line is in small letters.
        let max = if class == "f" {
            MAX_LINE * 15.0 / 13.0
        } else {
            MAX_LINE
        };
        for line in wrap(&pieces, max) {
            if !body.is_empty() {
                y += if paragraph == last { 25.0 } else { 34.0 };
            }
            last = paragraph;
            draw(&mut body, y, class, &line);
        }
    }
    let height = y + 42.0;
    let card = y + 24.0 - 58.0;
    let title = escape(&message.title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">
<style>
text {{ font-family: -apple-system, 'Segoe UI', Roboto, sans-serif; }}
.n {{ font-size: 13px; fill: #8a8f99; }}
.h {{ font-size: 19px; font-weight: 600; fill: #171a1d; }}
.p {{ font-size: 15px; fill: #171a1d; }}
.b {{ font-weight: 600; }}
.l {{ font-size: 15px; fill: #1669d9; }}
.f {{ font-size: 13px; fill: #6b7280; }}
</style>
<rect width=\"{WIDTH}\" height=\"{height}\" rx=\"12\" fill=\"#eef1f5\"/>
<circle cx=\"52\" cy=\"62\" r=\"24\" fill=\"#2f7cf6\"/>
<text x=\"52\" y=\"68\" text-anchor=\"middle\" style=\"font-size:15px;font-weight:700;fill:#fff\">ECS</text>
<text x=\"92\" y=\"46\" class=\"n\">{name}</text>
<rect x=\"92\" y=\"58\" width=\"636\" height=\"{card}\" rx=\"10\" fill=\"#fff\"/>
{body}</svg>
"
    )
}

#[test]
fn the_pictures_show_the_message_that_the_group_gets() {
    for (language, name) in [(Language::Zh, "zh"), (Language::En, "en")] {
        let path = format!("{}/docs/message.{name}.svg", env!("CARGO_MANIFEST_DIR"));
        let drawn = picture(language);
        // What the first page promises: the name, the team and the owner, who is mentioned.
        for part in ["shop-db-02", "10.20.0.14", "shop</text>", "@alice"] {
            assert!(drawn.contains(part), "{part} is not in {drawn}");
        }
        if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
            std::fs::write(&path, &drawn).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert_eq!(committed, drawn, "INSTA_UPDATE=always writes {path}");
    }
}
