//! The group's records of calls and messages.

use serde_json::Value;
use std::time::Instant;

/// One request, accepted or not.
#[derive(Debug, Clone)]
pub struct Call {
    /// When the request was read.
    pub at: Instant,
    /// The group's clock at that moment, in milliseconds since 1970.
    pub clock_ms: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The target without its query.
    pub path: String,
    /// The decoded `access_token`; empty if there is none.
    pub token: String,
    /// The query with token and signature masked.
    pub query: String,
    /// Names and values in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub raw_body: Vec<u8>,
    /// The body as JSON; `None` if it is not JSON.
    pub body: Option<Value>,
    /// The code of the answer; `None` if a fault replaced the answer.
    pub errcode: Option<i64>,
    /// The answer's body; empty if a fault replaced the answer.
    pub answer: String,
    /// The number of the connection; the first is 1.
    pub connection: u64,
    /// A message with this `msgUuid` was accepted before.
    pub duplicate: bool,
}

/// One message that the group's members see.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The group's clock, in milliseconds since 1970.
    pub clock_ms: u64,
    /// The token of the chatbot that sent it.
    pub token: String,
    /// `text`, `link`, `markdown`, `actionCard` or `feedCard`.
    pub msgtype: String,
    /// The title, shown in notifications.
    pub title: String,
    /// The text with its markup.
    pub text: String,
    /// Mobile numbers and user ids of members that stand both in `at` and in the text.
    pub mentioned: Vec<String>,
    /// All members are mentioned.
    pub at_all: bool,
    /// `at` names more than 50 people; those beyond 50 are not mentioned.
    pub mention_overflow: bool,
    /// The message's idempotency key.
    pub msg_uuid: Option<String>,
    /// The whole body of the request.
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
