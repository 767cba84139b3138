//! A message and the events that it holds: they stay together over all attempts.

use super::ids::EntryId;
use super::outcome::{DeliveryResult, Failure, Outcome};
use super::retry::RetryState;
use super::target::Role;
use super::timestamps::Timestamps;
use super::unconfirmed::UnconfirmedMessage;
use std::sync::Arc;
use std::time::Instant;

/// A message on its way to a chatbot.
pub(super) struct Batch {
    /// Its events, at least one, the oldest first.
    pub(super) entries: Vec<EntryId>,
    /// The idempotency key, the same in every attempt.
    pub(super) uuid: String,
    /// The request body as it was sent. `None` where it is to be encoded within `max_bytes`.
    pub(super) body: Option<Arc<Vec<u8>>>,
    pub(super) max_bytes: usize,
    pub(super) state: BatchState,
    /// Which of the route's chatbots it goes to, once its turn has come.
    pub(super) role: Role,
    /// Which of the chatbot's secrets signs it.
    pub(super) secret: usize,
    /// The next attempt does not trust an old connection, because the last one may have failed on
    /// it.
    pub(super) new_connection: bool,
    pub(super) retry: RetryState,
    /// It may have been shown: an attempt had no clear response.
    pub(super) unconfirmed: bool,
    /// What is known so far.
    pub(super) outcome: Outcome,
    /// Why it does not go to the primary chatbot, for the case that the fallback fails too.
    pub(super) primary_outcome: Option<Outcome>,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchState {
    /// Its turn has not come; which chatbot it goes to is decided then.
    Queued,
    /// Its next attempt may be made from this moment on, by any invocation of its route.
    Waiting { not_before: Instant },
    /// An invocation makes an attempt.
    InFlight,
}

impl Batch {
    pub(super) fn new(uuid: String, entries: Vec<EntryId>, max_bytes: usize) -> Batch {
        Batch {
            outcome: Outcome::pending(uuid.clone(), entries.len()),
            entries,
            uuid,
            body: None,
            max_bytes,
            state: BatchState::Queued,
            role: Role::Primary,
            secret: 0,
            new_connection: false,
            retry: RetryState::default(),
            unconfirmed: false,
            primary_outcome: None,
        }
    }

    /// The batch that sends an unconfirmed message again.
    pub(super) fn resend(message: UnconfirmedMessage, entries: Vec<EntryId>) -> Batch {
        Batch {
            body: message.body,
            new_connection: true,
            unconfirmed: true,
            ..Batch::new(message.uuid, entries, message.max_bytes)
        }
    }

    /// The batch's turn has come: from now on it goes to this chatbot.
    pub(super) fn start(&mut self, role: Role, secret: usize, now: Timestamps) {
        self.role = role;
        self.secret = secret;
        self.retry_at(now.monotonic);
    }

    pub(super) fn retry_at(&mut self, not_before: Instant) {
        self.state = BatchState::Waiting { not_before };
    }

    /// The primary chatbot does not take the message: from now on it goes to the fallback.
    pub(super) fn move_to_fallback(&mut self, failure: Failure, secret: usize, now: Timestamps) {
        let fresh = Outcome {
            attempts: self.outcome.attempts,
            ..Outcome::pending(self.uuid.clone(), self.entries.len())
        };
        let mut primary = std::mem::replace(&mut self.outcome, fresh);
        primary.result = DeliveryResult::Failed(failure);
        self.primary_outcome = Some(primary);
        self.retry = RetryState::default();
        self.new_connection = false;
        self.start(Role::Fallback, secret, now);
    }

    /// The outcome of all its events, now that the result is known.
    pub(super) fn settled(&self, result: DeliveryResult) -> Outcome {
        let outcome = Outcome {
            result,
            ..self.outcome.clone()
        };
        match (&self.primary_outcome, result) {
            (_, DeliveryResult::Delivered) => Outcome {
                remedy: None,
                ..outcome
            },
            (Some(primary), _) => outcome.with_primary(primary.clone()),
            (None, _) => outcome,
        }
    }
}
