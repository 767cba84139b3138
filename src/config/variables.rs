//! The known variables, and which route each belongs to.

use super::{ConfigError, Values};
use std::collections::BTreeMap;

/// The suffix of the route `default`.
pub(super) const DEFAULT_SUFFIX: &str = "";

/// Every variable that the notifier knows, without a route's suffix.
pub const KNOWN: [&str; 35] = [
    "DINGTALK_WEBHOOK",
    "DINGTALK_SECRET",
    "DINGTALK_KEYWORD",
    "DINGTALK_FALLBACK_WEBHOOK",
    "DINGTALK_FALLBACK_SECRET",
    "DINGTALK_AT_MOBILES",
    "DINGTALK_AT_USER_IDS",
    "DINGTALK_AT_ALL",
    "DINGTALK_AT_LEVELS",
    "DINGTALK_AT_TAG",
    "DINGTALK_RATE_LIMIT",
    "EVENT_LEVELS",
    "EVENT_INCLUDE",
    "EVENT_EXCLUDE",
    "EVENT_ACCOUNTS",
    "EVENT_REGIONS",
    "EVENT_RESOURCES",
    "EVENT_RESOURCES_EXCLUDE",
    "EVENT_TAGS",
    "EVENT_TAGS_EXCLUDE",
    "EVENT_QUIET_HOURS",
    "EVENT_QUIET_LEVELS",
    "MESSAGE_LANGUAGE",
    "MESSAGE_TIME_ZONE",
    "MESSAGE_TAGS",
    "MESSAGE_ACCOUNTS",
    "MESSAGE_CONSOLE",
    "MESSAGE_DIGEST_AT",
    "MESSAGE_REMIND_BEFORE",
    "MESSAGE_HEARTBEAT_AT",
    "RESOURCE_LOOKUP",
    "RESOURCE_REGIONS",
    "RESOURCE_ENDPOINT",
    "RESOURCE_STS_ENDPOINT",
    "RESOURCE_ROLE",
];

/// Returns true if the variable is the notifier's by its prefix, known or not.
pub(super) fn is_ours(name: &str) -> bool {
    ["DINGTALK_", "EVENT_", "MESSAGE_", "RESOURCE_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Sorts the variables by the suffix of their route. Those of the whole function have none. Blank
/// ones count as unset, unknown ones become faults.
pub(super) fn by_route(
    vars: &BTreeMap<String, String>,
    faults: &mut Vec<ConfigError>,
) -> BTreeMap<String, Values> {
    let mut routes: BTreeMap<String, Values> = BTreeMap::new();
    for (name, value) in vars {
        if !is_ours(name) || value.trim().is_empty() {
            continue;
        }
        let (base, suffix) = name.split_at(name.find("__").unwrap_or(name.len()));
        let Some(known) = KNOWN.iter().find(|known| **known == base) else {
            faults.push(unknown(name, base, suffix));
            continue;
        };
        if let Err(problem) = check_suffix(suffix) {
            faults.push(ConfigError::new(name, problem));
            continue;
        }
        if known.starts_with("RESOURCE_") && !suffix.is_empty() {
            let problem = format!("is of the whole function; set {known}, without {suffix}");
            faults.push(ConfigError::new(name, problem));
            continue;
        }
        let values = routes.entry(suffix.to_owned()).or_default();
        values.insert(known, value.trim().to_owned());
    }
    routes
}

fn check_suffix(suffix: &str) -> Result<(), &'static str> {
    let Some(route) = suffix.strip_prefix("__") else {
        return Ok(());
    };
    let is_word = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    if !route.split('_').all(is_word) {
        return Err(
            "behind __ stands no route's name; write capitals, digits and single underscores, as in DINGTALK_WEBHOOK__ONCALL",
        );
    }
    if route == "DEFAULT" {
        return Err("the route `default` is the one without suffix; leave __DEFAULT away");
    }
    Ok(())
}

fn unknown(name: &str, base: &str, suffix: &str) -> ConfigError {
    let nearest = KNOWN
        .iter()
        .min_by_key(|known| strsim::levenshtein(known, base))
        .expect("there are known variables");
    // DINGTALK_WEBHOOK_ONCALL may be meant for a further route.
    let further = KNOWN
        .iter()
        .filter_map(|known| {
            let route = base.strip_prefix(known)?.strip_prefix('_')?;
            check_suffix(&format!("__{route}")).ok()?;
            Some((known.len(), format!("{known}__{route}")))
        })
        .max();
    let problem = match further {
        Some((_, further)) if suffix.is_empty() => format!(
            "is not a variable of the notifier; did you mean {nearest}, or {further} for a further route?"
        ),
        _ => format!("is not a variable of the notifier; did you mean {nearest}{suffix}?"),
    };
    ConfigError::new(name, problem)
}
