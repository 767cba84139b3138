//! Slack: every refusal, and what its members see.

use crate::{Post, chat_with, post, send, status_and_code};
use fake_chats::{Behaviour, Kind, Robot, State};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "T0001/B0001/s3cretXXXXXXXXXXXXXXXXXX";

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": false}})
}

fn button(text: &str, address: &str) -> Value {
    json!({"type": "actions", "elements": [
        {"type": "button", "text": {"type": "plain_text", "text": text}, "url": address}]})
}

fn blocks(blocks: Vec<Value>) -> Value {
    json!({"text": "fallback", "blocks": blocks})
}

#[test]
fn every_refusal_of_a_message_is_a_word() {
    let fields = |count: usize, length: usize| json!({"type": "section", "fields": vec![mrkdwn(&"x".repeat(length)); count]});
    let context = |count: usize| json!({"type": "context", "elements": vec![mrkdwn("x"); count]});
    let ok = "ok";
    let (invalid, too_long) = ("invalid_blocks", "msg_blocks_too_long");
    for (body, expected) in [
        (json!({"text": "x"}), ok),
        (json!({}), "no_text"),
        (json!({"text": ""}), "no_text"),
        (json!({"blocks": []}), "no_text"),
        (json!({"text": 1}), "invalid_payload"),
        (json!([]), "invalid_payload"),
        (json!({"text": "x", "blocks": {}}), "invalid_blocks_format"),
        (
            json!({"text": "x", "attachments": vec![json!({}); 101]}),
            "too_many_attachments",
        ),
        (blocks(vec![json!({"type": "divider"}); 50]), ok),
        (blocks(vec![json!({"type": "divider"}); 51]), invalid),
        (blocks(vec![header(&"x".repeat(150))]), ok),
        (blocks(vec![header(&"x".repeat(151))]), invalid),
        // In UTF-16 units.
        (blocks(vec![header(&"🔴".repeat(76))]), invalid),
        (blocks(vec![header("")]), invalid),
        (
            blocks(vec![json!({"type": "header", "text": mrkdwn("x")})]),
            invalid,
        ),
        (blocks(vec![section(&"x".repeat(3_000))]), ok),
        (blocks(vec![section(&"x".repeat(3_001))]), invalid),
        (blocks(vec![section("")]), invalid),
        (blocks(vec![json!({"type": "section"})]), invalid),
        (blocks(vec![fields(10, 1_320)]), ok),
        (blocks(vec![fields(10, 1_321)]), too_long),
        (blocks(vec![fields(11, 1)]), invalid),
        (blocks(vec![fields(1, 2_001)]), invalid),
        (blocks(vec![context(10)]), ok),
        (blocks(vec![context(11)]), invalid),
        (blocks(vec![context(0)]), invalid),
        (
            blocks(vec![button(&"x".repeat(75), "https://example.com/")]),
            ok,
        ),
        (
            blocks(vec![button(&"x".repeat(76), "https://example.com/")]),
            invalid,
        ),
        (
            blocks(vec![button("x", &format!("https://{}", "x".repeat(2_993)))]),
            invalid,
        ),
        (blocks(vec![button("x", "javascript:alert(1)")]), invalid),
        (
            blocks(vec![json!({"type": "markdown", "text": "x"})]),
            invalid,
        ),
        (blocks(vec![json!({"type": "marquee"})]), invalid),
        (
            blocks(vec![json!({"type": "divider", "color": "red"})]),
            invalid,
        ),
        (
            blocks(vec![json!({"type": "divider", "block_id": "a"}); 2]),
            invalid,
        ),
        (blocks(vec![section(&"x".repeat(2_640)); 5]), ok),
        (
            blocks([vec![section(&"x".repeat(2_640)); 5], vec![section("x")]].concat()),
            too_long,
        ),
        (
            blocks(vec![json!({"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}]}]})]),
            ok,
        ),
    ] {
        let chat = chat_with(Kind::Slack, Robot::new(TOKEN));
        let answer = send(&chat, &post(&chat, TOKEN, &body));
        assert_eq!(answer.body, expected, "{body}");
        assert_eq!(answer.status, if expected == ok { 200 } else { 400 });
        assert!(answer.head.contains("Content-Type: text/html"));
        assert_eq!(chat.deliveries().len(), usize::from(expected == ok));
    }
}

#[test]
fn every_refusal_of_a_webhook_is_a_word() {
    let chat = chat_with(Kind::Slack, Robot::new(TOKEN));
    let good = || post(&chat, TOKEN, &json!({"text": "x"}));
    let to = |token: &str| Post {
        target: format!("/services/{token}"),
        ..good()
    };
    for (request, status, word) in [
        (to("T0001/B0001/another"), 403, "invalid_token"),
        (to("T0001/B0002/another"), 404, "no_service"),
        (to("T0001/B0001"), 404, "no_service"),
        (to(&format!("{TOKEN}/")), 404, "no_service"),
        (
            Post {
                target: "/workflows/T0001".into(),
                ..good()
            },
            404,
            "no_service",
        ),
        (
            Post {
                method: "GET",
                ..good()
            },
            400,
            "invalid_payload",
        ),
        (
            Post {
                head: "Content-Type: application/json\r\n".into(),
                ..good()
            },
            400,
            "invalid_payload",
        ),
        (
            Post {
                body: br#"{"text": "x", "text": "y"}"#.into(),
                ..good()
            },
            400,
            "invalid_payload",
        ),
        (
            Post {
                body: b"payload=x".into(),
                ..good()
            },
            400,
            "invalid_payload",
        ),
    ] {
        chat.reset_rate_limit(TOKEN);
        let answer = send(&chat, &request);
        assert_eq!((answer.status, answer.body.as_str()), (status, word));
    }
    for (state, status, word) in [
        (State::Removed, 404, "no_service"),
        (State::Stopped, 404, "no_active_hooks"),
        (State::GroupGone, 404, "channel_not_found"),
        (State::Archived, 410, "channel_is_archived"),
        (State::Forbidden, 403, "action_prohibited"),
    ] {
        chat.configure(TOKEN, |robot| robot.state = state);
        let answer = send(&chat, &good());
        assert_eq!((answer.status, answer.body.as_str()), (status, word));
    }
    assert!(chat.deliveries().is_empty());
}

#[test]
fn who_sends_on_during_a_pause_is_switched_off() {
    let chat = chat_with(Kind::Slack, Robot::new(TOKEN));
    let send = || send(&chat, &post(&chat, TOKEN, &json!({"text": "x"})));
    chat.set_behaviour(Behaviour {
        pause: Duration::from_secs(30),
        patience: 2,
        ..Behaviour::default()
    });
    for _ in 0..5 {
        assert_eq!(send().status, 200);
    }
    let refused = send();
    assert_eq!(refused.status, 429);
    assert!(
        refused.head.contains("Retry-After: 30\r\n"),
        "{}",
        refused.head
    );
    assert_eq!(
        refused.body,
        r#"{"error":"rate_limited","ok":false,"retry_after":30}"#
    );
    chat.advance(Duration::from_millis(28_500));
    let refused = send();
    assert!(
        refused.head.contains("Retry-After: 2\r\n"),
        "{}",
        refused.head
    );
    chat.advance(Duration::from_millis(1_500));
    assert_eq!(send().status, 200);

    // One a second is taken for ever.
    for _ in 0..60 {
        chat.advance(Duration::from_secs(1));
        assert_eq!(send().status, 200);
    }
    let statuses: Vec<u16> = (0..8).map(|_| send().status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 429, 404]);
    chat.advance(Duration::from_secs(3_600));
    assert_eq!(
        status_and_code(&chat, TOKEN, &json!({"text": "x"})),
        (404, "no_active_hooks".into())
    );
    chat.reset_rate_limit(TOKEN);
    assert_eq!(send().body, "ok");

    chat.set_behaviour(Behaviour {
        json_rate_limit: false,
        retry_after: false,
        ..Behaviour::default()
    });
    let refused = (0..9)
        .map(|_| send())
        .find(|answer| answer.status == 429)
        .unwrap();
    assert_eq!(refused.body, "rate_limited");
    assert!(!refused.head.contains("Retry-After"));
}

#[test]
fn a_message_is_shown_with_all_that_was_found_in_it() {
    let chat = chat_with(Kind::Slack, Robot::new(TOKEN));
    let body = json!({"text": "fallback <!channel>", "blocks": [
        header(":fire: <!here> &"),
        section("*b* &lt;!channel&gt; ＜!here＞ <@U1> <https://example.com/?a&amp;b|docs> & https://example.org"),
        {"type": "section", "text": {"type": "mrkdwn", "text": "https://example.net"}},
        button("Open", "https://example.com/"),
    ]});
    assert_eq!(status_and_code(&chat, TOKEN, &body).1, "ok");
    let shown = chat.deliveries().pop().unwrap();
    assert_eq!(
        (shown.form.as_str(), shown.title.as_str()),
        ("blocks", ":fire: <!here> &")
    );
    assert_eq!(
        shown.shown.text,
        ":fire: <!here> &\nb <!channel> ＜!here＞ @U1 docs & https://example.org\nhttps://example.net\nOpen"
    );
    assert_eq!(shown.shown.mentions, ["U1"]);
    assert!(shown.shown.emoji.is_empty());
    assert_eq!(shown.shown.ampersands, ["& https://ex"]);
    assert_eq!(
        shown.shown.tags,
        ["<@U1>", "<https://example.com/?a&amp;b|docs>"]
    );
    let links: Vec<_> = shown
        .shown
        .links
        .iter()
        .map(|l| l.address.as_str())
        .collect();
    assert_eq!(
        links,
        [
            "https://example.com/?a&b",
            "https://example.net",
            "https://example.com/"
        ]
    );
    assert_eq!(shown.fallback.mentions, ["channel"]);
    assert_eq!(chat.calls()[0].target, "/services/***");

    assert_eq!(
        status_and_code(&chat, TOKEN, &json!({"text": "line\nx :tada:"})).1,
        "ok"
    );
    let shown = chat.deliveries().pop().unwrap();
    assert_eq!(
        (shown.form.as_str(), shown.title.as_str()),
        ("text", "line")
    );
    assert_eq!(shown.shown.emoji, ["tada"]);
}
