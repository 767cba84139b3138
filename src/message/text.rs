//! Text that knows which of its parts are our own words and which came from an event.

use std::borrow::Cow;
use std::fmt;

/// A text in spans: words of ours beside words from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Span>);

/// One part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Words, numbers and times of ours. A channel escapes what its own markup requires, no more.
    Own(Cow<'static, str>),
    /// Words from an event. A channel escapes every character that its chat could interpret.
    Foreign(Foreign),
}

/// Words from an event, cleaned of what no chat shows; never empty.
///
/// One line without blanks at its ends and without two blanks in a row, no control character,
/// nothing invisible and nothing that changes the direction of what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign(String);

impl Foreign {
    /// Cleans `text` and cuts it after `max_chars` characters, marked with `…`. Returns `None` if
    /// nothing remains to be shown.
    pub fn new(text: &str, max_chars: usize) -> Option<Foreign> {
        let mut out = String::with_capacity(text.len().min(4 * max_chars));
        let mut last = ' ';
        let mut count = 0;
        for c in text.trim().chars().filter(|c| !is_invisible(*c)) {
            let c = if c.is_whitespace() || c.is_control() {
                ' '
            } else {
                c
            };
            if c == ' ' && last == ' ' {
                continue;
            }
            if count == max_chars {
                out.push('…');
                break;
            }
            out.push(c);
            last = c;
            count += 1;
        }
        out.truncate(out.trim_end().len());
        (!out.is_empty()).then_some(Foreign(out))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns true for characters that show as nothing or change the direction of what follows.
pub(crate) fn is_invisible(c: char) -> bool {
    // Most text is ASCII.
    !c.is_ascii()
        && matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

impl Text {
    /// Words of ours that are composed at run time, of numbers and times alone. No part of `words`
    /// may come from an event: that is what [`Foreign`] is for.
    pub(super) fn own(words: impl fmt::Display) -> Text {
        Text::from(Span::Own(Cow::Owned(words.to_string())))
    }

    /// Words from an event; see [`Foreign::new`].
    pub(super) fn foreign(text: &str, max_chars: usize) -> Option<Text> {
        Foreign::new(text, max_chars).map(Text::from)
    }

    /// Cuts each text from an event after `max_chars` characters.
    pub(super) fn cut(&mut self, max_chars: usize) {
        self.0.iter_mut().for_each(|span| span.cut(max_chars));
    }

    /// Appends a span.
    pub(super) fn with(mut self, span: impl Into<Span>) -> Text {
        self.0.push(span.into());
        self
    }

    /// Appends the spans of another text.
    pub(super) fn and(mut self, text: Text) -> Text {
        self.0.extend(text.0);
        self
    }

    /// Joins texts, `separator` between them.
    pub(super) fn join(
        texts: impl IntoIterator<Item = Text>,
        separator: &'static str,
    ) -> Option<Text> {
        let joined = |before: Text, text| before.with(separator).and(text);
        texts.into_iter().reduce(joined)
    }

    /// The parts, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }
}

impl Span {
    /// Cuts a text from an event after `max_chars` characters.
    pub(super) fn cut(&mut self, max_chars: usize) {
        if let Span::Foreign(words) = self {
            // What is visible stays so.
            if let Some(cut) = Foreign::new(words.as_str(), max_chars) {
                *words = cut;
            }
        }
    }
}

/// The words without a distinction: for texts that no chat shows, and for comparisons.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| match span {
            Span::Own(words) => f.write_str(words),
            Span::Foreign(words) => f.write_str(words.as_str()),
        })
    }
}

impl From<&'static str> for Span {
    fn from(words: &'static str) -> Span {
        Span::Own(Cow::Borrowed(words))
    }
}

impl From<Foreign> for Span {
    fn from(words: Foreign) -> Span {
        Span::Foreign(words)
    }
}

impl<S: Into<Span>> From<S> for Text {
    fn from(span: S) -> Text {
        // Most texts are continued: with room for four spans from the start, few move.
        let mut spans = Vec::with_capacity(4);
        spans.push(span.into());
        Text(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(text: &str, max_chars: usize) -> String {
        Foreign::new(text, max_chars).map_or(String::new(), |words| words.0)
    }

    #[test]
    fn foreign_text_becomes_one_visible_line() {
        for (text, expected) in [
            ("web-01", "web-01"),
            ("# one\n## two\r\n\ttail  ", "# one ## two tail"),
            ("a\u{202e}b\u{200b}c\u{0}d", "abc d"),
            ("http:/\u{200b}/evil.example", "http://evil.example"),
            ("\u{3000}a \u{200b} b\u{feff}", "a b"),
        ] {
            assert_eq!(cleaned(text, 100), expected);
        }
        for empty in ["", " \n", "\u{200b}", "\u{0}"] {
            assert_eq!(Foreign::new(empty, 100), None);
        }
    }

    #[test]
    fn foreign_text_is_cut_between_characters() {
        assert_eq!(cleaned("实例名称", 2), "实例…");
        assert_eq!(cleaned("实例", 2), "实例");
        assert_eq!(cleaned("a b", 2), "a …");
    }

    proptest! {
        #[test]
        fn foreign_text_is_clean_by_construction(text in "(?s).{0,80}|[\\x00-\\x20ab\u{85}\u{a0}\u{200b}\u{202e}\u{3000}]{0,80}") {
            if let Some(Foreign(out)) = Foreign::new(&text, 60) {
                prop_assert!(!out.is_empty());
                prop_assert!(!out.contains(|c: char| c.is_control() || is_invisible(c)), "{out:?}");
                prop_assert!(!out.contains(|c: char| c.is_whitespace() && c != ' '), "{out:?}");
                prop_assert!(!out.contains("  "), "{out:?}");
                prop_assert_eq!(out.trim(), &out);
                prop_assert!(out.chars().count() <= 61);
            }
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in "(?s).{0,60}") {
            let once = cleaned(&text, 60);
            prop_assert_eq!(cleaned(&once, 60), once);
        }
    }
}
