//! Draws a message about as the clients of Lark, WeCom and Slack do.

use crate::chat::{clean, escaped, href};
use crate::chats::{facts, id};
use crate::markup::Markup;
use ecs_dingtalk_notifier::channel::Chat;
use fake_chats::Delivery;
use serde_json::{Value, json};

/// The parts of a message.
#[derive(Default)]
struct Parts {
    /// The title above the text.
    heading: Option<String>,
    html: String,
    buttons: Vec<Value>,
    /// Small text below.
    notes: Vec<String>,
}

/// Returns what the page shows of a message; `bytes` is the length of the request's body.
pub fn to_json(number: usize, chat: Chat, delivery: &Delivery, bytes: usize) -> Value {
    let body = &delivery.body;
    let markup = Markup {
        chat,
        has_bare_links: true,
        mentioned: &delivery.shown.mentions,
    };
    let parts = match (chat, delivery.form.as_str()) {
        (_, "interactive") => card(&body["card"], markup),
        (_, "blocks") => blocks(&body["blocks"], markup),
        (_, "markdown") => Parts {
            html: markup.draw(text_of(&body["markdown"]["content"])),
            ..Parts::default()
        },
        (Chat::Slack, "text") => Parts {
            html: markup.draw(text_of(&body["text"])),
            ..Parts::default()
        },
        _ => plain(delivery, markup),
    };
    let mentioned = delivery.shown.mentions.iter();
    let is_all = |id: &&String| ["all", "channel", "here", "everyone"].contains(&id.as_str());
    let all = mentioned.clone().filter(is_all).count();
    json!({
        "type": "message",
        "chat": id(chat),
        "number": number,
        "at": delivery.clock_ms,
        "title": delivery.title,
        "text": delivery.shown.text,
        "heading": parts.heading,
        "color": delivery.color,
        "html": parts.html,
        "buttons": parts.buttons,
        "note": parts.notes.join("\n"),
        "mentioned": mentioned.count() - all,
        "atAll": all > 0,
        "bytes": bytes,
        "fallback": delivery.token == facts(chat).tokens[1],
    })
}

/// A card of Lark's.
fn card(card: &Value, markup: Markup) -> Parts {
    let mut parts = Parts {
        heading: card["header"]["title"]["content"]
            .as_str()
            .map(str::to_owned),
        ..Parts::default()
    };
    for element in card["elements"].as_array().into_iter().flatten() {
        match element["tag"].as_str().unwrap_or_default() {
            "markdown" => parts
                .html
                .push_str(&markup.draw(text_of(&element["content"]))),
            "div" if element["text"]["tag"] == "lark_md" => {
                let text = text_of(&element["text"]["content"]);
                parts.html.push_str(&markup.draw(text));
            }
            "div" => {
                let text = text_of(&element["text"]["content"]);
                parts.html.push_str(&lines(text));
            }
            "action" => {
                let actions = element["actions"].as_array().into_iter().flatten();
                parts.buttons.extend(
                    actions.filter_map(|action| button(&action["text"]["content"], &action["url"])),
                );
            }
            "note" => {
                let elements = element["elements"].as_array().into_iter().flatten();
                let texts = elements.map(|element| text_of(&element["content"]).to_owned());
                parts.notes.extend(texts);
            }
            _ => {}
        }
    }
    parts
}

/// Blocks of Slack's.
fn blocks(blocks: &Value, markup: Markup) -> Parts {
    let mut parts = Parts::default();
    let text = |object: &Value| {
        let text = text_of(&object["text"]);
        if object["type"] == "mrkdwn" {
            let markup = Markup {
                has_bare_links: object["verbatim"] != true,
                ..markup
            };
            markup.draw(text)
        } else {
            lines(text)
        }
    };
    for block in blocks.as_array().into_iter().flatten() {
        let elements = block["elements"].as_array().into_iter().flatten();
        match block["type"].as_str().unwrap_or_default() {
            "header" => parts.heading = block["text"]["text"].as_str().map(str::to_owned),
            "section" => {
                let fields = block["fields"].as_array().into_iter().flatten();
                for object in [&block["text"]].into_iter().chain(fields) {
                    parts.html.push_str(&text(object));
                }
            }
            "context" => parts
                .notes
                .extend(elements.map(|element| text_of(&element["text"]).to_owned())),
            "actions" => parts
                .buttons
                .extend(elements.filter_map(|own| button(&own["text"]["text"], &own["url"]))),
            _ => {}
        }
    }
    parts
}

/// A text without markup, and whom it mentions besides.
fn plain(delivery: &Delivery, markup: Markup) -> Parts {
    let links_only = Markup {
        chat: Chat::DingTalk,
        ..markup
    };
    let mut html = links_only.draw(&delivery.shown.text);
    let mentioned: Vec<String> = delivery
        .shown
        .mentions
        .iter()
        .map(|id| {
            let name = if id == "all" { "所有人" } else { id };
            format!("<span class=\"mention\">@{}</span>", escaped(name))
        })
        .collect();
    if !mentioned.is_empty() {
        html.push_str(&clean(&format!("<p>{}</p>", mentioned.join(" "))));
    }
    Parts {
        html,
        ..Parts::default()
    }
}

fn lines(text: &str) -> String {
    clean(&format!("<p>{}</p>", escaped(text).replace('\n', "<br>")))
}

fn button(title: &Value, url: &Value) -> Option<Value> {
    let href = href(url.as_str()?)?;
    Some(json!({"title": title.as_str()?, "href": href}))
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
