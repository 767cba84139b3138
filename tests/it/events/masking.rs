//! Secrets in the data of an event: hidden in whatever shape it arrives.

use super::one;
use crate::samples::sample;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecs_dingtalk_notifier::event::Event;
use serde_json::{Value, json};

const SECRET: &str = "Examp1e-S3cret";

/// Data with a secret in each of the forms that producers write.
fn data() -> Value {
    let parameters = json!({"Password": SECRET, "UserData": SECRET, "InstanceName": "web", "Login": {"key_pair": "k", "private-key": SECRET}});
    json!({
        "instanceId": "i-1", "state": "Stopped", "Password": SECRET, "clientToken": [SECRET],
        "requestParameters": parameters,
        "requestParameterJson": parameters.to_string(),
        "twice": json!({"inner": parameters.to_string()}).to_string(),
        "cut": &parameters.to_string()[..80],
        "form": format!("a=1&access_key={SECRET}&b=2"),
        "list": [{"user data": SECRET}, format!("token={SECRET}")],
    })
}

#[test]
fn no_shape_of_an_event_keeps_a_secret() {
    assert!(data()["cut"].as_str().unwrap().contains("S3cr"));
    let cloud = |data: Value| json!({"id": "1", "source": "acs.ecs", "type": "ecs:Instance:StateChange", "data": data});
    let alert = |content: Value| json!({"alert": {"eventName": "Instance:StateChange", "eventContentMap": content}});
    let form = |alert: &Value| {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("alert", &alert["alert"].to_string())
            .finish()
    };
    for (how, payload) in [
        ("CloudEvent", cloud(data()).to_string()),
        ("data as text", cloud(json!(data().to_string())).to_string()),
        ("data in Base64", json!({"type": "ecs:Instance:StateChange", "data_base64": STANDARD.encode(data().to_string())}).to_string()),
        ("flat", json!({"name": "Instance:StateChange", "product": "ECS", "content": data()}).to_string()),
        ("content as text", json!({"name": "Instance:StateChange", "content": data().to_string()}).to_string()),
        ("webhook", alert(data()).to_string()),
        ("webhook form", form(&alert(data()))),
        ("alert without a name", json!({"alert": data()}).to_string()),
        ("queue", json!({"type": "a:b", "data": {"messageBody": cloud(data()).to_string()}}).to_string()),
        ("a message that is no event", json!({"type": "a:b", "data": {"messageBody": data().to_string()}}).to_string()),
        ("data that are no object", json!({"type": "a:b", "data": [data(), data().to_string()]}).to_string()),
        ("content that is text", json!({"name": "A:B", "content": format!("password={SECRET}")}).to_string()),
    ] {
        let event = one(&payload);
        let shown = format!("{event:?}");
        assert!(shown.contains("***"), "{how}: {shown}");
        assert!(!shown.contains("S3cr") && !shown.contains("Examp1e"), "{how}: {shown}");
    }
}

#[test]
fn all_else_in_the_data_stays_as_it_came() {
    let event = one(&json!({"type": "ecs:Instance:StateChange", "data": data()}).to_string());
    assert_eq!(event.resource_id.as_deref(), Some("i-1"));
    assert_eq!(event.status.as_deref(), Some("Stopped"));
    let parameters = r#"{"InstanceName":"web","Login":{"key_pair":"k","private-key":"***"},"Password":"***","UserData":"***"}"#;
    assert_eq!(event.details["requestParameterJson"], parameters);
    assert_eq!(event.details["requestParameters"].to_string(), parameters);
    assert_eq!(
        event.details["twice"],
        json!({ "inner": parameters }).to_string()
    );
    assert_eq!(event.details["form"], "a=1&access_key=***&b=2");
}

#[test]
fn the_secret_of_a_recorded_call_is_hidden() {
    let event = one(&sample("actiontrail/ApiCall-DeleteDisk.json"));
    assert_eq!(
        event.details["requestParameterJson"],
        r#"{"RegionId":"cn-beijing","DiskId":"d-2zetrailexample00001","ClientToken":"***"}"#
    );
}

#[test]
fn an_event_is_the_same_with_another_secret() {
    let with = |secret: &str| -> Event {
        one(&json!({"name": "A:B", "content": {"password": secret, "n": 1}}).to_string())
    };
    assert_eq!(with("one").dedup_key(), with("two").dedup_key());
}
