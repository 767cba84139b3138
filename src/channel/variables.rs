//! The names of the variables that an endpoint was read from, for remedies.

use super::Chat;

/// The names of the variables that an endpoint was read from.
#[derive(Debug, Clone)]
pub struct Variables {
    pub(super) webhook: String,
    pub(super) secret: String,
    pub(super) keyword: String,
    pub(super) rate_limit: String,
    pub(super) fallback_webhook: String,
}

/// What [`Variables::rate_limit`] ends with, before the suffix of the route.
const RATE_LIMIT: &str = "RATE_LIMIT";

impl Variables {
    /// The variables of the route with this suffix (empty for `default`, else `__NAME`): those of
    /// its chatbot, or those of its fallback.
    pub fn new(chat: Chat, suffix: &str, is_fallback: bool) -> Variables {
        let fallback = if is_fallback { "FALLBACK_" } else { "" };
        let name = |of: &str| [chat.prefix(), of, suffix].concat();
        let own = |of: &str| [chat.prefix(), fallback, of, suffix].concat();
        Variables {
            webhook: own("WEBHOOK"),
            secret: own("SECRET"),
            keyword: name("KEYWORD"),
            rate_limit: name(RATE_LIMIT),
            fallback_webhook: name("FALLBACK_WEBHOOK"),
        }
    }

    /// The name of another variable of the same route.
    pub(super) fn named(&self, of: &str) -> String {
        self.rate_limit.replacen(RATE_LIMIT, of, 1)
    }
}
