//! The real binary, started and called as Function Compute does, and its commands.

use crate::platform::{Call, Instance, run};
use crate::samples::{REBOOT, STOPPED, sample};
use crate::support::{SECRET, TOKEN, group};
use fake_dingtalk::Fault;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::process::Output;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn assert_no_secret(text: &str) {
    assert!(
        !text.contains(TOKEN) && !text.contains(SECRET) && !text.contains("sign="),
        "{text}"
    );
}

#[test]
fn an_event_posted_as_by_the_platform_is_delivered() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let mut instance = Instance::start(&[
        ("DINGTALK_WEBHOOK", &webhook),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
        ("MESSAGE_LANGUAGE", "en"),
    ]);
    let mut caller = instance.caller();
    let body = sample(STOPPED);
    let shapes = [
        Call::invoke(sample(REBOOT)).request_id("1-67a5"),
        // As the local emulator: chunked, in small pieces, empty headers, a trailing line feed.
        Call::invoke(format!("{body}\n"))
            .chunked(7)
            .fragmented(3)
            .empty_headers(),
    ];
    for call in shapes {
        let response = caller.call(&call);
        assert_eq!(response.status, 200, "{:?}", response.json());
        assert_eq!(response.header("x-fc-status"), Some("200"));
        assert_eq!(
            response.json()["events"][0]["routes"][0]["outcome"],
            "delivered"
        );
    }
    // The instance recognises the repeat.
    let response = caller.invoke(&body);
    assert_eq!(
        response.json()["events"][0]["routes"][0]["outcome"],
        "duplicate"
    );
    assert_eq!(group.deliveries().len(), 2);
    let text = &group.deliveries()[1].text;
    assert!(
        text.contains("Stopped") && text.contains("2024-05-06 10:00:14 (UTC+08:00)"),
        "{text}"
    );

    let line = instance.wait_for_stdout_line(2, PATIENCE);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["outcome"], "duplicate");
    let first: Value = serde_json::from_str(&instance.stdout_lines()[0]).unwrap();
    assert_eq!(first["requestId"], "1-67a5");
    // Invalid parts are not logged per event, so their reasons are on stderr.
    let response = caller.call(&Call::invoke("[7,{\"a\":1}]").request_id("1-67a6"));
    assert_eq!(response.json()["errorType"], "InvalidEvent");
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    let stderr = instance.stderr_text();
    for part in ["$[0]: neither", "$[1]: an object"] {
        let line = format!("request 1-67a6: InvalidEvent: {part}");
        assert!(stderr.contains(&line), "{stderr}");
    }
    assert_eq!(instance.stdout_lines().len(), 3);
    assert_no_secret(&instance.stdout_lines().join("\n"));
    assert_no_secret(&stderr);
}

#[test]
fn a_wrong_configuration_is_reported_by_the_first_invocation() {
    let instance = Instance::start(&[
        (
            "DINGTALK_WEBHOOK",
            "http://oapi.dingtalk.com/robot/send?access_token=5ecret5ecret5ecret",
        ),
        ("EVENT_LEVELS", "SEVERE"),
        ("MESSAGE_TIME_ZONE", "Mars/Olympus"),
        ("EVENT_LEVEL", "INFO"),
    ]);
    let mut caller = instance.caller();
    for call in [
        Call::invoke(sample(STOPPED)),
        Call::new("POST", "/initialize"),
    ] {
        let response = caller.call(&call);
        assert_eq!(response.status, 404);
        assert_eq!(response.header("x-fc-status"), Some("404"));
        let body = response.json();
        assert_eq!(body["errorType"], "InvalidConfiguration");
        assert_eq!(body["stackTrace"], json!([]));
        for variable in [
            "DINGTALK_WEBHOOK",
            "EVENT_LEVELS",
            "MESSAGE_TIME_ZONE",
            "EVENT_LEVEL",
        ] {
            assert!(
                body["errorMessage"]
                    .as_str()
                    .unwrap()
                    .contains(&format!("{variable}: ")),
                "{body}"
            );
            instance.wait_for_stderr(&format!("{variable}: "));
        }
        assert!(!body.to_string().contains("5ecret"));
    }
    assert!(!instance.stderr_text().contains("5ecret"));
    assert!(instance.stdout_lines().is_empty());
    assert_eq!(caller.call(&Call::new("GET", "/ready")).status, 200);
}

