//! From a payload to the group, over real sockets, against a stand-in that refuses what DingTalk
//! would refuse.

use crate::samples::{REBOOT, STOPPED, sample};
use crate::support::{Bench, FALLBACK_TOKEN, SECRET, TOKEN, group};
use ecs_dingtalk_notifier::http::{HttpConfig, RootCertificates};
use fake_dingtalk::{Close, Fault, Group, Robot};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn vars<'a>(webhook: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut vars = vec![
        ("DINGTALK_WEBHOOK", webhook),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
        ("MESSAGE_LANGUAGE", "en"),
    ];
    vars.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    vars.extend_from_slice(more);
    vars
}

/// What must never be seen in any output.
fn assert_no_secret(text: &str) {
    for secret in [TOKEN, SECRET, FALLBACK_TOKEN] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(!text.contains("sign="), "{text}");
}

#[test]
fn an_event_is_shown_in_the_group_signed_and_with_its_key() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    let (result, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(result, Ok(()));
    assert_eq!(
        outcome,
        json!({"events": [{
            "eventId": "7c350005-2b1a-447a-bd93-fab0c1d20005",
            "event": "Instance:StateChange:Stopped",
            "level": "INFO",
            "routes": [{"route": "default", "outcome": "delivered", "rule": "EVENT_LEVELS"}],
        }]})
    );
    let [delivery] = group.deliveries().try_into().unwrap();
    assert!(
        delivery.title.contains("test-host-01"),
        "{}",
        delivery.title
    );
    assert_eq!(delivery.msg_uuid.as_deref().map(str::len), Some(36));
    let [line] = bench.lines.all().try_into().unwrap();
    for (key, value) in [
        ("requestId", json!("request-1")),
        ("eventId", json!("7c350005-2b1a-447a-bd93-fab0c1d20005")),
        ("event", json!("Instance:StateChange:Stopped")),
        ("level", json!("INFO")),
        ("resource", json!("i-bp1ecr4x7k2m9q5go2go")),
        ("region", json!("cn-hangzhou")),
        ("route", json!("default")),
        ("outcome", json!("delivered")),
        ("rule", json!("EVENT_LEVELS")),
        ("errcode", json!(0)),
        ("class", json!("delivered")),
        ("attempts", json!(1)),
        ("messageUuid", json!(delivery.msg_uuid)),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert!(line["time"].as_str().unwrap().ends_with('Z') && line["durationMs"].is_u64());
    assert!(line.get("remedy").is_none() && line.get("combined").is_none());
    assert_no_secret(&bench.lines.text());
}

#[test]
fn a_filtered_event_is_a_success_that_names_the_variable() {
    let group = group();
    let bench = Bench::new(&vars(
        &group.webhook(TOKEN),
        &[("EVENT_LEVELS", "CRITICAL,WARN")],
    ));
    let (result, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(result, Ok(()));
    assert_eq!(
        outcome["events"][0]["routes"],
        json!([{"route": "default", "outcome": "filtered", "rule": "EVENT_LEVELS"}])
    );
    assert!(group.calls().is_empty());
    let [line] = bench.lines.all().try_into().unwrap();
    assert_eq!(
        (&line["outcome"], &line["rule"]),
        (&json!("filtered"), &json!("EVENT_LEVELS"))
    );
    assert!(line.get("attempts").is_none() && line.get("messageUuid").is_none());
}

#[test]
fn an_empty_array_is_a_success_that_did_nothing() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    assert_eq!(bench.handle("[]\n"), (Ok(()), json!({"events": []})));
    assert!(bench.lines.text().is_empty());
}

#[test]
fn each_route_gets_what_it_accepts() {
    let group = group();
    let (webhook, other) = (group.webhook(TOKEN), group.webhook(FALLBACK_TOKEN));
    let bench = Bench::new(&vars(
        &webhook,
        &[
            ("DINGTALK_WEBHOOK__ONCALL", &other),
            ("EVENT_LEVELS__ONCALL", "CRITICAL"),
            ("EVENT_EXCLUDE", "Instance:SystemMaintenance.*"),
        ],
    ));
    let (result, outcome) = bench.handle(&sample("eventbridge-stream/acs-ecs-three-events.json"));
    assert_eq!(result, Ok(()));
    let routes: Vec<Value> = outcome["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let routes = event["routes"].as_array().unwrap();
            json!(
                routes
                    .iter()
                    .map(|r| json!([r["route"], r["outcome"], r["rule"]]))
                    .collect::<Vec<_>>()
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            json!([
                ["default", "delivered", "EVENT_LEVELS"],
                ["oncall", "filtered", "EVENT_LEVELS__ONCALL"]
            ]),
            json!([
                ["default", "filtered", "EVENT_EXCLUDE"],
                ["oncall", "delivered", "EVENT_LEVELS__ONCALL"]
            ]),
            json!([
                ["default", "delivered", "EVENT_LEVELS"],
                ["oncall", "filtered", "EVENT_LEVELS__ONCALL"]
            ]),
        ]
    );
    assert_eq!(bench.lines.all().len(), 6);
}

#[test]
fn good_events_are_delivered_before_bad_ones_fail_the_payload() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    let (result, outcome) = bench.handle(&format!("[{{\"no\":\"event\"}},{},7]", sample(STOPPED)));
    let (error_type, message) = result.unwrap_err();
    assert_eq!(error_type, "InvalidEvent");
    assert!(
        message.contains("2 parts of the payload") && message.contains("$[0]"),
        "{message}"
    );
    assert_eq!(outcome["events"][0]["routes"][0]["outcome"], "delivered");
    assert_eq!(outcome["invalid"][1]["path"], "$[2]");
    assert_eq!(group.deliveries().len(), 1);
    assert_eq!(bench.lines.all().len(), 1);
}

