//! The chats' variables: what each chat has, and what to write instead of what it lacks.

use super::KNOWN;
use crate::channel::Chat;
use std::ops::RangeInclusive;

/// What the variables of one chat may hold.
pub(super) struct ChatVariables {
    chat: Chat,
    /// Messages a minute if `…_RATE_LIMIT` is not set, and what it may be.
    pub(super) rate: (u32, RangeInclusive<u32>),
    /// What its webhook is.
    pub(super) webhook: &'static str,
}

/// One row a chat. DingTalk's 20 messages a minute and WeCom's with a reserve; Lark's 100 and
/// Slack's 60 with a large one, because others may use the chatbot too.
const TABLE: [ChatVariables; 4] = [
    ChatVariables {
        chat: Chat::DingTalk,
        rate: (18, 3..=20),
        webhook: "the webhook address that DingTalk showed when the chatbot was created (https://oapi.dingtalk.com/robot/send?access_token=…)",
    },
    ChatVariables {
        chat: Chat::Lark,
        rate: (60, 3..=100),
        webhook: "the webhook address in the settings of the group's custom bot (https://open.feishu.cn/open-apis/bot/v2/hook/… or https://open.larksuite.com/open-apis/bot/v2/hook/…)",
    },
    ChatVariables {
        chat: Chat::WeCom,
        rate: (18, 3..=20),
        webhook: "the webhook address in the settings of the group's chatbot (https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…)",
    },
    ChatVariables {
        chat: Chat::Slack,
        rate: (30, 3..=60),
        webhook: "the address on the app's page \"Incoming Webhooks\" (https://hooks.slack.com/services/…)",
    },
];

/// Returns the row of a chat.
pub(super) fn variables_of(chat: Chat) -> &'static ChatVariables {
    let row = TABLE.iter().find(|row| row.chat == chat);
    row.expect("every chat has a row")
}

/// Splits the name of a variable without suffix into its chat and the rest; `None` for one that
/// belongs to no chat.
pub(super) fn split(name: &str) -> Option<(Chat, &str)> {
    let of = |chat: Chat| Some((chat, name.strip_prefix(chat.prefix())?));
    Chat::ALL.into_iter().find_map(of)
}

/// Returns true if the chat has a variable with this name behind its prefix.
pub(super) fn has(chat: Chat, rest: &str) -> bool {
    KNOWN.iter().any(|known| split(known) == Some((chat, rest)))
}

/// Returns true if some chat has a variable with this name behind its prefix.
pub(super) fn any_has(rest: &str) -> bool {
    Chat::ALL.into_iter().any(|chat| has(chat, rest))
}

/// Says what to do about a variable that other chats have and this one lacks, in the route with
/// this suffix.
pub(super) fn lacking(chat: Chat, rest: &str, suffix: &str) -> String {
    let (name, prefix) = (chat.name(), chat.prefix());
    match rest {
        "SECRET" | "FALLBACK_SECRET" => format!(
            "{name}'s chatbots have no signature: unset it, and keep the address in {prefix}WEBHOOK{suffix} secret, which is all that one needs to post"
        ),
        "KEYWORD" => format!("{name}'s chatbots have no keywords: unset it"),
        "AT_MOBILES" => format!(
            "{name} does not mention by mobile numbers: set {prefix}AT_USER_IDS{suffix} to people's ids, and unset this"
        ),
        _ => format!("{name} has nothing of the kind: unset it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_a_chat_is_one_that_dingtalk_has() {
        for known in KNOWN {
            let Some((chat, rest)) = split(known) else {
                continue;
            };
            assert!(has(chat, rest) && has(Chat::DingTalk, rest), "{known}");
            let row = variables_of(chat);
            assert!(row.rate.1.contains(&row.rate.0));
        }
        assert!(!has(Chat::Slack, "SECRET") && any_has("SECRET") && !any_has("TOKEN"));
    }
}
