//! Lark: every refusal, and what its members see.

use crate::{NOW, Post, chat_with, post, send, status_and_code};
use fake_chats::{Behaviour, Chat, Kind, LinkKind, Robot, State, Success, sign};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "s3cret-0123-4567";

fn robot() -> Robot {
    Robot::new(TOKEN)
}

fn text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

/// A card like the notifier's, with this markup.
fn card(markdown: &str) -> Value {
    json!({"msg_type": "interactive", "card": {
        "config": {"wide_screen_mode": true},
        "header": {"template": "red", "title": {"tag": "plain_text", "content": "Title **x**"}},
        "elements": [
            {"tag": "markdown", "content": markdown},
            {"tag": "action", "actions": [{"tag": "button", "type": "primary",
                "text": {"tag": "plain_text", "content": "Open"}, "url": "https://example.com/"}]},
            {"tag": "hr"},
            {"tag": "note", "elements": [{"tag": "plain_text", "content": "note :OK:"}]},
        ],
    }})
}

/// Changes a member of a card.
fn card_with(pointer: &str, value: Value) -> Value {
    let mut body = card("x");
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

fn second(element: Value) -> Value {
    json!({"msg_type": "interactive", "card": {"schema": "2.0", "body": {"elements": [element]}}})
}

fn signed(timestamp: Value, sign: &str) -> Value {
    let mut body = text("x");
    body["timestamp"] = timestamp;
    body["sign"] = sign.into();
    body
}

#[test]
fn every_refusal_has_its_code() {
    let many: Vec<Value> = vec![json!({"tag": "hr"}); 201];
    for (robot, body, status, code) in [
        // Whatever the body, the token comes first.
        (Robot::new("another"), json!({}), 200, 19001),
        (robot(), json!({"content": {"text": "x"}}), 200, 19002),
        (
            robot(),
            json!({"msg_type": "markdown", "content": {}}),
            200,
            19002,
        ),
        (
            robot(),
            json!({"msg_type": "text", "content": "x"}),
            400,
            9499,
        ),
        (robot(), text(""), 400, 9499),
        (
            robot(),
            json!({"msg_type": "interactive", "card": card("x").to_string()}),
            400,
            9499,
        ),
        (
            robot(),
            json!({"msg_type": "interactive", "content": {}}),
            400,
            9499,
        ),
        (robot(), json!([]), 400, 9499),
        (robot(), text(&"x".repeat(20_000)), 400, 9499),
        (
            robot().keyword("ECS"),
            text("x https://ECS.example"),
            200,
            0,
        ),
        (robot().keyword("ECS"), text("ecs"), 200, 19024),
        (
            robot().keyword("ECS"),
            card("[x](https://example.com/ECS)"),
            200,
            19024,
        ),
        (robot().keyword("Open"), card("x"), 200, 19024),
        (robot().keyword("note"), card("x"), 200, 19024),
        (robot().keyword("Title"), card("x"), 200, 0),
        (
            robot().keyword("ECS").keyword("in x"),
            card("**in** x"),
            200,
            0,
        ),
        (robot().member("ou_1"), card("<at id=ou_1></at>"), 200, 0),
        (
            robot().member("ou_1"),
            card("<at id=ou_2></at>"),
            200,
            11246,
        ),
        (robot(), card("<at email=a@example.com></at>"), 200, 11246),
        (robot().member("ou_1"), card("<at id=all></at>"), 200, 0),
        // A text shows the name and mentions nobody.
        (
            robot().member("ou_1"),
            text("<at user_id=\"ou_2\">x</at>"),
            200,
            0,
        ),
        (
            robot(),
            card_with("/card/header/template", "pink".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/header/title/tag", "lark_md".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/elements/0/tag", "marquee".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/elements/0/content", "".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/elements/1/actions/0/url", "dingtalk://x".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/elements/1/actions/0/type", "huge".into()),
            200,
            11246,
        ),
        (
            robot(),
            card_with("/card/elements", json!(many)),
            200,
            11246,
        ),
        (robot(), card_with("/card/elements", json!([])), 200, 11246),
        // 1.0 ignores unknown attributes, 2.0 refuses them.
        (robot(), card_with("/card/config", json!({"x": 1})), 200, 0),
        (
            robot(),
            second(json!({"tag": "markdown", "content": "x"})),
            200,
            0,
        ),
        (
            robot(),
            second(json!({"tag": "markdown", "content": "x", "y": 1})),
            200,
            11246,
        ),
        (
            robot(),
            second(json!({"tag": "note", "elements": []})),
            200,
            11246,
        ),
    ] {
        let chat = chat_with(Kind::Lark, robot);
        let expected = (status, code.to_string());
        assert_eq!(status_and_code(&chat, TOKEN, &body), expected, "{body}");
        assert_eq!(chat.deliveries().len(), usize::from(code == 0), "{body}");
        assert_eq!(chat.calls()[0].code, Some(expected.1));
    }
    for state in [State::Removed, State::Stopped] {
        let chat = chat_with(Kind::Lark, robot());
        chat.configure(TOKEN, |robot| robot.state = state);
        assert_eq!(
            status_and_code(&chat, TOKEN, &text("x")),
            (200, "19001".into())
        );
    }
    let chat = chat_with(Kind::Lark, robot());
    chat.configure(TOKEN, |robot| robot.may_mention_all = false);
    let all = text("<at user_id=\"all\">all</at>");
    assert_eq!(status_and_code(&chat, TOKEN, &all), (200, "11246".into()));
    chat.configure(TOKEN, |robot| {
        robot.ip_allow = Some(vec!["192.0.2.1".into()])
    });
    assert_eq!(
        status_and_code(&chat, TOKEN, &text("x")),
        (200, "19022".into())
    );
}

#[test]
fn requests_of_another_form_are_refused() {
    let chat = chat_with(Kind::Lark, robot());
    let good = || post(&chat, TOKEN, &text("x"));
    let target = good().target;
    let twice = r#"{"msg_type":"text","msg_type":"text","content":{"text":"x"}}"#;
    for (request, status, code) in [
        (good(), 200, "0"),
        (
            Post {
                method: "GET",
                ..good()
            },
            400,
            "9499",
        ),
        (
            Post {
                target: format!("{target}?x=1"),
                ..good()
            },
            400,
            "9499",
        ),
        (
            Post {
                target: format!("{target}/"),
                ..good()
            },
            200,
            "19001",
        ),
        (
            Post {
                target: target.replace("/v2", ""),
                ..good()
            },
            404,
            "99991201",
        ),
        (
            Post {
                head: "Host: x\r\nContent-Type: text/plain\r\n".into(),
                ..good()
            },
            400,
            "9499",
        ),
        (
            Post {
                head: "Content-Type: application/json\r\n".into(),
                ..good()
            },
            400,
            "9499",
        ),
        (
            Post {
                body: twice.into(),
                ..good()
            },
            400,
            "9499",
        ),
        (
            Post {
                body: b"{\"msg_type\":\"\xe9\"}".into(),
                ..good()
            },
            400,
            "9499",
        ),
    ] {
        chat.reset_rate_limit(TOKEN);
        let answer = send(&chat, &request);
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    assert_eq!(chat.deliveries().len(), 1);
}

#[test]
fn signatures_are_in_the_body_and_last_an_hour() {
    const SWAPPED: &str = "DkEDUyVoOOJ539qBvUgMyzkzIdRWlf4e/V3Rq+ONJnQ=";
    const RIGHT: &str = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=";
    let at = 1_599_360_473;
    let chat = chat_with(Kind::Lark, robot().secret("demo"));
    chat.set_clock_ms(at * 1_000);
    for (body, code) in [
        (signed("1599360473".into(), RIGHT), 0),
        (signed(at.into(), RIGHT), 0),
        (signed((at - 3_600).into(), &sign(at - 3_600, "demo")), 0),
        (
            signed((at - 3_601).into(), &sign(at - 3_601, "demo")),
            19021,
        ),
        (
            signed((at * 1_000).into(), &sign(at * 1_000, "demo")),
            19021,
        ),
        (signed(at.into(), &sign(at, "other")), 19021),
        (signed(at.into(), SWAPPED), 19021),
        (signed("+1599360473".into(), RIGHT), 19021),
        (text("x"), 19021),
    ] {
        chat.reset_rate_limit(TOKEN);
        let answer = status_and_code(&chat, TOKEN, &body);
        assert_eq!(answer, (200, code.to_string()), "{body}");
    }
    let mut request = post(&chat, TOKEN, &text("x"));
    request.head += &format!("timestamp: {at}\r\nsign: {RIGHT}\r\n");
    assert_eq!(send(&chat, &request).code(), "19021");
}

#[test]
fn beyond_a_limit_two_answers_take_turns() {
    let chat = chat_with(Kind::Lark, robot());
    let answer = || status_and_code(&chat, TOKEN, &text("x"));
    for _ in 0..5 {
        assert_eq!(answer(), (200, "0".into()));
    }
    assert_eq!(answer(), (200, "11232".into()));
    let second = send(&chat, &post(&chat, TOKEN, &text("x")));
    assert_eq!((second.status, second.code().as_str()), (400, "9499"));
    assert!(second.body.contains("too many request"));
    assert_eq!(answer(), (200, "11232".into()));
    chat.advance(Duration::from_secs(1));
    assert_eq!(answer(), (200, "0".into()));

    // Refused calls count, or they do not.
    for (counts, expected) in [(true, "11232"), (false, "0")] {
        chat.reset_rate_limit(TOKEN);
        chat.set_behaviour(Behaviour {
            throttled_calls_count: counts,
            ..Behaviour::default()
        });
        for _ in 0..5 {
            assert_eq!(answer().1, "0");
        }
        chat.advance(Duration::from_millis(500));
        for _ in 0..6 {
            assert_ne!(answer().1, "0");
        }
        chat.advance(Duration::from_millis(500));
        assert_eq!(answer().1, expected);
        chat.advance(Duration::from_secs(1));
    }
    chat.set_behaviour(Behaviour::default());

    // 100 within a minute, refused ones included.
    chat.reset_rate_limit(TOKEN);
    for call in 0..101 {
        let expected = if call < 100 { "0" } else { "11232" };
        assert_eq!(answer().1, expected, "{call}");
        chat.advance(Duration::from_millis(250));
    }
    chat.advance(Duration::from_secs(60));
    assert_eq!(answer().1, "0");
    chat.set_behaviour(Behaviour {
        throttling: false,
        ..Behaviour::default()
    });
    assert!((0..120).all(|_| answer().1 == "0"));
}

#[test]
fn a_card_is_shown_with_its_links_and_mentions() {
    let chat = chat_with(Kind::Lark, robot());
    let body = card("**b** ＜at id=all＞ <at id=ou_1></at> <font color='red'>x</font> :DONE:");
    let answer = send(&chat, &post(&chat, TOKEN, &body));
    assert!(answer.head.contains("Date: Tue, 14 Nov 2023 22:13:20 GMT"));
    let [shown] = &chat.deliveries()[..] else {
        panic!("one message");
    };
    assert_eq!(shown.form, "interactive");
    assert_eq!(shown.title, "Title **x**");
    assert_eq!(shown.color.as_deref(), Some("red"));
    assert_eq!(
        shown.shown.text,
        "b ＜at id=all＞ @ou_1 x :DONE:\nnote :OK:"
    );
    assert_eq!(shown.shown.mentions, ["ou_1"]);
    assert_eq!(shown.shown.emoji, ["DONE"]);
    let buttons = shown.shown.links_of(LinkKind::Button);
    assert_eq!((buttons[0].text.as_str(), buttons.len()), ("Open", 1));
    assert_eq!((shown.clock_ms, &shown.body), (NOW, &body));

    let post_body = json!({"msg_type": "post", "content": {"post": {"en_us": {"title": "T",
        "content": [[{"tag": "text", "text": "**x** "}, {"tag": "a", "text": "l", "href": "https://example.com"},
            {"tag": "at", "user_id": "ou_1"}]]}}}});
    assert_eq!(status_and_code(&chat, TOKEN, &post_body).1, "0");
    let shown = chat.deliveries().pop().unwrap();
    assert_eq!(
        (shown.title.as_str(), shown.shown.text.as_str()),
        ("T", "**x** l@ou_1")
    );
    assert!(shown.shown.styles.is_empty());

    chat.configure(TOKEN, |robot| robot.members = vec!["ou_1".into()]);
    let body = text("<at user_id=\"ou_1\">Tom</at> <at user_id=\"ou_2\">Eve</at>");
    assert_eq!(status_and_code(&chat, TOKEN, &body).1, "0");
    let shown = chat.deliveries().pop().unwrap().shown;
    assert_eq!(
        (shown.text.as_str(), &shown.mentions[..]),
        ("@Tom @Eve", &["ou_1".to_owned()][..])
    );
}

#[test]
fn behaviour_selects_codes_and_the_form_of_answers() {
    let behaviour = |behaviour| {
        let chat = Chat::builder(Kind::Lark).robot(robot().keyword("note"));
        chat.behaviour(behaviour).start().unwrap()
    };
    let chat = behaviour(Behaviour {
        success: Success::StatusCode,
        too_long_code: 19036,
        bad_request_status: 200,
        note_has_keywords: true,
        ..Behaviour::default()
    });
    let answer = send(&chat, &post(&chat, TOKEN, &card("x")));
    assert_eq!(
        answer.body,
        r#"{"Extra":null,"StatusCode":0,"StatusMessage":"success"}"#
    );
    let long = text(&"x".repeat(20_000));
    assert_eq!(status_and_code(&chat, TOKEN, &long), (200, "19036".into()));
    assert_eq!(
        status_and_code(&chat, TOKEN, &json!([])),
        (200, "9499".into())
    );
    let both = chat_with(Kind::Lark, robot());
    assert_eq!(
        send(&both, &post(&both, TOKEN, &text("x"))).body,
        r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#
    );
}
