//! Parses single values. The text of each fault says what to write instead.

use crate::channel::{Chat, lark, slack};
use crate::event::Level;
use crate::message::{Console, Language, is_everyone, is_mobile, is_user_id};
use crate::route::DaySpan;
use crate::schedule::{self, DailyTime, Lead};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use std::ops::RangeInclusive;

/// Longest keyword, in bytes.
const MAX_KEYWORD_BYTES: usize = 200;
/// Longest key of a tag, in characters: the API's limit.
const MAX_TAG_KEY: usize = 128;
/// Longest name of an account, in characters.
const MAX_ACCOUNT_NAME: usize = 64;

pub(super) fn keyword(text: &str) -> Result<String, String> {
    if text.len() > MAX_KEYWORD_BYTES || text.chars().any(char::is_control) {
        return Err(format!(
            "must be one line of at most {MAX_KEYWORD_BYTES} bytes; write one of the keywords in the chatbot's security settings"
        ));
    }
    Ok(text.to_owned())
}

/// Parses a mobile number.
///
/// DingTalk ignores what is none, without an error: nobody would be mentioned.
pub(super) fn mobile(text: &str, at_all: &str) -> Result<String, String> {
    const HOW: &str = "write its digits, with the country's code where it is not China's (+39-3241234567), several separated by commas";
    if is_mobile(text) {
        return Ok(text.to_owned());
    }
    Err(match everyone(text, at_all) {
        Some(instead) => instead,
        None => format!("{} is no mobile number; {HOW}", quote(text)),
    })
}

/// Parses the id of a person whom the chat can mention.
///
/// DingTalk ignores what is none, without an error: nobody would be mentioned. Lark refuses the whole
/// message.
pub(super) fn user_id(text: &str, chat: Chat, at_all: &str) -> Result<String, String> {
    const CONSOLE: &str = "write the id that the administrator's console shows for the person, not a name: letters, digits and _ . @ - only, without @ before it, several separated by commas";
    const LARK: &str = "write open ids (ou_…) or user ids, no union ids (on_…), e-mail addresses or names, several separated by commas";
    const SLACK: &str = "write the member ID in the person's profile (U…) or the id of a user group (S…), no name, several separated by commas";
    let (is_of_chat, how): (fn(&str) -> bool, _) = match chat {
        Chat::DingTalk | Chat::WeCom => (is_user_id, CONSOLE),
        Chat::Lark => (lark::is_user_id, LARK),
        Chat::Slack => (slack::is_user_id, SLACK),
    };
    if is_user_id(text) && is_of_chat(text) {
        return Ok(text.to_owned());
    }
    Err(match everyone(text, at_all) {
        Some(instead) => instead,
        None => format!("{} is no user id; {how}", quote(text)),
    })
}

/// Returns what to write instead of a word for everybody, with the variable for that.
fn everyone(text: &str, at_all: &str) -> Option<String> {
    is_everyone(text).then(|| {
        format!(
            "{} is nobody's; set {at_all}=true to mention everybody",
            quote(text)
        )
    })
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("is {}; write true or false", quote(other))),
    }
}

pub(super) fn rate_limit(text: &str, range: &RangeInclusive<u32>) -> Result<u32, String> {
    match text.parse() {
        Ok(limit) if range.contains(&limit) && !text.starts_with('+') => Ok(limit),
        _ => Err(format!(
            "is {}; write a whole number of messages a minute from {} to {}",
            quote(text),
            range.start(),
            range.end()
        )),
    }
}

pub(super) fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| {
        format!(
            "{} is no level; write CRITICAL, WARN or INFO, several separated by commas",
            quote(text)
        )
    })
}

pub(super) fn language(text: &str) -> Result<Language, String> {
    match text.to_ascii_lowercase().as_str() {
        "zh" => Ok(Language::Zh),
        "en" => Ok(Language::En),
        _ => Err(format!("is {}; write zh or en", quote(text))),
    }
}

pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    match TimeZone::get(text) {
        // jiff knows "Etc/Unknown" besides the names of the database.
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => Err(format!(
            "{} is no time zone; write a name of the IANA database such as Asia/Shanghai, Europe/Berlin or UTC",
            quote(text)
        )),
    }
}

/// Parses the name of an account: `1234567890123456=prod`.
pub(super) fn account_name(text: &str) -> Result<(String, String), String> {
    let (id, name) = text.split_once('=').unwrap_or_default();
    let (id, name) = (id.trim(), name.trim());
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if is_id && !name.is_empty() && name.chars().count() <= MAX_ACCOUNT_NAME {
        return Ok((id.to_owned(), name.to_owned()));
    }
    Err(format!(
        "{} names no account; write the account's id (digits), = and a name of at most {MAX_ACCOUNT_NAME} characters, as in 1234567890123456=prod",
        quote(text)
    ))
}

