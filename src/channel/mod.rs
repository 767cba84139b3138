//! Chats: how a message reaches one group, and what an answer allows.
//!
//! [`Channel`] is all that [`delivery`](crate::delivery) knows of a chat. Each chat is one folder:
//! its address, its signature, its markup, its answers and its remedies stay there.
//!
//! - `chat`, `variables`: the chats; the names of a route's variables
//! - `endpoint`: a chatbot of any chat as it is configured
//! - `address`, `secret`, `placeholder`: parts of what is configured
//! - `escape`, `markup`: text from an event; lines of a message
//! - `request`, `answer`, `unreachable`: one request; what its answer means; if none came
//! - `code`: the chat's code in an answer

mod address;
mod answer;
mod chat;
mod code;
pub mod dingtalk;
mod endpoint;
mod escape;
pub mod lark;
mod markup;
mod placeholder;
mod request;
mod secret;
pub mod slack;
mod unreachable;
mod variables;
pub mod wecom;

pub use crate::http::Phase;
pub use answer::{Meaning, Verdict};
pub use chat::Chat;
pub use code::Code;
pub use endpoint::Endpoint;
pub use secret::Secret;
pub use variables::Variables;

use crate::message::{Encoded, Message};
use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// A message as the chat would get it, for people.
pub struct Preview {
    /// The size of the message as the chat counts it, and the most that the chat takes.
    pub size: usize,
    pub max_size: usize,
    /// What is counted: `bytes` or `characters`.
    pub unit: &'static str,
    /// The message in the chat's markup, or the request body.
    pub text: String,
}

/// A chatbot as one route reaches it.
pub trait Channel: Send + Sync {
    /// The name of the chat in texts for people: `DingTalk`.
    fn chat(&self) -> &'static str;

    /// Identifies the chatbot: routes whose channels have the same id share its pace and its bans.
    /// Not secret.
    fn id(&self) -> &str;

    /// What the chatbot takes.
    fn limits(&self) -> Limits;

    /// How many signing secrets there are: none, one, or two while a secret is being rotated.
    fn secrets(&self) -> usize;

    /// Returns true if the chat shows a message only once that is sent twice with the same key.
    fn deduplicates(&self) -> bool {
        true
    }

    /// The request body of `message`.
    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body;

    /// Sends the bytes of a body once, before `deadline`, and reports what it came to.
    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt;

    /// Goes as far as one can without a message: connects to the chat's server and asks for the
    /// time, with nothing of the chatbot in the request.
    ///
    /// # Errors
    ///
    /// Why nothing came back before `deadline`, and what to change, in one line without secrets.
    fn probe(&self, _deadline: Instant) -> Result<Probe, String> {
        Ok(Probe::default())
    }

    /// What to do about a ban, in one line, with this route's own variable names.
    fn ban_remedy(&self, ban: Ban) -> String;
}

/// What a chatbot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests within any 60 s.
    pub per_minute: u32,
    /// The least time between the end of a request and the next one.
    pub min_gap: Duration,
    /// The size of a message, as [`Body::size`] counts it.
    pub max_size: usize,
    /// The least time for which a chatbot is banned that was banned before and has taken no message
    /// since.
    pub repeated_ban: Duration,
}

impl Limits {
    /// Limits without a gap between requests and without longer bans.
    pub fn new(per_minute: u32, max_size: usize) -> Limits {
        Limits {
            per_minute,
            min_gap: Duration::ZERO,
            max_size,
            repeated_ban: Duration::ZERO,
        }
    }
}

/// A request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub bytes: Vec<u8>,
    /// The size of the message as the chat counts it: bytes or characters of all or of a part of it.
    pub size: usize,
}

/// The body is the message: every byte counts.
impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body {
            size: bytes.len(),
            bytes,
        }
    }
}

impl Encoded for Body {
    fn size(&self) -> usize {
        self.size
    }
}

/// What a request body holds beside its message.
#[derive(Debug, Clone, Copy)]
pub struct EncodeOptions<'a> {
    /// The idempotency key (a UUID), for a chat that knows one.
    pub key: &'a str,
    /// The chat refused the usual form: a plainer one.
    pub is_plain: bool,
}

/// What a chat's server answers without a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The server's host.
    pub host: String,
    /// How far our clock is ahead of the server's, exact to a second or two; `None` where it did not
    /// tell the time.
    pub clock_ahead: Option<SignedDuration>,
    /// The way goes through a proxy.
    pub is_proxied: bool,
}

/// How one request is to be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Which of the channel's secrets signs the request, counted from 0. Ignored where there is
    /// none.
    pub secret: usize,
    /// Opens a new connection: set it when sending again.
    pub new_connection: bool,
}

/// The outcome of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it means for the message.
    pub class: Class,
    /// The chat's own code, where the answer held one.
    pub errcode: Option<Code>,
    /// How far the request came.
    pub phase: Phase,
    /// The chat's own words or the cause of the error: one line of at most 300 characters without
    /// secrets.
    pub detail: String,
    /// What to change and where, in one line, with this route's own variable names. `None` where
    /// there is nothing to change, as with nearly every success, and for [`Class::Throttled`], whose remedy is
    /// [`Channel::ban_remedy`].
    pub remedy: Option<String>,
    /// The caller's deadline ended the attempt, not a limit of the attempt's own.
    pub by_deadline: bool,
}

/// What an attempt means for its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The chat confirmed the message.
    Delivered,
    /// The chat cannot have received the whole request: sending again repeats nothing.
    NotSent,
    /// The message may or may not have been shown.
    Unclear,
    /// The chat takes nothing for a while.
    Throttled {
        /// For how long, counted from the answer: 1 s to 1 h.
        retry_after: Duration,
        /// What is banned.
        ban: Ban,
    },
    /// The chat refused the message.
    Refused(Recovery),
}

/// What a chat has banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ban {
    /// The chatbot: it got too many messages.
    Chatbot,
    /// The address that the requests come from.
    Address,
}

/// What may turn a refusal into a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// Nothing: the same request would be refused again.
    None,
    /// Signing with the next secret.
    NextSecret,
    /// Signing again, with a fresh time.
    SignAgain,
    /// Sending a shorter message.
    Shorten,
    /// Mentioning nobody.
    WithoutMentions,
    /// Sending the message in the chat's plainest form.
    Plain,
}

impl Class {
    /// The class in logs: `delivered`, `not sent`, `unclear`, `throttled` or `refused`.
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

impl Attempt {
    /// Returns true if any part of the request may have reached the chat.
    pub fn left(&self) -> bool {
        matches!(self.phase, Phase::Send | Phase::Receive | Phase::Answer)
    }

    /// Returns true if the request left and no whole answer came.
    pub fn is_lost(&self) -> bool {
        self.class == Class::Unclear && self.phase != Phase::Answer
    }
}
