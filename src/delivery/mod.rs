//! When and how often to send, for any [`Channel`](crate::channel::Channel): rate, combining,
//! deduplication, retries within the deadline, secrets in rotation, the fallback chatbot, and bans.
//!
//! The decisions are made in `scheduler`, which is a plain state machine. This module brings the
//! threads of invocations to it, lets them wait, and makes the requests that it hands out.

mod batch;
mod dedup;
mod endpoint;
mod ids;
mod outcome;
mod queue;
mod rate_limit;
mod remedies;
mod retry;
mod scheduler;
mod target;
#[cfg(test)]
mod tests;
mod timestamps;
mod unconfirmed;

pub use outcome::{DeliveryResult, Failure, Outcome};
pub use target::Target;

use crate::channel::{Attempt, Class, Phase};
use crate::clock::{self, Clock};
use crate::event::Event;
use crate::message;
use ids::{EventKey, RouteId};
use scheduler::{Action, Enqueued, Scheduler, SendRequest};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use timestamps::Timestamps;

/// Delivers events to the chatbots of routes. Make one and keep it for the life of the instance: it
/// knows what was delivered, and what its chatbots allow.
pub struct Dispatcher {
    clock: Arc<dyn Clock>,
    scheduler: Mutex<Scheduler>,
    /// Something was settled, or a chatbot or a batch has become free.
    changed: Condvar,
}

impl Dispatcher {
    /// Makes a dispatcher for these targets; routes are numbered in their order.
    pub fn new(targets: Vec<Target>, clock: Arc<dyn Clock>) -> Dispatcher {
        Dispatcher {
            clock,
            scheduler: Mutex::new(Scheduler::new(targets)),
            changed: Condvar::new(),
        }
    }

    /// Delivers `events` to the route of this number and returns the outcome of each, in the same
    /// order. Blocks until all are settled, or until no time is left before `deadline`.
    ///
    /// # Panics
    /// If there is no such route.
    pub fn deliver(&self, route: usize, events: &[Arc<Event>], deadline: Instant) -> Vec<Outcome> {
        let begun = self.now();
        // Hash the events before taking the lock.
        let keys: Vec<EventKey> = events.iter().map(|event| EventKey::of(event)).collect();
        let mut scheduler = self.lock();
        let mut call = Call {
            route: RouteId(route),
            begun,
            pending: VecDeque::with_capacity(events.len()),
            outcomes: Vec::with_capacity(events.len()),
        };
        for (key, event) in keys.into_iter().zip(events) {
            let enqueued = scheduler.enqueue(call.route, key, event, begun);
            call.pending.push_back(enqueued);
        }
        while !call.collect(&mut scheduler) {
            let now = self.now();
            let action = if now.monotonic >= deadline {
                Action::GiveUp(Failure::Deadline)
            } else {
                scheduler.next(call.route, now, deadline)
            };
            scheduler = match action {
                Action::Send(request) => {
                    // Other invocations go on meanwhile: they enqueue, collect and leave.
                    drop(scheduler);
                    self.send(request, deadline);
                    self.lock()
                }
                Action::WaitUntil(at) => {
                    let time = self.clock.sleep_duration_until(at.min(deadline));
                    self.wait(scheduler, time)
                }
                // Another invocation has to act first, and wakes this one.
                Action::Wait => self.wait(scheduler, deadline - now.monotonic),
                Action::Recheck => {
                    self.changed.notify_all();
                    scheduler
                }
                Action::GiveUp(failure) => {
                    call.cancel(&mut scheduler, failure, now);
                    // A chatbot or a batch may have become free for other invocations.
                    self.changed.notify_all();
                    scheduler
                }
            };
        }
        call.outcomes
    }

    /// Makes a request and records what it came to.
    fn send(&self, request: SendRequest, deadline: Instant) {
        let mut in_flight = InFlight {
            dispatcher: self,
            body: request.body.clone(),
            attempt: aborted(),
            request,
        };
        let request = &in_flight.request;
        let body = match &in_flight.body {
            Some(body) => Arc::clone(body),
            None => Arc::new(self.encode(request)),
        };
        in_flight.body = Some(Arc::clone(&body));
        in_flight.attempt = request.channel().send(&body, request.options, deadline);
    }

    fn encode(&self, request: &SendRequest) -> Vec<u8> {
        let events: Vec<&Event> = request.events.iter().map(AsRef::as_ref).collect();
        let (_, body) = message::encode_within(
            &events,
            &request.target.options,
            clock::to_timestamp(self.clock.wall()),
            request.max_bytes,
            |message| request.channel().encode(message, &request.uuid),
        );
        body
    }

    fn now(&self) -> Timestamps {
        Timestamps {
            monotonic: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Scheduler> {
        // A panic fails its own invocation. The others go on.
        self.scheduler
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        scheduler: MutexGuard<'a, Scheduler>,
        time: Duration,
    ) -> MutexGuard<'a, Scheduler> {
        self.changed
            .wait_timeout(scheduler, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// The events of one call of [`Dispatcher::deliver`].
struct Call {
    route: RouteId,
    begun: Timestamps,
    /// What has no outcome yet, in the order of the events.
    pending: VecDeque<Enqueued>,
    /// The outcomes of the events before.
    outcomes: Vec<Outcome>,
}

impl Call {
    /// Collects outcomes up to the first event that is not settled; returns true if all are.
    ///
    /// Events are settled about in the order in which they came. Looking no further than the first
    /// that is not keeps a turn cheap, however many events wait.
    fn collect(&mut self, scheduler: &mut Scheduler) -> bool {
        while let Some(first) = self.pending.front() {
            let outcome = match *first {
                Enqueued::Duplicate => Outcome::without_message(DeliveryResult::Duplicate),
                Enqueued::Waiting(id) => match scheduler.collect(self.route, id, self.begun) {
                    Some(outcome) => outcome,
                    None => return false,
                },
            };
            self.outcomes.push(outcome);
            self.pending.pop_front();
        }
        true
    }

    /// Takes back every event that is not settled, and collects the others.
    fn cancel(&mut self, scheduler: &mut Scheduler, failure: Failure, now: Timestamps) {
        while !self.collect(scheduler) {
            let Some(Enqueued::Waiting(id)) = self.pending.pop_front() else {
                unreachable!("only an event that waits is not collected");
            };
            let outcome = scheduler.cancel(self.route, id, failure);
            self.outcomes.push(Outcome {
                duration: now.elapsed_since(self.begun),
                ..outcome
            });
        }
        scheduler.after_cancel(self.route, now);
    }
}

/// A request under way. It is recorded when this is dropped, during unwinding too: a panic leaves
/// no chatbot busy for ever, and no event waiting for ever.
struct InFlight<'a> {
    dispatcher: &'a Dispatcher,
    request: SendRequest,
    body: Option<Arc<Vec<u8>>>,
    attempt: Attempt,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let now = self.dispatcher.now();
        let body = self.body.take();
        let mut scheduler = self.dispatcher.lock();
        scheduler.record(&self.request, body, &self.attempt, now);
        drop(scheduler);
        self.dispatcher.changed.notify_all();
    }
}

/// What a request counts as that was broken off by a panic: it may have been sent.
fn aborted() -> Attempt {
    Attempt {
        class: Class::Unclear,
        errcode: None,
        phase: Phase::Send,
        detail: "the attempt was broken off".into(),
        remedy: None,
        by_deadline: false,
    }
}
