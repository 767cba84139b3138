//! Environment to configuration: valid, or at least one fault, each with its variable, and no
//! secret in any text.

use crate::filters;
use ecs_dingtalk_notifier::channel::{Chat, Endpoint};
use ecs_dingtalk_notifier::config::{Config, ConfigError};
use std::collections::BTreeMap;

/// A secret: it replaces the byte 1 in the input, and must not come out again.
const MARK: &str = "7hpq2vx9lk4tz8wm";
/// Longest problem of one fault, in bytes, beside what a variable's own name adds to it.
const MAX_PROBLEM: usize = 1_500;

/// Checks an environment: lines of `NAME=VALUE`. The byte 2 stands for a line break in a value.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // No name stands there twice.
    let vars: BTreeMap<String, String> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            let value = value.replace('\u{1}', MARK).replace('\u{2}', "\n");
            (name.to_owned(), value)
        })
        // Any path would be read.
        .filter(|(name, _)| name != "SSL_CERT_FILE")
        .collect();
    let vars: Vec<(String, String)> = vars.into_iter().collect();
    let result = Config::from_vars(vars.iter().cloned());
    let reversed = Config::from_vars(vars.iter().rev().cloned());
    assert_eq!(
        format!("{result:?}"),
        format!("{reversed:?}"),
        "the order decides nothing"
    );
    match result {
        Ok(config) => valid(&config, &vars),
        Err(faults) => {
            assert!(!faults.is_empty());
            faults.iter().for_each(|fault| check_fault(fault, &vars));
        }
    }
}

fn valid(config: &Config, vars: &[(String, String)]) {
    assert!(!config.routes.is_empty());
    let mut names: Vec<&str> = config
        .routes
        .iter()
        .map(|route| route.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        config.routes.len(),
        "routes have names of their own"
    );
    for route in &config.routes {
        let most = match route.endpoint.chat() {
            Chat::DingTalk | Chat::WeCom => 20,
            Chat::Lark => 100,
            Chat::Slack => 60,
        };
        assert!((3..=most).contains(&route.endpoint.limits().per_minute));
        filters::check(&route.filter);
        let who = &route.render_options.mentions;
        assert!(who.mobiles.len() + who.user_ids.len() <= 50);
        let is_digit = |c: char| c.is_ascii_digit();
        assert!(who.mobiles.iter().all(|mobile| mobile.contains(is_digit)));
        assert!(
            who.mobiles
                .iter()
                .chain(&who.user_ids)
                .all(|who| who.is_ascii())
        );
        for endpoint in std::iter::once(&route.endpoint).chain(&route.fallback) {
            let keyword = endpoint.keyword();
            assert!(keyword.is_none_or(|keyword| !keyword.is_empty() && keyword.len() <= 200));
            let secrets = match endpoint {
                Endpoint::DingTalk(endpoint) => endpoint.secrets.len(),
                Endpoint::Lark(endpoint) => endpoint.secrets.len(),
                Endpoint::WeCom(_) | Endpoint::Slack(_) => 0,
            };
            assert!(secrets <= 2);
            assert_eq!(endpoint.chat(), route.endpoint.chat());
        }
    }
    let shown = vars.iter().any(|(name, value)| shows(name, value));
    let text = format!("{config:?}");
    assert!(shown || !leaks(&text), "a secret in {text}");
    for route in &config.routes {
        let masked = route.endpoint.to_string() + route.endpoint.id();
        assert!(shown || !leaks(&masked), "a secret in {masked}");
    }
}

/// Returns true if a configuration may show the mark, because it stands where no secret belongs.
fn shows(name: &str, value: &str) -> bool {
    let before_query = value.split('?').next().unwrap_or_default();
    value.contains(MARK)
        && match base(name).to_ascii_uppercase().as_str() {
            "HTTPS_PROXY" | "ALL_PROXY" => place(value).contains(MARK),
            "DINGTALK_SECRET" | "DINGTALK_FALLBACK_SECRET" => false,
            "LARK_SECRET" | "LARK_FALLBACK_SECRET" => false,
            name if name.ends_with("_WEBHOOK") => before_token(before_query).contains(MARK),
            _ => true,
        }
}

fn check_fault(fault: &ConfigError, vars: &[(String, String)]) {
    let ConfigError { variable, problem } = fault;
    const OURS: [&str; 8] = [
        "DINGTALK_",
        "EVENT_",
        "FEISHU_",
        "LARK_",
        "MESSAGE_",
        "RESOURCE_",
        "SLACK_",
        "WECOM_",
    ];
    let is_ours = OURS.iter().any(|prefix| variable.starts_with(prefix));
    let is_proxy = ["HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"].contains(&&**variable);
    assert!(is_ours || is_proxy, "{variable}");
    assert!(!problem.trim().is_empty());
    assert!(
        problem.len() <= MAX_PROBLEM + 3 * variable.len(),
        "{problem}"
    );
    if !variable.contains(char::is_control) {
        assert!(!problem.contains(char::is_control), "{problem:?}");
    }
    let text = format!("{fault} {fault:?}");
    let named = vars
        .iter()
        .any(|(name, _)| name.to_lowercase().contains(MARK));
    assert!(named || !leaks(&text), "a secret in {text}");
}

/// Returns the part of a webhook before what is secret, where that is in its path.
fn before_token(webhook: &str) -> &str {
    let parts = ["/open-apis/bot/v2/hook/", "/services/"];
    let ends = parts.iter().filter_map(|part| webhook.find(part));
    &webhook[..ends.min().unwrap_or(webhook.len())]
}

fn base(name: &str) -> &str {
    name.split("__").next().unwrap_or_default()
}

fn leaks(text: &str) -> bool {
    text.to_lowercase().contains(MARK)
}

/// Returns the part of a proxy's URL that may be shown: no user, no password, no path.
fn place(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}
