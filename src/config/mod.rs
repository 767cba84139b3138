//! Environment variables → routes; every fault at once, none of them with a secret in it.

mod network;
mod route;
mod variables;

pub use network::http_config;
pub use variables::{DEFAULT_ROUTE, KNOWN};

use crate::event::Level;
use crate::message::{Language, Mentions, RenderOptions};
use crate::route::Route;
use jiff::tz::TimeZone;
use route::Reader;
use std::collections::BTreeMap;
use std::fmt;

/// A valid configuration: at least one route.
#[derive(Debug, Clone)]
pub struct Config {
    /// The routes, `default` first, the others by name.
    pub routes: Vec<Route>,
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable, with its route's suffix.
    pub variable: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl Config {
    /// Reads the variables that concern the notifier; others are passed over.
    ///
    /// # Errors
    /// Every fault there is, in a stable order.
    pub fn from_vars<I>(vars: I) -> Result<Config, Vec<Fault>>
    where
        I: IntoIterator<Item = (String, String)>,
    {
        let mut faults = Vec::new();
        let by_route = variables::by_route(vars, &mut faults);
        let routes = routes(&by_route, &mut faults);
        if faults.is_empty() {
            Ok(Config { routes })
        } else {
            Err(faults)
        }
    }
}

/// The values of one route, by the variables' names without suffix.
type Values = BTreeMap<&'static str, String>;

fn routes(by_route: &BTreeMap<String, Values>, faults: &mut Vec<Fault>) -> Vec<Route> {
    let makes_a_route = |values: &Values| values.keys().any(|key| !key.starts_with("MESSAGE_"));
    let none = Values::new();
    let default = by_route.get(DEFAULT_ROUTE).unwrap_or(&none);
    let mut routes = Vec::new();
    for (suffix, values) in by_route {
        if makes_a_route(values) {
            routes.extend(Reader::new(suffix, values, default, faults).route());
        } else if suffix != DEFAULT_ROUTE {
            for key in values.keys() {
                faults.push(Fault {
                    variable: format!("{key}{suffix}"),
                    problem: format!(
                        "there is no route of this name; set DINGTALK_WEBHOOK{suffix} too, or mend the name behind the __"
                    ),
                });
            }
        }
    }
    if !by_route.values().any(makes_a_route) {
        faults.push(Fault {
            variable: "DINGTALK_WEBHOOK".into(),
            problem: "is not set; set it to the webhook address that DingTalk showed when the chatbot was created (https://oapi.dingtalk.com/robot/send?access_token=…)".into(),
        });
    }
    if !makes_a_route(default) {
        // The first route is not there, but what it says of messages is inherited, and checked.
        route::check_messages(default, faults);
    }
    routes
}

/// What the values of `MESSAGE_*` come to.
#[derive(Clone)]
struct MessageSettings {
    language: Language,
    zone: TimeZone,
}

impl MessageSettings {
    fn render_options(self, mentions: Mentions, mention_levels: Vec<Level>) -> RenderOptions {
        RenderOptions {
            language: self.language,
            zone: self.zone,
            mentions,
            mention_levels,
        }
    }
}

#[cfg(test)]
mod tests;
