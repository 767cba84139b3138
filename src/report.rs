//! The outcomes of one invocation, and what is made of them: the answer or failure, and log lines.

use crate::channel::Class;
use crate::delivery::{DeliveryResult, Failure, Outcome};
use crate::event::{Event, LeftOutKind, Lookup, Parsed};
use crate::log::{Line, Log};
use crate::route::Route;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// The outcome of one event on one route.
pub(crate) struct RouteOutcome {
    /// The variable that decided, without the route's suffix.
    pub rule: &'static str,
    /// The outcome of the delivery. `None` if the route's filter did not take the event.
    pub delivery: Option<Outcome>,
}

impl RouteOutcome {
    pub(crate) fn as_str(&self) -> &'static str {
        let delivery = self.delivery.as_ref();
        delivery.map_or("filtered", |outcome| outcome.result.as_str())
    }

    pub(crate) fn rule(&self, route: &Route) -> String {
        format!("{}{}", self.rule, route.suffix)
    }
}

/// The outcome of every event of one payload on every route.
pub(crate) struct Report<'a> {
    pub routes: &'a [Route],
    /// The events, and the parts of the payload that are no event.
    pub parsed: Parsed,
    /// Why resources were not looked up, or maintenance not read, and what to change, in one line.
    pub problem: Option<String>,
    /// Why a tick of the timer must be repeated, in one line.
    pub tick_failure: Option<String>,
    /// For each route, in the order of `routes`, the outcomes in the order of the events.
    pub outcomes: Vec<Vec<RouteOutcome>>,
}

impl Report<'_> {
    /// Returns the answer of a successful invocation, or the failure that holds the same answer.
    pub fn into_result(self) -> Result<Value, fc_runtime::Failure> {
        let answer = self.answer();
        match self.failure() {
            None => Ok(answer),
            Some((error_type, error_message)) => Err(fc_runtime::Failure {
                error_type: error_type.into(),
                error_message,
                outcome: Some(answer),
            }),
        }
    }

    /// Writes one log line for each event and route. Waits no longer than `within`.
    pub fn log(&self, log: &Log, time: Timestamp, request_id: &str, within: Duration) {
        let time = format!("{time:.3}");
        let mut lines = Vec::new();
        for (index, event) in self.parsed.events.iter().enumerate() {
            let (id, name) = (event.display_id(), event.full_name());
            for (route, outcomes) in self.routes.iter().zip(&self.outcomes) {
                let outcome = &outcomes[index];
                let delivery = outcome.delivery.as_ref();
                // A duplicate made no attempt of its own.
                let sent = delivery.filter(|delivery| delivery.result != DeliveryResult::Duplicate);
                let line = Line {
                    time: &time,
                    request_id,
                    event_id: &id,
                    event: &name,
                    level: level(event),
                    resource: event.resource_id.as_deref(),
                    resource_name: event.shown_name(),
                    region: event.region.as_deref(),
                    account: event.account.as_deref(),
                    route: &route.name,
                    outcome: outcome.as_str(),
                    rule: &outcome.rule(route),
                    lookup: event.lookup.map(Lookup::as_str),
                    errcode: delivery.and_then(|delivery| delivery.errcode.as_ref()),
                    class: delivery.and_then(|delivery| delivery.class.map(Class::as_str)),
                    attempts: sent.map(|delivery| delivery.attempts),
                    combined: delivery
                        .map(|delivery| delivery.combined)
                        .filter(|n| *n > 1),
                    message_uuid: delivery.and_then(|delivery| delivery.message_uuid.as_deref()),
                    duration_ms: delivery.map(|delivery| delivery.duration.as_millis() as u64),
                    remedy: delivery.and_then(|delivery| delivery.remedy.as_deref()),
                };
                line.append_to(&mut lines);
            }
        }
        log.write(lines, within);
    }

    fn answer(&self) -> Value {
        let event_answer = |(index, event): (usize, &Event)| {
            let mut answer = json!({
                "eventId": event.display_id(),
                "event": event.full_name(),
                "level": level(event),
            });
            answer["routes"] = (self.routes.iter().zip(&self.outcomes))
                .map(|(route, outcomes)| route_answer(route, &outcomes[index]))
                .collect();
            answer
        };
        let parsed = &self.parsed;
        let events = parsed.events.iter().map(AsRef::as_ref).enumerate();
        let mut answer = json!({});
        answer["events"] = events.map(event_answer).collect();
        if !parsed.errors.is_empty() {
            answer["invalid"] = (parsed.errors.iter())
                .map(|error| json!({ "path": error.path, "problem": error.problem }))
                .collect();
        }
        if parsed.more_errors > 0 {
            answer["moreInvalid"] = parsed.more_errors.into();
        }
        answer
    }

    /// Returns the name and text of the failure, if there was one. An invalid part ranks behind a
    /// refusal and before every failure that may pass by itself.
    fn failure(&self) -> Option<(&'static str, String)> {
        let routes = self.routes.iter().zip(&self.outcomes);
        let deliveries: Vec<(&Route, &Outcome)> = routes
            .flat_map(|(route, outcomes)| outcomes.iter().map(move |outcome| (route, outcome)))
            .filter_map(|(route, outcome)| Some((route, outcome.delivery.as_ref()?)))
            .collect();
        let failed: Vec<(Failure, &Route, &Outcome)> = (deliveries.iter())
            .filter_map(|(route, delivery)| Some((delivery.failure()?, *route, *delivery)))
            .collect();
        let worst = failed.iter().min_by_key(|(failure, ..)| *failure);
        let invalid = self.parsed.errors.first();

        let unread = self.tick_failure.as_ref().map(|_| Failure::Unreachable);
        let worst_failure = worst
            .map(|(failure, ..)| *failure)
            .into_iter()
            .chain(unread)
            .min();
        let error_type = match (worst_failure, invalid) {
            (None, None) => return None,
            (Some(Failure::Refused), _) => Failure::Refused.as_str(),
            (_, Some(_)) => "InvalidEvent",
            (Some(failure), None) => failure.as_str(),
        };
        let worst = worst.map(|(failure, route, delivery)| {
            format!(
                "{} of {} failed; route {}: {}: {}",
                failed.len(),
                counted(deliveries.len(), "delivery", "deliveries"),
                route.name,
                failure.as_str(),
                delivery.remedy.as_deref().unwrap_or("no answer")
            )
        });
        let invalid = invalid.map(|error| {
            let count = self.parsed.errors.len() + self.parsed.more_errors;
            let parts = counted(count, "part", "parts");
            format!("{parts} of the payload not understood; {error}")
        });
        let unread = self.tick_failure.clone();
        let message = worst.into_iter().chain(invalid).chain(unread);
        let message: Vec<String> = message.collect();
        Some((error_type, message.join("; ")))
    }
}

