//! What each chat may answer, and what follows.

use ecs_dingtalk_notifier::channel::Chat;
use fake_chats::Fault;
use serde_json::{Value, json};

/// What a chat does with the requests of one message, and what follows.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) faults: Vec<Fault>,
    /// `None` is a success.
    pub(super) error: Option<&'static str>,
    pub(super) class: &'static str,
    pub(super) errcode: Value,
    pub(super) requests: usize,
    /// Parts of the remedy. `@` stands for the prefix of the chat's variables.
    pub(super) remedy: &'static [&'static str],
}

fn row(name: &'static str, faults: Vec<Fault>, requests: usize) -> Row {
    Row {
        name,
        faults,
        error: None,
        class: "delivered",
        errcode: Value::Null,
        requests,
        remedy: &[],
    }
}

pub(super) fn times(n: usize, fault: Fault) -> Vec<Fault> {
    vec![fault; n]
}

/// The retries are used up.
fn unreachable(name: &'static str, fault: Fault, requests: usize) -> Row {
    Row {
        error: Some("Unreachable"),
        class: "unclear",
        ..row(name, times(requests, fault), requests)
    }
}

fn refused(
    name: &'static str,
    fault: Fault,
    errcode: Value,
    remedy: &'static [&'static str],
) -> Row {
    Row {
        error: Some("Refused"),
        class: "refused",
        errcode,
        remedy,
        ..row(name, vec![fault], 1)
    }
}

fn throttled(name: &'static str, fault: Fault, errcode: Value) -> Row {
    Row {
        error: Some("Throttled"),
        class: "throttled",
        errcode,
        remedy: &["@RATE_LIMIT", "@FALLBACK_WEBHOOK"],
        ..row(name, vec![fault], 1)
    }
}

/// The same at every chat.
pub(super) fn common() -> Vec<Row> {
    let status = |code| Fault::Status {
        code,
        body: String::new(),
        headers: Vec::new(),
    };
    vec![
        row("nothing", vec![], 1),
        // A lost answer: one more request.
        row(
            "closed after reading",
            times(1, Fault::CloseAfterReading),
            2,
        ),
        row("reset after reading", times(1, Fault::ResetAfterReading), 2),
        row("accepted, then closed", times(1, Fault::AcceptThenClose), 2),
        row("accepted, then reset", times(1, Fault::AcceptThenReset), 2),
        row("half an answer", times(1, Fault::HalfAnswer), 2),
        unreachable("closed twice", Fault::CloseAfterReading, 2),
        unreachable("accepted and closed twice", Fault::AcceptThenClose, 2),
        unreachable("half an answer twice", Fault::HalfAnswer, 2),
        // An answer of somebody: retries as for every chat.
        row("server error, three times", times(3, Fault::status(500)), 4),
        unreachable("server error, always", Fault::status(503), 4),
        row("a page, three times", times(3, Fault::Html200), 4),
        unreachable("a page, always", Fault::Html200, 4),
        unreachable("nothing in the answer", Fault::Empty200, 4),
        unreachable("an object without a code", Fault::EmptyObject, 4),
        unreachable("broken JSON", Fault::TruncatedJson, 4),
        unreachable("a huge answer", Fault::Huge { bytes: 100_000 }, 4),
        unreachable("request timeout", status(408), 4),
        Row {
            remedy: &["redirects", "@WEBHOOK"],
            ..refused(
                "a redirect",
                Fault::Redirect {
                    code: 307,
                    to_other_host: true,
                },
                Value::Null,
                &[],
            )
        },
        refused("not found", status(404), Value::Null, &["@WEBHOOK"]),
        throttled(
            "too many requests",
            Fault::TooManyRequests { retry_after: None },
            Value::Null,
        ),
    ]
}

pub(super) fn own(chat: Chat) -> Vec<Row> {
    match chat {
        Chat::Lark => lark(),
        Chat::WeCom => wecom(),
        Chat::Slack => slack(),
        Chat::DingTalk => unreachable!("it has a table of its own"),
    }
}