pub(super) fn console(text: &str) -> Result<Console, String> {
    [Console::China, Console::International]
        .into_iter()
        .find(|console| console.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            format!(
                "is {}; write china for accounts of aliyun.com, or international for those of alibabacloud.com",
                quote(text)
            )
        })
}

/// Parses `RESOURCE_LOOKUP`. Returns true for `auto`.
pub(super) fn lookup(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!(
            "is {}; write auto to look resources up where the function has a role, or off",
            quote(text)
        )),
    }
}

/// Parses the key of a tag.
pub(super) fn tag_key(text: &str) -> Result<String, String> {
    let is_odd = |c: char| c.is_control() || matches!(c, ',' | '=' | '*' | '?' | ';' | '|' | '"');
    if text.chars().count() <= MAX_TAG_KEY && !text.contains(is_odd) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{} is no tag's key; write the key alone, such as owner, without its value and without wildcards",
        quote(text)
    ))
}

/// Parses a span of the day: `22:00-08:00`. It may end at `24:00`.
pub(super) fn day_span(text: &str) -> Result<DaySpan, String> {
    const HOW: &str = "write one span of the day from 00:00 to 24:00, such as 22:00-08:00";
    let span = text.split_once('-').and_then(|(start, end)| {
        let end = match end.trim() {
            "24:00" => Some(Time::midnight()),
            end => time_of_day(end),
        };
        Some(DaySpan {
            start: time_of_day(start.trim())?,
            end: end?,
        })
    });
    match span {
        None => Err(format!("is {}; {HOW}", quote(text))),
        Some(span) if span.start == span.end => Err(format!(
            "is {}, which is the whole day or none of it; {HOW}, or leave levels out of EVENT_LEVELS",
            quote(text)
        )),
        Some(span) => Ok(span),
    }
}

/// Parses a time of the day, on all days or on some: `09:00`, `Mon-Fri 09:00`, `Sat 10:00`.
pub(super) fn daily_time(text: &str) -> Result<DailyTime, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let parsed = match parts.as_slice() {
        [time] => time_of_day(time).map(|time| DailyTime { days: None, time }),
        [days, time] => weekdays(days)
            .zip(time_of_day(time))
            .map(|(days, time)| DailyTime {
                days: Some(days),
                time,
            }),
        _ => None,
    };
    parsed.ok_or_else(|| {
        format!(
            "{} is no time of the day; write one from 00:00 to 23:59, with days before it where it is not for all: 09:00, Mon-Fri 09:00 or Sat 10:00, several separated by commas, or none alone",
            quote(text)
        )
    })
}

/// Parses `Mon-Fri` or `Sat`.
fn weekdays(text: &str) -> Option<(Weekday, Weekday)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let day = |text: &str| schedule::parse_weekday(text.trim());
    day(first).zip(day(last))
}

/// Parses how long before planned work to remind: `24h`.
pub(super) fn lead(text: &str) -> Result<Lead, String> {
    Lead::parse(text).ok_or_else(|| {
        format!(
            "{} is no time before an event; write whole minutes, hours or days from 1m to 30d, such as 24h,1h, several separated by commas, or none alone",
            quote(text)
        )
    })
}

/// Parses `8:00` or `08:00`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    Time::new(
        number(hour)?,
        number(minute).filter(|_| minute.len() == 2)?,
        0,
        0,
    )
    .ok()
}

/// Quotes a value for a fault's text: shortened, and without what looks like a misplaced secret.
pub(super) fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    if looks_like_a_secret(text) {
        return "something that looks like a secret".to_owned();
    }
    let short: String = text.chars().take(MAX_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// Returns true for tokens and secrets, which are 64 letters and digits in a row, and for parts of
/// them. The names of events have long rows of letters alone, and the ids of accounts of digits.
fn looks_like_a_secret(text: &str) -> bool {
    const LONGEST_RUN: usize = 15;
    let lower = text.trim_start_matches('@').to_ascii_lowercase();
    let mut runs = lower.split(|c: char| !c.is_ascii_alphanumeric());
    lower.starts_with("sec")
        || lower.contains("access_token")
        || runs.any(|run| {
            let has = |of_kind: fn(&u8) -> bool| run.as_bytes().iter().any(of_kind);
            run.len() > LONGEST_RUN && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
        })
}
