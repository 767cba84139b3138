//! What events are wrapped in, one in another, and what is wrong with what they hold.

use super::one;
use crate::samples::{REBOOT, sample};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ecs_dingtalk_notifier::event::{self, Event, Parsed};
use serde_json::{Value, json};

const FORM: &str = "cloudmonitor-webhook/Instance-StateChange-Stopping.form.txt";

fn reboot() -> Value {
    serde_json::from_str(&sample(REBOOT)).unwrap()
}

fn parse(payload: &Value) -> Parsed {
    event::parse(payload.to_string().as_bytes())
}

/// The path and the problem of the only error in a payload without events.
fn fault(payload: &str) -> (String, String) {
    let parsed = event::parse(payload.as_bytes());
    assert!(parsed.events.is_empty(), "{payload}");
    let [error] = <[_; 1]>::try_from(parsed.errors).unwrap();
    (error.path, error.problem)
}

/// Function Compute's record of an invocation with this payload.
fn record(payload: impl Into<Value>) -> Value {
    json!({
        "timestamp": 1795155300456_u64,
        "requestContext": {"requestId": "1-6cexample", "condition": "UnhandledInvocationError", "approximateInvokeCount": 4},
        "requestPayload": payload.into(),
        "responseContext": {"statusCode": 200, "functionError": "UnhandledInvocationError"},
        "responsePayload": "{\"errorType\":\"Throttled\"}",
    })
}

/// What a topic of SMQ pushes.
fn topic(message: impl Into<Value>) -> Value {
    json!({
        "TopicOwner": "1690700000000030", "TopicName": "ecs", "Subscriber": "1690700000000030", "SubscriptionName": "s",
        "MessageId": "0123456789ABCDEF-1-EXAMPLE-1", "MessageMD5": "0", "PublishTime": 1795155300456_u64, "Message": message.into(),
    })
}

fn envelope(data: Value) -> Value {
    json!({"id": "q1", "source": "acs.mns", "specversion": "1.0", "type": "mns:Queue:SendMessage", "data": data})
}

fn http(body: impl Into<Value>) -> Value {
    let data = json!({"headers": {"Content-Type": "application/x-www-form-urlencoded"}, "path": "/webhook", "httpMethod": "POST", "body": body.into()});
    json!({"id": "h1", "source": "cms.webhook", "specversion": "1.0", "type": "eventbridge:Events:HTTPEvent", "data": data})
}

#[test]
fn a_record_of_an_invocation_is_what_it_was_called_with() {
    let reboot = reboot();
    let expected = one(&reboot.to_string());
    let text = reboot.to_string();
    let mut with_text_time = record(text.clone());
    with_text_time["timestamp"] = json!("2026-11-20T06:15:00Z");
    let mut queue = record(text.clone()).to_string();
    queue.push('\n');
    for (how, payload) in [
        ("text", record(text.clone())),
        ("JSON", record(reboot.clone())),
        ("Base64", record(STANDARD.encode(&text))),
        ("time as text", with_text_time),
        ("in an array", json!([record(text.clone())])),
        ("as text", json!(record(text.clone()).to_string())),
        ("data of an event", envelope(record(text.clone()))),
        (
            "data of an event, as text",
            envelope(json!(record(text.clone()).to_string())),
        ),
        (
            "in a queue's message",
            envelope(json!({"messageBody": queue})),
        ),
        (
            "in a queue's message in Base64",
            envelope(json!({"messageBody": STANDARD.encode(&queue)})),
        ),
        (
            "record of a record",
            record(record(text.clone()).to_string()),
        ),
        (
            "in a topic's message",
            topic(record(text.clone()).to_string()),
        ),
        (
            "of a topic's message",
            record(topic(text.clone()).to_string()),
        ),
    ] {
        assert_eq!(one(&payload.to_string()), expected, "{how}");
    }
}

#[test]
fn a_record_may_hold_an_array_or_a_form() {
    let parsed = parse(&record(json!([reboot(), {"name": "A:B"}, {}]).to_string()));
    assert_eq!(parsed.events.len(), 2);
    assert_eq!(parsed.errors[0].path, "$.requestPayload[2]");
    let expected = one(&sample(FORM));
    assert_eq!(one(&record(sample(FORM)).to_string()), expected);
}

