//! Reads environment variables into routes and network settings. Reports every fault at once, none
//! of them with a secret in it.
//!
//! - `chat`, `chatbot`: what each chat has; a route's chatbots and mentions
//! - `variables`: the known variables, and which route each belongs to
//! - `route`: the values of one route
//! - `list`: lists and what separates them
//! - `pattern`, `value`: one value
//! - `resources`: how resources are looked up
//! - `network`: proxy and certificates

mod chat;
mod chatbot;
mod list;
mod network;
mod pattern;
mod resources;
mod route;
mod value;
mod variables;

pub use resources::ResourceConfig;
pub use variables::KNOWN;

use crate::http::HttpConfig;
use crate::route::Route;
use resources::resource_config;
use route::{Function, Reader};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use variables::DEFAULT_SUFFIX;

/// A valid configuration. There is at least one route.
#[derive(Debug, Clone)]
pub struct Config {
    /// The routes, `default` first, the others by name.
    pub routes: Vec<Route>,
    /// How to look resources up; `None` if nothing is to be looked up.
    pub resources: Option<ResourceConfig>,
    /// How to reach the network.
    pub http: HttpConfig,
}

/// One fault of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The variable, with its route's suffix.
    pub variable: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl ConfigError {
    fn new(variable: impl Into<String>, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            variable: variable.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    ///
    /// Every fault there is, in a stable order.
    pub fn from_env() -> Result<Config, Vec<ConfigError>> {
        let mut vars = BTreeMap::new();
        let mut unreadable = Vec::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            match value.into_string() {
                Ok(value) => _ = vars.insert(name, value),
                Err(_) if variables::is_ours(&name) => {
                    unreadable.push(ConfigError::new(name, "is not valid UTF-8; write it anew"));
                }
                Err(_) => {}
            }
        }
        unreadable.sort_by(|one, other| one.variable.cmp(&other.variable));
        Config::read(vars, unreadable)
    }

    /// Reads the variables that concern the notifier. Others are ignored.
    ///
    /// # Errors
    ///
    /// Every fault there is, in a stable order.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Vec<ConfigError>> {
        Config::read(vars.into_iter().collect(), Vec::new())
    }

    /// Takes a sorted map: the order of the environment is arbitrary.
    fn read(
        vars: BTreeMap<String, String>,
        unreadable: Vec<ConfigError>,
    ) -> Result<Config, Vec<ConfigError>> {
        let mut faults = Vec::new();
        let by_route = variables::by_route(&vars, &mut faults);
        // Function Compute tells it to every function.
        let own_account = vars.get("FC_ACCOUNT_ID").map(|id| id.trim());
        let resources = resource_config(&mut Reader {
            suffix: DEFAULT_SUFFIX,
            values: by_route.get(DEFAULT_SUFFIX).unwrap_or(&Values::new()),
            faults: &mut faults,
        });
        let function = Function {
            account: own_account.filter(|id| !id.is_empty()),
            looks_up: resources.is_some(),
        };
        let routes = routes(&by_route, function, &mut faults);
        let asks = |route: &Route| route.schedule.needs_maintenance();
        if resources.is_none() && routes.iter().any(asks) {
            let problem = "is off, but MESSAGE_DIGEST_AT and MESSAGE_REMIND_BEFORE need the ECS API; set this to auto, or unset those";
            faults.push(ConfigError::new("RESOURCE_LOOKUP", problem));
        }
        let http = network::http_config(&vars, &mut faults);
        faults.extend(unreadable);
        if faults.is_empty() {
            Ok(Config {
                routes,
                resources,
                http,
            })
        } else {
            Err(faults)
        }
    }
}

/// The values of one route, by the variables' names without suffix.
type Values = BTreeMap<&'static str, String>;

fn routes(
    by_route: &BTreeMap<String, Values>,
    function: Function,
    faults: &mut Vec<ConfigError>,
) -> Vec<Route> {
    let makes_a_route = |values: &Values| {
        let mut names = values.keys();
        names.any(|name| chat::split(name).is_some() || name.starts_with("EVENT_"))
    };
    let none = Values::new();
    let default = by_route.get(DEFAULT_SUFFIX).unwrap_or(&none);
    let mut inherited_faults = Vec::new();
    let mut reader = Reader {
        suffix: DEFAULT_SUFFIX,
        values: default,
        faults: &mut inherited_faults,
    };
    let inherited = reader.message_format();
    let mut routes = Vec::new();
    for (suffix, values) in by_route {
        if makes_a_route(values) {
            let reader = Reader {
                suffix,
                values,
                faults,
            };
            routes.extend(reader.route(&inherited, function));
        } else if suffix != DEFAULT_SUFFIX {
            faults.extend(values.keys().map(|key| {
                let problem = format!(
                    "there is no route of this name; set DINGTALK_WEBHOOK{suffix} too, or mend the name behind the __"
                );
                ConfigError::new(format!("{key}{suffix}"), problem)
            }));
        }
    }
    if !by_route.values().any(makes_a_route) {
        let problem = "is not set; set it to the webhook address that DingTalk showed when the chatbot was created (https://oapi.dingtalk.com/robot/send?access_token=…), or set LARK_WEBHOOK, WECOM_WEBHOOK or SLACK_WEBHOOK instead";
        faults.push(ConfigError::new("DINGTALK_WEBHOOK", problem));
    }
    if !makes_a_route(default) {
        // Only the route `default` would have reported them.
        faults.extend(inherited_faults);
    }
    routes
}

#[cfg(test)]
mod tests;
