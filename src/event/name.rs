//! An event's name and status.

use super::catalog;
use super::field::text;
use serde_json::{Map, Value};

/// Statuses that a name may end with (`…:Scheduled`).
const STATUSES: [&str; 8] = [
    "Inquiring",
    "Scheduled",
    "Executing",
    "Executed",
    "Avoided",
    "Failed",
    "Canceled",
    "Normal",
];

/// A name without its status, and the status that stood at its end.
#[derive(Default)]
pub(super) struct EventName {
    pub(super) name: String,
    pub(super) status_suffix: Option<String>,
}

impl EventName {
    fn without_status(name: &str) -> EventName {
        EventName {
            name: name.to_owned(),
            status_suffix: None,
        }
    }

    /// Splits CloudMonitor's name of an event into name and status.
    ///
    /// A name that the catalog knows as a whole has no status in it.
    pub(super) fn split(product: Option<&str>, name: &str) -> EventName {
        let is_known = |name| catalog::find(product, name).is_some();
        match name.rsplit_once(':') {
            Some((base, suffix))
                if !is_known(name)
                    && !base.is_empty()
                    && (is_known(base) || STATUSES.contains(&suffix)) =>
            {
                EventName {
                    name: base.to_owned(),
                    status_suffix: Some(suffix.to_owned()).filter(|suffix| !suffix.is_empty()),
                }
            }
            _ => EventName::without_status(name),
        }
    }

    /// Reads the name in an EventBridge type.
    ///
    /// `ecs:Instance:StateChange` and
    /// `ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]` lose their prefix. Types of
    /// other products keep it: without it they would say too little.
    pub(super) fn from_type(product: Option<&str>, kind: &str) -> EventName {
        if let Some(entry) = catalog::find_by_type(kind) {
            return EventName::without_status(entry.name);
        }
        let (prefix, rest) = kind.split_once(':').unwrap_or(("", kind));
        if let Some(inner) = rest
            .strip_prefix("CloudMonitor:")
            .filter(|inner| !inner.is_empty())
        {
            let name = match inner.split_once('[') {
                Some((outer, inner)) => format!("{outer}:{}", inner.trim_end_matches(']')),
                None => inner.to_owned(),
            };
            let name = restore_underscores(product, &name).unwrap_or(&name);
            return EventName::split(product, name);
        }
        match prefix {
            "ecs" | "ebs" if !rest.is_empty() => EventName::split(product, rest),
            _ => EventName::without_status(kind),
        }
    }
}

/// Returns the catalog's name of an event whose name lost its underscores, as CloudMonitor's names
/// do on EventBridge.
fn restore_underscores(product: Option<&str>, name: &str) -> Option<&'static str> {
    catalog::entries()
        .iter()
        .filter(|entry| entry.name.contains('_'))
        .find(|entry| entry.name.replace('_', "") == name)
        .filter(|entry| catalog::find(product, entry.name).is_some())
        .map(|entry| entry.name)
}

/// Returns the status: that in the event's data, else `outer` (the flat JSON's own `status`), else
/// that at the end of the name.
pub(super) fn status(
    product: Option<&str>,
    name: &EventName,
    details: &Map<String, Value>,
    outer: Option<String>,
) -> Option<String> {
    let entry = catalog::find(product, &name.name);
    let is_disk = name.name.starts_with("Disk:");
    // Whether an event of this name has a beginning and an end.
    let lasts = |entry: &catalog::Entry| entry.statuses.contains(&"Executing");
    let field = |key| text(details.get(key));
    field("eventStatus")
        .or_else(|| field("state"))
        .or_else(|| field("result"))
        .or_else(|| field("status"))
        .or_else(|| field("invocationStatus"))
        // An event that the catalog knows to be momentary has a result, and no such status.
        .or_else(|| status_from_times(details).filter(|_| is_disk && entry.is_none_or(lasts)))
        .or_else(|| outer.filter(|status| !status.eq_ignore_ascii_case("Normal")))
        .or_else(|| {
            name.status_suffix
                .clone()
                .filter(|status| status != "Normal")
        })
        // Without any sign of its end, an event that has one has not ended.
        .or_else(|| (is_disk && entry.is_some_and(lasts)).then(|| "Executing".to_owned()))
}

/// Returns the status of a disk's event. It carries none, but the times of its beginning and end.
fn status_from_times(details: &Map<String, Value>) -> Option<String> {
    let has = |key| text(details.get(key)).is_some();
    if has("executeFinishTime") {
        Some("Executed".to_owned())
    } else if has("executeStartTime") {
        Some("Executing".to_owned())
    } else {
        None
    }
}
