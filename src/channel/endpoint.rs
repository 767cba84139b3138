//! Chatbots as they are configured. A new chat is one variant here, and one folder.

use super::dingtalk::{self, DingTalk};
use super::{Channel, Limits};
use crate::clock::Clock;
use crate::event::Event;
use crate::http;
use crate::message::RenderOptions;
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// A chatbot as one route is configured to reach it.
#[derive(Debug, Clone)]
pub enum Endpoint {
    DingTalk(dingtalk::Endpoint),
}

/// A message as the chat would get it, for people.
pub struct Preview {
    /// The size of the request body.
    pub bytes: usize,
    pub title: String,
    /// In the chat's markup.
    pub text: String,
}

impl Endpoint {
    /// Makes the channel that sends to this chatbot. Opens no connection yet.
    pub fn channel(&self, http: &Arc<http::Client>, clock: &Arc<dyn Clock>) -> Arc<dyn Channel> {
        match self {
            Endpoint::DingTalk(endpoint) => Arc::new(DingTalk::new(
                endpoint.clone(),
                Arc::clone(http),
                Arc::clone(clock),
            )),
        }
    }

    /// Identifies the chatbot, as [`Channel::id`].
    pub fn id(&self) -> String {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.webhook.rate_limit_key(),
        }
    }

    /// What the chatbot takes, as [`Channel::limits`].
    pub fn limits(&self) -> Limits {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.limits(),
        }
    }

    /// The word that every message must hold, if the chatbot requires one.
    pub fn keyword(&self) -> Option<&str> {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.keyword.as_deref(),
        }
    }

    /// Shows the message of these events, as long as the chatbot takes it.
    pub fn preview(&self, events: &[&Event], options: &RenderOptions, now: Timestamp) -> Preview {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.preview(events, options, now),
        }
    }
}

/// The address with its token masked, and how requests are signed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::DingTalk(endpoint) => endpoint.fmt(f),
        }
    }
}
