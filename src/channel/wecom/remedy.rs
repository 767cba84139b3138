//! What to change and where, as far as it is of this chat.

use crate::channel::Variables;
use crate::channel::answer::Meaning;

/// Returns the remedy for an answer.
pub(super) fn answered(meaning: Meaning, variables: &Variables) -> String {
    let webhook = &variables.webhook;
    match meaning {
        Meaning::Token => format!("WeCom knows no such key: copy the webhook URL from the chatbot's settings into {webhook} again; if the chatbot is gone, add one to the group and set {webhook} to it"),
        Meaning::Stopped => format!("the chatbot is disabled: enable it, or add another one to the group and set {webhook} to it"),
        Meaning::Removed | Meaning::GroupGone => format!("the chatbot is not in the group: add one to the group and set {webhook} to it"),
        Meaning::TooLong => "the message is over WeCom's 4,096 bytes (2,048 where it mentions mobile numbers or everybody): send fewer events in one message".into(),
        Meaning::Endpoint => format!("the address is not a chatbot's: copy the webhook URL (https://…/cgi-bin/webhook/send?key=…) from the chatbot's settings into {webhook} again"),
        _ => format!("WeCom refuses for a reason that this program does not know: see its text, and check the chatbot that {webhook} leads to in the group's settings"),
    }
}
