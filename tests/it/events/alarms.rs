//! Threshold alarms of CloudMonitor.

use super::{at, one};
use crate::samples::sample;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecs_dingtalk_notifier::event::{self, Event, Level};
use serde_json::{Value, json};

const ALERT: &str = "cloudmonitor-alarm/Host.cpu.total-ALERT.form.txt";
const OK: &str = "cloudmonitor-alarm/Host.cpu.total-OK.json";

/// An alarm as JSON, with some fields changed; null removes one.
fn alarm(changes: Value) -> Event {
    let mut alarm: Value = serde_json::from_str(&sample(OK)).unwrap();
    let fields = alarm.as_object_mut().unwrap();
    for (key, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(fields.remove(key)),
            change => drop(fields.insert(key.clone(), change.clone())),
        }
    }
    one(&alarm.to_string())
}

#[test]
fn an_alarm_tells_level_metric_value_and_resource() {
    let event = one(&sample(ALERT));
    assert_eq!(event.full_name(), "CloudMonitor:ThresholdAlarm:ALERT");
    assert_eq!(event.product.as_deref(), Some("CloudMonitor"));
    assert_eq!(event.level, Some(Level::Critical));
    assert_eq!(event.resource_id.as_deref(), Some("i-2zealarmexample00001"));
    assert_eq!(event.resource_kind.as_deref(), Some("instance"));
    assert_eq!(event.resource_name.as_deref(), Some("shop-db-02"));
    assert_eq!(event.region.as_deref(), Some("cn-beijing"));
    assert_eq!(event.account.as_deref(), Some("1690700000000030"));
    assert_eq!(event.time, at("2026-11-20T06:15:00.250Z"));
    for (key, value) in [
        ("alertName", "基础监控-ECS-CPU使用率"),
        ("metricName", "Host.cpu.total"),
        ("curValue", "96.4"),
        ("unit", "%"),
        ("expression", "$Average>=90"),
        ("lastTime", "5分钟"),
        ("ipAddress", "192.0.2.27"),
        ("groupId", "1000002"),
    ] {
        assert_eq!(event.details[key], value, "{key}");
    }
    for gone in [
        "signature",
        "dimensions",
        "instanceName",
        "alertState",
        "triggerLevel",
    ] {
        assert!(!event.details.contains_key(gone), "{gone}");
    }
    assert!(!format!("{event:?}").contains("0000000000000000000000000000000000="));
    assert!(!event.is_final());
}

