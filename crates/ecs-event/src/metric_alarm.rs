//! CloudMonitor's threshold alarm: the callback of an alert rule on a metric, a form or JSON.

use super::event::{Event, METRIC_ALARM};
use super::field::{level, text, time};
use super::level::Level;
use super::resource;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// The key in [`Event::details`] of the address that stands behind an instance's name.
const ADDRESS: &str = "ipAddress";

/// Returns true if an object is a threshold alarm: it names the rule, the metric and the state.
pub(super) fn is_alarm(map: &Map<String, Value>) -> bool {
    let has = |keys: &[&str]| keys.iter().any(|key| text(map, key).is_some());
    has(&["alertName", "ruleId"])
        && has(&["metricName", "rawMetricName"])
        && has(&["triggerLevel", "preTriggerLevel", "alertState"])
}

/// Returns the event of an alarm. What has no field of its own there stays in its details.
///
/// An alarm has no id: `transId` may be the same for all messages of one alarm, so its content
/// tells it from others.
pub(super) fn event(mut alarm: Map<String, Value>) -> Event {
    // Made with the callback's secret, and of no use to a person.
    alarm.remove("signature");
    let mut dimensions = dimensions(alarm.remove("dimensions"), &mut alarm);
    let (resource_id, resource_kind) = take_resource(&mut dimensions).unzip();
    let user = dimensions.remove("userId").and_then(to_text);
    let mut event = Event {
        name: METRIC_ALARM.to_owned(),
        product: Some("CloudMonitor".to_owned()),
        level: level(&alarm, "triggerLevel").or_else(|| level(&alarm, "preTriggerLevel")),
        status: text(&alarm, "alertState").or_else(|| {
            let level = text(&alarm, "triggerLevel");
            level.filter(|level| level.eq_ignore_ascii_case("OK"))
        }),
        resource_id,
        resource_kind: resource_kind.flatten(),
        region: text(&alarm, "regionId"),
        account: user.or_else(|| text(&alarm, "userId")),
        time: time(&alarm, "timestamp"),
        ..Event::default()
    };
    if let Some(name) = text(&alarm, "instanceName") {
        let (name, address) = split_address(&name);
        event.resource_name = name.map(str::to_owned);
        alarm.remove("instanceName");
        if let Some(address) = address {
            alarm.insert(ADDRESS.to_owned(), address.into());
        }
    }
    // What stands in the message as level or status already.
    let is_known =
        |level: String| Level::parse(&level).is_some() || event.status.as_ref() == Some(&level);
    if text(&alarm, "triggerLevel").is_some_and(is_known) {
        alarm.remove("triggerLevel");
    }
    if event.region.is_some() {
        alarm.remove("regionName");
    }
    for key in ["alertState", "regionId", "userId", "timestamp"] {
        alarm.remove(key);
    }
    if !dimensions.is_empty() {
        alarm.insert("dimensions".to_owned(), Value::Object(dimensions));
    }
    // CloudMonitor writes 0 for no group.
    alarm.retain(|key, value| key != "groupId" || !["", "0"].map(Value::from).contains(value));
    // The same alarm has numbers in JSON and text in a form.
    for value in alarm.values_mut() {
        if let Value::Number(_) | Value::Bool(_) = value {
            *value = Value::String(value.to_string());
        }
    }
    event.details = alarm;
    event.complete([None, None])
}

/// Returns the dimensions as an object: they are an object, an array of one, either of these as
/// JSON in a text, or text such as `{instanceId=i-x, userId=1}`. Others stay in the alarm as they
/// are.
fn dimensions(value: Option<Value>, alarm: &mut Map<String, Value>) -> Map<String, Value> {
    let parsed = match &value {
        Some(Value::String(text)) => serde_json::from_str(text).ok().or_else(|| pairs(text)),
        other => other.clone(),
    };
    let only = match parsed {
        Some(Value::Array(mut items)) if items.len() == 1 => items.pop(),
        other => other,
    };
    match (only, value) {
        (Some(Value::Object(map)), _) => return map,
        (_, None | Some(Value::Null)) => {}
        (_, Some(value)) => drop(alarm.insert("dimensions".to_owned(), value)),
    }
    Map::new()
}

/// Parses `{instanceId=i-x, userId=1}`.
fn pairs(text: &str) -> Option<Value> {
    let inner = text.trim().trim_start_matches(['[', '{']);
    let inner = inner.trim_end_matches([']', '}']);
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim().to_owned(), Value::from(value.trim())))
    };
    let pairs = inner.split(',').map(pair).collect::<Option<_>>()?;
    Some(Value::Object(pairs))
}

/// Takes id and kind of the resource out of the dimensions: by the kinds that have ids, else by any
/// other id.
///
/// An `instanceId` is that of any product's instance. What begins with `i-` is one of ECS.
fn take_resource(dimensions: &mut Map<String, Value>) -> Option<(String, Option<String>)> {
    let known = resource::KINDS.map(|kind| format!("{kind}Id"));
    let known = known.iter().find(|key| text(dimensions, key).is_some());
    let any = || {
        let is_id = |key: &&String| key.ends_with("Id") && key.as_str() != "userId";
        let mut keys = dimensions.keys().filter(is_id);
        keys.find(|key| text(dimensions, key).is_some())
    };
    let key = known.or_else(any)?.clone();
    let id = dimensions.remove(&key).and_then(to_text)?;
    let prefixes = [
        ("i-", "instance"),
        ("d-", "disk"),
        ("s-", "snapshot"),
        ("eni-", "eni"),
    ];
    let kind = prefixes.iter().find(|(prefix, _)| id.starts_with(prefix));
    let kind = kind.map(|(_, kind)| (*kind).to_owned());
    Some((id, kind))
}

fn to_text(value: Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Splits `web-01/192.0.2.15` into name and address.
fn split_address(name: &str) -> (Option<&str>, Option<&str>) {
    let is_address = |text: &str| {
        text.split(',')
            .all(|part| part.trim().parse::<IpAddr>().is_ok())
    };
    match name.rsplit_once('/') {
        Some((name, address)) if is_address(address) => (
            Some(name.trim()).filter(|name| !name.is_empty()),
            Some(address),
        ),
        _ => (Some(name), None),
    }
}
