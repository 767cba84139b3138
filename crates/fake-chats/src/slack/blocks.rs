//! Blocks, with their limits. Lengths are in UTF-16 units, the stricter reading of "characters".
//!
//! Source: <https://docs.slack.dev/reference/block-kit/blocks>

use super::mrkdwn;
use crate::arrival::is_web_address;
use crate::shown::{LinkKind, Shown, StyleKind};
use serde_json::Value;
use std::collections::HashSet;

const MAX_BLOCKS: usize = 50;
/// Of all text together. It is not documented; this was reported.
const MAX_TOTAL: usize = 13_200;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 2_000;
const MAX_CONTEXT: usize = 10;
const MAX_ACTIONS: usize = 25;
const MAX_BUTTON: usize = 75;
const MAX_ADDRESS: usize = 3_000;
const MAX_BLOCK_ID: usize = 255;

/// What is wrong with a message of blocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Invalid,
    TooLong,
}

/// A message of blocks as a channel's members see it.
#[derive(Default)]
pub(super) struct Message {
    /// The first header.
    pub(super) title: Option<String>,
    pub(super) shown: Shown,
    /// The length of all text.
    total: usize,
}

/// Reads a list of blocks.
pub(super) fn read(blocks: &Value) -> Result<Message, Wrong> {
    let blocks = blocks.as_array().ok_or(Wrong::Invalid)?;
    if blocks.len() > MAX_BLOCKS {
        return Err(Wrong::Invalid);
    }
    let mut message = Message::default();
    let mut ids = HashSet::new();
    for block in blocks {
        if let Some(id) = block.get("block_id") {
            let id = id.as_str().filter(|id| units(id) <= MAX_BLOCK_ID);
            if !ids.insert(id.ok_or(Wrong::Invalid)?) {
                return Err(Wrong::Invalid);
            }
        }
        message.block(block).ok_or(Wrong::Invalid)?;
    }
    if message.total > MAX_TOTAL {
        return Err(Wrong::TooLong);
    }
    Ok(message)
}

impl Message {
    /// Reads one block; `None` if it is invalid.
    fn block(&mut self, block: &Value) -> Option<()> {
        match block["type"].as_str()? {
            "divider" => only(block, &[]),
            "header" => {
                only(block, &["text"])?;
                let shown = self.plain_text(&block["text"], MAX_HEADER)?;
                self.title.get_or_insert_with(|| shown.text.clone());
                self.shown.append(shown);
                Some(())
            }
            "section" => self.section(block),
            "context" => {
                only(block, &["elements"])?;
                for element in list(&block["elements"], MAX_CONTEXT)? {
                    match element["type"].as_str()? {
                        "image" => self.image(element)?,
                        _ => self.add_text(element, MAX_FIELD)?,
                    }
                }
                Some(())
            }
            "actions" => {
                only(block, &["elements"])?;
                let mut elements = list(&block["elements"], MAX_ACTIONS)?.iter();
                elements.try_for_each(|element| self.button(element))
            }
            "image" => self.image(block),
            "rich_text" => {
                only(block, &["elements"])?;
                let mut elements = block["elements"].as_array()?.iter();
                elements.try_for_each(|element| self.rich(element))
            }
            // `markdown` blocks do not work over webhooks.
            _ => None,
        }
    }

    fn section(&mut self, block: &Value) -> Option<()> {
        only(block, &["text", "fields", "accessory", "expand"])?;
        if let Some(text) = block.get("text") {
            self.add_text(text, MAX_SECTION)?;
        }
        if let Some(fields) = block.get("fields") {
            for field in list(fields, MAX_FIELDS)? {
                self.add_text(field, MAX_FIELD)?;
            }
        } else {
            block.get("text")?;
        }
        if let Some(accessory) = block.get("accessory") {
            match accessory["type"].as_str()? {
                "image" => self.image(accessory)?,
                _ => self.button(accessory)?,
            }
        }
        Some(())
    }

    /// Reads a text of either type and shows it.
    fn add_text(&mut self, text: &Value, max: usize) -> Option<()> {
        let shown = if text["type"] == "mrkdwn" {
            only(text, &["text", "verbatim"])?;
            let is_verbatim = match text.get("verbatim") {
                None => false,
                Some(value) => value.as_bool()?,
            };
            mrkdwn::read(self.measured(text, max)?, is_verbatim)
        } else {
            self.plain_text(text, max)?
        };
        self.shown.append(shown);
        Some(())
    }

