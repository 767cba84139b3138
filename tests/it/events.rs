//! Every wire shape, every sample, and every level of the catalog.

mod alarms;
mod masking;
mod owner;
mod wrappers;

use crate::samples::{REBOOT, STOPPED, index, sample};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ecs_dingtalk_notifier::event::{self, Event, EventTime, Level};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

fn one(payload: &str) -> Event {
    let parsed = event::parse(payload.as_bytes());
    assert!(parsed.errors.is_empty(), "{:?} in {payload}", parsed.errors);
    let [event] = parsed
        .events
        .try_into()
        .unwrap_or_else(|e: Vec<_>| panic!("{} events", e.len()));
    Arc::unwrap_or_clone(event)
}

fn at(utc: &str) -> Option<EventTime> {
    Some(EventTime::At(utc.parse().unwrap()))
}

#[test]
fn every_sample_is_what_the_index_says() {
    let mut listed = BTreeSet::new();
    for row in index() {
        let file = row["file"].as_str().unwrap();
        listed.insert(file.to_owned());
        let parsed = event::parse(sample(file).as_bytes());
        assert!(parsed.errors.is_empty(), "{file}: {:?}", parsed.errors);
        assert_eq!(parsed.events.len() as u64, row["events_in_file"], "{file}");
        let Some(name) = row["event"].as_str() else {
            continue;
        };
        let event = &parsed.events[0];
        assert_eq!(
            event.name,
            name.strip_prefix("mongodb ").unwrap_or(name),
            "{file}"
        );
        // The index has life-cycle statuses only; a state or a result is a status too.
        if let Some(status) = row["status"].as_str().filter(|status| *status != "Normal") {
            assert_eq!(event.status.as_deref(), Some(status), "{file}");
        }
        let level = ["level_in_event", "level_in_catalogue"]
            .iter()
            .find_map(|key| row[*key].as_str())
            .and_then(Level::parse);
        match file {
            "eventbridge/Disk-DiskOperationCompleted-failed.json" => {
                assert_eq!(event.level, Some(Level::Warn))
            }
            "eventbridge/CloudAssistant-TaskCompleted-Success.json" => {
                assert_eq!(event.level, Some(Level::Info))
            }
            _ => assert_eq!(event.level, level, "{file}"),
        }
        assert_eq!(event.region.as_deref(), row["region"].as_str(), "{file}");
        assert_eq!(event.account.as_deref(), row["account"].as_str(), "{file}");
        match row["resource"].as_str() {
            Some(resource) => assert_eq!(event.resource_id.as_deref(), Some(resource), "{file}"),
            // The console's debug event masks it.
            None => assert_eq!(event.resource_id.as_deref(), Some("i-b***vd2"), "{file}"),
        }
        let time = row["time_utc"].as_str().and_then(at);
        if file
            == "cloudmonitor-eventbridge/ecs-Instance-SystemMaintenance.Redeploy-Avoided-flat-data.json"
        {
            // The event's own time goes before the envelope's.
            assert_eq!(event.time, at("2019-04-10T08:01:01.922Z"));
            assert_eq!(event.envelope_time, time);
        } else {
            assert_eq!(event.time, time, "{file}");
            assert_eq!(event.envelope_time, None, "{file}");
        }
    }
    let root = format!("{}/tests/events", env!("CARGO_MANIFEST_DIR"));
    for folder in std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|p| p.is_dir())
    {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            assert!(listed.contains(&name), "{name} is not in the index");
        }
    }
}

