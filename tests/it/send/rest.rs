//! `--rest`: what was not delivered, for the same command once the fault is gone.

use super::{event, folder, record, send, vars};
use crate::support::{TOKEN, group};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_dingtalk::Fault;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn values(file: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_was_not_delivered_is_kept_as_it_came_and_sent_later() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let folder = folder("rest");
    let [rest, more] = ["rest.jsonl", "more.jsonl"].map(|name| folder.join(name));
    let [rest_name, more_name] = [&rest, &more].map(|path| path.to_str().unwrap());
    let input = format!(
        "{}\n{}\n{}\nnonsense\n{}",
        record(&event(2).to_string(), "UnhandledInvocationError"),
        STANDARD.encode(event(1).to_string()),
        event(2),
        record(&event(3).to_string(), ""),
    );
    // Its secret was changed.
    let mut wrong = vars(&webhook);
    wrong[1].1 = "SECffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    let sent = send(&["--rest", rest_name, "-"], &wrong, &input);
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.contains("DINGTALK_SECRET"), "{}", sent.stderr);
    assert!(
        sent.stderr.contains("2 events not delivered, in"),
        "{}",
        sent.stderr
    );
    assert_eq!(values(&rest), [event(2), event(1)]);
    let mode = fs::metadata(&rest).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "no file beside it stays"
    );

    // Nothing of it is overwritten.
    let calls = group.calls().len();
    let sent = send(&["--rest", rest_name, "-"], &vars(&webhook), &input);
    assert_eq!((sent.code, sent.stdout.as_str()), (2, ""));
    assert!(sent.stderr.contains("exists"), "{}", sent.stderr);
    assert_eq!((values(&rest).len(), group.calls().len()), (2, calls));

    let sent = send(&[rest_name, "--rest", more_name], &vars(&webhook), "");
    assert_eq!((sent.code, sent.outcomes()), (0, vec!["delivered"; 2]));
    assert_eq!(values(&more), [] as [Value; 0]);
    assert_eq!(group.deliveries().len(), 1);
    // The end of the chain: nothing is left.
    let sent = send(&[more_name], &vars(&webhook), "");
    assert_eq!(sent.code, 0);
}

#[test]
fn an_event_that_one_route_did_not_get_is_not_delivered() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let folder = folder("rest-of-a-route");
    let rest = folder.join("rest.jsonl");
    let mut vars = vars(&webhook);
    // The second route has no secret.
    vars.extend([
        ("DINGTALK_WEBHOOK__ONCALL", webhook.as_str()),
        ("EVENT_RESOURCES__ONCALL", "web-2"),
        ("EVENT_LEVELS__ONCALL", "INFO"),
    ]);
    let input = format!("{}{}", event(1), event(2));
    let sent = send(&["--rest", rest.to_str().unwrap(), "-"], &vars, &input);
    assert_eq!(sent.code, 1);
    assert_eq!(values(&rest), [event(2)]);
}

#[test]
fn a_banned_chatbot_gets_no_more_and_all_of_it_is_kept() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let folder = folder("rest-of-a-ban");
    let rest = folder.join("rest.jsonl");
    group.set_standing_fault(
        TOKEN,
        Some(Fault::Answer(
            r#"{"errcode":660026,"errmsg":"send too fast"}"#.into(),
        )),
    );
    // So long that they are several messages.
    let long = |n| {
        let mut event = event(n);
        event["data"]["instanceName"] = format!("{}{n}", "店".repeat(90)).into();
        event
    };
    let lines: Vec<String> = (0..150).map(|n| long(n).to_string()).collect();
    let sent = send(
        &["--rest", rest.to_str().unwrap(), "-"],
        &vars(&webhook),
        &lines.join("\n"),
    );
    assert_eq!(
        (sent.code, sent.outcomes()),
        (1, vec!["failed: Throttled"; 150])
    );
    assert_eq!((group.calls().len(), values(&rest).len()), (1, 150));
}
