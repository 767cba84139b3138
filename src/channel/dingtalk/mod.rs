//! DingTalk's custom chatbots: one signed POST request to a webhook, and what its response means.
//!
//! DingTalk answers HTTP 200 to nearly everything; only a parsed `errcode` of 0 means that the
//! message is in the group. Tokens, secrets and signatures appear in no text of this module.
//!
//! - `markdown`: a message in DingTalk's markup, and the JSON body
//! - `remedy`: what to change and where, with the route's own variable names
//! - `response`: HTTP status, errcode and errmsg → [`Verdict`]
//! - `sign`: the signature
//! - `webhook`: the URL

pub mod markdown;
mod remedy;
mod response;
mod sign;
mod webhook;

pub use super::{Secret, Variables};
pub use response::{Meaning, Verdict, classify};
pub use sign::sign;
pub use webhook::Webhook;

use super::request::http_date;
use super::{
    Attempt, Ban, Body, Channel, Chat, Class, EncodeOptions, Limits, Preview, Probe, SendOptions,
    request,
};
use crate::clock::Clock;
use crate::event::Event;
use crate::http;
use crate::message::{self, Message, RenderOptions};
use jiff::Timestamp;
use markdown::Markdown;
use sign::Signature;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// DingTalk's limit for the body of a request.
pub const MAX_BYTES: usize = 20_000;

/// A chatbot as one route is configured to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub webhook: Webhook,
    /// No secret, one, or two while a secret is being rotated.
    pub secrets: Vec<Secret>,
    /// A keyword of the chatbot's security settings, which every message must hold.
    pub keyword: Option<String>,
    /// Messages a minute, 3 to 20.
    pub rate_limit: u32,
    /// The variables that all this was read from.
    pub variables: Variables,
}

impl Endpoint {
    pub(super) fn limits(&self) -> Limits {
        Limits::new(self.rate_limit, MAX_BYTES)
    }

    /// Shows the message of these events, as long as DingTalk takes it.
    pub(super) fn preview(
        &self,
        events: &[&Event],
        options: &RenderOptions,
        now: Timestamp,
    ) -> Preview {
        // Every key is as long as this one.
        const KEY: &str = "00000000-0000-0000-0000-000000000000";
        let keyword = self.keyword.as_deref();
        let encode = |message: &Message| markdown::encode(message, keyword, KEY);
        let (message, body) = message::encode_within(events, options, now, MAX_BYTES, encode);
        let Markdown { title, text } = markdown::write(&message, keyword);
        Preview {
            size: body.len(),
            max_size: MAX_BYTES,
            unit: "bytes",
            text: format!("{title}\n\n{text}"),
        }
    }
}

/// The address with its token masked, and how requests are signed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signing = match self.secrets.len() {
            0 => "no signing",
            1 => "signing with a secret",
            _ => "signing with two secrets in rotation",
        };
        write!(f, "{}, {signing}", self.webhook.masked())
    }
}

/// A chatbot of a DingTalk group.
pub struct DingTalk {
    endpoint: Endpoint,
    http: Arc<http::Client>,
    clock: Arc<dyn Clock>,
}

impl DingTalk {
    pub fn new(endpoint: Endpoint, http: Arc<http::Client>, clock: Arc<dyn Clock>) -> DingTalk {
        DingTalk {
            endpoint,
            http,
            clock,
        }
    }

    /// Returns the outcome of a response.
    fn answered(&self, response: &http::Response, secrets: &[&str]) -> Attempt {
        let now = self.clock.wall();
        // Half a body does not count; the status does.
        let body = response.body.as_deref().unwrap_or_default();
        let verdict = classify(response.status, response.header("Retry-After"), body, now);
        let mut attempt = verdict.attempt(&self.endpoint.variables, secrets);
        if verdict.meaning == Meaning::Clock {
            let date = response.header("Date").and_then(http_date);
            attempt.remedy = Some(remedy::clock(date, now));
        }
        match &response.body {
            Ok(_) => attempt,
            Err(error) if attempt.class == Class::Unclear => self.failed(error, secrets),
            Err(error) => Attempt {
                class: attempt.class,
                remedy: attempt.remedy,
                ..self.failed(error, secrets)
            },
        }
    }

    /// Returns the outcome of a request without a whole response.
    fn failed(&self, error: &http::Error, secrets: &[&str]) -> Attempt {
        let remedy = remedy::unreachable(error, &self.endpoint.variables);
        request::failed(error, secrets, remedy)
    }
}

impl Channel for DingTalk {
    fn chat(&self) -> &'static str {
        Chat::DingTalk.name()
    }

    fn id(&self) -> &str {
        self.endpoint.webhook.rate_limit_key()
    }

    fn limits(&self) -> Limits {
        self.endpoint.limits()
    }

    fn secrets(&self) -> usize {
        self.endpoint.secrets.len()
    }

    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
        let keyword = self.endpoint.keyword.as_deref();
        markdown::encode(message, keyword, options.key).into()
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt {
        // Indexed: a request without its signature must not be sent by mistake.
        let secret = match self.endpoint.secrets.as_slice() {
            [] => None,
            secrets => Some(&secrets[options.secret]),
        };
        // Signed for this attempt: a signature is refused after an hour.
        let signature = secret.map(|secret| Signature::new(self.clock.wall(), secret));
        let url = self.endpoint.webhook.url(signature.as_ref());
        let base64 = signature.map_or_else(String::new, |signature| signature.base64);
        let secrets = [
            secret.map_or("", Secret::expose),
            &self.endpoint.webhook.token,
            &base64,
            &sign::encode(&base64),
        ];
        match request::post(&self.http, &url, body, options, deadline) {
            Ok(response) => self.answered(&response, &secrets),
            Err(error) => self.failed(&error, &secrets),
        }
    }

    fn probe(&self, deadline: Instant) -> Result<Probe, String> {
        let url = self.endpoint.webhook.host_url();
        let token = self.endpoint.webhook.token.as_str();
        let failed = |error: &_| self.failed(error, &[token]);
        request::probe(&self.http, &self.clock, &url, deadline, failed)
    }

    fn ban_remedy(&self, ban: Ban) -> String {
        remedy::banned(ban, &self.endpoint.variables)
    }
}
