//! What an answer means, for chats whose answers are alike; and what all answers have in common.

use super::request::{self, http_date};
use super::unreachable::{self, not_the_chat};
use super::{Attempt, Ban, Chat, Class, Code, Phase, Recovery, Variables};
use crate::http::{self, Cause, redact};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// For how long a chatbot is left alone that got too many messages, where the chat does not tell.
pub(super) const USUAL_BAN: Duration = Duration::from_secs(60);

/// What a chat answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub meaning: Meaning,
    pub errcode: Option<Code>,
    /// The chat's own text or what else came. May repeat secrets of the request.
    pub detail: String,
}

/// What an answer means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The message is in the group.
    Delivered,
    /// The message is in the group, but the chat says that it read only a part of it.
    DeliveredInPart,
    /// The chat is busy.
    Busy,
    /// A success by its status, without what the chat answers to one.
    NotTheChat,
    /// Neither a yes nor a no.
    Unclear,
    /// The chat takes nothing for so long.
    Throttled(Duration),

    // All that follow are refusals: the chat would refuse the same request again.
    /// The message does not hold the chatbot's keyword.
    Keyword,
    /// The signature does not match, or its time is off.
    Signature(Recovery),
    /// The sender's address is not on the chatbot's list.
    Address,
    /// There is no such webhook.
    Token,
    /// The chatbot is disabled.
    Stopped,
    /// The chatbot was removed from the group.
    Removed,
    /// The group is gone, or closed.
    GroupGone,
    /// A rule of the organisation forbids it.
    Policy,
    /// The message is too long.
    TooLong,
    /// The chat's content policy objects.
    UnsafeContent,
    /// A field of the message is missing or wrong.
    Parameter,
    /// The chat does not take the form of the message.
    Form,
    /// A mention is of nobody whom the chatbot may mention.
    Mention { ids: bool, all: bool },
    /// HTTP 3xx. Redirects are never followed: they could carry the token elsewhere.
    Redirected,
    /// Another HTTP 4xx.
    HttpStatus,
    /// The URL is not a chatbot's.
    Endpoint,
    /// Another code.
    Unknown,
}

impl Meaning {
    /// What a status means beside which no code stands.
    pub(super) fn of_status(status: u16) -> Meaning {
        match status {
            200..300 => Meaning::NotTheChat,
            300..400 => Meaning::Redirected,
            404 => Meaning::Endpoint,
            408 => Meaning::Unclear,
            413 => Meaning::TooLong,
            429 => Meaning::Throttled(USUAL_BAN),
            400..500 => Meaning::HttpStatus,
            _ => Meaning::Unclear,
        }
    }

    fn class(self) -> Class {
        match self {
            Meaning::Delivered | Meaning::DeliveredInPart => Class::Delivered,
            Meaning::Busy | Meaning::NotTheChat | Meaning::Unclear => Class::Unclear,
            Meaning::Throttled(retry_after) => Class::Throttled {
                retry_after,
                ban: Ban::Chatbot,
            },
            Meaning::Signature(recovery) => Class::Refused(recovery),
            Meaning::TooLong => Class::Refused(Recovery::Shorten),
            Meaning::Mention { .. } => Class::Refused(Recovery::WithoutMentions),
            Meaning::Form => Class::Refused(Recovery::Plain),
            _ => Class::Refused(Recovery::None),
        }
    }
}

/// What is known of the chat that answers.
pub(super) struct Chatbot<'a> {
    pub(super) chat: Chat,
    pub(super) variables: &'a Variables,
    /// What must appear in no text.
    pub(super) secrets: &'a [&'a str],
    /// The chat's own remedies.
    pub(super) remedy: fn(Meaning, &Variables) -> String,
}

