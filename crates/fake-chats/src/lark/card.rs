//! Cards, JSON 1.0 and 2.0.
//!
//! Sources: <https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-structure>,
//! <https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure>

use super::markdown;
use crate::arrival::is_web_address;
use crate::shown::{LinkKind, Shown};
use serde_json::Value;

/// The colours of a header.
const TEMPLATES: &str =
    "blue wathet turquoise green yellow orange red carmine violet purple indigo grey";
/// The most elements of a card, those within others included.
const MAX_ELEMENTS: usize = 200;
/// The attributes that JSON 2.0 knows of each element that stand-ins know. Others are an error.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("markdown", "content text_align text_size icon href"),
    (
        "plain_text",
        "content text_size text_color text_align lines i18n_content",
    ),
    ("lark_md", "content text_size text_align i18n_content"),
    ("div", "text icon width height"),
    ("hr", ""),
    (
        "img",
        "img_key alt title mode scale_type size preview corner_radius transparent",
    ),
    (
        "button",
        "text type size width icon hover_tips disabled behaviors url name",
    ),
    (
        "column_set",
        "columns flex_mode horizontal_spacing horizontal_align background_style action",
    ),
];

/// A card as the group's members see it.
#[derive(Default)]
pub(super) struct Card {
    pub(super) title: String,
    pub(super) color: Option<String>,
    pub(super) shown: Shown,
    /// What stands in notes.
    pub(super) note: Shown,
    elements: usize,
    /// JSON 2.0.
    is_second: bool,
}

/// What is wrong with a card.
type Wrong = &'static str;

/// Reads a card.
pub(super) fn read(value: &Value) -> Result<Card, Wrong> {
    let mut card = Card::default();
    match value.get("schema").map(Value::as_str) {
        None => {}
        Some(Some("2.0")) => {
            card.is_second = true;
            only(value, "schema config card_link header body")?;
        }
        Some(_) => return Err("unknown schema"),
    }
    if let Some(header) = value.get("header") {
        card.header(header)?;
    }
    if let Some(link) = value.get("card_link") {
        let address = web_address(&link["url"])?;
        card.shown.link(LinkKind::Button, "", address);
    }
    let elements = if card.is_second {
        &value["body"]["elements"]
    } else {
        &value["elements"]
    };
    card.elements(elements)?;
    Ok(card)
}

impl Card {
    fn header(&mut self, header: &Value) -> Result<(), Wrong> {
        if let Some(template) = header.get("template") {
            let known = template
                .as_str()
                .filter(|color| TEMPLATES.split(' ').any(|known| known == *color));
            self.color = Some(known.ok_or("unknown header template")?.to_owned());
        }
        let title = &header["title"];
        if title["tag"] != "plain_text" {
            return Err("a header's title is plain_text");
        }
        let text = title["content"].as_str().filter(|text| !text.is_empty());
        self.title = text.ok_or("a header needs a title")?.to_owned();
        Ok(())
    }

    fn elements(&mut self, elements: &Value) -> Result<(), Wrong> {
        let elements = elements.as_array().ok_or("elements is not a list")?;
        if elements.is_empty() {
            return Err("elements is empty");
        }
        elements
            .iter()
            .try_for_each(|element| self.element(element))
    }

    fn element(&mut self, element: &Value) -> Result<(), Wrong> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err("element exceeds the limit");
        }
        let tag = element["tag"].as_str().unwrap_or_default();
        if self.is_second {
            let (_, known) = ATTRIBUTES
                .iter()
                .find(|(name, _)| *name == tag)
                .ok_or("unknown tag")?;
            only(element, &format!("tag element_id margin {known}"))?;
        }
        match tag {
            "markdown" => {
                let text = content(element)?;
                self.shown.append(markdown::read(text));
            }
            "div" => {
                let fields = element["fields"].as_array().into_iter().flatten();
                let texts = fields.map(|field| &field["text"]);
                let texts: Vec<_> = element.get("text").into_iter().chain(texts).collect();
                if texts.is_empty() {
                    return Err("a div needs a text");
                }
                for text in texts {
                    self.shown.append(read_text(text)?);
                }
                if let Some(extra) = element.get("extra") {
                    self.element(extra)?;
                }
            }
            "hr" => {}
            "img" => {
                let key = element["img_key"].as_str().ok_or("an img needs a key")?;
                self.shown.images.push(key.to_owned());
            }
            "note" => {
                let elements = element["elements"].as_array().filter(|all| !all.is_empty());
                for element in elements.ok_or("a note needs elements")? {
                    if element["tag"] == "img" {
                        self.element(element)?;
                    } else {
                        self.note.append(read_text(element)?);
                    }
                }
            }
            "action" => {
                let actions = element["actions"].as_array().filter(|all| !all.is_empty());
                for action in actions.ok_or("an action needs actions")? {
                    self.button(action)?;
                }
            }
            "button" => self.button(element)?,
            "column_set" => {
                let columns = element["columns"].as_array().ok_or("no columns")?;
                for column in columns {
                    if column["tag"] != "column" {
                        return Err("a column_set holds columns");
                    }
                    self.elements(&column["elements"])?;
                }
            }
            _ => return Err("unknown tag"),
        }
        Ok(())
    }

    /// A custom bot's buttons can only open an address.
    fn button(&mut self, button: &Value) -> Result<(), Wrong> {
        if button["tag"] != "button" {
            return Err("unknown action");
        }
        let types = ["default", "primary", "danger"];
        let kind = button.get("type").map(|kind| kind.as_str());
        let is_known = |kind: Option<&str>| kind.is_some_and(|kind| types.contains(&kind));
        if !self.is_second && kind.is_some_and(|kind| !is_known(kind)) {
            return Err("unknown type of a button");
        }
        let behaviour = &button["behaviors"][0]["default_url"];
        let address = [&button["url"], &button["multi_url"]["url"], behaviour];
        let address = address.into_iter().find(|address| !address.is_null());
        let address = web_address(address.unwrap_or(&Value::Null))?;
        let text = read_text(&button["text"])?;
        self.shown.link(LinkKind::Button, &text.text, address);
        Ok(())
    }
}

/// Reads an object of text.
fn read_text(text: &Value) -> Result<Shown, Wrong> {
    match text["tag"].as_str() {
        Some("plain_text") => Ok(Shown::plain(content(text)?)),
        Some("lark_md") => Ok(markdown::read(content(text)?)),
        _ => Err("a text is plain_text or lark_md"),
    }
}

fn content(element: &Value) -> Result<&str, Wrong> {
    let text = element["content"].as_str().filter(|text| !text.is_empty());
    text.ok_or("content is empty")
}

fn web_address(value: &Value) -> Result<&str, Wrong> {
    let address = value.as_str().filter(|address| is_web_address(address));
    address.ok_or("a button needs an address of http or https")
}

/// Refuses attributes that are not known.
fn only(object: &Value, known: &str) -> Result<(), Wrong> {
    let mut names = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name);
    if names.all(|name| known.split(' ').any(|known| known == name)) {
        Ok(())
    } else {
        Err("unknown property")
    }
}
