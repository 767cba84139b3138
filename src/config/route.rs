//! Reads and checks the values of one route.

use super::{ConfigError, Values, list, pattern, value};
use crate::event::Level;
use crate::message::{AccountNames, Console, Language, RenderOptions};
use crate::route::{Filter, Pattern, QuietHours, Route};
use crate::schedule::{DailyTime, Lead, Schedule};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// The time zone if neither the route nor `default` sets one.
const DEFAULT_ZONE: &str = "Asia/Shanghai";
/// The levels that keep quiet in quiet hours if `EVENT_QUIET_LEVELS` is not set.
const DEFAULT_QUIET_LEVELS: [Level; 2] = [Level::Warn, Level::Info];

/// The look of messages, as far as it is set: `MESSAGE_*`.
#[derive(Default)]
pub(super) struct MessageFormat {
    language: Option<Language>,
    zone: Option<TimeZone>,
    tags: Option<Vec<String>>,
    accounts: Option<BTreeMap<String, String>>,
    console: Option<Console>,
    digest_at: Option<Vec<DailyTime>>,
    heartbeat_at: Option<Vec<DailyTime>>,
    remind_before: Option<Vec<Lead>>,
}

/// What the routes need to know of the function.
#[derive(Clone, Copy)]
pub(super) struct Function<'a> {
    /// The account that it runs in, where it is known.
    pub account: Option<&'a str>,
    /// It looks resources up.
    pub looks_up: bool,
}