impl Chatbot<'_> {
    /// Returns the outcome of a request.
    pub(super) fn attempt(
        &self,
        result: Result<http::Response, http::Error>,
        classify: impl FnOnce(&http::Response, &[u8]) -> Verdict,
    ) -> Attempt {
        let response = match result {
            Ok(response) => response,
            Err(error) => return self.failed(&error),
        };
        // Half a body does not count; the status does.
        let body = response.body.as_deref().unwrap_or_default();
        let attempt = self.answered(&classify(&response, body));
        match &response.body {
            Ok(_) => attempt,
            Err(error) if attempt.class == Class::Unclear => self.failed(error),
            Err(error) => Attempt {
                class: attempt.class,
                remedy: attempt.remedy,
                ..self.failed(error)
            },
        }
    }

    /// Returns the outcome of a whole answer.
    pub(super) fn answered(&self, verdict: &Verdict) -> Attempt {
        Attempt {
            class: verdict.meaning.class(),
            errcode: verdict.errcode.clone(),
            phase: Phase::Answer,
            detail: redact(&verdict.detail, self.secrets),
            remedy: self.remedy(verdict.meaning),
            by_deadline: false,
        }
    }

    pub(super) fn failed(&self, error: &http::Error) -> Attempt {
        let remedy = unreachable::remedy(error, self.chat, self.variables);
        let attempt = request::failed(error, self.secrets, remedy);
        // Something answered, and it was not the chat: no answer was lost.
        let phase = match (error.cause, error.phase) {
            (Cause::NotHttp, Phase::Receive) => Phase::Answer,
            (_, phase) => phase,
        };
        Attempt { phase, ..attempt }
    }

    /// The chat's remedy, or one that is the same for all chats.
    fn remedy(&self, meaning: Meaning) -> Option<String> {
        let (webhook, chat) = (&self.variables.webhook, self.chat.name());
        Some(match meaning {
            Meaning::Delivered | Meaning::Unclear | Meaning::Throttled(_) => return None,
            Meaning::DeliveredInPart => format!(
                "{chat} says that it read the message in part only: please report this as a fault of this program, with the text"
            ),
            Meaning::Busy => format!(
                "{chat} says that it is busy: nothing is to be changed; EventBridge repeats the event"
            ),
            Meaning::NotTheChat => not_the_chat(self.chat, self.variables),
            Meaning::UnsafeContent => format!(
                "{chat}'s content policy objects to something in the message, most likely to what the event itself says: look the event up in the log"
            ),
            Meaning::Parameter | Meaning::Form => format!(
                "{chat} does not take the form of the message: that is a fault of this program, please report it with the text of the error"
            ),
            Meaning::Redirected => format!(
                "the address redirects, and redirects are not followed: set {webhook} to the chatbot's own URL, or look for a gateway that answers in {chat}'s place"
            ),
            Meaning::HttpStatus => format!(
                "the address answers as {chat}'s chatbots do not: check that {webhook} is the chatbot's URL, and look for a gateway that answers in {chat}'s place"
            ),
            other => (self.remedy)(other, self.variables),
        })
    }
}

/// Returns the remedy for a chatbot that got too many messages.
pub(super) fn ban_remedy(limit: &str, variables: &Variables) -> String {
    let (rate_limit, fallback_webhook) = (&variables.rate_limit, &variables.fallback_webhook);
    format!(
        "the chatbot got too many messages ({limit} is its limit) and takes none for a while: keep other senders off it, lower {rate_limit}, or set {fallback_webhook}"
    )
}

/// Reads a number without fraction, or a string that holds one.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Says what a body without a code is.
pub(super) fn describe(status: u16, body: &[u8]) -> String {
    let kind = match (serde_json::from_slice::<Value>(body), body.trim_ascii()) {
        (Ok(_), _) => " with JSON that is not the chat's",
        (Err(_), []) => " with an empty body",
        (Err(_), [b'<', ..]) => " with an HTML page",
        (Err(_), _) => " with no readable answer",
    };
    format!("HTTP {status}{kind}")
}

/// Reads `Retry-After`, in seconds or as an HTTP date, and keeps it within 1 s and 1 h.
pub(super) fn parse_retry_after(header: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = header?.trim();
    let time = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(text)?.duration_since(now).unwrap_or_default(),
    };
    Some(time.clamp(Duration::from_secs(1), Duration::from_secs(3600)))
}
