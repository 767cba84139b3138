//! Lark's and Feishu's custom bots: one POST request with a card, signed in its body.
//!
//! <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>
//!
//! - `card`: a message as a card, and the JSON body
//! - `remedy`: what to change and where
//! - `response`: HTTP status and code → meaning
//! - `sign`: the signature
//! - `webhook`: the URL

pub mod card;
mod remedy;
mod response;
mod sign;
mod webhook;

pub use response::{Sent, classify};
pub use sign::sign;
pub use webhook::Webhook;

use super::answer::{self, Chatbot, Meaning};
use super::{
    Attempt, Ban, Body, Channel, Chat, EncodeOptions, Limits, Probe, Secret, SendOptions,
    Variables, request,
};
use crate::clock::Clock;
use crate::http;
use crate::message::Message;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The size of a body as documented; more was seen to pass.
pub const MAX_BYTES: usize = 20_000;
/// Lark takes 5 requests a second.
const MIN_GAP: Duration = Duration::from_millis(250);

/// A chatbot as one route is configured to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub webhook: Webhook,
    /// No secret, one, or two while a secret is being rotated.
    pub secrets: Vec<Secret>,
    /// A keyword of the chatbot's security settings, which every message must hold.
    pub keyword: Option<String>,
    /// Messages a minute, 3 to 100.
    pub rate_limit: u32,
    /// The variables that all this was read from.
    pub variables: Variables,
}

impl Endpoint {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            min_gap: MIN_GAP,
            ..Limits::new(self.rate_limit, MAX_BYTES)
        }
    }

    pub(super) fn encode(&self, message: &Message) -> Body {
        card::encode(message, self.keyword.as_deref())
    }
}

/// Parses a secret as Lark shows it.
///
/// # Errors
///
/// What is wrong with it and what to write instead, without the secret itself.
pub fn parse_secret(text: &str) -> Result<Secret, String> {
    Secret::parse_as(
        text,
        "write the secret that the chatbot's security settings show and nothing else",
    )
}

/// The address with its token masked, and how requests are signed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signing = match self.secrets.len() {
            0 => "no signing",
            1 => "signing with a secret",
            _ => "signing with two secrets in rotation",
        };
        write!(f, "Lark, {}, {signing}", self.webhook.masked())
    }
}

/// A chatbot of a group in Lark or Feishu.
pub struct Lark {
    pub endpoint: Endpoint,
    pub http: Arc<http::Client>,
    pub clock: Arc<dyn Clock>,
}

impl Channel for Lark {
    fn chat(&self) -> &'static str {
        Chat::Lark.name()
    }

    fn id(&self) -> &str {
        self.endpoint.webhook.id()
    }

    fn limits(&self) -> Limits {
        self.endpoint.limits()
    }

    fn secrets(&self) -> usize {
        self.endpoint.secrets.len()
    }

    fn deduplicates(&self) -> bool {
        false
    }

    fn encode(&self, message: &Message, _options: &EncodeOptions) -> Body {
        self.endpoint.encode(message)
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt {
        let Endpoint {
            webhook,
            secrets,
            variables,
            ..
        } = &self.endpoint;
        // Indexed: a request without its signature must not be sent by mistake.
        let secret = match secrets.as_slice() {
            [] => None,
            secrets => Some(&secrets[options.secret]),
        };
        // Signed for this attempt: a signature is refused after an hour.
        let signed = secret.map(|secret| sign::signed(body, self.clock.wall(), secret));
        let (bytes, signature) = match &signed {
            Some((bytes, signature)) => (bytes.as_slice(), signature.as_str()),
            None => (body, ""),
        };
        let chatbot = Chatbot {
            chat: Chat::Lark,
            variables,
            secrets: &[secret.map_or("", Secret::expose), &webhook.token, signature],
            remedy: remedy::answered,
        };
        let (ids, all) = card::mentions_of(body);
        let sent = Sent {
            secrets: secrets.len(),
            ids,
            all,
        };
        let mut difference = None;
        let result = request::post(&self.http, &webhook.url(), bytes, options, deadline);
        let mut attempt = chatbot.attempt(result, |response, body| {
            let verdict = classify(response.status, body, sent);
            if matches!(verdict.meaning, Meaning::Signature(_)) {
                difference = remedy::clock_difference(response, self.clock.wall());
            }
            verdict
        });
        if let (Some(remedy), Some(difference)) = (&mut attempt.remedy, difference) {
            remedy.push_str(&difference);
        }
        attempt
    }

    fn probe(&self, deadline: Instant) -> Result<Probe, String> {
        let Endpoint {
            webhook, variables, ..
        } = &self.endpoint;
        let chatbot = Chatbot {
            chat: Chat::Lark,
            variables,
            secrets: &[&webhook.token],
            remedy: remedy::answered,
        };
        let failed = |error: &_| chatbot.failed(error);
        request::probe(
            &self.http,
            &self.clock,
            &webhook.host_url(),
            deadline,
            failed,
        )
    }

    fn ban_remedy(&self, _ban: Ban) -> String {
        let remedy = answer::ban_remedy("100 a minute and 5 a second", &self.endpoint.variables);
        format!("{remedy}; at full and half hours Lark itself may be busy")
    }
}

/// Returns true for what Lark's chatbots can mention: open ids and user ids, no union ids and no
/// e-mail addresses.
pub fn is_user_id(text: &str) -> bool {
    let is_of_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    text.bytes().all(is_of_id) && !text.starts_with("on_")
}