#[test]
fn when_a_record_holds_no_event_the_error_names_its_payload() {
    for payload in [
        json!("garbage"),
        json!(""),
        json!("{\"a\":"),
        json!("{}"),
        json!("[]"),
        json!([[]]),
        json!({"a": 1}),
        json!(null),
        json!(7),
        json!(STANDARD.encode("garbage")),
    ] {
        let (path, problem) = fault(&record(payload.clone()).to_string());
        assert_eq!(path, "$.requestPayload", "{payload}");
        assert!(problem.contains("accepted are CloudEvents"), "{problem}");
    }
    let (path, problem) =
        fault(&json!([[record(json!({"instanceId": "i-1", "state": "Stopped"}))]]).to_string());
    assert_eq!(path, "$[0][0].requestPayload");
    assert!(problem.contains("完整事件"), "{problem}");
    // What holds it is an event, and shown.
    let event = one(&envelope(record("garbage")).to_string());
    assert_eq!(event.name, "mns:Queue:SendMessage");
    assert_eq!(event.details["requestPayload"], "garbage");
}

#[test]
fn when_a_record_lacks_a_part_it_is_none() {
    let mut payload = record(reboot().to_string());
    payload.as_object_mut().unwrap().remove("requestContext");
    let (path, problem) = fault(&payload.to_string());
    assert_eq!(path, "$");
    assert!(problem.contains("requestPayload"), "{problem}");
    let mut payload = record("x");
    payload.as_object_mut().unwrap().remove("requestPayload");
    assert_eq!(fault(&payload.to_string()).0, "$");
}

#[test]
fn messages_of_topics_and_queues_are_what_they_hold() {
    let text = reboot().to_string();
    let expected = one(&text);
    for (how, payload) in [
        ("topic, text", topic(text.clone())),
        ("topic, Base64", topic(STANDARD.encode(&text))),
        ("topic, JSON", topic(reboot())),
        ("topic in an event", envelope(topic(text.clone()))),
        ("topic in an HTTP source", http(topic(text.clone()))),
        (
            "topic in an HTTP source, as text",
            http(topic(STANDARD.encode(&text)).to_string()),
        ),
        (
            "topic in a queue",
            envelope(json!({"messageBody": topic(text.clone()).to_string()})),
        ),
        (
            "queue",
            json!({"MessageId": "1", "MessageBodyMD5": "0", "MessageBody": text.clone()}),
        ),
        (
            "queue, Base64",
            json!({"MessageBody": URL_SAFE_NO_PAD.encode(&text)}),
        ),
        (
            "queue as on EventBridge",
            json!({"requestId": "1", "messageId": "2", "messageBody": text.clone()}),
        ),
        (
            "queue of another SDK",
            json!({"MessageId": "1", "Body": text.clone()}),
        ),
        (
            "queue, XML in a string",
            json!(format!("<Message><MessageBody>{}</MessageBody></Message>", STANDARD.encode(&text))),
        ),
        (
            "queue, XML in Base64 in an HTTP source",
            http(STANDARD.encode(format!("<m:Messages><m:Message><m:MessageBody><![CDATA[{text}]]></m:MessageBody></m:Message></m:Messages>"))),
        ),
        ("several", json!([{"MessageBody": text.clone()}])),
        ("broker", json!({"topic": "t", "body": reboot()})),
    ] {
        assert_eq!(one(&payload.to_string()), expected, "{how}");
    }
}

#[test]
fn the_xml_of_a_queue_is_a_payload_of_its_own() {
    let text = reboot().to_string();
    let escaped = text.replace('"', "&quot;");
    let message = |body: &str| format!("<Message><MessageBody>{body}</MessageBody></Message>");
    assert_eq!(one(&message(&escaped)), one(&text));
    let batch = format!(
        "<?xml version=\"1.0\"?>\n<Messages>{}{}</Messages>\n",
        message(&escaped),
        message("garbage")
    );
    let parsed = event::parse(batch.as_bytes());
    assert_eq!(parsed.events.len(), 1);
    assert_eq!(parsed.errors[0].path, "$[1].MessageBody");
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"ha\">]>{}", message("&a;"));
    assert!(fault(&bomb).1.contains("document type"));
    assert!(fault(&batch[..90]).1.contains("breaks off"));
    let many = "<Message/>".repeat(100_000);
    assert!(
        fault(&format!("<Messages>{many}</Messages>"))
            .1
            .contains("more than there is memory for")
    );
}

