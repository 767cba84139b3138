//! The chatbots of one route.

use crate::channel::Channel;
use crate::message::RenderOptions;
use std::sync::Arc;

/// Where the events of one route go.
pub struct Target {
    /// The name of the route. It is part of the messages' idempotency keys.
    pub route: String,
    /// The route's chatbot.
    pub channel: Arc<dyn Channel>,
    /// A second chatbot in the same chat, used while the first is banned or refuses. It gets the
    /// body that was encoded for the first.
    pub fallback: Option<Arc<dyn Channel>>,
    /// How messages look.
    pub options: RenderOptions,
}

/// Which of a route's chatbots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Primary,
    Fallback,
}

impl Target {
    pub(super) fn channel(&self, role: Role) -> &dyn Channel {
        match role {
            Role::Primary => &*self.channel,
            Role::Fallback => {
                let fallback = self.fallback.as_deref();
                fallback.expect("only a route with a fallback uses it")
            }
        }
    }
}
