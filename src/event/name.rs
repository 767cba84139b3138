//! Names and statuses: what an event is called, and how things stand.

use super::text;
use super::value::Map;
use crate::event::catalog;

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
pub(super) struct Named {
    pub(super) name: String,
    pub(super) tail: Option<String>,
}

/// Takes a CloudMonitor name apart. What the catalogue knows as a whole has no status in it.
pub(super) fn split(product: Option<&str>, name: &str) -> Named {
    let whole = || Named {
        name: name.to_owned(),
        tail: None,
    };
    if catalog::find(product, name).is_some() {
        return whole();
    }
    match name.rsplit_once(':') {
        Some((base, tail))
            if !base.is_empty()
                && (catalog::find(product, base).is_some() || STATUSES.contains(&tail)) =>
        {
            Named {
                name: base.to_owned(),
                tail: Some(tail.to_owned()).filter(|tail| !tail.is_empty()),
            }
        }
        _ => whole(),
    }
}

/// The name in an EventBridge type: `ecs:Instance:StateChange` and
/// `ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]` lose their prefix; types of other
/// products stay whole, because without it they would tell too little.
pub(super) fn of_type(product: Option<&str>, kind: &str) -> Named {
    if let Some(entry) = catalog::find_by_type(kind) {
        return Named {
            name: entry.name().to_owned(),
            tail: None,
        };
    }
    let (prefix, rest) = kind.split_once(':').unwrap_or(("", kind));
    if let Some(inner) = rest
        .strip_prefix("CloudMonitor:")
        .filter(|inner| !inner.is_empty())
    {
        let plain = match inner.split_once('[') {
            Some((outer, inner)) => format!("{outer}:{}", inner.trim_end_matches(']')),
            None => inner.to_owned(),
        };
        return split(product, with_underscores(product, &plain).unwrap_or(&plain));
    }
    match prefix {
        "ecs" | "ebs" if !rest.is_empty() => split(product, rest),
        _ => Named {
            name: kind.to_owned(),
            tail: None,
        },
    }
}

/// The catalogue's name for one that lost its underscores, as CloudMonitor's names do on EventBridge.
fn with_underscores(product: Option<&str>, name: &str) -> Option<&'static str> {
    catalog::entries()
        .iter()
        .filter(|entry| entry.name().contains('_'))
        .find(|entry| entry.name().replace('_', "") == name)
        .filter(|entry| catalog::find(product, entry.name()).is_some())
        .map(|entry| entry.name())
}

/// The status: what the data say, else what the flat JSON's own `status` says, else the name's tail.
pub(super) fn status(
    product: Option<&str>,
    named: &Named,
    details: &Map,
    flat: Option<String>,
) -> Option<String> {
    let own = |key| text(details.get(key));
    own("eventStatus")
        .or_else(|| own("state"))
        .or_else(|| own("result"))
        .or_else(|| own("status"))
        .or_else(|| own("invocationStatus"))
        .or_else(|| span(product, &named.name, details))
        .or_else(|| flat.filter(|status| !status.eq_ignore_ascii_case("Normal")))
        .or_else(|| named.tail.clone().filter(|tail| tail != "Normal"))
        .or_else(|| not_over(product, &named.name))
}

/// Disk events that have a beginning and an end carry no status: the end is told by its time.
fn span(product: Option<&str>, name: &str, details: &Map) -> Option<String> {
    let ended = text(details.get("executeFinishTime")).is_some();
    let begun = ended || text(details.get("executeStartTime")).is_some();
    // What the catalogue knows to be over in a moment has a result, and no such status.
    let lasts = catalog::find(product, name).is_none_or(is_lasting);
    (begun && lasts && name.starts_with("Disk:"))
        .then(|| if ended { "Executed" } else { "Executing" }.to_owned())
}

/// Whether an event of this name has a beginning and an end.
fn is_lasting(entry: &catalog::Entry) -> bool {
    entry.statuses().any(|status| status == "Executing")
}

/// What nothing says otherwise: an event that knows a beginning and an end, and holds no sign of its
/// end, is not over.
fn not_over(product: Option<&str>, name: &str) -> Option<String> {
    let has_both =
        name.starts_with("Disk:") && catalog::find(product, name).is_some_and(is_lasting);
    has_both.then(|| "Executing".to_owned())
}