fn lark() -> Vec<Row> {
    let bad_request = |text: &str| Fault::Code {
        status: 400,
        code: 9499,
        text: text.into(),
    };
    let refusal = |name, code: i64, text: &str, remedy| {
        refused(name, Fault::code(code, text), json!(code), remedy)
    };
    let busy = Fault::code(10101, "internal error");
    vec![
        Row {
            errcode: json!(0),
            ..row(
                "an answer of old",
                vec![Fault::Answer(
                    r#"{"Extra":null,"StatusCode":0,"StatusMessage":"success"}"#.into(),
                )],
                1,
            )
        },
        refused(
            "a code beside StatusCode 0",
            Fault::Answer(r#"{"StatusCode":0,"code":19024,"msg":"Key Words Not Found"}"#.into()),
            json!(19024),
            &["LARK_KEYWORD"],
        ),
        Row {
            errcode: json!(0),
            ..row("busy, three times", times(3, busy.clone()), 4)
        },
        Row {
            errcode: json!(10101),
            remedy: &["busy"],
            ..unreachable("busy, always", busy, 4)
        },
        throttled(
            "frequency limited",
            Fault::code(11232, "frequency limited psm[x]"),
            json!(11232),
        ),
        throttled(
            "too many request",
            bad_request("too many request"),
            json!(9499),
        ),
        refused(
            "bad request",
            bad_request("Bad Request"),
            json!(9499),
            &["a fault of this program"],
        ),
        refusal(
            "no such token",
            19001,
            "param invalid: incoming webhook access token invalid",
            &["LARK_WEBHOOK"],
        ),
        refusal(
            "no type",
            19002,
            "params error, msg_type need",
            &["a fault of this program"],
        ),
        refusal("address", 19022, "Ip Not Allowed", &["LARK_SECRET"]),
        refusal("keyword", 19024, "Key Words Not Found", &["LARK_KEYWORD"]),
        refusal(
            "a signature where there is none",
            19021,
            "sign match fail or timestamp is not within one hour from current time",
            &["LARK_SECRET", "clock"],
        ),
        Row {
            errcode: json!(0),
            ..row("too long once", vec![Fault::code(19036, "too long")], 2)
        },
        Row {
            requests: 2,
            faults: times(2, Fault::code(19036, "too long")),
            ..refusal("too long twice", 19036, "", &["20,000 bytes"])
        },
        refusal(
            "a card without mentions",
            11246,
            "ErrCode: 100290; invalid user resource (at/person) in your card",
            &["a fault of this program"],
        ),
        refusal("content", 11248, "x", &["content policy"]),
        refused(
            "no such resource",
            Fault::Code {
                status: 404,
                code: 99991201,
                text: "resource not find".into(),
            },
            json!(99991201),
            &["LARK_WEBHOOK"],
        ),
        refusal(
            "an unknown code",
            4242,
            "something new",
            &["something new", "LARK_WEBHOOK"],
        ),
    ]
}

fn wecom() -> Vec<Row> {
    let refusal = |name, code: i64, text: &str, remedy| {
        refused(name, Fault::code(code, text), json!(code), remedy)
    };
    let busy = Fault::code(-1, "system busy");
    vec![
        Row {
            errcode: json!(0),
            remedy: &["Warning: wrong json format"],
            ..row("a warning", vec![Fault::Warning], 1)
        },
        Row {
            errcode: json!(0),
            ..row("busy, three times", times(3, busy.clone()), 4)
        },
        Row {
            errcode: json!(-1),
            remedy: &["busy"],
            ..unreachable("busy, always", busy, 4)
        },
        throttled(
            "frequency",
            Fault::code(45009, "api freq out of limit"),
            json!(45009),
        ),
        refusal(
            "no such key",
            93000,
            "invalid webhook url",
            &["WECOM_WEBHOOK"],
        ),
        refusal("disabled", 93004, "x", &["WECOM_WEBHOOK"]),
        refusal("not in the group", 93008, "x", &["WECOM_WEBHOOK"]),
        refusal(
            "a parameter",
            40008,
            "invalid message type",
            &["a fault of this program"],
        ),
        refusal(
            "no content",
            44004,
            "empty content",
            &["a fault of this program"],
        ),
        Row {
            errcode: json!(0),
            ..row(
                "too long once",
                vec![Fault::code(
                    40058,
                    "markdown.content exceed max length 4096",
                )],
                2,
            )
        },
        Row {
            requests: 2,
            faults: times(2, Fault::code(40058, "too long")),
            ..refusal("too long twice", 40058, "", &["4,096 bytes"])
        },
        refusal(
            "an unknown code",
            4242,
            "something new",
            &["something new", "WECOM_WEBHOOK"],
        ),
        refused(
            "a media type",
            Fault::Status {
                code: 415,
                body: String::new(),
                headers: Vec::new(),
            },
            Value::Null,
            &["WECOM_WEBHOOK"],
        ),
    ]
}

fn slack() -> Vec<Row> {
    let refusal = |name, status: u16, word: &str, remedy| {
        refused(name, Fault::word(status, word), json!(word), remedy)
    };
    vec![
        Row {
            errcode: json!("rollup_error"),
            ..unreachable("an error inside", Fault::word(500, "rollup_error"), 4)
        },
        Row {
            errcode: json!("rate_limited"),
            ..throttled(
                "a rate as text",
                Fault::word(429, "rate_limited"),
                Value::Null,
            )
        },
        refusal(
            "a payload",
            400,
            "invalid_payload",
            &["a fault of this program"],
        ),
        refusal("no text", 400, "no_text", &["a fault of this program"]),
        Row {
            errcode: json!("ok"),
            remedy: &["delivered without formatting", "invalid_blocks"],
            ..row("blocks once", vec![Fault::word(400, "invalid_blocks")], 2)
        },
        Row {
            requests: 2,
            faults: times(2, Fault::word(400, "invalid_blocks")),
            ..refusal(
                "blocks twice",
                400,
                "invalid_blocks",
                &["a fault of this program"],
            )
        },
        Row {
            errcode: json!("ok"),
            ..row(
                "too long once",
                vec![Fault::word(400, "msg_blocks_too_long")],
                2,
            )
        },
        refusal("a token", 403, "invalid_token", &["SLACK_WEBHOOK"]),
        refusal(
            "a rule",
            403,
            "action_prohibited",
            &["SLACK_WEBHOOK", "owner"],
        ),
        refusal(
            "removed",
            404,
            "no_service",
            &["SLACK_WEBHOOK", "install the app"],
        ),
        refusal(
            "switched off",
            404,
            "no_active_hooks",
            &["SLACK_WEBHOOK", "install the app"],
        ),
        refusal(
            "no channel",
            404,
            "channel_not_found",
            &["SLACK_WEBHOOK", "channel"],
        ),
        refusal(
            "archived",
            410,
            "channel_is_archived",
            &["SLACK_WEBHOOK", "archived"],
        ),
        refusal("no workspace", 403, "team_disabled", &["SLACK_WEBHOOK"]),
        refusal(
            "an unknown word",
            400,
            "something_new",
            &["something_new", "SLACK_WEBHOOK"],
        ),
    ]
}
