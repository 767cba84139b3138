//! Standard output and standard error that are not read, or closed.

use super::{NOWHERE, event};
use crate::platform::{Call, Instance, PATIENCE, free_port};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, pipe};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The log lines of this many events are more than a pipe's buffer.
const MANY: usize = 400;

fn many(from: usize) -> String {
    let events: Vec<Value> = (from..from + MANY).map(event).collect();
    json!(events).to_string()
}

/// All lines are written when the output is read later.
#[test]
fn when_output_is_not_read_invocations_answer_in_time() {
    let (reader, writer) = pipe().unwrap();
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_with_output(&env, |command| {
        command.stdout(writer.try_clone().unwrap());
    });
    drop(writer);
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
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    let ids: BTreeSet<String> = (0..2 * MANY)
        .map(|_| {
            let line: Value = serde_json::from_str(&lines.recv_timeout(PATIENCE).unwrap()).unwrap();
            line["eventId"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 2 * MANY);
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    assert!(lines.recv_timeout(PATIENCE).is_err(), "a line too many");
}

#[test]
fn when_output_is_not_read_sigterm_ends_the_process() {
    let (_reader, writer) = pipe().unwrap();
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_with_output(&env, |command| {
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
fn when_output_is_closed_invocations_succeed() {
    let port = free_port().to_string();
    let env = [
        ("DINGTALK_WEBHOOK", NOWHERE),
        ("EVENT_LEVELS", "none"),
        ("FC_SERVER_PORT", &port),
    ];
    let mut instance = Instance::start_with_output(&env, |command| {
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
