//! Environment to configuration: valid or at least one fault, each with its variable, and no secret in any text.

use ecs_dingtalk_notifier::config::{Config, Fault, http_config};

/// What stands for a secret: where the input has the byte 1, this is put, and it must not come out again.
const MARK: &str = "7hpq2vx9lk4tz8wm";
/// Longest problem of one fault, in bytes, beside what a variable's own name adds to it.
const MAX_PROBLEM: usize = 600;

/// Checks an environment: lines of `NAME=VALUE`.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let vars: Vec<(String, String)> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.replace('\u{1}', MARK)))
        .collect();
    check_routes(&vars);
    check_proxy(&vars);
}

fn check_routes(vars: &[(String, String)]) {
    let result = Config::from_vars(vars.iter().cloned());
    let reversed = Config::from_vars(vars.iter().rev().cloned());
    assert_eq!(
        format!("{result:?}"),
        format!("{reversed:?}"),
        "the order decides nothing"
    );
    match result {
        Ok(config) => valid(&config, vars),
        Err(faults) => {
            assert!(!faults.is_empty());
            faults.iter().for_each(|fault| check_fault(fault, vars));
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
        assert!((3..=20).contains(&route.endpoint.rate_limit));
        let who = &route.render_options.mentions;
        assert!(who.mobiles.len() + who.user_ids.len() <= 50);
        for robot in std::iter::once(&route.endpoint).chain(&route.fallback) {
            let keyword = robot.keyword.as_ref();
            assert!(keyword.is_none_or(|keyword| !keyword.is_empty() && keyword.len() <= 200));
            assert!(robot.secrets.len() <= 2);
        }
    }
    let shown = vars.iter().any(|(name, value)| shows(name, value));
    let text = format!("{config:?}");
    assert!(shown || !leaks(&text), "a secret in {text}");
    for route in &config.routes {
        let masked = route.endpoint.webhook.masked() + &route.endpoint.webhook.rate_limit_key();
        assert!(shown || !leaks(&masked), "a secret in {masked}");
    }
}

/// Whether a configuration may show the mark, because it stands where no secret belongs.
fn shows(name: &str, value: &str) -> bool {
    let before_query = value.split('?').next().unwrap_or_default();
    value.contains(MARK)
        && match base(name) {
            "DINGTALK_SECRET" | "DINGTALK_FALLBACK_SECRET" => false,
            "DINGTALK_WEBHOOK" | "DINGTALK_FALLBACK_WEBHOOK" => before_query.contains(MARK),
            _ => true,
        }
}

fn check_fault(fault: &Fault, vars: &[(String, String)]) {
    let Fault { variable, problem } = fault;
    assert!(
        ["DINGTALK_", "EVENT_", "MESSAGE_"]
            .iter()
            .any(|prefix| variable.starts_with(prefix)),
        "{variable}"
    );
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

/// What a proxy's URL says of where it is, which may be shown: no user, no password, no path.
fn place(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn check_proxy(vars: &[(String, String)]) {
    let lookup = |wanted: &str| {
        let found = vars
            .iter()
            .find(|(name, _)| name == wanted && wanted != "SSL_CERT_FILE");
        found.map(|(_, value)| value.clone())
    };
    match http_config(lookup) {
        Ok(config) => {
            let text = format!("{config:?}");
            let shown = vars
                .iter()
                .any(|(name, value)| match name.to_ascii_uppercase().as_str() {
                    "NO_PROXY" => value.contains(MARK),
                    "HTTPS_PROXY" | "ALL_PROXY" => place(value).contains(MARK),
                    _ => false,
                });
            assert!(shown || !leaks(&text), "a secret in {text}");
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                let names = ["HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"];
                assert!(names.contains(&fault.variable.as_str()), "{fault}");
                let text = fault.to_string();
                assert!(!leaks(&text) && !text.contains(char::is_control), "{text}");
            }
        }
    }
}
