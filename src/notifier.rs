//! One invocation: payload → events → routes → delivery → report.
//!
//! - `tick`: where the payload is a timer's, the events are of our own making
//! - `counts`: what the instance has done so far

mod counts;
mod tick;

use crate::aliyun::{Credentials, Source};
use crate::clock::{self, Clock};
use crate::delivery::Dispatcher;
use crate::event::{Event, Parsed};
use crate::inventory::{Asker, Directory};
use crate::log::Log;
use crate::parallel;
use crate::report::{Report, RouteOutcome};
use crate::route::{Decision, Route};
use crate::trigger::{self, Trigger};
use counts::Counts;
use fc_runtime::{Context, Failure};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an invocation waits at least for its log lines to be written, past its deadline too.
const MIN_LOG_WAIT: Duration = Duration::from_millis(250);
/// How long an invocation waits at most for its log lines to be written.
const MAX_LOG_WAIT: Duration = Duration::from_secs(1);

/// Delivers the events of payloads to the groups whose routes accept them.
pub struct Notifier {
    pub routes: Vec<Route>,
    /// Has one target for each route, in the same order.
    pub dispatcher: Dispatcher,
    /// Looks resources up; `None` if nothing is to be looked up.
    pub directory: Option<Directory>,
    /// The regions that are asked for upcoming maintenance. Empty: the function's own.
    pub regions: Vec<String>,
    /// Reads a variable of the environment, which may hold an identity where the invocation brings
    /// none.
    pub environment: fn(&str) -> Option<String>,
    pub clock: Arc<dyn Clock>,
    pub log: Log,
    /// What this instance has done so far.
    pub counts: Counts,
}

impl Notifier {
    /// A notifier that looks nothing up.
    pub fn new(
        routes: Vec<Route>,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> Notifier {
        Notifier {
            routes,
            dispatcher,
            directory: None,
            regions: Vec::new(),
            environment: |_| None,
            counts: Counts::since(clock::to_timestamp(clock.wall())),
            clock,
            log,
        }
    }

    /// Delivers every event of `payload` to every route that accepts it, and returns the answer.
    ///
    /// # Errors
    ///
    /// If one event was not delivered to one route, or one part of the payload is no event. All the
    /// rest is delivered first. The failure holds the outcome of every event.
    pub fn handle(&self, payload: &[u8], context: &Context) -> Result<Value, Failure> {
        self.process(payload, context).into_result()
    }

    /// As [`handle`](Notifier::handle), with the outcome as a value.
    pub(crate) fn process(&self, payload: &[u8], context: &Context) -> Report<'_> {
        match trigger::parse(payload) {
            Trigger::Events(parsed) => self.process_events(parsed, context),
            Trigger::Tick(tick) => {
                let outcome = self.run_tick(tick, context);
                let parsed = Parsed {
                    events: outcome.events,
                    ..Parsed::default()
                };
                let report = Report {
                    problem: outcome.problem,
                    tick_failure: outcome.failure,
                    ..self.report(parsed, context)
                };
                self.log(&report, context);
                report
            }
        }
    }

    /// Delivers events as [`process`](Notifier::process) does.
    pub(crate) fn process_events(&self, mut parsed: Parsed, context: &Context) -> Report<'_> {
        let wanted = |event: &Event| self.may_take(event);
        let problem = self.look_up(&mut parsed.events, context, wanted);
        let report = Report {
            problem,
            ..self.report(parsed, context)
        };
        self.counts.add(&report);
        self.log(&report, context);
        report
    }

    fn log(&self, report: &Report, context: &Context) {
        let left = context.remaining(self.clock.now());
        let within = left.clamp(MIN_LOG_WAIT, MAX_LOG_WAIT);
        let time = clock::to_timestamp(self.clock.wall());
        report.log(&self.log, time, &context.request_id, within);
    }

    /// Delivers the events.
    fn report(&self, parsed: Parsed, context: &Context) -> Report<'_> {
        Report {
            routes: &self.routes,
            outcomes: self.deliver(&parsed.events, context.deadline),
            parsed,
            problem: None,
            tick_failure: None,
        }
    }

    /// Finds out about the resources of the events that are wanted, as far as an identity is there
    /// to ask with. Returns why something was not found out.
    fn look_up(
        &self,
        events: &mut Vec<Arc<Event>>,
        context: &Context,
        wanted: impl Fn(&Event) -> bool,
    ) -> Option<String> {
        let directory = self.directory.as_ref()?;
        let credentials = self.credentials(context)?;
        let account = self.account(context);
        let asker = Asker {
            credentials: &credentials,
            account: account.as_deref(),
            deadline: context.deadline,
        };
        let found = directory.look_up(events, asker, wanted);
        *events = found.events;
        found.problem
    }

    /// Returns true if a route may take the event.
    fn may_take(&self, event: &Event) -> bool {
        self.routes.iter().any(|route| route.may_take(event))
    }

    /// Returns the function's own account, where it is known.
    fn account(&self, context: &Context) -> Option<String> {
        let own_account = |route: &Route| route.render_options.accounts.own.clone();
        let account = context.account_id.clone();
        account.or_else(|| self.routes.first().and_then(own_account))
    }

    /// Returns the identity of an invocation: that which it brings, else that of the environment.
    /// It is not kept beyond the invocation.
    fn credentials(&self, context: &Context) -> Option<Credentials> {
        let brought = context.credentials.as_ref().and_then(|brought| {
            let (id, secret) = (brought.access_key_id(), brought.access_key_secret());
            Credentials::temporary(id, secret, brought.security_token(), Source::Invocation)
        });
        brought.or_else(|| Credentials::from_environment(self.environment))
    }

    /// Delivers to each route the events that it accepts. Routes do not wait for each other: one
    /// whose chatbot never answers would use up the time of the rest.
    fn deliver(&self, events: &[Arc<Event>], deadline: Instant) -> Vec<Vec<RouteOutcome>> {
        let now = clock::to_timestamp(self.clock.wall());
        let decide = |event: &Arc<Event>, route: &Route| route.decide(event, now);
        let decisions: Vec<Vec<Decision>> = (self.routes.iter())
            .map(|route| events.iter().map(|event| decide(event, route)).collect())
            .collect();
        let deliver = |route: usize| -> Vec<RouteOutcome> {
            let decisions = &decisions[route];
            let accepted: Vec<Arc<Event>> = (events.iter().zip(decisions))
                .filter(|(_, decision)| decision.send)
                .map(|(event, _)| Arc::clone(event))
                .collect();
            let delivered = self.dispatcher.deliver(route, &accepted, deadline);
            let mut delivered = delivered.into_iter();
            let mut next = || delivered.next().expect("one outcome for each event");
            (decisions.iter())
                .map(|decision| RouteOutcome {
                    rule: decision.rule,
                    delivery: decision.send.then(&mut next),
                })
                .collect()
        };
        // A route that accepts nothing takes no time.
        let is_busy = |route: usize| decisions[route].iter().any(|decision| decision.send);
        let (busy, idle): (Vec<usize>, _) = (0..decisions.len()).partition(|route| is_busy(*route));
        let mut outcomes: Vec<Vec<RouteOutcome>> = Vec::new();
        outcomes.resize_with(decisions.len(), Vec::new);
        for route in idle {
            outcomes[route] = deliver(route);
        }
        let delivered = parallel::map(&busy, |route| deliver(*route));
        for (route, delivered) in busy.into_iter().zip(delivered) {
            outcomes[route] = delivered;
        }
        outcomes
    }
}
