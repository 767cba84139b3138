//! When and how often to send: pace, combining, memory, retries inside the deadline, secrets in
//! rotation, the fallback chatbot, and chatbots that are closed because DingTalk throttled them.
//!
//! What is decided is decided in `desk`, which is a plain state machine; this module brings the
//! threads of invocations to it, lets them wait, and makes the attempts that it hands out.

mod dedup;
mod endpoint;
mod queue;
mod rate_limit;
mod remedies;
mod retry;
mod scheduler;
#[cfg(test)]
mod tests;
mod unconfirmed;

use crate::channel::dingtalk::{DingTalk, Endpoint, markdown};
use crate::channel::{Attempt, Channel, Class, Phase, SendOptions};
use crate::clock::Clock;
use crate::event::{Event, hex};
use crate::http;
use crate::message;
use crate::route::Route;
use jiff::Timestamp;
use queue::Ticket;
use scheduler::{Admission, Desk, Job, Turn};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Why an event was not delivered. The order is the order in which a failed invocation is named
/// after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The chatbot said no, and will say it again.
    Refused,
    /// The chatbot is closed for a time, or its messages a minute are used up.
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
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// `None` where DingTalk said `errcode` 0, or had said it before.
    pub failure: Option<Failure>,
    /// The route was given this event before; nothing was sent.
    pub duplicate: bool,
    /// The class of the last answer, as in the log; `None` where no request was made.
    pub class: Option<&'static str>,
    /// The last `errcode`, where there was one.
    pub errcode: Option<i64>,
    /// Requests made for the message that holds the event.
    pub attempts: u32,
    /// What to do about a failure, and what was said.
    pub remedy: Option<String>,
    /// The idempotency key of that message.
    pub message_uuid: Option<String>,
    /// How many events that message holds.
    pub combined: usize,
    /// From taking the event to knowing its outcome.
    pub duration: Duration,
}

/// Makes one attempt to hand a message to a chatbot.
pub trait Transport: Send + Sync {
    /// Sends `body` once, before `deadline`, and returns the outcome.
    fn attempt(
        &self,
        endpoint: &Endpoint,
        body: &[u8],
        options: SendOptions,
        deadline: Instant,
    ) -> Attempt;
}

/// Sends over the network.
pub struct HttpTransport {
    pub http: Arc<http::Client>,
    pub clock: Arc<dyn Clock>,
}

impl Transport for HttpTransport {
    fn attempt(
        &self,
        endpoint: &Endpoint,
        body: &[u8],
        options: SendOptions,
        deadline: Instant,
    ) -> Attempt {
        let (http, clock) = (Arc::clone(&self.http), Arc::clone(&self.clock));
        DingTalk::new(endpoint.clone(), http, clock).send(body, options, deadline)
    }
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Monotonic; may stand still while the instance is frozen.
    mono: Instant,
    /// Wall clock; may be set.
    wall: SystemTime,
}

impl Now {
    fn plus(self, time: Duration) -> Now {
        Now {
            mono: self.mono + time,
            wall: self.wall + time,
        }
    }

    /// How long it took since `then`: no matter of the wall clock, which may be set meanwhile.
    fn elapsed_since(self, then: Now) -> Duration {
        self.mono.saturating_duration_since(then.mono)
    }

    /// How long ago `then` was, by whichever clock says more.
    fn since(self, then: Now) -> Duration {
        let wall = self.wall.duration_since(then.wall).unwrap_or_default();
        self.mono.saturating_duration_since(then.mono).max(wall)
    }
}

/// Delivers events to the chatbots of routes. One for the life of the instance.
pub struct Dispatcher {
    transport: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    routes: Vec<Route>,
    desk: Mutex<Desk>,
    changed: Condvar,
}

impl Dispatcher {
    /// A dispatcher for these routes, with nothing to remember yet.
    pub fn new(
        routes: &[Route],
        transport: impl Transport + 'static,
        clock: Arc<dyn Clock>,
    ) -> Dispatcher {
        Dispatcher {
            transport: Box::new(transport),
            clock,
            routes: routes.to_vec(),
            desk: Mutex::new(Desk::new(routes)),
            changed: Condvar::new(),
        }
    }

