//! The command `send`: what a queue gave back goes to the group, each event once, and what does not
//! get there is kept.

mod day;
mod interrupted;
mod rest;
mod terminal;

use crate::platform::run;
use crate::samples::{REBOOT, STOPPED, sample};
use crate::support::{SECRET, TOKEN, group};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_dingtalk::Fault;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What the command printed and how it ended.
struct Printed {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Printed {
    /// The rows of the table at the end. Between columns are two blanks and more.
    fn table(&self) -> Vec<Vec<&str>> {
        let rows = self.stderr.lines().filter(|line| !line.starts_with("ecs-"));
        let columns = rows.map(|line| line.split("  ").map(str::trim));
        columns
            .map(|row| row.filter(|column| !column.is_empty()).collect())
            .collect()
    }

    /// The table's last column.
    fn outcomes(&self) -> Vec<&str> {
        self.table().iter().map(|row| row[2]).collect()
    }

    /// What was printed besides the table.
    fn remarks(&self) -> Vec<&str> {
        let lines = self.stderr.lines();
        lines.filter(|line| line.starts_with("ecs-")).collect()
    }
}

/// An empty folder for the files of a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("send")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn send(arguments: &[&str], vars: &[(&str, &str)], input: &str) -> Printed {
    let arguments = [&["send"], arguments].concat();
    let output = run(&arguments, vars, input);
    Printed {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn vars(webhook: &str) -> Vec<(&str, &str)> {
    vec![
        ("DINGTALK_WEBHOOK", webhook),
        ("DINGTALK_SECRET", SECRET),
        ("MESSAGE_LANGUAGE", "en"),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
        ("RESOURCE_LOOKUP", "off"),
    ]
}

/// Event number `n` of the day before, one a minute.
fn event(n: usize) -> Value {
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    json!({
        "id": format!("0a1b2c3d-0000-4000-8000-{n:012}"), "source": "acs.ecs", "specversion": "1.0",
        "type": "ecs:Instance:StateChange",
        "time": yesterday.strftime(&format!("%Y-%m-%dT{:02}:{:02}:00Z", n / 60 % 24, n % 60)).to_string(),
        "data": {"resourceId": format!("i-bp1example{n:010}"), "instanceName": format!("web-{n}"), "state": "Stopped"},
    })
}

/// Function Compute's record of an invocation with this payload.
fn record(payload: &str, error: &str) -> Value {
    json!({
        "timestamp": 1795568460123_u64,
        "requestContext": {"requestId": "1-6c", "condition": error, "approximateInvokeCount": 4},
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "functionError": error},
        "responsePayload": "{}",
    })
}

#[test]
fn whatever_a_queue_gave_back_is_one_digest_and_a_table_tells_of_each() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let folder = folder("shapes");
    let queue = folder.join("queue.xml");
    let body = STANDARD.encode(event(7).to_string());
    let raw = event(5).to_string().replace('"', "&quot;");
    let twice = STANDARD.encode(event(7).to_string());
    let messages: String = [body, raw, twice, "eyJpZCI".to_owned()]
        .iter()
        .map(|body| format!("<Message><MessageBody>{body}</MessageBody></Message>\n"))
        .collect();
    let xml = format!(
        "<?xml version=\"1.0\"?>\n<Messages xmlns=\"http://mns.aliyuncs.com/doc/v1/\">\n{messages}</Messages>\n"
    );
    fs::write(&queue, xml).unwrap();
    let lines = folder.join("lines.txt");
    let tick = json!({"triggerTime": "2026-11-25T00:00:00Z", "triggerName": "tick", "payload": ""});
    let text = [
        record(&event(3).to_string(), "UnhandledInvocationError").to_string(),
        record(&event(4).to_string(), "").to_string(),
        record(&tick.to_string(), "UnhandledInvocationError").to_string(),
        STANDARD.encode(event(1).to_string()),
        event(3).to_string(),
        format!("{}\n{}", event(2), &event(9).to_string()[..90]),
    ];
    // As PowerShell writes it.
    let units = text.join("\r\n");
    let units = units.encode_utf16().flat_map(u16::to_le_bytes);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();
    fs::write(&lines, utf16).unwrap();

    let files = [queue.to_str().unwrap(), lines.to_str().unwrap()];
    let sent = send(&files, &vars(&webhook), "");
    assert_eq!(sent.code, 1, "{}", sent.stderr);
    let [delivery] = &group.deliveries()[..] else {
        panic!("{:?}", group.deliveries());
    };
    assert!(
        delivery.title.contains("5 ECS events"),
        "{}",
        delivery.title
    );
    // In the order of their times.
    let places: Vec<usize> = [1, 2, 3, 5, 7]
        .map(|n| {
            delivery
                .text
                .find(&format!("web-{n} ("))
                .unwrap_or_else(|| panic!("{}", delivery.text))
        })
        .to_vec();
    assert!(places.is_sorted(), "{}", delivery.text);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let now = jiff::Timestamp::now().to_zoned_datetime(zone);
    let late = format!("sent again {}", now.strftime("%Y-%m-%d"));
    assert!(delivery.text.contains(&late), "{}", delivery.text);
    let rows: Vec<String> = sent.table().iter().map(|row| row.join(" | ")).collect();
    let rows = rows.join("\n");
    insta::assert_snapshot!(rows.replace(&*folder.to_string_lossy(), "FOLDER"));
    let log = sent.stdout.lines().map(serde_json::from_str::<Value>);
    assert!(log.clone().all(|line| line.is_ok()) && log.count() == 5);
}

