//! The forms of Lark's messages.

use super::card;
use super::{Refusal, markdown};
use crate::shown::{LinkKind, Shown};
use serde_json::Value;

/// A message as its members see it.
pub(super) struct Message {
    /// The `msg_type`.
    pub(super) form: String,
    pub(super) title: String,
    /// Of a card's header.
    pub(super) color: Option<String>,
    pub(super) shown: Shown,
    /// What a card shows in notes.
    pub(super) note: Shown,
}

/// Reads a message of any form.
pub(super) fn read(body: &Value) -> Result<Message, Refusal> {
    let form = body["msg_type"].as_str().ok_or(Refusal::MessageType)?;
    let object = |name: &str| {
        let value = &body[name];
        value.as_object().map(|_| value).ok_or(Refusal::BadRequest)
    };
    if form == "interactive" {
        let card = card::read(object("card")?).map_err(Refusal::Card)?;
        return Ok(Message {
            form: form.to_owned(),
            title: card.title,
            color: card.color,
            shown: card.shown,
            note: card.note,
        });
    }
    let content = object("content")?;
    let field = |name: &str| {
        let value = content[name].as_str().filter(|text| !text.is_empty());
        value.ok_or(Refusal::BadRequest)
    };
    let (title, shown) = match form {
        "text" => {
            let shown = markdown::read_text(field("text")?);
            let title = shown.text.lines().next().unwrap_or_default().to_owned();
            (title, shown)
        }
        "post" => read_post(&content["post"]).ok_or(Refusal::BadRequest)?,
        "image" => {
            let mut shown = Shown::default();
            shown.images.push(field("image_key")?.to_owned());
            (String::new(), shown)
        }
        "share_chat" => (String::new(), Shown::plain(field("share_chat_id")?)),
        _ => return Err(Refusal::MessageType),
    };
    Ok(Message {
        form: form.to_owned(),
        title,
        color: None,
        shown,
        note: Shown::default(),
    })
}

/// Reads the first language of a post: a title, and paragraphs of nodes.
fn read_post(post: &Value) -> Option<(String, Shown)> {
    let (_, post) = post.as_object()?.iter().next()?;
    let title = post["title"].as_str().unwrap_or_default().to_owned();
    let mut shown = Shown::default();
    for paragraph in post["content"].as_array()? {
        let mut line = Shown::default();
        for node in paragraph.as_array()? {
            let text = node["text"].as_str();
            match node["tag"].as_str()? {
                "text" => line.text.push_str(text?),
                "a" => {
                    let address = node["href"].as_str()?;
                    line.text.push_str(text?);
                    line.link(LinkKind::Markup, text?, address);
                }
                "at" => {
                    let id = node["user_id"].as_str()?;
                    let name = node["user_name"].as_str().unwrap_or(id);
                    line.text.push_str(&format!("@{name}"));
                    line.mentions.push(id.to_owned());
                }
                "img" => line.images.push(node["image_key"].as_str()?.to_owned()),
                "emotion" => line.emoji.push(node["emoji_type"].as_str()?.to_owned()),
                _ => return None,
            }
        }
        shown.append(line);
    }
    Some((title, shown))
}
