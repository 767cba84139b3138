//! Draws the markup of Lark, WeCom and Slack as HTML.
//!
//! A message is untrusted text. All of it is escaped but what is markup of its chat, and a sanitiser
//! ([`clean`]) then removes every tag and attribute that the page does not know.

use crate::chat::{clean, escaped, href};
use ecs_dingtalk_notifier::channel::Chat;

/// How a chat draws a text.
#[derive(Clone, Copy)]
pub struct Markup<'a> {
    pub chat: Chat,
    /// Addresses that stand in the text become links.
    pub has_bare_links: bool,
    /// Whom the message mentions. Others are shown as text.
    pub mentioned: &'a [String],
}

/// What was read at the start of a text: its length and its HTML.
type Piece = Option<(usize, String)>;

impl Markup<'_> {
    /// Draws lines and paragraphs.
    pub fn draw(&self, text: &str) -> String {
        let mut html = String::new();
        let mut paragraph: Vec<String> = Vec::new();
        let close = |paragraph: &mut Vec<String>, html: &mut String| {
            if !paragraph.is_empty() {
                html.push_str(&format!("<p>{}</p>", paragraph.join("<br>")));
                paragraph.clear();
            }
        };
        for line in text.lines() {
            let block = self.block(line);
            if block.is_some() || line.trim().is_empty() {
                close(&mut paragraph, &mut html);
                html.push_str(&block.unwrap_or_default());
            } else {
                paragraph.push(self.inline(line));
            }
        }
        close(&mut paragraph, &mut html);
        clean(&html)
    }

    /// Draws a line that is more than a part of a paragraph.
    fn block(&self, line: &str) -> Option<String> {
        let rest = line.trim_start_matches('#');
        let hashes = line.len() - rest.len();
        match self.chat {
            Chat::WeCom if (1..=6).contains(&hashes) && rest.starts_with(' ') => {
                Some(format!("<h3>{}</h3>", self.inline(rest.trim())))
            }
            Chat::WeCom | Chat::Slack => {
                let quote = line.strip_prefix('>')?;
                let quote = self.inline(quote.trim());
                Some(format!("<blockquote>{quote}</blockquote>"))
            }
            _ => None,
        }
    }

    fn inline(&self, text: &str) -> String {
        let mut html = String::new();
        let mut at = 0;
        while let Some((before, rest)) = text.split_at_checked(at) {
            let Some(next) = rest.chars().next() else {
                break;
            };
            let (used, piece) = self.piece(before, rest).unwrap_or_else(|| {
                let used = next.len_utf8();
                (used, escaped(rest.get(..used).unwrap_or_default()))
            });
            html.push_str(&piece);
            at += used;
        }
        html
    }

    fn piece(&self, before: &str, rest: &str) -> Piece {
        let bold = |delimiter| self.delimited(rest, delimiter, "strong");
        let of_chat = match self.chat {
            Chat::Lark => entity(rest)
                .or_else(|| self.lark_mention(rest))
                .or_else(|| self.font(rest))
                .or_else(|| self.link(rest))
                .or_else(|| bold("**"))
                .or_else(|| self.delimited(rest, "*", "em")),
            Chat::WeCom => self
                .wecom_mention(rest)
                .or_else(|| self.font(rest))
                .or_else(|| self.link(rest))
                .or_else(|| bold("**")),
            Chat::Slack if before.ends_with(char::is_alphanumeric) => {
                entity(rest).or_else(|| self.sequence(rest))
            }
            Chat::Slack => entity(rest)
                .or_else(|| self.sequence(rest))
                .or_else(|| bold("*"))
                .or_else(|| self.delimited(rest, "_", "em")),
            Chat::DingTalk => None,
        };
        of_chat.or_else(|| self.address(before, rest))
    }

    /// A style between two delimiters.
    fn delimited(&self, rest: &str, delimiter: &str, tag: &str) -> Piece {
        let (inner, _) = rest.strip_prefix(delimiter)?.split_once(delimiter)?;
        let is_tight = !inner.is_empty() && inner.trim() == inner;
        let used = inner.len() + 2 * delimiter.len();
        is_tight.then(|| (used, format!("<{tag}>{}</{tag}>", self.inline(inner))))
    }

    /// `[text](address)`
    fn link(&self, rest: &str) -> Piece {
        let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
        let (address, _) = after.split_once(')')?;
        let used = text.len() + address.len() + "[]()".len();
        Some((used, anchor(&href(address)?, &self.inline(text))))
    }

    /// `<font color='…'>text</font>`
    fn font(&self, rest: &str) -> Piece {
        let (attributes, after) = rest.strip_prefix("<font ")?.split_once('>')?;
        let (inner, _) = after.split_once("</font>")?;
        let color = attributes.strip_prefix("color=")?.trim_matches(['"', '\'']);
        let used = "<font >".len() + attributes.len() + inner.len() + "</font>".len();
        let inner = self.inline(inner);
        // The sanitiser removes the class of an unknown colour.
        let color = escaped(color);
        Some((used, format!("<span class=\"font-{color}\">{inner}</span>")))
    }

    /// `<at id=…></at>`
    fn lark_mention(&self, rest: &str) -> Piece {
        let (id, after) = rest.strip_prefix("<at id=")?.split_once('>')?;
        after.strip_prefix("</at>")?;
        let name = if id == "all" { "所有人" } else { id };
        Some(("<at id=></at>".len() + id.len(), self.mention(id, name)))
    }

    /// `<@id>`
    fn wecom_mention(&self, rest: &str) -> Piece {
        let (id, _) = rest.strip_prefix("<@")?.split_once('>')?;
        let mention = self.mention(id, id);
        self.is_mentioned(id)
            .then(|| ("<@>".len() + id.len(), mention))
    }

    /// A link or a mention in angle brackets.
    fn sequence(&self, rest: &str) -> Piece {
        let (inner, _) = rest.strip_prefix('<')?.split_once('>')?;
        let (target, label) = match inner.split_once('|') {
            Some((target, label)) => (target, Some(label)),
            None => (inner, None),
        };
        let used = inner.len() + "<>".len();
        if let Some(id) = target.strip_prefix(['@', '!']) {
            let name = label.unwrap_or(id.trim_start_matches("subteam^"));
            return Some((used, self.mention(id, name)));
        }
        let address = href(&decoded(target))?;
        Some((
            used,
            anchor(&address, &escaped(&decoded(label.unwrap_or(target)))),
        ))
    }

    fn is_mentioned(&self, id: &str) -> bool {
        self.mentioned.iter().any(|mentioned| mentioned == id)
    }

    fn mention(&self, id: &str, name: &str) -> String {
        let name = escaped(name);
        match self.is_mentioned(id) {
            true => format!("<span class=\"mention\">@{name}</span>"),
            false => format!("@{name}"),
        }
    }

    /// An address that clients make a link of.
    fn address(&self, before: &str, rest: &str) -> Piece {
        let is_start = rest.starts_with("https://") || rest.starts_with("http://");
        if !self.has_bare_links
            || !is_start
            || before.ends_with(|c: char| c.is_ascii_alphanumeric())
        {
            return None;
        }
        let is_end = |c: char| !c.is_ascii_graphic() || "<>\"'()[]{}|`".contains(c);
        let address = rest.split(is_end).next()?;
        Some((address.len(), anchor(&href(address)?, &escaped(address))))
    }
}

