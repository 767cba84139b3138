//! Whom a message mentions: the configured people, and those whom the resources' tags name.

use super::renderer::Renderer;
use super::status::is_over;
use super::{Mentions, RenderOptions};
use crate::event::{Event, OccasionKind};

/// The most people that one message mentions: a limit of DingTalk.
pub const MAX_MENTIONS: usize = 50;
/// Longest mobile number or user id, in bytes. It keeps 50 mentions well inside a message.
const MAX_MENTION_BYTES: usize = 64;
/// How many digits a number has that can be called. Longer ones are user ids.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Returns true for a mobile number: digits, hyphens, and one `+` at the beginning.
pub fn is_mobile(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && text.len() <= MAX_MENTION_BYTES
}

/// Returns true for a user id: ASCII letters, digits and `_.@-`, without `@` at the beginning. A
/// word for everybody is none.
pub fn is_user_id(text: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"_.@-".contains(&b);
    (1..=MAX_MENTION_BYTES).contains(&text.len())
        && text.bytes().all(is_known)
        && !text.starts_with('@')
        && !is_everyone(text)
}

/// Returns true for a word that means everybody, with or without `@` before it.
pub fn is_everyone(text: &str) -> bool {
    let name = text.trim_start_matches('@').to_ascii_lowercase();
    ["all", "everyone", "所有人"].contains(&name.as_str())
}

/// Whom a chat can mention.
#[derive(Debug, Clone, Copy)]
pub struct Mentionable {
    /// People by their mobile numbers.
    pub mobiles: bool,
    /// Returns true for a text that can be a person's id. All of them are user ids by
    /// [`is_user_id`].
    pub is_user_id: fn(&str) -> bool,
    /// A message that mentions mobile numbers or everybody may be half as long.
    pub is_half_as_long: bool,
}

/// People by their mobile numbers and by any user id.
impl Default for Mentionable {
    fn default() -> Mentionable {
        Mentionable {
            mobiles: true,
            is_user_id,
            is_half_as_long: false,
        }
    }
}

/// A person whom the tag of a resource names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner<'a> {
    Mobile(&'a str),
    UserId(&'a str),
}

impl<'a> Owner<'a> {
    /// Parses a part of a tag's value; `None` for one that mentions nobody.
    fn parse(text: &'a str, who: Mentionable) -> Option<Owner<'a>> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if is_mobile(text) && DIGITS.contains(&digits) {
            return who.mobiles.then_some(Owner::Mobile(text));
        }
        let is_id = is_user_id(text) && is_plain(text) && (who.is_user_id)(text);
        is_id.then_some(Owner::UserId(text))
    }

    /// As it stands in the message.
    pub(super) fn as_str(self) -> &'a str {
        match self {
            Owner::Mobile(text) | Owner::UserId(text) => text,
        }
    }
}

/// Returns true if a user id cannot be taken for markup. A mention stands in the text as it is, and
/// whoever tags a resource is not trusted to write emphasis and links.
fn is_plain(id: &str) -> bool {
    let is_word = |at: Option<usize>| {
        let byte = at.and_then(|at| id.as_bytes().get(at));
        byte.is_some_and(u8::is_ascii_alphanumeric)
    };
    let lower = id.to_ascii_lowercase();
    let mut underscores = id.match_indices('_');
    let mut addresses = lower.match_indices("www.");
    underscores.all(|(at, _)| is_word(at.checked_sub(1)) && is_word(Some(at + 1)))
        && addresses.all(|(at, _)| is_word(at.checked_sub(1)))
}

/// The people whom the event's resource names in the tag for that, in order. A part of its value
/// that mentions nobody is `None`.
pub(super) fn owners<'a>(
    event: &'a Event,
    options: &RenderOptions,
) -> impl Iterator<Item = Option<Owner<'a>>> {
    let known = event.known.as_deref();
    let value = || known?.tag(options.mention_tag.as_deref()?);
    let is_between = |c: char| c.is_whitespace() || ",/，、".contains(c);
    let parts = value().unwrap_or_default().split(is_between);
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(|part| Owner::parse(part, options.mentionable))
}