#[test]
fn every_level_of_the_catalog_follows_from_an_event() {
    let path = format!("{}/data/ecs-events.json", env!("CARGO_MANIFEST_DIR"));
    let entries: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut checked = 0;
    for entry in &entries {
        let product = entry["product"].as_str().unwrap();
        let name = entry["name"].as_str().unwrap();
        let source = format!("acs.{}", product.to_lowercase());
        let own = entry["eventbridge_type"].as_str();
        let kind = own.map_or_else(
            || format!("{}:{name}", product.to_lowercase()),
            str::to_owned,
        );
        if own.is_none() && product != "ECS" && product != "EBS" {
            continue;
        }
        let suggested = entry["suggested_level"].as_str();
        let level = |status: &str| match &entry["levels"] {
            Value::String(level) => Some(level.as_str()),
            Value::Object(map) => map[status].as_str(),
            _ => suggested,
        };
        let level_of = |data: Value| {
            let event =
                one(&json!({"id": "1", "source": source, "type": kind, "data": data}).to_string());
            assert_eq!(event.name, name, "{kind}");
            event.level.map(Level::as_str)
        };
        let statuses: Vec<&str> = entry["statuses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s.as_str().unwrap())
            .collect();
        for status in &statuses {
            assert_eq!(
                level_of(json!({"eventStatus": status})),
                level(status),
                "{kind} {status}"
            );
            checked += 1;
        }
        if statuses.is_empty() {
            assert_eq!(level_of(json!({})), level(""), "{kind}");
            checked += 1;
        }
        for (result, level) in entry["levels_by_field"]["values"]
            .as_object()
            .into_iter()
            .flatten()
        {
            assert_eq!(
                level_of(json!({"result": result})),
                level.as_str(),
                "{kind} {result}"
            );
            checked += 1;
        }
    }
    assert!(checked > 160, "{checked}");
}

#[test]
fn the_same_event_in_every_shape_is_the_same_event() {
    let content = json!({
        "eventId": "e-1", "notBefore": "2019-04-12T01:01:01Z", "instanceId": "i-1", "instanceName": "web",
        "eventType": "SystemMaintenance.Reboot", "eventStatus": "Scheduled",
    });
    let arn = "acs:ecs:cn-hangzhou:42:instance/i-1";
    let real = json!({
        "id": "id-1", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:SystemMaintenance.Reboot",
        "datacontenttype": "application/json;charset=utf-8", "subject": arn, "time": "2019-04-09T04:18:26.922Z",
        "aliyunaccountid": "42", "aliyunpublishtime": "2019-04-09T04:18:27Z", "aliyunregionid": "cn-hangzhou", "data": content,
    });
    let documented = json!({
        "id": "id-1", "source": "acs:ecs", "specversion": "1.0", "type": "ecs:Instance:SystemMaintenance.Reboot",
        "subject": "acs.ecs:cn-hangzhou:42:215672", "time": "2019-04-09T12:18:26.922+08:00", "aliyunaccountid": "42",
        "aliyunpublishtime": "2020-11-19T21:04:42.179PRC", "aliyunregionid": "cn-hangzhou", "data": content, "extra": {"a": 1},
    });
    let flat = json!({
        "ver": "1.0", "id": "id-1", "product": "ECS", "resourceId": arn, "level": "Critical",
        "name": "Instance:SystemMaintenance.Reboot:Executing", "userId": "42", "eventTime": "20190409T121826.922+0800",
        "regionId": "cn-hangzhou", "status": "Normal", "content": content,
    });
    let mut text_content = flat.clone();
    text_content["content"] = json!(content.to_string());
    let mut cloudmonitor = real.clone();
    cloudmonitor["type"] = json!("ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]");
    let mut wrapped = cloudmonitor.clone();
    wrapped["data"] = flat.clone();
    let mut wrapped_text = cloudmonitor.clone();
    wrapped_text["data"] = json!(flat.to_string());
    let webhook = json!({
        "severity": "CRITICAL", "userId": "42", "subscription": {},
        "alert": {"eventName": "Instance:SystemMaintenance.Reboot:Scheduled", "severity": "CRITICAL", "arn": arn, "eventContentMap": content,
            "meta": {"sysEventMeta": {"id": "id-1", "name": "Instance:SystemMaintenance.Reboot:Scheduled", "product": "ECS", "level": "CRITICAL",
                "resourceId": arn, "regionId": "cn-hangzhou", "eventTime": "20190409T121826.922+0800", "status": "Scheduled",
                "instanceName": "web", "eventNameEn": "Instance:SystemMaintenance.Reboot:Scheduled"}}},
    });
    let mut form = webhook.clone();
    form["alert"] = json!(webhook["alert"].to_string());
    let queue = |body: String| json!({"id": "q", "source": "x", "type": "mns:Queue:SendMessage", "data": {"messageBody": body}});
    let expected = one(&real.to_string());
    assert_eq!(
        expected.full_name(),
        "Instance:SystemMaintenance.Reboot:Scheduled"
    );
    for (shape, payload) in [
        ("documented", documented.to_string()),
        ("flat", flat.to_string()),
        ("flat with content as text", text_content.to_string()),
        ("*:CloudMonitor:*", cloudmonitor.to_string()),
        ("*:CloudMonitor:* with flat data", wrapped.to_string()),
        (
            "*:CloudMonitor:* with flat data as text",
            wrapped_text.to_string(),
        ),
        ("webhook", webhook.to_string()),
        ("webhook form", form.to_string()),
        ("array", json!([flat]).to_string()),
        ("array of text", json!([real.to_string()]).to_string()),
        ("text", json!(real.to_string()).to_string()),
        ("queue, text", queue(flat.to_string()).to_string()),
        (
            "queue, Base64",
            queue(STANDARD.encode(flat.to_string())).to_string(),
        ),
        (
            "queue, Base64 for URLs",
            queue(URL_SAFE_NO_PAD.encode(real.to_string())).to_string(),
        ),
        (
            "queue, object",
            json!({"id": "q", "source": "x", "type": "t:x", "data": {"value": flat}}).to_string(),
        ),
        ("Base64", STANDARD.encode(flat.to_string())),
        ("BOM and line feeds", format!("\u{feff}\n{real}\r\n")),
    ] {
        let event = one(&payload);
        assert_eq!(event, expected, "{shape}");
        assert_eq!(event.dedup_key(), expected.dedup_key(), "{shape}");
    }
}

#[test]
fn the_status_is_taken_from_the_first_field_that_has_one() {
    for (name, data, flat_status, expected) in [
        (
            "Instance:SystemMaintenance.Reboot:Scheduled",
            json!({"eventStatus": "Avoided"}),
            "Executed",
            Some("Avoided"),
        ),
        (
            "Instance:StateChange",
            json!({"state": "Stopped", "result": "x"}),
            "Normal",
            Some("Stopped"),
        ),
        (
            "Disk:DiskOperationCompleted",
            json!({"result": "failed"}),
            "Normal",
            Some("failed"),
        ),
        (
            "Instance:LiveMigrationAcrossDDH",
            json!({"status": "started"}),
            "Normal",
            Some("started"),
        ),
        (
            "CloudAssistant:TaskCompleted",
            json!({"invocationStatus": "Timeout"}),
            "Normal",
            Some("Timeout"),
        ),
        (
            "Disk:Stalled:Executing",
            json!({"executeStartTime": "x", "executeFinishTime": "y"}),
            "Executing",
            Some("Executed"),
        ),
        (
            "Disk:Stalled",
            json!({"executeStartTime": "x", "executeFinishTime": null}),
            "",
            Some("Executing"),
        ),
        (
            "Disk:Stalled:Executed",
            json!({}),
            "Normal",
            Some("Executed"),
        ),
        ("Disk:Stalled", json!({}), "", Some("Executing")),
        (
            "Instance:SystemFailure.Stop:Executing",
            json!({}),
            "Executed",
            Some("Executed"),
        ),
        (
            "Instance:SystemFailure.Stop:Executing",
            json!({}),
            "Normal",
            Some("Executing"),
        ),
        (
            "Instance:SystemFailure.Stop:Executing",
            json!({"eventStatus": " "}),
            "",
            Some("Executing"),
        ),
        ("Brand:New.Thing:Failed", json!({}), "", Some("Failed")),
        ("Brand:New.Thing:Other", json!({}), "", None),
        ("Brand:New.Thing:Normal", json!({}), "", None),
        ("Instance:StateChange", json!({}), "", None),
    ] {
        let event = one(
            &json!({"product": "ECS", "name": name, "status": flat_status, "content": data})
                .to_string(),
        );
        assert_eq!(
            event.status.as_deref(),
            expected,
            "{name} {data} {flat_status}"
        );
    }
    let event = one(r#"{"product":"ECS","name":"Brand:New.Thing:Failed"}"#);
    assert_eq!(event.name, "Brand:New.Thing");
}

#[test]
fn the_events_own_level_wins_over_the_catalogs() {
    for (key, value, expected) in [
        ("level", "warning", Some(Level::Warn)),
        ("curLevel", "info", Some(Level::Info)),
        ("level", "odd", Some(Level::Critical)),
        ("level", "", Some(Level::Critical)),
    ] {
        let event = one(&json!({"product": "ECS", "name": "Instance:SystemFailure.Reboot:Executing", key: value}).to_string());
        assert_eq!(event.level, expected, "{key} {value}");
    }
    let ebs = json!({"id": "1", "source": "acs.ebs", "type": "ebs:Disk:DiskIOHang", "data": {"eventLevel": "CRITICAL", "diskId": "d-1"}});
    assert_eq!(one(&ebs.to_string()).level, Some(Level::Critical));
    let unknown = json!({"id": "1", "source": "acs.ecs", "type": "ecs:Brand:New", "data": {}});
    assert_eq!(one(&unknown.to_string()).level, None);
    for key in ["level", "curLevel", "eventLevel"] {
        let kind = "ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]";
        let event = json!({"id": "1", "source": "acs.ecs", "type": kind, "data": {key: "WARN"}});
        assert_eq!(one(&event.to_string()).level, Some(Level::Warn), "{key}");
    }
}

#[test]
fn when_cloudmonitor_data_have_no_name_the_types_name_stays() {
    let kind = "ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]";
    let event = json!({"id": "1", "source": "acs.ecs", "type": kind, "data": {
        "level": "WARN", "regionId": "cn-beijing",
        "content": {"instanceId": "i-1", "eventStatus": "Executing"},
    }});
    let event = one(&event.to_string());
    assert_eq!(
        event.full_name(),
        "Instance:SystemMaintenance.Reboot:Executing"
    );
    assert_eq!(event.resource_id.as_deref(), Some("i-1"));
    assert_eq!(
        (event.level, event.region.as_deref()),
        (Some(Level::Warn), Some("cn-beijing"))
    );
}

#[test]
fn the_events_own_time_goes_before_the_envelopes() {
    let time = |data: Value| {
        let event = json!({"id": "1", "source": "acs.ecs", "type": "ecs:A:B", "time": "2022-06-15T03:22:19Z", "data": data});
        let event = one(&event.to_string());
        (event.time, event.envelope_time)
    };
    let at = |text: &str| Some(EventTime::At(text.parse().unwrap()));
    let envelope = at("2022-06-15T03:22:19Z");
    assert_eq!(time(json!({})), (envelope.clone(), None));
    assert_eq!(
        time(json!({"eventTime": "20181226T220114.058+0800"})),
        (at("2018-12-26T14:01:14.058Z"), envelope.clone())
    );
    assert_eq!(
        time(json!({"eventTime": "soon"})),
        (Some(EventTime::Text("soon".into())), envelope)
    );
}

#[test]
fn half_a_surrogate_pair_does_not_cost_the_event() {
    let event = |name: &str| {
        format!(
            r#"[{{"type":"ecs:A:B","source":"acs.ecs","data":{{"instanceName":"{name}"}}}},{{"type":"ecs:C:D"}}]"#
        )
    };
    for (name, shown) in [
        (r"a\ud83d", "a\u{fffd}"),
        (r"\udc00b", "\u{fffd}b"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\\ud83d\ud83d", "\\ud83d\u{fffd}"),
        (r"\ud83d\n", "\u{fffd}"),
    ] {
        let parsed = event::parse(event(name).as_bytes());
        assert_eq!((parsed.events.len(), parsed.errors.len()), (2, 0), "{name}");
        assert_eq!(parsed.events[0].resource_name.as_deref(), Some(shown));
    }
    let cut = [event("x").as_bytes(), b" "].concat();
    let cut: Vec<u8> = cut
        .iter()
        .map(|byte| if *byte == b'x' { 0xe5 } else { *byte })
        .collect();
    assert_eq!(event::parse(&cut).events.len(), 2);
}

#[test]
fn flat_json_may_have_a_type_and_an_alert_no_name() {
    let flat =
        json!({"type": "StatusNotification", "product": "ECS", "name": "Disk:Stalled:Executing"});
    assert_eq!(one(&flat.to_string()).full_name(), "Disk:Stalled:Executing");
    let alert = json!({"alert": {"arn": "acs:ecs:cn-beijing:1:instance/i-1", "severity": "CRITICAL", "why": "x"}});
    let event = one(&alert.to_string());
    assert_eq!(
        (event.name.as_str(), event.level),
        ("alert", Some(Level::Critical))
    );
    assert_eq!(event.resource_id.as_deref(), Some("i-1"));
    assert_eq!(event.details.get("why").unwrap().as_str(), Some("x"));
}

#[test]
fn cloudmonitor_types_of_other_products_keep_their_names() {
    let name = |source: &str, kind: &str| {
        one(&json!({"id": "1", "source": source, "type": kind, "data": {}}).to_string()).full_name()
    };
    assert_eq!(
        name("acs.ess", "ess:CloudMonitor:AUTOSCALING[SCALEINERROR]"),
        "AUTOSCALING:SCALE_IN_ERROR"
    );
    assert_eq!(
        name("acs.kvstore", "kvstore:CloudMonitor:InstanceFailover"),
        "InstanceFailover"
    );
    let agent = json!({"id": "1", "source": "acs.cms", "type": "cms:CloudMonitor:AgentStatusStopped", "data": {}});
    let agent = one(&agent.to_string());
    assert_eq!(
        (agent.name.as_str(), agent.level),
        ("Agent_Status_Stopped", Some(Level::Critical))
    );
    assert_eq!(
        name("acs.oss", "oss:BucketCreated:PutBucket"),
        "oss:BucketCreated:PutBucket"
    );
    assert_eq!(
        name("acs.ecs", "ecs:ActionTrail:ApiCall"),
        "ActionTrail:ApiCall"
    );
}

#[test]
fn a_queue_message_that_holds_no_event_is_an_event_itself() {
    for body in [
        json!("TEST"),
        json!("{\"a\":1}"),
        json!("[]"),
        json!(7),
        json!({"a": 1}),
    ] {
        let envelope = json!({"id": "q1", "source": "acs.mns", "type": "mns:Queue:SendMessage", "data": {"messageBody": body}});
        let event = one(&envelope.to_string());
        assert_eq!(
            (event.name.as_str(), event.id.as_deref()),
            ("mns:Queue:SendMessage", Some("q1")),
            "{body}"
        );
    }
    let inner = "{\"name\":\"A:B\"}";
    for data in [
        json!({"messageBody": null, "body": inner}),
        json!({"messageBody": "TEST", "value": inner}),
        json!(json!({"body": inner}).to_string()),
    ] {
        let envelope =
            json!({"id": "q1", "source": "acs.mns", "type": "mns:Queue:SendMessage", "data": data});
        assert_eq!(one(&envelope.to_string()).name, "A:B", "{data}");
    }
}

#[test]
fn what_is_not_an_event_is_an_error_with_its_path() {
    for (payload, path) in [
        ("", "$"),
        ("  \n", "$"),
        ("{", "byte 1"),
        ("{\"a\":\n 1,}", "byte 10"),
        ("nonsense", "byte 2"),
        ("null", "$"),
        ("7", "$"),
        ("{}", "$"),
        ("{\"type\":\"\",\"name\":7}", "$"),
        ("[{\"type\":\"ecs:A:B\"},[{}]]", "$[1][0]"),
        ("\"text\"", "$"),
        ("[[[[[[[[[[{}]]]]]]]]]]", "$[0][0][0][0][0][0][0]"),
    ] {
        let parsed = event::parse(payload.as_bytes());
        assert_eq!(parsed.errors.len(), 1, "{payload}");
        assert_eq!(
            parsed.errors[0].path, path,
            "{payload}: {}",
            parsed.errors[0]
        );
        assert!(
            parsed.errors[0].problem.contains("CloudEvents") || path.len() > 20,
            "{}",
            parsed.errors[0]
        );
    }
    assert_eq!(event::parse("[".repeat(100_000).as_bytes()).errors.len(), 1);
    assert_eq!(event::parse(b"\xff\xfe{}").errors.len(), 1);
    assert!(event::parse(b"[]").errors.is_empty());
    let body =
        json!([{"data": {"messageBody": "[{\"name\":\"A:B\"},{}]"}, "type": "q:x"}]).to_string();
    let parsed = event::parse(body.as_bytes());
    assert_eq!(
        (parsed.events.len(), parsed.errors[0].path.as_str()),
        (1, "$[0].data.messageBody[1]")
    );
}

#[test]
fn an_event_without_a_name_gets_one() {
    for (payload, name) in [
        (
            json!({"alert": {"meta": {"sysEventMeta": {"level": "CRITICAL"}}}}),
            "alert",
        ),
        (
            json!({"type": "ecs:CloudMonitor:", "source": "acs.ecs"}),
            "CloudMonitor:",
        ),
    ] {
        assert_eq!(one(&payload.to_string()).name, name);
    }
}

#[test]
fn a_payload_that_would_take_too_much_memory_is_refused() {
    let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
    let numbers = list("7", 800_000);
    let in_text = json!([numbers]).to_string();
    let in_base64 = json!([STANDARD.encode(&numbers)]).to_string();
    for payload in [
        numbers,
        in_text,
        list("{}", 70_000),
        list("[]", 400_000),
        list("{\"type\":\"a\"}", 70_000),
        format!("{{\"type\":\"a\",\"data\":{}}}", list("[[7]]", 270_000)),
        in_base64,
    ] {
        let parsed = event::parse(payload.as_bytes());
        let shown = format!("{:?} of {}", parsed.errors, &payload[..20]);
        assert_eq!(
            (parsed.events.len(), parsed.errors.len()),
            (0, 1),
            "{shown}"
        );
    }
    let parsed = event::parse(list("7", 100_000).as_bytes());
    assert_eq!((parsed.errors.len(), parsed.more_errors), (20, 99_980));
    let parsed = event::parse(list("{\"type\":\"a\"}", 10_003).as_bytes());
    assert_eq!((parsed.events.len(), parsed.errors.len()), (10_000, 3));
    assert_eq!(parsed.errors[0].path, "$[10000]");
    let queued = json!({"type": "b", "data": {"body": list("{\"type\":\"a\"}", 6_000)}});
    let parsed = event::parse(json!([queued, queued]).to_string().as_bytes());
    assert_eq!((parsed.events.len(), parsed.errors.len()), (10_000, 20));
    assert_eq!(parsed.more_errors, 1_980);
    assert_eq!(parsed.errors[0].path, "$[1].data.body[4000]");
}

#[test]
fn a_resolved_alert_is_another_event_than_the_triggered_one() {
    let file = "cloudmonitor-webhook/Instance-InstanceFailure.Reboot-Executing.json";
    let began = one(&sample(file));
    let resolved = one(&sample(file).replace("TRIGGERED", "RESOLVED"));
    assert_ne!(began.dedup_key(), resolved.dedup_key());
    assert!(!began.details.contains_key("alertStatus"));
    assert_eq!(
        resolved.details.get("alertStatus").unwrap().as_str(),
        Some("RESOLVED")
    );
}

#[test]
fn dedup_keys_differ_for_events_that_share_an_id() {
    let stopped = one(&sample(STOPPED));
    let mut republished: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
    republished["aliyunpublishtime"] = json!("2030-01-01T00:00:00Z");
    republished["data"]["privateIpAddress"] = json!("10.0.0.1");
    assert_eq!(
        one(&republished.to_string()).dedup_key(),
        stopped.dedup_key()
    );
    let mut other = stopped.clone();
    other.id = Some("another".into());
    assert_ne!(other.dedup_key(), stopped.dedup_key());
    let mut reboot = one(&sample(REBOOT));
    reboot.id = stopped.id.clone();
    assert_ne!(reboot.dedup_key(), stopped.dedup_key());
    // Without an id the content decides.
    let (mut a, mut b) = (stopped.clone(), stopped.clone());
    (a.id, b.id) = (None, None);
    assert_eq!(a.dedup_key(), b.dedup_key());
    b.details.insert("x".into(), "1".into());
    assert_ne!(a.dedup_key(), b.dedup_key());
    assert_eq!(a.display_id().len(), 32);
}

// An instance of another version must know the events that this one delivered, and the reverse.
#[test]
fn keys_and_content_hashes_stay_the_same() {
    for (file, dedup_key, display_id) in [
        (
            "eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json",
            "0112fd2680f9ed62b2a42f3a7f1370d7",
            "7c350009-2b1a-447a-bd93-fab0c1d20009",
        ),
        (
            "cloudmonitor-webhook/Instance-InstanceFailure.Reboot-Executing.json",
            "ff46ea7a3b9bd5c62b64fbe38465fd6a",
            "4c1d0a52-7b3e-4f43-9c1e-0a6f5f3b9d11",
        ),
        // Without an id of its own.
        (
            "cloudmonitor-debug/Instance-StateChange.json",
            "3a2fe5ebfbceee0332aa7b2e572b1476",
            "8045147d7be82d1757c181e931021fda",
        ),
    ] {
        let event = one(&sample(file));
        assert_eq!(format!("{:032x}", event.dedup_key()), dedup_key, "{file}");
        assert_eq!(event.display_id(), display_id, "{file}");
    }
}

/// Any JSON, of a depth that fits a payload.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|(ecs:)?Instance:[A-Z.:a-z]{0,12}|acs:ecs:[a-z:/-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = "type|name|alert|data|content|messageBody|body|source|id|time|level|subject|eventStatus|meta|\\PC{0,4}";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn all_bytes_give_events_or_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let parsed = event::parse(&bytes);
        prop_assert!(!parsed.errors.is_empty() || !parsed.events.is_empty() || bytes.trim_ascii() == b"[]");
    }

    #[test]
    fn every_json_gives_events_or_errors(value in any_json()) {
        let parsed = event::parse(value.to_string().as_bytes());
        for event in &parsed.events {
            prop_assert!(!event.name.is_empty());
        }
        let is_empty = matches!(&value, Value::Array(items) if items.iter().all(|i| matches!(i, Value::Array(_))));
        prop_assert!(is_empty || parsed.events.len() + parsed.errors.len() > 0);
    }

    #[test]
    fn every_object_with_a_type_is_an_event(kind in "[a-z:]{1,20}", data in any_json()) {
        let parsed = event::parse(json!({"type": kind, "data": data}).to_string().as_bytes());
        prop_assert!(!parsed.events.is_empty());
    }
}