#[test]
fn when_the_webhook_never_answers_it_fails_before_the_timeout() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let instance = Instance::start(&[("DINGTALK_WEBHOOK", &webhook), ("DINGTALK_SECRET", SECRET)]);
    group.faults(vec![Fault::NeverAnswer; 5]);
    let begun = Instant::now();
    let response = instance
        .caller()
        .call(&Call::invoke(sample(REBOOT)).timeout("3"));
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        (response.status, &response.json()["errorType"]),
        (404, &json!("Deadline"))
    );
    assert_no_secret(&response.json().to_string());
}

#[test]
fn a_hundred_parallel_invocations_send_few_messages() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let instance = Instance::start(&[
        ("DINGTALK_WEBHOOK", &webhook),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "INFO"),
    ]);
    let begun = Instant::now();
    // The first request is held until all invocations were sent.
    group.fault(Fault::Hold);
    let idle: Vec<_> = (0..100).map(|_| instance.caller()).collect();
    let mut callers: Vec<_> = (0..100)
        .map(|n| {
            let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
            event["id"] = json!(format!("event-{n}"));
            event["data"]["resourceId"] = json!(format!("i-{n:018}"));
            let mut caller = instance.caller();
            caller.send_call(&Call::invoke(event.to_string()));
            caller
        })
        .collect();
    group.release();
    let responses: Vec<_> = callers.iter_mut().map(|caller| caller.receive()).collect();
    for response in &responses {
        assert_eq!(response.status, 200, "{}", response.json());
    }
    let deliveries = group.deliveries();
    // A burst of six, then one every five seconds. On a slow machine some invocations arrive after
    // the burst.
    let limit = 7 + begun.elapsed().as_secs() / 5;
    assert!(
        deliveries.len() as u64 <= limit,
        "{} messages",
        deliveries.len()
    );
    for n in 0..100 {
        let id = format!("i-{n:018}");
        let shown = deliveries.iter().filter(|d| d.text.contains(&id)).count();
        assert_eq!(shown, 1, "{id}");
    }
    for mut caller in idle {
        assert_eq!(caller.call(&Call::new("GET", "/ready")).status, 200);
    }
    instance.wait_for_stdout_line(99, PATIENCE);
    let combined: Vec<Value> = instance
        .stdout_lines()
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(combined.len(), 100);
    assert!(
        combined
            .iter()
            .any(|line| line["combined"].as_u64() > Some(10))
    );
}

#[test]
fn a_bad_port_ends_the_process_with_one_line_and_code_2() {
    for (name, value) in [
        ("FC_SERVER_PORT", "70000"),
        ("FC_CUSTOM_LISTEN_PORT", "nine"),
    ] {
        let out = run::<&str>(&[], &[(name, value)], "");
        assert_eq!(out.status.code(), Some(2));
        let stderr = String::from_utf8(out.stderr).unwrap();
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(name) && stderr.contains(value), "{stderr}");
    }
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let out = run::<&str>(&[], &[("FC_SERVER_PORT", &port)], "");
    assert_eq!(out.status.code(), Some(2));
    let (stdout, stderr) = texts(&out);
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1));
    assert!(stderr.contains(&port), "{stderr}");
}

/// Returns stdout and stderr.
fn texts(out: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&out.stdout), text(&out.stderr))
}

#[test]
fn check_prints_the_routes_masked_or_every_fault() {
    let webhook = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
        ("DINGTALK_AT_MOBILES", "13800000000"),
        ("EVENT_EXCLUDE", "*:Avoided"),
        ("DINGTALK_WEBHOOK__ONCALL", webhook.as_str()),
        ("EVENT_LEVELS__ONCALL", "none"),
    ];
    let out = run(&["check"], &vars, "");
    let (stdout, stderr) = texts(&out);
    assert_eq!((out.status.code(), stderr.as_str()), (Some(0), ""));
    assert_no_secret(&stdout);
    insta::assert_snapshot!(stdout);

    let out = run(
        &["check"],
        &[("DINGTALK_WEBHOOK", "nonsense"), ("EVENT_LEVELS", "x")],
        "",
    );
    let (stdout, stderr) = texts(&out);
    assert_eq!((out.status.code(), stdout.as_str()), (Some(1), ""));
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}

