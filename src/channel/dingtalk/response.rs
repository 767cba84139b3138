//! What a response means.

use super::remedy;
use crate::channel::answer::{integer, parse_retry_after};
use crate::channel::{Attempt, Ban, Class, Code, Phase, Recovery, Variables};
use crate::http::redact;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// For how long DingTalk bans a chatbot that got over 20 messages in a minute.
const CHATBOT_BAN: Duration = Duration::from_secs(600);

/// For how long DingTalk bans an address that made over 10,000 calls in 20 s.
const ADDRESS_BAN: Duration = Duration::from_secs(300);

/// What DingTalk answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub meaning: Meaning,
    /// DingTalk's code, where the body holds one (as a number or a numeric string).
    pub errcode: Option<i64>,
    /// DingTalk's own text or what else came. May repeat secrets of the request.
    pub detail: String,
}

/// What a response means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The message is in the group: HTTP 2xx and `errcode` 0.
    Delivered,
    /// DingTalk is busy (-1): the message may be in the group all the same.
    Busy,
    /// HTTP 2xx without `errcode`.
    NotDingTalk,
    /// Another status without `errcode` that is neither a yes nor a no.
    Unclear,
    /// DingTalk takes nothing for `retry_after`.
    Throttled { retry_after: Duration, ban: Ban },

    // All that follow are refusals: DingTalk would refuse the same request again.
    /// The message does not hold the chatbot's keyword (310000).
    Keyword,
    /// The signature is missing or wrong (310000).
    Signature,
    /// The signature's time is more than an hour off (310000).
    Clock,
    /// The sender's address is not on the chatbot's list (310000).
    Address,
    /// There is no such access token (300001, 300005, 400101, 40035, 41001).
    Token,
    /// The chatbot is disabled (400102).
    Stopped,
    /// The chatbot was removed from the group (400106).
    Removed,
    /// The group was dissolved (400013).
    GroupGone,
    /// The message is over 20,000 bytes (460101, 101002, HTTP 413).
    TooLong,
    /// DingTalk's content policy objects (4301xx).
    UnsafeContent,
    /// A field of the message is missing or wrong (4002xx to 4008xx, 4010xx, 4011xx, 400105,
    /// 40035).
    Parameter,
    /// HTTP 3xx. Redirects are never followed: they could carry the token elsewhere.
    Redirected,
    /// Another HTTP 4xx.
    HttpStatus,
    /// The URL is not a chatbot's (404, 22, 43xxx).
    Endpoint,
    /// The organisation's monthly quota is used up (90020, or another code whose text says so).
    Quota,
    /// Another code, or another text where the text decides.
    Unknown,
}

/// Reads a response: HTTP status, `Retry-After` header and body, at the wall-clock time `now`.
///
/// Pure. The message counts as delivered only if the status is 2xx and the body a JSON object with
/// `errcode` 0, as a number or a numeric string. Otherwise a readable `errcode` decides, then the
/// status.
pub fn classify(
    http_status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: SystemTime,
) -> Verdict {
    let answer = Answer::parse(body);
    Verdict {
        meaning: answer.meaning(http_status, parse_retry_after(retry_after, now)),
        errcode: answer.errcode,
        detail: answer.detail(http_status),
    }
}

impl Verdict {
    /// Returns the outcome of the request, with `secrets` redacted.
    pub fn attempt(&self, variables: &Variables, secrets: &[&str]) -> Attempt {
        let detail = match (self.meaning, self.errcode) {
            // The text alone would be little to search for.
            (Meaning::Unknown, Some(code)) => format!("errcode {code}: {}", self.detail),
            _ => self.detail.clone(),
        };
        Attempt {
            class: self.meaning.class(),
            errcode: self.errcode.map(Code::Number),
            phase: Phase::Answer,
            detail: redact(&detail, secrets),
            remedy: remedy::answered(self.meaning, variables),
            by_deadline: false,
        }
    }
}

impl Meaning {
    fn class(self) -> Class {
        match self {
            Meaning::Delivered => Class::Delivered,
            Meaning::Busy | Meaning::NotDingTalk | Meaning::Unclear => Class::Unclear,
            Meaning::Throttled { retry_after, ban } => Class::Throttled { retry_after, ban },
            Meaning::Signature => Class::Refused(Recovery::NextSecret),
            Meaning::Clock => Class::Refused(Recovery::SignAgain),
            Meaning::TooLong => Class::Refused(Recovery::Shorten),
            _ => Class::Refused(Recovery::None),
        }
    }
}

/// What a body holds.
struct Answer {
    errcode: Option<i64>,
    errmsg: String,
    kind: Kind,
}

/// What a body is, apart from its `errcode`.
enum Kind {
    Empty,
    Json,
    Html,
    /// The response of the layer that bans addresses: `{"status":1111,…,"punish":"deny"}` or its
    /// HTML page.
    AddressBan,
    Unreadable,
}

