//! CloudMonitor's own shapes: the flat JSON (documented, delivered, debug) and the webhook of an
//! event subscription.

use super::builder::EventBuilder;
use super::event::{ALERT_STATUS, Event, Titles};
use super::field::{into_object, lenient, read, string};
use super::level::Level;
use super::name::EventName;
use super::time::EventTime;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The name of an alert that has none. It is sent nevertheless: its level and resource may matter.
const NAMELESS: &str = "alert";

/// The flat JSON.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Flat {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    product: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::level")]
    level: Option<Level>,
    #[serde(deserialize_with = "lenient::level")]
    cur_level: Option<Level>,
    #[serde(deserialize_with = "lenient::text")]
    status: Option<String>,
    /// The ARN of the resource.
    #[serde(deserialize_with = "lenient::string")]
    resource_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    instance_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    region_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    event_time: Option<EventTime>,
    #[serde(deserialize_with = "lenient::string")]
    event_realname: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    event_realname_en: Option<String>,
    content: Option<Value>,
}

/// The webhook, beside its `alert`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Webhook {
    #[serde(deserialize_with = "lenient::level")]
    severity: Option<Level>,
    #[serde(deserialize_with = "lenient::text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    time: Option<EventTime>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Alert {
    #[serde(deserialize_with = "lenient::string")]
    event_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    product: Option<String>,
    #[serde(deserialize_with = "lenient::level")]
    severity: Option<Level>,
    #[serde(deserialize_with = "lenient::text")]
    arn: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    dedup_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    trace_id: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    timestamp: Option<EventTime>,
    #[serde(deserialize_with = "lenient::text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    alert_status: Option<String>,
    event_content_map: Option<Value>,
    event_raw_content: Option<Value>,
    #[serde(deserialize_with = "sys_event_meta")]
    meta: Option<SysEventMeta>,
}

/// `meta.sysEventMeta` of an alert.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SysEventMeta {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    product: Option<String>,
    #[serde(deserialize_with = "lenient::level")]
    level: Option<Level>,
    #[serde(deserialize_with = "lenient::text")]
    status: Option<String>,
    /// The ARN of the resource.
    #[serde(deserialize_with = "lenient::text")]
    resource_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    instance_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    region_id: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    event_time: Option<EventTime>,
    #[serde(deserialize_with = "lenient::string")]
    event_name_zh: Option<String>,
    #[serde(deserialize_with = "lenient::string")]
    event_name_en: Option<String>,
}

fn sys_event_meta<'de, D>(from: D) -> Result<Option<SysEventMeta>, D::Error>
where
    D: Deserializer<'de>,
{
    let mut meta = Value::deserialize(from)?;
    Ok(match meta.get_mut("sysEventMeta").map(Value::take) {
        Some(Value::Object(meta)) => Some(read(meta)),
        _ => None,
    })
}

/// Returns true if an object is CloudMonitor's flat JSON.
pub(super) fn is_flat(map: &Map<String, Value>) -> bool {
    string(map, "name").is_some()
}

/// Returns true if an object is CloudMonitor's flat JSON with a field called `type` besides: it has
/// a product and a name, and nothing else of a CloudEvent.
pub(super) fn is_flat_with_type(map: &Map<String, Value>) -> bool {
    let has = |key| string(map, key).is_some();
    is_flat(map) && has("product") && !has("specversion") && !has("source")
}

/// Returns the event of a flat JSON object.
pub(super) fn flat(map: Map<String, Value>) -> Event {
    let mut flat: Flat = read(map);
    let mut builder = EventBuilder {
        id: flat.id.take(),
        // The owner of the resource is in its ARN; `userId` may be that of the subscriber.
        subscriber: flat.user_id.take(),
        ..EventBuilder::default()
    };
    flat.merge_flat(&mut builder);
    builder.build()
}

impl Flat {
    /// Merges the fields of a flat object into those of its envelope.
    pub(super) fn merge_flat(self, builder: &mut EventBuilder) {
        builder.product = self.product.or(builder.product.take());
        if let Some(name) = self.name {
            builder.name = EventName::split(builder.product.as_deref(), &name);
        }
        builder.level = self.level.or(self.cur_level);
        builder.outer_status = self.status;
        builder.arn = self.resource_id.or(builder.arn.take());
        builder.resource_name = self.instance_name;
        builder.region = self.region_id.or(builder.region.take());
        builder.account = builder.account.take().or(self.user_id);
        builder.time = self.event_time.or(builder.time.take());
        builder.titles = titles(self.event_realname, self.event_realname_en);
        builder.details = into_object(self.content, "content");
    }
}

/// Returns the `alert` object of a webhook, which may be JSON in a string.
pub(super) fn alert(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    match map.get("alert")? {
        Value::Object(alert) => Some(alert.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// Returns true if an alert says what happened.
pub(super) fn is_named(alert: &Map<String, Value>) -> bool {
    let has_meta = || alert.get("meta")?.get("sysEventMeta")?.as_object();
    string(alert, "eventName").is_some() || has_meta().is_some()
}

/// Returns the event of an event subscription's webhook.
pub(super) fn webhook(map: Map<String, Value>, alert: Map<String, Value>) -> Event {
    // An alert that does not say what happened is shown with all that it holds.
    let mut details = if is_named(&alert) {
        Map::new()
    } else {
        alert.clone()
    };
    let webhook: Webhook = read(map);
    let alert: Alert = read(alert);
    let meta = alert.meta.unwrap_or_default();
    let contents = [alert.event_content_map, alert.event_raw_content];
    if let Some(content) = contents
        .into_iter()
        .map(|content| into_object(content, "content"))
        .find(|content| !content.is_empty())
    {
        details = content;
    }
    // A resolved alert is another message than the one that began, and must not look like it.
    if let Some(status) = alert.alert_status.filter(|status| status != "TRIGGERED") {
        details.insert(ALERT_STATUS.to_owned(), status.into());
    }
    let product = meta.product.or(alert.product);
    let name = meta.name.or(alert.event_name);
    EventBuilder {
        id: meta.id.or(alert.dedup_id).or(alert.trace_id),
        name: EventName::split(product.as_deref(), name.as_deref().unwrap_or(NAMELESS)),
        product,
        level: meta.level.or(alert.severity).or(webhook.severity),
        outer_status: meta.status,
        arn: meta.resource_id.or(alert.arn),
        resource_name: meta.instance_name,
        region: meta.region_id,
        subscriber: alert.user_id.or(webhook.user_id),
        time: meta.event_time.or(alert.timestamp).or(webhook.time),
        titles: titles(meta.event_name_zh, meta.event_name_en),
        details,
        ..EventBuilder::default()
    }
    .build()
}

/// Titles that came with the event. An English one without a blank is only the event's code.
fn titles(zh: Option<String>, en: Option<String>) -> Titles {
    Titles {
        zh,
        en: en.filter(|title| title.contains(' ')),
    }
}
