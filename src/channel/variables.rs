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
    pub(super) at_user_ids: String,
    pub(super) at_all: String,
}

impl Variables {
    /// The variables of the route with this suffix (empty for `default`, else `__NAME`): those of
    /// its chatbot, or those of its fallback.
    pub fn new(chat: Chat, suffix: &str, is_fallback: bool) -> Variables {
        let name = |name: &str| format!("{}{name}{suffix}", chat.prefix());
        let own = |of: &str| match is_fallback {
            true => name(&format!("FALLBACK_{of}")),
            false => name(of),
        };
        Variables {
            webhook: own("WEBHOOK"),
            secret: own("SECRET"),
            keyword: name("KEYWORD"),
            rate_limit: name("RATE_LIMIT"),
            fallback_webhook: name("FALLBACK_WEBHOOK"),
            at_user_ids: name("AT_USER_IDS"),
            at_all: name("AT_ALL"),
        }
    }
}
