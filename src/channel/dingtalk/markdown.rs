//! Messages in DingTalk's markdown subset, with all text from an event escaped.

use crate::channel::escape::escape;
use crate::message::{Line, Mentions, Message, Span};
use form_urlencoded::byte_serialize;
use serde::Serialize;

/// A line break that every client honours: a lone line feed does not break.
const BREAK: &str = "  \n";

const PARAGRAPH: &str = "\n\n";

/// A message as DingTalk's `markdown` type takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Markdown {
    /// Shown in notifications and in the list of conversations, not in the message itself.
    pub title: String,
    /// The message, in DingTalk's markdown subset.
    pub text: String,
}

/// Encodes the message as a request body: JSON in raw UTF-8, with the idempotency key `key`.
pub fn encode(message: &Message, keyword: Option<&str>, key: &str) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        msgtype: &'static str,
        markdown: Markdown,
        at: At<'a>,
        msg_uuid: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct At<'a> {
        at_mobiles: &'a [String],
        at_user_ids: &'a [String],
        is_at_all: bool,
    }
    let markdown = write(message, keyword);
    // Room for the escapes of a usual message and for what stands around title and text.
    let size = 512 + markdown.title.len() + markdown.text.len() * 9 / 8;
    let mut out = Vec::with_capacity(size);
    let body = Body {
        msgtype: "markdown",
        markdown,
        at: At {
            at_mobiles: &message.mentions.mobiles,
            at_user_ids: &message.mentions.user_ids,
            is_at_all: message.mentions.all,
        },
        msg_uuid: key,
    };
    serde_json::to_writer(&mut out, &body).expect("strings, lists and a flag can be written");
    out
}

/// Writes the message in markdown. `keyword` is appended where the text does not hold it: DingTalk
/// refuses a message without one of the chatbot's keywords.
pub fn write(message: &Message, keyword: Option<&str>) -> Markdown {
    let colon = message.language.colon();
    let mut text = String::with_capacity(2048);
    text.push_str("### ");
    write_text(&mut text, message.heading.spans());
    for (place, line) in message.lines.iter().enumerate() {
        text.push_str(if place == 0 { PARAGRAPH } else { BREAK });
        write_line(&mut text, line, colon);
    }
    for section in &message.sections {
        text.push_str(PARAGRAPH);
        write_bold(&mut text, section.heading.spans());
        if section.events > 1 {
            text.push_str(&format!(" × {}", section.events));
        }
        for line in &section.lines {
            text.push_str(BREAK);
            write_line(&mut text, line, colon);
        }
    }
    if let Some(note) = &message.note {
        text.push_str(PARAGRAPH);
        write_line(&mut text, note, colon);
    }
    let above_link = text.len();
    if let Some(link) = &message.link {
        // Wrapped, so that DingTalk opens it in the browser and not in its side bar.
        text.push_str(&format!(
            "{PARAGRAPH}[{}](dingtalk://dingtalkclient/page/link?url=",
            link.label
        ));
        text.extend(byte_serialize(link.url.as_bytes()));
        text.push_str("&pc_slide=false)");
    }
    let below_link = text.len();
    text.push_str(PARAGRAPH);
    write_text(&mut text, message.footer.spans());

    let mentions = mention_text(&message.mentions, message.language.everyone());
    // It is not documented whether DingTalk looks into the addresses of links.
    let label = message.link.as_ref().map_or("", |link| link.label);
    let shown = [&text[..above_link], label, &text[below_link..], &mentions];
    let missing = keyword.filter(|keyword| !shown.iter().any(|part| part.contains(keyword)));
    // Mentions stand last.
    let last = [missing.unwrap_or_default(), &mentions];
    let last = last.into_iter().filter(|part| !part.is_empty());
    for (place, part) in last.enumerate() {
        text.push_str(if place == 0 { PARAGRAPH } else { " " });
        text.push_str(part);
    }

    let mut title = String::with_capacity(256);
    write_text(&mut title, message.title.spans());
    Markdown { title, text }
}

/// The mentions as they stand in the text: DingTalk notifies only people who stand in both places.
fn mention_text(mentions: &Mentions, everyone: &str) -> String {
    let names = mentions.mobiles.iter().chain(&mentions.user_ids);
    let names = names.map(String::as_str);
    let names = names.chain(mentions.all.then_some(everyone));
    let names: Vec<String> = names.map(|name| format!("@{name}")).collect();
    names.join(" ")
}

fn write_line(out: &mut String, line: &Line, colon: &str) {
    if let Some(label) = &line.label {
        write_bold(out, std::slice::from_ref(label));
        out.push_str(colon);
    }
    if line.is_strong {
        write_bold(out, line.value.spans());
    } else {
        write_text(out, line.value.spans());
    }
}

fn write_bold(out: &mut String, spans: &[Span]) {
    out.push_str("**");
    write_text(out, spans);
    out.push_str("**");
}

fn write_text(out: &mut String, spans: &[Span]) {
    for span in spans {
        match span {
            Span::Own(words) => out.push_str(words),
            Span::Foreign(words) => escape(out, words.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
