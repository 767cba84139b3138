//! A tick at the real binary: served, sent from a file, and previewed.

use super::*;
use crate::platform::{Call, Instance, run};

/// What a command printed and how it ended.
struct Printed {
    code: i32,
    stdout: String,
    stderr: String,
}

fn command(name: &str, vars: &[(&str, &str)], input: &Value) -> Printed {
    let output = run(&[name, "-"], vars, &input.to_string());
    Printed {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// The variables of a function with a digest at a time of the day in UTC.
fn vars<'a>(webhook: &'a str, endpoint: &'a str, at: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("DINGTALK_WEBHOOK", webhook),
        ("DINGTALK_SECRET", SECRET),
        ("MESSAGE_LANGUAGE", "en"),
        ("MESSAGE_TIME_ZONE", "UTC"),
        ("MESSAGE_DIGEST_AT", at),
        ("MESSAGE_REMIND_BEFORE", "24h"),
        ("RESOURCE_ENDPOINT", endpoint),
        ("RESOURCE_REGIONS", REGION),
    ]
}

#[test]
fn the_binary_answers_a_tick() {
    let (group, cloud) = (group(), Cloud::start());
    let identity = cloud.role_identity(ACCOUNT);
    let (_, event) = planned(1, &now().to_string());
    cloud.add_event(ACCOUNT, REGION, event.status("Executing"));
    let (webhook, endpoint) = (group.webhook(TOKEN), cloud.endpoint());
    let time = now();
    let at = time.strftime("%H:%M").to_string();
    let instance = Instance::start(&vars(&webhook, &endpoint, &at));
    let call = Call::invoke(tick(&time.to_string()).to_string());
    let token = identity.token.as_deref().unwrap();
    let call = call.identity(&identity.id, &identity.secret, token);
    let answer = instance.caller().call(&call);
    assert_eq!(answer.status, 200, "{answer:?}");
    let [shown] = group.deliveries().try_into().unwrap();
    assert!(
        shown.title.contains("1 maintenance event under way"),
        "{}",
        shown.title
    );
}

#[test]
fn send_takes_a_tick_that_is_the_whole_file() {
    let (group, cloud) = (group(), Cloud::start());
    let identity = cloud.role_identity(ACCOUNT);
    let (_, event) = planned(1, "2030-01-01T00:00:00Z");
    cloud.add_event(ACCOUNT, REGION, event);
    let (webhook, endpoint) = (group.webhook(TOKEN), cloud.endpoint());
    let time = now();
    let at = time.strftime("%H:%M").to_string();
    let mut vars = vars(&webhook, &endpoint, &at);
    vars.extend([
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", identity.id.as_str()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", &identity.secret),
        (
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            identity.token.as_deref().unwrap(),
        ),
    ]);
    let tick = tick(&time.to_string());
    let sent = command("send", &vars, &tick);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert_eq!(group.deliveries().len(), 1);
    // In a list or a record it is left out.
    let sent = command("send", &vars, &json!([tick]));
    assert_eq!(sent.code, 0);
    assert!(sent.stderr.contains("left out: a tick"), "{}", sent.stderr);
    assert_eq!(group.deliveries().len(), 1);
}

#[test]
fn preview_shows_what_is_due_and_asks_nobody() {
    let (group, cloud) = (group(), Cloud::start());
    let (webhook, endpoint) = (group.webhook(TOKEN), cloud.endpoint());
    let time = now();
    let at = time.strftime("%H:%M").to_string();
    let vars = vars(&webhook, &endpoint, &at);
    let shown = command("preview", &vars, &tick(&time.to_string()));
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for part in [
        "digest: due by MESSAGE_DIGEST_AT\n",
        "sign of life: never, without MESSAGE_HEARTBEAT_AT\n",
        "reminder 24h: due by MESSAGE_REMIND_BEFORE for what begins after ",
    ] {
        assert!(shown.stdout.contains(part), "{}", shown.stdout);
    }
    let shown = command("preview", &vars, &tick("2020-01-01T00:00:00Z"));
    assert!(
        shown.stdout.contains("more than a day old"),
        "{}",
        shown.stdout
    );
    assert!(cloud.calls().is_empty() && group.calls().is_empty());
}
