//! One invocation: from the bytes of a payload to what became of every event in it.

use crate::channel::Class;
use crate::clock::{Clock, to_timestamp};
use crate::config::{Config, Fault as ConfigFault};
use crate::delivery::{DeliveryResult, Dispatcher, Failure, Outcome};
use crate::event::{self, Event};
use crate::log::{Line, Log, field};
use crate::route::{self, Decision, Route};
use fc_runtime as fc;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// How long an invocation waits for its log lines to be written: as long as its deadline allows, within these bounds.
const LOG_WAIT: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// The function: ready, or telling what is wrong with its configuration.
pub enum Function {
    /// The configuration is valid.
    Ready(Box<Notifier>),
    /// It is not, and every invocation says so.
    Misconfigured(Vec<ConfigFault>),
}

/// Delivers the events of payloads to the groups whose routes take them.
pub struct Notifier {
    routes: Vec<Route>,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    log: Log,
}

impl fc::Handler for Function {
    fn invoke(&self, payload: &[u8], context: &fc::Context) -> Result<Value, fc::Failure> {
        match self {
            Function::Ready(notifier) => notifier
                .handle(payload, context)
                .inspect_err(|failure| complain_of_parts(failure, context)),
            Function::Misconfigured(faults) => Err(misconfigured(faults)),
        }
    }

    fn initialize(&self, _context: &fc::Context) -> Result<(), fc::Failure> {
        match self {
            Function::Ready(_) => Ok(()),
            Function::Misconfigured(faults) => Err(misconfigured(faults)),
        }
    }
}

/// What is no event has no line in the log, and the platform shows the answer to nobody: whoever finds it in a
/// dead-letter queue looks for the reason here.
fn complain_of_parts(failure: &fc::Failure, context: &fc::Context) {
    let parts = failure
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.get("invalid"));
    for part in parts.and_then(Value::as_array).into_iter().flatten() {
        let told = |key| field(part.get(key).and_then(Value::as_str).unwrap_or_default());
        // Standard error that is gone is no error of ours.
        let _ = writeln!(
            std::io::stderr(),
            "request {}: InvalidEvent: {}: {}",
            field(&context.request_id),
            told("path"),
            told("problem")
        );
    }
}

fn misconfigured(faults: &[ConfigFault]) -> fc::Failure {
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    fc::Failure {
        error_type: "InvalidConfiguration".into(),
        error_message: format!(
            "the configuration has {}: {}",
            count(faults.len(), "fault"),
            list.join("; ")
        ),
        outcome: Some(json!({ "faults": faults
            .iter()
            .map(|fault| json!({ "variable": fault.variable, "problem": fault.problem }))
            .collect::<Vec<_>>() })),
    }
}

/// What stands in a payload, its events ready to be shared with whoever sends them.
struct Batch {
    events: Vec<Arc<Event>>,
    faults: Vec<event::Fault>,
    more_faults: usize,
}

impl From<event::Batch> for Batch {
    fn from(batch: event::Batch) -> Batch {
        Batch {
            events: batch.events.into_iter().map(Arc::new).collect(),
            faults: batch.faults,
            more_faults: batch.more_faults,
        }
    }
}

/// What became of one event at one route.
struct AtRoute {
    decision: Decision,
    delivery: Option<Outcome>,
}

impl AtRoute {
    fn outcome(&self) -> &'static str {
        match self.delivery.as_ref().map(|delivery| delivery.result) {
            None => "filtered",
            Some(DeliveryResult::Duplicate) => "duplicate",
            Some(DeliveryResult::Delivered) => "delivered",
            Some(DeliveryResult::Failed(_)) => "failed",
        }
    }
}

