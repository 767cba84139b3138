//! CloudEvents from EventBridge: documented and real forms, `*:CloudMonitor:*` types and queue
//! messages.

use super::builder::EventBuilder;
use super::cloud_monitor::{Flat, is_flat};
use super::event::Event;
use super::field::{into_object, lenient, read, string};
use super::name::EventName;
use super::time::EventTime;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Two times of one event that lie further apart than this are both shown, in seconds.
const NOTABLE_SECONDS: i64 = 60;

/// The envelope. Only `type` is there in all of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct CloudEvent {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    source: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::string")]
    kind: Option<String>,
    /// The ARN of the resource.
    #[serde(deserialize_with = "lenient::string")]
    subject: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    time: Option<EventTime>,
    #[serde(deserialize_with = "lenient::text")]
    aliyunregionid: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    aliyunaccountid: Option<String>,
    data: Option<Value>,
}

pub(super) fn is_cloud_event(map: &Map<String, Value>) -> bool {
    string(map, "type").is_some()
}

/// Returns what may be the body of a queue message, with its key in the envelope's data.
pub(super) fn queue_bodies(map: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let data = match map.get("data") {
        Some(Value::Object(data)) => Cow::Borrowed(data),
        other => Cow::Owned(into_object(other.cloned(), "data")),
    };
    ["messageBody", "body", "value"]
        .into_iter()
        .filter_map(|key| Some((key, data.get(key)?.clone())))
        .collect()
}

/// Returns the event of an envelope.
pub(super) fn event(map: Map<String, Value>) -> Event {
    let envelope: CloudEvent = read(map);
    let kind = envelope.kind.unwrap_or_default();
    // Both `acs.ecs` and `acs:ecs` occur.
    let source = envelope
        .source
        .map(|source| source.replacen("acs:", "acs.", 1));
    let product = product(source.as_deref().unwrap_or_default(), &kind);
    let mut builder = EventBuilder {
        source,
        id: envelope.id,
        name: EventName::from_type(product.as_deref(), &kind),
        product,
        arn: envelope.subject,
        region: envelope.aliyunregionid,
        account: envelope.aliyunaccountid,
        time: envelope.time.clone(),
        ..EventBuilder::default()
    };
    match envelope.data {
        Some(Value::Object(data))
            if kind.contains(":CloudMonitor:")
                && (is_flat(&data) || data.contains_key("content")) =>
        {
            read::<Flat>(data).merge_flat(&mut builder);
        }
        data => {
            builder.details = into_object(data, "data");
            let own_time = builder.details.get("eventTime").and_then(EventTime::parse);
            builder.time = own_time.or(builder.time);
        }
    }
    builder.envelope_time = notable(builder.time.as_ref(), envelope.time);
    builder.build()
}

/// Returns CloudMonitor's name of the product: by the source, else by the type's prefix.
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

/// Returns the envelope's time where it differs notably from the event's own.
fn notable(own: Option<&EventTime>, envelope: Option<EventTime>) -> Option<EventTime> {
    match (own?, envelope?) {
        (EventTime::At(own), EventTime::At(envelope))
            if (own.as_second() - envelope.as_second()).abs() <= NOTABLE_SECONDS =>
        {
            None
        }
        (own, envelope) => (*own != envelope).then_some(envelope),
    }
}
