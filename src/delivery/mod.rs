//! When and how often to send, for any [`Channel`](crate::channel::Channel): rate, combining,
//! deduplication, retries within the deadline, secrets in rotation, the fallback chatbot, and bans.
//!
//! The decisions are made in `scheduler`, which is a plain state machine. This module brings the
//! threads of invocations to it, lets them wait, and makes the requests that it hands out.

mod batch;
mod dedup;
mod endpoint;
mod keys;
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

use crate::channel::{Attempt, Class, Phase, Probe};
use crate::clock::{self, Clock};
use crate::event::Event;
use crate::message::{self, Message};
use keys::EventKey;
use scheduler::{Action, PendingEvent, Scheduler, SendRequest};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use timestamps::Timestamps;

/// Delivers events to the chatbots of routes. Make one and keep it for the life of the instance: it
/// knows what was delivered, and what its chatbots allow.
pub struct Dispatcher {
    clock: Arc<dyn Clock>,
    scheduler: Mutex<Scheduler>,
    /// Something was settled, or a chatbot or a batch has become free, or nobody is to wait longer.
    changed: Condvar,
    is_stopped: AtomicBool,
}

impl Dispatcher {
    /// Makes a dispatcher for these targets; routes are numbered in their order.
    pub fn new(targets: Vec<Target>, clock: Arc<dyn Clock>) -> Dispatcher {
        Dispatcher {
            clock,
            scheduler: Mutex::new(Scheduler::new(targets)),
            changed: Condvar::new(),
            is_stopped: AtomicBool::new(false),
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
        let key = |event: &Arc<Event>| EventKey(event.dedup_key());
        let keys: Vec<EventKey> = events.iter().map(key).collect();
        let mut scheduler = self.lock();
        let enqueue = |(event, key)| scheduler.enqueue(route, key, event, begun);
        let pending: Vec<PendingEvent> = events.iter().zip(keys).map(enqueue).collect();
        while pending.iter().any(|event| event.settled.get().is_none()) {
            let now = self.now();
            let is_over = now.monotonic >= deadline || self.is_stopped();
            let action = if is_over {
                Action::GiveUp(Failure::Deadline)
            } else {
                scheduler.next(route, now, deadline)
            };
            scheduler = match action {
                Action::Send(request) => {
                    // Other invocations go on meanwhile: they enqueue events and leave.
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
                    // A chatbot or a batch may become free for other invocations.
                    self.changed.notify_all();
                    return scheduler.cancel(route, &pending, failure, now);
                }
            };
        }
        let outcome = |event: &PendingEvent| event.outcome().expect("all events are settled");
        pending.iter().map(outcome).collect()
    }

    /// Lets no delivery wait any longer. A request in flight is finished, and its outcome known; what
    /// was not sent fails as if its deadline were over.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        // Whoever looked before and is about to wait holds the lock.
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Returns true once [`stop`](Dispatcher::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Connects to the server of a route's chatbot, without a message: [`Channel::probe`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If there is no such route.
    ///
    /// [`Channel::probe`]: crate::channel::Channel::probe
    pub fn probe(&self, route: usize, deadline: Instant) -> Result<Probe, String> {
        let target = self.lock().target(route);
        target.channel.probe(deadline)
    }

    /// Makes a request and records what it came to.
    fn send(&self, request: SendRequest, deadline: Instant) {
        let mut in_flight = InFlight {
            dispatcher: self,
            attempt: aborted(),
            request,
        };
        let request = &mut in_flight.request;
        let (target, message) = (&request.target, &mut request.message);
        let channel = target.channel(request.role);
        let body = message.body.get_or_insert_with(|| {
            let events: Vec<&Event> = message.events.iter().map(|(_, event)| &**event).collect();
            let (_, body) = message::encode_within(
                &events,
                &target.options,
                clock::to_timestamp(self.clock.wall()),
                message.max_size,
                |content: &Message| message.form.encode(channel, content, &message.uuid),
            );
            Arc::new(body)
        });
        in_flight.attempt = channel.send(&body.bytes, request.options, deadline);
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

/// A request under way. It is recorded when this is dropped, during unwinding too: a panic leaves
/// no chatbot busy for ever, and no event waiting for ever.
struct InFlight<'a> {
    dispatcher: &'a Dispatcher,
    request: SendRequest,
    attempt: Attempt,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let now = self.dispatcher.now();
        let mut scheduler = self.dispatcher.lock();
        scheduler.record(&self.request, &self.attempt, now);
        drop(scheduler);
        self.dispatcher.changed.notify_all();
    }
}

/// A request that was broken off by a panic: it may have been sent.
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
