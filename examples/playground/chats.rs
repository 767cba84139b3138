//! A group in each chat, all of them there from the start. The function sends to one of them.

use crate::clock::MovableClock;
use ecs_dingtalk_notifier::channel::Chat;
use fake_chats::Kind;
use fake_dingtalk::{Group, Robot};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The mobile numbers of the members of the groups in DingTalk and WeCom.
pub const MOBILES: [&str; 2] = ["13800000000", "13900000001"];
/// The user ids of the same members.
pub const USER_IDS: [&str; 2] = ["manager7675", "oncall01"];
/// How long the stand-ins for the other chats take to read a request, so that none comes before the
/// function has written of the one before it: see `pairing`.
pub const ANSWER_TIME: Duration = Duration::from_millis(50);

/// What the playground knows of a chat.
pub struct Facts {
    /// The tokens of its chatbots: main and fallback.
    pub tokens: [&'static str; 2],
    /// The signing secret of the main chatbot; `None` if the chat has no signatures.
    pub secret: Option<&'static str>,
    /// Who can be mentioned by number.
    pub mobiles: &'static [&'static str],
    /// Who can be mentioned by id.
    pub user_ids: &'static [&'static str],
    /// What a real webhook begins with.
    pub webhook: &'static str,
    /// What a real secret begins with.
    pub secret_start: &'static str,
    /// Messages a minute by default.
    pub rate: u32,
}

const DINGTALK: Facts = Facts {
    tokens: [
        "playground0000000000000000000000000000000000000000000000000000f00d",
        "playground1111111111111111111111111111111111111111111111111111f00d",
    ],
    secret: Some("SECplayground000000000000000000000000000000000000000000000000000"),
    mobiles: &MOBILES,
    user_ids: &USER_IDS,
    webhook: "https://oapi.dingtalk.com/robot/send?access_token=",
    secret_start: "SEC",
    rate: 18,
};

const LARK: Facts = Facts {
    tokens: [
        "0c0ffee0-play-4000-8000-00000000f00d",
        "1c0ffee1-play-4111-8111-11111111f00d",
    ],
    secret: Some("playgroundLark00000000"),
    mobiles: &[],
    user_ids: &["ou_oncall01", "ou_manager7675"],
    webhook: "https://open.feishu.cn/open-apis/bot/v2/hook/",
    secret_start: "",
    rate: 60,
};

const WECOM: Facts = Facts {
    tokens: [
        "2c0ffee2-play-4222-8222-22222222f00d",
        "3c0ffee3-play-4333-8333-33333333f00d",
    ],
    secret: None,
    mobiles: &MOBILES,
    user_ids: &USER_IDS,
    webhook: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
    secret_start: "",
    rate: 18,
};

const SLACK: Facts = Facts {
    tokens: [
        "T0PLAYGRND/B0PLAYGRND/playground4444444444f00d",
        "T0PLAYGRND/B1PLAYGRND/playground5555555555f00d",
    ],
    secret: None,
    mobiles: &[],
    user_ids: &["U0ONCALL1", "S0OPSTEAM"],
    webhook: "https://hooks.slack.com/services/",
    secret_start: "",
    rate: 30,
};

/// Returns what the playground knows of a chat.
pub fn facts(chat: Chat) -> &'static Facts {
    match chat {
        Chat::DingTalk => &DINGTALK,
        Chat::Lark => &LARK,
        Chat::WeCom => &WECOM,
        Chat::Slack => &SLACK,
    }
}

/// Returns the name that the page and `PLAYGROUND_CHAT` use.
pub fn id(chat: Chat) -> String {
    chat.name().to_lowercase()
}

/// Returns the chat of this name.
pub fn by_id(name: &str) -> Option<Chat> {
    Chat::ALL.into_iter().find(|chat| id(*chat) == name)
}

/// The groups.
pub struct Groups {
    /// The group in DingTalk.
    pub dingtalk: Group,
    others: [fake_chats::Chat; 3],
}

/// A call to a chatbot of any chat.
pub struct Call {
    pub chat: Chat,
    pub token: String,
    pub at: Instant,
    /// In milliseconds since 1970.
    pub clock_ms: u64,
    /// The length of the body.
    pub bytes: usize,
    /// The HTTP status; `None` if a fault replaced the answer, and in DingTalk.
    pub status: Option<u16>,
    /// The code of the answer, in Slack its word; `None` if a fault replaced the answer.
    pub code: Option<String>,
    /// The body of the answer.
    pub answer: String,
    /// DingTalk knew the message and did not show it again.
    pub is_duplicate: bool,
    /// The message's `msgUuid`, which DingTalk's alone have.
    pub uuid: Option<String>,
}

