//! The settings of chatbots and of the service as a whole.

use std::time::Duration;

/// The state of a chatbot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The chatbot works.
    Active,
    /// A member disabled the chatbot.
    Stopped,
    /// A member removed the chatbot from the group.
    Removed,
    /// The whole group was dissolved.
    GroupGone,
}

/// One chatbot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// The access token of its webhook.
    pub token: String,
    /// The signing secret; `None` accepts calls without a signature.
    pub secret: Option<String>,
    /// Keywords, of which a message must hold one. Letter case matters. Empty accepts all.
    pub keywords: Vec<String>,
    /// Client addresses that may send; `None` allows all.
    pub ip_allow: Option<Vec<String>>,
    /// The state of the chatbot: working, or why not.
    pub state: State,
    /// Mobile numbers of the group's members; empty makes every number a member's.
    pub mobiles: Vec<String>,
    /// User ids of the group's members; empty makes every id a member's.
    pub user_ids: Vec<String>,
    /// Calls in a window; the next one starts a ban.
    pub limit: usize,
    /// The length of the window.
    pub window: Duration,
    /// The length of the ban.
    pub ban: Duration,
    /// Messages in all; `None` is unlimited.
    pub monthly_limit: Option<usize>,
}

impl Robot {
    /// Returns a chatbot without security settings and with DingTalk's limit of 20 a minute.
    pub fn new(token: &str) -> Robot {
        Robot {
            token: token.to_owned(),
            secret: None,
            keywords: Vec::new(),
            ip_allow: None,
            state: State::Active,
            mobiles: Vec::new(),
            user_ids: Vec::new(),
            limit: 20,
            window: Duration::from_secs(60),
            ban: Duration::from_secs(600),
            monthly_limit: None,
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
}

/// The three wordings of refusals that were reported of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `sign not match`
    Legacy,
    /// `description:…;solution:…;`
    Description,
    /// `错误描述:…;解决方案:…;`
    Zh,
}

/// Selects the service's behaviour where several ones were reported.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The wording of refusals.
    pub family: Family,
    /// Writes `errcode` as a string.
    pub errcode_as_string: bool,
    /// Writes `errmsg` before `errcode`.
    pub keys_reversed: bool,
    /// The code of a throttled call: 660026, 130101 or 410100.
    pub throttle_code: i64,
    /// The code of an unknown token: 300005, 400101 or 300001.
    pub unknown_token_code: i64,
    /// The code of a wrong content type: 43004 or 300001.
    pub content_type_code: i64,
    /// Requires title and buttons of action cards.
    pub strict_cards: bool,
    /// Adds a link to legacy refusals, as the service did in later years.
    pub more_link: bool,
    /// Restarts a ban with every call during it.
    pub ban_prolonged: bool,
    /// Enforces rate limits and bans.
    pub throttling: bool,
    /// How long a message's `msgUuid` is stored.
    pub dedupe: Duration,
    /// Texts that the content policy refuses, each with its code (430101 to 430104).
    pub unwanted: Vec<(String, i64)>,
    /// The time before each answer.
    pub delay: Duration,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            family: Family::Zh,
            errcode_as_string: false,
            keys_reversed: false,
            throttle_code: 660026,
            unknown_token_code: 300005,
            content_type_code: 43004,
            strict_cards: false,
            more_link: true,
            ban_prolonged: false,
            throttling: true,
            dedupe: Duration::from_secs(24 * 60 * 60),
            unwanted: Vec::new(),
            delay: Duration::ZERO,
        }
    }
}
