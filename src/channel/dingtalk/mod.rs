//! DingTalk's custom chatbots: one signed POST request to a webhook, and what its response means.
//!
//! DingTalk answers HTTP 200 to nearly everything; only a parsed `errcode` of 0 means that the
//! message is in the group. Tokens, secrets and signatures appear in no text of this module.
//!
//! - `markdown`: a message in DingTalk's markup, and the JSON body
//! - `placeholder`: words of instructions that were copied in place of a value
//! - `remedy`: what to change and where, with the route's own variable names
//! - `response`: HTTP status, errcode and errmsg → [`Verdict`]
//! - `sign`: the signature
//! - `webhook`: the URL

pub mod markdown;
mod placeholder;
mod remedy;
mod response;
mod sign;
mod webhook;

pub use remedy::Variables;
pub use response::{Meaning, Verdict, classify};
pub use sign::{Secret, sign};
pub use webhook::Webhook;

use super::{
    Attempt, Ban, Body, Channel, Class, EncodeOptions, Limits, Preview, Probe, SendOptions,
};
use crate::clock::{self, Clock};
use crate::event::Event;
use crate::http::{self, redact};
use crate::message::{self, Message, RenderOptions};
use jiff::Timestamp;
use markdown::Markdown;
use sign::Signature;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// DingTalk's limit for the body of a request.
pub const MAX_BYTES: usize = 20_000;

/// The longest response that is read; DingTalk's are below 1 KiB.
const MAX_RESPONSE_BYTES: u64 = 64 * 1024;

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
            let date = response.header("Date").and_then(response::http_date);
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
        Attempt {
            class: match error.may_have_arrived() {
                true => Class::Unclear,
                false => Class::NotSent,
            },
            errcode: None,
            phase: error.phase,
            detail: redact(&error.detail, secrets),
            remedy: remedy::unreachable(error, &self.endpoint.variables),
            by_deadline: error.by_deadline,
        }
    }
}

impl Channel for DingTalk {
    fn chat(&self) -> &'static str {
        "DingTalk"
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
        let request = http::Request {
            method: http::Method::Post,
            url: &url,
            headers: &[("Content-Type", "application/json; charset=utf-8")],
            body,
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        let base64 = signature.map_or_else(String::new, |signature| signature.base64);
        let secrets = [
            secret.map_or("", Secret::expose),
            &self.endpoint.webhook.token,
            &base64,
            &sign::encode(&base64),
        ];
        match self.http.send(&request, deadline, options.new_connection) {
            Ok(response) => self.answered(&response, &secrets),
            Err(error) => self.failed(&error, &secrets),
        }
    }

    fn probe(&self, deadline: Instant) -> Result<Probe, String> {
        let url = self.endpoint.webhook.host_url();
        let request = http::Request {
            method: http::Method::Get,
            url: &url,
            headers: &[],
            body: b"",
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        let answer = self.http.send(&request, deadline, false);
        let answer = answer.map_err(|error| {
            let token = self.endpoint.webhook.token.as_str();
            let failed = self.failed(&error, &[token]);
            let remedy = failed.remedy.map(|remedy| format!(": {remedy}"));
            format!("{}{}", failed.detail, remedy.unwrap_or_default())
        })?;
        let now = clock::to_timestamp(self.clock.wall());
        let date = answer.header("Date").and_then(response::http_date);
        Ok(Probe {
            host: url.host().unwrap_or_default().to_owned(),
            clock_ahead: date.map(|date| now.duration_since(clock::to_timestamp(date))),
            is_proxied: self.http.uses_proxy(&url),
        })
    }

    fn ban_remedy(&self, ban: Ban) -> String {
        remedy::banned(ban, &self.endpoint.variables)
    }
}
