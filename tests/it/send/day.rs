//! The way of an event that fails for a day, as RELIABILITY.md tells it: from the first refusal to the
//! message, with the commands that a person uses.

use super::{event, folder, send, vars};
use crate::platform::run;
use crate::support::{Bench, SECRET, TOKEN, group};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often EventBridge repeats an event within a day.
const RETRIES: usize = 176;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What a person reads of a log: exit code and answer.
fn history(log: &Path) -> (i32, Value) {
    let output = run(&["history", "--json", log.to_str().unwrap()], &[], "");
    let answer = serde_json::from_str(&text(output.stdout)).unwrap();
    (output.status.code().unwrap(), answer)
}

#[test]
fn an_event_that_fails_for_a_day_is_found_and_shown() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let folder = folder("day");
    let [log, letters, rest] = ["log", "letters.xml", "rest"].map(|name| folder.join(name));

    // The chatbot's secret was reset, and the function still has the old one.
    let mut stale = vars(&webhook);
    stale[1].1 = "SECffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    let event = event(1);
    // EventBridge repeats what fails after 1, 2, 4, … 512 s, for a day.
    let bench = Bench::new(&stale);
    let payload = event.to_string();
    for attempt in 0..=RETRIES {
        let (result, _) = bench.handle(&payload);
        assert_eq!(result.unwrap_err().0, "Refused");
        let wait = Duration::from_secs(1 << attempt.min(9));
        bench.clock.advance(wait);
        group.advance(wait);
    }
    // The operator has the log and the dead letter.
    let mut lines = bench.lines.text();
    fs::write(&log, &lines).unwrap();
    let body = STANDARD.encode(event.to_string());
    let message = format!(
        "<?xml version=\"1.0\"?>\n<Message xmlns=\"http://mns.aliyuncs.com/doc/v1/\">\n  <MessageId>0123456789ABCDEF-1-EXAMPLE-1</MessageId>\n  <MessageBody>{body}</MessageBody>\n  <DequeueCount>0</DequeueCount>\n</Message>\n"
    );
    fs::write(&letters, message).unwrap();

    // What was not shown, and why?
    let (code, answer) = history(&log);
    assert_eq!(code, 1);
    assert_eq!(answer["neverShown"].as_array().unwrap().len(), 1);
    let lost = &answer["neverShown"][0];
    assert_eq!(lost["eventId"], event["id"]);
    assert_eq!(lost["tries"], RETRIES + 1);
    let remedy = lost["remedy"].as_str().unwrap();
    assert!(remedy.contains("DINGTALK_SECRET"), "{remedy}");

    // Before the fault is gone, sending changes nothing, and the event is kept.
    let sent = send(
        &["--rest", rest.to_str().unwrap(), letters.to_str().unwrap()],
        &stale,
        "",
    );
    assert_eq!((sent.code, sent.outcomes()), (1, vec!["failed: Refused"]));
    assert!(group.deliveries().is_empty());

    // The secret is set right, on the next day.
    group.set_clock_ms(jiff::Timestamp::now().as_millisecond() as u64);
    let right = vars(&webhook);
    assert!(right.contains(&("DINGTALK_SECRET", SECRET)));
    let live = run(&["check", "--live"], &right, "");
    assert_eq!(live.status.code(), Some(0), "{}", text(live.stdout));
    let sent = send(&[rest.to_str().unwrap()], &right, "");
    assert_eq!((sent.code, sent.outcomes()), (0, vec!["delivered"]));
    let [delivery] = &group.deliveries()[..] else {
        panic!()
    };
    assert!(
        delivery.text.contains(" 08:01:00 (UTC+08:00)") && delivery.text.contains("sent again")
    );

    // Nothing is open any more.
    lines.push_str(&sent.stdout);
    fs::write(&log, lines).unwrap();
    let (code, answer) = history(&log);
    assert_eq!((code, &answer["neverShown"]), (0, &Value::Array(vec![])));
    assert_eq!(answer["routes"][0]["failedButShown"], 1, "{answer}");
}
