//! The form "Configure": environment variables, read by the function's own configuration code and
//! written as the lines of an `.env`.

use crate::chats::{Groups, facts};
use ecs_dingtalk_notifier::channel::{Chat, Endpoint};
use ecs_dingtalk_notifier::config::{Config, ConfigError, KNOWN};
use fake_aliyun::Cloud;
use fake_dingtalk::Robot;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The chatbot's keyword if the form names none. Every message holds it.
const KEYWORD: &str = "CloudMonitor";

/// The content of the form.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The group's chat.
    pub chat: Chat,
    /// Values by name, as typed. Blank values count as unset. Those of other chats are kept.
    vars: BTreeMap<String, String>,
    /// The chatbot requires signatures.
    pub signing: bool,
    /// A second chatbot is the fallback.
    fallback: bool,
    /// More variables, as lines of an `.env`.
    more: String,
}

/// Why settings are refused.
#[derive(Debug)]
pub enum Problem {
    /// The errors that `check` would report.
    Faults(Vec<ConfigError>),
    /// A limit of the playground.
    Playground(String),
}

impl Settings {
    /// Returns the initial settings for a chat, with what the environment sets of `EVENT_*`,
    /// `MESSAGE_*` and the chats' `…_AT_*`.
    pub fn from_environment(chat: Chat) -> Settings {
        let initial = [
            ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
            ("MESSAGE_TAGS", "team,env"),
            ("MESSAGE_DIGEST_AT", "09:00"),
            ("MESSAGE_REMIND_BEFORE", "24h,1h"),
            ("MESSAGE_HEARTBEAT_AT", "09:00"),
            // The tags of the fleet have numbers and ids of DingTalk's.
            ("DINGTALK_AT_TAG", "owner"),
            ("LARK_AT_USER_IDS", facts(Chat::Lark).user_ids[0]),
            ("WECOM_AT_USER_IDS", facts(Chat::WeCom).user_ids[1]),
            ("SLACK_AT_USER_IDS", facts(Chat::Slack).user_ids[0]),
            ("RESOURCE_REGIONS", "cn-hangzhou,cn-shanghai"),
        ];
        let initial = initial.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut vars = BTreeMap::from(initial);
        let of_mentions = Chat::ALL.map(|chat| format!("{}AT_", chat.prefix()));
        let prefixes = ["EVENT_", "MESSAGE_"].into_iter();
        let prefixes: Vec<&str> = prefixes
            .chain(of_mentions.iter().map(String::as_str))
            .collect();
        let is_taken = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        vars.extend(std::env::vars().filter(|(name, _)| is_taken(name)));
        Settings {
            chat,
            vars,
            signing: true,
            fallback: false,
            more: String::new(),
        }
    }

    /// Returns the same settings for another chat.
    pub fn in_chat(&self, chat: Chat) -> Settings {
        Settings {
            chat,
            ..self.clone()
        }
    }

