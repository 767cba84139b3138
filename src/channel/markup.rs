//! Lines of a message, for chats whose markup is a few marks around words.

use crate::message::{Line, Message, Span, Text};

/// How a chat marks words.
pub(super) struct Markup {
    /// Stand around labels and headings.
    pub(super) bold: [&'static str; 2],
    /// Stand around what deserves attention.
    pub(super) strong: [&'static str; 2],
    /// The marks have a meaning behind a blank only.
    pub(super) needs_blank: bool,
    /// Appends text from an event.
    pub(super) escape: fn(&mut String, &str),
}

impl Markup {
    /// A text without marks.
    pub(super) fn text(&self, text: &Text) -> String {
        let mut out = String::new();
        self.push(&mut out, text.spans());
        out
    }

    /// What stands between the title and the link: paragraphs of lines.
    pub(super) fn paragraphs(&self, message: &Message) -> Vec<Vec<String>> {
        let colon = message.language.colon();
        let lines = |lines: &[Line]| -> Vec<String> {
            lines.iter().map(|line| self.line(line, colon)).collect()
        };
        let sections = message.sections.iter().map(|section| {
            let mut heading = String::new();
            self.push_marked(&mut heading, section.heading.spans(), self.bold);
            if section.events > 1 {
                heading.push_str(&format!(" × {}", section.events));
            }
            let mut paragraph = vec![heading];
            paragraph.extend(lines(&section.lines));
            paragraph
        });
        let note = message.note.iter().map(|note| vec![self.line(note, colon)]);
        let first = std::iter::once(lines(&message.lines));
        let all = first.chain(sections).chain(note);
        all.filter(|paragraph| !paragraph.is_empty()).collect()
    }

    fn line(&self, line: &Line, colon: &str) -> String {
        let mut out = String::new();
        if let Some(label) = &line.label {
            self.push_marked(&mut out, std::slice::from_ref(label), self.bold);
            out.push_str(colon);
        }
        if line.is_strong {
            self.push_marked(&mut out, line.value.spans(), self.strong);
        } else {
            self.push(&mut out, line.value.spans());
        }
        out
    }

    fn push_marked(&self, out: &mut String, spans: &[Span], [before, after]: [&str; 2]) {
        if self.needs_blank && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        out.push_str(before);
        self.push(out, spans);
        out.push_str(after);
    }

    fn push(&self, out: &mut String, spans: &[Span]) {
        for (place, span) in spans.iter().enumerate() {
            match span {
                Span::Own(words) => out.push_str(words),
                // A colon behind it may make a picture of the name at its end.
                Span::Foreign(words) if begins_with_colon(spans.get(place + 1)) => {
                    (self.escape)(out, &format!("{}:", words.as_str()));
                    out.pop();
                }
                Span::Foreign(words) => (self.escape)(out, words.as_str()),
            }
        }
    }
}

fn begins_with_colon(span: Option<&Span>) -> bool {
    span.is_some_and(|span| match span {
        Span::Own(words) => words.starts_with(':'),
        Span::Foreign(words) => words.as_str().starts_with(':'),
    })
}

/// Joins paragraphs, an empty line between them.
pub(super) fn join(paragraphs: &[Vec<String>]) -> String {
    let paragraphs: Vec<String> = paragraphs.iter().map(|lines| lines.join("\n")).collect();
    paragraphs.join("\n\n")
}
