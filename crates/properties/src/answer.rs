//! The class of a chatbot's response: delivered only on a parsed 0, and no text breaks a log line.

use ecs_dingtalk_notifier::channel::dingtalk::{self, Variables, classify};
use ecs_dingtalk_notifier::channel::{Attempt, Ban, Chat, Class, Code, Phase};
use ecs_dingtalk_notifier::channel::{Meaning, Verdict, lark, slack, wecom};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Checks a response. The first line holds the status and, after a blank, the `Retry-After` header
/// if there is one; the rest is the body. Without a status it is 200, and all bytes are the body.
pub fn check(input: &[u8]) {
    let (status, retry_after, body) = split(input);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_775_000_000);
    let verdict = classify(status, retry_after.as_deref(), body, now);
    assert_eq!(classify(status, retry_after.as_deref(), body, now), verdict);
    let attempt = verdict.attempt(&Variables::new(Chat::DingTalk, "", false), &[]);

    let success = (200..300).contains(&status);
    let code = errcode(body);
    assert_eq!(attempt.errcode, code.map(Code::Number));
    assert_eq!(attempt.phase, Phase::Answer);
    assert!(!attempt.by_deadline);
    assert_eq!(
        attempt.class == Class::Delivered,
        success && code == Some(0),
        "{attempt:?}"
    );
    check_attempt(&attempt);
    other_chats(status, retry_after.as_deref(), body);
    let is_address_banned = matches!(
        verdict.meaning,
        dingtalk::Meaning::Throttled {
            ban: Ban::Address,
            ..
        }
    );
    match (status, code) {
        (429, _) => assert!(matches!(attempt.class, Class::Throttled { .. })),
        (_, Some(-1)) => assert_eq!(attempt.class, Class::Unclear),
        (300..400, None | Some(0)) if !is_address_banned => {
            assert_eq!(verdict.meaning, dingtalk::Meaning::Redirected);
        }
        (500..600, None | Some(0)) if !is_address_banned => {
            assert_eq!(attempt.class, Class::Unclear)
        }
        _ => {}
    }
}

/// Checks what the answer means in the other chats.
fn other_chats(status: u16, retry_after: Option<&str>, body: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_775_000_000);
    let success = (200..300).contains(&status);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = |name: &str| match json.as_object()?.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let has_code = json
        .as_object()
        .is_some_and(|json| json.contains_key("code"));
    let lark_code = if has_code {
        code("code")
    } else {
        code("StatusCode")
    };
    let sent = lark::Sent {
        secrets: 1,
        ids: true,
        all: false,
    };
    for (verdict, is_delivered, errcode) in [
        (
            lark::classify(status, body, sent),
            success && lark_code == Some(0),
            lark_code.map(Code::Number),
        ),
        (
            wecom::classify(status, body),
            success && code("errcode") == Some(0),
            code("errcode").map(Code::Number),
        ),
        (
            slack::classify(status, retry_after, body, now),
            status == 200 && body.trim_ascii() == b"ok",
            None,
        ),
    ] {
        let Verdict { meaning, .. } = verdict;
        let is_success = matches!(meaning, Meaning::Delivered | Meaning::DeliveredInPart);
        assert_eq!(is_success, is_delivered, "{verdict:?}");
        assert!(!verdict.detail.is_empty());
        match &verdict.errcode {
            Some(Code::Word(word)) => {
                let is_of_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                assert!((1..=64).contains(&word.len()) && word.bytes().all(is_of_word));
            }
            other => assert_eq!(*other, errcode),
        }
        match (meaning, status) {
            (Meaning::Throttled(time), _) => assert!((1..=3600).contains(&time.as_secs())),
            (_, 429) => panic!("{verdict:?}"),
            _ => {}
        }
    }
}

/// Checks what holds for every attempt.
pub(crate) fn check_attempt(attempt: &Attempt) {
    assert!(attempt.detail.chars().count() <= 300, "{}", attempt.detail);
    assert!(
        !attempt
            .detail
            .chars()
            .any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}'),
        "{:?}",
        attempt.detail
    );
    assert!(!attempt.detail.is_empty());
    if let Class::Throttled { retry_after, .. } = attempt.class {
        assert!(
            (1..=3600).contains(&retry_after.as_secs()),
            "{retry_after:?}"
        );
    }
    match attempt.class {
        Class::Delivered | Class::Throttled { .. } => assert_eq!(attempt.remedy, None),
        Class::Refused(_) => assert!(attempt.remedy.is_some()),
        Class::NotSent | Class::Unclear => {}
    }
    if let Some(remedy) = &attempt.remedy {
        assert!(!remedy.is_empty() && !remedy.contains(char::is_control));
    }
}

/// Returns the code in a body: an integer, or a string that holds one, under `errcode` of an
/// object.
pub(crate) fn errcode(body: &[u8]) -> Option<i64> {
    let value: Value = serde_json::from_slice(body).ok()?;
    match value.as_object()?.get("errcode")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Splits status and `Retry-After` from the body.
pub(crate) fn split(input: &[u8]) -> (u16, Option<String>, &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (first, rest) = (parts.next().unwrap_or_default(), parts.next());
    let line = String::from_utf8_lossy(first).into_owned();
    let (status, retry_after) = match line.split_once(' ') {
        Some((status, retry_after)) => (status, Some(retry_after.to_owned())),
        None => (line.as_str(), None),
    };
    match (status.parse(), rest) {
        (Ok(status @ 100..=599), Some(body)) => (status, retry_after, body),
        _ => (200, None, input),
    }
}
