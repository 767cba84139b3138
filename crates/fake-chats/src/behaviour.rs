//! The behaviour of the services where several ones were reported, or none is documented.

use std::time::Duration;

/// The members of Lark's answer to an accepted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// `code` and the older `StatusCode`, as documented.
    Both,
    /// `code` alone.
    Code,
    /// `StatusCode` alone, as in older answers.
    StatusCode,
}

/// Selects the behaviour. A switch whose text names a chat has no effect on the others.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Enforces rate limits.
    pub throttling: bool,
    /// Counts calls against Lark's and WeCom's limits that were refused for the limit.
    pub throttled_calls_count: bool,
    /// The time before each answer.
    pub delay: Duration,
    /// Lark: the answer to an accepted message.
    pub success: Success,
    /// Lark: the code of a body over 20,000 bytes: 9499, as documented, or 19036.
    pub too_long_code: i64,
    /// Lark: the HTTP status of 9499 `Bad Request`: 400 or 200.
    pub bad_request_status: u16,
    /// Lark: searches a card's `note` for keywords, too.
    pub note_has_keywords: bool,
    /// WeCom: refuses JSON that writes characters beyond ASCII as `\uXXXX` (40033).
    pub refuses_escapes: bool,
    /// WeCom: cuts a `text` of more than 2,048 bytes instead of refusing it (40058).
    pub cuts_long_text: bool,
    /// WeCom: ignores lists of mentions outside `text` instead of refusing them (40035).
    pub ignores_stray_mentions: bool,
    /// Slack: answers HTTP 429 with JSON; else with the word alone.
    pub json_rate_limit: bool,
    /// Slack: sends `Retry-After` with HTTP 429.
    pub retry_after: bool,
    /// Slack: how long every call is answered with HTTP 429 once the limit is passed.
    pub pause: Duration,
    /// Slack: how many calls during pauses, without an accepted one between them, it takes before
    /// it switches the webhook off.
    pub patience: usize,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            throttling: true,
            throttled_calls_count: true,
            delay: Duration::ZERO,
            success: Success::Both,
            too_long_code: 9499,
            bad_request_status: 400,
            note_has_keywords: false,
            refuses_escapes: true,
            cuts_long_text: false,
            ignores_stray_mentions: false,
            json_rate_limit: true,
            retry_after: true,
            pause: Duration::from_secs(1),
            patience: 10,
        }
    }
}
