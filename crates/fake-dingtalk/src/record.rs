//! What the group keeps of calls and messages.

use serde_json::Value;
use std::time::Instant;

/// One request, whatever became of it.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it was read.
    pub at: Instant,
    /// The group's clock at that moment, in milliseconds since 1970.
    pub clock_ms: u64,
    /// Method of the request.
    pub method: String,
    /// Path of the request.
    pub path: String,
    /// The token that it came with.
    pub token: String,
    /// The query with token and signature masked.
    pub query: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub raw_body: Vec<u8>,
    /// The body as JSON, where it is JSON.
    pub body: Option<Value>,
    /// The code of the answer; `None` where a fault took its place.
    pub errcode: Option<i64>,
    /// The answer's body.
    pub answer: String,
    /// Which connection it came over; the first is 1.
    pub connection: u64,
    /// The message had been accepted before, by its `msgUuid`.
    pub duplicate: bool,
}

/// One message that the group's members see.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The group's clock, in milliseconds since 1970.
    pub clock_ms: u64,
    /// The chatbot's token.
    pub token: String,
    /// `text`, `link`, `markdown`, `actionCard` or `feedCard`.
    pub msgtype: String,
    /// The title, shown in notifications.
    pub title: String,
    /// The text.
    pub text: String,
    /// Numbers and ids that are mentioned in fact: in `at`, in the text, and of the group.
    pub mentioned: Vec<String>,
    /// Everybody is mentioned.
    pub at_all: bool,
    /// More than 50 people were to be mentioned; the rest was left out.
    pub mention_overflow: bool,
    /// The message's idempotency key.
    pub msg_uuid: Option<String>,
    /// The body as it came.
    pub body: Value,
}

/// Masks the values of `access_token` and `sign`.
pub(crate) fn masked(query: &str) -> String {
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name @ ("access_token" | "sign"), _)) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}