#[test]
fn one_event_of_today_is_sent_as_it_would_be_by_eventbridge() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let mut event = event(1);
    event["time"] = json!(jiff::Timestamp::now().to_string());
    let sent = send(&["-"], &vars(&webhook), &event.to_string());
    assert_eq!((sent.code, sent.remarks()), (0, vec![]));
    assert_eq!(sent.outcomes(), ["delivered"]);
    let delivery = group.deliveries().remove(0);
    assert!(!delivery.text.contains("sent again"), "{}", delivery.text);
}

#[test]
fn the_table_tells_of_each_route() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let mut vars = vars(&webhook);
    vars.extend([
        ("DINGTALK_WEBHOOK__ONCALL", webhook.as_str()),
        ("EVENT_LEVELS__ONCALL", "CRITICAL"),
    ]);
    let input = format!("{}\n{}", sample(REBOOT), sample(STOPPED));
    let sent = send(&["-"], &vars, &input);
    // The second route has no secret.
    assert_eq!(sent.code, 1);
    let expected = [
        "default delivered, oncall failed: Refused",
        "default delivered, oncall filtered by EVENT_LEVELS__ONCALL",
    ];
    assert_eq!(sent.outcomes(), expected, "{}", sent.stdout);
    assert!(
        sent.stderr.contains("DINGTALK_SECRET__ONCALL"),
        "{}",
        sent.stderr
    );
}

#[test]
fn three_hundred_dead_letters_of_a_night_are_few_messages() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let lines: Vec<String> = (0..300)
        .map(|n| record(&event(n).to_string(), "UnhandledInvocationError").to_string())
        .collect();
    let sent = send(&["-"], &vars(&webhook), &lines.join("\n"));
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert_eq!(sent.outcomes(), ["delivered"; 300]);
    let deliveries = group.deliveries();
    assert_eq!((deliveries.len(), group.calls().len()), (1, 1));
    assert!(deliveries[0].title.contains("300 ECS events"));
    for n in 0..300 {
        assert!(deliveries[0].text.contains(&format!("web-{n} (")), "{n}");
    }
}

#[test]
fn a_file_that_is_named_twice_is_sent_once() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let file = format!("tests/events/{REBOOT}");
    let sent = send(&[&file, &file], &vars(&webhook), "");
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let duplicate = format!("duplicate of {file} line 1");
    assert_eq!(sent.outcomes(), ["delivered", &duplicate]);
    assert_eq!(group.calls().len(), 1);
}

#[test]
fn a_file_without_events_is_done_and_says_so() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    for input in ["", "\u{feff}\r\n", "[]", "[ ]\n"] {
        let sent = send(&["-"], &vars(&webhook), input);
        assert_eq!(
            (sent.code, sent.stdout.as_str()),
            (0, ""),
            "{}",
            sent.stderr
        );
        assert!(sent.stderr.contains("no event in it"), "{}", sent.stderr);
    }
    let sent = send(&["-"], &vars(&webhook), "nonsense");
    assert_eq!(sent.code, 1);
    assert_eq!(sent.table()[0][0], "- line 1");
    assert!(sent.outcomes()[0].starts_with("not understood: neither JSON"));
    assert!(group.calls().is_empty());
}

#[test]
fn what_an_event_wrote_moves_no_cursor() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let mut event = event(1);
    event["id"] = json!("1\u{1b}[2J\n2");
    let sent = send(&["-"], &vars(&webhook), &event.to_string());
    assert_eq!(sent.code, 0);
    assert!(!sent.stderr.contains('\u{1b}'));
    assert_eq!(sent.table().len(), 1);
}

#[test]
fn preview_shows_the_same_files_before_they_are_sent() {
    let xml = format!(
        "<Message><MessageBody>{}</MessageBody></Message>\nnonsense",
        STANDARD.encode(event(1).to_string())
    );
    let vars = vars("https://name.invalid/robot/send?access_token=0123456789abcdef");
    let output = run(&["preview", "-"], &vars, &xml);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout.contains("== -: 1 event") && stdout.contains("web-1"),
        "{stdout}"
    );
    assert!(stderr.contains("- line 2: neither JSON"), "{stderr}");
}

#[test]
fn wrong_usage_sends_nothing() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let file = format!("tests/events/{REBOOT}");
    for arguments in [
        &["--rest"][..],
        &["--rest", "-", &file],
        &["--rest", "--rest", &file],
        &["--rest", "a", "--rest", "b", &file],
        &["--rest", "a"],
        &["--rest=a", &file],
        &["--rest", "no/such/folder/rest", &file],
        &["--all", &file],
        &[&file, "no/such/file"],
    ] {
        let sent = send(arguments, &vars(&webhook), "");
        assert_eq!((sent.code, sent.stdout.as_str()), (2, ""), "{arguments:?}");
        assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
    }
    assert!(group.calls().is_empty());
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("a").exists());
}

#[test]
fn a_message_that_is_refused_tells_why_once() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    group.set_standing_fault(TOKEN, Some(Fault::Html200));
    let mut vars = vars(&webhook);
    vars.retain(|(name, _)| *name != "DINGTALK_SECRET");
    let sent = send(&["-"], &vars, &format!("{}{}", event(1), event(2)));
    assert_eq!(sent.code, 1);
    assert_eq!(sent.remarks().len(), 1, "{}", sent.stderr);
}
