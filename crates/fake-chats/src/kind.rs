//! The chats, and what a stand-in must know of each.

use crate::behaviour::Behaviour;
use crate::rate::Rate;
use crate::record::Delivery;
use crate::robot::Robot;
use crate::{lark, slack, wecom};
use fake_http::Response;
use fake_http::http::Request;
use std::collections::HashMap;

/// A chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A custom bot of Lark or Feishu.
    Lark,
    /// A group robot of WeCom.
    WeCom,
    /// An incoming webhook of Slack.
    Slack,
}

/// A call, and all that its checks may look at.
pub(crate) struct Arrival<'a> {
    pub(crate) request: &'a Request,
    pub(crate) robots: &'a [Robot],
    pub(crate) behaviour: &'a Behaviour,
    /// By token.
    pub(crate) rates: &'a mut HashMap<String, Rate>,
    /// In milliseconds since 1970.
    pub(crate) now: u64,
}

/// An answer of a chat.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The code, or Slack's word.
    pub(crate) code: String,
    pub(crate) response: Response,
}

/// The message to show, or a refusal.
pub(crate) type Checked = Result<Delivery, Answer>;

impl Kind {
    /// Returns path and query of a webhook.
    pub(crate) fn target(self, token: &str) -> String {
        match self {
            Kind::Lark => format!("{}{token}", lark::PATH),
            Kind::WeCom => format!("{}?key={token}", wecom::PATH),
            Kind::Slack => format!("{}{token}", slack::PATH),
        }
    }

    /// Returns the token that a request names, known or not. `None` if the path is no webhook's.
    pub(crate) fn token(self, request: &Request) -> Option<String> {
        match self {
            Kind::Lark => request.path().strip_prefix(lark::PATH).map(str::to_owned),
            Kind::WeCom => wecom::key(request),
            Kind::Slack => request.path().strip_prefix(slack::PATH).map(str::to_owned),
        }
    }

    /// Accepts or refuses a call.
    pub(crate) fn check(self, arrival: &mut Arrival) -> Checked {
        match self {
            Kind::Lark => lark::check(arrival),
            Kind::WeCom => wecom::check(arrival),
            Kind::Slack => slack::check(arrival),
        }
    }

    /// Returns the answer to an accepted call.
    pub(crate) fn accepted(self, behaviour: &Behaviour, has_warning: bool) -> Answer {
        match self {
            Kind::Lark => lark::accepted(behaviour),
            Kind::WeCom => wecom::accepted(has_warning),
            Kind::Slack => slack::word(200, "ok"),
        }
    }

    /// Returns an answer with a code in the chat's form.
    pub(crate) fn answer(self, status: u16, code: i64, text: &str) -> Answer {
        match self {
            Kind::Lark => lark::answer(status, code, text),
            Kind::WeCom => wecom::answer(status, code, text),
            Kind::Slack => slack::word(status, text),
        }
    }
}

/// Returns true if a request's body is declared as JSON.
pub(crate) fn is_json(request: &Request) -> bool {
    let value = request.header("content-type").unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// Returns true if this is an address that a client opens in a browser.
pub(crate) fn is_web_address(address: &str) -> bool {
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    host.is_some_and(|host| {
        !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_have_a_scheme_and_a_host() {
        for (address, is_one) in [
            ("https://example.com/?a=b", true),
            ("http://127.0.0.1:1/", true),
            ("https://", false),
            ("https:///x", false),
            ("https://a b", false),
            ("dingtalk://x", false),
            ("example.com", false),
        ] {
            assert_eq!(is_web_address(address), is_one, "{address}");
        }
    }
}