impl Notifier {
    /// A notifier for these routes.
    pub fn new(
        config: Config,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> Notifier {
        Notifier {
            routes: config.routes,
            dispatcher,
            clock,
            log,
        }
    }

    /// The routes that it serves.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Delivers every event of `payload` to every route that takes it.
    ///
    /// # Errors
    /// If one event was not delivered to one route, or one part of the payload is no event. All that
    /// can be delivered is delivered first. The failure holds the outcome of every event.
    pub fn handle(&self, payload: &[u8], context: &fc::Context) -> Result<Value, fc::Failure> {
        let batch = Batch::from(event::parse(payload));
        let per_route = self.deliver(&batch.events, context);
        self.tell(&batch.events, &per_route, context);
        let outcome = outcome(&self.routes, &batch, &per_route);
        match failure(&self.routes, &batch, &per_route) {
            None => Ok(outcome),
            Some((error_type, error_message)) => Err(fc::Failure {
                error_type: error_type.into(),
                error_message,
                outcome: Some(outcome),
            }),
        }
    }

    /// What becomes of each event, route by route.
    fn deliver(&self, events: &[Arc<Event>], context: &fc::Context) -> Vec<Vec<AtRoute>> {
        let decided: Vec<Vec<Decision>> = self
            .routes
            .iter()
            .map(|route| {
                let decide = |event: &Arc<Event>| route::decide(&route.filter, event);
                events.iter().map(decide).collect()
            })
            .collect();
        let accepted: Vec<Vec<Arc<Event>>> = decided
            .iter()
            .map(|decisions| {
                let pairs = events.iter().zip(decisions);
                let taken = pairs.filter(|(_, decision)| decision.send);
                taken.map(|(event, _)| Arc::clone(event)).collect()
            })
            .collect();
        let delivered = self.deliver_accepted(&accepted, context);
        decided
            .into_iter()
            .zip(delivered)
            .map(|(decisions, deliveries)| {
                let mut deliveries = deliveries.into_iter();
                let at_route = |decision: Decision| AtRoute {
                    decision,
                    delivery: if decision.send {
                        deliveries.next()
                    } else {
                        None
                    },
                };
                decisions.into_iter().map(at_route).collect()
            })
            .collect()
    }

    /// Delivers to each route what it accepted. Routes do not wait for each other: one whose chatbot
    /// never answers would use up the time of the rest.
    fn deliver_accepted(
        &self,
        accepted: &[Vec<Arc<Event>>],
        context: &fc::Context,
    ) -> Vec<Vec<Outcome>> {
        let one = |route: usize| match accepted.get(route) {
            Some(events) => self.dispatcher.deliver(route, events, context.deadline),
            None => Vec::new(),
        };
        let last_busy = accepted.iter().rposition(|events| !events.is_empty());
        std::thread::scope(|scope| {
            let threads: Vec<_> = accepted
                .iter()
                .enumerate()
                .map(|(route, events)| {
                    // The last one needs no thread, nor does a route with nothing to deliver. Where the
                    // platform gives no more threads, it is done in turn.
                    let own = !events.is_empty() && Some(route) != last_busy;
                    let spawn =
                        || std::thread::Builder::new().spawn_scoped(scope, move || one(route));
                    own.then(spawn).and_then(Result::ok)
                })
                .collect();
            let here: Vec<Option<Vec<Outcome>>> = threads
                .iter()
                .enumerate()
                .map(|(route, thread)| thread.is_none().then(|| one(route)))
                .collect();
            threads
                .into_iter()
                .zip(here)
                .map(|(thread, here)| match thread.map(|thread| thread.join()) {
                    Some(Ok(deliveries)) => deliveries,
                    Some(Err(panic)) => std::panic::resume_unwind(panic),
                    None => here.unwrap_or_default(),
                })
                .collect()
        })
    }

    /// Writes the log: one line for each event and route.
    fn tell(&self, events: &[Arc<Event>], per_route: &[Vec<AtRoute>], context: &fc::Context) {
        let time = format!("{:.3}", to_timestamp(self.clock.wall()));
        let [least, most] = LOG_WAIT;
        let left = context.remaining(self.clock.now());
        let mut lines = self.log.lines(left.clamp(least, most));
        for (index, event) in events.iter().enumerate() {
            let (id, name) = (event.display_id(), event.full_name());
            for (route, at_routes) in self.routes.iter().zip(per_route) {
                let Some(at) = at_routes.get(index) else {
                    continue;
                };
                let delivery = at.delivery.as_ref();
                lines.add(&Line {
                    time: &time,
                    request_id: &context.request_id,
                    event_id: &id,
                    event: &name,
                    level: level(event),
                    resource: event.resource_id.as_deref(),
                    region: event.region.as_deref(),
                    route: &route.name,
                    outcome: at.outcome(),
                    rule: Some(&rule(route, at.decision)),
                    errcode: delivery.and_then(|d| d.errcode),
                    class: delivery.and_then(|d| d.class).map(Class::as_str),
                    attempts: delivery
                        .filter(|d| d.result != DeliveryResult::Duplicate)
                        .map(|d| d.attempts),
                    combined: delivery.map(|d| d.combined).filter(|count| *count > 1),
                    message_uuid: delivery.and_then(|d| d.message_uuid.as_deref()),
                    duration_ms: delivery.map(|d| d.duration.as_millis() as u64),
                    remedy: delivery.and_then(|d| d.remedy.as_deref()),
                });
            }
        }
    }
}

fn level(event: &Event) -> &'static str {
    event.level.map_or("UNKNOWN", |level| level.as_str())
}