/// Returns true if the event, not over, has a level that the route wants people for, and does not
/// come in a daily message.
pub(super) fn needs_people(event: &Event, options: &RenderOptions) -> bool {
    let levels = &options.mention_levels;
    event.level.is_some_and(|level| levels.contains(&level)) && !is_over(event) && !is_daily(event)
}

/// Returns true for what comes every day, whether there is news or not.
fn is_daily(event: &Event) -> bool {
    let kind = event.occasion.as_ref().map(|occasion| &occasion.kind);
    matches!(
        kind,
        Some(OccasionKind::Digest | OccasionKind::Heartbeat(_))
    )
}

/// Returns true if the message of the event may be half as long, because of whom it mentions.
pub(super) fn halves(event: &Event, options: &RenderOptions) -> bool {
    let configured = &options.mentions;
    let is_mobile = |owner: Option<Owner>| matches!(owner, Some(Owner::Mobile(_)));
    options.mentionable.is_half_as_long
        && needs_people(event, options)
        && (configured.all
            || !configured.mobiles.is_empty()
            || owners(event, options).any(is_mobile))
}

impl Renderer<'_> {
    /// Mentions people if one of the events needs them: the configured ones, and the owners of the
    /// resources of those events, as far as there is room.
    pub(super) fn mentions(&self, events: &[&Event]) -> Mentions {
        let options = self.options;
        let asking = || events.iter().filter(|event| needs_people(event, options));
        if asking().next().is_none() {
            return Mentions::default();
        }
        let mut mentions = options.mentions.clone();
        for owner in asking().flat_map(|event| owners(event, options)).flatten() {
            if mentions.mobiles.len() + mentions.user_ids.len() >= MAX_MENTIONS {
                break;
            }
            mentions.add(owner);
        }
        mentions
    }
}

impl Mentions {
    /// Adds a person who is not among them.
    fn add(&mut self, owner: Owner) {
        match owner {
            Owner::Mobile(number) => {
                let is_same = |other: &String| digits(other).eq(digits(number));
                if !self.mobiles.iter().any(is_same) {
                    self.mobiles.push(number.to_owned());
                }
            }
            Owner::UserId(id) => {
                if !self.user_ids.iter().any(|other| other == id) {
                    self.user_ids.push(id.to_owned());
                }
            }
        }
    }
}

/// The digits of a number as they are dialled in China.
fn digits(number: &str) -> impl Iterator<Item = u8> {
    let number = number.strip_prefix("+86").unwrap_or(number);
    number.bytes().filter(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids_have_the_form_that_the_chat_knows() {
        for (text, mobile, user_id) in [
            ("13800000000", true, true),
            ("+39-3241234567", true, false),
            ("1", true, true),
            ("manager7675", false, true),
            ("a.b_c@d-e", false, true),
            ("-1", false, true),
            ("+", false, false),
            ("", false, false),
            ("138 0000 0000", false, false),
            ("@alice", false, false),
            ("ALL", false, false),
            ("everyone", false, false),
            ("王小明", false, false),
            (&"1".repeat(65), false, false),
        ] {
            assert_eq!(
                (is_mobile(text), is_user_id(text)),
                (mobile, user_id),
                "{text}"
            );
        }
    }

    #[test]
    fn a_word_for_everybody_is_known_in_any_letter_case() {
        for word in ["all", "@All", "Everyone", "@所有人"] {
            assert!(is_everyone(word), "{word}");
        }
        assert!(!is_everyone("allen"));
    }

    #[test]
    fn a_part_of_a_tag_is_a_number_an_id_or_nobody() {
        for (part, expected) in [
            ("1234567", Some(Owner::Mobile("1234567"))),
            ("123456", Some(Owner::UserId("123456"))),
            ("123456789012345", Some(Owner::Mobile("123456789012345"))),
            ("1234567890123456", Some(Owner::UserId("1234567890123456"))),
            ("a_b", Some(Owner::UserId("a_b"))),
            ("awww.b", Some(Owner::UserId("awww.b"))),
            ("+123456", None),
            ("_a", None),
            ("a_", None),
            ("a__b", None),
            ("WWW.b", None),
            ("a@www.b", None),
            ("all", None),
        ] {
            assert_eq!(
                Owner::parse(part, Mentionable::default()),
                expected,
                "{part}"
            );
        }
    }
}
