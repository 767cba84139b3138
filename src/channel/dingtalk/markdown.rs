//! Messages in DingTalk's markdown subset, with whatever came from an event escaped.

use crate::message::{Line, Link, Mentions, Message, Section, Span, Text};
use serde::Serialize;

/// A line break that every client honours: a lone line feed does not break.
const BREAK: &str = "  \n";

const PARAGRAPH: &str = "\n\n";

/// A message as DingTalk's `markdown` type takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown {
    /// Shown in notifications and in the list of conversations, not in the message itself.
    pub title: String,
    /// The message, in DingTalk's markdown subset.
    pub text: String,
    /// Whom it mentions.
    pub at: At,
}

/// The `at` object of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct At {
    /// Mobile numbers; each stands in the text as `@number` too.
    pub at_mobiles: Vec<String>,
    /// User ids; each stands in the text as `@id` too.
    pub at_user_ids: Vec<String>,
    /// Every member of the group; stands in the text too.
    pub is_at_all: bool,
}

/// Encodes the message as a request body: JSON in raw UTF-8, with the idempotency key `key`.
pub fn encode(message: &Message, keyword: Option<&str>, key: &str) -> Vec<u8> {
    write(message, keyword).body(key)
}

/// Writes the message in markdown. `keyword` is appended where the text does not hold it: DingTalk
/// refuses a message without one of the chatbot's keywords.
pub fn write(message: &Message, keyword: Option<&str>) -> Markdown {
    let mut writer = Writer {
        out: String::with_capacity(2048),
        colon: message.language.colon(),
    };
    writer.above_link(message);
    let above = writer.out.len();
    if let Some(link) = &message.link {
        writer.link(link);
    }
    let below = writer.out.len();
    writer.out.push_str(PARAGRAPH);
    writer.text(&message.footer);

    let mut text = writer.out;
    let mentions = mention_text(&message.mentions, message.language.everyone());
    // It is not documented whether DingTalk looks into the addresses of links.
    let label = message.link.as_ref().map_or("", |link| link.label);
    let is_shown = |keyword: &str| {
        let shown = [&text[..above], label, &text[below..], &mentions];
        shown.iter().any(|part| part.contains(keyword))
    };
    let missing = keyword.filter(|keyword| !is_shown(keyword));
    // Mentions stand last.
    for (place, part) in missing.into_iter().chain(non_empty(&mentions)).enumerate() {
        text.push_str(if place == 0 { PARAGRAPH } else { " " });
        text.push_str(part);
    }

    let mut title = Writer {
        out: String::with_capacity(256),
        colon: "",
    };
    title.text(&message.title);
    Markdown {
        title: title.out,
        text,
        at: At {
            at_mobiles: message.mentions.mobiles.clone(),
            at_user_ids: message.mentions.user_ids.clone(),
            is_at_all: message.mentions.all,
        },
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The mentions as they stand in the text: DingTalk notifies only people who stand in both places.
fn mention_text(mentions: &Mentions, everyone: &str) -> String {
    let names = mentions.mobiles.iter().chain(&mentions.user_ids);
    let names = names.map(String::as_str);
    let names = names.chain(mentions.all.then_some(everyone));
    let names: Vec<String> = names.map(|name| format!("@{name}")).collect();
    names.join(" ")
}

impl Markdown {
    /// The request body: JSON in raw UTF-8, with the idempotency key `key`.
    pub fn body(&self, key: &str) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            msgtype: &'static str,
            markdown: Content<'a>,
            at: &'a At,
            msg_uuid: &'a str,
        }
        #[derive(Serialize)]
        struct Content<'a> {
            title: &'a str,
            text: &'a str,
        }
        let body = Body {
            msgtype: "markdown",
            markdown: Content {
                title: &self.title,
                text: &self.text,
            },
            at: &self.at,
            msg_uuid: key,
        };
        // Room for the escapes of a usual message and for what stands around title and text.
        let size = 512 + self.title.len() + self.text.len() * 9 / 8;
        let mut out = Vec::with_capacity(size);
        serde_json::to_writer(&mut out, &body).expect("strings, lists and a flag can be written");
        out
    }
}