#[test]
fn an_alarm_is_the_same_in_whatever_it_comes() {
    let form = sample(ALERT);
    let expected = one(&form);
    let fields: Value = form_urlencoded::parse(form.trim().as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
        .collect();
    let mut numbers = fields.clone();
    numbers["curValue"] = json!(96.4);
    numbers["timestamp"] = json!(1795155300250_u64);
    numbers["userId"] = json!(1690700000000030_u64);
    let http = |body: Value| {
        json!({"id": "h", "type": "eventbridge:Events:HTTPEvent", "source": "cms.webhook", "data": {"body": body}}).to_string()
    };
    let queue = |body: String| {
        json!({"id": "q", "type": "mns:Queue:SendMessage", "source": "acs.mns", "data": {"messageBody": body}}).to_string()
    };
    for (how, payload) in [
        ("JSON", fields.to_string()),
        ("JSON with numbers", numbers.to_string()),
        ("HTTP source", http(json!(form))),
        ("HTTP source, JSON", http(fields.clone())),
        ("HTTP source, JSON as text", http(json!(fields.to_string()))),
        ("queue", queue(form.clone())),
        ("queue, Base64", queue(STANDARD.encode(&form))),
        (
            "data of an event",
            json!({"type": "a:b", "data": fields}).to_string(),
        ),
        ("array", json!([form]).to_string()),
        ("Base64", STANDARD.encode(&form)),
    ] {
        let event = one(&payload);
        assert_eq!(event, expected, "{how}");
        assert_eq!(event.dedup_key(), expected.dedup_key(), "{how}");
    }
}

#[test]
fn an_alarm_that_recovered_is_over() {
    let event = one(&sample(OK));
    assert_eq!(event.status.as_deref(), Some("OK"));
    assert_eq!(
        event.level,
        Some(Level::Critical),
        "that before the recovery"
    );
    assert!(event.is_final());
    assert!(alarm(json!({"alertState": "ok"})).is_final());
    let by_level = alarm(json!({"alertState": null}));
    assert_eq!(
        (by_level.status.as_deref(), by_level.is_final()),
        (Some("OK"), true)
    );
    for state in ["ALERT", "INSUFFICIENT_DATA"] {
        let event = alarm(json!({"alertState": state}));
        assert_eq!(
            (event.status.as_deref(), event.is_final()),
            (Some(state), false)
        );
    }
    // What is good news for an alarm may be something else for another event.
    let other = json!({"product": "ECS", "name": "A:B", "content": {"result": "OK"}});
    assert!(!one(&other.to_string()).is_final());
}

#[test]
fn each_alarm_is_an_event_of_its_own() {
    let began = one(&sample(ALERT));
    let over = one(&sample(OK));
    let again = one(&sample(ALERT).replace("1795155300250", "1795158900250"));
    assert_ne!(began.dedup_key(), over.dedup_key());
    assert_ne!(began.dedup_key(), again.dedup_key(), "hours later");
}

#[test]
fn the_level_is_the_triggers_else_the_one_before() {
    for (trigger, before, expected) in [
        ("CRITICAL", "INFO", Some(Level::Critical)),
        ("Warn", "CRITICAL", Some(Level::Warn)),
        ("OK", "INFO", Some(Level::Info)),
        ("P1", "WARN", Some(Level::Warn)),
        ("P1", "OK", None),
    ] {
        let event = alarm(json!({"triggerLevel": trigger, "preTriggerLevel": before}));
        assert_eq!(event.level, expected, "{trigger} {before}");
    }
    assert_eq!(
        alarm(json!({"triggerLevel": "P1"})).details["triggerLevel"],
        "P1"
    );
}

#[test]
fn the_resource_is_found_in_every_form_of_dimensions() {
    for (dimensions, id, kind) in [
        (
            json!("{instanceId=i-1, userId=7}"),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!(" {userId=7,instanceId=i-1} "),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!("[{instanceId=i-1, userId=7}]"),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!("{\"instanceId\":\"i-1\",\"userId\":\"7\"}"),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!("[{\"userId\":7,\"instanceId\":\"i-1\"}]"),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!([{"instanceId": "i-1", "userId": "7"}]),
            Some("i-1"),
            Some("instance"),
        ),
        (
            json!({"instanceId": "i-1", "diskId": "d-1", "userId": 7}),
            Some("i-1"),
            Some("instance"),
        ),
        (json!("{diskId=d-1, userId=7}"), Some("d-1"), Some("disk")),
        (json!("{instanceId=rm-1, userId=7}"), Some("rm-1"), None),
        (
            json!("{loadBalancerId=lb-1, port=80, userId=7}"),
            Some("lb-1"),
            None,
        ),
    ] {
        let event = alarm(json!({"dimensions": dimensions}));
        assert_eq!(event.resource_id.as_deref(), id, "{dimensions}");
        assert_eq!(event.resource_kind.as_deref(), kind, "{dimensions}");
        assert_eq!(event.account.as_deref(), Some("7"), "{dimensions}");
    }
}

#[test]
fn dimensions_that_name_no_resource_are_shown() {
    for dimensions in [
        json!("garbage"),
        json!("{instanceId"),
        json!([{"instanceId": "i-1"}, {"instanceId": "i-2"}]),
        json!(7),
    ] {
        let event = alarm(json!({"dimensions": dimensions, "groupId": "0"}));
        let shown = dimensions
            .as_i64()
            .map_or(dimensions.clone(), |number| json!(number.to_string()));
        assert_eq!(event.details["dimensions"], shown);
        assert_eq!(
            (event.resource_id, event.account.as_deref()),
            (None, Some("1690700000000030"))
        );
    }
    let event = alarm(json!({"dimensions": "{instanceId=i-1, device=/dev/vda1, userId=7}"}));
    assert_eq!(event.details["dimensions"], json!({"device": "/dev/vda1"}));
}

#[test]
fn a_name_without_an_address_stays_whole() {
    for (name, shown, address) in [
        ("web-01/192.0.2.15", Some("web-01"), Some("192.0.2.15")),
        ("web-01/2001:db8::1", Some("web-01"), Some("2001:db8::1")),
        (
            "web-01/192.0.2.15,10.0.0.1",
            Some("web-01"),
            Some("192.0.2.15,10.0.0.1"),
        ),
        ("a/b", Some("a/b"), None),
        ("a/b/192.0.2.15", Some("a/b"), Some("192.0.2.15")),
        ("web-01", Some("web-01"), None),
        ("/192.0.2.15", None, Some("192.0.2.15")),
        ("web/", Some("web/"), None),
    ] {
        let event = alarm(json!({"instanceName": name}));
        assert_eq!(event.resource_name.as_deref(), shown, "{name}");
        let detail = event.details.get("ipAddress").and_then(Value::as_str);
        assert_eq!(detail, address, "{name}");
    }
}

#[test]
fn what_is_something_else_is_no_alarm() {
    let fields: Value = serde_json::from_str(&sample(OK)).unwrap();
    let with = |key: &str, value: Value| {
        let mut fields = fields.clone();
        fields[key] = value;
        one(&fields.to_string()).name
    };
    assert_eq!(with("name", json!("A:B")), "A:B");
    assert_eq!(with("type", json!("ecs:A:B")), "A:B");
    assert_eq!(with("alert", json!({"eventName": "A:B"})), "A:B");
    for few in [
        json!({"alertName": "x", "metricName": "y"}),
        json!({"metricName": "y", "alertState": "OK"}),
        json!({"alertName": "x", "alertState": "OK"}),
    ] {
        assert_eq!(
            event::parse(few.to_string().as_bytes()).errors.len(),
            1,
            "{few}"
        );
    }
    assert_eq!(event::parse(b"alertName=x&metricName=y").errors.len(), 1);
}
