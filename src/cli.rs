//! Arguments → one of serve, check, preview, send.

use crate::channel::dingtalk::{Client, Options, targets};
use crate::clock::{Clock, SystemClock, to_timestamp};
use crate::config::{Config, Fault};
use crate::delivery::Dispatcher;
use crate::event::{self, Batch, Event};
use crate::log::Log;
use crate::message::{self, MAX_BYTES};
use crate::notifier::{Function, Notifier};
use crate::route::{self, Endpoint, Route};
use fc_runtime as fc;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Exit code: done; a filtered event is done.
const DONE: u8 = 0;
/// Exit code: not delivered, or not valid.
const FAILED: u8 = 1;
/// Exit code: wrong usage, an unreadable file, an unusable port.
const USAGE: u8 = 2;

/// How long `send` takes at most, as a function with the timeout of `s.yaml` would.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

const HELP: &str = "\
ECS system events, told in a DingTalk group.

Usage:
  ecs-dingtalk-notifier                  serve Function Compute (custom runtime)
  ecs-dingtalk-notifier check            check the configuration and print the routes
  ecs-dingtalk-notifier preview FILE...  show each event's decision and the message, offline
  ecs-dingtalk-notifier send FILE...     deliver the events of the files for real
  ecs-dingtalk-notifier --help | --version

FILE is a payload as EventBridge sends it; - is standard input.
The configuration is taken from environment variables (DINGTALK_*, EVENT_*, MESSAGE_*).
Exit codes: 0 done, 1 not delivered or not valid, 2 usage or an unreadable file.
";

/// A line on standard error, in one piece; one that is gone is no error of ours.
macro_rules! complain {
    ($($text:tt)*) => {{
        let line = format!($($text)*) + "\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
    }};
}

/// Runs the command that the arguments (without the program's name) ask for. Names of files may be any bytes.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let readable: Vec<Cow<str>> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = readable.iter().map(AsRef::as_ref).collect();
    let code = match words.as_slice() {
        [] => serve(),
        ["--help" | "-h", ..] | [_, "--help" | "-h", ..] => print(HELP),
        ["--version" | "-V", ..] => print(&format!(
            "ecs-dingtalk-notifier {}\n",
            env!("CARGO_PKG_VERSION")
        )),
        ["check"] => check(),
        ["check", extra, ..] => usage(&format!("check takes no argument, but got {extra:?}")),
        [command @ ("preview" | "send"), ..] => {
            with_files(command, arguments.get(1..).unwrap_or_default())
        }
        [other, ..] => usage(&format!("there is no command or option {other:?}")),
    };
    ExitCode::from(code)
}

fn serve() -> u8 {
    // The port comes first: where it is of no use, its line is the only one.
    let bound = match fc::bind() {
        Ok(bound) => bound,
        Err(error) => {
            complain!("ecs-dingtalk-notifier: {error}");
            return USAGE;
        }
    };
    let function = match notifier(Arc::new(SystemClock)) {
        Ok(notifier) => {
            let names: Vec<&str> = notifier.routes().iter().map(|r| r.name.as_str()).collect();
            complain!(
                "ecs-dingtalk-notifier {} with {}",
                env!("CARGO_PKG_VERSION"),
                match names.as_slice() {
                    [one] => format!("the route {one}"),
                    many => format!("the routes {}", many.join(", ")),
                }
            );
            Function::Ready(Box::new(notifier))
        }
        Err(faults) => {
            complain!(
                "ecs-dingtalk-notifier {} with a configuration that is not valid; every invocation will fail:",
                env!("CARGO_PKG_VERSION")
            );
            tell(&faults);
            Function::Misconfigured(faults)
        }
    };
    bound.serve(function);
    DONE
}

fn check() -> u8 {
    match configuration() {
        Ok((config, _)) => {
            let routes: Vec<String> = config.routes.iter().map(describe).collect();
            print(&format!(
                "The configuration is valid.\n\n{}",
                routes.join("\n")
            ))
        }
        Err(faults) => {
            tell(&faults);
            FAILED
        }
    }
}