#[test]
fn when_a_message_holds_no_event_the_error_names_its_body() {
    for (payload, path) in [
        (topic("garbage"), "$.Message"),
        (topic("{}"), "$.Message"),
        (topic(STANDARD.encode("garbage")), "$.Message"),
        (topic(json!(null)), "$.Message"),
        (json!([{"MessageBody": "garbage"}]), "$[0].MessageBody"),
        (json!({"messageBody": "{\"a\":1}"}), "$.messageBody"),
        (json!({"MessageId": "1", "Body": 7}), "$.Body"),
        // Many objects have these: it is their own members that are missing.
        (json!({"body": "garbage"}), "$"),
        (json!({"value": 7}), "$"),
        (json!({"Message": "garbage"}), "$"),
    ] {
        let (at, problem) = fault(&payload.to_string());
        assert_eq!(at, path, "{payload}");
        assert!(problem.contains("accepted are"), "{problem}");
    }
    // An event that has such a member is an event.
    for member in ["MessageBody", "requestPayload", "Message", "body"] {
        let event = json!({"product": "ECS", "name": "A:B", member: "{\"name\":\"C:D\"}"});
        assert_eq!(one(&event.to_string()).name, "A:B", "{member}");
    }
    let both = json!({"name": "A:B", "requestContext": {}, "requestPayload": "garbage"});
    assert_eq!(one(&both.to_string()).name, "A:B");
}

#[test]
fn a_form_counts_wherever_text_counts() {
    let form = sample(FORM);
    let expected = one(&form);
    assert_eq!(expected.name, "Instance:StateChange");
    let form = form.trim();
    let encoded = STANDARD.encode(form);
    for (how, payload) in [
        ("blanks around it", format!(" \n\u{feff}{form}\r\n")),
        ("text", json!(form).to_string()),
        (
            "text with blanks",
            json!(format!("\u{feff}\n{form}\n\n")).to_string(),
        ),
        ("array", json!([form]).to_string()),
        ("Base64", encoded.clone()),
        ("Base64 of a line", URL_SAFE.encode(format!("{form}\n"))),
        ("Base64 in text", json!(encoded).to_string()),
        ("queue", envelope(json!({"messageBody": form})).to_string()),
        (
            "queue, Base64",
            envelope(json!({"messageBody": encoded})).to_string(),
        ),
        (
            "Kafka",
            envelope(json!({"value": format!("{form}\n")})).to_string(),
        ),
        ("HTTP source", http(form).to_string()),
        ("HTTP source, Base64", http(encoded.clone()).to_string()),
        ("data", envelope(json!(form)).to_string()),
        (
            "data_base64",
            json!({"type": "a:b", "data_base64": encoded}).to_string(),
        ),
        ("topic", topic(form).to_string()),
        ("record", record(form).to_string()),
        ("order", form.split('&').rev().collect::<Vec<_>>().join("&")),
    ] {
        assert_eq!(one(&payload), expected, "{how}");
    }
}

#[test]
fn a_form_that_is_no_alert_is_shown_or_an_error() {
    for body in [
        "alert=garbage&severity=INFO",
        "alert=",
        "user=alice&alerts=1",
        "alert",
        "a=alert=1",
    ] {
        let event = one(&http(body).to_string());
        assert_eq!(event.name, "eventbridge:Events:HTTPEvent", "{body}");
        assert_eq!(event.details["body"], body);
        let (path, _) = fault(&json!([body]).to_string());
        assert_eq!(path, "$[0]", "{body}");
    }
}

fn with_base64(encoded: impl Into<Value>) -> Event {
    let mut event = json!({
        "id": "1", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:StateChange",
        "subject": "acs:ecs:cn-hangzhou:1690700000000030:instance/i-bp1b64example00001",
    });
    event["data_base64"] = encoded.into();
    one(&event.to_string())
}

#[test]
fn binary_data_are_decoded() {
    // Both alphabets differ in it.
    let data = json!({"resourceId": "i-bp1b64example00001", "instanceName": "~~~???~~~??>", "state": "Stopped"});
    let text = data.to_string();
    assert_ne!(STANDARD.encode(&text), URL_SAFE.encode(&text));
    for (how, encoded) in [
        ("standard", STANDARD.encode(&text)),
        ("for URLs", URL_SAFE.encode(&text)),
        ("without padding", STANDARD_NO_PAD.encode(&text)),
        ("for URLs without padding", URL_SAFE_NO_PAD.encode(&text)),
        ("in lines", STANDARD.encode(&text).replace('M', "M\r\n")),
        (
            "with a byte order mark",
            STANDARD.encode(format!("\u{feff}{text}\n")),
        ),
    ] {
        let event = with_base64(encoded);
        assert_eq!(event.full_name(), "Instance:StateChange:Stopped", "{how}");
        assert_eq!(
            event.resource_name.as_deref(),
            Some("~~~???~~~??>"),
            "{how}"
        );
        assert!(!event.details.contains_key("data_base64"), "{how}");
    }
}

