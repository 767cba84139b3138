//! CloudMonitor's own shapes: the flat JSON (documented, delivered, debug) and the webhook of an
//! event subscription.

use super::name::{self, Named};
use super::resource::{self, Arn};
use super::value::{Map, Value};
use super::{Event, Level, Moment, Titles, parse_moment, string, text};
use crate::event::catalog;

/// What every shape comes down to, before name, status, level and resource are worked out of it.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) source: Option<String>,
    pub(super) id: Option<String>,
    pub(super) product: Option<String>,
    pub(super) named: Option<Named>,
    pub(super) level: Option<Level>,
    pub(super) flat_status: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) resource_name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    pub(super) time: Option<Moment>,
    pub(super) envelope_time: Option<Moment>,
    pub(super) titles: Titles,
    pub(super) details: Map,
}

impl Draft {
    /// The event, once everything that a shape tells is gathered.
    pub(super) fn event(self) -> Event {
        let product = self.product;
        let named = self.named.unwrap_or(Named {
            name: String::new(),
            tail: None,
        });
        let status = name::status(product.as_deref(), &named, &self.details, self.flat_status);
        let entry = catalog::find(product.as_deref(), &named.name);
        let level = self
            .level
            .or_else(|| level(&self.details, &["level", "curLevel", "eventLevel"]))
            .or_else(|| entry?.level(status.as_deref(), &self.details));
        let arn = self.arn.as_deref().and_then(Arn::parse);
        let resource = resource::find(&named.name, arn.as_ref(), &self.details);
        let (resource_id, resource_kind) = resource.map_or((None, None), |r| (Some(r.id), r.kind));
        let source = self.source.unwrap_or_else(|| {
            let product = product.as_deref().unwrap_or("cloudmonitor");
            format!("acs.{}", product.to_ascii_lowercase())
        });
        let own_name = resource::name(resource_kind.as_deref(), &self.details);
        Event {
            source,
            id: self.id,
            status,
            level,
            resource_name: own_name.or(self.resource_name),
            resource_id,
            resource_kind,
            region: self
                .region
                .or_else(|| Some(arn.as_ref()?.region?.to_owned())),
            account: self
                .account
                .or_else(|| Some(arn.as_ref()?.account?.to_owned())),
            time: self.time,
            envelope_time: self.envelope_time,
            titles: self.titles,
            details: self.details,
            name: named.name,
            product,
        }
    }

    /// Takes over what a flat JSON object tells.
    pub(super) fn take_flat(&mut self, mut flat: Map) {
        let content = flat.remove("content");
        let flat = &flat;
        self.product = string(flat, "product")
            .map(str::to_owned)
            .or(self.product.take());
        if let Some(name) = string(flat, "name") {
            self.named = Some(name::split(self.product.as_deref(), name));
        }
        self.level = level(flat, &["level", "curLevel"]).or(self.level);
        self.flat_status = text(flat.get("status"));
        self.arn = string(flat, "resourceId")
            .map(str::to_owned)
            .or(self.arn.take());
        self.resource_name = text(flat.get("instanceName"));
        self.region = text(flat.get("regionId")).or(self.region.take());
        self.account = self.account.take().or_else(|| text(flat.get("userId")));
        self.time = flat
            .get("eventTime")
            .and_then(parse_moment)
            .or(self.time.take());
        self.titles = titles(flat, "eventRealname", "eventRealnameEn");
        self.details = object(content, "content");
    }
}

/// The key among an event's data of an alert that is no longer `TRIGGERED`.
pub(super) const ALERT_STATUS: &str = "alertStatus";

/// What an alert is called that tells no name. It is shown nevertheless: its level and resource may matter.
const NAMELESS: &str = "alert";

/// Whether an object is CloudMonitor's flat JSON.
pub(super) fn is_flat(map: &Map) -> bool {
    string(map, "name").is_some()
}

/// Whether an object is CloudMonitor's flat JSON that has a field called `type` besides: it has a product and a name,
/// and nothing else of a CloudEvent.
pub(super) fn is_flat_with_type(map: &Map) -> bool {
    let has = |key| string(map, key).is_some();
    is_flat(map) && has("product") && !has("specversion") && !has("source")
}