    /// Reads what the page's form sends, for the chat of the group.
    pub fn from_json(form: &Value, chat: Chat) -> Settings {
        let vars = form["vars"].as_object().into_iter().flatten();
        Settings {
            chat,
            vars: vars
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            signing: form["signing"] == true,
            fallback: form["fallback"] == true,
            more: form["more"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Returns what the page's form shows.
    pub fn to_json(&self) -> Value {
        json!({
            "vars": self.vars, "signing": self.signing, "fallback": self.fallback, "more": self.more,
        })
    }

    /// Returns the function's configuration from these variables.
    ///
    /// # Errors
    /// Every error of the configuration, or a chatbot or an API outside this playground.
    pub fn config(&self, groups: &Groups, cloud: &Cloud) -> Result<Config, Problem> {
        let mut vars = self.vars.clone();
        vars.retain(|name, _| self.is_own(name));
        let mut set = |name: &str, value: &str| vars.insert(name.to_owned(), value.to_owned());
        let prefix = self.chat.prefix();
        let [webhook, fallback] = groups.webhooks(self.chat);
        set(&format!("{prefix}WEBHOOK"), &webhook);
        set("RESOURCE_ENDPOINT", &cloud.endpoint());
        set("RESOURCE_STS_ENDPOINT", &cloud.endpoint());
        if let Some(secret) = self.secret() {
            set(&format!("{prefix}SECRET"), secret);
        }
        if self.fallback {
            set(&format!("{prefix}FALLBACK_WEBHOOK"), &fallback);
        }
        vars.extend(lines(&self.more).map_err(Problem::Playground)?);
        let config = Config::from_vars(vars).map_err(Problem::Faults)?;
        // A further route may lead to another chat.
        let here = Chat::ALL.map(|chat| format!("http://{}/", groups.addr(chat)));
        let endpoints = config
            .routes
            .iter()
            .flat_map(|route| [Some(&route.endpoint), route.fallback.as_ref()]);
        for endpoint in endpoints.flatten() {
            let address = match endpoint {
                Endpoint::DingTalk(endpoint) => endpoint.webhook.masked(),
                Endpoint::Lark(endpoint) => endpoint.webhook.masked(),
                Endpoint::WeCom(endpoint) => endpoint.webhook.masked(),
                Endpoint::Slack(endpoint) => endpoint.webhook.masked(),
            };
            if !here.iter().any(|own| address.starts_with(own)) {
                let own = format!("http://{}/", groups.addr(self.chat));
                return Err(Problem::Playground(format!(
                    "{address} is not in this group: the playground sends to {own} only; deploy the function, or use its command `send`, for another one"
                )));
            }
        }
        let asked = config.resources.iter().flat_map(|own| [&own.ecs, &own.sts]);
        for endpoint in asked.map(ToString::to_string) {
            if endpoint != cloud.endpoint() {
                return Err(Problem::Playground(format!(
                    "{endpoint} is not this playground's API, which is at {}: leave RESOURCE_ENDPOINT and RESOURCE_STS_ENDPOINT away",
                    cloud.endpoint()
                )));
            }
        }
        Ok(config)
    }

    /// Returns true for a variable that is not of another chat.
    fn is_own(&self, name: &str) -> bool {
        let mut others = Chat::ALL.into_iter().filter(|chat| *chat != self.chat);
        !others.any(|chat| name.starts_with(chat.prefix()))
    }

    /// Returns the signing secret; `None` if the chatbot requires no signatures.
    pub fn secret(&self) -> Option<&'static str> {
        facts(self.chat).secret.filter(|_| self.signing)
    }

    fn keyword(&self) -> String {
        let name = format!("{}KEYWORD", self.chat.prefix());
        let keyword = self.vars.get(&name).map(|text| text.trim());
        let keyword = keyword.filter(|text| !text.is_empty());
        keyword.unwrap_or(KEYWORD).to_owned()
    }

    /// Returns DingTalk's chatbots that fit these settings: main and fallback.
    pub fn dingtalk_robots(&self) -> [Robot; 2] {
        let facts = facts(Chat::DingTalk);
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        facts.tokens.map(|token| Robot {
            secret: (self.secret().filter(|_| token == facts.tokens[0])).map(str::to_owned),
            keywords: vec![self.keyword()],
            mobiles: owned(facts.mobiles),
            user_ids: owned(facts.user_ids),
            ..Robot::new(token)
        })
    }

    /// Returns another chat's chatbots that fit these settings: main and fallback.
    pub fn other_robots(&self) -> [fake_chats::Robot; 2] {
        let facts = facts(self.chat);
        let members = facts.mobiles.iter().chain(facts.user_ids);
        facts.tokens.map(|token| fake_chats::Robot {
            secret: (self.secret().filter(|_| token == facts.tokens[0])).map(str::to_owned),
            keywords: vec![self.keyword()],
            members: members.clone().map(|id| (*id).to_owned()).collect(),
            ..fake_chats::Robot::new(token)
        })
    }

    /// Returns the lines for an `.env`. Token and secret of a real chatbot are left to the user.
    pub fn dot_env(&self) -> String {
        let (prefix, facts) = (self.chat.prefix(), facts(self.chat));
        let mut text = format!("{prefix}WEBHOOK='{}'\n", facts.webhook);
        if self.secret().is_some() {
            text.push_str(&format!("{prefix}SECRET='{}'\n", facts.secret_start));
        }
        if self.fallback {
            text.push_str(&format!("{prefix}FALLBACK_WEBHOOK='{}'\n", facts.webhook));
        }
        let of_form = KNOWN
            .iter()
            .filter(|name| self.is_own(name))
            .filter_map(|name| self.vars.get_key_value(*name));
        let more = lines(&self.more).unwrap_or_default();
        let more = more.iter().map(|(name, value)| (name, value));
        for (name, value) in of_form.chain(more) {
            if !value.trim().is_empty() {
                text.push_str(&format!("{name}={}\n", quoted(value.trim())));
            }
        }
        text
    }
}

/// Quotes a value so that the shell and dotenv read the same.
fn quoted(value: &str) -> String {
    if !value.contains('\'') {
        format!("'{value}'")
    } else if !value.contains(['"', '$', '`', '\\']) {
        format!("\"{value}\"")
    } else {
        "  # holds quotes of both kinds: write this one by hand".to_owned()
    }
}

/// Parses the lines of an `.env`.
fn lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!(
                "line {} of the further variables holds no =; write NAME='value'",
                index + 1
            ));
        };
        let name = name.trim().trim_start_matches("export ").trim();
        let value = value.trim();
        let bare = ['\'', '"']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        found.push((name.to_owned(), bare.unwrap_or(value).to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_lines_are_read_and_written_as_the_shell_reads_them() {
        let text = "# comment\n\nexport A='b c'\nD = \"e\"\nF=g=h\n";
        let expected = [("A", "b c"), ("D", "e"), ("F", "g=h")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(lines(text).unwrap(), expected);
        assert!(lines("A='b'\nc").unwrap_err().starts_with("line 2 "));
        assert_eq!(quoted("*:Avoided"), "'*:Avoided'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert!(quoted("it's $5").starts_with("  #"));
    }
}