    fn plain_text(&mut self, text: &Value, max: usize) -> Option<Shown> {
        if text["type"] != "plain_text" {
            return None;
        }
        only(text, &["text", "emoji"])?;
        let has_emoji = match text.get("emoji") {
            None => true,
            Some(value) => value.as_bool()?,
        };
        Some(mrkdwn::read_plain(self.measured(text, max)?, has_emoji))
    }

    /// Returns the text of an object of text if it is not empty and short enough.
    fn measured<'a>(&mut self, text: &'a Value, max: usize) -> Option<&'a str> {
        let text = text["text"].as_str()?;
        let length = units(text);
        self.total += length;
        (1..=max).contains(&length).then_some(text)
    }

    fn button(&mut self, button: &Value) -> Option<()> {
        if button["type"] != "button" {
            return None;
        }
        let known = [
            "text",
            "action_id",
            "url",
            "value",
            "style",
            "accessibility_label",
        ];
        only(button, &known)?;
        if let Some(style) = button.get("style") {
            ["primary", "danger"]
                .contains(&style.as_str()?)
                .then_some(())?;
        }
        let text = self.plain_text(&button["text"], MAX_BUTTON)?;
        if let Some(address) = button.get("url") {
            let address = address.as_str()?;
            let is_valid = units(address) <= MAX_ADDRESS && is_web_address(address);
            is_valid.then_some(())?;
            self.shown.link(LinkKind::Button, &text.text, address);
        }
        self.shown.append(text);
        Some(())
    }

    fn image(&mut self, image: &Value) -> Option<()> {
        only(image, &["image_url", "alt_text", "title", "slack_file"])?;
        let address = image["image_url"]
            .as_str()
            .filter(|url| units(url) <= MAX_ADDRESS)?;
        image["alt_text"].as_str()?;
        self.shown.images.push(address.to_owned());
        Some(())
    }

    /// Reads an element of rich text, which parses nothing.
    fn rich(&mut self, element: &Value) -> Option<()> {
        let text = element["text"].as_str();
        self.total += text.map_or(0, units);
        match element["type"].as_str()? {
            "rich_text_section"
            | "rich_text_list"
            | "rich_text_preformatted"
            | "rich_text_quote" => {
                let mut elements = element["elements"].as_array()?.iter();
                elements.try_for_each(|element| self.rich(element))?;
                self.shown.text.push('\n');
            }
            "text" => {
                let style = |name: &str| element["style"][name] == true;
                for (name, kind) in [
                    ("bold", StyleKind::Bold),
                    ("italic", StyleKind::Italic),
                    ("strike", StyleKind::Strike),
                    ("code", StyleKind::Code),
                ] {
                    if style(name) {
                        self.shown.style(kind, text?);
                    }
                }
                self.shown.text.push_str(text?);
            }
            "link" => {
                let address = element["url"].as_str()?;
                let text = text.unwrap_or(address);
                self.shown.link(LinkKind::Markup, text, address);
                self.shown.text.push_str(text);
            }
            "user" => self.mention(element["user_id"].as_str()?.to_owned()),
            "usergroup" => self.mention(format!("subteam^{}", element["usergroup_id"].as_str()?)),
            "broadcast" => self.mention(element["range"].as_str()?.to_owned()),
            "emoji" => self.shown.emoji.push(element["name"].as_str()?.to_owned()),
            _ => return None,
        }
        Some(())
    }

    fn mention(&mut self, id: String) {
        self.shown.text.push_str(&format!("@{id}"));
        self.shown.mentions.push(id);
    }
}

/// A list with 1 to `max` elements.
fn list(value: &Value, max: usize) -> Option<&Vec<Value>> {
    let list = value.as_array()?;
    (1..=max).contains(&list.len()).then_some(list)
}

/// Refuses attributes that are not known.
fn only(object: &Value, known: &[&str]) -> Option<()> {
    let mut names = object.as_object()?.keys();
    let is_known = |name: &String| {
        ["type", "block_id"].contains(&name.as_str()) || known.contains(&name.as_str())
    };
    names.all(is_known).then_some(())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