/// An event from CloudMonitor's flat JSON.
pub(super) fn flat(map: Map) -> Event {
    let mut draft = Draft {
        id: text(map.get("id")),
        ..Draft::default()
    };
    let subscriber = text(map.get("userId"));
    draft.take_flat(map);
    // The owner of the resource is in its ARN; `userId` may be whoever subscribed.
    draft.account = None;
    let mut event = draft.event();
    event.account = event.account.or(subscriber);
    event
}

/// The `alert` object of a webhook, as an object or as JSON in a string.
pub(super) fn alert(map: &Map) -> Option<Map> {
    match map.get("alert")? {
        Value::Object(alert) => Some(alert.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// Whether an alert tells what happened.
pub(super) fn is_named(alert: &Map) -> bool {
    string(alert, "eventName").is_some() || meta(alert).is_some()
}

fn meta(alert: &Map) -> Option<&Map> {
    let meta = alert.get("meta")?.as_object()?;
    meta.get("sysEventMeta")?.as_object()
}

/// An event from the webhook of an event subscription.
pub(super) fn webhook(map: &Map, alert: &Map) -> Event {
    let none = Map::new();
    let meta = meta(alert).unwrap_or(&none);
    let either = |key: &str| text(meta.get(key)).or_else(|| text(alert.get(key)));
    let product = either("product");
    let name = string(meta, "name")
        .or_else(|| string(alert, "eventName"))
        .unwrap_or(NAMELESS);
    let content = ["eventContentMap", "eventRawContent"]
        .into_iter()
        .map(|key| object(alert.get(key).cloned(), "content"))
        .find(|content| !content.is_empty());
    let mut details = match content {
        Some(content) => content,
        None if is_named(alert) => Map::new(),
        None => alert.clone(),
    };
    // Told once more when the alert is over: that is another message, and must not look like the first.
    if let Some(resolved) = string(alert, "alertStatus").filter(|status| *status != "TRIGGERED") {
        details.insert(ALERT_STATUS.to_owned(), resolved.into());
    }
    let mut event = Draft {
        id: text(meta.get("id"))
            .or_else(|| text(alert.get("dedupId")))
            .or_else(|| text(alert.get("traceId"))),
        named: Some(name::split(product.as_deref(), name)),
        product,
        level: level(meta, &["level"])
            .or_else(|| level(alert, &["severity"]))
            .or_else(|| level(map, &["severity"])),
        flat_status: text(meta.get("status")),
        arn: text(meta.get("resourceId")).or_else(|| text(alert.get("arn"))),
        resource_name: text(meta.get("instanceName")),
        region: text(meta.get("regionId")),
        time: [
            meta.get("eventTime"),
            alert.get("timestamp"),
            map.get("time"),
        ]
        .into_iter()
        .flatten()
        .find_map(parse_moment),
        titles: titles(meta, "eventNameZh", "eventNameEn"),
        details,
        ..Draft::default()
    }
    .event();
    event.account = event
        .account
        .or_else(|| text(alert.get("userId")))
        .or_else(|| text(map.get("userId")));
    event
}

/// The first of these keys that holds a level.
pub(super) fn level(map: &Map, keys: &[&str]) -> Option<Level> {
    keys.iter()
        .find_map(|key| map.get(key)?.as_str().and_then(Level::parse))
}

/// Details as an object: as they are, as JSON in a string, or as the one value of `key`.
pub(super) fn object(value: Option<Value>, key: &str) -> Map {
    let only = |value| {
        let mut map = Map::new();
        map.insert(key.to_owned(), value);
        map
    };
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => map,
            _ if text.trim().is_empty() => Map::new(),
            _ => only(Value::String(text)),
        },
        Some(other) => only(other),
    }
}

/// Names that came along; an English one that is only the code is none.
fn titles(map: &Map, zh: &str, en: &str) -> Titles {
    Titles {
        zh: string(map, zh).map(str::to_owned),
        en: string(map, en)
            .filter(|title| title.contains(' '))
            .map(str::to_owned),
    }
}
