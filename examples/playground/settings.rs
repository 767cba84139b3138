//! The form "Configure": environment variables, read by the function's own configuration code and
//! written as the lines of an `.env`.

use ecs_dingtalk_notifier::channel::Endpoint;
use ecs_dingtalk_notifier::config::{Config, ConfigError, KNOWN};
use fake_aliyun::Cloud;
use fake_dingtalk::{Group, Robot};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The chatbot's token.
pub const TOKEN: &str = "playground0000000000000000000000000000000000000000000000000000f00d";
/// Its signing secret.
pub const SECRET: &str = "SECplayground000000000000000000000000000000000000000000000000000";
/// The token of the second chatbot.
pub const FALLBACK_TOKEN: &str =
    "playground1111111111111111111111111111111111111111111111111111f00d";
/// The chatbot's keyword if the form names none. Every message holds it.
const KEYWORD: &str = "CloudMonitor";
/// The mobile numbers of the group's members.
pub const MOBILES: [&str; 2] = ["13800000000", "13900000001"];
/// The user ids of the same members.
pub const USER_IDS: [&str; 2] = ["manager7675", "oncall01"];

/// The content of the form.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Values by name, as typed. Blank values count as unset.
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
    /// Returns the initial settings, with what the environment sets of `EVENT_*`, `MESSAGE_*` and
    /// `DINGTALK_AT_*`.
    pub fn from_environment() -> Settings {
        let initial = [
            ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
            ("MESSAGE_TAGS", "team,env"),
            ("MESSAGE_DIGEST_AT", "09:00"),
            ("MESSAGE_REMIND_BEFORE", "24h,1h"),
            ("MESSAGE_HEARTBEAT_AT", "09:00"),
            ("DINGTALK_AT_TAG", "owner"),
            ("RESOURCE_REGIONS", "cn-hangzhou,cn-shanghai"),
        ];
        let initial = initial.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut vars = BTreeMap::from(initial);
        let prefixes = ["EVENT_", "MESSAGE_", "DINGTALK_AT_"];
        let is_taken = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        vars.extend(std::env::vars().filter(|(name, _)| is_taken(name)));
        Settings {
            vars,
            signing: true,
            fallback: false,
            more: String::new(),
        }
    }

    /// Reads what the page's form sends.
    pub fn from_json(form: &Value) -> Settings {
        let vars = form["vars"].as_object().into_iter().flatten();
        Settings {
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
    pub fn config(&self, group: &Group, cloud: &Cloud) -> Result<Config, Problem> {
        let mut vars = self.vars.clone();
        let mut set = |name: &str, value: &str| vars.insert(name.to_owned(), value.to_owned());
        set("DINGTALK_WEBHOOK", &group.webhook(TOKEN));
        set("RESOURCE_ENDPOINT", &cloud.endpoint());
        set("RESOURCE_STS_ENDPOINT", &cloud.endpoint());
        if self.signing {
            set("DINGTALK_SECRET", SECRET);
        }
        if self.fallback {
            set("DINGTALK_FALLBACK_WEBHOOK", &group.webhook(FALLBACK_TOKEN));
        }
        vars.extend(lines(&self.more).map_err(Problem::Playground)?);
        let config = Config::from_vars(vars).map_err(Problem::Faults)?;
        let here = format!("http://{}/", group.addr());
        let endpoints = config
            .routes
            .iter()
            .flat_map(|route| [Some(&route.endpoint), route.fallback.as_ref()]);
        for endpoint in endpoints.flatten() {
            let address = match endpoint {
                Endpoint::DingTalk(endpoint) => endpoint.webhook.masked(),
                other => other.to_string(),
            };
            if !address.starts_with(&here) {
                return Err(Problem::Playground(format!(
                    "{address} is not in this group: the playground sends to {here} only; deploy the function, or use its command `send`, for another one"
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

    /// Returns the chatbots that fit these settings: main and fallback.
    pub fn robots(&self) -> [Robot; 2] {
        let keyword = self.vars.get("DINGTALK_KEYWORD").map(|text| text.trim());
        let keyword = keyword.filter(|text| !text.is_empty()).unwrap_or(KEYWORD);
        [TOKEN, FALLBACK_TOKEN].map(|token| Robot {
            secret: (self.signing && token == TOKEN).then(|| SECRET.to_owned()),
            keywords: vec![keyword.to_owned()],
            mobiles: MOBILES.map(str::to_owned).to_vec(),
            user_ids: USER_IDS.map(str::to_owned).to_vec(),
            ..Robot::new(token)
        })
    }

    /// Returns the lines for an `.env`. Token and secret of a real chatbot are left to the user.
    pub fn dot_env(&self) -> String {
        let mut text =
            String::from("DINGTALK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token='\n");
        if self.signing {
            text.push_str("DINGTALK_SECRET='SEC'\n");
        }
        if self.fallback {
            text.push_str(
                "DINGTALK_FALLBACK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token='\n",
            );
        }
        let of_form = KNOWN
            .iter()
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
