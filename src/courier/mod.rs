//! When and how often to send: retries inside the deadline, secrets in rotation, the fallback
//! chatbot, and chatbots that are closed because DingTalk throttled them.

mod gate;
mod send;

use crate::clock::Clock;
use crate::config::Route;
use crate::dingtalk::Client;
use crate::event::Event;
use crate::message::{self, Message};
use gate::Gates;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why an event was not delivered. The order is the order in which a failed invocation is named
/// after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The chatbot said no, and will say it again.
    Refused,
    /// The chatbot is closed for a time.
    Throttled,
    /// No answer, or none that says anything.
    Unreachable,
    /// The invocation's time was over first.
    Deadline,
}

impl Failure {
    /// The `errorType` of a failed invocation.
    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Refused => "Refused",
            Failure::Throttled => "Throttled",
            Failure::Unreachable => "Unreachable",
            Failure::Deadline => "Deadline",
        }
    }
}

/// What became of one event at one route.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `None` where DingTalk said `errcode` 0.
    pub failure: Option<Failure>,
    /// The class of the last answer, as in the log; `None` where no request was made.
    pub class: Option<&'static str>,
    /// The last `errcode`, where there was one.
    pub errcode: Option<i64>,
    /// Requests made for it.
    pub attempts: u32,
    /// What to do about a failure, and what was said.
    pub remedy: Option<String>,
    /// The idempotency key of the message that holds the event.
    pub message_uuid: String,
    /// From taking the event to knowing its outcome.
    pub duration: Duration,
}

/// Delivers events to the chatbots of routes. One for the life of the instance.
pub struct Courier {
    client: Client,
    clock: Arc<dyn Clock>,
    gates: Gates,
}

impl Courier {
    /// A courier with nothing to remember yet.
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Courier {
        Courier {
            client,
            gates: Gates::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Delivers `events`, one message each, and tells what became of each, in the same order.
    /// Returns before `deadline`.
    pub fn deliver(&self, route: &Route, events: &[&Event], deadline: Instant) -> Vec<Delivery> {
        events
            .iter()
            .map(|event| self.deliver_one(route, event, deadline))
            .collect()
    }

    fn deliver_one(&self, route: &Route, event: &Event, deadline: Instant) -> Delivery {
        let begun = self.clock.now();
        let now = timestamp(self.clock.wall());
        let draft = |budget| message::render(event, &route.style, now, budget);
        let message_uuid = message_uuid(&route.name, [event.identity().as_str()]);
        let sent = self.send(route, &draft, &message_uuid, deadline);
        Delivery {
            failure: sent.failure,
            class: sent.class,
            errcode: sent.errcode,
            attempts: sent.attempts,
            remedy: sent.remedy,
            message_uuid,
            duration: self.clock.now().saturating_duration_since(begun),
        }
    }
}

/// Makes a message within a number of bytes.
type Draft<'a> = dyn Fn(usize) -> Message + 'a;

/// The idempotency key of a message: the same for the same events on the same route, on every
/// instance and at every repeat. The route counts, because two routes may word the same events
/// differently for one chatbot, and the second must not be taken for a repeat of the first.
fn message_uuid<'a>(route: &str, identities: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    hash.update(route);
    for identity in identities {
        hash.update(b"\n");
        hash.update(identity);
    }
    let hex: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32),
    ]
    .join("-")
}

/// A wall-clock time as messages and logs take it; the beginning of 1970 for one out of all range.
pub(crate) fn timestamp(wall: std::time::SystemTime) -> Timestamp {
    Timestamp::try_from(wall).unwrap_or(Timestamp::UNIX_EPOCH)
}
