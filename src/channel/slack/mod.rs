//! Slack's incoming webhooks: one POST request to a URL that is all there is.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
//!
//! - `blocks`: a message as blocks, and the JSON body
//! - `remedy`: what to change and where
//! - `response`: HTTP status and word → meaning
//! - `webhook`: the URL

pub mod blocks;
mod remedy;
mod response;
mod webhook;

pub use response::classify;
pub use webhook::Webhook;

use super::answer::{self, Chatbot};
use super::{
    Attempt, Ban, Body, Channel, Chat, EncodeOptions, Limits, Probe, SendOptions, Variables,
    request,
};
use crate::clock::Clock;
use crate::http;
use crate::message::Message;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Slack takes one message a second.
const MIN_GAP: Duration = Duration::from_secs(1);

/// An incoming webhook as one route is configured to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub webhook: Webhook,
    /// Messages a minute, 3 to 60.
    pub rate_limit: u32,
    /// The variables that all this was read from.
    pub variables: Variables,
}

impl Endpoint {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            min_gap: MIN_GAP,
            ..Limits::new(self.rate_limit, blocks::MAX_CHARACTERS)
        }
    }

    fn chatbot<T>(&self, with: impl FnOnce(&Chatbot) -> T) -> T {
        with(&Chatbot {
            chat: Chat::Slack,
            variables: &self.variables,
            secrets: &[&self.webhook.ids, &self.webhook.secret],
            remedy: remedy::answered,
        })
    }
}

/// The address without its secret parts.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.webhook.masked();
        write!(
            f,
            "Slack, {address}, no signing: whoever knows the address can post"
        )
    }
}

/// An incoming webhook of a Slack channel.
pub struct Slack {
    pub endpoint: Endpoint,
    pub http: Arc<http::Client>,
    pub clock: Arc<dyn Clock>,
}

impl Channel for Slack {
    fn chat(&self) -> &'static str {
        Chat::Slack.name()
    }

    fn id(&self) -> &str {
        self.endpoint.webhook.id()
    }

    fn limits(&self) -> Limits {
        self.endpoint.limits()
    }

    fn secrets(&self) -> usize {
        0
    }

    fn deduplicates(&self) -> bool {
        false
    }

    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
        blocks::encode(message, options.is_plain)
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt {
        let url = self.endpoint.webhook.url();
        let result = request::post(&self.http, &url, body, options, deadline);
        let classify = |response: &http::Response, body: &[u8]| {
            let retry_after = response.header("Retry-After");
            classify(response.status, retry_after, body, self.clock.wall())
        };
        self.endpoint
            .chatbot(|chatbot| chatbot.attempt(result, classify))
    }

    fn probe(&self, deadline: Instant) -> Result<Probe, String> {
        let url = self.endpoint.webhook.host_url();
        let failed = |error: &_| self.endpoint.chatbot(|chatbot| chatbot.failed(error));
        request::probe(&self.http, &self.clock, &url, deadline, failed)
    }

    fn ban_remedy(&self, _ban: Ban) -> String {
        answer::ban_remedy("about one a second", &self.endpoint.variables)
    }
}

/// Returns true for what Slack can mention: ids of people (`U…`, `W…`) and of groups (`S…`).
pub fn is_user_id(text: &str) -> bool {
    let is_of_id = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.starts_with(['U', 'W', 'S'])
        && (3..=24).contains(&text.len())
        && text.bytes().all(is_of_id)
}
