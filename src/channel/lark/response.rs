//! What a response means.

use crate::channel::answer::{Meaning, USUAL_BAN, Verdict, describe, integer};
use crate::channel::{Code, Recovery};
use serde_json::Value;

/// What was sent, as far as the meaning of the answer depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    /// How many secrets the chatbot may have.
    pub secrets: usize,
    /// The card mentions people by their ids.
    pub ids: bool,
    /// The card mentions everybody.
    pub all: bool,
}

/// Reads a response: HTTP status and body.
///
/// Pure. The message counts as delivered only if the status is 2xx and the body a JSON object with
/// `code` 0, or with `StatusCode` 0 and without `code`.
pub fn classify(status: u16, body: &[u8], sent: Sent) -> Verdict {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    // Answers of old have the names in capitals, newer ones both.
    let (code, text) = match json.get("code") {
        Some(code) => (integer(code), "msg"),
        None => (json.get("StatusCode").and_then(integer), "StatusMessage"),
    };
    let text = json.get(text).and_then(Value::as_str).unwrap_or_default();
    let meaning = match (code, status) {
        (Some(0), 200..300) => Meaning::Delivered,
        (_, 429) => Meaning::Throttled(USUAL_BAN),
        (Some(code), _) if code != 0 => by_code(code, text, sent),
        _ => Meaning::of_status(status),
    };
    let detail = match code {
        Some(_) if !text.trim().is_empty() => text.to_owned(),
        Some(code) => format!("HTTP {status}, code {code} without text"),
        None => describe(status, body),
    };
    Verdict {
        meaning,
        errcode: code.map(Code::Number),
        detail,
    }
}

/// Returns the meaning of a code other than 0: those of Lark's documentation and of answers that its
/// users have published. 9499 has two meanings.
fn by_code(code: i64, text: &str, sent: Sent) -> Meaning {
    match code {
        9499 if text.to_lowercase().contains("too many request") => Meaning::Throttled(USUAL_BAN),
        11232 | 11233 | 11247 | 230_020 | 99_991_400 => Meaning::Throttled(USUAL_BAN),
        11246 if sent.ids || sent.all => Meaning::Mention {
            ids: sent.ids,
            all: sent.all,
        },
        9499 | 11246 | 11310 | 19002 | 200_621 => Meaning::Parameter,
        11248 | 11312 => Meaning::UnsafeContent,
        19001 => Meaning::Token,
        // A wrong signature and a wrong clock have one code.
        19021 => Meaning::Signature(match sent.secrets {
            0 => Recovery::None,
            1 => Recovery::SignAgain,
            _ => Recovery::NextSecret,
        }),
        19022 => Meaning::Address,
        19024 => Meaning::Keyword,
        19036 => Meaning::TooLong,
        1500 | 2200 | 5000 | 10101 => Meaning::Busy,
        99_991_201 => Meaning::Endpoint,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, body: &str, sent: Sent) -> Meaning {
        classify(status, body.as_bytes(), sent).meaning
    }

    #[test]
    fn a_code_of_0_alone_is_a_success() {
        let throttled = Meaning::Throttled(USUAL_BAN);
        for (status, body, expected) in [
            (
                200,
                r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
                Meaning::Delivered,
            ),
            (
                200,
                r#"{"Extra":null,"StatusCode":0,"StatusMessage":"success"}"#,
                Meaning::Delivered,
            ),
            (200, r#"{"code":"0"}"#, Meaning::Delivered),
            (
                200,
                r#"{"StatusCode":0,"code":19024,"msg":"Key Words Not Found"}"#,
                Meaning::Keyword,
            ),
            (200, r#"{"StatusCode":0,"code":null}"#, Meaning::NotTheChat),
            (200, "{}", Meaning::NotTheChat),
            (200, "<html>", Meaning::NotTheChat),
            (200, "", Meaning::NotTheChat),
            (500, r#"{"code":0}"#, Meaning::Unclear),
            (400, r#"{"code":9499,"msg":"too many request"}"#, throttled),
            (
                200,
                r#"{"code":11232,"msg":"frequency limited psm[x]"}"#,
                throttled,
            ),
            (429, r#"{"code":0}"#, throttled),
            (
                400,
                r#"{"code":9499,"msg":"Bad Request"}"#,
                Meaning::Parameter,
            ),
            (200, r#"{"code":19001,"msg":"x"}"#, Meaning::Token),
            (
                200,
                r#"{"code":19022,"msg":"Ip Not Allowed"}"#,
                Meaning::Address,
            ),
            (200, r#"{"code":19036,"msg":"x"}"#, Meaning::TooLong),
            (
                404,
                r#"{"code":99991201,"msg":"resource not find"}"#,
                Meaning::Endpoint,
            ),
            (200, r#"{"code":10101}"#, Meaning::Busy),
            (200, r#"{"code":4242}"#, Meaning::Unknown),
            (302, "", Meaning::Redirected),
            (404, "", Meaning::Endpoint),
            (415, "", Meaning::HttpStatus),
            (502, "<html>", Meaning::Unclear),
        ] {
            assert_eq!(
                meaning(status, body, Sent::default()),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn some_answers_depend_on_what_was_sent() {
        let mention = r#"{"code":11246,"msg":"ErrCode: 100290; invalid user resource (at/person) in your card"}"#;
        let signature = r#"{"code":19021,"msg":"sign match fail"}"#;
        let sent = |secrets, ids, all| Sent { secrets, ids, all };
        for (body, sent, expected) in [
            (mention, sent(0, false, false), Meaning::Parameter),
            (
                mention,
                sent(0, true, false),
                Meaning::Mention {
                    ids: true,
                    all: false,
                },
            ),
            (
                mention,
                sent(0, false, true),
                Meaning::Mention {
                    ids: false,
                    all: true,
                },
            ),
            (
                signature,
                sent(0, false, false),
                Meaning::Signature(Recovery::None),
            ),
            (
                signature,
                sent(1, false, false),
                Meaning::Signature(Recovery::SignAgain),
            ),
            (
                signature,
                sent(2, false, false),
                Meaning::Signature(Recovery::NextSecret),
            ),
        ] {
            assert_eq!(meaning(200, body, sent), expected);
        }
    }
}