#[test]
fn a_failure_is_named_after_the_first_of_the_fixed_order() {
    // Refused on one route, unreachable on the other, and something that is no event.
    let group = group();
    let nowhere = {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!(
            "http://{}/robot/send?access_token={TOKEN}",
            closed.local_addr().unwrap()
        )
    };
    let unknown = group.webhook("0000000000000000");
    let both = [
        ("DINGTALK_WEBHOOK", nowhere.as_str()),
        ("DINGTALK_WEBHOOK__B", unknown.as_str()),
        ("EVENT_LEVELS__B", "INFO"),
    ];
    let batch = format!("[{},7]", sample(STOPPED));
    let error_type = |vars: &[(&str, &str)], payload: &str| {
        let (result, _) = Bench::new(&self::vars(&nowhere, vars)).handle(payload);
        result.unwrap_err().0
    };
    assert_eq!(error_type(&both, &batch), "Refused");
    assert_eq!(error_type(&both[..1], &batch), "InvalidEvent");
    assert_eq!(error_type(&both[..1], &sample(STOPPED)), "Unreachable");
}

/// One row of the table: what the chatbot does, and what must come of it.
struct Row {
    name: &'static str,
    faults: Vec<Fault>,
    /// `None` is success.
    error: Option<&'static str>,
    class: &'static str,
    errcode: Option<i64>,
    requests: usize,
    remedy: &'static str,
    deliveries: usize,
}

fn row(name: &'static str, faults: Vec<Fault>) -> Row {
    Row {
        name,
        faults,
        error: None,
        class: "delivered",
        errcode: Some(0),
        requests: 1,
        remedy: "",
        deliveries: 1,
    }
}

fn answer(json: &str) -> Fault {
    Fault::Answer(json.to_owned())
}

/// `count` times the same fault.
fn times(count: usize, fault: Fault) -> Vec<Fault> {
    vec![fault; count]
}

fn status(code: u16) -> Fault {
    Fault::Status {
        code,
        body: "<html>error</html>".into(),
        headers: Vec::new(),
    }
}

/// Retried to the end, nothing shown.
fn unclear(name: &'static str, fault: Fault) -> Row {
    Row {
        error: Some("Unreachable"),
        class: "unclear",
        errcode: None,
        requests: 4,
        remedy: "",
        deliveries: 0,
        ..row(name, times(4, fault))
    }
}

/// Refused at once, nothing shown.
fn refused(name: &'static str, errcode: i64, errmsg: &str, remedy: &'static str) -> Row {
    let text = json!({"errcode": errcode, "errmsg": errmsg}).to_string();
    Row {
        error: Some("Refused"),
        class: "refused",
        errcode: Some(errcode),
        remedy,
        deliveries: 0,
        ..row(name, vec![Fault::Answer(text)])
    }
}

