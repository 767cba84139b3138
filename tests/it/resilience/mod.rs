//! Faults around the real binary: callers, network, name servers, clocks, signals and output.
//!
//! Every process here is started through [`Instance`], which searches its output for secrets.
//! `RESILIENCE_ROUNDS` (1 by default) multiplies the tries of tests that depend on chance.

mod certificates;
mod clocks;
mod http;
mod lifecycle;
mod names;
mod network;
mod output;
mod panics;
mod requests;

use crate::platform::Instance;
use crate::samples::{STOPPED, sample};
use crate::support::SECRET;
use fake_dingtalk::Delivery;
use serde_json::{Value, json};

/// Returns the factor for tries that depend on chance.
fn rounds() -> usize {
    let value = std::env::var("RESILIENCE_ROUNDS").ok();
    value.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Returns event `number`, about a resource of its own.
fn event(number: usize) -> Value {
    let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
    event["id"] = json!(format!("event-{number}"));
    event["data"]["resourceId"] = json!(resource(number));
    event
}

fn resource(number: usize) -> String {
    format!("i-resilience{number:08}")
}

/// Returns how many messages show event `number`.
fn shown(deliveries: &[Delivery], number: usize) -> usize {
    let id = resource(number);
    deliveries
        .iter()
        .filter(|delivery| delivery.text.contains(&id))
        .count()
}

/// Starts a process that sends every event to this webhook.
fn start(webhook: &str) -> Instance {
    start_with(webhook, &[])
}

/// Starts a process that sends events to this webhook, with more variables.
fn start_with(webhook: &str, more: &[(&str, &str)]) -> Instance {
    let mut vars = vec![
        ("DINGTALK_WEBHOOK", webhook),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
    ];
    vars.extend_from_slice(more);
    Instance::start(&vars)
}

/// A webhook without a server, for events that are never sent.
const NOWHERE: &str = "http://127.0.0.1:9/robot/send?access_token=b1a5ed0123456789b1a5ed0123456789";