fn with_files(command: &str, files: &[OsString]) -> u8 {
    if files.is_empty() {
        return usage(&format!("{command} needs a FILE (- is standard input)"));
    }
    let is_option = |file: &&OsString| file.as_encoded_bytes().starts_with(b"-") && *file != "-";
    if let Some(option) = files.iter().find(is_option) {
        return usage(&format!("{command} has no option {option:?}"));
    }
    let mut payloads = Vec::new();
    for file in files {
        match read(file) {
            Ok(payload) => payloads.push((file.to_string_lossy(), payload)),
            Err(error) => {
                complain!("ecs-dingtalk-notifier: cannot read {file:?}: {error}");
                return USAGE;
            }
        }
    }
    let done = match command {
        "preview" => preview(&payloads),
        _ => send(&payloads),
    };
    match done {
        Ok(true) => DONE,
        Ok(false) => FAILED,
        Err(faults) => {
            tell(&faults);
            FAILED
        }
    }
}

/// Shows what would become of every payload, route by route; tells whether all could be understood.
fn preview(payloads: &[(Cow<str>, Vec<u8>)]) -> Result<bool, Vec<Fault>> {
    let (config, _) = configuration()?;
    let now = to_timestamp(SystemClock.wall());
    let mut understood = true;
    for (file, payload) in payloads {
        let Batch {
            events,
            faults,
            more_faults,
        } = event::parse(payload);
        print(&format!(
            "== {file}: {} {}\n\n",
            events.len(),
            if events.len() == 1 { "event" } else { "events" }
        ));
        if !events.is_empty() {
            for route in &config.routes {
                print(&preview_route(route, &events, now));
            }
        }
        for fault in &faults {
            complain!("ecs-dingtalk-notifier: {file}: {fault}");
            understood = false;
        }
        if more_faults > 0 {
            complain!("ecs-dingtalk-notifier: {file}: and {more_faults} more that are no events");
        }
    }
    Ok(understood)
}

/// The decision about each event, and the message that holds those which the route takes.
fn preview_route(route: &Route, events: &[Event], now: jiff::Timestamp) -> String {
    let mut text = format!("-- route {}\n", route.name);
    let mut taken = Vec::new();
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
            taken.push(event);
        }
    }
    for together in message::portions(&taken) {
        let message = message::render_all(&together, &route.style, now, MAX_BYTES);
        text.push_str(&format!(
            "\n{} of {MAX_BYTES} bytes:\n{}\n\n{}\n",
            message.size(),
            message.title,
            message.text
        ));
    }
    text.push('\n');
    text
}

/// Delivers every event; tells whether all was delivered or filtered.
fn send(payloads: &[(Cow<str>, Vec<u8>)]) -> Result<bool, Vec<Fault>> {
    let notifier = notifier(Arc::new(SystemClock))?;
    let mut delivered = true;
    for (file, payload) in payloads {
        if let Err(failure) = notifier.handle(payload, &fc::Context::for_command(SEND_TIMEOUT)) {
            complain!(
                "ecs-dingtalk-notifier: {file}: {}: {}",
                failure.error_type,
                failure.error_message
            );
            delivered = false;
        }
    }
    Ok(delivered)
}

/// The notifier that the environment describes.
fn notifier(clock: Arc<dyn Clock>) -> Result<Notifier, Vec<Fault>> {
    let (config, options) = configuration()?;
    let client = Client::new(Arc::clone(&clock), options).map_err(|problem| {
        vec![Fault {
            variable: "SSL_CERT_FILE".into(),
            problem,
        }]
    })?;
    let targets = targets(&config.routes, Arc::new(client));
    let dispatcher = Dispatcher::new(targets, Arc::clone(&clock));
    Ok(Notifier::new(config, dispatcher, clock, Log::stdout()))
}

