//! What a response means.

use crate::channel::Code;
use crate::channel::answer::{Meaning, USUAL_BAN, Verdict, describe, parse_retry_after};
use serde_json::Value;
use std::borrow::Cow;
use std::time::SystemTime;

/// Longest word that is taken for a code.
const MAX_WORD: usize = 64;

/// Reads a response: HTTP status, `Retry-After` header and body, at the wall-clock time `now`.
///
/// Pure. The message counts as delivered only if the status is 200 and the body the word `ok`. Which
/// status goes with a word is not documented for all of them, so the word decides first:
/// <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>.
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8], now: SystemTime) -> Verdict {
    let word = word(body);
    let throttled = Meaning::Throttled(parse_retry_after(retry_after, now).unwrap_or(USUAL_BAN));
    let meaning = match (word.as_deref(), status) {
        _ if status == 200 && body.trim_ascii() == b"ok" => Meaning::Delivered,
        (_, 429) | (Some("rate_limited" | "ratelimited"), _) => throttled,
        (Some(word), _) => by_word(word).unwrap_or(by_status(status)),
        (None, _) => by_status(status),
    };
    let detail = match &word {
        Some(word) => format!("HTTP {status}, {word}"),
        None => describe(status, body),
    };
    Verdict {
        meaning,
        errcode: word.map(|word| Code::Word(Cow::Owned(word))),
        detail,
    }
}

/// Returns the word that a body is, or the `error` of a JSON object.
fn word(body: &[u8]) -> Option<String> {
    let is_of_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
    let is_word = |text: &[u8]| (1..=MAX_WORD).contains(&text.len()) && text.iter().all(is_of_word);
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = match json.get("error").and_then(Value::as_str) {
        Some(error) => error.as_bytes(),
        None => body.trim_ascii(),
    };
    is_word(text).then(|| String::from_utf8_lossy(text).into_owned())
}

/// Returns the meaning of a word; `None` for an unknown one.
fn by_word(word: &str) -> Option<Meaning> {
    Some(match word {
        "invalid_payload"
        | "no_text"
        | "missing_text_or_fallback_or_attachments"
        | "invalid_attachments"
        | "too_many_attachments" => Meaning::Parameter,
        "invalid_blocks" | "invalid_blocks_format" => Meaning::Form,
        "msg_too_long" | "msg_blocks_too_long" => Meaning::TooLong,
        "invalid_token" | "user_not_found" => Meaning::Token,
        "no_service" | "no_active_hooks" | "no_service_id" => Meaning::Removed,
        "action_prohibited" | "posting_to_general_channel_denied" => Meaning::Policy,
        "channel_not_found" | "channel_is_archived" | "no_team" | "team_disabled" => {
            Meaning::GroupGone
        }
        "rollup_error" => Meaning::Unclear,
        _ => return None,
    })
}

fn by_status(status: u16) -> Meaning {
    match status {
        400 | 403 => Meaning::Unknown,
        410 => Meaning::GroupGone,
        _ => Meaning::of_status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_word_ok_alone_is_a_success() {
        let throttled = |seconds| Meaning::Throttled(Duration::from_secs(seconds));
        for (status, retry_after, body, expected) in [
            (200, None, "ok", Meaning::Delivered),
            (200, None, " ok\r\n", Meaning::Delivered),
            (200, None, "OK", Meaning::NotTheChat),
            (200, None, r#"{"error":"ok"}"#, Meaning::NotTheChat),
            (200, None, "", Meaning::NotTheChat),
            (200, None, "\"ok\"", Meaning::NotTheChat),
            (200, None, r#"{"success":true}"#, Meaning::NotTheChat),
            (200, None, "<html>ok</html>", Meaning::NotTheChat),
            (201, None, "ok", Meaning::NotTheChat),
            (500, None, "ok", Meaning::Unclear),
            (429, Some("7"), "", throttled(7)),
            (
                429,
                None,
                r#"{"retry_after":1,"ok":false,"error":"rate_limited"}"#,
                throttled(60),
            ),
            (429, Some("0"), "rate_limited", throttled(1)),
            (400, None, "invalid_blocks", Meaning::Form),
            (400, None, "invalid_payload", Meaning::Parameter),
            (400, None, "msg_blocks_too_long", Meaning::TooLong),
            (403, None, "invalid_token", Meaning::Token),
            (403, None, "action_prohibited", Meaning::Policy),
            (404, None, "no_service", Meaning::Removed),
            (404, None, "channel_not_found", Meaning::GroupGone),
            (410, None, "channel_is_archived", Meaning::GroupGone),
            (410, None, "", Meaning::GroupGone),
            (500, None, "rollup_error", Meaning::Unclear),
            (400, None, "something_new", Meaning::Unknown),
            (404, None, "<html>", Meaning::Endpoint),
            (302, None, "", Meaning::Redirected),
            (503, None, "", Meaning::Unclear),
        ] {
            let now = SystemTime::UNIX_EPOCH;
            let verdict = classify(status, retry_after, body.as_bytes(), now);
            assert_eq!(verdict.meaning, expected, "{status} {body}");
        }
    }

    #[test]
    fn a_code_is_a_word() {
        let code = |body: &str| {
            let verdict = classify(200, None, body.as_bytes(), SystemTime::UNIX_EPOCH);
            verdict.errcode.map(|code| code.to_string())
        };
        assert_eq!(code("ok").as_deref(), Some("ok"));
        assert_eq!(
            code(r#"{"error":"rate_limited"}"#).as_deref(),
            Some("rate_limited")
        );
        assert_eq!(code("two words"), None);
        assert_eq!(code(&"x".repeat(65)), None);
        assert_eq!(code(""), None);
    }
}
