//! The records of calls and messages.

use crate::shown::Shown;
use serde_json::Value;
use std::time::Instant;

/// One request, accepted or not.
#[derive(Debug, Clone)]
pub struct Call {
    /// When the request was read.
    pub at: Instant,
    /// The stand-in's clock at that moment, in milliseconds since 1970.
    pub clock_ms: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path and the query, with the token masked.
    pub target: String,
    /// The token; empty if there is none.
    pub token: String,
    /// Names and values in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub raw_body: Vec<u8>,
    /// The body as JSON; `None` if it is not JSON.
    pub body: Option<Value>,
    /// The HTTP status of the answer; `None` if a fault replaced the answer.
    pub status: Option<u16>,
    /// The code of the answer, Slack's word; `None` if a fault replaced the answer.
    pub code: Option<String>,
    /// The answer's body; empty if a fault replaced the answer.
    pub answer: String,
    /// The number of the connection; the first is 1.
    pub connection: u64,
}

/// One message that the group's members see.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The stand-in's clock, in milliseconds since 1970.
    pub clock_ms: u64,
    /// The token of the chatbot that sent it.
    pub token: String,
    /// The type of the message: `text`, `post`, `interactive`, `markdown`, `blocks`, …
    pub form: String,
    /// What a notification shows: a card's title, the first line of a text.
    pub title: String,
    /// The colour of a card's header.
    pub color: Option<String>,
    /// The message as its members see it.
    pub shown: Shown,
    /// Slack: the text for notifications and screen readers, where there are blocks beside it.
    pub fallback: Shown,
    /// The whole body of the request.
    pub body: Value,
}