fn throttled(name: &'static str, errcode: Option<i64>, fault: Fault) -> Row {
    Row {
        error: Some("Throttled"),
        class: "throttled",
        errcode,
        remedy: "keep other senders off it, lower DINGTALK_RATE_LIMIT, or set DINGTALK_FALLBACK_WEBHOOK",
        deliveries: 0,
        ..row(name, vec![fault])
    }
}

/// The address is banned, not the chatbot.
fn flooded(name: &'static str, fault: Fault) -> Row {
    Row {
        remedy: "give the function a public address of its own",
        ..throttled(name, None, fault)
    }
}

fn table() -> Vec<Row> {
    let keyword = "set DINGTALK_KEYWORD";
    let mut rows = vec![
        row("accepted", vec![]),
        row("errcode as a string", vec![Fault::StringZero]),
        row("keys reversed", vec![Fault::ReversedKeys]),
        Row {
            requests: 2,
            ..row(
                "busy once",
                vec![answer(r#"{"errcode":-1,"errmsg":"系统繁忙"}"#)],
            )
        },
        Row {
            requests: 4,
            ..row(
                "busy three times",
                times(3, answer(r#"{"errcode":-1,"errmsg":"系统繁忙"}"#)),
            )
        },
        Row {
            errcode: Some(-1),
            ..unclear(
                "busy for ever",
                answer(r#"{"errcode":-1,"errmsg":"系统繁忙"}"#),
            )
        },
        Row {
            errcode: Some(-1),
            ..unclear(
                "busy as a string",
                answer(r#"{"errcode":"-1","errmsg":"系统繁忙"}"#),
            )
        },
        // Accepted but never said so: the repeat is known by its key, and shown once.
        Row {
            requests: 2,
            ..row("accepted, then reset", vec![Fault::AcceptThenReset])
        },
        Row {
            requests: 2,
            ..row("HTML once", vec![Fault::Html200])
        },
        unclear("HTTP 500", status(500)),
        unclear("HTTP 502", status(502)),
        unclear("HTTP 503", status(503)),
        unclear("HTTP 408", status(408)),
        unclear("HTML", Fault::Html200),
        unclear("an empty answer", Fault::Empty200),
        unclear("an answer without errcode", Fault::EmptyObject),
        unclear("truncated JSON", Fault::TruncatedJson),
        unclear("an answer of megabytes", Fault::Huge { bytes: 3 << 20 }),
        throttled(
            "660026",
            Some(660026),
            answer(r#"{"errcode":660026,"errmsg":"sending too many messages per minute"}"#),
        ),
        throttled(
            "130101",
            Some(130101),
            answer(r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#),
        ),
        throttled(
            "410100",
            Some(410100),
            answer(r#"{"errcode":"410100","errmsg":"发送速度太快而限流"}"#),
        ),
        throttled(
            "90002",
            Some(90002),
            answer(r#"{"errcode":90002,"errmsg":"limit"}"#),
        ),
        throttled(
            "90018",
            Some(90018),
            answer(r#"{"errcode":90018,"errmsg":"limit"}"#),
        ),
        flooded("flood", Fault::Flood1111),
        throttled("flood and 130101", Some(130101), Fault::ExtraKeys1111),
        throttled(
            "HTTP 429",
            None,
            Fault::TooManyRequests {
                retry_after: Some("60".into()),
            },
        ),
        // Two answers in a row: once more after the remedy that can be had at once.
        Row {
            requests: 2,
            ..row(
                "too long once",
                vec![answer(
                    r#"{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}"#,
                )],
            )
        },
        Row {
            requests: 2,
            ..row(
                "clock once",
                vec![answer(
                    r#"{"errcode":310000,"errmsg":"invalid timestamp, more: [x]"}"#,
                )],
            )
        },
        Row {
            faults: times(
                2,
                answer(
                    r#"{"errcode":310000,"errmsg":"description:机器人发送签名过期;solution:签名生成时间和发送时间请保持在 timestampms 以内;"}"#,
                ),
            ),
            requests: 2,
            ..refused("clock for good", 310000, "", "clock")
        },
        Row {
            faults: times(
                2,
                answer(r#"{"errcode":101002,"errmsg":"message is too long"}"#),
            ),
            requests: 2,
            ..refused("too long for good", 101002, "", "")
        },
        Row {
            error: Some("Refused"),
            class: "refused",
            errcode: None,
            deliveries: 0,
            remedy: "redirect",
            ..row(
                "HTTP 302",
                vec![Fault::Redirect {
                    code: 302,
                    to_other_host: true,
                }],
            )
        },
        Row {
            error: Some("Refused"),
            class: "refused",
            errcode: None,
            deliveries: 0,
            remedy: "DINGTALK_WEBHOOK",
            ..row("HTTP 404", vec![status(404)])
        },
        Row {
            error: Some("Refused"),
            class: "refused",
            errcode: None,
            deliveries: 0,
            remedy: "",
            ..row("HTTP 414", vec![status(414)])
        },
    ];
    // Every field that DingTalk may miss. A message has them all, so this is a fault of the
    // notifier.
    for code in [
        400201, 400202, 400301, 400302, 400303, 400304, 400401, 400402, 400403, 400501, 400502,
        400503, 400504, 400505, 400506, 400507, 400508, 400509, 400601, 400602, 400603, 400604,
        400605,
    ] {
        rows.push(refused(
            "field",
            code,
            "miss param : markdown->title",
            "report",
        ));
    }
    rows.push(Row {
        faults: vec![answer(
            r#"{"errcode":"310000","errmsg":"keywords not in content"}"#,
        )],
        ..refused("keyword, code as a string", 310000, "", keyword)
    });
    for code in [301, 303, 307, 308] {
        let fault = Fault::Redirect {
            code,
            to_other_host: code % 2 == 0,
        };
        rows.push(Row {
            error: Some("Refused"),
            class: "refused",
            errcode: None,
            deliveries: 0,
            remedy: "redirect",
            ..row("another redirect", vec![fault])
        });
    }
    rows.push(flooded("flood page", Fault::FloodHtml));
    rows.push(row(
        "a slow answer",
        vec![Fault::SlowDrip {
            interval: Duration::from_millis(2),
        }],
    ));
    for text in [
        "keywords not in content",
        "description:关键词不匹配;solution:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;",
        "错误描述:关键词不匹配;解决方案:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;",
    ] {
        rows.push(refused("keyword", 310000, text, keyword));
    }
    for (name, code, text, remedy) in [
        (
            "signature",
            310000,
            "sign not match, more: [x]",
            "DINGTALK_SECRET",
        ),
        (
            "signature",
            310000,
            "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中",
            "DINGTALK_SECRET",
        ),
        (
            "address",
            310000,
            "ip 203.0.113.9 not in whitelist",
            "address",
        ),
        (
            "address",
            310000,
            "description:ip 不在白名单中;solution:请联系对应群的管理员，设置机器人安全ip地址段",
            "address",
        ),
        (
            "unknown token",
            300005,
            "token is not exist",
            "DINGTALK_WEBHOOK",
        ),
        (
            "unknown token",
            300001,
            "token is not exist",
            "DINGTALK_WEBHOOK",
        ),
        (
            "unknown token",
            400101,
            "access_token不存在",
            "DINGTALK_WEBHOOK",
        ),
        (
            "no token",
            40035,
            "缺少参数 access_token",
            "DINGTALK_WEBHOOK",
        ),
        ("stopped", 400102, "bot is stopped", ""),
        ("removed", 400106, "机器人不存在", ""),
        ("group gone", 400013, "群已被解散", ""),
        ("unsafe link", 430101, "含有不安全的外链", ""),
        ("improper text", 430102, "含有不合适的文本", ""),
        ("improper content", 430104, "含有不合适的内容", ""),
        ("wrong path", 404, "请求的URI地址不存在", "DINGTALK_WEBHOOK"),
        ("not POST", 43002, "需要POST请求", ""),
        ("content type", 43004, "无效的HTTP HEADER Content-Type", ""),
        ("parameter", 400402, "miss param : markdown->title", ""),
        ("message type", 400105, "unsupported msgtype", ""),
        ("not JSON", 40035, "缺少参数 json", ""),
        ("monthly quota", 90020, "limit", "quota"),
        (
            "quota by its text",
            90030,
            "Webhook 消息发送次数已达上限",
            "quota",
        ),
        ("unknown code", 999001, "never seen", ""),
        ("unknown 310000", 310000, "something new", ""),
    ] {
        rows.push(refused(name, code, text, remedy));
    }
    rows
}

#[test]
fn each_answer_has_its_class_requests_outcome_and_remedy() {
    for row in table() {
        let group = group();
        let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
        let name = row.name;
        group.faults(row.faults);
        let (result, outcome) = bench.handle(&sample(STOPPED));
        let [line] = bench.lines.all().try_into().unwrap();
        let context = format!("{name}: {result:?}\n{line}");
        assert_eq!(
            result.as_ref().err().map(|e| e.0.as_str()),
            row.error,
            "{context}"
        );
        assert_eq!(line["class"], row.class, "{context}");
        assert_eq!(line["errcode"].as_i64(), row.errcode, "{context}");
        assert_eq!(line["attempts"], row.requests, "{context}");
        assert_eq!(
            line["outcome"],
            if row.error.is_none() {
                "delivered"
            } else {
                "failed"
            },
            "{context}"
        );
        let remedy = line["remedy"].as_str().unwrap_or_default();
        assert_eq!(remedy.is_empty(), row.error.is_none(), "{context}");
        assert!(remedy.contains(row.remedy), "{context}");
        assert_eq!(
            remedy.contains("DingTalk throttles this chatbot; nothing is sent to it before 20"),
            row.error == Some("Throttled"),
            "{context}"
        );
        let calls = group.calls();
        assert_eq!(calls.len(), row.requests, "{context}");
        assert_eq!(group.deliveries().len(), row.deliveries, "{context}");
        assert_eq!(group.redirect_hits(), 0, "{context}");
        let trusts_no_connection = calls
            .windows(2)
            .all(|pair| pair[0].connection != pair[1].connection);
        assert!(
            trusts_no_connection,
            "{context}: a retry went over the connection that had failed"
        );
        let keys: Vec<_> = calls
            .iter()
            .filter_map(|call| Some(call.body.as_ref()?["msgUuid"].clone()))
            .collect();
        assert!(
            keys.windows(2).all(|pair| pair[0] == pair[1]),
            "{context}: {keys:?}"
        );
        assert_no_secret(&format!("{context} {outcome} {}", bench.lines.text()));
    }
}

#[test]
fn a_connection_broken_before_reading_costs_no_message() {
    for fault in [Fault::ResetBeforeReading, Fault::CloseBeforeReading] {
        let group = group();
        let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
        group.fault(fault.clone());
        assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()), "{fault:?}");
        assert_eq!(
            (group.calls().len(), group.deliveries().len()),
            (1, 1),
            "{fault:?}"
        );
        assert_eq!(bench.lines.all()[0]["attempts"], 2, "{fault:?}");
    }
}

#[test]
fn a_message_whose_answer_never_comes_is_shown_once() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    group.fault(Fault::AcceptThenNeverAnswer);
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    let calls = group.calls();
    assert_eq!((calls.len(), group.deliveries().len()), (2, 1));
    assert!(calls[1].duplicate, "the same key came again");
    let [line] = bench.lines.all().try_into().unwrap();
    assert_eq!(
        (&line["attempts"], &line["outcome"]),
        (&json!(2), &json!("delivered"))
    );
}

#[test]
fn a_repeat_goes_only_to_routes_where_it_failed() {
    let (first, second) = (group(), group());
    let (a, b) = (first.webhook(TOKEN), second.webhook(TOKEN));
    let bench = Bench::new(&vars(
        &a,
        &[
            ("DINGTALK_WEBHOOK__B", &b),
            ("DINGTALK_SECRET__B", SECRET),
            ("EVENT_LEVELS__B", "INFO"),
        ],
    ));
    second.fault(answer(r#"{"errcode":400102,"errmsg":"bot is stopped"}"#));
    let (result, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(result.unwrap_err().0, "Refused");
    let outcomes = |outcome: &Value| -> Vec<String> {
        let routes = outcome["events"][0]["routes"].as_array().unwrap().clone();
        routes
            .iter()
            .map(|route| route["outcome"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(outcomes(&outcome), ["delivered", "failed"]);
    let (result, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(
        (result, outcomes(&outcome)),
        (Ok(()), vec!["duplicate".into(), "delivered".into()])
    );
    let (result, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(
        (result, outcomes(&outcome)),
        (Ok(()), vec!["duplicate".into(), "duplicate".into()])
    );
    assert_eq!((first.calls().len(), second.calls().len()), (1, 2));
    let last = bench.lines.all().pop().unwrap();
    assert_eq!(last["outcome"], "duplicate");
    assert!(
        last.get("attempts").is_none() && last.get("messageUuid").is_none(),
        "{last}"
    );
}

#[test]
fn the_events_of_one_payload_are_one_message_with_a_line_each() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    let (result, _) = bench.handle(&sample("eventbridge-stream/acs-ecs-three-events.json"));
    assert_eq!(result, Ok(()));
    let [delivery] = group.deliveries().try_into().unwrap();
    assert!(
        delivery.title.contains("3 ECS events"),
        "{}",
        delivery.title
    );
    let lines = bench.lines.all();
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert_eq!(
            (&line["combined"], &line["messageUuid"]),
            (&json!(3), &json!(delivery.msg_uuid))
        );
    }
}

#[test]
fn when_the_turn_comes_too_late_nothing_is_sent() {
    let group = group();
    let bench = Bench::new(&vars(
        &group.webhook(TOKEN),
        &[("DINGTALK_RATE_LIMIT", "3")],
    ));
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    let (error_type, message) = bench
        .handle_within(&sample(REBOOT), Duration::from_secs(10))
        .0
        .unwrap_err();
    assert_eq!(error_type, "Throttled");
    assert!(message.contains("EventBridge will repeat"), "{message}");
    assert_eq!(group.calls().len(), 1);
    bench.clock.advance(Duration::from_secs(31));
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
}

#[test]
fn a_too_long_message_is_shortened_before_it_is_sent_again() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    group.fault(answer(
        r#"{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}"#,
    ));
    let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
    for i in 0..50 {
        event["data"][format!("k{i}")] = json!("长".repeat(150));
    }
    assert_eq!(bench.handle(&event.to_string()).0, Ok(()));
    let sizes: Vec<usize> = group
        .calls()
        .iter()
        .map(|call| call.raw_body.len())
        .collect();
    assert!(
        sizes[0] > 15_000 && sizes[0] <= 20_000 && sizes[1] <= 5_000,
        "{sizes:?}"
    );
    // One that is short already is made shorter still, or nothing would be gained.
    group.clear();
    group.fault(answer(r#"{"errcode":460101,"errmsg":"too long"}"#));
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    let calls = group.calls();
    assert!(calls[1].raw_body.len() < calls[0].raw_body.len());
}

#[test]
fn the_second_secret_is_tried_once_when_the_first_is_refused() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let rotating = format!("SECold,{SECRET}");
    let bench = Bench::new(&vars(&webhook, &[("DINGTALK_SECRET", &rotating)]));
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    assert_eq!(group.calls().len(), 2);
    // The one that was accepted comes first from then on.
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    assert_eq!(group.calls().len(), 3);

    let bench = Bench::new(&vars(&webhook, &[("DINGTALK_SECRET", "SECold,SEColder")]));
    let (error_type, message) = bench.handle(&sample(STOPPED)).0.unwrap_err();
    assert_eq!(error_type, "Refused");
    assert!(message.contains("DINGTALK_SECRET"), "{message}");
    assert_eq!(group.calls().len(), 5);
}

#[test]
fn a_remedy_names_the_variables_of_its_own_route_and_chatbot() {
    let group = group();
    let nowhere = group.webhook("0000000000000000");
    let (webhook, fallback) = (group.webhook(TOKEN), group.webhook(FALLBACK_TOKEN));
    group.configure(FALLBACK_TOKEN, |robot| {
        robot.secret = Some("SECother".into())
    });
    let bench = Bench::new(&[
        ("DINGTALK_WEBHOOK__OPS", &nowhere),
        ("EVENT_LEVELS__OPS", "INFO"),
        ("DINGTALK_WEBHOOK__B", &webhook),
        ("DINGTALK_FALLBACK_WEBHOOK__B", &fallback),
        ("EVENT_LEVELS__B", "INFO"),
    ]);
    assert!(bench.handle(&sample(STOPPED)).0.is_err());
    let remedies: Vec<String> = bench
        .lines
        .all()
        .iter()
        .map(|line| line["remedy"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        remedies[0].contains("DINGTALK_SECRET__B"),
        "{}",
        remedies[0]
    );
    assert!(
        remedies[0].contains("DINGTALK_FALLBACK_SECRET__B"),
        "{}",
        remedies[0]
    );
    assert!(
        remedies[1].contains("DINGTALK_WEBHOOK__OPS"),
        "{}",
        remedies[1]
    );
}

#[test]
fn the_fallback_sends_while_the_primary_is_banned_or_refuses() {
    let group = group();
    let (webhook, fallback) = (group.webhook(TOKEN), group.webhook(FALLBACK_TOKEN));
    let bench = Bench::new(&vars(&webhook, &[("DINGTALK_FALLBACK_WEBHOOK", &fallback)]));
    group.fault(answer(r#"{"errcode":130101,"errmsg":"send too fast"}"#));
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    assert_eq!(group.calls().len(), 2);
    // Ten minutes long no request goes to the first.
    bench.clock.advance(Duration::from_secs(595));
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    assert_eq!(group.calls().len(), 3);
    bench.clock.advance(Duration::from_secs(6));
    group.configure(TOKEN, |robot| robot.state = fake_dingtalk::State::Stopped);
    assert_eq!(
        bench
            .handle(&sample("eventbridge/Disk-Stalled-Executed.json"))
            .0,
        Ok(())
    );
    assert_eq!(group.calls().len(), 5);
    assert_eq!(group.deliveries().len(), 3);
    // Both refuse: both remedies, with the variables of each.
    group.configure(FALLBACK_TOKEN, |robot| {
        robot.keywords = vec!["nowhere".into()]
    });
    let (error_type, message) = bench
        .handle(&sample("eventbridge/Instance-StateChange-Deleted.json"))
        .0
        .unwrap_err();
    assert_eq!(error_type, "Refused");
    assert!(message.contains("the fallback chatbot: "), "{message}");
    assert_no_secret(&message);
}

#[test]
fn when_the_fallback_fails_the_ban_is_reported_too() {
    let group = group();
    let (webhook, fallback) = (group.webhook(TOKEN), group.webhook(FALLBACK_TOKEN));
    let bench = Bench::new(&vars(&webhook, &[("DINGTALK_FALLBACK_WEBHOOK", &fallback)]));
    let busy = || answer(r#"{"errcode":-1,"errmsg":"系统繁忙"}"#);
    group.fault(answer(r#"{"errcode":130101,"errmsg":"send too fast"}"#));
    // The second invocation finds the primary chatbot banned, and starts at the fallback.
    for _ in 0..2 {
        group.faults([busy(), busy(), busy(), busy()]);
        let (error_type, message) = bench.handle(&sample(STOPPED)).0.unwrap_err();
        assert_eq!(error_type, "Throttled");
        for part in [
            "nothing is sent to it before 20",
            "the fallback chatbot: DingTalk says that it is busy",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
    assert_eq!(group.calls().len(), 1 + 4 + 4);
}

#[test]
fn a_banned_chatbot_gets_no_request_until_the_ban_ends() {
    for (fault, seconds) in [
        (answer(r#"{"errcode":660026,"errmsg":"x"}"#), 600),
        (Fault::Flood1111, 300),
        (
            Fault::TooManyRequests {
                retry_after: Some("90".into()),
            },
            90,
        ),
    ] {
        let group = group();
        let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
        group.fault(fault);
        assert_eq!(bench.handle(&sample(STOPPED)).0.unwrap_err().0, "Throttled");
        bench.clock.advance(Duration::from_secs(seconds - 5));
        let (error_type, message) = bench.handle(&sample(STOPPED)).0.unwrap_err();
        assert_eq!(error_type, "Throttled");
        assert!(
            message.contains("nothing is sent to it before 20"),
            "{message}"
        );
        assert_eq!(group.calls().len(), 1);
        assert_eq!(bench.lines.all()[1]["attempts"], 0);
        bench.clock.advance(Duration::from_secs(6));
        assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
        assert_eq!(group.calls().len(), 2);
    }
}

/// Not only the event that met the ban: every one that fails while it lasts, on every route, names
/// the variables of its own route.
#[test]
fn while_banned_each_failing_event_has_its_routes_remedy() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let bench = Bench::new(&vars(
        &webhook,
        &[
            ("DINGTALK_WEBHOOK__OPS", &webhook),
            ("DINGTALK_SECRET__OPS", SECRET),
            ("EVENT_LEVELS__OPS", "CRITICAL,WARN,INFO"),
            ("EVENT_LEVELS", "INFO"),
        ],
    ));
    group.fault(answer(r#"{"errcode":130101,"errmsg":"send too fast"}"#));
    assert!(bench.handle(&sample(STOPPED)).0.is_err());
    let (_, outcome) = bench.handle(&sample(STOPPED));
    assert_eq!(group.calls().len(), 1);
    let remedies: Vec<String> = bench
        .lines
        .all()
        .iter()
        .map(|line| line["remedy"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(remedies.len(), 4);
    assert_eq!(
        remedies
            .iter()
            .filter(|r| r.contains(" (send too fast); "))
            .count(),
        1
    );
    for (remedy, suffix) in remedies.iter().zip(["", "__OPS"].iter().cycle()) {
        let advice = format!(
            "; the chatbot got too many messages (20 a minute is its limit) and takes none for a while: \
             keep other senders off it, lower DINGTALK_RATE_LIMIT{suffix}, or set DINGTALK_FALLBACK_WEBHOOK{suffix}"
        );
        assert!(remedy.ends_with(&advice), "{remedy}");
    }
    let answer = &outcome["events"][0]["routes"];
    assert_eq!(answer[0]["remedy"], remedies[2]);
    assert_eq!(answer[1]["remedy"], remedies[3]);
}

#[test]
fn a_webhook_that_never_answers_fails_before_the_deadline() {
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    group.faults(times(9, Fault::NeverAnswer));
    let begun = Instant::now();
    let (result, _) = bench.handle_within(&sample(STOPPED), Duration::from_secs(2));
    assert_eq!(result.unwrap_err().0, "Deadline");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_route_that_never_answers_does_not_hold_up_the_others() {
    let (silent, group) = (group(), group());
    silent.faults(times(9, Fault::NeverAnswer));
    let (first, second) = (silent.webhook(TOKEN), group.webhook(TOKEN));
    let bench = Bench::new(&vars(
        &first,
        &[
            ("DINGTALK_WEBHOOK__B", &second),
            ("DINGTALK_SECRET__B", SECRET),
            ("EVENT_LEVELS__B", "INFO"),
        ],
    ));
    let (result, outcome) = bench.handle_within(&sample(STOPPED), Duration::from_secs(3));
    assert_eq!(result.unwrap_err().0, "Deadline");
    assert_eq!(outcome["events"][0]["routes"][1]["outcome"], "delivered");
    assert_eq!(group.deliveries().len(), 1);
}

#[test]
fn a_connection_that_died_in_a_freeze_costs_no_message() {
    for close in [Close::Fin, Close::Reset] {
        let group = group();
        let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
        assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
        group.close_idle(close);
        assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
        assert_eq!(group.deliveries().len(), 2);
    }
    // Packets are dropped: after a freeze the connection is not even tried.
    let group = group();
    let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    group.close_idle(Close::Blackhole);
    bench.clock.advance(Duration::from_secs(60));
    let begun = Instant::now();
    assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(group.deliveries().len(), 2);
}

#[test]
fn each_event_has_one_key_on_every_instance() {
    let group = group();
    for _ in 0..2 {
        let bench = Bench::new(&vars(&group.webhook(TOKEN), &[]));
        assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
        assert_eq!(bench.handle(&sample(REBOOT)).0, Ok(()));
    }
    let keys: Vec<_> = group
        .calls()
        .iter()
        .map(|call| call.body.as_ref().unwrap()["msgUuid"].clone())
        .collect();
    assert_eq!((&keys[0], &keys[1]), (&keys[2], &keys[3]));
    assert_ne!(keys[0], keys[1]);
    // The second instance's messages were known to the chatbot, and not shown again.
    assert_eq!(group.deliveries().len(), 2);
}

#[test]
fn over_tls_a_certificate_is_checked_and_its_ca_can_be_named() {
    let group = Group::builder()
        .robot(Robot::new(TOKEN).secret(SECRET))
        .tls()
        .start()
        .unwrap();
    let webhook = group.webhook(TOKEN);
    let bench = Bench::new(&vars(&webhook, &[]));
    let (error_type, message) = bench.handle(&sample(STOPPED)).0.unwrap_err();
    assert_eq!(error_type, "Unreachable");
    assert!(message.contains("SSL_CERT_FILE"), "{message}");
    let ca = RootCertificates::from_pem(group.ca_pem().unwrap().as_bytes()).unwrap();
    let network = HttpConfig {
        root_certificates: Some(ca),
        ..HttpConfig::default()
    };
    let bench = Bench::with_network(&vars(&webhook, &[]), network);
    assert_eq!(bench.handle(&sample(STOPPED)).0, Ok(()));
    assert_eq!(group.deliveries().len(), 1);
}
