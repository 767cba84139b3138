//! CloudEvents from EventBridge: documented and real forms, `*:CloudMonitor:*` types, queue messages.

use super::cloud_monitor::{Draft, is_flat, object};
use super::value::{Map, Value};
use super::{Event, Moment, name, parse_moment, string, text};
use std::borrow::Cow;

/// Two times of one event that lie further apart are both worth telling.
const NOTABLE_SECONDS: i64 = 60;

/// Whether an object is a CloudEvent: it has a type. The rest may be missing.
pub(super) fn is_one(map: &Map) -> bool {
    string(map, "type").is_some()
}

/// What may be the body of a queue message, by key: where the envelope's data hold it.
pub(super) fn queue_bodies(map: &Map) -> Vec<(&'static str, Value)> {
    let data = match map.get("data") {
        Some(Value::Object(data)) => Cow::Borrowed(data),
        other => Cow::Owned(object(other.cloned(), "data")),
    };
    ["messageBody", "body", "value"]
        .into_iter()
        .filter_map(|key| Some((key, data.get(key)?.clone())))
        .collect()
}

/// The event of an envelope.
pub(super) fn event(mut map: Map) -> Event {
    let data = map.remove("data");
    let kind = string(&map, "type").unwrap_or_default();
    let source = string(&map, "source").unwrap_or_default();
    // Both `acs.ecs` and `acs:ecs` are met.
    let source = source.replacen("acs:", "acs.", 1);
    let product = product(&source, kind);
    let is_cloudmonitor = kind.contains(":CloudMonitor:");
    let envelope_time = map.get("time").and_then(parse_moment);
    let mut draft = Draft {
        id: text(map.get("id")),
        named: Some(name::of_type(product.as_deref(), kind)),
        product,
        arn: string(&map, "subject").map(str::to_owned),
        region: text(map.get("aliyunregionid")),
        account: text(map.get("aliyunaccountid")),
        time: envelope_time.clone(),
        ..Draft::default()
    };
    match data {
        Some(Value::Object(data))
            if is_cloudmonitor && (is_flat(&data) || data.contains_key("content")) =>
        {
            draft.take_flat(data);
            draft.envelope_time = notable(draft.time.as_ref(), envelope_time);
        }
        data => {
            draft.details = object(data, "data");
            if let Some(own) = draft.details.get("eventTime").and_then(parse_moment) {
                draft.envelope_time = notable(Some(&own), envelope_time);
                draft.time = Some(own);
            }
        }
    }
    draft.source = Some(source).filter(|source| !source.is_empty());
    draft.event()
}

/// CloudMonitor's name of the product: by the source, else by the type's prefix.
fn product(source: &str, kind: &str) -> Option<String> {
    let short = source
        .strip_prefix("acs.")
        .or_else(|| kind.split_once(':').map(|(prefix, _)| prefix))?;
    Some(match short {
        "ecs" | "ebs" | "ess" => short.to_ascii_uppercase(),
        "cms" => "CloudMonitor".to_owned(),
        other => other.to_owned(),
    })
}

/// The envelope's time, where the event's own is another.
fn notable(own: Option<&Moment>, envelope: Option<Moment>) -> Option<Moment> {
    match (own?, envelope?) {
        (Moment::At(own), Moment::At(envelope))
            if (own.as_second() - envelope.as_second()).abs() <= NOTABLE_SECONDS =>
        {
            None
        }
        (own, envelope) => (*own != envelope).then_some(envelope),
    }
}