/// Reads one route's values and collects their faults.
pub(super) struct Reader<'a> {
    pub suffix: &'a str,
    pub values: &'a Values,
    pub faults: &'a mut Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    /// Reads the route. Returns `None` if its chatbot is missing or not valid.
    pub(super) fn route(mut self, inherited: &MessageFormat, function: Function) -> Option<Route> {
        let chat_config = self.chat_config();
        if !function.looks_up {
            let at_tag = format!("{}AT_TAG", chat_config.chat.prefix());
            self.needs_lookup(&[&at_tag, "EVENT_TAGS", "EVENT_TAGS_EXCLUDE", "MESSAGE_TAGS"]);
        }
        let own = self.message_format();
        let default_zone = || value::zone(DEFAULT_ZONE).expect("the zones are compiled in");
        let zone = own.zone.or_else(|| inherited.zone.clone());
        let zone = zone.unwrap_or_else(default_zone);
        let filter = Filter {
            levels: self.levels("EVENT_LEVELS", &[Level::Critical, Level::Warn]),
            include: self.patterns("EVENT_INCLUDE", pattern::name),
            exclude: self.exclude(),
            accounts: self.patterns("EVENT_ACCOUNTS", pattern::account),
            regions: self.patterns("EVENT_REGIONS", pattern::region),
            resources: self.patterns("EVENT_RESOURCES", pattern::resource),
            resources_exclude: self.patterns("EVENT_RESOURCES_EXCLUDE", pattern::resource),
            tags: self.patterns("EVENT_TAGS", pattern::tag),
            tags_exclude: self.patterns("EVENT_TAGS_EXCLUDE", pattern::tag),
            quiet_hours: self.quiet_hours(&zone),
        };
        let schedule = Schedule {
            digest_at: inherit(own.digest_at, &inherited.digest_at),
            heartbeat_at: inherit(own.heartbeat_at, &inherited.heartbeat_at),
            remind_before: inherit(own.remind_before, &inherited.remind_before),
            zone: zone.clone(),
        };
        let names = own.accounts.or_else(|| inherited.accounts.clone());
        let name = self.suffix.strip_prefix("__");
        Some(Route {
            name: name.map_or("default".to_owned(), str::to_ascii_lowercase),
            suffix: self.suffix.to_owned(),
            filter,
            schedule,
            endpoint: chat_config.primary?,
            fallback: chat_config.fallback,
            render_options: RenderOptions {
                language: own.language.or(inherited.language).unwrap_or(Language::Zh),
                zone,
                mentions: chat_config.mentions,
                mention_levels: chat_config.mention_levels,
                mention_tag: chat_config.mention_tag,
                mentionable: chat_config.mentionable,
                tags: inherit(own.tags, &inherited.tags),
                accounts: AccountNames {
                    own: function.account.map(str::to_owned),
                    names: names.unwrap_or_default(),
                },
                console: own.console.or(inherited.console).unwrap_or_default(),
                tells_lateness: false,
            },
        })
    }

    /// Reads `MESSAGE_*`, which further routes inherit from the route `default`.
    pub(super) fn message_format(&mut self) -> MessageFormat {
        MessageFormat {
            language: self.value("MESSAGE_LANGUAGE", value::language),
            zone: self.value("MESSAGE_TIME_ZONE", value::zone),
            tags: self.tag_keys(),
            accounts: self.account_names(),
            console: self.value("MESSAGE_CONSOLE", value::console),
            digest_at: self.due("MESSAGE_DIGEST_AT", "time", value::daily_time),
            heartbeat_at: self.due("MESSAGE_HEARTBEAT_AT", "time", value::daily_time),
            remind_before: self.due("MESSAGE_REMIND_BEFORE", "time", value::lead),
        }
    }

    /// Reads levels, or `none` for an empty list.
    pub(super) fn levels(&mut self, name: &str, default: &[Level]) -> Vec<Level> {
        match self.get(name) {
            None => default.to_vec(),
            Some(text) if text.trim_matches(',').eq_ignore_ascii_case("none") => Vec::new(),
            Some(_) => {
                let or_none = |problem| format!("{problem}, or none alone");
                unique(self.list(name, "level", |text| value::level(text).map_err(or_none)))
            }
        }
    }

    /// Reads `EVENT_EXCLUDE`. A list that leaves no event is a fault.
    fn exclude(&mut self) -> Vec<Pattern> {
        let patterns = self.patterns("EVENT_EXCLUDE", pattern::name);
        if pattern::match_every_name(&patterns) {
            self.fault("EVENT_EXCLUDE", "excludes every event; leave out patterns such as *, or unset the route's variables if it is to send nothing");
        }
        patterns
    }

    fn quiet_hours(&mut self, zone: &TimeZone) -> Option<QuietHours> {
        const HOURS: &str = "EVENT_QUIET_HOURS";
        const LEVELS: &str = "EVENT_QUIET_LEVELS";
        let levels = self.list(LEVELS, "level", value::level);
        if self.get(HOURS).is_none() && self.get(LEVELS).is_some() {
            let problem = format!("is set without {HOURS}{}; set both or neither", self.suffix);
            self.fault(LEVELS, problem);
        }
        Some(QuietHours {
            span: self.value(HOURS, value::day_span)?,
            zone: zone.clone(),
            levels: match self.get(LEVELS) {
                None => DEFAULT_QUIET_LEVELS.to_vec(),
                Some(_) => unique(levels),
            },
        })
    }

    /// Reads when something is due. `none` is an empty list: a further route would inherit
    /// otherwise.
    fn due<T: PartialEq>(
        &mut self,
        name: &str,
        kind: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        if self.get(name)?.eq_ignore_ascii_case("none") {
            return Some(Vec::new());
        }
        Some(unique(self.list(name, kind, parse)))
    }

    /// Reads the keys of tags that are shown.
    fn tag_keys(&mut self) -> Option<Vec<String>> {
        const NAME: &str = "MESSAGE_TAGS";
        self.get(NAME)?;
        Some(unique(self.list(NAME, "tag", value::tag_key)))
    }

    /// Reports the variables that do nothing because nothing is looked up.
    fn needs_lookup(&mut self, names: &[&str]) {
        for name in names.iter().filter(|name| self.values.contains_key(**name)) {
            self.fault(name, "needs look-ups of resources, but RESOURCE_LOOKUP is off; set that to auto, or unset this");
        }
    }

    /// Reads the names of accounts, by their ids.
    fn account_names(&mut self) -> Option<BTreeMap<String, String>> {
        const NAME: &str = "MESSAGE_ACCOUNTS";
        self.get(NAME)?;
        let mut names = BTreeMap::new();
        for (id, name) in self.list(NAME, "account", value::account_name) {
            if names.insert(id.clone(), name).is_some() {
                self.fault(
                    NAME,
                    format!("names the account {id} twice; write each once"),
                );
            }
        }
        Some(names)
    }

    fn patterns(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<Pattern, String>,
    ) -> Vec<Pattern> {
        self.list(name, "pattern", parse)
    }

    /// Parses a value. Returns `None` if it is not set, or not valid: then the fault is collected.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(name, problem);
                None
            }
        }
    }

    /// Parses each value of a list and collects faults. One without any value is a fault: it would
    /// silently be the default. `kind` says what a value is.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        kind: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(text) = self.get(name) else {
            return Vec::new();
        };
        let parts = match list::split(text) {
            Ok(parts) if parts.is_empty() => Err(format!(
                "holds commas but no {kind}; write one, several separated by commas, or unset it"
            )),
            other => other,
        };
        let parsed = parts.map(|parts| parts.into_iter().map(parse).collect::<Vec<_>>());
        let mut values = Vec::new();
        for value in parsed.unwrap_or_else(|problem| vec![Err(problem)]) {
            match value {
                Ok(value) => values.push(value),
                Err(problem) => self.fault(name, problem),
            }
        }
        values
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn fault(&mut self, name: &str, problem: impl Into<String>) {
        let variable = format!("{name}{}", self.suffix);
        self.faults.push(ConfigError::new(variable, problem));
    }
}

/// Returns a route's own list, or that of the route `default` if it has none.
fn inherit<T: Clone>(own: Option<Vec<T>>, inherited: &Option<Vec<T>>) -> Vec<T> {
    own.or_else(|| inherited.clone()).unwrap_or_default()
}

pub(super) fn unique<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut unique = Vec::new();
    for item in list {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}
