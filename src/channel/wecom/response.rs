//! What a response means.

use crate::channel::Code;
use crate::channel::answer::{Meaning, USUAL_BAN, Verdict, describe, integer};
use serde_json::Value;

/// Reads a response: HTTP status and body.
///
/// Pure. The message counts as delivered only if the status is 2xx and the body a JSON object with
/// `errcode` 0. The text may change at any time, so the code alone decides.
pub fn classify(status: u16, body: &[u8]) -> Verdict {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let code = json.get("errcode").and_then(integer);
    let text = json
        .get("errmsg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let meaning = match (code, status) {
        // WeCom says so of JSON that it read in part, and takes it nevertheless.
        (Some(0), 200..300) if text.to_lowercase().contains("warning") => Meaning::DeliveredInPart,
        (Some(0), 200..300) => Meaning::Delivered,
        (_, 429) => Meaning::Throttled(USUAL_BAN),
        (Some(code), _) if code != 0 => by_code(code),
        (_, 400..500) if !matches!(status, 408 | 413) => Meaning::Endpoint,
        _ => Meaning::of_status(status),
    };
    let detail = match code {
        Some(_) if !text.trim().is_empty() => text.to_owned(),
        Some(code) => format!("HTTP {status}, errcode {code} without errmsg"),
        None => describe(status, body),
    };
    Verdict {
        meaning,
        errcode: code.map(Code::Number),
        detail,
    }
}

/// Returns the meaning of a code other than 0:
/// <https://developer.work.weixin.qq.com/document/path/90313>.
fn by_code(code: i64) -> Meaning {
    match code {
        -1 => Meaning::Busy,
        45009 => Meaning::Throttled(USUAL_BAN),
        93000 => Meaning::Token,
        93004 => Meaning::Stopped,
        93008 => Meaning::Removed,
        40058 => Meaning::TooLong,
        40008 | 40033 | 40035 | 44001 | 44004 => Meaning::Parameter,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errcode_of_0_alone_is_a_success() {
        let throttled = Meaning::Throttled(USUAL_BAN);
        for (status, body, expected) in [
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, Meaning::Delivered),
            (
                200,
                r#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#,
                Meaning::DeliveredInPart,
            ),
            (200, r#"{"errcode":"0"}"#, Meaning::Delivered),
            (200, r#"{"errmsg":"ok"}"#, Meaning::NotTheChat),
            (200, "ok", Meaning::NotTheChat),
            (500, r#"{"errcode":0}"#, Meaning::Unclear),
            (
                200,
                r#"{"errcode":-1,"errmsg":"system busy"}"#,
                Meaning::Busy,
            ),
            (
                200,
                r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
                throttled,
            ),
            (429, "", throttled),
            (
                200,
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                Meaning::Token,
            ),
            (200, r#"{"errcode":93004}"#, Meaning::Stopped),
            (200, r#"{"errcode":93008}"#, Meaning::Removed),
            (
                200,
                r#"{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}"#,
                Meaning::TooLong,
            ),
            (
                200,
                r#"{"errcode":44004,"errmsg":"empty content"}"#,
                Meaning::Parameter,
            ),
            (200, r#"{"errcode":42}"#, Meaning::Unknown),
            (415, "", Meaning::Endpoint),
            (404, "<html>", Meaning::Endpoint),
            (301, "", Meaning::Redirected),
            (503, "", Meaning::Unclear),
        ] {
            assert_eq!(
                classify(status, body.as_bytes()).meaning,
                expected,
                "{status} {body}"
            );
        }
    }
}
