//! Clocks, resets, waiting and the admin endpoint.

use super::{SECRET, TOKEN, group_with, markdown, post, request, signed};
use fake_dingtalk::{Group, Robot};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn the_admin_endpoint_reads_and_changes_state() {
    let group = group_with(Robot::new(TOKEN));
    let admin = |method: &str, path: &str, body: &str| {
        let mut stream = TcpStream::connect(group.admin_addr()).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(admin("POST", "/faults", r#"["Html200"]"#).contains(" 200 "));
    assert!(admin("POST", "/faults", r#"["Nonsense"]"#).contains(" 400 "));
    assert!(admin("POST", "/clock", r#"{"ms": 1000}"#).contains(" 200 "));
    let send = format!("/robot/send?access_token={TOKEN}");
    assert!(
        request(
            &group,
            "POST",
            &send,
            "application/json",
            &markdown().to_string()
        )
        .1
        .contains("<html>")
    );
    assert_eq!(post(&group, "", &markdown())["errcode"], 0);
    assert_eq!(group.calls()[1].clock_ms, 1000);
    assert!(admin("GET", "/deliveries", "").contains("CloudMonitor"));
    admin("DELETE", "/state", "");
    assert!(group.deliveries().is_empty());
}

#[test]
fn a_clock_offset_shifts_the_running_clock() {
    let group = Group::start(vec![Robot::new(TOKEN).secret(SECRET)]);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let query = signed(now.as_millis() as u64, SECRET);
    assert_eq!(post(&group, &query, &markdown())["errcode"], 0);
    for hours in [-2, 2] {
        group.set_clock_offset_ms(hours * 3_600_000);
        assert_eq!(post(&group, &query, &markdown())["errcode"], 310000);
    }
    group.set_clock_offset_ms(0);
    assert_eq!(post(&group, &query, &markdown())["errcode"], 0);
}

#[test]
fn resetting_the_rate_limit_keeps_idempotency_keys() {
    let group = group_with(Robot {
        limit: 1,
        ..Robot::new(TOKEN)
    });
    let message = json!({"msgtype": "text", "text": {"content": "x"}, "msgUuid": "1"});
    for errcode in [0, 660026, 660026] {
        assert_eq!(post(&group, "", &message)["errcode"], errcode);
    }
    group.reset_rate_limit(TOKEN);
    assert_eq!(post(&group, "", &message)["errcode"], 0);
    assert_eq!(group.deliveries().len(), 1, "the key is still known");
    assert_eq!(post(&group, "", &message)["errcode"], 660026);
}

#[test]
fn wait_for_activity_returns_new_calls_and_messages() {
    let group = group_with(Robot::new(TOKEN).keyword("CloudMonitor"));
    post(&group, "", &markdown());
    let (calls, deliveries) = group.wait_for_activity(0, 0, Duration::from_secs(10));
    assert_eq!((calls.len(), deliveries.len()), (1, 1));
    let (calls, deliveries) = group.wait_for_activity(1, 1, Duration::ZERO);
    assert!(calls.is_empty() && deliveries.is_empty());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            post(
                &group,
                "",
                &json!({"msgtype": "text", "text": {"content": "x"}}),
            )
        });
        let (calls, deliveries) = group.wait_for_activity(1, 1, Duration::from_secs(10));
        assert_eq!(calls[0].errcode, Some(310000));
        assert!(deliveries.is_empty());
    });
}
