//! WeCom: every refusal, and what its members see.

use crate::{Post, chat_with, post, send, status_and_code};
use fake_chats::{Behaviour, Fault, Kind, Robot, State};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "s3cret-0123-4567";

fn markdown(content: &str) -> Value {
    json!({"msgtype": "markdown", "markdown": {"content": content}})
}

fn text(content: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": content}})
}

#[test]
fn every_refusal_has_its_code() {
    let two = "中".repeat(682);
    for (robot, body, code) in [
        (Robot::new("another"), markdown("x"), 93000),
        (
            Robot::new(KEY),
            json!({"markdown": {"content": "x"}}),
            40008,
        ),
        (
            Robot::new(KEY),
            json!({"msgtype": "Markdown", "Markdown": {"content": "x"}}),
            40008,
        ),
        (Robot::new(KEY), json!({"msgtype": "markdown"}), 44004),
        (
            Robot::new(KEY),
            json!({"msgtype": "markdown", "text": {"content": "x"}}),
            44004,
        ),
        (Robot::new(KEY), markdown(""), 44004),
        // In bytes, and of the content alone.
        (Robot::new(KEY), markdown(&"x".repeat(4_096)), 0),
        (Robot::new(KEY), markdown(&"x".repeat(4_097)), 40058),
        (Robot::new(KEY), markdown(&"中".repeat(1_366)), 40058),
        (Robot::new(KEY), text(&format!("{two}xx")), 0),
        (Robot::new(KEY), text(&format!("{two}xxx")), 40058),
        (
            Robot::new(KEY),
            json!({"msgtype": "text", "text": {"content": "x", "mentioned_list": "tom"}}),
            40035,
        ),
        (
            Robot::new(KEY),
            json!({"msgtype": "text", "text": {"content": "x", "mentioned_mobile_list": [1]}}),
            40035,
        ),
        (
            Robot::new(KEY),
            json!({"msgtype": "markdown", "markdown": {"content": "x", "mentioned_list": ["tom"]}}),
            40035,
        ),
        (Robot::new(KEY), json!([]), 44004),
        (
            Robot::new(KEY),
            json!({"msgtype": "markdown_v2", "markdown_v2": {"content": "x"}}),
            0,
        ),
    ] {
        let chat = chat_with(Kind::WeCom, robot);
        let answer = send(&chat, &post(&chat, KEY, &body));
        assert_eq!(
            (answer.status, answer.code()),
            (200, code.to_string()),
            "{body}"
        );
        assert_eq!(chat.deliveries().len(), usize::from(code == 0), "{body}");
        if code == 40058 {
            assert!(answer.body.contains(".content exceed max length"));
            assert!(answer.body.contains("hint: ["));
        }
    }
    for (state, code) in [
        (State::Removed, 93000),
        (State::Stopped, 93004),
        (State::GroupGone, 93008),
    ] {
        let chat = chat_with(Kind::WeCom, Robot::new(KEY));
        chat.configure(KEY, |robot| robot.state = state);
        let answer = status_and_code(&chat, KEY, &markdown("x"));
        assert_eq!(answer, (200, code.to_string()));
    }
}

#[test]
fn requests_of_another_form_are_refused() {
    let chat = chat_with(Kind::WeCom, Robot::new(KEY));
    let good = || post(&chat, KEY, &markdown("中"));
    let form = "Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let escaped = r#"{"msgtype":"markdown","markdown":{"content":"\u4e2d"}}"#;
    let newline = r#"{"msgtype":"markdown","markdown":{"content":"a\nb\u0009\\u4e2d"}}"#;
    let twice = r#"{"msgtype":"text","msgtype":"text","text":{"content":"x"}}"#;
    let latin = b"{\"msgtype\":\"text\",\"text\":{\"content\":\"\xe9\"}}";
    let status = |status: u16| format!("<html><h1>{status}</h1></html>");
    for (request, expected) in [
        (good(), (200, "0".to_owned())),
        (
            Post {
                body: newline.into(),
                ..good()
            },
            (200, "0".into()),
        ),
        (
            Post {
                body: escaped.into(),
                ..good()
            },
            (200, "40033".into()),
        ),
        (
            Post {
                body: twice.into(),
                ..good()
            },
            (200, "44004".into()),
        ),
        (
            Post {
                body: latin.into(),
                ..good()
            },
            (200, "44004".into()),
        ),
        (
            Post {
                body: Vec::new(),
                ..good()
            },
            (200, "44001".into()),
        ),
        (
            Post {
                method: "GET",
                ..good()
            },
            (200, "43002".into()),
        ),
        (
            Post {
                head: form.into(),
                ..good()
            },
            (415, status(415)),
        ),
        (
            Post {
                target: "/cgi-bin/webhook/send".into(),
                ..good()
            },
            (200, "93000".into()),
        ),
        (
            Post {
                target: "/cgi-bin/message/send?key=x".into(),
                ..good()
            },
            (404, status(404)),
        ),
    ] {
        let answer = send(&chat, &request);
        assert_eq!((answer.status, answer.code()), expected);
    }
    assert_eq!(chat.deliveries().len(), 2);
    assert_eq!(chat.calls()[0].target, "/cgi-bin/webhook/send?key=***");
}

