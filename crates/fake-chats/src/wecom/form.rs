//! The forms of WeCom's messages.

use super::{Refusal, markdown, refuse};
use crate::behaviour::Behaviour;
use crate::shown::Shown;
use serde_json::Value;

/// In bytes of `content`.
const MAX_TEXT: usize = 2_048;
/// In bytes of `content`.
const MAX_MARKDOWN: usize = 4_096;
/// Lists of mentions, which texts alone may have.
const LISTS: [&str; 2] = ["mentioned_list", "mentioned_mobile_list"];

/// Reads a message of any form. Returns its type and what is shown.
pub(super) fn read(body: &Value, behaviour: &Behaviour) -> Result<(String, Shown), Refusal> {
    let form = body["msgtype"].as_str().unwrap_or_default();
    let known = [
        "text",
        "markdown",
        "markdown_v2",
        "image",
        "news",
        "file",
        "voice",
        "template_card",
    ];
    if !known.contains(&form) {
        return refuse(40008, "invalid message type");
    }
    let object = &body[form];
    if object.as_object().is_none_or(|members| members.is_empty()) {
        return refuse(44004, "empty content");
    }
    let stray = |object: &Value| LISTS.iter().any(|list| object.get(list).is_some());
    let is_stray = stray(body) || (form != "text" && stray(object));
    if is_stray && !behaviour.ignores_stray_mentions {
        return refuse(40035, "invalid parameter, mentions stand in text");
    }
    let shown = match form {
        "text" => read_text(object, behaviour)?,
        "markdown" => markdown::read(&content(object, "markdown", MAX_MARKDOWN)?),
        "markdown_v2" => markdown::read_v2(&content(object, "markdown_v2", MAX_MARKDOWN)?),
        _ => Shown::default(),
    };
    Ok((form.to_owned(), shown))
}

/// Returns the content if it is there and short enough.
fn content(object: &Value, form: &str, max: usize) -> Result<String, Refusal> {
    let Some(content) = object["content"].as_str().filter(|text| !text.is_empty()) else {
        return refuse(44004, "empty content");
    };
    if content.len() > max {
        let text = format!("{form}.content exceed max length {max}. invalid Request Parameter");
        return refuse(40058, &text);
    }
    Ok(content.to_owned())
}

fn read_text(object: &Value, behaviour: &Behaviour) -> Result<Shown, Refusal> {
    let max = if behaviour.cuts_long_text {
        usize::MAX
    } else {
        MAX_TEXT
    };
    let text = content(object, "text", max)?;
    let kept = text.get(..text.floor_char_boundary(MAX_TEXT));
    let mut shown = markdown::read_text(kept.unwrap_or_default());
    for list in LISTS {
        let Some(list) = object.get(list) else {
            continue;
        };
        let ids = list.as_array().map(|ids| ids.iter().map(Value::as_str));
        let ids: Option<Vec<&str>> = ids.and_then(Iterator::collect);
        let Some(ids) = ids else {
            return refuse(40035, "invalid parameter, a list of mentions holds strings");
        };
        for id in ids {
            // One element with a list of ids in it names nobody.
            if !id.is_empty() && !id.contains([',', ' ', '|']) {
                let id = if id == "@all" { "all" } else { id };
                shown.mentions.push(id.to_owned());
            }
        }
    }
    Ok(shown)
}
