//! One invocation: payload → events → routes → delivery → report.

use crate::clock::{self, Clock};
use crate::delivery::{Dispatcher, Outcome};
use crate::event::{self, Event};
use crate::log::Log;
use crate::report::{Report, RouteOutcome};
use crate::route::{self, Decision, Route};
use fc_runtime::{Context, Failure};
use serde_json::Value;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long an invocation waits for its log lines to be written: as long as its deadline allows, within
/// these bounds.
const LOG_WAIT: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Delivers the events of payloads to the groups whose routes accept them.
pub struct Notifier {
    routes: Vec<Route>,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    log: Log,
}

impl Notifier {
    /// A notifier for these routes. `dispatcher` has one target for each of them, in the same order.
    pub fn new(
        routes: Vec<Route>,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> Notifier {
        Notifier {
            routes,
            dispatcher,
            clock,
            log,
        }
    }

    /// The routes that it serves.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Delivers every event of `payload` to every route that accepts it, and returns the answer.
    ///
    /// # Errors
    ///
    /// If one event was not delivered to one route, or one part of the payload is no event. All that
    /// can be delivered is delivered first. The failure holds the outcome of every event.
    pub fn handle(&self, payload: &[u8], context: &Context) -> Result<Value, Failure> {
        self.process(payload, context).into_result()
    }

    /// As [`handle`](Notifier::handle), with the outcome as a value.
    pub fn process(&self, payload: &[u8], context: &Context) -> Report<'_> {
        let parsed = event::parse(payload);
        let decisions: Vec<Vec<Decision>> = self
            .routes
            .iter()
            .map(|route| {
                let decide = |event: &Arc<Event>| route::decide(&route.filter, event);
                parsed.events.iter().map(decide).collect()
            })
            .collect();
        let accepted: Vec<Vec<Arc<Event>>> = decisions
            .iter()
            .map(|decisions| {
                let pairs = parsed.events.iter().zip(decisions);
                let accepted = pairs.filter(|(_, decision)| decision.send);
                accepted.map(|(event, _)| Arc::clone(event)).collect()
            })
            .collect();
        let delivered = self.deliver(&accepted, context);
        let outcomes = decisions.into_iter().zip(delivered);
        let outcomes =
            outcomes.map(|(decisions, delivered)| RouteOutcome::join(decisions, delivered));
        let report = Report::new(&self.routes, parsed, outcomes.collect());

        let [least, most] = LOG_WAIT;
        let within = context.remaining(self.clock.now()).clamp(least, most);
        let time = clock::to_timestamp(self.clock.wall());
        report.log(&self.log, time, &context.request_id, within);
        report
    }

    /// Delivers to each route what it accepted. Routes do not wait for each other: one whose chatbot
    /// never answers would use up the time of the rest.
    fn deliver(&self, accepted: &[Vec<Arc<Event>>], context: &Context) -> Vec<Vec<Outcome>> {
        let deliver = |route: usize| {
            let events = &accepted[route];
            self.dispatcher.deliver(route, events, context.deadline)
        };
        let mut outcomes: Vec<Vec<Outcome>> = accepted.iter().map(|_| Vec::new()).collect();
        let busy: Vec<usize> = (0..accepted.len())
            .filter(|route| !accepted[*route].is_empty())
            .collect();
        // The last one needs no thread of its own.
        let Some((last, others)) = busy.split_last() else {
            return outcomes;
        };
        thread::scope(|scope| {
            let spawn = |route: usize| {
                let thread = thread::Builder::new().spawn_scoped(scope, move || deliver(route));
                (route, thread)
            };
            let threads: Vec<_> = others.iter().map(|route| spawn(*route)).collect();
            outcomes[*last] = deliver(*last);
            for (route, thread) in threads {
                outcomes[route] = match thread {
                    Ok(thread) => thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    // The platform gives no more threads: the routes are served one after the other.
                    Err(_) => deliver(route),
                };
            }
        });
        outcomes
    }
}