#[test]
fn twenty_calls_a_minute_are_taken() {
    let chat = chat_with(Kind::WeCom, Robot::new(KEY));
    let code = || status_and_code(&chat, KEY, &markdown("x")).1;
    for _ in 0..20 {
        assert_eq!(code(), "0");
    }
    assert_eq!(code(), "45009");
    chat.advance(Duration::from_millis(59_999));
    assert_eq!(code(), "45009");
    chat.advance(Duration::from_millis(1));
    assert_eq!(code(), "0");
    assert_eq!(chat.deliveries().len(), 21);
}

#[test]
fn a_message_is_shown_with_its_links_fonts_and_mentions() {
    let chat = chat_with(Kind::WeCom, Robot::new(KEY).member("tom").member("138"));
    let content = "**Title**\n<font color=\"warning\">x</font> <@tom><@eve> ＜@all＞ [l](https://example.com)";
    assert_eq!(status_and_code(&chat, KEY, &markdown(content)).1, "0");
    let shown = chat.deliveries().pop().unwrap();
    assert_eq!(shown.title, "Title");
    assert_eq!(shown.shown.text, "Title\nx @tom@eve ＜@all＞ l");
    assert_eq!(shown.shown.mentions, ["tom"]);
    assert_eq!(shown.shown.fonts[0].color, "warning");
    assert_eq!(shown.shown.links.len(), 1);

    let mut body = text("x **y**");
    body["text"]["mentioned_list"] = json!(["tom", "@all", "eve", "tom,138"]);
    body["text"]["mentioned_mobile_list"] = json!(["138"]);
    assert_eq!(status_and_code(&chat, KEY, &body).1, "0");
    let shown = chat.deliveries().pop().unwrap().shown;
    assert_eq!(shown.mentions, ["tom", "all", "138"]);
    assert_eq!((shown.text.as_str(), shown.styles.len()), ("x **y**", 0));

    // One element with two ids in it names nobody, whoever the members are.
    chat.configure(KEY, |robot| robot.members.clear());
    assert_eq!(status_and_code(&chat, KEY, &body).1, "0");
    let shown = chat.deliveries().pop().unwrap().shown;
    assert_eq!(shown.mentions, ["tom", "all", "eve", "138"]);
}

#[test]
fn behaviour_selects_what_is_not_documented() {
    let chat = chat_with(Kind::WeCom, Robot::new(KEY));
    chat.set_behaviour(Behaviour {
        refuses_escapes: false,
        cuts_long_text: true,
        ignores_stray_mentions: true,
        ..Behaviour::default()
    });
    let long = format!("x{}", "中".repeat(700));
    assert_eq!(status_and_code(&chat, KEY, &text(&long)).1, "0");
    let cut = chat.deliveries().pop().unwrap().shown.text;
    assert_eq!(cut, format!("x{}", "中".repeat(682)));
    let mut stray = markdown("x");
    stray["markdown"]["mentioned_list"] = json!(["tom"]);
    assert_eq!(status_and_code(&chat, KEY, &stray).1, "0");
    assert!(chat.deliveries().pop().unwrap().shown.mentions.is_empty());
    chat.push_fault(Fault::Warning);
    let answer = send(&chat, &post(&chat, KEY, &markdown("x")));
    assert_eq!(
        answer.body,
        r#"{"errcode":0,"errmsg":"Warning: wrong json format. ok"}"#
    );
    assert_eq!(chat.deliveries().len(), 3);
}