#[test]
fn binary_data_may_hold_a_message_or_another_event() {
    let expected = one(&reboot().to_string());
    let message = json!({"messageBody": reboot().to_string()});
    let encoded_message = json!({"messageBody": STANDARD.encode(reboot().to_string())});
    for held in [
        message,
        encoded_message,
        reboot(),
        json!([reboot()]),
        record(reboot().to_string()),
        topic(reboot()),
    ] {
        assert_eq!(
            with_base64(STANDARD.encode(held.to_string())),
            expected,
            "{held}"
        );
    }
    let parsed = parse(
        &json!({"type": "a:b", "data_base64": STANDARD.encode(json!({"body": [reboot(), 7]}).to_string())}),
    );
    assert_eq!(parsed.errors[0].path, "$.data_base64.body[1]");
}

#[test]
fn binary_data_that_cannot_be_decoded_are_shown() {
    for encoded in [
        json!("no Base64!"),
        json!("bm8gSlNPTg=="),
        json!(STANDARD.encode("{\"cut\":")),
        json!(STANDARD.encode([0xff, 0xfe, 0x00])),
        json!(17),
        json!({"a": 1}),
    ] {
        let event = with_base64(encoded.clone());
        assert_eq!(event.name, "Instance:StateChange");
        assert_eq!(event.details["data_base64"], encoded);
    }
    assert!(with_base64(json!(null)).details.is_empty());
}

#[test]
fn when_there_are_both_data_win() {
    let other = STANDARD.encode("{\"state\":\"Running\"}");
    for (data, expected) in [
        (json!({"state": "Stopped"}), Some("Stopped")),
        (json!("{\"state\":\"Stopped\"}"), Some("Stopped")),
        (json!({}), None),
        (json!(null), Some("Running")),
    ] {
        let event = json!({"type": "ecs:Instance:StateChange", "data": data, "data_base64": other});
        let event = one(&event.to_string());
        assert_eq!(event.status.as_deref(), expected, "{data}");
        assert!(!event.details.contains_key("data_base64"));
    }
}

#[test]
fn an_event_that_another_bus_wrapped_again_is_that_event() {
    let expected = one(&reboot().to_string());
    for data in [
        reboot(),
        json!(reboot().to_string()),
        json!([reboot()]),
        json!(STANDARD.encode(reboot().to_string())),
    ] {
        assert_eq!(one(&envelope(data.clone()).to_string()), expected, "{data}");
    }
    // Data that only look like one belong to their envelope.
    for data in [
        json!({"name": "shop", "type": "vpc"}),
        json!([{"name": "shop"}]),
        json!({"name": "shop", "product": "x"}),
        json!("garbage"),
        json!("[1]"),
        json!({"value": 7}),
    ] {
        assert_eq!(
            one(&envelope(data.clone()).to_string()).name,
            "mns:Queue:SendMessage",
            "{data}"
        );
    }
}

#[test]
fn six_wrappers_are_read_and_the_seventh_is_not() {
    let wrappers: [fn(Value) -> Value; 6] = [
        |inner| json!([inner]),
        |inner| json!(inner.to_string()),
        |inner| record(inner.to_string()),
        |inner| topic(STANDARD.encode(inner.to_string())),
        |inner| envelope(json!({"messageBody": inner.to_string()})),
        |inner| json!({"MessageBody": inner}),
    ];
    let expected = one(&reboot().to_string());
    for turn in 0..wrappers.len() {
        let wrap =
            |times: usize| (0..times).fold(reboot(), |inner, n| wrappers[(n + turn) % 6](inner));
        assert_eq!(one(&wrap(6).to_string()), expected, "{turn}");
        let parsed = parse(&wrap(7));
        // An envelope among them is shown; without one it is an error.
        match parsed.events.as_slice() {
            [event] => assert_eq!(event.name, "mns:Queue:SendMessage", "{turn}"),
            _ => panic!("{turn}: {parsed:?}"),
        }
    }
    for wrap in [0, 1, 2, 3, 5] {
        let seven = (0..7).fold(reboot(), |inner, _| wrappers[wrap](inner));
        let (_, problem) = fault(&seven.to_string());
        assert!(problem.contains("more than 6 times"), "{problem}");
    }
}