struct Writer {
    out: String,
    /// Between a label and its value.
    colon: &'static str,
}

impl Writer {
    /// Writes all that stands before the link.
    fn above_link(&mut self, message: &Message) {
        self.out.push_str("### ");
        self.text(&message.heading);
        for (place, line) in message.lines().enumerate() {
            self.out
                .push_str(if place == 0 { PARAGRAPH } else { BREAK });
            self.line(&line);
        }
        for section in message.sections() {
            self.out.push_str(PARAGRAPH);
            self.section(&section);
        }
        if let Some(unlisted) = message.unlisted() {
            self.out.push_str(PARAGRAPH);
            self.text(&unlisted);
        }
        if let Some(advice) = &message.advice {
            self.out.push_str(PARAGRAPH);
            self.line(advice);
        }
    }

    fn section(&mut self, section: &Section) {
        self.bold(section.heading);
        if section.events > 1 {
            self.out.push_str(&format!(" × {}", section.events));
        }
        for line in std::iter::once(&section.resources).chain(section.lines) {
            self.out.push_str(BREAK);
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line) {
        if let Some(label) = &line.label {
            self.bold(label);
            self.out.push_str(self.colon);
        }
        if line.is_strong {
            self.bold(&line.value);
        } else {
            self.text(&line.value);
        }
    }

    fn bold(&mut self, text: &Text) {
        self.out.push_str("**");
        self.text(text);
        self.out.push_str("**");
    }

    fn text(&mut self, text: &Text) {
        for span in text.spans() {
            match span {
                Span::Own(words) => self.out.push_str(words),
                Span::Foreign(words) => escape(&mut self.out, words.as_str()),
            }
        }
    }

    /// Writes the link; wrapped, so that DingTalk opens it in the browser and not in its side bar.
    fn link(&mut self, link: &Link) {
        for piece in [PARAGRAPH, "[", link.label, "]("] {
            self.out.push_str(piece);
        }
        self.out
            .push_str("dingtalk://dingtalkclient/page/link?url=");
        percent_encode(&mut self.out, &link.url);
        self.out.push_str("&pc_slide=false)");
    }
}

/// Appends foreign text, with every character escaped that markdown, HTML or DingTalk's mentions
/// could interpret.
///
/// Backslash escapes would show on clients that do not honour them, and a client that renders HTML
/// even inside code would still render it. So each character with a meaning gives way to its
/// full-width twin, which looks alike and means nothing: `[` to `［`, `<` to `＜`, `@` to `＠`.
fn escape(out: &mut String, text: &str) {
    let start = out.len();
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let shown = match c {
            '[' => '［',
            ']' => '］',
            '<' => '＜',
            '>' => '＞',
            '&' => '＆',
            '@' => '＠',
            '*' => '＊',
            '`' => '｀',
            '~' => '～',
            '|' => '｜',
            '$' => '＄',
            '^' => '＾',
            '{' => '｛',
            '}' => '｝',
            '\\' => '＼',
            '#' if out.len() == start => '＃',
            // Between letters it is part of a name (SCALE_IN_START); else it may open emphasis.
            '_' if !(last.is_alphanumeric() && next.is_some_and(char::is_alphanumeric)) => '＿',
            // `http://`, a bare `//` and `www.` are what clients turn into links by themselves.
            '/' if next == Some('/') => '／',
            '.' if ends_with_www(&out[start..]) => '．',
            c => c,
        };
        out.push(shown);
        last = shown;
    }
}

fn ends_with_www(text: &str) -> bool {
    let mut tail = text.chars().rev();
    (&mut tail)
        .take(3)
        .filter(|c| c.eq_ignore_ascii_case(&'w'))
        .count()
        == 3
        // Chinese goes without blanks: a link may begin right behind it.
        && !tail.next().is_some_and(|c| c.is_ascii_alphanumeric())
}

/// Appends `text`, everything percent-encoded but the unreserved characters of RFC 3986.
fn percent_encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests;
