//! What to change and where, as far as it is of this chat.

use crate::channel::Variables;
use crate::channel::answer::Meaning;
use crate::http::Response;
use std::time::SystemTime;

/// Returns the remedy for an answer.
pub(super) fn answered(meaning: Meaning, variables: &Variables) -> String {
    let (webhook, secret, keyword) = (&variables.webhook, &variables.secret, &variables.keyword);
    match meaning {
        Meaning::Keyword => format!(
            "the chatbot's keyword is not in the message: set {keyword} to a keyword shown in the chatbot's security settings"
        ),
        Meaning::Signature(_) => format!(
            "Lark refuses the signature: set {secret} to the secret shown in the chatbot's security settings, the one that belongs to {webhook}; or the clock that the function runs on is over an hour off: set it right, or on Function Compute report it to the platform"
        ),
        Meaning::Address => format!(
            "the chatbot takes messages from listed addresses only: take the list off in the chatbot's security settings, and choose the signature there and set {secret} (a function's address changes)"
        ),
        Meaning::Token | Meaning::Removed | Meaning::Stopped | Meaning::GroupGone => format!(
            "Lark knows no such chatbot: it was removed, or the URL is not whole; copy the webhook URL from the chatbot's settings into {webhook} again"
        ),
        Meaning::TooLong => {
            "the message is over Lark's 20,000 bytes: send fewer events in one message".into()
        }
        Meaning::Mention { ids, all } => mention(ids, all, variables),
        Meaning::Endpoint => format!(
            "the address is not a custom bot's: copy the webhook URL (https://…/open-apis/bot/v2/hook/…) from the chatbot's settings into {webhook} again"
        ),
        _ => format!(
            "Lark refuses for a reason that this program does not know: see its text, and compare the chatbot's security settings with {webhook}, {secret} and {keyword}"
        ),
    }
}

fn mention(ids: bool, all: bool, variables: &Variables) -> String {
    let [user_ids, everybody] = ["AT_USER_IDS", "AT_ALL"].map(|of| variables.named(of));
    let of_ids = format!(
        "set {user_ids} to open ids (ou_…) or user ids of people whom the chatbot can see in the group"
    );
    let of_all =
        format!("allow it to mention everybody in the group's settings, or unset {everybody}");
    match (ids, all) {
        (true, true) => format!("Lark refuses the mentions: {of_ids}; {of_all}"),
        (false, true) => format!("Lark refuses to mention everybody: {of_all}"),
        _ => format!("Lark refuses the mentions: {of_ids}"),
    }
}

/// Returns how far the clock is off, by the `Date` of a response.
pub(super) fn clock_difference(response: &Response, now: SystemTime) -> Option<String> {
    let date = response
        .header("Date")
        .and_then(crate::channel::request::http_date)?;
    let (seconds, side) = match now.duration_since(date) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    Some(format!("; it is {seconds} s {side} Lark's"))
}
