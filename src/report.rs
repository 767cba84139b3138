//! The outcome of one invocation as a value: the answer, the failure and the log lines are made of it.

use crate::channel::Class;
use crate::delivery::{DeliveryResult, Failure, Outcome};
use crate::event::{Event, ParseError, Parsed};
use crate::log::{Line, Log};
use crate::route::{Decision, Route};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

/// The outcome of one event on one route.
#[derive(Debug)]
pub enum RouteOutcome {
    /// The route's filter did not take the event.
    Filtered {
        /// The variable that decided, without the route's suffix.
        rule: &'static str,
    },
    /// The route's filter took the event, and it was given to delivery.
    Accepted {
        /// The variable that decided, without the route's suffix.
        rule: &'static str,
        /// What delivery made of it.
        outcome: Outcome,
    },
}

impl RouteOutcome {
    /// Joins decisions and the outcomes of those that send, both in the order of the events.
    ///
    /// # Panics
    ///
    /// If there are not as many outcomes as decisions that send: delivery returns one for each event.
    pub fn join(decisions: Vec<Decision>, outcomes: Vec<Outcome>) -> Vec<RouteOutcome> {
        let mut outcomes = outcomes.into_iter();
        let joined = decisions
            .into_iter()
            .map(|Decision { send, rule }| match send {
                false => RouteOutcome::Filtered { rule },
                true => RouteOutcome::Accepted {
                    rule,
                    outcome: outcomes
                        .next()
                        .expect("delivery returns one outcome an event"),
                },
            })
            .collect();
        assert!(
            outcomes.next().is_none(),
            "delivery returns one outcome an event"
        );
        joined
    }

    /// The outcome in answer and log: `delivered`, `duplicate`, `filtered` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            RouteOutcome::Filtered { .. } => "filtered",
            RouteOutcome::Accepted { outcome, .. } => outcome.result.as_str(),
        }
    }

    fn rule(&self, route: &Route) -> String {
        let (RouteOutcome::Filtered { rule } | RouteOutcome::Accepted { rule, .. }) = self;
        [rule, route.suffix.as_str()].concat()
    }

    fn accepted(&self) -> Option<&Outcome> {
        match self {
            RouteOutcome::Filtered { .. } => None,
            RouteOutcome::Accepted { outcome, .. } => Some(outcome),
        }
    }
}

/// The outcome of every event of one payload on every route, and what of the payload is no event.
#[derive(Debug)]
pub struct Report<'a> {
    routes: &'a [Route],
    parsed: Parsed,
    /// For each route, in the order of `routes`, the outcomes in the order of the events.
    outcomes: Vec<Vec<RouteOutcome>>,
}

/// One event in the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventAnswer<'a> {
    event_id: Cow<'a, str>,
    event: String,
    level: &'static str,
    routes: Vec<RouteAnswer<'a>>,
}

/// One route of one event in the answer. What delivery says stands there for a failure only: the log
/// has it for all.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteAnswer<'a> {
    route: &'a str,
    outcome: &'static str,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

/// A part of the payload that is no event, in the answer.
#[derive(Serialize)]
struct InvalidAnswer<'a> {
    path: &'a str,
    problem: &'a str,
}

