//! Standard output and standard error that are not read, or that are closed.

use super::{NOWHERE, event};
use crate::platform::{Call, Instance, PATIENCE, free_port};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The log lines of this many events are more than a pipe's buffer.
const MANY: usize = 400;

fn many(from: usize) -> String {
    let events: Vec<Value> = (from..from + MANY).map(event).collect();
    json!(events).to_string()
}

/// Lines are lost, and their number is reported when the output is read later.
#[test]
fn when_stdout_is_not_read_answers_are_in_time() {
    let (reader, writer) = pipe().unwrap();
    let (errors, errors_writer) = pipe().unwrap();
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_redirected(&env, |command| {
        command.stdout(writer.try_clone().unwrap());
        command.stderr(errors_writer.try_clone().unwrap());
    });
    drop((writer, errors_writer));
    for from in [0, MANY] {
        let begun = Instant::now();
        let answer = instance
            .caller()
            .call(&Call::invoke(many(from)).timeout("9"));
        assert_eq!(answer.success()["events"].as_array().unwrap().len(), MANY);
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "{:?}",
            begun.elapsed()
        );
    }
    let (lines, errors) = (lines(reader), lines(errors));
    let id = |line: String| {
        let line: Value = serde_json::from_str(&line).unwrap();
        line["eventId"].as_str().unwrap().to_owned()
    };
    // What the pipe took is there, line by line.
    let mut ids = BTreeSet::from([id(lines.recv_timeout(PATIENCE).unwrap())]);
    // A later invocation loses nothing, and reports what was lost.
    instance.caller().invoke(many(2 * MANY)).success();
    let lost = loop {
        let line = errors.recv_timeout(PATIENCE).unwrap();
        if let Some(lost) = line.strip_suffix(LOST) {
            break lost.parse::<usize>().unwrap();
        }
    };
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    ids.extend(lines.iter().map(id));
    assert!(lost > 0 && lost < 2 * MANY, "{lost}");
    assert_eq!(ids.len(), 3 * MANY - lost);
}

/// What follows the number of lost lines on stderr.
const LOST: &str = " log lines were lost: standard output did not take them";

/// Reads lines from a pipe from now on.
fn lines(reader: PipeReader) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

#[test]
fn when_stdout_is_not_read_the_process_ends_at_a_signal() {
    let (_reader, writer) = pipe().unwrap();
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_redirected(&env, |command| {
        command.stdout(writer.try_clone().unwrap());
    });
    instance
        .caller()
        .call(&Call::invoke(many(0)).timeout("3"))
        .success();
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
}

#[test]
fn when_stdout_and_stderr_are_closed_deliveries_succeed() {
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_redirected(&env, |command| {
        let broken = || pipe().unwrap().1;
        command.stdout(broken()).stderr(broken());
    });
    let mut caller = instance.caller();
    for from in 0..3 {
        caller.invoke(many(from * MANY)).success();
    }
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
}
