//! Messages as WeCom's `markdown` or `text`, with all text from an event escaped.
//!
//! <https://developer.work.weixin.qq.com/document/path/91770>

use crate::channel::Body;
use crate::channel::escape::escape;
use crate::channel::markup::{Markup, join};
use crate::message::{Mentions, Message, Tone};
use serde_json::json;

/// Bytes of a `markdown` content.
pub const MAX_MARKDOWN: usize = 4096;
/// Bytes of a `text` content.
pub const MAX_TEXT: usize = 2048;
/// Bytes that mentions may take of a `markdown` content.
pub const MAX_MENTIONS: usize = 1200;

const MARKDOWN: Markup = Markup {
    bold: ["**", "**"],
    strong: ["<font color=\"warning\">", "</font>"],
    needs_blank: false,
    escape,
};

const TEXT: Markup = Markup {
    bold: ["", ""],
    strong: ["", ""],
    needs_blank: false,
    escape,
};

/// Encodes the message as a request body: JSON in raw UTF-8.
///
/// Only a `text` mentions mobile numbers and everybody. A byte of it counts twice: it may have half
/// as many.
pub fn encode(message: &Message) -> Body {
    let Mentions {
        mobiles,
        user_ids,
        all,
    } = &message.mentions;
    let (size, body) = if is_text(&message.mentions) {
        let content = text(message);
        let everybody = all.then_some("@all");
        let ids = user_ids.iter().map(String::as_str).chain(everybody);
        let ids: Vec<&str> = ids.collect();
        let size = content.len() * (MAX_MARKDOWN / MAX_TEXT);
        let text = json!({
            "content": content,
            "mentioned_list": ids,
            "mentioned_mobile_list": mobiles,
        });
        (size, json!({"msgtype": "text", "text": text}))
    } else {
        let content = markdown(message);
        let markdown = json!({"content": content});
        (
            content.len(),
            json!({"msgtype": "markdown", "markdown": markdown}),
        )
    };
    Body {
        bytes: body.to_string().into_bytes(),
        size,
    }
}

/// Bytes of the content of this message.
pub fn max_bytes(message: &Message) -> usize {
    match is_text(&message.mentions) {
        true => MAX_TEXT,
        false => MAX_MARKDOWN,
    }
}

fn is_text(mentions: &Mentions) -> bool {
    mentions.all || !mentions.mobiles.is_empty()
}

/// The title comes first: WeCom shows the beginning in notifications.
fn markdown(message: &Message) -> String {
    let colour = match message.tone {
        Tone::Critical | Tone::Warn => "warning",
        Tone::Unknown | Tone::Info => "comment",
        Tone::Good => "info",
    };
    let title = MARKDOWN.text(&message.title);
    let mut paragraphs = vec![vec![format!("### <font color=\"{colour}\">{title}</font>")]];
    paragraphs.extend(MARKDOWN.paragraphs(message));
    let link = message.link.as_ref();
    paragraphs.extend(link.map(|link| vec![format!("[{}]({})", link.label, link.url)]));
    let footer = MARKDOWN.text(&message.footer);
    paragraphs.push(vec![format!("<font color=\"comment\">{footer}</font>")]);
    let mentions = mention_text(&message.mentions.user_ids);
    if !mentions.is_empty() {
        paragraphs.push(vec![mentions]);
    }
    join(&paragraphs)
}

/// As many people as there is room for: the configured ones are, and stand first.
fn mention_text(user_ids: &[String]) -> String {
    let mut out = String::new();
    for id in user_ids {
        if out.len() + mention_bytes(id) <= MAX_MENTIONS {
            out.push_str(&format!("<@{id}>"));
        }
    }
    out
}

/// Bytes of the mention of a user id.
pub fn mention_bytes(id: &str) -> usize {
    id.len() + "<@>".len()
}

fn text(message: &Message) -> String {
    let mut paragraphs = vec![vec![TEXT.text(&message.title)]];
    paragraphs.extend(TEXT.paragraphs(message));
    let link = message.link.as_ref();
    let colon = message.language.colon().trim_end();
    paragraphs.extend(link.map(|link| vec![format!("{}{colon}", link.label), link.url.clone()]));
    paragraphs.push(vec![TEXT.text(&message.footer)]);
    join(&paragraphs)
}