impl Groups {
    /// Starts the groups.
    ///
    /// # Errors
    /// If there are no ports to listen on.
    pub fn start() -> io::Result<Groups> {
        let dingtalk = DINGTALK.tokens.iter();
        let dingtalk = dingtalk.fold(Group::builder(), |group, token| {
            group.robot(Robot::new(token))
        });
        let other = |kind: Kind, facts: &Facts| {
            let bots = facts.tokens.iter();
            let builder = bots.fold(fake_chats::Chat::builder(kind), |chat, token| {
                chat.robot(fake_chats::Robot::new(token))
            });
            builder.start()
        };
        Ok(Groups {
            dingtalk: dingtalk.start()?,
            others: [
                other(Kind::Lark, &LARK)?,
                other(Kind::WeCom, &WECOM)?,
                other(Kind::Slack, &SLACK)?,
            ],
        })
    }

    /// Returns the stand-in for a chat; `None` for DingTalk, which has one of another type.
    pub fn other(&self, chat: Chat) -> Option<&fake_chats::Chat> {
        let [lark, wecom, slack] = &self.others;
        match chat {
            Chat::DingTalk => None,
            Chat::Lark => Some(lark),
            Chat::WeCom => Some(wecom),
            Chat::Slack => Some(slack),
        }
    }

    /// Returns the address of a chat's stand-in.
    pub fn addr(&self, chat: Chat) -> SocketAddr {
        match self.other(chat) {
            None => self.dingtalk.addr(),
            Some(other) => other.addr(),
        }
    }

    /// Returns the webhooks of a chat: of the main chatbot and of the fallback.
    pub fn webhooks(&self, chat: Chat) -> [String; 2] {
        facts(chat).tokens.map(|token| match self.other(chat) {
            None => self.dingtalk.webhook(token),
            Some(other) => other.webhook(token),
        })
    }

    /// Lets all groups follow the clock.
    pub fn apply_clock(&self, clock: &MovableClock) {
        self.dingtalk.set_clock_offset_ms(clock.ahead_ms());
        for other in &self.others {
            other.set_clock_offset_ms(clock.ahead_ms());
        }
    }

    /// Clears the counts of calls.
    pub fn reset_rate_limits(&self) {
        for chat in Chat::ALL {
            for token in facts(chat).tokens {
                match self.other(chat) {
                    None => self.dingtalk.reset_rate_limit(token),
                    Some(other) => other.reset_rate_limit(token),
                }
            }
        }
    }

    /// Returns title and text of every message that a chat has shown.
    pub fn messages(&self, chat: Chat) -> Vec<(String, String)> {
        match self.other(chat) {
            None => {
                let messages = self.dingtalk.deliveries().into_iter();
                messages.map(|own| (own.title, own.text)).collect()
            }
            Some(other) => {
                let messages = other.deliveries().into_iter();
                messages.map(|own| (own.title, own.shown.text)).collect()
            }
        }
    }
}

impl From<&fake_dingtalk::Call> for Call {
    fn from(call: &fake_dingtalk::Call) -> Call {
        let uuid = call.body.as_ref().and_then(|body| body["msgUuid"].as_str());
        Call {
            chat: Chat::DingTalk,
            token: call.token.clone(),
            at: call.at,
            clock_ms: call.clock_ms,
            bytes: call.raw_body.len(),
            status: None,
            code: call.errcode.map(|code| code.to_string()),
            answer: call.answer.clone(),
            is_duplicate: call.duplicate,
            uuid: uuid.map(str::to_owned),
        }
    }
}

impl Call {
    /// Returns a call to one of the other chats.
    pub fn of(chat: Chat, call: &fake_chats::Call) -> Call {
        Call {
            chat,
            token: call.token.clone(),
            at: call.at,
            clock_ms: call.clock_ms,
            bytes: call.raw_body.len(),
            status: call.status,
            code: call.code.clone(),
            answer: call.answer.clone(),
            is_duplicate: false,
            uuid: None,
        }
    }

    /// Returns true if it went to the fallback.
    pub fn is_of_fallback(&self) -> bool {
        self.token == facts(self.chat).tokens[1]
    }
}
