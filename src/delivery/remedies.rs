//! What the owner of the function is told about a failure.

use super::{Failure, timestamp};
use crate::channel::dingtalk::{Attempt, Class, Reason};
use crate::message;
use crate::route::Route;
use std::time::SystemTime;

/// The remedy with the names that the variables have on this route, and what was said.
pub(super) fn of(route: &Route, at_fallback: bool, attempt: &Attempt) -> String {
    let suffix = &route.suffix;
    let own = |text: &str| {
        let (webhook, secret) = if at_fallback {
            ("DINGTALK_FALLBACK_WEBHOOK", "DINGTALK_FALLBACK_SECRET")
        } else {
            ("DINGTALK_WEBHOOK", "DINGTALK_SECRET")
        };
        text.replace("DINGTALK_WEBHOOK", &format!("{webhook}{suffix}"))
            .replace("DINGTALK_SECRET", &format!("{secret}{suffix}"))
            .replace("DINGTALK_KEYWORD", &format!("DINGTALK_KEYWORD{suffix}"))
    };
    match (attempt.remedy.as_deref(), attempt.detail.as_str()) {
        (Some(remedy), "") => own(remedy),
        (Some(remedy), detail) => match (attempt.class, attempt.errcode) {
            // The text alone would be little to search for.
            (Class::Refused(Reason::Unknown), Some(code)) => {
                format!("{} (errcode {code}: {detail})", own(remedy))
            }
            _ => format!("{} ({detail})", own(remedy)),
        },
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
