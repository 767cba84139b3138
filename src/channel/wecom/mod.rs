//! WeCom's group chatbots: one POST request to a webhook whose key is all there is.
//!
//! - `content`: a message as `markdown` or `text`, and the JSON body
//! - `remedy`: what to change and where
//! - `response`: HTTP status and errcode → meaning
//! - `webhook`: the URL

pub mod content;
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

/// For how long a chatbot is left alone that is over its limit once more. How long WeCom's own ban
/// lasts is not documented, nor whether refused requests count.
const REPEATED_BAN: Duration = Duration::from_secs(600);

/// A chatbot as one route is configured to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub webhook: Webhook,
    /// Messages a minute, 3 to 20.
    pub rate_limit: u32,
    /// The variables that all this was read from.
    pub variables: Variables,
}

impl Endpoint {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            repeated_ban: REPEATED_BAN,
            ..Limits::new(self.rate_limit, content::MAX_MARKDOWN)
        }
    }

    fn chatbot<T>(&self, with: impl FnOnce(&Chatbot) -> T) -> T {
        with(&Chatbot {
            chat: Chat::WeCom,
            variables: &self.variables,
            secrets: &[&self.webhook.key],
            remedy: remedy::answered,
        })
    }
}

/// The address with its key masked.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.webhook.masked();
        write!(
            f,
            "WeCom, {address}, no signing: whoever knows the address can post"
        )
    }
}

/// A chatbot of a group in WeCom.
pub struct WeCom {
    pub endpoint: Endpoint,
    pub http: Arc<http::Client>,
    pub clock: Arc<dyn Clock>,
}

impl Channel for WeCom {
    fn chat(&self) -> &'static str {
        Chat::WeCom.name()
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

    fn encode(&self, message: &Message, _options: &EncodeOptions) -> Body {
        content::encode(message)
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt {
        let url = self.endpoint.webhook.url();
        let result = request::post(&self.http, &url, body, options, deadline);
        let classify = |response: &http::Response, body: &[u8]| classify(response.status, body);
        self.endpoint
            .chatbot(|chatbot| chatbot.attempt(result, classify))
    }

    fn probe(&self, deadline: Instant) -> Result<Probe, String> {
        let url = self.endpoint.webhook.host_url();
        let failed = |error: &_| self.endpoint.chatbot(|chatbot| chatbot.failed(error));
        request::probe(&self.http, &self.clock, &url, deadline, failed)
    }

    fn ban_remedy(&self, _ban: Ban) -> String {
        answer::ban_remedy("20 a minute", &self.endpoint.variables)
    }
}
