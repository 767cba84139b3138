//! What an answer means.

use super::{Attempt, Class, Phase, Reason, remedy, text};
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// For how long DingTalk shuts out a chatbot that got over 20 messages in a minute.
const BAN: Duration = Duration::from_secs(600);

/// For how long DingTalk shuts out an address that made over 10,000 calls in 20 s.
const FLOOD_BAN: Duration = Duration::from_secs(300);

/// Reads an answer: HTTP status, `Retry-After` header and body, at the wall-clock time `now`.
///
/// Pure. The message counts as delivered only if the status is 2xx and the body a JSON object with `errcode` 0, as a
/// number or a numeric string. Otherwise a readable `errcode` decides, then the status.
pub fn classify(
    http_status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: SystemTime,
) -> Attempt {
    let mut attempt = read(http_status, retry_after, body, now);
    attempt.detail = text::clean(&attempt.detail, &[]);
    attempt
}

/// As [`classify`], the detail as it came: only who knows the secrets can clean it.
pub(super) fn read(
    http_status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: SystemTime,
) -> Attempt {
    let answer = Answer::parse(body);
    let class = answer.class(http_status, retry_after, now);
    Attempt {
        class,
        errcode: answer.errcode,
        http_status: Some(http_status),
        phase: Phase::Answer,
        remedy: answer.remedy(class, http_status).map(str::to_owned),
        detail: answer.detail(http_status),
        by_deadline: false,
    }
}

/// What a body holds.
struct Answer {
    errcode: Option<i64>,
    errmsg: String,
    /// The answer of the layer that shuts out addresses: `{"status":1111,…,"punish":"deny"}` or its HTML page.
    flood: bool,
    /// What the body is, in case it has no errcode.
    kind: &'static str,
}

impl Answer {
    fn parse(body: &[u8]) -> Answer {
        let mut answer = Answer {
            errcode: None,
            errmsg: String::new(),
            flood: false,
            kind: "an empty body",
        };
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(fields)) => {
                answer.kind = "JSON without errcode";
                answer.errcode = fields.get("errcode").and_then(integer);
                if let Some(Value::String(errmsg)) = fields.get("errmsg") {
                    answer.errmsg.clone_from(errmsg);
                }
                answer.flood = fields.get("status").and_then(integer) == Some(1111);
            }
            Ok(_) => answer.kind = "JSON without errcode",
            Err(_) => {
                let body = body.trim_ascii();
                if body.starts_with(b"<") {
                    answer.kind = "an HTML page";
                    let page = String::from_utf8_lossy(body);
                    answer.flood = page.contains("punish") && page.contains("x5");
                } else if !body.is_empty() {
                    answer.kind = "no readable JSON";
                }
            }
        }
        answer
    }

    fn class(&self, status: u16, retry_after: Option<&str>, now: SystemTime) -> Class {
        let by_code = match self.errcode {
            Some(0) if (200..300).contains(&status) => Some(Class::Delivered),
            // Zero beside a bad status is no yes, and no reason for a no either.
            Some(0) | None => None,
            Some(code) => Some(by_errcode(code, &self.errmsg)),
        };
        let usual = if self.flood && self.errcode.is_none() {
            FLOOD_BAN
        } else {
            BAN
        };
        let throttled = Class::Throttled {
            pause: pause(retry_after, now).unwrap_or(usual),
        };
        match (by_code, status) {
            (_, 429) | (Some(Class::Throttled { .. }), _) => throttled,
            (Some(class), _) => class,
            (None, _) if self.flood => throttled,
            (None, 300..400) => Class::Refused(Reason::Redirected),
            (None, 408) => Class::Unclear,
            (None, 404) => Class::Refused(Reason::Endpoint),
            (None, 413) => Class::Refused(Reason::TooLong),
            (None, 400..500) => Class::Refused(Reason::HttpStatus),
            (None, _) => Class::Unclear,
        }
    }

    fn remedy(&self, class: Class, status: u16) -> Option<&'static str> {
        match class {
            Class::Refused(reason) => Some(remedy::refused(reason)),
            Class::Throttled { .. } if self.flood && self.errcode.is_none() => {
                Some(remedy::FLOODED)
            }
            Class::Throttled { .. } => Some(remedy::THROTTLED),
            Class::Unclear if self.errcode.is_none() && (200..300).contains(&status) => {
                Some(remedy::NOT_DINGTALK)
            }
            Class::Unclear if self.errcode == Some(-1) => Some(remedy::BUSY),
            Class::Delivered | Class::NotSent | Class::Unclear => None,
        }
    }

    fn detail(&self, status: u16) -> String {
        match self.errcode {
            Some(_) if !text::clean(&self.errmsg, &[]).is_empty() => self.errmsg.clone(),
            Some(code) => format!("HTTP {status}, errcode {code} without errmsg"),
            None if self.flood => format!("HTTP {status}, the answer to a flood of calls"),
            None => format!("HTTP {status} with {}", self.kind),
        }
    }
}

/// A number without fraction, or a string that holds one.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The class of an errcode other than 0. The codes are those of DingTalk's documentation and of answers that its users
/// have published; ranges stand where the numbering is regular.
fn by_errcode(code: i64, errmsg: &str) -> Class {
    let text = errmsg.to_lowercase();
    let reason = match code {
        -1 => return Class::Unclear,
        660_026 | 130_101 | 410_100 | 90_002 | 90_018 => return Class::Throttled { pause: BAN },
        310_000 => security(&text),
        300_001 => catch_all(&text),
        300_005 | 400_101 | 41_001 => Reason::Token,
        40_035 if text.contains("access_token") => Reason::Token,
        400_102 => Reason::Stopped,
        400_106 => Reason::Removed,
        400_013 => Reason::GroupGone,
        460_101 | 101_002 => Reason::TooLong,
        430_100..430_200 => Reason::UnsafeContent,
        22 | 404 | 43_000..44_000 => Reason::Endpoint,
        40_035 | 400_105 | 400_201..400_900 | 401_000..401_200 => Reason::Parameter,
        90_020 => Reason::Quota,
        _ => Reason::Unknown,
    };
    Class::Refused(reason)
}

/// 310000 is the refusal of the security settings; only its text tells which of them. The wording has changed at least
/// three times, so a few words must do. The advice for a wrong signature mentions timestamps: it goes first.
fn security(text: &str) -> Reason {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if holds(&["sign not match", "sign.not.match", "签名不匹配"]) {
        Reason::Signature
    } else if holds(&["timestamp", "过期", "expired"]) {
        Reason::Clock
    } else if holds(&["whitelist", "白名单", "ip not", "ip.not"]) {
        Reason::Address
    } else if holds(&["keyword", "关键词"]) {
        Reason::Keyword
    } else if holds(&["sign", "签名"]) {
        Reason::Signature
    } else {
        Reason::Unknown
    }
}

/// 300001 is the older stack's answer to many things.
fn catch_all(text: &str) -> Reason {
    if text.contains("token") || text.contains("robot") || text.contains("机器人") {
        Reason::Token
    } else if text.contains("msgtype") || text.contains("param") {
        Reason::Parameter
    } else {
        Reason::Unknown
    }
}

/// `Retry-After` in seconds or as an HTTP date, within 1 s and 1 h. None where it cannot be read.
fn pause(retry_after: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = retry_after?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(text)?.duration_since(now).unwrap_or_default(),
    };
    Some(pause.clamp(Duration::from_secs(1), Duration::from_secs(3600)))
}

/// Reads an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    let parser = DateTimeParser::new();
    let timestamp = parser.parse_timestamp(text).ok()?;
    let seconds = u64::try_from(timestamp.as_second()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
