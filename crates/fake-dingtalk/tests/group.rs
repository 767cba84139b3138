//! The stand-in refuses what DingTalk would refuse, in its order and its words.

use fake_dingtalk::{
    Behaviour, Cable, Close, Cut, Family, Fault, Group, Place, Robot, State, sign,
};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const TOKEN: &str = "4f3c2b1a4f3c2b1a";
const SECRET: &str = "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68";
const NOW: u64 = 1_582_163_555_000;

/// One request on a connection of its own; the status and body of the answer.
fn request(
    group: &Group,
    method: &str,
    target: &str,
    content_type: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(group.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nX-Test-Peer: 203.0.113.9\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

fn markdown() -> Value {
    json!({"msgtype": "markdown", "markdown": {"title": "t", "text": "CloudMonitor"}})
}

fn post(group: &Group, query: &str, body: &Value) -> Value {
    let target = format!("/robot/send?access_token={TOKEN}{query}");
    let (status, answer) = request(
        group,
        "POST",
        &target,
        "application/json; charset=utf-8",
        &body.to_string(),
    );
    assert_eq!(status, 200, "refusals are HTTP 200 too");
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

fn encode(text: &str) -> String {
    text.replace('%', "%25")
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

fn signed(timestamp: u64, secret: &str) -> String {
    format!(
        "&timestamp={timestamp}&sign={}",
        encode(&sign(timestamp, secret))
    )
}

fn group_with(robot: Robot) -> Group {
    Group::builder().robot(robot).clock_ms(NOW).start().unwrap()
}

#[test]
fn a_signature_is_decoded_once_and_good_for_an_hour() {
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
fn the_21st_call_in_a_minute_starts_a_ban_of_ten_minutes() {
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
    // Spread over the minute nothing happens.
    for _ in 0..60 {
        group.advance(Duration::from_secs(3));
        assert_eq!(code(), 0);
    }
}

#[test]
fn a_body_of_20_000_bytes_passes_and_one_more_does_not() {
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
fn a_repeated_key_is_accepted_and_not_shown_again() {
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
fn keywords_mind_letter_case_and_one_of_them_is_enough() {
    let group = group_with(Robot::new(TOKEN).keyword("Alert").keyword("CloudMonitor"));
    assert_eq!(post(&group, "", &markdown())["errcode"], 0);
    let lower = json!({"msgtype": "text", "text": {"content": "alert cloudmonitor"}});
    assert_eq!(post(&group, "", &lower)["errcode"], 310000);
    let in_title = json!({"msgtype": "markdown", "markdown": {"title": "Alert", "text": "x"}});
    assert_eq!(post(&group, "", &in_title)["errcode"], 0);
}

#[test]
fn a_mention_needs_at_text_and_membership() {
    let mut robot = Robot::new(TOKEN);
    robot.mobiles = vec!["138".into(), "139".into()];
    let group = group_with(robot);
    let body = json!({"msgtype": "text", "text": {"content": "hello @138 @137"},
        "at": {"atMobiles": ["138", "139", "137"], "isAtAll": false}});
    assert_eq!(post(&group, "", &body)["errcode"], 0);
    assert_eq!(group.deliveries()[0].mentioned, ["138"]);
}

#[test]
fn every_refusal_has_its_code_and_the_words_of_its_family() {
    let families = [Family::Legacy, Family::Description, Family::Zh];
    type Setup = fn(&mut Robot);
    let none: Setup = |_| {};
    let send = format!("/robot/send?access_token={TOKEN}");
    let json_type = "application/json";
    let good = markdown().to_string();
    let long = json!({"msgtype": "text", "text": {"content": "x".repeat(20_000)}}).to_string();
    // setup, method, target, content type, body, code, words in each family
    type Row<'a> = (Setup, &'a str, String, &'a str, &'a str, i64, [&'a str; 3]);
    let rows: Vec<Row> = vec![
        (
            none,
            "POST",
            "/robot/other".into(),
            json_type,
            &good,
            404,
            ["请求的URI地址不存在"; 3],
        ),
        (
            none,
            "GET",
            send.clone(),
            json_type,
            "",
            43002,
            ["需要POST请求"; 3],
        ),
        (
            none,
            "POST",
            "/robot/send".into(),
            json_type,
            &good,
            40035,
            ["缺少参数 access_token"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            "text/plain",
            &good,
            43004,
            ["无效的HTTP HEADER Content-Type"; 3],
        ),
        (
            none,
            "POST",
            "/robot/send?access_token=x".into(),
            json_type,
            &good,
            300005,
            ["token is not exist"; 3],
        ),
        (
            |r| r.state = State::GroupGone,
            "POST",
            send.clone(),
            json_type,
            &good,
            400013,
            ["群已被解散"; 3],
        ),
        (
            |r| r.state = State::Stopped,
            "POST",
            send.clone(),
            json_type,
            &good,
            400102,
            [
                "bot is stopped",
                "description:机器人已经停用",
                "机器人已经停用",
            ],
        ),
        (
            |r| r.state = State::Removed,
            "POST",
            send.clone(),
            json_type,
            &good,
            400106,
            ["机器人不存在"; 3],
        ),
        (
            |r| r.ip_allow = Some(vec!["1.1.1.1".into()]),
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            [
                "ip 203.0.113.9 not in whitelist",
                "ip 不在白名单中",
                "ip 不在白名单中",
            ],
        ),
        (
            |r| r.secret = Some("SECx".into()),
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            ["sign not match, more: [", "签名不匹配", "签名不匹配"],
        ),
        (
            |r| r.secret = Some("SECx".into()),
            "POST",
            format!("{send}&timestamp=1&sign=x"),
            json_type,
            &good,
            310000,
            ["invalid timestamp", "签名过期", "签名过期"],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            &long,
            460101,
            ["exceed 20000 bytes", "description: body", "错误描述: body"],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            "{",
            40035,
            ["缺少参数 json"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            "[]",
            40035,
            ["缺少参数 json"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            r#"{"msgtype":"image"}"#,
            400105,
            [
                "unsupported msgtype",
                "不支持类型 msgType:image",
                "不支持类型 msgType:image",
            ],
        ),
        (
            |r| r.keywords = vec!["Alert".into()],
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            [
                "keywords not in content",
                "description:关键词不匹配",
                "错误描述:关键词不匹配;解决方案",
            ],
        ),
        (
            |r| r.monthly_limit = Some(0),
            "POST",
            send.clone(),
            json_type,
            &good,
            999001,
            ["monthly quota"; 3],
        ),
    ];
    for (setup, method, target, content_type, body, code, words) in rows {
        for (family, words) in families.into_iter().zip(words) {
            let group = group_with(Robot::new(TOKEN));
            group.configure(TOKEN, setup);
            group.set_behaviour(Behaviour {
                family,
                ..Behaviour::default()
            });
            let (_, answer) = request(&group, method, &target, content_type, body);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["errcode"], code, "{target} {answer}");
            assert!(
                answer["errmsg"].as_str().unwrap().contains(words),
                "{family:?}: {answer}"
            );
            assert!(group.deliveries().is_empty());
        }
    }
}

#[test]
fn every_missing_field_has_its_code() {
    let group = group_with(Robot::new(TOKEN));
    group.set_behaviour(Behaviour {
        strict_cards: true,
        throttling: false,
        ..Behaviour::default()
    });
    let card = |more: Value| {
        let mut card = json!({"title": "t", "text": "x"});
        card.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"msgtype": "actionCard", "actionCard": card})
    };
    for (body, code) in [
        (json!({"msgtype": "text"}), 400201),
        (json!({"msgtype": "text", "text": {}}), 400202),
        (json!({"msgtype": "link"}), 400301),
        (json!({"msgtype": "link", "link": {"title": "t"}}), 400302),
        (json!({"msgtype": "link", "link": {"text": "x"}}), 400303),
        (
            json!({"msgtype": "link", "link": {"text": "x", "title": "t"}}),
            400304,
        ),
        (json!({"msgtype": "markdown"}), 400401),
        (
            json!({"msgtype": "markdown", "markdown": {"title": "", "text": "x"}}),
            400402,
        ),
        (
            json!({"msgtype": "markdown", "markdown": {"title": "t", "text": 7}}),
            400403,
        ),
        (json!({"msgtype": "actionCard"}), 400501),
        (
            json!({"msgtype": "actionCard", "actionCard": {"text": "x"}}),
            400502,
        ),
        (
            json!({"msgtype": "actionCard", "actionCard": {"title": "t"}}),
            400503,
        ),
        (card(json!({"singleURL": "u"})), 400504),
        (card(json!({"singleTitle": "s"})), 400505),
        (card(json!({})), 400506),
        (card(json!({"btns": [{"actionURL": "u"}]})), 400507),
        (card(json!({"btns": [{"title": "b"}]})), 400508),
        (
            card(json!({"singleTitle": "s", "singleURL": "u", "btnOrientation": 1})),
            400509,
        ),
        (json!({"msgtype": "feedCard"}), 400601),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": []}}),
            400602,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{}]}}),
            400603,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t"}]}}),
            400604,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t", "messageURL": "u"}]}}),
            400605,
        ),
    ] {
        assert_eq!(post(&group, "", &body)["errcode"], code, "{body}");
    }
    assert_eq!(
        post(
            &group,
            "",
            &card(json!({"singleTitle": "s", "singleURL": "u"}))
        )["errcode"],
        0
    );
}

#[test]
fn switches_change_codes_and_forms() {
    let group = group_with(Robot::new(TOKEN));
    group.set_behaviour(Behaviour {
        errcode_as_string: true,
        keys_reversed: true,
        ..Behaviour::default()
    });
    let (_, answer) = request(
        &group,
        "POST",
        &format!("/robot/send?access_token={TOKEN}"),
        "application/json",
        &markdown().to_string(),
    );
    assert_eq!(answer, r#"{"errmsg":"ok","errcode":"0"}"#);
    let behaviour = Behaviour {
        unwanted: vec![("CloudMonitor".into(), 430102)],
        unknown_token_code: 400101,
        content_type_code: 300001,
        family: Family::Legacy,
        ..Behaviour::default()
    };
    group.set_behaviour(behaviour);
    assert_eq!(post(&group, "", &markdown())["errcode"], 430102);
    let missing = json!({"msgtype": "markdown", "markdown": {"text": "x"}}).to_string();
    let (_, answer) = request(
        &group,
        "POST",
        &format!("/robot/send?access_token={TOKEN}"),
        "application/json",
        &missing,
    );
    assert_eq!(
        answer,
        r#"{"errcode":400402,"errmsg":"miss param : markdown-\u003Etitle"}"#
    );
}

#[test]
fn faults_spoil_one_call_each_and_calls_are_written_down() {
    let group = group_with(Robot::new(TOKEN));
    group.faults([
        Fault::Status {
            code: 502,
            body: "bad".into(),
            headers: vec![],
        },
        Fault::Redirect {
            code: 302,
            to_other_host: true,
        },
        Fault::TooManyRequests {
            retry_after: Some("9".into()),
        },
        Fault::Flood1111,
        Fault::CloseBeforeReading,
    ]);
    let send = format!("/robot/send?access_token={TOKEN}");
    let ask = || {
        request(
            &group,
            "POST",
            &send,
            "application/json",
            &markdown().to_string(),
        )
    };
    assert_eq!(ask(), (502, "bad".into()));
    assert_eq!(ask().0, 302);
    assert_eq!(ask().0, 429);
    assert!(ask().1.contains("1111"));
    assert_eq!(ask().0, 0, "closed without an answer");
    assert_eq!(ask().0, 200);
    assert_eq!((group.calls().len(), group.deliveries().len()), (5, 1));
    assert_eq!(group.calls()[0].query, "access_token=***");
    group.close_idle(Close::Fin);
    group.clear();
    assert!(group.calls().is_empty());
}

#[test]
fn the_admin_endpoint_reads_and_steers() {
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
fn a_standing_fault_spoils_every_call_of_its_chatbot_until_it_is_ended() {
    let group = Group::start(vec![Robot::new(TOKEN), Robot::new("another")]);
    group.fault_always(TOKEN, Some(Fault::EmptyObject));
    group.fault(Fault::StringZero);
    assert_eq!(post(&group, "", &markdown())["errcode"], "0");
    for _ in 0..2 {
        assert_eq!(post(&group, "", &markdown()), json!({}));
    }
    let (_, other) = request(
        &group,
        "POST",
        "/robot/send?access_token=another",
        "application/json",
        &markdown().to_string(),
    );
    assert_eq!(other, r#"{"errcode":0,"errmsg":"ok"}"#);
    group.fault_always(TOKEN, None);
    assert_eq!(post(&group, "", &markdown())["errcode"], 0);
    assert_eq!(group.deliveries().len(), 3);
}

#[test]
fn the_machines_clock_can_be_taken_to_be_off_and_runs_on() {
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
fn a_ban_can_be_ended_without_forgetting_what_was_shown() {
    let group = group_with(Robot {
        limit: 1,
        ..Robot::new(TOKEN)
    });
    let message = json!({"msgtype": "text", "text": {"content": "x"}, "msgUuid": "1"});
    for errcode in [0, 660026, 660026] {
        assert_eq!(post(&group, "", &message)["errcode"], errcode);
    }
    group.forget_pace(TOKEN);
    assert_eq!(post(&group, "", &message)["errcode"], 0);
    assert_eq!(group.deliveries().len(), 1, "the key is still known");
    assert_eq!(post(&group, "", &message)["errcode"], 660026);
}

#[test]
fn news_are_what_was_not_seen_yet() {
    let group = group_with(Robot::new(TOKEN).keyword("CloudMonitor"));
    post(&group, "", &markdown());
    let (calls, deliveries) = group.wait_for_news(0, 0, Duration::from_secs(10));
    assert_eq!((calls.len(), deliveries.len()), (1, 1));
    let (calls, deliveries) = group.wait_for_news(1, 1, Duration::ZERO);
    assert!(calls.is_empty() && deliveries.is_empty());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            post(
                &group,
                "",
                &json!({"msgtype": "text", "text": {"content": "x"}}),
            )
        });
        let (calls, deliveries) = group.wait_for_news(1, 1, Duration::from_secs(10));
        assert_eq!(calls[0].errcode, Some(310000));
        assert!(deliveries.is_empty());
    });
}

#[test]
fn a_cable_relays_and_spoils_what_it_is_told_to() {
    let group = Group::start(vec![Robot::new(TOKEN)]);
    let cable = Cable::to(group.addr());
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(cable.addr())?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        let body = markdown().to_string();
        let head = format!(
            "POST /robot/send?access_token={TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = vec![0; 20];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
    let (up, down) = cable.passed();
    assert!(up > 200 && down > 20, "{up} {down}");
    for (place, shows) in [
        (Place::Up(0), 0),
        (Place::Up(up - 1), 0),
        (Place::Down(0), 1),
        (Place::Down(15), 1),
    ] {
        for (cut, kind) in [
            (Cut::Close, ErrorKind::UnexpectedEof),
            (Cut::Reset, ErrorKind::ConnectionReset),
            (Cut::Stall, ErrorKind::WouldBlock),
        ] {
            let before = group.deliveries().len();
            cable.spoil(place, cut, false);
            assert_eq!(ask().unwrap_err().kind(), kind, "{place:?} {cut:?}");
            assert_eq!(
                group.deliveries().len(),
                before + shows,
                "{place:?} {cut:?}"
            );
            assert_eq!(cable.spoilt(), 1);
        }
        cable.spoil(place, Cut::Delay(Duration::from_millis(20)), false);
        assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
        cable.spoil(place, Cut::Hold, true);
        std::thread::scope(|scope| {
            let asked = scope.spawn(ask);
            assert!(cable.wait_until_spoilt(Duration::from_secs(10)));
            cable.release();
            let _ = asked.join();
        });
        cable.mend();
        assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
        group.clear();
    }
    cable.spoil(Place::Down(9), Cut::Garble, false);
    let garbled = ask().unwrap();
    assert!(
        garbled.starts_with("HTTP/1.1 ") && !garbled.contains("200"),
        "{garbled}"
    );
}