#[test]
fn the_data_of_an_event_alone_are_answered_with_a_remedy() {
    for data in [
        json!({"eventId": "e-1", "publishTime": "2026-11-26T04:18:26Z", "instanceId": "i-1", "eventType": "SystemMaintenance.Reboot", "eventStatus": "Scheduled"}),
        json!({"eventType": "SystemFailure.Stop", "eventStatus": "Executing"}),
        json!({"resourceId": "i-1", "resourceType": "ALIYUN::ECS::Instance", "state": "Stopped"}),
        json!({"instanceId": "i-1", "action": "delete"}),
        json!({"diskId": "d-1", "operation": "AttachDisk", "result": "failed"}),
        json!({"snapshotId": "s-1", "status": "accomplished"}),
        json!({"eniId": "eni-1", "result": "success", "operation": "AttachNetworkInterface"}),
        json!({"eventName": "DeleteDisk", "userIdentity": {"userName": "bob"}, "serviceName": "Ecs"}),
    ] {
        let (path, problem) = fault(&data.to_string());
        assert_eq!(path, "$");
        assert!(
            problem.contains("complete event") && problem.contains("完整事件"),
            "{problem}"
        );
        let parsed = parse(&json!([reboot(), data]));
        assert_eq!(
            (parsed.events.len(), parsed.errors[0].path.as_str()),
            (1, "$[1]")
        );
    }
    for other in [
        json!({}),
        json!({"instanceId": "i-1"}),
        json!({"state": "Stopped"}),
        json!({"eventName": "x"}),
    ] {
        let (_, problem) = fault(&other.to_string());
        assert!(!problem.contains("完整事件"), "{other}");
    }
}

/// Texts whose values take far more memory than their bytes, in all that texts are nested in.
#[test]
fn many_texts_take_no_more_memory_than_one() {
    let hog = |count: usize| {
        format!(
            "{{\"type\":\"a\",\"data\":[{}]}}",
            vec!["{}"; count].join(",")
        )
    };
    let encoded = STANDARD.encode(hog(30_000));
    let errors = |parsed: &Parsed| {
        let too_large = |error: &&event::ParseError| error.problem.contains("memory");
        parsed.errors.iter().filter(too_large).count()
    };
    let parsed = parse(&json!([encoded, encoded, encoded, encoded, {"name": "A:B"}]));
    assert_eq!(
        (parsed.events.len(), errors(&parsed)),
        (3, 2),
        "{:?}",
        parsed.errors
    );
    let parsed = parse(&json!(vec![topic(encoded.clone()); 5]));
    assert_eq!((parsed.events.len(), errors(&parsed)), (2, 3));
    // What holds no event leaves room for others.
    let nothing = STANDARD.encode(hog(30_000).replace("type", "kind"));
    let parsed = parse(&json!([nothing, nothing, nothing, nothing, reboot()]));
    assert_eq!(
        (parsed.events.len(), parsed.errors.len(), errors(&parsed)),
        (1, 4, 0)
    );
    // Brackets behind escapes, also in the data of an event, and in the fields of a form.
    let content = format!(
        r#"{{"name":"A:B","content":"[{}]"}}"#,
        vec![r"\u007b}"; 80_000].join(",")
    );
    assert_eq!(errors(&event::parse(content.as_bytes())), 1);
    let escaped = hog(80_000).replace('{', "\\u007b").replace('"', "\\\"");
    assert_eq!(
        errors(&event::parse(format!("\"{escaped}\"").as_bytes())),
        1
    );
    let fields: String = (0..400_000).map(|n| format!("{n}&")).collect();
    assert_eq!(
        errors(&event::parse(format!("{fields}alert=1").as_bytes())),
        1
    );
    let form = format!("alert=1&x={}", "%7B".repeat(80_000));
    assert_eq!(errors(&event::parse(form.as_bytes())), 1);
    let copies = (0..5).fold(
        json!(vec![json!({}); 15_000]),
        |inner, _| json!({"type": "a", "data": {"body": inner}}),
    );
    assert_eq!(parse(&copies).events.len(), 1);
}
