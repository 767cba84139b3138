//! Everything that can go wrong around the real binary, made to go wrong: its callers, its network, its life, its output.
//!
//! Every process here is started through [`Instance`], which searches all that leaves it for secrets. With
//! `RESILIENCE_ROUNDS` (1 by default) what depends on chance is tried more often.

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

/// How often to try what depends on chance, as a multiple of the usual.
fn rounds() -> usize {
    let told = std::env::var("RESILIENCE_ROUNDS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// An event about a resource of its own.
fn event(number: usize) -> Value {
    let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
    event["id"] = json!(format!("event-{number}"));
    event["data"]["resourceId"] = json!(resource(number));
    event
}

fn resource(number: usize) -> String {
    format!("i-resilience{number:08}")
}

/// How many of the messages show the event.
fn shown(deliveries: &[Delivery], number: usize) -> usize {
    let id = resource(number);
    deliveries
        .iter()
        .filter(|delivery| delivery.text.contains(&id))
        .count()
}

/// A process that sends every event to this webhook.
fn start(webhook: &str) -> Instance {
    start_with(webhook, &[])
}

/// Likewise, with more variables.
fn start_with(webhook: &str, more: &[(&str, &str)]) -> Instance {
    let mut vars = vec![
        ("DINGTALK_WEBHOOK", webhook),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
    ];
    vars.extend_from_slice(more);
    Instance::start(&vars)
}

/// A webhook where nobody listens, for what is never sent.
const NOWHERE: &str = "http://127.0.0.1:9/robot/send?access_token=b1a5ed0123456789b1a5ed0123456789";
