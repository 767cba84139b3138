//! The channel over [`Client`], [`Webhook`] and [`Secret`].

use super::{Attempt, Class, Client, Phase, Reason, Secret, Webhook, remedy};
use crate::channel::{self, Ban, Channel, Limits, Recovery, SendOptions};
use crate::delivery::Target;
use crate::message::{MAX_BYTES, Message};
use crate::route::{Endpoint, Route};
use std::sync::Arc;
use std::time::Instant;

/// One chatbot as one route reaches it.
struct Chatbot {
    client: Arc<Client>,
    id: String,
    webhook: Webhook,
    secrets: Vec<Secret>,
    per_minute: u32,
    /// What the route's variables end with.
    suffix: String,
    is_fallback: bool,
}

/// Makes the targets of these routes, in their order.
pub fn targets(routes: &[Route], client: Arc<Client>) -> Vec<Target> {
    let chatbot = |route: &Route, endpoint: &Endpoint, is_fallback| -> Arc<dyn Channel> {
        Arc::new(Chatbot {
            client: Arc::clone(&client),
            id: endpoint.webhook.same_robot_key(),
            webhook: endpoint.webhook.clone(),
            secrets: endpoint.secrets.clone(),
            per_minute: route.rate_limit,
            suffix: route.suffix.clone(),
            is_fallback,
        })
    };
    let target = |route: &Route| Target {
        route: route.name.clone(),
        channel: chatbot(route, &route.endpoint, false),
        fallback: route
            .fallback
            .as_ref()
            .map(|endpoint| chatbot(route, endpoint, true)),
        options: route.style.clone(),
    };
    routes.iter().map(target).collect()
}

impl Channel for Chatbot {
    fn chat(&self) -> &'static str {
        "DingTalk"
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn limits(&self) -> Limits {
        Limits {
            per_minute: self.per_minute,
            max_bytes: MAX_BYTES,
        }
    }

    fn secrets(&self) -> usize {
        self.secrets.len()
    }

    fn encode(&self, message: &Message, key: &str) -> Vec<u8> {
        message.body(key)
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> channel::Attempt {
        let secret = self.secrets.get(options.secret);
        let fresh = options.new_connection;
        let attempt = self
            .client
            .attempt(&self.webhook, secret, body, deadline, fresh);
        self.translate(attempt)
    }

    fn ban_remedy(&self, ban: Ban) -> String {
        self.with_own_names(match ban {
            Ban::Chatbot => remedy::THROTTLED,
            Ban::Address => remedy::FLOODED,
        })
    }
}

impl Chatbot {
    fn translate(&self, attempt: Attempt) -> channel::Attempt {
        let is_flood = attempt.remedy.as_deref() == Some(remedy::FLOODED);
        let (class, remedy) = match attempt.class {
            Class::Delivered => (channel::Class::Delivered, attempt.remedy),
            Class::NotSent => (channel::Class::NotSent, attempt.remedy),
            Class::Unclear => (channel::Class::Unclear, attempt.remedy),
            Class::Throttled { pause } => {
                let ban = if is_flood { Ban::Address } else { Ban::Chatbot };
                let retry_after = pause;
                (channel::Class::Throttled { retry_after, ban }, None)
            }
            Class::Refused(reason) => {
                let recovery = match reason {
                    Reason::Signature => Recovery::NextSecret,
                    Reason::Clock => Recovery::SignAgain,
                    Reason::TooLong => Recovery::Shorten,
                    _ => Recovery::None,
                };
                (channel::Class::Refused(recovery), attempt.remedy)
            }
        };
        // The text alone would be little to search for.
        let detail = match (attempt.class, attempt.errcode) {
            (Class::Refused(Reason::Unknown), Some(code)) => {
                format!("errcode {code}: {}", attempt.detail)
            }
            _ => attempt.detail,
        };
        channel::Attempt {
            class,
            errcode: attempt.errcode,
            phase: match attempt.phase {
                Phase::Start => channel::Phase::Start,
                Phase::Resolve => channel::Phase::Resolve,
                Phase::Connect => channel::Phase::Connect,
                Phase::Tls => channel::Phase::Tls,
                Phase::Send => channel::Phase::Send,
                Phase::Receive => channel::Phase::Receive,
                Phase::Answer => channel::Phase::Answer,
            },
            detail,
            remedy: remedy.map(|remedy| self.with_own_names(&remedy)),
            by_deadline: attempt.by_deadline,
        }
    }

    /// The remedy with the names that the variables have on this route.
    fn with_own_names(&self, remedy: &str) -> String {
        let suffix = &self.suffix;
        let (webhook, secret) = if self.is_fallback {
            ("DINGTALK_FALLBACK_WEBHOOK", "DINGTALK_FALLBACK_SECRET")
        } else {
            ("DINGTALK_WEBHOOK", "DINGTALK_SECRET")
        };
        let mut remedy = remedy.to_owned();
        for (name, own) in [
            ("DINGTALK_FALLBACK_WEBHOOK", "DINGTALK_FALLBACK_WEBHOOK"),
            ("DINGTALK_RATE_LIMIT", "DINGTALK_RATE_LIMIT"),
            ("DINGTALK_KEYWORD", "DINGTALK_KEYWORD"),
            ("DINGTALK_WEBHOOK", webhook),
            ("DINGTALK_SECRET", secret),
        ] {
            remedy = remedy.replace(name, &format!("{own}{suffix}"));
        }
        remedy
    }
}
