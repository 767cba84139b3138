//! `preview`: the decision about each event and the messages, offline.

use super::{DONE, FAILED, NAME, Payload, is_option, print, print_error, read_files};
use super::{refuse, usage, with_config};
use crate::clock::{self, Clock, SystemClock};
use crate::config::Config;
use crate::event::{Content, Event, read_file};
use crate::message::{self, format_time};
use crate::reminder;
use crate::report::{counted, why_left_out};
use crate::route::Route;
use crate::schedule::Tick;
use crate::trigger::{self, Trigger};
use jiff::Timestamp;
use std::ffi::OsString;
use std::sync::Arc;

/// Shows the events of the files, route by route. Fails if a part of them is not understood.
pub(super) fn run(files: &[OsString]) -> u8 {
    if files.is_empty() {
        return usage("preview needs a FILE (- is standard input)");
    }
    if let Some(option) = files.iter().find(|word| is_option(word)) {
        return usage(&format!("preview has no option {option:?}"));
    }
    match read_files(files) {
        Ok(payloads) => with_config(|config| preview(&config, &payloads)),
        Err(problem) => refuse(problem),
    }
}

fn preview(config: &Config, payloads: &[Payload]) -> u8 {
    let now = clock::to_timestamp(SystemClock.wall());
    let mut code = DONE;
    for (file, payload) in payloads {
        if let Trigger::Tick(tick) = trigger::parse(payload) {
            print(&preview_tick(file, tick, &config.routes, now));
            continue;
        }
        let mut events = Vec::new();
        for part in read_file(payload) {
            let place = part.place().to_string();
            match part.content {
                Content::Event { event, .. } => events.push(event),
                Content::LeftOut(kind) => {
                    let why = why_left_out(kind);
                    print_error(format!("{NAME}: {file} {place}: left out: {why}"));
                }
                Content::Fault(problem) => {
                    print_error(format!("{NAME}: {file} {place}: {problem}"));
                    code = FAILED;
                }
            }
        }
        let count = counted(events.len(), "event", "events");
        print(&format!("== {file}: {count}\n\n"));
        if !events.is_empty() {
            for route in &config.routes {
                print(&preview_route(route, &events, now));
            }
        }
    }
    code
}

/// Returns what is due at a tick on each route. What there is to tell is known to the API alone.
fn preview_tick(file: &str, tick: Tick, routes: &[Route], now: Timestamp) -> String {
    let (at, minutes) = (tick.at, tick.every.as_mins());
    let mut text =
        format!("== {file}: a timer's tick of {at}, {minutes} min after the one before\n\n");
    if reminder::is_too_old(tick, now) {
        text.push_str("more than a day old: nothing is done\n\n");
        return text;
    }
    for route in routes {
        text.push_str(&format!("-- route {}\n", route.name));
        let suffix = &route.suffix;
        let schedule = &route.schedule;
        let mut add = |what: &str, variable: &str, is_set: bool, is_due: bool| {
            let due = match (is_set, is_due) {
                (false, _) => "never, without",
                (true, false) => "not due by",
                (true, true) => "due by",
            };
            text.push_str(&format!("{what}: {due} {variable}{suffix}\n"));
        };
        add(
            "digest",
            "MESSAGE_DIGEST_AT",
            !schedule.digest_at.is_empty(),
            schedule.wants_digest(tick),
        );
        add(
            "sign of life",
            "MESSAGE_HEARTBEAT_AT",
            !schedule.heartbeat_at.is_empty(),
            schedule.wants_heartbeat(tick),
        );
        if schedule.remind_before.is_empty() {
            add("reminders", "MESSAGE_REMIND_BEFORE", false, false);
        }
        for lead in &schedule.remind_before {
            let Some((after, until)) = lead.starts(tick) else {
                continue;
            };
            let [after, until] = [after, until].map(|at| format_time(at, &schedule.zone));
            text.push_str(&format!(
                "reminder {lead}: due by MESSAGE_REMIND_BEFORE{suffix} for what begins after {after} and up to {until}\n"
            ));
        }
        text.push('\n');
    }
    text
}

/// Returns the decision about each event, and the messages of those that the route accepts.
fn preview_route(route: &Route, events: &[Arc<Event>], now: Timestamp) -> String {
    let mut text = format!("-- route {}\n", route.name);
    let mut accepted: Vec<&Event> = Vec::new();
    for event in events {
        let decision = route.decide(event, now);
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
    let max_size = route.endpoint.limits().max_size;
    for chunk in message::chunks(&accepted, &route.render_options, max_size) {
        let preview = route.endpoint.preview(&chunk, &route.render_options, now);
        text.push_str(&format!(
            "\n{} of {} {}:\n{}\n",
            preview.size, preview.max_size, preview.unit, preview.text
        ));
    }
    text.push('\n');
    text
}