#[test]
fn check_reports_faults_of_the_proxy_and_the_certificates() {
    let webhook = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("EVENT_LEVELS", "x"),
        ("https_proxy", "socks5://user:PassWord1@h:1080"),
        ("SSL_CERT_FILE", "/nonexistent/ca.pem"),
    ];
    let out = run(&["check"], &vars, "");
    let (stdout, stderr) = texts(&out);
    assert_eq!((out.status.code(), stdout.as_str()), (Some(1), ""));
    for (line, expected) in stderr.lines().zip([
        "EVENT_LEVELS: ",
        "https_proxy: names a SOCKS proxy",
        "SSL_CERT_FILE: names a file that cannot be read",
    ]) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    assert!(!stderr.contains("PassWord1"), "{stderr}");
}

#[test]
fn preview_shows_decision_and_message_without_a_network() {
    let vars = [
        (
            "DINGTALK_WEBHOOK",
            "https://name.invalid/robot/send?access_token=0123456789abcdef",
        ),
        ("MESSAGE_LANGUAGE", "en"),
    ];
    let file = format!("tests/events/{STOPPED}");
    let out = run(
        &["preview", &file, "-"],
        &vars,
        &sample("eventbridge/Disk-Stalled-Executed.json"),
    );
    let (stdout, stderr) = texts(&out);
    assert_eq!((out.status.code(), stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(stdout);
    let out = run(&["preview", "-"], &vars, "[{}]");
    assert_eq!(out.status.code(), Some(1));
    assert!(
        texts(&out).1.contains("$[0]: an object with neither"),
        "{:?}",
        texts(&out)
    );
}

#[test]
fn send_delivers_and_its_exit_code_is_the_result() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
    ];
    let file = format!("tests/events/{REBOOT}");
    assert_eq!(run(&["send", &file], &vars, "").status.code(), Some(0));
    assert_eq!(group.deliveries().len(), 1);
    // A filtered event is a success.
    assert_eq!(
        run(&["send", "-"], &vars, &sample(STOPPED)).status.code(),
        Some(0)
    );
    assert_eq!(group.calls().len(), 1);
    let out = run(
        &["send", &file],
        &[("DINGTALK_WEBHOOK", webhook.as_str())],
        "",
    );
    let (stdout, stderr) = texts(&out);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        stderr.contains("Refused") && stderr.contains("DINGTALK_SECRET"),
        "{stderr}"
    );
    assert!(stdout.contains("\"outcome\":\"failed\""), "{stdout}");
    assert_no_secret(&format!("{stdout}{stderr}"));
}

#[test]
fn wrong_usage_and_unreadable_files_print_one_line_and_code_2() {
    let vars = [(
        "DINGTALK_WEBHOOK",
        "https://x.invalid/robot/send?access_token=0123456789abcdef",
    )];
    for arguments in [
        &["--nonsense"][..],
        &["serve"],
        &["check", "now"],
        &["preview"],
        &["send"],
        &["send", "--force", "x"],
        &["preview", "no/such/file"],
        &["send", "."],
    ] {
        let out = run(arguments, &vars, "");
        let (stdout, stderr) = texts(&out);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert_eq!(
            (stderr.lines().count(), stdout.as_str()),
            (1, ""),
            "{stderr}"
        );
    }
    for words in [&["--help"][..], &["--version"], &["send", "--help"]] {
        let out = run(words, &[], "");
        assert_eq!(out.status.code(), Some(0));
        assert!(texts(&out).0.contains("ecs-dingtalk-notifier"));
    }
}

#[cfg(unix)]
#[test]
fn arguments_may_hold_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let odd = OsStr::from_bytes(b"no/such/\xff");
    for arguments in [&[odd][..], &[OsStr::new("preview"), odd]] {
        let out = run(arguments, &[], "");
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert_eq!(texts(&out).1.lines().count(), 1, "{arguments:?}");
    }
}
