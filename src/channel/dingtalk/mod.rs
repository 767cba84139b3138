//! The chatbot: one request to a DingTalk webhook, what became of it, and what to do about it.
//!
//! [`Client::attempt`] makes exactly one attempt. Whether and when to try again is the caller's affair;
//! the [`Class`] of an [`Attempt`] is all that it needs to decide.
//!
//! DingTalk answers HTTP 200 to nearly everything; only a parsed `errcode` of 0 means that the message
//! is in the group. Tokens, secrets and signatures appear in no text that this module returns.

mod adapter;
mod client;
mod failure;
mod options;
mod remedy;
mod resolver;
mod response;
mod sign;
mod text;
mod tls;
mod watch;
mod webhook;

pub use adapter::targets;
pub use client::Client;
pub use options::{Options, ProxyChoice};
pub use response::classify;
pub use sign::{Secret, sign};
pub use webhook::Webhook;

use std::fmt;
use std::time::Duration;

/// What became of one attempt to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it means for the message.
    pub class: Class,
    /// DingTalk's code, where the answer held one (as a number or a numeric string).
    pub errcode: Option<i64>,
    /// The HTTP status, where there was an answer.
    pub http_status: Option<u16>,
    /// How far the attempt came.
    pub phase: Phase,
    /// DingTalk's own words or the cause of the error: one line of at most 300 characters, no secret in it.
    pub detail: String,
    /// What to change and where, in one line. It names configuration variables without a route's suffix.
    /// None where there is nothing to change.
    pub remedy: Option<String>,
    /// The caller's deadline ended the attempt, not a limit of the attempt's own.
    pub by_deadline: bool,
}

/// What an attempt means for its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The message is in the group: HTTP 2xx and `errcode` 0.
    Delivered,
    /// DingTalk cannot have got the whole request. Sending again repeats nothing.
    NotSent,
    /// The message may or may not be in the group.
    Unclear,
    /// DingTalk takes nothing for a while.
    Throttled {
        /// For how long, counted from the answer: 1 s to 1 h.
        pause: Duration,
    },
    /// DingTalk said no, and would say it again.
    Refused(Reason),
}

impl Class {
    /// The class in words, for logs: `delivered`, `not sent`, `unclear`, `throttled` or `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Delivered => "delivered",
            Class::NotSent => "not sent",
            Class::Unclear => "unclear",
            Class::Throttled { .. } => "throttled",
            Class::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why DingTalk refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The chatbot wants a keyword that the message does not hold (310000).
    Keyword,
    /// The signature is missing or wrong (310000).
    Signature,
    /// The signature's time is more than an hour off (310000).
    Clock,
    /// The sender's address is not on the chatbot's list (310000).
    Address,
    /// There is no such access token (300001, 300005, 400101, 40035, 41001).
    Token,
    /// The chatbot is disabled (400102).
    Stopped,
    /// The chatbot was removed from the group (400106).
    Removed,
    /// The group was dissolved (400013).
    GroupGone,
    /// The message is over 20,000 bytes (460101, 101002, HTTP 413).
    TooLong,
    /// DingTalk's content policy objects (4301xx).
    UnsafeContent,
    /// A field of the message is missing or wrong (4002xx to 4008xx, 4010xx, 4011xx, 400105, 40035).
    Parameter,
    /// HTTP 3xx. Redirects are never followed: they could carry the token elsewhere.
    Redirected,
    /// Another HTTP 4xx.
    HttpStatus,
    /// The URL is no chatbot's (404, 22, 43xxx).
    Endpoint,
    /// The organisation's monthly quota is used up (90020).
    Quota,
    /// A code or a text that is not known.
    Unknown,
}

/// How far an attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing was begun: no time was left.
    Start,
    /// Looking up the host's name.
    Resolve,
    /// Connecting, directly or through a proxy.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for the answer or reading it.
    Receive,
    /// The answer was read to its end.
    Answer,
}
