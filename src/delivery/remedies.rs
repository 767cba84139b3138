//! What the owner of the function is told about a failure.

use super::{Failure, timestamp};
use crate::channel::Attempt;
use crate::message;
use crate::route::Route;
use std::time::SystemTime;

/// The remedy, and what was said.
pub(super) fn of(attempt: &Attempt) -> String {
    match (attempt.remedy.as_deref(), attempt.detail.as_str()) {
        (Some(remedy), "") => remedy.to_owned(),
        (Some(remedy), detail) => format!("{remedy} ({detail})"),
        (None, detail) => detail.to_owned(),
    }
}

/// The chatbot is closed until then.
pub(super) fn closed(route: &Route, reopens: SystemTime) -> String {
    let reopens = message::format_time(timestamp(reopens), &route.render_options.zone);
    format!("DingTalk throttles this chatbot; nothing is sent to it before {reopens}")
}

/// The invocation's time was over before its turn came.
pub(super) fn no_time(why: Failure) -> String {
    match why {
        Failure::Throttled => "the chatbot's messages a minute were used up beyond the invocation's deadline; EventBridge will repeat the event",
        _ => "the invocation's time was over before the message could be sent; EventBridge will repeat the event",
    }
    .to_owned()
}
