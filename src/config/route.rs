//! Reads and checks the values of one route.

use super::{ConfigError, Values};
use crate::channel::Endpoint;
use crate::channel::dingtalk::{self, Secret, Variables, Webhook};
use crate::event::Level;
use crate::message::{AccountNames, Console, Language, Mentions, RenderOptions};
use crate::route::{Filter, Pattern, Route};
use jiff::tz::TimeZone;

/// DingTalk's limit of people mentioned in one message, mobiles and user ids together.
const MAX_MENTIONS: usize = 50;
/// Longest mobile number or user id, in bytes. It keeps 50 mentions well inside a message.
const MAX_MENTION_BYTES: usize = 64;
/// Longest keyword, in bytes.
const MAX_KEYWORD_BYTES: usize = 200;
/// Messages a minute if `DINGTALK_RATE_LIMIT` is not set: DingTalk's 20 with a reserve.
const DEFAULT_RATE_LIMIT: u32 = 18;
/// The time zone if neither the route nor `default` sets one.
const DEFAULT_ZONE: &str = "Asia/Shanghai";

/// Language and time zone of messages, as far as they are set.
pub(super) type MessageFormat = (Option<Language>, Option<TimeZone>);

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
    pub(super) fn route(mut self, inherited: &MessageFormat) -> Option<Route> {
        let (primary, fallback) = self.chatbots();
        // Both chatbots are of the same group and share its keyword.
        let keyword = self.value("DINGTALK_KEYWORD", parse_keyword);
        let mentions = self.mentions();
        let mention_levels = self.levels("DINGTALK_AT_LEVELS", &[Level::Critical]);
        let rate_limit = self.value("DINGTALK_RATE_LIMIT", parse_rate_limit);
        let filter = Filter {
            levels: self.levels("EVENT_LEVELS", &[Level::Critical, Level::Warn]),
            include: self.patterns("EVENT_INCLUDE"),
            exclude: self.patterns("EVENT_EXCLUDE"),
            regions: self.patterns("EVENT_REGIONS"),
            resources: self.patterns("EVENT_RESOURCES"),
            resources_exclude: self.patterns("EVENT_RESOURCES_EXCLUDE"),
        };
        let (language, zone) = self.message_format();
        let zone = zone.or_else(|| inherited.1.clone());
        let default_zone = || parse_zone(DEFAULT_ZONE).expect("the zones are compiled in");
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
            endpoint: endpoint(primary?, false),
            fallback: fallback.map(|fallback| endpoint(fallback, true)),
            render_options: RenderOptions {
                language: language.or(inherited.0).unwrap_or(Language::Zh),
                zone: zone.unwrap_or_else(default_zone),
                mentions,
                mention_levels,
                accounts: AccountNames::default(),
                console: Console::default(),
            },
        })
    }

    /// Reads `MESSAGE_*`, which further routes inherit from the route `default`.
    pub(super) fn message_format(&mut self) -> MessageFormat {
        (
            self.value("MESSAGE_LANGUAGE", parse_language),
            self.value("MESSAGE_TIME_ZONE", parse_zone),
        )
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
        Some((self.value(webhook, Webhook::parse)?, secrets))
    }

    fn secrets(&mut self, name: &str) -> Vec<Secret> {
        let count = self.parts(name).count();
        if count > 2 {
            self.fault(name, format!("holds {count} secrets; write one, or two separated by a comma while the secret is being rotated"));
            return Vec::new();
        }
        let none = "holds commas but no secret; write the secret that begins with SEC";
        self.list(name, Some(none), Secret::parse)
    }

    fn mentions(&mut self) -> Mentions {
        let mobiles = unique(self.list("DINGTALK_AT_MOBILES", None, parse_person));
        let user_ids = unique(self.list("DINGTALK_AT_USER_IDS", None, parse_person));
        let count = mobiles.len() + user_ids.len();
        if count > MAX_MENTIONS {
            let variable = match mobiles.as_slice() {
                [] => "DINGTALK_AT_USER_IDS",
                _ => "DINGTALK_AT_MOBILES",
            };
            self.fault(variable, format!("{count} people are to be mentioned (mobiles and user ids together); DingTalk mentions at most {MAX_MENTIONS}, or use DINGTALK_AT_ALL{}", self.suffix));
        }
        let all = self.value("DINGTALK_AT_ALL", parse_bool);
        Mentions {
            mobiles,
            user_ids,
            all: all.unwrap_or(false),
        }
    }

    /// Reads levels, or `none` for an empty list.
    fn levels(&mut self, name: &str, default: &[Level]) -> Vec<Level> {
        if self.get(name).is_none() {
            return default.to_vec();
        }
        if self.parts(name).map(str::to_ascii_lowercase).eq(["none"]) {
            return Vec::new();
        }
        let none = "holds commas but no level; write CRITICAL, WARN, INFO or none";
        unique(self.list(name, Some(none), parse_level))
    }

    fn patterns(&mut self, name: &str) -> Vec<Pattern> {
        let none = "holds commas but no pattern; write patterns such as Disk:* separated by commas, or unset it";
        self.list(name, Some(none), |text| Ok(Pattern::new(text)))
    }

    /// Parses a value. Returns `None` if it is not set, or not valid: then the fault is collected.
    fn value<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(self.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(name, problem);
                None
            }
        }
    }

    /// Parses each part of a list and collects faults. `if_empty` is the fault of commas alone.
    fn list<T>(
        &mut self,
        name: &str,
        if_empty: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        if let Some(problem) = if_empty
            && self.get(name).is_some()
            && self.parts(name).next().is_none()
        {
            self.fault(name, problem);
        }
        let mut list = Vec::new();
        for part in self.parts(name) {
            match parse(part) {
                Ok(value) => list.push(value),
                Err(problem) => self.fault(name, problem),
            }
        }
        list
    }

    /// Returns the parts between commas, without blanks around them and without empty parts.
    fn parts(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = self.get(name).unwrap_or_default();
        let parts = text.split([',', '，']).map(str::trim);
        parts.filter(|part| !part.is_empty())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(String::as_str)
    }

    fn fault(&mut self, name: &str, problem: impl Into<String>) {
        let variable = format!("{name}{}", self.suffix);
        self.faults.push(ConfigError::new(variable, problem));
    }
}

