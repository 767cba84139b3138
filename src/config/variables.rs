//! The known variables, and which route each belongs to.

use super::{ConfigError, Values, chat};
use crate::channel::Chat;
use std::collections::BTreeMap;

/// The suffix of the route `default`.
pub(super) const DEFAULT_SUFFIX: &str = "";

/// Every variable that the notifier knows, without a route's suffix.
pub const KNOWN: [&str; 60] = [
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
    "LARK_WEBHOOK",
    "LARK_SECRET",
    "LARK_KEYWORD",
    "LARK_FALLBACK_WEBHOOK",
    "LARK_FALLBACK_SECRET",
    "LARK_AT_USER_IDS",
    "LARK_AT_ALL",
    "LARK_AT_LEVELS",
    "LARK_AT_TAG",
    "LARK_RATE_LIMIT",
    "WECOM_WEBHOOK",
    "WECOM_FALLBACK_WEBHOOK",
    "WECOM_AT_MOBILES",
    "WECOM_AT_USER_IDS",
    "WECOM_AT_ALL",
    "WECOM_AT_LEVELS",
    "WECOM_AT_TAG",
    "WECOM_RATE_LIMIT",
    "SLACK_WEBHOOK",
    "SLACK_FALLBACK_WEBHOOK",
    "SLACK_AT_USER_IDS",
    "SLACK_AT_ALL",
    "SLACK_AT_LEVELS",
    "SLACK_AT_TAG",
    "SLACK_RATE_LIMIT",
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

/// Feishu's chatbots are Lark's: names with this prefix are answered with Lark's.
const FEISHU: &str = "FEISHU_";
/// A name that differs in so many letters at most is near.
const NEAR: usize = 2;

/// Returns true if the variable is the notifier's: known, or unknown with a prefix that no other
/// program has.
pub(super) fn is_ours(name: &str) -> bool {
    let own = ["DINGTALK_", "EVENT_", "MESSAGE_", "RESOURCE_"];
    own.iter().any(|prefix| name.starts_with(prefix)) || is_known(split_suffix(name).0)
}

fn is_known(base: &str) -> bool {
    KNOWN.contains(&base)
}

fn split_suffix(name: &str) -> (&str, &str) {
    name.split_at(name.find("__").unwrap_or(name.len()))
}

/// Sorts the variables by the suffix of their route. Those of the whole function have none. Blank
/// ones count as unset, unknown ones become faults.
pub(super) fn by_route(
    vars: &BTreeMap<String, String>,
    faults: &mut Vec<ConfigError>,
) -> BTreeMap<String, Values> {
    let mut routes: BTreeMap<String, Values> = BTreeMap::new();
    let is_set = |(name, value): &(&String, &String)| {
        let known = KNOWN.iter().find(|known| **known == split_suffix(name).0);
        let chat = known.and_then(|known| chat::split(known));
        chat.map(|(chat, _)| chat)
            .filter(|_| !value.trim().is_empty())
    };
    let in_use: Vec<Chat> = vars.iter().filter_map(|var| is_set(&var)).collect();
    for (name, value) in vars {
        if value.trim().is_empty() {
            continue;
        }
        let (base, suffix) = split_suffix(name);
        let Some(known) = KNOWN.iter().find(|known| **known == base) else {
            let problem = match is_ours(name) {
                true => Some(unknown(base, suffix)),
                false => of_a_chat(base, suffix, &in_use),
            };
            faults.extend(problem.map(|problem| ConfigError::new(name, problem)));
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

/// Returns what is wrong with an unknown variable that other programs may have as well; `None` for
/// one that is theirs.
fn of_a_chat(base: &str, suffix: &str, in_use: &[Chat]) -> Option<String> {
    // People call them Feishu's.
    let (chat, rest, is_feishu) = match base.strip_prefix(FEISHU) {
        Some(rest) => (Chat::Lark, rest, true),
        None => {
            let (chat, rest) = chat::split(base)?;
            (chat, rest, false)
        }
    };
    let prefix = chat.prefix();
    let written = format!("{prefix}{rest}");
    // Most programs that post to a chat call it so.
    let nearest = match rest {
        "WEBHOOK_URL" => "WEBHOOK",
        _ => nearest(&written, |known| known.starts_with(prefix)).strip_prefix(prefix)?,
    };
    let is_near = rest == "WEBHOOK_URL" || strsim::levenshtein(nearest, rest) <= NEAR;
    let is_of_others = chat::any_has(rest) && !chat::has(chat, rest);
    if is_feishu && chat::has(chat, rest) {
        return Some(format!(
            "Feishu's chatbots are configured as Lark's; set {written}{suffix} instead"
        ));
    }
    if is_of_others && (is_feishu || in_use.contains(&chat)) {
        return Some(chat::lacking(chat, rest, suffix));
    }
    let is_fault = is_near || !is_feishu && in_use.contains(&chat);
    let meant = format!("{prefix}{nearest}{suffix}");
    is_fault.then(|| format!("is not a variable of the notifier; did you mean {meant}?"))
}

/// Returns the known name that is most like this one.
fn nearest(base: &str, is_candidate: impl Fn(&str) -> bool) -> &'static str {
    let known = KNOWN.iter().filter(|known| is_candidate(known));
    let nearest = known.min_by_key(|known| strsim::levenshtein(known, base));
    nearest.expect("there are known variables")
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

fn unknown(base: &str, suffix: &str) -> String {
    // Another chat's variables are not meant.
    let nearest = nearest(base, |known| {
        chat::split(known).is_none_or(|(chat, _)| chat == Chat::DingTalk)
    });
    // DINGTALK_WEBHOOK_ONCALL may be meant for a further route.
    let further = KNOWN
        .iter()
        .filter_map(|known| {
            let route = base.strip_prefix(known)?.strip_prefix('_')?;
            check_suffix(&format!("__{route}")).ok()?;
            Some((known.len(), format!("{known}__{route}")))
        })
        .max();
    match further {
        Some((_, further)) if suffix.is_empty() => format!(
            "is not a variable of the notifier; did you mean {nearest}, or {further} for a further route?"
        ),
        _ => format!("is not a variable of the notifier; did you mean {nearest}{suffix}?"),
    }
}
