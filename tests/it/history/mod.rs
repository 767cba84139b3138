//! The command `history`: from the function's own log to what was not shown.

use crate::platform::{Instance, run};
use crate::samples::{REBOOT, STOPPED, sample};
use crate::support::{SECRET, TOKEN, group};
use fake_dingtalk::Fault;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What the command printed and how it ended.
struct Printed {
    code: i32,
    stdout: String,
    stderr: String,
}

fn history(arguments: &[&str], input: &str) -> Printed {
    let arguments = [&["history"], arguments].concat();
    let output = run(&arguments, &[], input);
    Printed {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn line(id: &str, route: &str, outcome: &str, others: Value) -> Value {
    let mut line = json!({
        "time": "2026-11-25T01:01:00.000Z",
        "eventId": id,
        "event": "Instance:SystemFailure.Reboot:Executing",
        "level": "CRITICAL",
        "resource": "i-bp1exampleexample0001",
        "resourceName": "web-1",
        "region": "cn-hangzhou",
        "route": route,
        "outcome": outcome,
        "rule": "EVENT_LEVELS",
    });
    for (name, value) in others.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

/// A small log: of four events on the first route, one was never shown.
fn small_log() -> String {
    let failed = |time: &str, id: &str| {
        let remedy = "DINGTALK_SECRET: copy the secret again (310000 sign not match)";
        let others = json!({"time": time, "errcode": 310000, "class": "refused", "attempts": 1, "remedy": remedy});
        line(id, "default", "failed", others)
    };
    let lines = [
        line(
            "e-1",
            "default",
            "delivered",
            json!({"messageUuid": "1", "durationMs": 90}),
        ),
        failed("2026-11-25T01:02:00.000Z", "e-2"),
        failed("2026-11-25T01:03:00.000Z", "e-3"),
        failed("2026-11-25T01:04:00.000Z", "e-3"),
        line(
            "e-2",
            "default",
            "delivered",
            json!({"messageUuid": "2", "durationMs": 812}),
        ),
        line("e-4", "default", "filtered", json!({})),
        line(
            "e-1",
            "oncall",
            "filtered",
            json!({"rule": "EVENT_EXCLUDE__ONCALL"}),
        ),
    ];
    let lines = lines.map(|line| format!("2026-11-25 9:01:00 {line}\n"));
    format!("FC Invoke Start RequestId: 1\n{}", lines.concat())
}

#[test]
fn the_text_names_what_was_never_shown_and_what_to_do() {
    let printed = history(&["-"], &small_log());
    assert_eq!(printed.code, 1);
    assert_eq!(
        printed.stderr,
        "ecs-dingtalk-notifier: 7 log lines of the function read, 1 other left out\n"
    );
    let expected = "\
2026-11-25T01:01:00.000Z to 2026-11-25T01:04:00.000Z

route default: 4 events, 2 messages
  delivered  2
  duplicate  0
  filtered   1 by EVENT_LEVELS
  failed     2: 1 shown all the same, 1 never

route oncall: 1 event, 0 messages
  delivered  0
  duplicate  0
  filtered   1 by EVENT_EXCLUDE__ONCALL
  failed     0

1 event was never shown:
2026-11-25T01:04:00.000Z Instance:SystemFailure.Reboot:Executing i-bp1exampleexample0001 (web-1)
  route default, cn-hangzhou, event e-3, tries 2, refused, errcode 310000
  DINGTALK_SECRET: copy the secret again (310000 sign not match)

slowest: 812 ms, 2026-11-25T01:01:00.000Z Instance:SystemFailure.Reboot:Executing, route default, event e-2
";
    assert_eq!(printed.stdout, expected);
}

#[test]
fn the_json_is_one_line_with_the_names_of_the_log() {
    for arguments in [["--json", "-"], ["-", "--json"]] {
        let printed = history(&arguments, &small_log());
        assert_eq!((printed.code, printed.stdout.matches('\n').count()), (1, 1));
        let answer: Value = serde_json::from_str(&printed.stdout).unwrap();
        let expected = json!({
            "from": "2026-11-25T01:01:00.000Z",
            "to": "2026-11-25T01:04:00.000Z",
            "routes": [
                {
                    "route": "default", "events": 4, "delivered": 2, "duplicate": 0,
                    "filtered": {"EVENT_LEVELS": 1}, "failed": 2, "failedButShown": 1,
                    "neverShown": 1, "messages": 2,
                },
                {
                    "route": "oncall", "events": 1, "delivered": 0, "duplicate": 0,
                    "filtered": {"EVENT_EXCLUDE__ONCALL": 1}, "failed": 0, "failedButShown": 0,
                    "neverShown": 0, "messages": 0,
                },
            ],
            "neverShown": [{
                "time": "2026-11-25T01:04:00.000Z", "route": "default", "eventId": "e-3",
                "event": "Instance:SystemFailure.Reboot:Executing", "level": "CRITICAL",
                "resource": "i-bp1exampleexample0001", "resourceName": "web-1",
                "region": "cn-hangzhou", "errcode": 310000, "class": "refused",
                "remedy": "DINGTALK_SECRET: copy the secret again (310000 sign not match)",
                "tries": 2,
            }],
            "moreNeverShown": 0,
            "messages": 2,
            "slowestMs": 812,
            "slowest": {
                "time": "2026-11-25T01:01:00.000Z", "route": "default", "eventId": "e-2",
                "event": "Instance:SystemFailure.Reboot:Executing", "outcome": "delivered",
                "durationMs": 812,
            },
            "linesRead": 7,
            "linesLeftOut": 1,
        });
        assert_eq!(answer, expected);
    }
}

#[test]
fn when_nothing_was_lost_the_exit_code_is_0() {
    for (input, part) in [
        ("", "no events\n"),
        ("FC Invoke Start RequestId: 1\n", "no events\n"),
        (
            &line("1", "default", "filtered", json!({})).to_string(),
            "every event was shown or filtered\n",
        ),
        (
            &line("1", "default", "duplicate", json!({})).to_string(),
            "every event was shown or filtered\n",
        ),
    ] {
        let printed = history(&["-"], input);
        assert_eq!(printed.code, 0, "{input}");
        assert!(printed.stdout.contains(part), "{}", printed.stdout);
    }
    let empty: Value = serde_json::from_str(&history(&["--json", "-"], "").stdout).unwrap();
    assert_eq!(empty["neverShown"], json!([]));
    assert_eq!(empty["slowestMs"], Value::Null);
}

#[test]
fn wrong_usage_and_unreadable_files_end_with_code_2_before_anything_is_printed() {
    for (arguments, part) in [
        (&[][..], "history needs a FILE"),
        (&["--json"], "history needs a FILE"),
        (&["--jsn", "-"], "history has no option \"--jsn\""),
        (&["-", "no-such-file"], "cannot read \"no-such-file\": "),
        (&["-", "src"], "cannot read \"src\": "),
    ] {
        let printed = history(arguments, &small_log());
        assert_eq!(
            (printed.code, printed.stdout.as_str()),
            (2, ""),
            "{arguments:?}"
        );
        let line = format!("ecs-dingtalk-notifier: {part}");
        assert!(printed.stderr.starts_with(&line), "{}", printed.stderr);
        assert_eq!(
            printed.stderr.matches('\n').count(),
            1,
            "{}",
            printed.stderr
        );
    }
    assert!(
        history(&["--help"], "")
            .stdout
            .contains("history [--json] FILE...")
    );
}

#[test]
fn several_files_are_one_log() {
    let folder = std::env::temp_dir().join(format!("history-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.join(name));
    std::fs::write(
        &first,
        line("1", "default", "failed", json!({})).to_string(),
    )
    .unwrap();
    std::fs::write(
        &second,
        line("1", "default", "delivered", json!({})).to_string(),
    )
    .unwrap();
    let [first, second] = [&first, &second].map(|path| path.to_str().unwrap());
    assert_eq!(history(&[first], "").code, 1);
    assert_eq!(history(&[first, second], "").code, 0);
    assert_eq!(history(&[second, first, first], "").code, 0);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_log_of_the_function_itself_is_understood() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
    ];
    let instance = Instance::start(&vars);
    let mut caller = instance.caller();
    let refused =
        || Fault::Answer(r#"{"errcode":310000,"errmsg":"keywords not in content"}"#.into());
    // The first is shown at its second try, the second never.
    group.fault(refused());
    assert_eq!(caller.invoke(sample(STOPPED)).status, 404);
    assert_eq!(caller.invoke(sample(STOPPED)).status, 200);
    assert_eq!(caller.invoke(sample(STOPPED)).status, 200);
    group.fault(refused());
    assert_eq!(caller.invoke(sample(REBOOT)).status, 404);
    instance.wait_for_stdout_line(3, Duration::from_secs(20));
    let log = instance.stdout_lines().join("\n");
    instance.sigterm();

    let printed = history(&["--json", "-"], &log);
    assert_eq!(printed.code, 1, "{log}");
    let answer: Value = serde_json::from_str(&printed.stdout).unwrap();
    let counts = &answer["routes"][0];
    for (name, count) in [
        ("events", 2),
        ("delivered", 1),
        ("duplicate", 1),
        ("failed", 2),
        ("failedButShown", 1),
        ("neverShown", 1),
        ("messages", 1),
    ] {
        assert_eq!(counts[name], count, "{name}: {answer}");
    }
    let reboot: Value = serde_json::from_str(&sample(REBOOT)).unwrap();
    let never = &answer["neverShown"][0];
    assert_eq!(never["eventId"], reboot["id"]);
    assert_eq!(
        (&never["errcode"], &never["tries"]),
        (&json!(310000), &json!(1))
    );
    assert!(
        never["remedy"]
            .as_str()
            .is_some_and(|remedy| !remedy.is_empty())
    );
    assert_eq!(answer["linesLeftOut"], 0);
}

/// A day's log in three forms of one file, and each line's route, event and outcome.
fn day(events: usize) -> (String, Vec<(usize, usize, &'static str)>) {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut log = String::from("__time__,\"message\",qualifier\r\n");
    let mut outcomes = Vec::new();
    for event in 0..events {
        let route = random(3) as usize;
        let tries = if random(8) == 0 { 1 + random(3) } else { 1 };
        for _ in 0..tries {
            let outcome = match random(10) {
                0..5 => "delivered",
                5 => "duplicate",
                6..9 => "filtered",
                _ => "failed",
            };
            outcomes.push((route, event, outcome));
            let text = format!(
                r#"{{"time":"2026-11-25T01:01:00.000Z","eventId":"e-{event}","event":"A:B","level":"INFO","route":"r{route}","outcome":"{outcome}","rule":"EVENT_LEVELS","remedy":"say \"no\" to {{"}}"#
            );
            match random(4) {
                0 => log.push_str(&format!(
                    "1764032460,\"{}\",LATEST\r\n",
                    text.replace('"', "\"\"")
                )),
                1 => log.push_str(&json!({"message": text, "qualifier": "LATEST"}).to_string()),
                _ => log.push_str(&format!("c-1 {text}")),
            }
            log.push_str("\nFC Invoke End RequestId: {1}\n");
        }
    }
    (log, outcomes)
}

#[test]
fn a_day_of_100_000_events_is_counted_right() {
    let (log, outcomes) = day(100_000);
    let printed = history(&["--json", "-"], &log);
    let answer: Value = serde_json::from_str(&printed.stdout).unwrap();

    // Counted in another way: by sets of events.
    let mut sets: HashMap<(usize, &str), HashSet<usize>> = HashMap::new();
    for (route, event, outcome) in &outcomes {
        sets.entry((*route, outcome)).or_default().insert(*event);
    }
    let mut never_shown = HashSet::new();
    for route in 0..3 {
        let counts = &answer["routes"][route];
        let [delivered, duplicate, filtered, failed] =
            ["delivered", "duplicate", "filtered", "failed"]
                .map(|outcome| &sets[&(route, outcome)]);
        let shown: HashSet<usize> = delivered.union(duplicate).copied().collect();
        let never: HashSet<usize> = failed.difference(&shown).copied().collect();
        assert_eq!(counts["route"], format!("r{route}"));
        assert_eq!(counts["delivered"], delivered.len());
        assert_eq!(counts["duplicate"], duplicate.len());
        assert_eq!(counts["filtered"]["EVENT_LEVELS"], filtered.len());
        assert_eq!(counts["failed"], failed.len());
        assert_eq!(counts["failedButShown"], failed.len() - never.len());
        assert_eq!(counts["neverShown"], never.len());
        never_shown.extend(never.iter().map(|event| format!("r{route} e-{event}")));
    }
    let told = answer["neverShown"].as_array().unwrap();
    let name = |event: &Value| {
        let [route, id] = ["route", "eventId"].map(|name| event[name].as_str().unwrap());
        format!("{route} {id}")
    };
    assert_eq!(told.len(), never_shown.len());
    assert_eq!(told.iter().map(name).collect::<HashSet<_>>(), never_shown);
    assert_eq!(answer["linesRead"], outcomes.len());
    assert_eq!(answer["linesLeftOut"], outcomes.len() + 1);
    assert_eq!(printed.code, 1);
}
