//! `docs/operations.md` as it is written: what one sees is what the function says, and the commands do
//! what the page says. A test for each section; the Chinese page has the same code
//! (`languages.rs`).

use super::markdown::Section;
use super::page;
use super::sandbox::Sandbox;
use super::seen::{assert_seen, run, with_settings};
use crate::samples::{REBOOT, STOPPED, sample};
use crate::support::{Bench, SECRET, TOKEN};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_dingtalk::{Fault, State};
use serde_json::{Value, json};
use std::time::Duration;

const PAGE: &str = "docs/operations.md";
const OLD_SECRET: &str = "SECffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

fn section(heading: &str) -> Section {
    let page = page(PAGE);
    let at = page.sections.iter().position(|s| s.heading == heading);
    let at = at.unwrap_or_else(|| panic!("no section {heading}"));
    page.sections.into_iter().nth(at).unwrap()
}

/// A sandbox, and a function in this process with the same settings.
fn stage(heading: &str, more: &[(&str, &str)]) -> (Section, Sandbox, Bench) {
    let mut sandbox = Sandbox::new(heading).set("EVENT_LEVELS", "CRITICAL,WARN,INFO");
    for (name, value) in more {
        sandbox = sandbox.set(name, value);
    }
    let bench = Bench::new(&sandbox.vars());
    (section(heading), sandbox, bench)
}

fn answer(errcode: i64, errmsg: &str) -> Fault {
    Fault::Answer(json!({"errcode": errcode, "errmsg": errmsg}).to_string())
}

fn refused(bench: &Bench) {
    assert_eq!(bench.handle(&sample(STOPPED)).0.unwrap_err().0, "Refused");
}

#[test]
fn first_look() {
    let (section, sandbox, bench) = stage("First look", &[]);
    // One event is left out, another is refused.
    let strict = sandbox.set("EVENT_LEVELS", "CRITICAL,WARN");
    let filtering = Bench::new(&strict.vars());
    assert_eq!(filtering.handle(&sample(STOPPED)).0, Ok(()));
    strict.group.fault(answer(400102, "bot is stopped"));
    refused(&bench);
    let lines = filtering.lines.text() + &bench.lines.text();
    strict.file("function.log", &lines);
    strict.file("FILE", &sample(REBOOT));
    let seen: Vec<Value> = filtering.lines.all();
    assert_seen(&section, &seen);
    // history ends with 1, because an event was never shown.
    run(&section, &strict, &[0, 1, 0, 0, 0]);
    assert!(strict.group.deliveries().is_empty());
}

#[test]
fn a_burst() {
    let (section, sandbox, bench) = stage("A burst", &[]);
    let event = |n: usize| {
        json!({
            "id": format!("0a1b2c3d-0000-4000-8000-{n:012}"), "source": "acs.ecs",
            "type": "ecs:Instance:StateChange", "time": "2026-11-25T02:01:14Z",
            "data": {"resourceId": format!("i-bp1example{n:010}"), "state": "Stopped"},
        })
    };
    let burst: Vec<Value> = (0..60).map(event).collect();
    assert_eq!(bench.handle(&json!(burst).to_string()).0, Ok(()));
    assert_eq!(sandbox.group.deliveries().len(), 1);
    // A third of a minute's messages may go out at once. What comes then waits for its turn, and one
    // that has little time fails; EventBridge repeats it.
    let mut n = 100;
    let late = loop {
        let payload = event(n).to_string();
        if bench
            .handle_within(&payload, Duration::from_secs(3))
            .0
            .is_err()
        {
            break payload;
        }
        n += 1;
    };
    bench.clock.advance(Duration::from_secs(60));
    sandbox.group.advance(Duration::from_secs(60));
    assert_eq!(bench.handle(&late).0, Ok(()));
    assert_seen(&section, &bench.lines.all());
    sandbox.file("function.log", &bench.lines.text());
    run(&section, &sandbox, &[0, 0, 0, 0]);
    assert_eq!(sandbox.called(), ["s logs", "s deploy -y"]);
}

#[test]
fn a_ban() {
    let (section, sandbox, bench) = stage("A ban", &[]);
    sandbox.group.fault(answer(130101, "send too fast"));
    let (error, _) = bench.handle(&sample(STOPPED)).0.unwrap_err();
    assert_eq!(error, "Throttled");
    assert_seen(&section, &bench.lines.all());
    // No request for ten minutes, and then the repeat is shown.
    bench.clock.advance(Duration::from_secs(595));
    assert!(bench.handle(&sample(STOPPED)).0.is_err());
    assert_eq!(sandbox.group.calls().len(), 1);
    bench.clock.advance(Duration::from_secs(6));
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    // With the second chatbot the group has the event at once.
    let fallback = sandbox.fallback();
    let sandbox = sandbox.set("DINGTALK_FALLBACK_WEBHOOK", &fallback);
    run(&section, &sandbox, &[0, 0, 0]);
    sandbox.group.fault(answer(130101, "send too fast"));
    let bench = Bench::new(&sandbox.vars());
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
}