fn unique<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut unique = Vec::new();
    for item in list {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}

fn parse_keyword(text: &str) -> Result<String, String> {
    if text.len() > MAX_KEYWORD_BYTES || text.chars().any(char::is_control) {
        return Err(format!(
            "must be one line of at most {MAX_KEYWORD_BYTES} bytes; write one of the keywords in the chatbot's security settings"
        ));
    }
    Ok(text.to_owned())
}

fn parse_person(text: &str) -> Result<String, String> {
    // A character with an escape in JSON would take more bytes in the message than here.
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\');
    if text.starts_with('@') || text.len() > MAX_MENTION_BYTES || text.contains(is_odd) {
        return Err(format!(
            "{} is no number or id; write it without @, blanks and quotation marks, at most {MAX_MENTION_BYTES} bytes, several separated by commas",
            quote(text)
        ));
    }
    Ok(text.to_owned())
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("is {}; write true or false", quote(other))),
    }
}

fn parse_rate_limit(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(limit @ 3..=20) if !text.starts_with('+') => Ok(limit),
        _ => Err(format!(
            "is {}; write a whole number of messages a minute from 3 to 20",
            quote(text)
        )),
    }
}

fn parse_level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| {
        format!(
            "{} is no level; write CRITICAL, WARN, INFO, several separated by commas, or none alone",
            quote(text)
        )
    })
}

fn parse_language(text: &str) -> Result<Language, String> {
    match text.to_ascii_lowercase().as_str() {
        "zh" => Ok(Language::Zh),
        "en" => Ok(Language::En),
        _ => Err(format!("is {}; write zh or en", quote(text))),
    }
}

fn parse_zone(text: &str) -> Result<TimeZone, String> {
    match TimeZone::get(text) {
        // jiff knows "Etc/Unknown" besides the names of the database.
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => Err(format!(
            "{} is no time zone; write a name of the IANA database such as Asia/Shanghai, Europe/Berlin or UTC",
            quote(text)
        )),
    }
}

/// Quotes a value for a fault's text: shortened, and without what looks like a misplaced secret.
fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    if looks_like_a_secret(text) {
        return "something that looks like a secret".to_owned();
    }
    let short: String = text.chars().take(MAX_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// Returns true for tokens and secrets, which are 64 letters and digits in a row, and for parts of
/// them. No valid value of another variable has so long a run.
fn looks_like_a_secret(text: &str) -> bool {
    const LONGEST_RUN: usize = 15;
    let lower = text.trim_start_matches('@').to_ascii_lowercase();
    let mut runs = lower.split(|c: char| !c.is_ascii_alphanumeric());
    lower.starts_with("sec")
        || lower.contains("access_token")
        || runs.any(|run| run.len() > LONGEST_RUN)
}