/// The whole answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    events: Vec<EventAnswer<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid: Vec<InvalidAnswer<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    more_invalid: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl<'a> Report<'a> {
    /// The report of the events of a payload; `outcomes` are by route and event.
    pub fn new(routes: &'a [Route], parsed: Parsed, outcomes: Vec<Vec<RouteOutcome>>) -> Self {
        Report {
            routes,
            parsed,
            outcomes,
        }
    }

    /// The parts of the payload that are no event: the first twenty.
    pub fn invalid(&self) -> &[ParseError] {
        &self.parsed.errors
    }

    /// The answer of a successful invocation, or the failure that holds the same answer.
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

    /// Writes one log line for each event and route, within so much time.
    pub fn log(&self, log: &Log, time: Timestamp, request_id: &str, within: Duration) {
        let time = format!("{time:.3}");
        let mut lines = log.lines(within);
        for (index, event) in self.parsed.events.iter().enumerate() {
            let (id, name) = (event.display_id(), event.full_name());
            for (route, outcomes) in self.routes.iter().zip(&self.outcomes) {
                let at_route = &outcomes[index];
                let outcome = at_route.accepted();
                // A duplicate made no attempt of its own.
                let sent = outcome.filter(|outcome| outcome.result != DeliveryResult::Duplicate);
                lines.add(&Line {
                    time: &time,
                    request_id,
                    event_id: &id,
                    event: &name,
                    level: level(event),
                    resource: event.resource_id.as_deref(),
                    region: event.region.as_deref(),
                    route: &route.name,
                    outcome: at_route.as_str(),
                    rule: Some(&at_route.rule(route)),
                    errcode: outcome.and_then(|outcome| outcome.errcode),
                    class: outcome.and_then(|outcome| outcome.class).map(Class::as_str),
                    attempts: sent.map(|outcome| outcome.attempts),
                    combined: outcome.map(|outcome| outcome.combined).filter(|n| *n > 1),
                    message_uuid: outcome.and_then(|outcome| outcome.message_uuid.as_deref()),
                    duration_ms: outcome.map(|outcome| outcome.duration.as_millis() as u64),
                    remedy: outcome.and_then(|outcome| outcome.remedy.as_deref()),
                });
            }
        }
    }

    fn answer(&self) -> Value {
        let events = self.parsed.events.iter().enumerate();
        let answer = Answer {
            events: events
                .map(|(index, event)| EventAnswer {
                    event_id: event.display_id(),
                    event: event.full_name(),
                    level: level(event),
                    routes: (self.routes.iter().zip(&self.outcomes))
                        .map(|(route, outcomes)| route_answer(route, &outcomes[index]))
                        .collect(),
                })
                .collect(),
            invalid: (self.parsed.errors.iter())
                .map(|error| InvalidAnswer {
                    path: &error.path,
                    problem: &error.problem,
                })
                .collect(),
            more_invalid: self.parsed.more_errors,
        };
        serde_json::to_value(answer).expect("the answer holds texts and numbers alone")
    }

    /// The name and text of the failure, if there was one. What is no event ranks behind a refusal and
    /// before every failure that may pass by itself.
    fn failure(&self) -> Option<(&'static str, String)> {
        let accepted: Vec<(&Route, &Outcome)> = (self.routes.iter().zip(&self.outcomes))
            .flat_map(|(route, outcomes)| outcomes.iter().map(move |at_route| (route, at_route)))
            .filter_map(|(route, at_route)| Some((route, at_route.accepted()?)))
            .collect();
        let failed: Vec<(&Route, &Outcome, Failure)> = (accepted.iter())
            .filter_map(|(route, outcome)| Some((*route, *outcome, outcome.failure()?)))
            .collect();
        let worst = failed.iter().min_by_key(|(_, _, failure)| *failure);
        let invalid = self.parsed.errors.first();

        let mut parts = Vec::new();
        if let Some((route, outcome, failure)) = worst {
            parts.push(format!(
                "{} of {} failed; route {}: {}: {}",
                failed.len(),
                match accepted.len() {
                    1 => "1 delivery".to_owned(),
                    many => format!("{many} deliveries"),
                },
                route.name,
                failure.as_str(),
                outcome.remedy.as_deref().unwrap_or("no answer")
            ));
        }
        if let Some(error) = invalid {
            parts.push(format!(
                "{} of the payload not understood; {error}",
                match self.parsed.errors.len() + self.parsed.more_errors {
                    1 => "1 part".to_owned(),
                    many => format!("{many} parts"),
                }
            ));
        }
        let error_type = match (worst, invalid) {
            (None, None) => return None,
            (Some((_, _, failure @ Failure::Refused)), _) => failure.as_str(),
            (_, Some(_)) => "InvalidEvent",
            (Some((_, _, failure)), None) => failure.as_str(),
        };
        Some((error_type, parts.join("; ")))
    }
}

fn route_answer<'a>(route: &'a Route, at_route: &'a RouteOutcome) -> RouteAnswer<'a> {
    let failed = at_route
        .accepted()
        .and_then(|outcome| Some((outcome, outcome.failure()?)));
    RouteAnswer {
        route: &route.name,
        outcome: at_route.as_str(),
        rule: at_route.rule(route),
        error_type: failed.map(|(_, failure)| failure.as_str()),
        class: failed
            .and_then(|(outcome, _)| outcome.class)
            .map(Class::as_str),
        errcode: failed.and_then(|(outcome, _)| outcome.errcode),
        remedy: failed.and_then(|(outcome, _)| outcome.remedy.as_deref()),
    }
}

fn level(event: &Event) -> &'static str {
    event.level.map_or("UNKNOWN", |level| level.as_str())
}