/// Routes and network options from the environment, or every fault in them.
fn configuration() -> Result<(Config, Options), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut vars = Vec::new();
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        match value.into_string() {
            Ok(value) => vars.push((name, value)),
            Err(_)
                if ["DINGTALK_", "EVENT_", "MESSAGE_"]
                    .iter()
                    .any(|p| name.starts_with(p)) =>
            {
                faults.push(Fault {
                    variable: name,
                    problem: "is not valid UTF-8; write it anew".into(),
                });
            }
            Err(_) => {}
        }
    }
    let options = Options::from_env(|name| {
        vars.iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    })
    .map_err(|problems| {
        faults.extend(problems.iter().filter_map(|text| {
            let (variable, problem) = text.split_once(' ')?;
            Some(Fault {
                variable: variable.to_owned(),
                problem: problem.to_owned(),
            })
        }))
    })
    .ok();
    match (Config::from_vars(vars), options) {
        (Ok(config), Some(options)) if faults.is_empty() => Ok((config, options)),
        (Ok(_), _) => Err(faults),
        (Err(mut more), _) => {
            more.append(&mut faults);
            Err(more)
        }
    }
}

fn describe(route: &Route) -> String {
    let robot = |robot: &Endpoint| {
        let signing = match robot.secrets.len() {
            0 => "no signing",
            1 => "signing with a secret",
            _ => "signing with two secrets in rotation",
        };
        format!("{}, {signing}", robot.webhook.masked())
    };
    let levels = |levels: &[event::Level]| match levels {
        [] => "none".to_owned(),
        levels => levels
            .iter()
            .map(|l| l.as_str())
            .collect::<Vec<_>>()
            .join(","),
    };
    let globs = |globs: &[crate::glob::Glob], empty: &str| match globs {
        [] => empty.to_owned(),
        globs => globs
            .iter()
            .map(|g| g.as_str())
            .collect::<Vec<_>>()
            .join(","),
    };
    let style = &route.style;
    let who = &style.mentions;
    let filter = &route.filter;
    let mentioned = match (who.all, who.mobiles.len() + who.user_ids.len()) {
        (false, 0) => "nobody".to_owned(),
        (all, people) => format!(
            "{}{} for {}",
            if all { "everybody and " } else { "" },
            if people == 1 {
                "1 person".to_owned()
            } else {
                format!("{people} people")
            },
            levels(&who.levels)
        ),
    };
    let lines = [
        ("chatbot", robot(&route.endpoint)),
        (
            "fallback",
            route.fallback.as_ref().map_or("none".into(), robot),
        ),
        (
            "keyword",
            style.keyword.clone().unwrap_or_else(|| "none".into()),
        ),
        ("mentions", mentioned),
        (
            "rate limit",
            format!("{} messages a minute", route.rate_limit),
        ),
        ("levels", levels(&filter.levels)),
        ("include", globs(&filter.include, "none")),
        ("exclude", globs(&filter.exclude, "none")),
        ("regions", globs(&filter.regions, "all")),
        ("resources", globs(&filter.resources, "all")),
        ("not resources", globs(&filter.resources_exclude, "none")),
        ("language", style.language.as_str().into()),
        ("time zone", style.zone.iana_name().unwrap_or("?").into()),
    ];
    let mut text = format!("route {}\n", route.name);
    for (label, value) in lines {
        text.push_str(&format!("  {label:<14} {value}\n"));
    }
    text
}

fn read(file: &OsStr) -> std::io::Result<Vec<u8>> {
    if file == "-" {
        let mut payload = Vec::new();
        std::io::stdin().read_to_end(&mut payload)?;
        return Ok(payload);
    }
    std::fs::read(file)
}

/// Prints to standard output; one that is gone is no error of ours.
fn print(text: &str) -> u8 {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    DONE
}

fn tell(faults: &[Fault]) {
    for fault in faults {
        complain!("{fault}");
    }
}

fn usage(problem: &str) -> u8 {
    complain!("ecs-dingtalk-notifier: {problem}; see --help");
    USAGE
}
