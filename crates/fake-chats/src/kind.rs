//! The chats, and what a stand-in must know of each.

use crate::arrival::{Answer, Arrival, Checked};
use crate::behaviour::Behaviour;
use crate::{lark, slack, wecom};
use fake_http::http::Request;

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
