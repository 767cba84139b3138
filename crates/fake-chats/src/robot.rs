//! The settings of chatbots: Lark's custom bots, WeCom's group robots, Slack's webhooks.

use std::time::Duration;

/// The state of a chatbot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The chatbot works.
    Active,
    /// It was removed: Lark 19001, WeCom 93000, Slack `no_service`.
    Removed,
    /// It was disabled: WeCom 93004, Slack `no_active_hooks`; Lark 19001, which is assumed.
    Stopped,
    /// It is not in the group, or the channel is gone: WeCom 93008, Slack `channel_not_found`;
    /// Lark 19001, which is assumed.
    GroupGone,
    /// Slack: the channel is archived. Elsewhere as [`State::GroupGone`].
    Archived,
    /// Slack: the workspace does not allow the post. Elsewhere as [`State::Stopped`].
    Forbidden,
}

/// One chatbot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// The secret part of its webhook: Lark's last segment, WeCom's `key`, Slack's three segments
    /// `T…/B…/…`.
    pub token: String,
    /// Lark: the signing secret; `None` accepts calls without a signature.
    pub secret: Option<String>,
    /// Lark: keywords, of which a message must hold one. Letter case matters. Empty accepts all.
    pub keywords: Vec<String>,
    /// Lark: client addresses that may send; `None` allows all. A call's address is its header
    /// `X-Test-Peer`, or 127.0.0.1.
    pub ip_allow: Option<Vec<String>>,
    /// The state of the chatbot: working, or why not.
    pub state: State,
    /// Lark and WeCom: ids and mobile numbers that can be mentioned; empty knows every one.
    pub members: Vec<String>,
    /// Lark: the group lets the chatbot mention all.
    pub may_mention_all: bool,
    /// How many calls are taken within how long; `None` takes the service's limits: Lark 5 within a
    /// second and 100 within a minute, WeCom 20 within a minute. Slack takes so many at once and
    /// the same number, evenly spread, within each such time after that: 5 within 5 seconds.
    pub limits: Option<Vec<(usize, Duration)>>,
}

impl Robot {
    /// Returns a chatbot without security settings and with its service's limits.
    pub fn new(token: &str) -> Robot {
        Robot {
            token: token.to_owned(),
            secret: None,
            keywords: Vec::new(),
            ip_allow: None,
            state: State::Active,
            members: Vec::new(),
            may_mention_all: true,
            limits: None,
        }
    }

    /// Requires signatures with this secret.
    pub fn secret(mut self, secret: &str) -> Robot {
        self.secret = Some(secret.to_owned());
        self
    }

    /// Adds a keyword; a message needs one of them.
    pub fn keyword(mut self, keyword: &str) -> Robot {
        self.keywords.push(keyword.to_owned());
        self
    }

    /// Adds a member; if there are any, nobody else can be mentioned.
    pub fn member(mut self, id: &str) -> Robot {
        self.members.push(id.to_owned());
        self
    }

    /// Replaces the service's rate limits.
    pub fn limits(mut self, limits: &[(usize, Duration)]) -> Robot {
        self.limits = Some(limits.to_vec());
        self
    }

    pub(crate) fn is_member(&self, id: &str) -> bool {
        self.members.is_empty() || self.members.iter().any(|member| member == id)
    }
}
