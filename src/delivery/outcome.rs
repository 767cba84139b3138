//! The outcome of one event on one route.

use crate::channel::{Attempt, Class, Code, Phase};
use std::time::Duration;

/// The outcome of one event on one route that accepted it: the only type for it from the response
/// of the chat to the answer and the log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the event was delivered.
    pub result: DeliveryResult,
    /// The class of the last attempt. `None` where no request was made.
    pub class: Option<Class>,
    /// The chat's code in the last response, where it held one.
    pub errcode: Option<Code>,
    /// Requests made for the message that holds the event.
    pub attempts: u32,
    /// What to do about a failure, and what the chat said. On success what was left out of the
    /// message, because the chat refused it.
    pub remedy: Option<String>,
    /// The idempotency key of that message. `None` where the event never was in one.
    pub message_uuid: Option<String>,
    /// How many events that message holds.
    pub combined: usize,
    /// From accepting the event to its outcome.
    pub duration: Duration,
}

/// Whether an event was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryResult {
    /// The chat confirmed the message.
    Delivered,
    /// The route delivered the same event before. Nothing was sent.
    Duplicate,
    /// It was not delivered, or not confirmed.
    Failed(Failure),
}

/// Why an event was not delivered. A failed invocation is named after the first of its failures in
/// this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The chat refused the message.
    Refused,
    /// The chatbot is banned, or its messages a minute are used up.
    Throttled,
    /// No response, or none that says whether the message was accepted.
    Unreachable,
    /// The invocation's time was over first.
    Deadline,
}

impl DeliveryResult {
    /// The outcome in answer and log: `delivered`, `duplicate` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryResult::Delivered => "delivered",
            DeliveryResult::Duplicate => "duplicate",
            DeliveryResult::Failed(_) => "failed",
        }
    }
}

impl Failure {
    /// The `errorType` of a failed invocation.
    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Refused => "Refused",
            Failure::Throttled => "Throttled",
            Failure::Unreachable => "Unreachable",
            Failure::Deadline => "Deadline",
        }
    }
}

impl Outcome {
    /// Returns why the event was not delivered, or `None` where it was.
    pub fn failure(&self) -> Option<Failure> {
        match self.result {
            DeliveryResult::Failed(failure) => Some(failure),
            DeliveryResult::Delivered | DeliveryResult::Duplicate => None,
        }
    }

    /// Without a message: nothing was sent.
    pub(super) fn without_message(result: DeliveryResult) -> Outcome {
        Outcome {
            result,
            class: None,
            errcode: None,
            attempts: 0,
            remedy: None,
            message_uuid: None,
            combined: 0,
            duration: Duration::ZERO,
        }
    }

    /// Of a message that is not settled: what an invocation reports that has to leave before.
    pub(super) fn pending(message_uuid: String, combined: usize) -> Outcome {
        Outcome {
            message_uuid: Some(message_uuid),
            combined,
            ..Outcome::without_message(DeliveryResult::Failed(Failure::Deadline))
        }
    }

    /// Takes over what an attempt came to. The result is for the caller to set.
    pub(super) fn add_attempt(&mut self, attempt: &Attempt) {
        // An attempt that ended before it began made no request.
        self.attempts += u32::from(attempt.phase != Phase::Start);
        self.class = Some(attempt.class);
        self.errcode = attempt.errcode.clone();
        self.remedy = Some(after_attempt(attempt));
    }

    /// Both chatbots failed: joins both remedies, and keeps the failure that comes first in the
    /// order of [`Failure`]. `self` is the fallback's, and has counted the attempts of both.
    pub(super) fn with_primary(self, primary: Outcome) -> Outcome {
        let remedy = format!(
            "{}; the fallback chatbot: {}",
            primary.remedy.as_deref().expect("a failure has a remedy"),
            self.remedy.as_deref().expect("a failure has a remedy"),
        );
        Outcome {
            remedy: Some(remedy),
            attempts: self.attempts,
            ..std::cmp::min_by_key(self, primary, |outcome| outcome.result)
        }
    }
}

/// Returns what to do about a failed attempt, and what the chat said.
pub(super) fn after_attempt(attempt: &Attempt) -> String {
    match (attempt.remedy.as_deref(), attempt.detail.as_str()) {
        (Some(remedy), "") => remedy.to_owned(),
        (Some(remedy), detail) => format!("{remedy} ({detail})"),
        (None, detail) => detail.to_owned(),
    }
}
