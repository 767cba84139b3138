//! Signatures, rate limits, sizes, idempotency keys, keywords and mentions.

use super::{NOW, SECRET, TOKEN, encode, group_with, markdown, post, signed};
use fake_dingtalk::{Fault, Robot, sign};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn signatures_are_decoded_once_and_valid_for_an_hour() {
    let group = group_with(Robot::new(TOKEN).secret(SECRET));
    let code = |query: &str| {
        post(&group, query, &markdown())["errcode"]
            .as_i64()
            .unwrap()
    };
    let hour = 3_600_000;
    for (timestamp, expected) in [
        (NOW, 0),
        (NOW - hour, 0),
        (NOW + hour, 0),
        (NOW - hour - 1, 310000),
        (NOW + hour + 1, 310000),
    ] {
        assert_eq!(code(&signed(timestamp, SECRET)), expected, "{timestamp}");
    }
    let right = sign(NOW, SECRET);
    assert_eq!(
        encode(&right),
        "BQKsG%2BQOCl%2BbYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY%3D"
    );
    for wrong in [
        format!("&timestamp={NOW}&sign={}", encode(&encode(&right))),
        format!("&timestamp={NOW}&sign={right}"),
        format!("&timestamp={NOW}"),
        format!("&sign={}", encode(&right)),
        String::new(),
        signed(NOW, "SECother"),
    ] {
        let answer = post(&group, &wrong, &markdown());
        assert_eq!(answer["errcode"], 310000, "{wrong}");
        assert!(
            answer["errmsg"].as_str().unwrap().contains("签名不匹配"),
            "{wrong}: {answer}"
        );
    }
    assert_eq!(code("&timestamp=soon&sign=x"), 310000);
}

#[test]
fn when_a_21st_call_comes_in_a_minute_a_ban_starts() {
    let group = group_with(Robot::new(TOKEN));
    let code = || post(&group, "", &markdown())["errcode"].as_i64().unwrap();
    for _ in 0..20 {
        assert_eq!(code(), 0);
    }
    assert_eq!(code(), 660026);
    group.advance(Duration::from_secs(599));
    assert_eq!(code(), 660026);
    group.advance(Duration::from_secs(2));
    assert_eq!(code(), 0);
    // Calls within the limit never start a ban.
    for _ in 0..60 {
        group.advance(Duration::from_secs(3));
        assert_eq!(code(), 0);
    }
}

#[test]
fn bodies_have_at_most_20_000_bytes() {
    let group = group_with(Robot::new(TOKEN));
    let empty = json!({"msgtype": "text", "text": {"content": ""}})
        .to_string()
        .len();
    for (size, expected) in [(20_000, 0), (20_001, 460101)] {
        let body = json!({"msgtype": "text", "text": {"content": "x".repeat(size - empty)}});
        assert_eq!(post(&group, "", &body)["errcode"], expected);
    }
}

#[test]
fn when_a_key_is_repeated_the_message_is_not_shown_again() {
    let group = group_with(Robot::new(TOKEN));
    let mut body = markdown();
    body["msgUuid"] = json!("key");
    group.fault(Fault::AcceptThenReset);
    let target = format!("/robot/send?access_token={TOKEN}");
    let mut stream = TcpStream::connect(group.addr()).unwrap();
    let text = body.to_string();
    let head = format!(
        "POST {target} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert!(
        stream.read(&mut [0]).map_or(true, |count| count == 0),
        "no answer came"
    );
    assert_eq!(post(&group, "", &body)["errcode"], 0);
    assert_eq!(group.deliveries().len(), 1);
    assert_eq!(
        group
            .calls()
            .iter()
            .map(|call| call.duplicate)
            .collect::<Vec<_>>(),
        [false, true]
    );
    body["msgUuid"] = json!("another");
    assert_eq!(post(&group, "", &body)["errcode"], 0);
    assert_eq!(group.deliveries().len(), 2);
}

#[test]
fn messages_need_one_keyword_in_the_same_letter_case() {
    let group = group_with(Robot::new(TOKEN).keyword("Alert").keyword("CloudMonitor"));
    assert_eq!(post(&group, "", &markdown())["errcode"], 0);
    let lower = json!({"msgtype": "text", "text": {"content": "alert cloudmonitor"}});
    assert_eq!(post(&group, "", &lower)["errcode"], 310000);
    let in_title = json!({"msgtype": "markdown", "markdown": {"title": "Alert", "text": "x"}});
    assert_eq!(post(&group, "", &in_title)["errcode"], 0);
}

#[test]
fn mentions_need_at_text_and_membership() {
    let mut robot = Robot::new(TOKEN);
    robot.mobiles = vec!["138".into(), "139".into()];
    let group = group_with(robot);
    let body = json!({"msgtype": "text", "text": {"content": "hello @138 @137"},
        "at": {"atMobiles": ["138", "139", "137"], "isAtAll": false}});
    assert_eq!(post(&group, "", &body)["errcode"], 0);
    assert_eq!(group.deliveries()[0].mentioned, ["138"]);
}
