//! A message and the events that it holds: they stay together over all attempts.

use super::keys::EventKey;
use super::outcome::{DeliveryResult, Failure, Outcome};
use super::retry::RetryState;
use super::target::Role;
use super::timestamps::Timestamps;
use crate::channel::{Body, Channel, EncodeOptions};
use crate::event::Event;
use crate::message::{Mentions, Message};
use std::sync::Arc;
use std::time::Instant;

/// What is sent: the same in every attempt, unless the message has to be shortened.
#[derive(Clone)]
pub(super) struct OutgoingMessage {
    /// At least one, the oldest first.
    pub(super) events: Vec<(EventKey, Arc<Event>)>,
    /// The idempotency key.
    pub(super) uuid: String,
    /// The request body as it was sent. `None` where it is to be encoded within `max_size`.
    pub(super) body: Option<Arc<Body>>,
    pub(super) max_size: usize,
    pub(super) form: Form,
}

/// How a message differs from the usual, because of what happened to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// It may have been shown, and the chat would not notice the repeat.
    pub(super) is_repeat: bool,
    /// The chat refused its mentions.
    pub(super) without_mentions: bool,
    /// The chat refused its usual form.
    pub(super) is_plain: bool,
}

impl Form {
    /// Encodes the message in this form.
    pub(super) fn encode(self, channel: &dyn Channel, message: &Message, key: &str) -> Body {
        let options = EncodeOptions {
            key,
            is_plain: self.is_plain,
        };
        if !self.is_repeat && !self.without_mentions {
            return channel.encode(message, &options);
        }
        let mut message = message.clone();
        if self.is_repeat {
            message.mark_as_repeat();
        }
        if self.without_mentions {
            message.mentions = Mentions::default();
        }
        channel.encode(&message, &options)
    }
}

impl OutgoingMessage {
    fn pending(&self) -> Outcome {
        Outcome::pending(self.uuid.clone(), self.events.len())
    }

    pub(super) fn contains(&self, event: EventKey) -> bool {
        self.events.iter().any(|(key, _)| *key == event)
    }
}

/// A message on its way to a chatbot.
pub(super) struct Batch {
    pub(super) message: OutgoingMessage,
    pub(super) state: BatchState,
    /// Which of the route's chatbots it goes to.
    pub(super) role: Role,
    /// The secret that signs the next attempt, after a refusal. `None`: the one that the chatbot
    /// accepted last.
    pub(super) next_secret: Option<usize>,
    /// The next attempt does not trust an old connection, because the last one may have failed on
    /// it.
    pub(super) new_connection: bool,
    pub(super) retry: RetryState,
    /// It may have been shown: an attempt had no clear response.
    pub(super) unconfirmed: bool,
    /// What was left out of the message, and why.
    pub(super) left_out: Option<String>,
    /// What is known so far. An invocation that has to leave reports this.
    pub(super) outcome: Outcome,
    /// Why it does not go to the primary chatbot, for the case that the fallback fails too.
    pub(super) primary_outcome: Option<Outcome>,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchState {
    /// Its turn has not come. It may still start at the fallback.
    Queued,
    /// Its next attempt may be made from this moment on, by any invocation of its route.
    Waiting { not_before: Instant },
    /// An invocation makes an attempt.
    InFlight,
}

impl Batch {
    pub(super) fn new(message: OutgoingMessage) -> Batch {
        Batch {
            outcome: message.pending(),
            message,
            state: BatchState::Queued,
            role: Role::Primary,
            next_secret: None,
            new_connection: false,
            retry: RetryState::default(),
            unconfirmed: false,
            left_out: None,
            primary_outcome: None,
        }
    }

    pub(super) fn is_ready(&self, now: Timestamps) -> bool {
        match self.state {
            BatchState::Queued => true,
            BatchState::Waiting { not_before } => not_before <= now.monotonic,
            BatchState::InFlight => false,
        }
    }

    /// From the next attempt on, the message is encoded otherwise.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Form)) {
        change(&mut self.message.form);
        self.message.body = None;
    }

    pub(super) fn retry_at(&mut self, not_before: Instant) {
        self.state = BatchState::Waiting { not_before };
    }

    /// The primary chatbot does not take the message: from now on it goes to the fallback.
    pub(super) fn move_to_fallback(&mut self, failure: Failure, now: Timestamps) {
        let fresh = Outcome {
            attempts: self.outcome.attempts,
            ..self.message.pending()
        };
        let primary = std::mem::replace(&mut self.outcome, fresh);
        self.primary_outcome = Some(Outcome {
            result: DeliveryResult::Failed(failure),
            ..primary
        });
        self.role = Role::Fallback;
        self.next_secret = None;
        self.new_connection = false;
        self.retry = RetryState::default();
        self.retry_at(now.monotonic);
    }
}