fn anchor(address: &str, html: &str) -> String {
    format!("<a href=\"{}\">{html}</a>", escaped(address))
}

/// A character that markup would have a meaning for.
fn entity(rest: &str) -> Piece {
    let (name, _) = rest.strip_prefix('&')?.split_once(';')?;
    let used = name.len() + "&;".len();
    let whole = rest.get(..used)?;
    ["amp", "lt", "gt"]
        .contains(&name)
        .then(|| (used, whole.to_owned()))
}

/// Returns a text without Slack's entities.
fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(chat: Chat, text: &str) -> String {
        let mentioned = ["ou_1", "all", "tom", "U1", "channel", "subteam^S1"].map(str::to_owned);
        let markup = Markup {
            chat,
            has_bare_links: chat != Chat::Slack,
            mentioned: &mentioned,
        };
        markup.draw(text)
    }

    const LINK: &str = "<a href=\"https://a.example/?b&amp;c\" target=\"_blank\" rel=\"noopener noreferrer\">d</a>";

    #[test]
    fn each_chats_markup_is_drawn() {
        for (chat, text, expected) in [
            (
                Chat::Lark,
                "**a**\nb\n\nc",
                "<p><strong>a</strong><br>b</p><p>c</p>",
            ),
            (
                Chat::Lark,
                "<font color='grey'>a</font>",
                "<p><span class=\"font-grey\">a</span></p>",
            ),
            (Chat::Lark, "&lt;at id=all&gt;", "<p>&lt;at id=all&gt;</p>"),
            (
                Chat::Lark,
                "<at id=ou_1></at> <at id=all></at> <at id=ou_2></at>",
                "<p><span class=\"mention\">@ou_1</span> <span class=\"mention\">@所有人</span> @ou_2</p>",
            ),
            (
                Chat::Lark,
                "[d](https://a.example/?b&c)",
                &format!("<p>{LINK}</p>"),
            ),
            (
                Chat::WeCom,
                "### <font color=\"warning\">a</font>\nb\n> c",
                "<h3><span class=\"font-warning\">a</span></h3><p>b</p><blockquote>c</blockquote>",
            ),
            (
                Chat::WeCom,
                "<@tom><@eve>",
                "<p><span class=\"mention\">@tom</span>&lt;@eve&gt;</p>",
            ),
            (
                Chat::WeCom,
                "[d](https://a.example/?b&c)",
                &format!("<p>{LINK}</p>"),
            ),
            (
                Chat::Slack,
                "*a* _b_ c_d_ &amp;lt;",
                "<p><strong>a</strong> <em>b</em> c_d_ &amp;lt;</p>",
            ),
            (
                Chat::Slack,
                "<https://a.example/?b&amp;c|d>",
                &format!("<p>{LINK}</p>"),
            ),
            (
                Chat::Slack,
                "<@U1> <!channel> <!subteam^S1> <@U2>",
                "<p><span class=\"mention\">@U1</span> <span class=\"mention\">@channel</span> <span class=\"mention\">@S1</span> @U2</p>",
            ),
            (Chat::Slack, "https://a.example", "<p>https://a.example</p>"),
        ] {
            assert_eq!(drawn(chat, text), expected, "{text}");
        }
    }

    #[test]
    fn no_text_becomes_another_tag() {
        for chat in [Chat::Lark, Chat::WeCom, Chat::Slack] {
            for text in [
                "<script>alert(1)</script>",
                "<img src=x onerror=alert(1)>",
                "<font color='x\" onclick=\"y'>a</font>",
                "<font color='a b'><b>c</b></font>",
                "[a](javascript:alert(1)) <javascript:alert(1)|a> <data:text/html,b|c>",
                "[<b>](https://a.example/\"onclick=x) <https://a.example/\"onclick=x|<b>>",
                "<at id=\"><b></at> <@\"><b>> <!\"><b>>",
            ] {
                let html = drawn(chat, text);
                for tag in html.split('<').skip(1) {
                    let (tag, _) = tag.split_once('>').unwrap();
                    // Address, target and rel have two quotes each.
                    let is_link = tag.starts_with("a href=\"https://a.example/")
                        && tag.matches('"').count() == 6;
                    let known = "p,/p,br,strong,/strong,em,/em,/span,span class=\"\",/a";
                    let is_known = known.split(',').any(|known| known == tag);
                    assert!(is_link || is_known, "{chat:?} {text}: {html}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_drawn() {
        for text in [
            "*",
            "**",
            "***",
            "<",
            "<>",
            "<@>",
            "[](",
            "&;",
            "<font >",
            "**中*文**",
            "<at id=",
            "_中_",
        ] {
            for chat in [Chat::Lark, Chat::WeCom, Chat::Slack] {
                drawn(chat, text);
            }
        }
    }
}