/// Returns one route of one event in the answer. Only a failure has its details there, and a message
/// of which something was left out: the log has them for all.
fn route_answer(route: &Route, outcome: &RouteOutcome) -> Value {
    let mut answer = json!({
        "route": route.name,
        "outcome": outcome.as_str(),
        "rule": outcome.rule(route),
    });
    let Some(delivery) = &outcome.delivery else {
        return answer;
    };
    if let Some(failure) = delivery.failure() {
        answer["errorType"] = failure.as_str().into();
        if let Some(class) = delivery.class {
            answer["class"] = class.as_str().into();
        }
        if let Some(errcode) = &delivery.errcode {
            answer["errcode"] = json!(errcode);
        }
    }
    if let Some(remedy) = &delivery.remedy {
        answer["remedy"] = remedy.as_str().into();
    }
    answer
}

fn level(event: &Event) -> &'static str {
    event.level.map_or("UNKNOWN", |level| level.as_str())
}

/// Says how many events of timers a payload held within something else; `None` for none of them. An
/// invocation leaves nothing else out.
pub(crate) fn left_out(parsed: &Parsed) -> Option<String> {
    let count = parsed.left_out.len();
    let timers = counted(count, "event of a timer", "events of a timer");
    let why = why_left_out(LeftOutKind::Timer);
    (count > 0).then(|| format!("{timers} left out: {why}"))
}

/// Says why a part is left out.
pub(crate) fn why_left_out(kind: LeftOutKind) -> &'static str {
    match kind {
        LeftOutKind::Timer => "a tick that was stored says nothing of today",
        LeftOutKind::Success => "the invocation succeeded, its events were not lost",
    }
}

/// Returns a number with its noun: `1 part`, `2 parts`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}