    /// Delivers `events` to the route of this number and tells what became of each, in the same
    /// order. Blocks until all are settled, or until there is no time left before `deadline`.
    pub fn deliver(&self, route: usize, events: &[Arc<Event>], deadline: Instant) -> Vec<Delivery> {
        let begun = self.now();
        let identities: Vec<Arc<str>> = events
            .iter()
            .map(|event| Arc::from(event.dedup_key()))
            .collect();
        let mut desk = self.lock();
        let mut outcomes: Vec<Result<Delivery, Ticket>> = identities
            .iter()
            .zip(events)
            .map(
                |(identity, event)| match desk.admit(route, identity, event, begun) {
                    Admission::Waits(ticket) => Err(ticket),
                    Admission::Duplicate => Ok(Delivery {
                        duplicate: true,
                        ..Delivery::default()
                    }),
                },
            )
            .collect();
        drop(identities);
        let collect = |desk: &mut Desk, ticket| {
            let (settled, since) = desk.collect(route, ticket)?;
            Some(Delivery {
                duration: since.elapsed_since(begun),
                ..settled
            })
        };
        // Events are settled about in the order in which they came: looking at the first that is not, and no further, at
        // each turn, makes a long line as cheap per event as a short one.
        let mut first = 0;
        loop {
            while let Some(outcome) = outcomes.get_mut(first) {
                if let Err(ticket) = outcome {
                    match collect(&mut desk, *ticket) {
                        Some(settled) => *outcome = Ok(settled),
                        None => break,
                    }
                }
                first += 1;
            }
            if first == outcomes.len() {
                break;
            }
            let now = self.now();
            let turn = if now.mono >= deadline {
                Turn::Leave(Failure::Deadline)
            } else {
                desk.next(route, now, deadline)
            };
            match turn {
                Turn::Attempt(job) => {
                    drop(desk);
                    self.attempt(job, deadline);
                    desk = self.lock();
                }
                Turn::WaitUntil(at) => {
                    desk = self.wait(desk, self.clock.sleep_duration_until(at.min(deadline)))
                }
                Turn::Wait => desk = self.wait(desk, deadline.saturating_duration_since(now.mono)),
                Turn::Look => self.changed.notify_all(),
                Turn::Leave(why) => {
                    for outcome in &mut outcomes {
                        if let Err(ticket) = outcome {
                            let settled = collect(&mut desk, *ticket);
                            *outcome = Ok(settled.unwrap_or_else(|| Delivery {
                                duration: now.elapsed_since(begun),
                                ..desk.leave(route, *ticket, why)
                            }));
                        }
                    }
                    desk.left(route, now);
                    // A chatbot or a message may have become free for others.
                    self.changed.notify_all();
                }
            }
        }
        outcomes.into_iter().filter_map(Result::ok).collect()
    }

    /// Makes an attempt and records it, whatever happens meanwhile.
    fn attempt(&self, job: Job, deadline: Instant) {
        let mut pending = Pending {
            dispatcher: self,
            body: Arc::default(),
            attempt: lost(),
            job,
        };
        let job = &pending.job;
        let Some(route) = self.routes.get(job.route) else {
            return;
        };
        let Some(robot) = route.robot_at(job.at_fallback) else {
            return;
        };
        let body = job.body.clone().unwrap_or_else(|| {
            let events: Vec<&Event> = job.events.iter().map(AsRef::as_ref).collect();
            let now = timestamp(self.clock.wall());
            let keyword = robot.keyword.as_deref();
            let body = message::encode_within(
                &events,
                &route.render_options,
                now,
                job.budget,
                |message| markdown::encode(message, keyword, &job.uuid),
            );
            Arc::new(body)
        });
        let options = SendOptions {
            secret: job.secret,
            new_connection: job.fresh,
        };
        let attempt = self.transport.attempt(robot, &body, options, deadline);
        pending.body = body;
        pending.attempt = attempt;
    }

    fn now(&self) -> Now {
        Now {
            mono: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        // The desk is valid between calls, and no call unwinds halfway: what a panicking holder left is whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, desk: MutexGuard<'a, Desk>, time: Duration) -> MutexGuard<'a, Desk> {
        self.changed
            .wait_timeout(desk, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// An attempt under way. It is recorded when this is dropped, so that a panic in between leaves no
/// chatbot busy for ever and no event waiting for nobody.
struct Pending<'a> {
    dispatcher: &'a Dispatcher,
    job: Job,
    body: Arc<Vec<u8>>,
    attempt: Attempt,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let now = self.dispatcher.now();
        let body = std::mem::take(&mut self.body);
        self.dispatcher
            .lock()
            .record(&self.job, body, &self.attempt, now);
        self.dispatcher.changed.notify_all();
    }
}

/// What an attempt counts as that never came back.
fn lost() -> Attempt {
    Attempt {
        class: Class::Unclear,
        errcode: None,
        phase: Phase::Send,
        detail: "the attempt was broken off".into(),
        remedy: None,
        by_deadline: false,
    }
}

impl Route {
    /// The route's chatbot, or its fallback.
    fn robot_at(&self, fallback: bool) -> Option<&Endpoint> {
        if fallback {
            self.fallback.as_ref()
        } else {
            Some(&self.endpoint)
        }
    }
}

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
    let hex = hex(hash.finalize().into_iter().take(16));
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
pub(crate) fn timestamp(wall: SystemTime) -> Timestamp {
    Timestamp::try_from(wall).unwrap_or(Timestamp::UNIX_EPOCH)
}
