//! What a failed outcome says to the owner of the function.

use super::endpoint::Banned;
use super::outcome::{Failure, after_attempt};
use super::target::{Role, Target};
use crate::channel::Attempt;
use crate::clock;
use crate::message;

/// Returns until when the chatbot is banned, and what to do about it. `said` is the attempt that
/// met the ban just now.
pub(super) fn banned(
    target: &Target,
    role: Role,
    banned: Banned,
    said: Option<&Attempt>,
) -> String {
    let channel = target.channel(role);
    let until = clock::to_timestamp(banned.until.wall);
    format!(
        "{} throttles this chatbot; nothing is sent to it before {}{}; {}",
        channel.chat(),
        message::format_time(until, &target.options.zone),
        said.map_or_else(String::new, |attempt| format!(" ({})", attempt.detail)),
        channel.ban_remedy(banned.ban)
    )
}

/// Returns what was left out of a message that was delivered, because of this attempt.
pub(super) fn left_out(what: &str, attempt: &Attempt) -> String {
    format!("delivered without {what}: {}", after_attempt(attempt))
}

/// Returns what a chat said of a message that it delivered.
pub(super) fn remark(attempt: &Attempt) -> String {
    format!("delivered, but {}", after_attempt(attempt))
}

/// The invocation's time was over before the message could be sent.
pub(super) fn no_time(failure: Failure) -> String {
    match failure {
        Failure::Throttled => "the chatbot's messages a minute were used up beyond the invocation's deadline; EventBridge will repeat the event",
        _ => "the invocation's time was over before the message could be sent; EventBridge will repeat the event",
    }
    .to_owned()
}
