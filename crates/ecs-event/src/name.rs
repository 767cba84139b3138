//! An event's name and status.

use super::catalog::{self, Entry, is_api_call};
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
/// Keys of an event's data that may hold its status.
const STATUS_KEYS: [&str; 5] = [
    "eventStatus",
    "state",
    "result",
    "status",
    "invocationStatus",
];

/// Splits CloudMonitor's name of an event into name and status.
///
/// A name that the catalog knows as a whole has no status in it, and `Normal` is none.
pub(super) fn split(product: Option<&str>, name: &str) -> (String, Option<String>) {
    let is_known = |name| catalog::find(product, name).is_some();
    match name.rsplit_once(':') {
        Some((base, status))
            if !is_known(name)
                && !base.is_empty()
                && (is_known(base) || STATUSES.contains(&status)) =>
        {
            let status = Some(status).filter(|status| !["", "Normal"].contains(status));
            (base.to_owned(), status.map(str::to_owned))
        }
        _ => (name.to_owned(), None),
    }
}

/// Returns the name of the events of an EventBridge type, with the status where the type has one;
/// `None` where they are called as the type, or where the text is none.
pub fn type_name(kind: &str) -> Option<String> {
    let (name, status) = from_type(None, kind);
    let name = match status {
        Some(status) => format!("{name}:{status}"),
        None => name,
    };
    (name != kind).then_some(name)
}

/// Returns name and status of an EventBridge type.
///
/// `ecs:Instance:StateChange` and
/// `ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]` lose their prefix. Types of
/// other products keep it: without it they would say too little. `actiontrail:ActionTrail:ApiCall`
/// is what `ecs:ActionTrail:ApiCall` is.
pub(super) fn from_type(product: Option<&str>, kind: &str) -> (String, Option<String>) {
    if let Some(entry) = catalog::find_by_type(kind) {
        return (entry.name.to_owned(), None);
    }
    let (prefix, rest) = kind.split_once(':').unwrap_or(("", kind));
    match (prefix, rest.strip_prefix("CloudMonitor:")) {
        (_, Some(inner)) if !inner.is_empty() => {
            let name = match inner.split_once('[') {
                Some((outer, inner)) => format!("{outer}:{}", inner.trim_end_matches(']')),
                None => inner.to_owned(),
            };
            split(product, restore_underscores(product, &name))
        }
        ("ecs" | "ebs", _) if !rest.is_empty() => split(product, rest),
        ("actiontrail", _) if is_api_call(rest) => split(product, rest),
        _ => (kind.to_owned(), None),
    }
}

/// Returns the catalog's name of an event whose name lost its underscores, as CloudMonitor's names
/// do on EventBridge; any other name verbatim.
fn restore_underscores<'a>(product: Option<&str>, name: &'a str) -> &'a str {
    catalog::ENTRIES
        .iter()
        .find(|entry| entry.name.chars().filter(|c| *c != '_').eq(name.chars()))
        .filter(|entry| catalog::find(product, entry.name).is_some())
        .map_or(name, |entry| entry.name)
}

/// Returns the status: that in the event's data, else `outer`, which stood outside of them.
pub(super) fn status(
    product: Option<&str>,
    name: &str,
    details: &Map<String, Value>,
    outer: Option<String>,
) -> Option<String> {
    let entry = catalog::find(product, name);
    let is_disk = name.starts_with("Disk:");
    // True if an event of this name has a beginning and an end.
    let lasts = |entry: &Entry| entry.statuses.contains(&"Executing");
    let field = |key| text(details, key);
    // A disk's event carries no status, but the times of its beginning and end.
    let by_times = || {
        let executed = field("executeFinishTime").map(|_| "Executed");
        executed.or_else(|| field("executeStartTime").map(|_| "Executing"))
    };
    STATUS_KEYS
        .into_iter()
        .find_map(field)
        // An event that the catalog knows to be momentary has a result, and no such status.
        .or_else(|| {
            by_times()
                .filter(|_| is_disk && entry.is_none_or(lasts))
                .map(str::to_owned)
        })
        .or(outer)
        // Without any sign of its end, an event that has one has not ended.
        .or_else(|| (is_disk && entry.is_some_and(lasts)).then(|| "Executing".to_owned()))
}
