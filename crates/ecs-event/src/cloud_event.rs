//! CloudEvents from EventBridge: documented and real forms, and `*:CloudMonitor:*` types.

use super::cloud_monitor::{is_flat, merge_flat};
use super::event::Event;
use super::field::{string, text, time};
use super::name;
use super::time::EventTime;
use serde_json::{Map, Value};

/// Two times of one event that lie further apart than this are both shown, in seconds.
const NOTABLE_SECONDS: i64 = 60;

/// Ids that an event's data begin with.
const IDS_IN_DATA: [&str; 7] = [
    "instanceId",
    "resourceId",
    "diskId",
    "snapshotId",
    "eniId",
    "imageId",
    "eventId",
];
/// What else an event's data have.
const WORDS_IN_DATA: [&str; 13] = [
    "state",
    "result",
    "status",
    "action",
    "operation",
    "eventType",
    "eventStatus",
    "eventTime",
    "resourceType",
    "publishTime",
    "notBefore",
    "executeStartTime",
    "invocationStatus",
];
/// What the record of an API call has beside `eventName`.
const CALL_IN_DATA: [&str; 4] = ["userIdentity", "eventRW", "serviceName", "eventSource"];

pub(super) fn is_cloud_event(map: &Map<String, Value>) -> bool {
    string(map, "type").is_some()
}

/// Returns the type of an event.
pub(super) fn kind(envelope: &Map<String, Value>) -> &str {
    string(envelope, "type").unwrap_or_default()
}

/// Returns true for an object that looks like the data of an event without its envelope, as the
/// target of a rule gets them that sends a part of the event.
pub(super) fn is_data_alone(map: &Map<String, Value>) -> bool {
    let has = |key: &&str| map.contains_key(*key);
    let says_what = || ["eventType", "eventStatus"].iter().all(has);
    let is_about = || IDS_IN_DATA.iter().any(has) && WORDS_IN_DATA.iter().any(has);
    // The record of an API call.
    let is_call = || has(&"eventName") && CALL_IN_DATA.iter().any(has);
    says_what() || is_about() || is_call()
}

/// Returns the event of an envelope and its data.
pub(super) fn event(envelope: &Map<String, Value>, data: Map<String, Value>) -> Event {
    let kind = kind(envelope);
    // Both `acs.ecs` and `acs:ecs` occur.
    let source = string(envelope, "source")
        .unwrap_or_default()
        .replacen("acs:", "acs.", 1);
    let product = product(&source, kind, &data);
    let (name, status) = name::from_type(product.as_deref(), kind);
    let envelope_time = time(envelope, "time");
    let mut event = Event {
        source,
        id: text(envelope, "id"),
        name,
        status,
        product,
        region: text(envelope, "aliyunregionid"),
        account: text(envelope, "aliyunoriginalaccountid")
            .or_else(|| text(envelope, "aliyunaccountid")),
        time: time(&data, "eventTime").or(envelope_time.clone()),
        ..Event::default()
    };
    let mut arn = None;
    if kind.contains(":CloudMonitor:") && (is_flat(&data) || data.contains_key("content")) {
        arn = merge_flat(&mut event, data);
    } else {
        event.region = text(&data, "regionId").or(event.region);
        event.details = data;
    }
    event.envelope_time = notable(event.time.as_ref(), envelope_time);
    let subject = string(envelope, "subject");
    event.complete(match &arn {
        Some(arn) => [Some(arn), subject],
        None => [subject, None],
    })
}

/// Returns CloudMonitor's name of the product: by the source, else by the type's prefix. The record
/// of an API call names it.
fn product(source: &str, kind: &str, data: &Map<String, Value>) -> Option<String> {
    let short = source
        .strip_prefix("acs.")
        .or_else(|| kind.split_once(':').map(|(prefix, _)| prefix))?;
    let short = match short {
        "actiontrail" => string(data, "serviceName").unwrap_or(short),
        other => other,
    };
    Some(match short.to_ascii_lowercase().as_str() {
        "ecs" | "ebs" | "ess" => short.to_ascii_uppercase(),
        "cms" => "CloudMonitor".to_owned(),
        _ => short.to_owned(),
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
