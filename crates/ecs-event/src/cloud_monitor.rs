//! CloudMonitor's own shapes: the flat JSON (documented, delivered, debug) and the webhook of an
//! event subscription.

use super::event::{ALERT_STATUS, Event, Titles};
use super::field::{into_object, level, string, text, time};
use super::name;
use serde_json::{Map, Value};

/// The name of an alert that has none. It is sent nevertheless: its level and resource may matter.
const NAMELESS: &str = "alert";

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
    let mut event = Event {
        id: text(&map, "id"),
        ..Event::default()
    };
    let arn = merge_flat(&mut event, map);
    event.complete([arn.as_deref(), None])
}

/// Merges the fields of a flat object into those of its envelope. Returns the ARN of the resource.
pub(super) fn merge_flat(event: &mut Event, mut map: Map<String, Value>) -> Option<String> {
    event.details = into_object(map.remove("content"), "content");
    let owned = |key| string(&map, key).map(str::to_owned);
    event.product = owned("product").or(event.product.take());
    if let Some(name) = string(&map, "name") {
        (event.name, event.status) = name::split(event.product.as_deref(), name);
    }
    event.status = life_cycle_status(&map).or(event.status.take());
    event.level = level(&map, "level").or(level(&map, "curLevel"));
    event.resource_name = text(&map, "instanceName");
    event.region = text(&map, "regionId")
        .or_else(|| text(&event.details, "regionId"))
        .or(event.region.take());
    // The owner of the resource is in its ARN; `userId` may be that of the subscriber.
    event.account = event.account.take().or_else(|| text(&map, "userId"));
    event.time = time(&map, "eventTime").or(event.time.take());
    event.titles = titles(&map, "eventRealname", "eventRealnameEn");
    owned("resourceId")
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
    string(alert, "eventName").is_some() || sys_event_meta(alert).is_some()
}

fn sys_event_meta(alert: &Map<String, Value>) -> Option<&Map<String, Value>> {
    alert.get("meta")?.get("sysEventMeta")?.as_object()
}

/// Returns the event of an event subscription's webhook.
pub(super) fn webhook(webhook: &Map<String, Value>, mut alert: Map<String, Value>) -> Event {
    // An alert that does not say what happened is shown with all that it holds.
    let whole = (!is_named(&alert)).then(|| alert.clone());
    let contents =
        ["eventContentMap", "eventRawContent"].map(|key| into_object(alert.remove(key), "content"));
    let mut details = contents
        .into_iter()
        .find(|content| !content.is_empty())
        .or(whole)
        .unwrap_or_default();
    // A resolved alert is another message than the one that began, and must not look like it.
    if let Some(status) = string(&alert, "alertStatus").filter(|status| *status != "TRIGGERED") {
        details.insert(ALERT_STATUS.to_owned(), status.into());
    }
    let no_meta = Map::new();
    let meta = sys_event_meta(&alert).unwrap_or(&no_meta);
    let product = text(meta, "product").or(text(&alert, "product"));
    let name = string(meta, "name").or(string(&alert, "eventName"));
    let (name, name_status) = name::split(product.as_deref(), name.unwrap_or(NAMELESS));
    let event = Event {
        id: text(meta, "id")
            .or(text(&alert, "dedupId"))
            .or(text(&alert, "traceId")),
        name,
        status: life_cycle_status(meta).or(name_status),
        product,
        level: level(meta, "level")
            .or(level(&alert, "severity"))
            .or(level(webhook, "severity")),
        resource_name: text(meta, "instanceName"),
        region: text(meta, "regionId").or_else(|| text(&details, "regionId")),
        account: text(&alert, "userId").or(text(webhook, "userId")),
        time: time(meta, "eventTime")
            .or(time(&alert, "timestamp"))
            .or(time(webhook, "time")),
        titles: titles(meta, "eventNameZh", "eventNameEn"),
        details,
        ..Event::default()
    };
    event.complete([string(meta, "resourceId"), string(&alert, "arn")])
}

/// Returns `status`; `Normal` says nothing.
fn life_cycle_status(map: &Map<String, Value>) -> Option<String> {
    text(map, "status").filter(|status| !status.eq_ignore_ascii_case("Normal"))
}

/// Titles that came with the event. An English one without a blank is only the event's code.
fn titles(map: &Map<String, Value>, zh: &str, en: &str) -> Titles {
    Titles {
        zh: string(map, zh).map(str::to_owned),
        en: string(map, en)
            .filter(|title| title.contains(' '))
            .map(str::to_owned),
    }
}
