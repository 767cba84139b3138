//! Ctrl-C in the middle: what was sent is known, and all else is kept.

use super::{event, folder, vars};
use crate::platform::{Instance, PATIENCE, binary};
use crate::support::{TOKEN, group};
use fake_dingtalk::{Fault, Group};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Names so long that a message holds some fifty of them.
fn letters(count: usize) -> String {
    let letter = |n: usize| {
        let mut event = event(n);
        event["data"]["instanceName"] = name(n).into();
        event.to_string() + "\n"
    };
    (0..count).map(letter).collect()
}

fn name(n: usize) -> String {
    format!("{}-{n:03}", "店".repeat(90))
}

fn start(name: &str, group: &Group, count: usize) -> (Instance, PathBuf) {
    let folder = folder(name);
    let [file, rest] = ["letters", "rest"].map(|name| folder.join(name));
    fs::write(&file, letters(count)).unwrap();
    let webhook = group.webhook(TOKEN);
    let mut vars = vars(&webhook);
    // Three messages at once, and the next after ten seconds.
    vars.push(("DINGTALK_RATE_LIMIT", "9"));
    let mut command = binary(&vars);
    command.args(["send", "--rest"]).arg(&rest).arg(&file);
    (Instance::spawn_command(command), rest)
}

fn shown(group: &Group) -> HashSet<usize> {
    let texts: String = group
        .deliveries()
        .into_iter()
        .map(|delivery| delivery.text)
        .collect();
    (0..999).filter(|n| texts.contains(&name(*n))).collect()
}

fn kept(rest: &Path) -> HashSet<usize> {
    let text = fs::read_to_string(rest).unwrap();
    let number = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["id"].as_str().unwrap()[24..].parse().unwrap()
    };
    text.lines().map(number).collect()
}

#[test]
fn while_it_waits_for_its_pace_it_ends_at_once_and_the_rest_is_exact() {
    let group = group();
    let (mut command, rest) = start("waiting", &group, 300);
    assert_eq!(group.wait_for_deliveries(3, PATIENCE).len(), 3);
    command.wait_for_stdout_line(kept_after(&group), PATIENCE);
    command.signal("INT");
    assert_eq!(command.wait_exit(PATIENCE), 1);
    assert_eq!(group.calls().len(), 3);
    let (shown, kept) = (shown(&group), kept(&rest));
    assert!(!shown.is_empty() && shown.is_disjoint(&kept));
    assert_eq!(shown.len() + kept.len(), 300);
    let table = command.stderr_text();
    assert_eq!(table.matches("  delivered\n").count(), shown.len());
    let not_sent = table.matches("not sent: interrupted").count();
    assert_eq!(not_sent, kept.len(), "{table}");
    assert!(
        command
            .stderr_text()
            .contains(&format!("{} events not delivered", kept.len()))
    );
}

/// How many log lines there are once what was shown is logged.
fn kept_after(group: &Group) -> usize {
    shown(group).len() - 1
}

#[test]
fn a_request_under_way_is_finished_and_counts() {
    let group = group();
    group.fault(Fault::Hold);
    let (mut command, rest) = start("under-way", &group, 120);
    assert!(group.wait_until_held(1, PATIENCE));
    // Whatever happens now, nothing is lost.
    assert_eq!(kept(&rest).len(), 120);
    command.signal("TERM");
    command.wait_for_stderr("once more ends at once");
    group.release();
    assert_eq!(command.wait_exit(PATIENCE), 1);
    let (shown, kept) = (shown(&group), kept(&rest));
    assert_eq!(group.deliveries().len(), 1);
    assert!(!shown.is_empty() && shown.is_disjoint(&kept));
    assert_eq!(shown.len() + kept.len(), 120);
}

#[test]
fn twice_ends_at_once_and_the_rest_holds_all_that_may_be_missing() {
    let group = group();
    group.fault(Fault::Hold);
    let (mut command, rest) = start("twice", &group, 120);
    assert!(group.wait_until_held(1, PATIENCE));
    command.signal("INT");
    command.wait_for_stderr("once more ends at once");
    command.signal("INT");
    assert_eq!(command.wait_exit(PATIENCE), 130);
    assert_eq!(kept(&rest).len(), 120);
    group.release();
}