impl Answer {
    fn parse(body: &[u8]) -> Answer {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let json = serde_json::from_slice::<Value>(body);
        // JSON that is no object has no fields.
        let field = |name| json.as_ref().ok()?.get(name);
        let kind = match (&json, body.trim_ascii()) {
            (Ok(_), _) if field("status").and_then(integer) == Some(1111) => Kind::AddressBan,
            (Ok(_), _) => Kind::Json,
            (Err(_), b"") => Kind::Empty,
            (Err(_), page @ [b'<', ..]) => {
                let page = String::from_utf8_lossy(page);
                match page.contains("punish") && page.contains("x5") {
                    true => Kind::AddressBan,
                    false => Kind::Html,
                }
            }
            (Err(_), _) => Kind::Unreadable,
        };
        let errmsg = field("errmsg").and_then(Value::as_str).unwrap_or_default();
        Answer {
            errcode: field("errcode").and_then(integer),
            errmsg: errmsg.to_owned(),
            kind,
        }
    }

    fn meaning(&self, status: u16, retry_after: Option<Duration>) -> Meaning {
        let throttled = |ban, usual| Meaning::Throttled {
            retry_after: retry_after.unwrap_or(usual),
            ban,
        };
        let chatbot_ban = throttled(Ban::Chatbot, CHATBOT_BAN);
        match (self.errcode, status) {
            (Some(0), 200..300) => Meaning::Delivered,
            // An errcode of 0 is a success only beside a 2xx status. Beside another one it says
            // nothing, as if it were missing: the kind of the body or the status decides.
            (Some(0) | None, _) if matches!(self.kind, Kind::AddressBan) => {
                throttled(Ban::Address, ADDRESS_BAN)
            }
            (_, 429) => chatbot_ban,
            (Some(code), _) if code != 0 => by_errcode(code, &self.errmsg, chatbot_ban),
            (_, 200..300) => Meaning::NotDingTalk,
            (_, 300..400) => Meaning::Redirected,
            (_, 404) => Meaning::Endpoint,
            (_, 413) => Meaning::TooLong,
            (_, 408) => Meaning::Unclear,
            (_, 400..500) => Meaning::HttpStatus,
            _ => Meaning::Unclear,
        }
    }

    fn detail(&self, status: u16) -> String {
        let kind = match (self.errcode, &self.kind) {
            (Some(_), _) if !redact(&self.errmsg, &[]).is_empty() => return self.errmsg.clone(),
            (Some(code), _) => return format!("HTTP {status}, errcode {code} without errmsg"),
            (None, Kind::AddressBan) => ", the answer to a flood of calls",
            (None, Kind::Empty) => " with an empty body",
            (None, Kind::Json) => " with JSON without errcode",
            (None, Kind::Html) => " with an HTML page",
            (None, Kind::Unreadable) => " with no readable JSON",
        };
        format!("HTTP {status}{kind}")
    }
}

/// Returns the meaning of an errcode other than 0. The codes are those of DingTalk's documentation
/// and of answers that its users have published; ranges stand where the numbering is regular.
fn by_errcode(code: i64, errmsg: &str, chatbot_ban: Meaning) -> Meaning {
    let text = errmsg.to_lowercase();
    match code {
        -1 => Meaning::Busy,
        660_026 | 130_101 | 410_100 | 90_002 | 90_018 => chatbot_ban,
        310_000 => security(&text),
        300_001 => catch_all(&text),
        300_005 | 400_101 | 41_001 => Meaning::Token,
        40_035 if text.contains("access_token") => Meaning::Token,
        400_102 => Meaning::Stopped,
        400_106 => Meaning::Removed,
        400_013 => Meaning::GroupGone,
        460_101 | 101_002 => Meaning::TooLong,
        430_100..430_200 => Meaning::UnsafeContent,
        22 | 404 | 43_000..44_000 => Meaning::Endpoint,
        40_035 | 400_105 | 400_201..400_900 | 401_000..401_200 => Meaning::Parameter,
        90_020 => Meaning::Quota,
        // Seen as 90030. The code is in no list, but the text is plain.
        _ if is_about_a_quota(&text) => Meaning::Quota,
        _ => Meaning::Unknown,
    }
}

/// Returns true if a text says that a number of messages is used up, other than that of a minute.
fn is_about_a_quota(text: &str) -> bool {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    holds(&["quota", "额度", "配额", "上限"]) && !holds(&["minute", "分钟", "second", "秒"])
}

/// Returns which of the security settings refused (310000), by the text: the code is the same for
/// all. The wording has changed at least three times, so a few words must do.
fn security(text: &str) -> Meaning {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // First, because the advice for a wrong signature mentions timestamps.
    if holds(&["sign not match", "sign.not.match", "签名不匹配"]) {
        Meaning::Signature
    } else if holds(&["timestamp", "过期", "expired"]) {
        Meaning::Clock
    } else if holds(&["whitelist", "白名单", "ip not", "ip.not"]) {
        Meaning::Address
    } else if holds(&["keyword", "关键词"]) {
        Meaning::Keyword
    } else if holds(&["sign", "签名"]) {
        Meaning::Signature
    } else {
        Meaning::Unknown
    }
}

/// Returns the reason of 300001, the older stack's answer to many things.
fn catch_all(text: &str) -> Meaning {
    if text.contains("token") || text.contains("robot") || text.contains("机器人") {
        Meaning::Token
    } else if text.contains("msgtype") || text.contains("param") {
        Meaning::Parameter
    } else {
        Meaning::Unknown
    }
}

#[cfg(test)]
mod tests;
