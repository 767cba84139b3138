//! `history`: what was not shown, from the function's log.

use super::{DONE, FAILED, NAME, is_option, print, print_error, refuse, usage};
use crate::history::{Answer, History, LineCounts, NeverShown, RouteCounts};
use crate::report::counted;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd;

/// Bytes that are printed at once.
const PORTION: usize = 64 * 1024;

/// Reads the log lines of all files and prints what they tell. Fails if an event was never shown.
pub(super) fn run(arguments: &[OsString]) -> u8 {
    let (options, files): (Vec<_>, Vec<_>) = arguments.iter().partition(|word| is_option(word));
    if let Some(option) = options.iter().find(|option| **option != "--json") {
        return usage(&format!("history has no option {option:?}"));
    }
    if files.is_empty() {
        return usage("history needs a FILE (- is standard input)");
    }
    let answer = match read(&files) {
        Ok(history) => history.into_answer(),
        Err(problem) => return refuse(problem),
    };
    print_error(format!("{NAME}: {}", describe_lines(answer.lines)));
    if options.is_empty() {
        let events = answer.never_shown.iter().map(describe_event);
        print_list(describe_counts(&answer), events, &describe_rest(&answer));
    } else {
        print_json(&answer);
    }
    match answer.never_shown_count() {
        0 => DONE,
        _ => FAILED,
    }
}

/// Reads all files. They are opened before one of them is read.
fn read(files: &[&OsString]) -> Result<History, String> {
    let because = |file: &OsString, error| format!("cannot read {file:?}: {error}");
    let mut inputs = Vec::new();
    for file in files {
        let input = open(file).map_err(|error| because(file, error))?;
        inputs.push((file, input));
    }
    let mut history = History::default();
    for (file, input) in inputs {
        history.read(input).map_err(|error| because(file, error))?;
    }
    Ok(history)
}

fn open(file: &OsString) -> std::io::Result<File> {
    if file != "-" {
        return File::open(file);
    }
    // As a file, standard input needs no code of its own.
    std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map(File::from)
}

fn describe_lines(lines: LineCounts) -> String {
    let read = counted(lines.read, "log line", "log lines");
    let left_out = counted(lines.left_out, "other", "others");
    let mut text = format!("{read} of the function read, {left_out} left out");
    if lines.spoiled > 0 {
        let (spoiled, verb) = (lines.spoiled, if lines.spoiled == 1 { "is" } else { "are" });
        text.push_str(&format!(
            "; {spoiled} of them {verb} \"Invalid date\", which s logs prints in place of the function's lines: download the log from Simple Log Service instead"
        ));
    }
    text
}

/// Prints the list of events in portions: it may be long.
fn print_list(mut text: String, items: impl Iterator<Item = String>, end: &str) {
    for item in items {
        text.push_str(&item);
        if text.len() > PORTION {
            print(&text);
            text.clear();
        }
    }
    text.push_str(end);
    print(&text);
}

fn print_json(answer: &Answer) {
    let mut begin = answer.to_json().to_string();
    begin.pop();
    begin.push_str(",\"neverShown\":[");
    let mut separator = "";
    let events = answer.never_shown.iter().map(|event| {
        let item = format!("{separator}{}", event.json);
        separator = ",";
        item
    });
    print_list(begin, events, "]}\n");
}

/// Describes the routes, and how many events were never shown.
fn describe_counts(answer: &Answer) -> String {
    if answer.routes.is_empty() {
        return "no events\n".to_owned();
    }
    let span = answer.span.as_ref();
    let span = span.map_or(String::new(), |(from, to)| format!("{from} to {to}\n\n"));
    let routes = answer.routes.iter();
    let routes: String = routes
        .map(|(name, counts)| describe_route(name, counts))
        .collect();
    let never_shown = match answer.never_shown_count() {
        0 => "every event was shown or filtered\n".to_owned(),
        1 => "1 event was never shown:\n".to_owned(),
        count => format!("{count} events were never shown:\n"),
    };
    format!("{span}{routes}{never_shown}")
}

fn describe_route(name: &str, counts: &RouteCounts) -> String {
    let events = counted(counts.events, "event", "events");
    let messages = counted(counts.messages, "message", "messages");
    let by_rule = |(rule, count): (&String, &Value)| format!("{count} by {rule}");
    let filtered: Vec<String> = counts.filtered.iter().map(by_rule).collect();
    let filtered = if filtered.is_empty() {
        "0".to_owned()
    } else {
        filtered.join(", ")
    };
    let mut failed = counts.failed.to_string();
    if counts.failed > 0 {
        let (shown, never) = (counts.failed_but_shown, counts.never_shown());
        failed.push_str(&format!(": {shown} shown all the same, {never} never"));
    }
    let (delivered, duplicate) = (counts.delivered, counts.duplicate);
    format!(
        "\
route {name}: {events}, {messages}
  delivered  {delivered}
  duplicate  {duplicate}
  filtered   {filtered}
  failed     {failed}

"
    )
}

/// Describes an event that was never shown in three lines.
fn describe_event(event: &NeverShown) -> String {
    let event = event.to_value();
    // A label, the member behind it, and what follows.
    let part = |(before, name, after): (&str, &str, &str)| match &event[name] {
        Value::Null => String::new(),
        Value::String(text) => format!("{before}{text}{after}"),
        number => format!("{before}{number}{after}"),
    };
    let parts = [
        ("", "time", ""),
        (" ", "event", ""),
        (" ", "resource", ""),
        (" (", "resourceName", ")"),
        ("\n  route ", "route", ""),
        (", ", "region", ""),
        (", event ", "eventId", ""),
        (", tries ", "tries", ""),
        (", ", "class", ""),
        (", errcode ", "errcode", ""),
        ("\n  ", "remedy", ""),
    ];
    parts.map(part).concat() + "\n"
}

/// Describes what follows the list of events.
fn describe_rest(answer: &Answer) -> String {
    let mut text = String::new();
    if answer.more_never_shown > 0 {
        let more = answer.more_never_shown;
        text.push_str(&format!(
            "and {more} more, too many to keep their details\n"
        ));
    }
    if let (Some(duration), Some(line)) = (answer.slowest_ms, &answer.slowest) {
        let text_of = |name: &str| line[name].as_str().unwrap_or_default();
        let [time, event, id, route] = ["time", "event", "eventId", "route"].map(text_of);
        text.push_str(&format!(
            "\nslowest: {duration} ms, {time} {event}, route {route}, event {id}\n"
        ));
    }
    text
}
