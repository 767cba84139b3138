//! `preview`: the decision about each event and the messages, offline.

use super::{DONE, FAILED, NAME, Payload, print, print_error};
use crate::clock::{self, Clock, SystemClock};
use crate::config::Config;
use crate::event::{self, Event};
use crate::message;
use crate::report::counted;
use crate::route::{self, Route};
use jiff::Timestamp;
use std::sync::Arc;

/// Shows every payload, route by route. Fails if one part of them is no event.
pub(super) fn run(config: &Config, payloads: &[Payload]) -> u8 {
    let now = clock::to_timestamp(SystemClock.wall());
    let mut code = DONE;
    for (file, payload) in payloads {
        let parsed = event::parse(payload);
        let count = counted(parsed.events.len(), "event", "events");
        print(&format!("== {file}: {count}\n\n"));
        if !parsed.events.is_empty() {
            for route in &config.routes {
                print(&preview_route(route, &parsed.events, now));
            }
        }
        for error in &parsed.errors {
            print_error(format!("{NAME}: {file}: {error}"));
            code = FAILED;
        }
        if parsed.more_errors > 0 {
            let more = parsed.more_errors;
            print_error(format!(
                "{NAME}: {file}: and {more} more that are no events"
            ));
        }
    }
    code
}

/// Returns the decision about each event, and the messages of those that the route accepts.
fn preview_route(route: &Route, events: &[Arc<Event>], now: Timestamp) -> String {
    let mut text = format!("-- route {}\n", route.name);
    let mut accepted: Vec<&Event> = Vec::new();
    for event in events {
        let decision = route::decide(&route.filter, event, now);
        let verb = if decision.send { "sent" } else { "filtered" };
        text.push_str(&format!(
            "{} {}: {verb} by {}{}\n",
            event.full_name(),
            event.display_id(),
            decision.rule,
            route.suffix
        ));
        if decision.send {
            accepted.push(event);
        }
    }
    let max_bytes = route.endpoint.limits().max_bytes;
    for chunk in message::chunks(&accepted, &route.render_options, max_bytes) {
        let preview = route.endpoint.preview(&chunk, &route.render_options, now);
        text.push_str(&format!(
            "\n{} of {max_bytes} bytes:\n{}\n\n{}\n",
            preview.bytes, preview.title, preview.text
        ));
    }
    text.push('\n');
    text
}
