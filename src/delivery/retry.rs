//! One message at one chatbot: what follows from each answer.

use crate::channel::{Attempt, Class, Recovery};
use std::time::Duration;

/// Waits before the retries of an unclear attempt: DingTalk asks for no more than three.
const RETRY_AFTER: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// What may still be tried.
#[derive(Debug, Default, Clone)]
pub(super) struct Progress {
    retries: usize,
    reconnected: bool,
    rotated: bool,
    signed_afresh: bool,
    shortened: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is in the group.
    Delivered,
    /// Once more, after this wait, on a fresh connection.
    Again(Duration),
    /// Once more, with the other secret.
    OtherSecret,
    /// Once more, shortened.
    Shorter,
    /// The chatbot is closed for this long.
    Throttled(Duration),
    /// It will not be taken.
    Refused,
    /// There is no clear answer to be had.
    Unreachable,
}

impl Progress {
    /// What follows from `attempt` at a chatbot with so many secrets.
    pub(super) fn after(&mut self, attempt: &Attempt, secrets: usize) -> Step {
        match attempt.class {
            Class::Delivered => Step::Delivered,
            // Cut short by the deadline of the invocation that made it, which leaves; it says nothing
            // of the chatbot, and does not count.
            Class::NotSent | Class::Unclear if attempt.by_deadline => Step::Again(Duration::ZERO),
            Class::NotSent if once(&mut self.reconnected) => Step::Again(Duration::ZERO),
            Class::NotSent => Step::Unreachable,
            Class::Unclear => match RETRY_AFTER.get(self.retries) {
                Some(wait) => {
                    self.retries += 1;
                    Step::Again(*wait)
                }
                None => Step::Unreachable,
            },
            Class::Throttled { retry_after, .. } => Step::Throttled(retry_after),
            Class::Refused(Recovery::NextSecret) if secrets > 1 && once(&mut self.rotated) => {
                Step::OtherSecret
            }
            Class::Refused(Recovery::SignAgain) if once(&mut self.signed_afresh) => {
                Step::Again(Duration::ZERO)
            }
            Class::Refused(Recovery::Shorten) if once(&mut self.shortened) => Step::Shorter,
            Class::Refused(_) => Step::Refused,
        }
    }
}

/// True the first time only.
fn once(used: &mut bool) -> bool {
    !std::mem::replace(used, true)
}