fn rule(route: &Route, decision: Decision) -> String {
    [decision.rule, &route.suffix].concat()
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The outcome object: what became of every event at every route, and of what is no event.
fn outcome(routes: &[Route], batch: &Batch, per_route: &[Vec<AtRoute>]) -> Value {
    let events: Vec<Value> = batch
        .events
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let at_routes: Vec<Value> = routes
                .iter()
                .zip(per_route)
                .filter_map(|(route, at)| at.get(index).map(|at| at_route(route, at)))
                .collect();
            json!({
                "eventId": event.display_id(),
                "event": event.full_name(),
                "level": level(event),
                "routes": at_routes,
            })
        })
        .collect();
    let mut outcome = Map::new();
    outcome.insert("events".to_owned(), Value::Array(events));
    if !batch.faults.is_empty() {
        let invalid = batch
            .faults
            .iter()
            .map(|fault| json!({ "path": fault.path, "problem": fault.problem }))
            .collect();
        outcome.insert("invalid".to_owned(), Value::Array(invalid));
        if batch.more_faults > 0 {
            outcome.insert("moreInvalid".to_owned(), json!(batch.more_faults));
        }
    }
    Value::Object(outcome)
}

fn at_route(route: &Route, at: &AtRoute) -> Value {
    let mut told = Map::new();
    let mut tell = |key: &str, value: Value| {
        told.insert(key.to_owned(), value);
    };
    tell("route", route.name.as_str().into());
    tell("outcome", at.outcome().into());
    tell("rule", rule(route, at.decision).into());
    if let Some(delivery) = &at.delivery
        && let Some(failure) = delivery.failure()
    {
        tell("errorType", failure.as_str().into());
        if let Some(class) = delivery.class {
            tell("class", class.as_str().into());
        }
        if let Some(errcode) = delivery.errcode {
            tell("errcode", errcode.into());
        }
        if let Some(remedy) = &delivery.remedy {
            tell("remedy", remedy.as_str().into());
        }
    }
    Value::Object(told)
}

/// The name and text of the failure, if there was one. What is no event ranks behind a refusal and
/// before all that may mend itself.
fn failure(
    routes: &[Route],
    batch: &Batch,
    per_route: &[Vec<AtRoute>],
) -> Option<(&'static str, String)> {
    let tried: Vec<(&Route, &Outcome)> = routes
        .iter()
        .zip(per_route)
        .flat_map(|(route, at)| at.iter().map(move |at| (route, at)))
        .filter_map(|(route, at)| Some((route, at.delivery.as_ref()?)))
        .collect();
    let failed: Vec<_> = tried
        .iter()
        .filter(|(_, delivery)| delivery.failure().is_some())
        .collect();
    let worst = failed
        .iter()
        .min_by_key(|(_, delivery)| delivery.failure())
        .and_then(|(route, delivery)| Some((*route, *delivery, delivery.failure()?)));
    let invalid = batch.faults.first();
    let mut parts = Vec::new();
    if let Some((route, delivery, failure)) = worst {
        parts.push(format!(
            "{} of {} failed; route {}: {}: {}",
            failed.len(),
            if tried.len() == 1 {
                "1 delivery".to_owned()
            } else {
                format!("{} deliveries", tried.len())
            },
            route.name,
            failure.as_str(),
            delivery.remedy.as_deref().unwrap_or("no answer")
        ));
    }
    if let Some(fault) = invalid {
        parts.push(format!(
            "{} of the payload not understood; {fault}",
            count(batch.faults.len() + batch.more_faults, "part")
        ));
    }
    let error_type = match (worst, invalid) {
        (Some((_, _, failure)), None) => failure.as_str(),
        (Some((_, _, failure @ Failure::Refused)), Some(_)) => failure.as_str(),
        (_, Some(_)) => "InvalidEvent",
        (None, None) => return None,
    };
    Some((error_type, parts.join("; ")))
}
