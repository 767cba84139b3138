//! `preview`: the decision about each event and the messages, offline.

use super::{DONE, FAILED, NAME, Payload, print, print_error};
use crate::clock::{self, Clock, SystemClock};
use crate::config::Config;
use crate::event::{self, Event};
use crate::message;
use crate::route::{self, Route};
use jiff::Timestamp;

/// Shows every payload, route by route. Fails if one part of them is no event.
pub(super) fn run(config: &Config, payloads: &[Payload]) -> u8 {
    let now = clock::to_timestamp(SystemClock.wall());
    let mut code = DONE;
    for Payload { file, bytes } in payloads {
        let parsed = event::parse(bytes);
        print(&format!(
            "== {file}: {}\n\n",
            match parsed.events.len() {
                1 => "1 event".to_owned(),
                many => format!("{many} events"),
            }
        ));
        if !parsed.events.is_empty() {
            for route in &config.routes {
                let events = parsed.events.iter().map(AsRef::as_ref);
                print(&preview_route(route, events, now));
            }
        }
        for error in &parsed.errors {
            print_error(&format!("{NAME}: {file}: {error}"));
            code = FAILED;
        }
        if parsed.more_errors > 0 {
            let more = parsed.more_errors;
            print_error(&format!(
                "{NAME}: {file}: and {more} more that are no events"
            ));
        }
    }
    code
}

/// The decision about each event, and the messages of those that the route accepts.
fn preview_route<'a>(
    route: &Route,
    events: impl Iterator<Item = &'a Event>,
    now: Timestamp,
) -> String {
    let mut text = format!("-- route {}\n", route.name);
    let mut accepted = Vec::new();
    for event in events {
        let decision = route::decide(&route.filter, event);
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
    for chunk in message::chunks(&accepted, max_bytes) {
        let preview = route.endpoint.preview(&chunk, &route.render_options, now);
        text.push_str(&format!(
            "\n{} of {max_bytes} bytes:\n{}\n\n{}\n",
            preview.bytes, preview.title, preview.text
        ));
    }
    text.push('\n');
    text
}
