//! A chatbot of any chat as one route is configured to reach it.

use super::{Body, Channel, Chat, Limits, Preview, dingtalk, lark, slack, wecom};
use crate::clock::Clock;
use crate::event::Event;
use crate::http;
use crate::message::{self, Message, RenderOptions};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// A chatbot as one route is configured to reach it.
///
/// A new chat is a folder beside `dingtalk`, a variant here and in [`Chat`], and its variables in
/// `config/chat.rs`.
#[derive(Debug, Clone)]
pub enum Endpoint {
    DingTalk(dingtalk::Endpoint),
    Lark(lark::Endpoint),
    WeCom(wecom::Endpoint),
    Slack(slack::Endpoint),
}

impl Endpoint {
    pub fn chat(&self) -> Chat {
        match self {
            Endpoint::DingTalk(_) => Chat::DingTalk,
            Endpoint::Lark(_) => Chat::Lark,
            Endpoint::WeCom(_) => Chat::WeCom,
            Endpoint::Slack(_) => Chat::Slack,
        }
    }

    /// Makes the channel that sends to this chatbot. Opens no connection yet.
    pub fn channel(&self, http: &Arc<http::Client>, clock: &Arc<dyn Clock>) -> Arc<dyn Channel> {
        let (http, clock) = (Arc::clone(http), Arc::clone(clock));
        match self.clone() {
            Endpoint::DingTalk(endpoint) => {
                Arc::new(dingtalk::DingTalk::new(endpoint, http, clock))
            }
            Endpoint::Lark(endpoint) => Arc::new(lark::Lark {
                endpoint,
                http,
                clock,
            }),
            Endpoint::WeCom(endpoint) => Arc::new(wecom::WeCom {
                endpoint,
                http,
                clock,
            }),
            Endpoint::Slack(endpoint) => Arc::new(slack::Slack {
                endpoint,
                http,
                clock,
            }),
        }
    }

    /// Identifies the chatbot: [`Channel::id`].
    pub fn id(&self) -> &str {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.webhook.rate_limit_key(),
            Endpoint::Lark(endpoint) => endpoint.webhook.id(),
            Endpoint::WeCom(endpoint) => endpoint.webhook.id(),
            Endpoint::Slack(endpoint) => endpoint.webhook.id(),
        }
    }

    /// What the chatbot takes: [`Channel::limits`].
    pub fn limits(&self) -> Limits {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.limits(),
            Endpoint::Lark(endpoint) => endpoint.limits(),
            Endpoint::WeCom(endpoint) => endpoint.limits(),
            Endpoint::Slack(endpoint) => endpoint.limits(),
        }
    }

    /// The word that every message must hold, if the chatbot requires one.
    pub fn keyword(&self) -> Option<&str> {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.keyword.as_deref(),
            Endpoint::Lark(endpoint) => endpoint.keyword.as_deref(),
            Endpoint::WeCom(_) | Endpoint::Slack(_) => None,
        }
    }

    /// Shows the message of these events, as long as the chatbot takes it.
    pub fn preview(&self, events: &[&Event], options: &RenderOptions, now: Timestamp) -> Preview {
        let body_within = |max_size, encode: &dyn Fn(&Message) -> Body| {
            message::encode_within(events, options, now, max_size, encode)
        };
        let preview = |(size, max_size), unit, body: Body| Preview {
            size,
            max_size,
            unit,
            text: String::from_utf8_lossy(&body.bytes).into_owned(),
        };
        let max_size = self.limits().max_size;
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.preview(events, options, now),
            Endpoint::Lark(endpoint) => {
                let (_, body) = body_within(max_size, &|message| endpoint.encode(message));
                preview((body.size, max_size), "bytes", body)
            }
            Endpoint::WeCom(_) => {
                let (message, body) = body_within(max_size, &wecom::content::encode);
                // Of a text each byte counts twice.
                let part = max_size / wecom::content::max_bytes(&message);
                preview((body.size / part, max_size / part), "bytes", body)
            }
            Endpoint::Slack(_) => {
                let encode = |message: &_| slack::blocks::encode(message, false);
                let (_, body) = body_within(max_size, &encode);
                preview((body.size, max_size), "characters", body)
            }
        }
    }
}

/// The address with its token masked, and how requests are signed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.fmt(f),
            Endpoint::Lark(endpoint) => endpoint.fmt(f),
            Endpoint::WeCom(endpoint) => endpoint.fmt(f),
            Endpoint::Slack(endpoint) => endpoint.fmt(f),
        }
    }
}
