//! The chatbots of a group, and how the service as a whole behaves.

use std::time::Duration;

/// What has become of a chatbot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Active,
    /// Somebody stopped it.
    Stopped,
    /// It was taken out of the group.
    Removed,
    /// The group was dissolved.
    GroupGone,
}

/// One chatbot.
#[derive(Debug, Clone)]
pub struct Robot {
    /// The access token of its webhook.
    pub token: String,
    /// The signing secret, if it wants signatures.
    pub secret: Option<String>,
    /// Keywords, of which a message must hold one; letter case matters.
    pub keywords: Vec<String>,
    /// Addresses that may send; `None` is everybody.
    pub ip_allow: Option<Vec<String>>,
    /// What has become of it.
    pub state: State,
    /// Mobile numbers of the group's members; empty: every number is a member's.
    pub mobiles: Vec<String>,
    /// User ids of the group's members; empty: every id is a member's.
    pub user_ids: Vec<String>,
    /// Calls per window before the ban.
    pub limit: usize,
    /// Length of the window.
    pub window: Duration,
    /// Length of the ban.
    pub ban: Duration,
    /// Messages a month, if that is limited.
    pub monthly_limit: Option<usize>,
}

impl Robot {
    /// A chatbot that takes everything, 20 times a minute.
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

    /// Wants signatures with this secret.
    pub fn secret(mut self, secret: &str) -> Robot {
        self.secret = Some(secret.to_owned());
        self
    }

    /// Wants this keyword, or another that was named before.
    pub fn keyword(mut self, keyword: &str) -> Robot {
        self.keywords.push(keyword.to_owned());
        self
    }
}

/// The three generations of refusals that the service has been seen to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `sign not match`
    Legacy,
    /// `description:…;solution:…;`
    Description,
    /// `错误描述:…;解决方案:…;`
    Zh,
}

/// How the service behaves where it has been seen to behave in several ways.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Whose wording refusals have.
    pub family: Family,
    /// Writes `errcode` as a string.
    pub errcode_as_string: bool,
    /// Writes `errmsg` before `errcode`.
    pub keys_reversed: bool,
    /// 660026, 130101 or 410100.
    pub throttle_code: i64,
    /// 300005, 400101 or 300001.
    pub unknown_token_code: i64,
    /// 43004 or 300001.
    pub content_type_code: i64,
    /// Wants title and buttons of action cards.
    pub strict_cards: bool,
    /// Adds the link that legacy refusals came to carry.
    pub more_link: bool,
    /// Calls during a ban prolong it.
    pub ban_prolonged: bool,
    /// Counts calls and bans at all.
    pub throttling: bool,
    /// How long a message's `msgUuid` is remembered.
    pub dedupe: Duration,
    /// Texts that the content policy refuses, with the code to refuse them with (430101 to 430104).
    pub unwanted: Vec<(String, i64)>,
    /// How long an answer takes.
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
