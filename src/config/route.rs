//! The values of one route, read and checked.

use super::{ConfigError, Values};
use crate::channel::Endpoint;
use crate::channel::dingtalk::{self, Secret, Variables, Webhook};
use crate::event::Level;
use crate::message::{Language, Mentions, RenderOptions};
use crate::route::{Filter, Pattern, Route};
use jiff::tz::TimeZone;

/// Most people that DingTalk mentions in one message, mobiles and user ids together.
const MAX_MENTIONS: usize = 50;
/// Longest mobile number or user id, in bytes: keeps 50 mentions well inside a message. For the same reason no character
/// of one may need an escape in JSON.
const MAX_MENTION_BYTES: usize = 64;
/// Longest keyword, in bytes.
const MAX_KEYWORD_BYTES: usize = 200;

/// Reads one route's values and collects what is wrong with them.
pub(super) struct Reader<'a> {
    suffix: &'a str,
    values: &'a Values,
    default: &'a Values,
    faults: &'a mut Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        suffix: &'a str,
        values: &'a Values,
        default: &'a Values,
        faults: &'a mut Vec<ConfigError>,
    ) -> Self {
        Reader {
            suffix,
            values,
            default,
            faults,
        }
    }

    /// The route, or `None` where its chatbot could not be read; its faults are collected.
    pub(super) fn route(mut self) -> Option<Route> {
        let primary = self.chatbot("DINGTALK_WEBHOOK", "DINGTALK_SECRET", true);
        let fallback = self.chatbot(
            "DINGTALK_FALLBACK_WEBHOOK",
            "DINGTALK_FALLBACK_SECRET",
            false,
        );
        if let (Some((webhook, _)), Some((fallback, _))) = (&primary, &fallback)
            && webhook.rate_limit_key() == fallback.rate_limit_key()
        {
            self.fault(
                "DINGTALK_FALLBACK_WEBHOOK",
                "is the same chatbot as DINGTALK_WEBHOOK; create a second chatbot in the group and write its webhook here, or unset it",
            );
        }
        let keyword = self.keyword();
        let mentions = self.mentions();
        let mention_levels = self.levels("DINGTALK_AT_LEVELS", &[Level::Critical]);
        let rate_limit = self.rate_limit();
        let filter = self.filter();
        let (language, zone) = self.language_and_zone();
        let endpoint = |(webhook, secrets), is_fallback| {
            Endpoint::DingTalk(dingtalk::Endpoint {
                webhook,
                secrets,
                // Both chatbots are of the same group and share its keyword.
                keyword: keyword.clone(),
                rate_limit,
                variables: Variables::new(self.suffix, is_fallback),
            })
        };
        Some(Route {
            name: match self.suffix.strip_prefix("__") {
                Some(name) => name.to_ascii_lowercase(),
                None => "default".to_owned(),
            },
            suffix: self.suffix.to_owned(),
            filter,
            endpoint: endpoint(primary?, false),
            fallback: fallback.map(|fallback| endpoint(fallback, true)),
            render_options: RenderOptions {
                language,
                zone,
                mentions,
                mention_levels,
            },
        })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(String::as_str)
    }

    fn fault(&mut self, name: &str, problem: impl Into<String>) {
        self.faults.push(ConfigError {
            variable: format!("{name}{}", self.suffix),
            problem: problem.into(),
        });
    }

    /// Reads a chatbot's webhook and secrets.
    fn chatbot(
        &mut self,
        webhook: &str,
        secret: &str,
        required: bool,
    ) -> Option<(Webhook, Vec<Secret>)> {
        let secrets = self.secrets(secret);
        let Some(address) = self.get(webhook) else {
            if required {
                self.fault(
                    webhook,
                    "is not set, but other variables of this route are; set it to the webhook address that DingTalk showed when the chatbot was created (https://oapi.dingtalk.com/robot/send?access_token=…)",
                );
            } else if self.get(secret).is_some() {
                self.fault(
                    secret,
                    format!(
                        "is set without {webhook}{}; set both or neither",
                        self.suffix
                    ),
                );
            }
            return None;
        };
        match Webhook::parse(address) {
            Ok(webhook) => Some((webhook, secrets)),
            Err(problem) => {
                self.fault(webhook, problem);
                None
            }
        }
    }

    fn secrets(&mut self, name: &str) -> Vec<Secret> {
        let texts: Vec<&str> = self.list(name);
        if texts.len() > 2 {
            self.fault(
                name,
                format!(
                    "holds {} secrets; write one, or two separated by a comma while the secret is being rotated",
                    texts.len()
                ),
            );
            return Vec::new();
        }
        let mut secrets = Vec::new();
        for text in texts {
            match Secret::parse(text) {
                Ok(secret) => secrets.push(secret),
                Err(problem) => self.fault(name, problem),
            }
        }
        if secrets.is_empty() && self.get(name).is_some_and(|text| text.contains(',')) {
            self.fault(
                name,
                "holds commas but no secret; write the secret that begins with SEC",
            );
        }
        secrets
    }

    fn keyword(&mut self) -> Option<String> {
        let keyword = self.get("DINGTALK_KEYWORD")?;
        if keyword.len() > MAX_KEYWORD_BYTES || keyword.chars().any(char::is_control) {
            self.fault(
                "DINGTALK_KEYWORD",
                format!("must be one line of at most {MAX_KEYWORD_BYTES} bytes; write one of the keywords in the chatbot's security settings"),
            );
            return None;
        }
        Some(keyword.to_owned())
    }

    fn mentions(&mut self) -> Mentions {
        let mobiles = self.people("DINGTALK_AT_MOBILES");
        let user_ids = self.people("DINGTALK_AT_USER_IDS");
        if mobiles.len() + user_ids.len() > MAX_MENTIONS {
            let variable = if mobiles.is_empty() {
                "DINGTALK_AT_USER_IDS"
            } else {
                "DINGTALK_AT_MOBILES"
            };
            self.fault(
                variable,
                format!(
                    "{} people are to be mentioned (mobiles and user ids together); DingTalk mentions at most {MAX_MENTIONS}, or use DINGTALK_AT_ALL{}",
                    mobiles.len() + user_ids.len(),
                    self.suffix
                ),
            );
        }
        let all = match self
            .get("DINGTALK_AT_ALL")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.fault(
                    "DINGTALK_AT_ALL",
                    format!("is {}; write true or false", quote(other)),
                );
                false
            }
        };
        Mentions {
            mobiles,
            user_ids,
            all,
        }
    }

    fn people(&mut self, name: &str) -> Vec<String> {
        let mut people: Vec<String> = Vec::new();
        for person in self.list(name) {
            let odd = person.starts_with('@')
                || person.len() > MAX_MENTION_BYTES
                || person.contains(['"', '\\'])
                || person.chars().any(|c| c.is_whitespace() || c.is_control());
            if odd {
                self.fault(
                    name,
                    format!("{} is no number or id; write it without @, blanks and quotation marks, at most {MAX_MENTION_BYTES} bytes, several separated by commas", quote(person)),
                );
            } else if !people.iter().any(|known| known == person) {
                people.push(person.to_owned());
            }
        }
        people
    }

    fn rate_limit(&mut self) -> u32 {
        const DEFAULT: u32 = 18;
        let Some(text) = self.get("DINGTALK_RATE_LIMIT") else {
            return DEFAULT;
        };
        match text.parse() {
            Ok(limit @ 3..=20) if !text.starts_with('+') => limit,
            _ => {
                self.fault(
                    "DINGTALK_RATE_LIMIT",
                    format!(
                        "is {}; write a whole number of messages a minute from 3 to 20",
                        quote(text)
                    ),
                );
                DEFAULT
            }
        }
    }

    fn filter(&mut self) -> Filter {
        Filter {
            levels: self.levels("EVENT_LEVELS", &[Level::Critical, Level::Warn]),
            include: self.patterns("EVENT_INCLUDE"),
            exclude: self.patterns("EVENT_EXCLUDE"),
            regions: self.patterns("EVENT_REGIONS"),
            resources: self.patterns("EVENT_RESOURCES"),
            resources_exclude: self.patterns("EVENT_RESOURCES_EXCLUDE"),
        }
    }

    /// Levels, or `none`; an empty list is `none`.
    fn levels(&mut self, name: &str, default: &[Level]) -> Vec<Level> {
        let texts = self.list(name);
        if self.get(name).is_none() {
            return default.to_vec();
        }
        if let [only] = texts.as_slice()
            && only.eq_ignore_ascii_case("none")
        {
            return Vec::new();
        }
        let mut levels = Vec::new();
        for text in &texts {
            match Level::parse(text) {
                Some(level) if levels.contains(&level) => {}
                Some(level) => levels.push(level),
                None => self.fault(
                    name,
                    format!("{} is no level; write CRITICAL, WARN, INFO, several separated by commas, or none alone", quote(text)),
                ),
            }
        }
        if texts.is_empty() {
            self.fault(
                name,
                "holds commas but no level; write CRITICAL, WARN, INFO or none",
            );
        }
        levels
    }

    fn patterns(&mut self, name: &str) -> Vec<Pattern> {
        let patterns: Vec<Pattern> = self.list(name).into_iter().map(Pattern::new).collect();
        if patterns.is_empty() && self.get(name).is_some() {
            self.fault(name, "holds commas but no pattern; write patterns such as Disk:* separated by commas, or unset it");
        }
        patterns
    }

    /// The parts between commas, blanks around them and empty parts left away.
    fn list(&self, name: &str) -> Vec<&'a str> {
        self.get(name)
            .into_iter()
            .flat_map(|text| text.split([',', '，']))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// `MESSAGE_*`: the route's own, else the first route's, else the default.
    fn language_and_zone(&mut self) -> (Language, TimeZone) {
        let own = |name: &str| self.values.get(name);
        let inherited = |name: &str| own(name).or_else(|| self.default.get(name));
        let (language, zone) = (
            inherited("MESSAGE_LANGUAGE"),
            inherited("MESSAGE_TIME_ZONE"),
        );
        // A fault in an inherited value is the first route's, and told there.
        let language = match language.map(|text| read_language(text)) {
            None => Language::Zh,
            Some(Ok(language)) => language,
            Some(Err(problem)) => {
                if self.is_owner("MESSAGE_LANGUAGE") {
                    self.fault("MESSAGE_LANGUAGE", problem);
                }
                Language::Zh
            }
        };
        let zone = match read_zone(zone.map_or("Asia/Shanghai", String::as_str)) {
            Ok(zone) => zone,
            Err(problem) => {
                if self.is_owner("MESSAGE_TIME_ZONE") {
                    self.fault("MESSAGE_TIME_ZONE", problem);
                }
                TimeZone::UTC
            }
        };
        (language, zone)
    }

    fn is_owner(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

/// Checks `MESSAGE_*` of a first route that is not there itself but is inherited from.
pub(super) fn check_messages(default: &Values, faults: &mut Vec<ConfigError>) {
    Reader::new("", default, default, faults).language_and_zone();
}

fn read_language(text: &str) -> Result<Language, String> {
    match text.to_ascii_lowercase().as_str() {
        "zh" => Ok(Language::Zh),
        "en" => Ok(Language::En),
        _ => Err(format!("is {}; write zh or en", quote(text))),
    }
}

fn read_zone(text: &str) -> Result<TimeZone, String> {
    let problem = || {
        format!(
            "{} is no time zone; write a name of the IANA database such as Asia/Shanghai, Europe/Berlin or UTC",
            quote(text)
        )
    };
    // jiff knows "Etc/Unknown" besides the names of the database.
    TimeZone::get(text)
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(problem)
}

/// A value in a fault's text; shortened, and withheld where it looks like a secret in the wrong place.
fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    if looks_like_a_secret(text) {
        return "something that looks like a secret".to_owned();
    }
    let short: String = text.chars().take(MAX_CHARS).collect();
    if short.len() < text.len() {
        format!("{short:?}…")
    } else {
        format!("{short:?}")
    }
}

/// Tokens and secrets are 64 letters and digits in a row, whatever stands before them; no right value of another
/// variable is anything like it.
fn looks_like_a_secret(text: &str) -> bool {
    const FEW: usize = 16;
    let lower = text.trim_start_matches('@').to_ascii_lowercase();
    lower.starts_with("sec")
        || lower.contains("access_token")
        || lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|run| run.len() >= FEW)
}
