//! Objects that hold something else: messages of queues and topics, records of invocations.

use super::cloud_monitor::{self, is_flat};
use super::field::string;
use super::metric_alarm;
use serde_json::{Map, Value};

/// What an object holds under a key.
pub(super) struct Content<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a Value,
    /// True if the object is sure to be a wrapper, so that what is wrong with its content is worth
    /// an error.
    pub(super) is_sure: bool,
}

/// Keys of the content and, where the key alone says too little, of what stands beside it.
const KEYS: [(&str, Option<&str>); 7] = [
    RECORD,
    TOPIC,
    // A queue's message: as its API has it, and as EventBridge does.
    ("MessageBody", None),
    ("messageBody", None),
    ("Body", Some("MessageId")),
    UNSURE[0],
    UNSURE[1],
];
/// Function Compute's record of an asynchronous invocation.
const RECORD: (&str, Option<&str>) = ("requestPayload", Some("requestContext"));
/// What a topic pushes: JSON with the message in it.
const TOPIC: (&str, Option<&str>) = ("Message", Some("TopicOwner"));
/// A message of RocketMQ, RabbitMQ or an HTTP source; one of Kafka. Many other objects have these.
const UNSURE: [(&str, Option<&str>); 2] = [("body", None), ("value", None)];

/// Returns false for most data of events, which hold nothing else: they have no key of a wrapper
/// nor of an event.
pub(super) fn may_hold(data: &Map<String, Value>) -> bool {
    data.keys().any(|key| {
        matches!(
            key.as_str(),
            "requestPayload"
                | "Message"
                | "MessageBody"
                | "messageBody"
                | "Body"
                | "body"
                | "value"
                | "data"
                | "type"
                | "name"
                | "alert"
                | "alertName"
                | "ruleId"
        )
    })
}

/// Returns true for the event of Function Compute's timer trigger: nothing else has these members,
/// and it has none of a CloudEvent.
pub(super) fn is_timer(map: &Map<String, Value>) -> bool {
    let has = |key: &str| map.contains_key(key);
    has("triggerTime")
        && has("triggerName")
        && !["specversion", "type", "source"].map(has).contains(&true)
}

/// Returns true for Function Compute's record of an invocation that succeeded: it was reached, and
/// the function had no error. One that says nothing of an error may be of a failure.
pub(super) fn is_success(map: &Map<String, Value>) -> bool {
    let response = map
        .get("responseContext")
        .filter(|_| content(map, RECORD).is_some());
    let member = |name| response.and_then(|response| response.get(name));
    let is_empty = |error: &Value| error.is_null() || error.as_str() == Some("");
    member("statusCode").and_then(Value::as_i64) == Some(200)
        && member("functionError").is_some_and(is_empty)
}

/// Returns what an object holds as a wrapper, the surest first.
pub(super) fn contents(map: &Map<String, Value>) -> impl Iterator<Item = Content<'_>> {
    KEYS.into_iter().filter_map(|wrapper| content(map, wrapper))
}

/// Returns true for a record or a topic's message, which has no member of an event.
pub(super) fn is_unmistakable(map: &Map<String, Value>) -> bool {
    [RECORD, TOPIC]
        .into_iter()
        .any(|wrapper| content(map, wrapper).is_some())
}

fn content<'a>(
    map: &'a Map<String, Value>,
    wrapper: (&'static str, Option<&str>),
) -> Option<Content<'a>> {
    let (key, beside) = wrapper;
    let value = map.get(key)?;
    beside
        .is_none_or(|beside| map.contains_key(beside))
        .then(|| Content {
            key,
            value,
            is_sure: !UNSURE.contains(&wrapper),
        })
}

/// Returns the data of an event if they are an event of their own, or events: one that another bus
/// has wrapped once more, or text that is no data.
///
/// The data of CloudMonitor's types are its flat JSON; it belongs to its envelope.
pub(super) fn whole(kind: &str, data: &Map<String, Value>) -> Option<Value> {
    let may_be_flat = !kind.contains(":CloudMonitor:");
    // Data that are no object stand under a key.
    match data.get("data").filter(|_| data.len() == 1) {
        Some(text @ Value::String(_)) => Some(text.clone()),
        Some(items @ Value::Array(list)) => {
            let stands = |item: &Value| item.as_object().is_some_and(|map| stands_alone(map, true));
            (!list.is_empty() && list.iter().all(stands)).then(|| items.clone())
        }
        _ => stands_alone(data, may_be_flat).then(|| Value::Object(data.clone())),
    }
}

/// Returns true for an object that is an event whatever it stands in.
fn stands_alone(map: &Map<String, Value>, may_be_flat: bool) -> bool {
    let has = |key| string(map, key).is_some();
    let is_cloud_event = || has("specversion") && has("type") && has("source");
    let is_whole_flat = || is_flat(map) && has("product") && has("level");
    let is_named_alert =
        || cloud_monitor::alert(map).is_some_and(|alert| cloud_monitor::is_named(&alert));
    is_cloud_event()
        || may_be_flat && is_whole_flat()
        || is_named_alert()
        || metric_alarm::is_alarm(map)
}
