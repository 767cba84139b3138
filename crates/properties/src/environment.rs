//! Environment to configuration: valid, or at least one fault, each with its variable, and no
//! secret in any text.

use crate::filters;
use ecs_dingtalk_notifier::channel::Endpoint;
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
        assert!((3..=20).contains(&route.endpoint.limits().per_minute));
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
            let Endpoint::DingTalk(endpoint) = endpoint;
            assert!(endpoint.secrets.len() <= 2);
        }
    }
    let shown = vars.iter().any(|(name, value)| shows(name, value));
    let text = format!("{config:?}");
    assert!(shown || !leaks(&text), "a secret in {text}");
    for route in &config.routes {
        let Endpoint::DingTalk(endpoint) = &route.endpoint;
        let masked = endpoint.to_string() + endpoint.webhook.rate_limit_key();
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
            "DINGTALK_WEBHOOK" | "DINGTALK_FALLBACK_WEBHOOK" => before_query.contains(MARK),
            _ => true,
        }
}

fn check_fault(fault: &ConfigError, vars: &[(String, String)]) {
    let ConfigError { variable, problem } = fault;
    let is_ours = ["DINGTALK_", "EVENT_", "MESSAGE_", "RESOURCE_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix));
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