#[test]
fn a_revoked_token() {
    let revoked = "0000000000000000000000000000000000000000000000000000000000000000";
    let heading = "A revoked token";
    let (section, sandbox, _) = stage(heading, &[]);
    let (right, wrong) = (sandbox.group.webhook(TOKEN), sandbox.group.webhook(revoked));
    let sandbox = sandbox.set("DINGTALK_WEBHOOK", &wrong);
    let bench = Bench::new(&sandbox.vars());
    refused(&bench);
    assert_seen(&section, &bench.lines.all());
    assert!(bench.lines.text().contains("DINGTALK_WEBHOOK"));
    // What does not see it, as the page says.
    let live = vec!["cargo run --quiet -- check --live".to_owned()];
    let live = with_settings(&sandbox, live);
    assert_eq!(live[0].code, 0, "{live:?}");
    let sandbox = sandbox.set("DINGTALK_WEBHOOK", &right);
    run(&section, &sandbox, &[0, 0, 0, 0]);
    assert_eq!(sandbox.group.deliveries().len(), 1);
    // A stopped chatbot needs no deployment.
    let bench = Bench::new(&sandbox.vars());
    let stop = |state| sandbox.group.configure(TOKEN, |robot| robot.state = state);
    stop(State::Stopped);
    refused(&bench);
    assert_eq!(bench.lines.all()[0]["errcode"], 400102);
    stop(State::Active);
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
}

#[test]
fn the_clock_is_off() {
    let (section, sandbox, bench) = stage("The clock is off", &[]);
    sandbox.group.set_clock_offset_ms(-65 * 60 * 1000);
    refused(&bench);
    assert_seen(&section, &bench.lines.all());
    run(&section, &sandbox, &[1, 0]);
    // A keyword in place of the signature.
    let sandbox = sandbox.set("DINGTALK_SECRET", "");
    sandbox.group.configure(TOKEN, |robot| robot.secret = None);
    let bench = Bench::new(&sandbox.vars());
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
}

#[test]
fn the_quota_is_used_up() {
    let (section, sandbox, bench) = stage("The quota is used up", &[]);
    sandbox.group.fault(answer(90020, "limit"));
    refused(&bench);
    assert_seen(&section, &bench.lines.all());
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    sandbox.file("function.log", &bench.lines.text());
    let sandbox = sandbox.set("EVENT_LEVELS", "CRITICAL");
    run(&section, &sandbox, &[0, 0, 1, 0, 0]);
}

// The whole way of a dead letter, from the first refusal on, is `send/day.rs`.
#[test]
fn dead_letters() {
    let (section, sandbox, _) = stage("Dead letters", &[]);
    let body = STANDARD.encode(sample(REBOOT));
    let letter = format!("<Message><MessageBody>{body}</MessageBody></Message>");
    sandbox.file("FILE", &letter);
    // Once refused: the rest is kept, and sent again.
    sandbox.group.fault(answer(400102, "bot is stopped"));
    let done = with_settings(&sandbox, section.commands());
    let codes: Vec<i32> = done.iter().map(|done| done.code).collect();
    assert_eq!(codes, [0, 0, 0, 1, 0], "{done:#?}");
    assert_eq!(sandbox.group.deliveries().len(), 1);
    // Delivered at once: nothing is left.
    std::fs::remove_file(sandbox.folder.join("REST")).unwrap();
    run(&section, &sandbox, &[0, 0, 0, 0, 0]);
    let rest = std::fs::read_to_string(sandbox.folder.join("REST")).unwrap();
    assert_eq!(rest, "");
}

// What is deployed is compared by `deploy/application.rs`.
#[test]
fn upgrade() {
    let (section, sandbox, _) = stage("Upgrade", &[]);
    let done = run(&section, &sandbox, &[0, 0, 0, 0]);
    assert!(
        done[1].output.contains(env!("CARGO_PKG_VERSION")),
        "{done:?}"
    );
}

#[test]
fn rotate_the_secret() {
    let (section, sandbox, _) = stage("Rotate the secret", &[]);
    // Before the deployment the function has the old secret alone.
    let sandbox = sandbox.set("DINGTALK_SECRET", OLD_SECRET);
    let bench = Bench::new(&sandbox.vars());
    refused(&bench);
    assert_seen(&section, &bench.lines.all());
    // Both, the new one first: right before and after the reset.
    let sandbox = sandbox.set("DINGTALK_SECRET", &format!("{SECRET},{OLD_SECRET}"));
    run(&section, &sandbox, &[0, 0, 0, 0]);
    for secret in [OLD_SECRET, SECRET] {
        let bench = Bench::new(&sandbox.vars());
        let own = secret.to_owned();
        sandbox
            .group
            .configure(TOKEN, |robot| robot.secret = Some(own));
        assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    }
}

#[test]
fn remove_it() {
    let (section, sandbox, _) = stage("Remove it", &[]);
    run(&section, &sandbox, &[0]);
    assert_eq!(sandbox.called(), ["s remove -y"]);
}

/// Every section has its test: who adds one adds a test.
#[test]
fn every_section_has_a_test() {
    let tests = include_str!("operations.rs");
    for section in &page(PAGE).sections {
        if section.level == 2 {
            let name = section.heading.to_lowercase().replace(' ', "_");
            assert!(tests.contains(&format!("fn {name}()")), "{name}");
        }
    }
}
