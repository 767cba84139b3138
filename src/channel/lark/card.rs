//! Messages as cards (JSON 1.0), with all text from an event escaped.
//!
//! Of the card, only the `markdown` element has markup. Clients of all versions show cards of this
//! form: <https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-structure>.

use crate::channel::Body;
use crate::channel::escape::{escape, escape_with_emoji};
use crate::channel::lark::sign::SIGNATURE_BYTES;
use crate::channel::markup::{Markup, join};
use crate::message::{Mentions, Message, Tone};
use serde_json::json;

/// Backslash escapes would show, and one kind of emphasis is enough.
const MARKUP: Markup = Markup {
    bold: ["**", "**"],
    strong: ["**", "**"],
    needs_blank: false,
    escape: escape_with_emoji,
};

/// For elements without markup, where names of events stay as they are.
const PLAIN: Markup = Markup {
    bold: ["", ""],
    strong: ["", ""],
    needs_blank: false,
    escape,
};

/// A chatbot made with one of these words as keyword takes every message.
const STANDING_WORDS: [&str; 2] = ["CloudMonitor", "ECS"];

/// Encodes the message as an unsigned request body: JSON in raw UTF-8.
pub fn encode(message: &Message, keyword: Option<&str>) -> Body {
    let title = MARKUP.text(&message.title);
    let mut content = join(&MARKUP.paragraphs(message));
    let keywords = STANDING_WORDS.into_iter().chain(keyword);
    // Lark looks for keywords in texts; whether that of a note counts is not documented.
    let missing: Vec<&str> = keywords
        .filter(|word| !title.contains(word) && !content.contains(word))
        .collect();
    if !missing.is_empty() {
        let words = missing.join(" ");
        content.push_str(&format!("\n\n<font color='grey'>{words}</font>"));
    }
    let mentions = mention_text(&message.mentions);
    if !mentions.is_empty() {
        content.push_str("\n\n");
        content.push_str(&mentions);
    }
    let mut elements = vec![json!({"tag": "markdown", "content": content})];
    if let Some(link) = &message.link {
        elements.push(json!({"tag": "action", "actions": [{
            "tag": "button",
            "text": {"tag": "plain_text", "content": link.label},
            "type": "primary",
            "url": link.url,
        }]}));
    }
    let footer = PLAIN.text(&message.footer);
    elements.push(json!({"tag": "note", "elements": [{"tag": "plain_text", "content": footer}]}));
    let body = json!({
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": true},
            "header": {
                "template": colour(message.tone),
                "title": {"tag": "plain_text", "content": title},
            },
            "elements": elements,
        },
    });
    let bytes = body.to_string().into_bytes();
    Body {
        size: bytes.len() + SIGNATURE_BYTES,
        bytes,
    }
}

/// Returns whom an encoded body mentions: people, and everybody. Text from an event mentions nobody.
pub(super) fn mentions_of(body: &[u8]) -> (bool, bool) {
    let body = String::from_utf8_lossy(body);
    let mut ids = body.split("<at id=").skip(1);
    let all = ids.clone().any(|id| id.starts_with("all>"));
    (ids.any(|id| !id.starts_with("all>")), all)
}

fn mention_text(mentions: &Mentions) -> String {
    let ids = mentions.user_ids.iter().map(String::as_str);
    let ids = ids.chain(mentions.all.then_some("all"));
    let ids: Vec<String> = ids.map(|id| format!("<at id={id}></at>")).collect();
    ids.join(" ")
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical => "red",
        Tone::Warn => "orange",
        Tone::Info => "blue",
        Tone::Unknown => "grey",
        Tone::Good => "green",
    }
}
