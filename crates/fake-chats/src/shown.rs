//! What the members of a group see of a text with markup.

/// A text as it is shown, and what its markup made of it. All lists are in the order of the text.
///
/// The stand-ins find more than the clients may: emoji keys that no client knows, and delimiters
/// that some clients show as typed. So nothing that is not listed is markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The text without its markup.
    pub text: String,
    /// Everything that can be followed.
    pub links: Vec<Link>,
    /// Who is mentioned: an id or a mobile number as written, `all` in Lark and WeCom; in Slack
    /// `here`, `channel`, `everyone`, an id, or `subteam^` and an id.
    pub mentions: Vec<String>,
    /// Coloured text.
    pub fonts: Vec<Font>,
    /// Emoji keys, without colons.
    pub emoji: Vec<String>,
    /// Other markup.
    pub styles: Vec<Style>,
    /// The keys or addresses of pictures.
    pub images: Vec<String>,
    /// Every sequence in angle brackets, as typed and whatever it means. A bracket that is never
    /// closed stands there alone.
    pub tags: Vec<String>,
    /// Slack: every `&` that begins none of the three entities, with the text after it.
    pub ampersands: Vec<String>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is shown of it.
    pub text: String,
    /// Where it leads.
    pub address: String,
    /// How it was made.
    pub kind: LinkKind,
}

/// How a link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// By the markup of the text.
    Markup,
    /// By the client, of an address in the text.
    Bare,
    /// A button, or a whole card.
    Button,
}

/// Coloured text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Font {
    /// The colour as written.
    pub color: String,
    /// The text that is shown.
    pub text: String,
}

/// Text in a style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The style.
    pub kind: StyleKind,
    /// The text that is shown; of a heading, a quote or an item of a list the rest of its line as
    /// typed.
    pub text: String,
}

/// A style of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StyleKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Struck out.
    Strike,
    /// Code in a line, or a block of it.
    Code,
    /// A heading.
    Heading,
    /// A quote.
    Quote,
    /// An item of a list.
    Item,
    /// A rule across the message.
    Rule,
}

impl Shown {
    /// Returns a text that is shown as it is.
    pub(crate) fn plain(text: &str) -> Shown {
        Shown {
            text: text.to_owned(),
            ..Shown::default()
        }
    }

    /// Returns true if the text has no markup, and nothing to follow.
    pub fn is_plain(&self) -> bool {
        let text = self.text.clone();
        *self
            == Shown {
                text,
                ..Shown::default()
            }
    }

    /// Returns the links of this kind.
    pub fn links_of(&self, kind: LinkKind) -> Vec<&Link> {
        self.links.iter().filter(|link| link.kind == kind).collect()
    }

    /// Adds a part of the message, on a line of its own.
    pub(crate) fn append(&mut self, other: Shown) {
        if !self.text.is_empty() && !other.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&other.text);
        self.links.extend(other.links);
        self.mentions.extend(other.mentions);
        self.fonts.extend(other.fonts);
        self.emoji.extend(other.emoji);
        self.styles.extend(other.styles);
        self.images.extend(other.images);
        self.tags.extend(other.tags);
        self.ampersands.extend(other.ampersands);
    }

    pub(crate) fn link(&mut self, kind: LinkKind, text: &str, address: &str) {
        self.links.push(Link {
            text: text.to_owned(),
            address: address.to_owned(),
            kind,
        });
    }

    pub(crate) fn style(&mut self, kind: StyleKind, text: &str) {
        let text = text.to_owned();
        self.styles.push(Style { kind, text });
    }
}
