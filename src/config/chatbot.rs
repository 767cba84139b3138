//! Reads a route's chat: its chatbots, and whom they mention.

use super::chat::{self, has, lacking, variables_of};
use super::route::{Reader, unique};
use super::value;
use crate::channel::wecom::content;
use crate::channel::{Chat, Endpoint, Secret, Variables, dingtalk, lark, slack, wecom};
use crate::event::Level;
use crate::message::{MAX_MENTIONS, Mentionable, Mentions, is_user_id};

/// What a route says of its chat.
pub(super) struct ChatConfig {
    pub chat: Chat,
    /// `None` if it is missing or not valid.
    pub primary: Option<Endpoint>,
    pub fallback: Option<Endpoint>,
    pub mentions: Mentions,
    pub mention_levels: Vec<Level>,
    pub mention_tag: Option<String>,
    pub mentionable: Mentionable,
}

impl Reader<'_> {
    /// Reads the variables of the route's chat.
    pub(super) fn chat_config(&mut self) -> ChatConfig {
        let chat = self.chat();
        let (primary, fallback) = self.chatbots(chat);
        let name = |rest: &str| format!("{}{rest}", chat.prefix());
        // Both chatbots are of the same group and share its keyword.
        let keyword = match has(chat, "KEYWORD") {
            true => self.value(&name("KEYWORD"), value::keyword),
            false => None,
        };
        let mentions = self.mentions(chat);
        let mention_levels = self.levels(&name("AT_LEVELS"), &[Level::Critical]);
        let mention_tag = self.value(&name("AT_TAG"), value::tag_key);
        let (usual, range) = &variables_of(chat).rate;
        let rate_limit = |text: &str| value::rate_limit(text, range);
        let rate_limit = self.value(&name("RATE_LIMIT"), rate_limit);
        let complete =
            |endpoint: Endpoint| complete(endpoint, keyword.clone(), rate_limit.unwrap_or(*usual));
        ChatConfig {
            chat,
            primary: primary.map(complete),
            fallback: fallback.map(complete),
            mentions,
            mention_levels,
            mention_tag,
            mentionable: Mentionable {
                mobiles: has(chat, "AT_MOBILES"),
                is_half_as_long: chat == Chat::WeCom,
                is_user_id: match chat {
                    Chat::DingTalk | Chat::WeCom => is_user_id,
                    Chat::Lark => lark::is_user_id,
                    Chat::Slack => slack::is_user_id,
                },
            },
        }
    }

    /// Returns the chat whose webhook is set. Variables of other chats are faults.
    fn chat(&mut self) -> Chat {
        let suffix = self.suffix;
        let webhook = |chat: Chat| format!("{}WEBHOOK", chat.prefix());
        let is_set = |chat: &Chat| self.values.contains_key(&*webhook(*chat));
        let with_webhook: Vec<Chat> = Chat::ALL.into_iter().filter(is_set).collect();
        let (chat, others) = match with_webhook.split_first() {
            Some((first, others)) => (*first, others),
            // Its other variables tell which one is missing.
            None => {
                let of_chat = |chat: &Chat| {
                    let mut names = self.values.keys();
                    names.any(|name| name.starts_with(chat.prefix()))
                };
                let first = Chat::ALL.into_iter().find(of_chat);
                (first.unwrap_or(Chat::DingTalk), &[][..])
            }
        };
        for other in others {
            let (own, other) = (webhook(chat), webhook(*other));
            self.fault(
                &other,
                format!("is set beside {own}{suffix}, but a route has one chat; unset one of them, or make a route of its own of it: {other}__NAME"),
            );
        }
        // With two webhooks it is not known which of the two the rest belongs to.
        if others.is_empty() {
            for name in self.values.keys() {
                if let Some((other, rest)) = chat::split(name)
                    && other != chat
                {
                    let instead = match has(chat, rest) {
                        true => format!("set {}{rest}{suffix} instead, or unset it", chat.prefix()),
                        false => lacking(chat, rest, suffix),
                    };
                    let problem = format!(
                        "is {}'s, but this route's chat is {} ({}): {instead}",
                        other.name(),
                        chat.name(),
                        webhook(chat) + suffix,
                    );
                    self.fault(name, problem);
                }
            }
        }
        chat
    }

    /// Reads the group's chatbot and the fallback, if there is one.
    fn chatbots(&mut self, chat: Chat) -> (Option<Endpoint>, Option<Endpoint>) {
        let name = |rest: &str| format!("{}{rest}", chat.prefix());
        let (webhook, fallback_webhook) = (name("WEBHOOK"), name("FALLBACK_WEBHOOK"));
        let primary = self.chatbot(chat, false);
        if self.get(&webhook).is_none() {
            let what = variables_of(chat).webhook;
            self.fault(
                &webhook,
                format!("is not set, but other variables of this route are; set it to {what}"),
            );
        }
        let fallback = self.chatbot(chat, true);
        let fallback_secret = name("FALLBACK_SECRET");
        if self.get(&fallback_webhook).is_none() && self.get(&fallback_secret).is_some() {
            self.fault(
                &fallback_secret,
                format!(
                    "is set without {fallback_webhook}{}; set both or neither",
                    self.suffix
                ),
            );
        }
        if let (Some(primary), Some(fallback)) = (&primary, &fallback)
            && primary.id() == fallback.id()
        {
            self.fault(&fallback_webhook, format!("is the same chatbot as {webhook}; create a second chatbot in the group and write its webhook here, or unset it"));
        }
        (primary, fallback)
    }

    /// Reads one chatbot. What both of a route share is not in it yet.
    fn chatbot(&mut self, chat: Chat, is_fallback: bool) -> Option<Endpoint> {
        let prefix = chat.prefix();
        let name = |rest: &str| match is_fallback {
            true => format!("{prefix}FALLBACK_{rest}"),
            false => format!("{prefix}{rest}"),
        };
        let (hook, secret) = (name("WEBHOOK"), name("SECRET"));
        let variables = Variables::new(chat, self.suffix, is_fallback);
        let rate_limit = variables_of(chat).rate.0;
        let secrets = match chat {
            Chat::DingTalk => self.secrets(&secret, Secret::parse),
            Chat::Lark => self.secrets(&secret, lark::parse_secret),
            Chat::WeCom | Chat::Slack => Vec::new(),
        };
        if let Some(other) = self.get(&hook).and_then(Chat::of_url)
            && other != chat
        {
            let problem = self.other_chat(chat, other, is_fallback);
            self.fault(&hook, problem);
            return None;
        }
        Some(match chat {
            Chat::DingTalk => {
                let webhook = self.value(&hook, dingtalk::Webhook::parse)?;
                if secrets.iter().any(|secret| webhook.has_token(secret)) {
                    self.fault(&secret, "is the webhook's access_token; write the secret (SEC…) that the chatbot's security settings show beside \"Sign\"");
                }
                Endpoint::DingTalk(dingtalk::Endpoint {
                    webhook,
                    secrets,
                    keyword: None,
                    rate_limit,
                    variables,
                })
            }
            Chat::Lark => {
                let webhook = self.value(&hook, lark::Webhook::parse)?;
                if secrets.iter().any(|secret| webhook.has_token(secret)) {
                    self.fault(&secret, "is the last part of the webhook's address; write the secret that the chatbot's security settings show");
                }
                Endpoint::Lark(lark::Endpoint {
                    webhook,
                    secrets,
                    keyword: None,
                    rate_limit,
                    variables,
                })
            }
            Chat::WeCom => Endpoint::WeCom(wecom::Endpoint {
                webhook: self.value(&hook, wecom::Webhook::parse)?,
                rate_limit,
                variables,
            }),
            Chat::Slack => Endpoint::Slack(slack::Endpoint {
                webhook: self.value(&hook, slack::Webhook::parse)?,
                rate_limit,
                variables,
            }),
        })
    }

    /// Says what to do about a webhook of another chat.
    fn other_chat(&self, chat: Chat, other: Chat, is_fallback: bool) -> String {
        let (own, name, prefix) = (chat.name(), other.name(), other.prefix());
        match is_fallback {
            true => format!(
                "is a webhook of {name}, but a fallback is of the route's own chat: write that of a second chatbot of {own}, and make a route of its own for {name} ({prefix}WEBHOOK__NAME)"
            ),
            false => format!(
                "is a webhook of {name}: set {prefix}WEBHOOK{} to it, or write one of {own}",
                self.suffix
            ),
        }
    }

    fn secrets(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<Secret, String>,
    ) -> Vec<Secret> {
        let secrets = self.list(name, "secret", parse);
        if secrets.len() > 2 {
            self.fault(name, format!("holds {} secrets; write one, or two separated by a comma while the secret is being rotated", secrets.len()));
        }
        secrets
    }

    fn mentions(&mut self, chat: Chat) -> Mentions {
        let name = |rest: &str| format!("{}{rest}", chat.prefix());
        let (at_mobiles, at_user_ids) = (name("AT_MOBILES"), name("AT_USER_IDS"));
        let at_all = format!("{}{}", name("AT_ALL"), self.suffix);
        let mobile = |text: &str| value::mobile(text, &at_all);
        let user_id = |text: &str| value::user_id(text, chat, &at_all);
        // Those of another chat are faults already.
        let mobiles = match has(chat, "AT_MOBILES") {
            true => self.list(&at_mobiles, "mobile number", mobile),
            false => Vec::new(),
        };
        let user_ids = self.list(&at_user_ids, "user id", user_id);
        let (mobiles, user_ids) = (unique(mobiles), unique(user_ids));
        let count = mobiles.len() + user_ids.len();
        if count > MAX_MENTIONS {
            let (variable, who) = match (has(chat, "AT_MOBILES"), mobiles.as_slice()) {
                (true, []) => (&at_user_ids, " (mobiles and user ids together)"),
                (true, _) => (&at_mobiles, " (mobiles and user ids together)"),
                (false, _) => (&at_user_ids, ""),
            };
            let limit = match chat {
                Chat::DingTalk => "DingTalk mentions at most",
                _ => "a message mentions at most",
            };
            self.fault(variable, format!("{count} people are to be mentioned{who}; {limit} {MAX_MENTIONS}, or use {at_all}"));
        }
        let all = self.value(&name("AT_ALL"), value::boolean).unwrap_or(false);
        let bytes: usize = user_ids.iter().map(|id| content::mention_bytes(id)).sum();
        // Elsewhere a message has room for all, and a text names them outside of its content.
        if chat == Chat::WeCom && !all && mobiles.is_empty() && bytes > content::MAX_MENTIONS {
            self.fault(&at_user_ids, format!("takes {bytes} bytes of a message, which has {} for mentions; name fewer people, or use {at_all}", content::MAX_MENTIONS));
        }
        Mentions {
            mobiles,
            user_ids,
            all,
        }
    }
}

/// Adds what both chatbots of a route share.
fn complete(endpoint: Endpoint, keyword: Option<String>, rate_limit: u32) -> Endpoint {
    match endpoint {
        Endpoint::DingTalk(endpoint) => Endpoint::DingTalk(dingtalk::Endpoint {
            keyword,
            rate_limit,
            ..endpoint
        }),
        Endpoint::Lark(endpoint) => Endpoint::Lark(lark::Endpoint {
            keyword,
            rate_limit,
            ..endpoint
        }),
        Endpoint::WeCom(endpoint) => Endpoint::WeCom(wecom::Endpoint {
            rate_limit,
            ..endpoint
        }),
        Endpoint::Slack(endpoint) => Endpoint::Slack(slack::Endpoint {
            rate_limit,
            ..endpoint
        }),
    }
}
