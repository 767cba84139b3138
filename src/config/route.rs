//! Reads and checks the values of one route.

use super::{ConfigError, Values, list, pattern, value};
use crate::channel::Endpoint;
use crate::channel::dingtalk::{self, Secret, Variables, Webhook};
use crate::event::Level;
use crate::message::{AccountNames, Console, Language, MAX_MENTIONS, Mentions, RenderOptions};
use crate::route::{Filter, Pattern, QuietHours, Route};
use crate::schedule::{DailyTime, Lead, Schedule};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Messages a minute if `DINGTALK_RATE_LIMIT` is not set: DingTalk's 20 with a reserve.
const DEFAULT_RATE_LIMIT: u32 = 18;
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

/// A webhook and the secrets that sign its requests.
type Chatbot = (Webhook, Vec<Secret>);

/// Reads one route's values and collects their faults.
pub(super) struct Reader<'a> {
    pub suffix: &'a str,
    pub values: &'a Values,
    pub faults: &'a mut Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    /// Reads the route. Returns `None` if its chatbot is missing or not valid.
    pub(super) fn route(mut self, inherited: &MessageFormat, function: Function) -> Option<Route> {
        let (primary, fallback) = self.chatbots();
        // Both chatbots are of the same group and share its keyword.
        let keyword = self.value("DINGTALK_KEYWORD", value::keyword);
        let mentions = self.mentions();
        let mention_levels = self.levels("DINGTALK_AT_LEVELS", &[Level::Critical]);
        let mention_tag = self.value("DINGTALK_AT_TAG", value::tag_key);
        let rate_limit = self.value("DINGTALK_RATE_LIMIT", value::rate_limit);
        if !function.looks_up {
            self.needs_lookup(&[
                "DINGTALK_AT_TAG",
                "EVENT_TAGS",
                "EVENT_TAGS_EXCLUDE",
                "MESSAGE_TAGS",
            ]);
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
        let endpoint = |(webhook, secrets), is_fallback| {
            Endpoint::DingTalk(dingtalk::Endpoint {
                webhook,
                secrets,
                keyword: keyword.clone(),
                rate_limit: rate_limit.unwrap_or(DEFAULT_RATE_LIMIT),
                variables: Variables::new(self.suffix, is_fallback),
            })
        };
        let name = self.suffix.strip_prefix("__");
        Some(Route {
            name: name.map_or("default".to_owned(), str::to_ascii_lowercase),
            suffix: self.suffix.to_owned(),
            filter,
            schedule,
            endpoint: endpoint(primary?, false),
            fallback: fallback.map(|fallback| endpoint(fallback, true)),
            render_options: RenderOptions {
                language: own.language.or(inherited.language).unwrap_or(Language::Zh),
                zone,
                mentions,
                mention_levels,
                mention_tag,
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

    /// Reads the group's chatbot and the fallback, if there is one.
    fn chatbots(&mut self) -> (Option<Chatbot>, Option<Chatbot>) {
        let primary = self.chatbot("DINGTALK_WEBHOOK", "DINGTALK_SECRET");
        if self.get("DINGTALK_WEBHOOK").is_none() {
            self.fault("DINGTALK_WEBHOOK", "is not set, but other variables of this route are; set it to the webhook address that DingTalk showed when the chatbot was created (https://oapi.dingtalk.com/robot/send?access_token=…)");
        }
        let fallback = self.chatbot("DINGTALK_FALLBACK_WEBHOOK", "DINGTALK_FALLBACK_SECRET");
        if self.get("DINGTALK_FALLBACK_WEBHOOK").is_none()
            && self.get("DINGTALK_FALLBACK_SECRET").is_some()
        {
            self.fault(
                "DINGTALK_FALLBACK_SECRET",
                format!(
                    "is set without DINGTALK_FALLBACK_WEBHOOK{}; set both or neither",
                    self.suffix
                ),
            );
        }
        if let (Some((webhook, _)), Some((fallback, _))) = (&primary, &fallback)
            && webhook.rate_limit_key() == fallback.rate_limit_key()
        {
            self.fault("DINGTALK_FALLBACK_WEBHOOK", "is the same chatbot as DINGTALK_WEBHOOK; create a second chatbot in the group and write its webhook here, or unset it");
        }
        (primary, fallback)
    }

    fn chatbot(&mut self, webhook: &str, secret: &str) -> Option<Chatbot> {
        let secrets = self.secrets(secret);
        let webhook = self.value(webhook, Webhook::parse)?;
        if secrets.iter().any(|secret| webhook.has_token(secret)) {
            self.fault(secret, "is the webhook's access_token; write the secret (SEC…) that the chatbot's security settings show beside \"Sign\"");
        }
        Some((webhook, secrets))
    }

    fn secrets(&mut self, name: &str) -> Vec<Secret> {
        let secrets = self.list(name, "secret", Secret::parse);
        if secrets.len() > 2 {
            self.fault(name, format!("holds {} secrets; write one, or two separated by a comma while the secret is being rotated", secrets.len()));
        }
        secrets
    }

    fn mentions(&mut self) -> Mentions {
        let suffix = self.suffix;
        let mobile = |text: &str| value::mobile(text, suffix);
        let user_id = |text: &str| value::user_id(text, suffix);
        let mobiles = self.list("DINGTALK_AT_MOBILES", "mobile number", mobile);
        let user_ids = self.list("DINGTALK_AT_USER_IDS", "user id", user_id);
        let (mobiles, user_ids) = (unique(mobiles), unique(user_ids));
        let count = mobiles.len() + user_ids.len();
        if count > MAX_MENTIONS {
            let variable = match mobiles.as_slice() {
                [] => "DINGTALK_AT_USER_IDS",
                _ => "DINGTALK_AT_MOBILES",
            };
            self.fault(variable, format!("{count} people are to be mentioned (mobiles and user ids together); DingTalk mentions at most {MAX_MENTIONS}, or use DINGTALK_AT_ALL{}", self.suffix));
        }
        let all = self.value("DINGTALK_AT_ALL", value::boolean);
        Mentions {
            mobiles,
            user_ids,
            all: all.unwrap_or(false),
        }
    }

    /// Reads levels, or `none` for an empty list.
    fn levels(&mut self, name: &str, default: &[Level]) -> Vec<Level> {
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

    fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(String::as_str)
    }

    fn fault(&mut self, name: &str, problem: impl Into<String>) {
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
