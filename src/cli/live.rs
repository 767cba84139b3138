//! `check --live`: what can be found out about the way to the chatbots and the API without a message.

use super::{DONE, FAILED, print};
use crate::aliyun::{Api, ApiError, Credentials, Disk, Instance};
use crate::app;
use crate::channel::{Endpoint, Probe};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ResourceConfig};
use crate::http;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that one line takes.
const TIME: Duration = Duration::from_secs(10);
/// DingTalk refuses signatures whose time is an hour off; a clock drifts.
const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_mins(50);

/// One thing that was checked.
enum Line {
    Good(String),
    /// With what to change.
    Bad(String),
    /// It was not checked.
    Note(String),
}

/// Prints one line for each thing that was checked. Fails if one is bad.
pub(super) fn run(config: &Config) -> u8 {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let client = app::client(config.http.clone(), &clock);
    let mut code = DONE;
    let mut show = |line: Line| {
        let (word, text) = match line {
            Line::Good(text) => ("good", text),
            Line::Bad(text) => ("bad", text),
            Line::Note(text) => ("note", text),
        };
        if word == "bad" {
            code = FAILED;
        }
        print(&format!("{word:<5} {text}\n"));
    };
    for route in &config.routes {
        let name = format!("route {}", route.name);
        check_chatbot(&name, &route.endpoint, &client, &clock, &mut show);
        if let Some(fallback) = &route.fallback {
            let name = format!("{name}, fallback");
            check_chatbot(&name, fallback, &client, &clock, &mut show);
        }
    }
    match &config.resources {
        None => show(Line::Note("look-ups: off (RESOURCE_LOOKUP)".to_owned())),
        Some(resources) => {
            let api = app::api(resources, &client, &clock);
            check_permissions(resources, &api, &mut show);
        }
    }
    code
}

fn check_chatbot(
    name: &str,
    endpoint: &Endpoint,
    client: &Arc<http::Client>,
    clock: &Arc<dyn Clock>,
    show: &mut impl FnMut(Line),
) {
    let channel = endpoint.channel(client, clock);
    match channel.probe(Instant::now() + TIME) {
        Err(problem) => show(Line::Bad(format!("{name}: {problem}"))),
        Ok(probe) => {
            let Probe {
                host, is_proxied, ..
            } = &probe;
            let way = if *is_proxied {
                " through the proxy"
            } else {
                ""
            };
            show(Line::Good(format!("{name}: {host} answers{way}")));
            show(clock_line(name, probe.clock_ahead, channel.secrets() > 0));
        }
    }
}

/// Tells how far the clock is off. That is bad only where it makes signatures.
fn clock_line(name: &str, ahead: Option<SignedDuration>, is_signed: bool) -> Line {
    let Some(ahead) = ahead else {
        let text = format!("{name}: the clock is not compared: the host tells no time");
        return Line::Note(text);
    };
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead"
    };
    let seconds = ahead.unsigned_abs().as_secs();
    let text = format!("{name}: this clock is {seconds} s {side}");
    if is_signed && ahead.unsigned_abs() >= MAX_CLOCK_ERROR.unsigned_abs() {
        return Line::Bad(format!("{text}: set it right, or signatures are refused"));
    }
    Line::Good(text)
}

/// Asks whether the identity of the environment may make the calls that the function makes.
fn check_permissions(resources: &ResourceConfig, api: &Api, show: &mut impl FnMut(Line)) {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(credentials) = Credentials::from_environment(variable) else {
        let text = "look-ups: not checked: there is no identity in ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN";
        return show(Line::Note(text.to_owned()));
    };
    let regions = match resources.regions.as_slice() {
        [] => variable("FC_REGION").into_iter().collect(),
        regions => regions.to_vec(),
    };
    if regions.is_empty() {
        let text = "look-ups: not checked: set RESOURCE_REGIONS to the regions to ask in";
        return show(Line::Note(text.to_owned()));
    }
    for region in &regions {
        let deadline = || Instant::now() + TIME;
        let results = [
            (
                "ecs:DescribeInstances",
                api.dry_run::<Instance>(region, &credentials, deadline()),
            ),
            (
                "ecs:DescribeDisks",
                api.dry_run::<Disk>(region, &credentials, deadline()),
            ),
            // It has no dry run, and reads only.
            (
                "ecs:DescribeInstanceHistoryEvents",
                api.describe_system_events(region, &credentials, deadline())
                    .map(|_| ()),
            ),
        ];
        for (permission, result) in results {
            show(permission_line(region, permission, result));
        }
    }
}

fn permission_line(region: &str, permission: &str, result: Result<(), ApiError>) -> Line {
    match result {
        Ok(()) => Line::Good(format!("look-ups: {permission} is allowed in {region}")),
        Err(error) => {
            let reason = error.code.as_deref().unwrap_or(&error.detail);
            let remedy = error.remedy();
            Line::Bad(format!(
                "look-ups: {permission} in {region}: {reason}: {remedy}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_bad_only_where_it_signs() {
        let word = |minutes: i64, is_signed| {
            let ahead = Some(SignedDuration::from_mins(minutes));
            match clock_line("route default", ahead, is_signed) {
                Line::Good(text) => ("good", text),
                Line::Bad(text) => ("bad", text),
                Line::Note(text) => ("note", text),
            }
        };
        for (minutes, is_signed, expected) in [
            (0, true, "good"),
            (49, true, "good"),
            (50, true, "bad"),
            (-50, true, "bad"),
            (-49, true, "good"),
            (600, false, "good"),
        ] {
            assert_eq!(word(minutes, is_signed).0, expected, "{minutes}");
        }
        assert!(word(-50, true).1.contains("3000 s behind: set it right"));
        assert!(matches!(clock_line("x", None, true), Line::Note(_)));
    }
}
