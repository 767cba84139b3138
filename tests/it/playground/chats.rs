//! The group in another chat: its messages, faults and variables.

use super::{EventStream, Playground, fire};
use crate::samples::{REBOOT, STOPPED};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;

/// The chats beside DingTalk, and whom the playground mentions there at first.
const CHATS: [(&str, &str); 3] = [
    ("lark", "@ou_oncall01"),
    ("wecom", "@oncall01"),
    ("slack", "@U0ONCALL1"),
];

fn start(chat: &str) -> Playground {
    Playground::start(&[("PLAYGROUND_CHAT", chat), ("MESSAGE_LANGUAGE", "en")])
}

fn state(playground: &Playground) -> Value {
    playground.events().next("state", |_| true)
}

#[test]
fn each_chat_shows_messages_and_whose_they_are() {
    for (chat, mention) in CHATS {
        let playground = start(chat);
        let (invocation, message) = fire(&playground, REBOOT, 7);
        assert_eq!(invocation["outcomes"], json!(["delivered"]), "{chat}");
        let message = message.unwrap();
        assert_eq!(message["chat"], chat);
        assert_eq!(message["mentioned"], 1, "{message}");
        let title = "🔴 Instance restart because of system maintenance · Scheduled · test-host-01";
        assert_eq!(message["title"], title);
        let html = message["html"].as_str().unwrap();
        let mention = format!("<span class=\"mention\">{mention}</span>");
        for part in ["<strong>team</strong>: shop", &mention] {
            assert!(html.contains(part), "{chat}: {part}: {html}");
        }
        let console = "https://ecs.console.aliyun.com/";
        let footer = "CloudMonitor · ECS · Instance:SystemMaintenance.Reboot:Scheduled · ";
        let (has_heading, color) = match chat {
            "lark" => (true, json!("red")),
            "slack" => (true, json!(null)),
            _ => (false, json!(null)),
        };
        let heading = if has_heading {
            json!(title)
        } else {
            json!(null)
        };
        assert_eq!((&message["heading"], &message["color"]), (&heading, &color));
        if chat == "lark" {
            let href = message["buttons"][0]["href"].as_str().unwrap();
            assert!(href.starts_with(console), "{href}");
        } else {
            let link = format!("<a href=\"{console}");
            assert!(html.contains(&link), "{chat}: {html}");
        }
        if chat == "wecom" {
            assert!(
                html.starts_with("<h3><span class=\"font-warning\">"),
                "{html}"
            );
            assert!(
                html.contains("<span class=\"font-comment\">CloudMonitor"),
                "{html}"
            );
        } else {
            let note = message["note"].as_str().unwrap();
            assert!(note.starts_with(footer), "{note}");
        }
        let (_, detail) = playground.get("/invocation?number=7");
        assert_eq!(detail["calls"].as_array().unwrap().len(), 1, "{detail}");
        assert_eq!(detail["calls"][0]["bytes"], message["bytes"]);
        let code = if chat == "slack" { "ok" } else { "0" };
        assert_eq!(detail["calls"][0]["errcode"], code);
    }
}

/// Fires as invocation `number`. Returns what it came to.
fn answered(playground: &Playground, events: &mut EventStream, number: u64) -> Value {
    playground.post("/fire", &json!({ "file": STOPPED }));
    events.next("invocation", |i| {
        i["number"] == number && !i["status"].is_null()
    })
}

#[test]
fn each_fault_of_a_chat_has_its_own_remedy() {
    for (chat, faults) in [
        (
            "lark",
            [
                ("keyword", "Refused", "set LARK_KEYWORD"),
                ("secret", "Refused", "set LARK_SECRET"),
                ("clock", "Refused", "s behind Lark's"),
                ("token", "Refused", "LARK_WEBHOOK again"),
                ("address", "Refused", "listed addresses"),
            ]
            .as_slice(),
        ),
        (
            "wecom",
            &[
                ("token", "Refused", "knows no such key"),
                ("stopped", "Refused", "the chatbot is disabled"),
                ("removed", "Refused", "not in the group"),
            ],
        ),
        (
            "slack",
            &[
                ("token", "Refused", "create the webhook anew"),
                ("stopped", "Refused", "no longer installed"),
                ("dissolved", "Refused", "the channel is archived or gone"),
                ("archived", "Refused", "the channel is archived or gone"),
                ("forbidden", "Refused", "a rule of the workspace"),
            ],
        ),
    ] {
        let playground = start(chat);
        let mut events = playground.events();
        let mut number = 6;
        let mut fire = |events: &mut EventStream| {
            number += 1;
            answered(&playground, events, number)
        };
        for (fault, error_type, remedy) in faults {
            let (status, _) = playground.post("/break", &json!({ "fault": fault }));
            assert_eq!(status, 200, "{chat} {fault}");
            let invocation = fire(&mut events);
            assert_eq!(invocation["errorType"], *error_type, "{chat} {fault}");
            let text = invocation["remedies"][0].as_str().unwrap();
            assert!(text.contains(remedy), "{chat} {fault}: {text}");
            playground.post("/restart", &json!({}));
        }

        // These chats do not recognise a repeat, so the message says that it may be one.
        playground.post("/break", &json!({"fault": "lost"}));
        let invocation = fire(&mut events);
        assert_eq!(invocation["outcomes"], json!(["delivered"]), "{chat}");
        let detail = format!("/invocation?number={}", invocation["number"]);
        let detail = playground.get(&detail).1;
        assert_eq!(
            detail["calls"].as_array().unwrap().len(),
            2,
            "{chat}: {detail}"
        );
        let mut own = playground.events();
        let uuid = &invocation["uuids"][0];
        let message = own.next("message", |message| {
            let text = message["text"].as_str().unwrap();
            message["uuid"] == *uuid && text.contains("may be a repeat")
        });
        assert_eq!(message["chat"], chat);

        // A pause is shown until a restart.
        playground.post("/break", &json!({"fault": "throttled"}));
        let invocation = fire(&mut events);
        assert_eq!(invocation["errorType"], "Throttled", "{chat}");
        let text = invocation["remedies"][0].as_str().unwrap();
        let prefix = chat.to_uppercase();
        assert!(text.contains(&format!("{prefix}_RATE_LIMIT")), "{text}");
        let is_banned = |state: &Value| state["bannedUntil"].is_u64();
        let state = playground.events().next("state", is_banned);
        let left = state["bannedUntil"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
        assert!((50_000..=60_000).contains(&left), "{chat}: {left}");
        playground.post("/break", &json!({"fault": "none"}));
        assert_eq!(fire(&mut events)["errorType"], "Throttled", "{chat}");
        playground.post("/restart", &json!({}));
        assert_eq!(
            fire(&mut events)["outcomes"],
            json!(["delivered"]),
            "{chat}"
        );

        // Other chats' faults are none here.
        let (status, _) = playground.post("/break", &json!({"fault": "flood"}));
        assert_eq!(status, 404, "{chat}");
    }
}

#[test]
fn what_a_chat_refuses_is_sent_once_more_in_another_form() {
    for (chat, fault, lacks) in [
        ("lark", "mention", "class=\"mention\""),
        ("slack", "blocks", "<h3>"),
    ] {
        let playground = start(chat);
        playground.post("/break", &json!({ "fault": fault }));
        let (invocation, message) = fire(&playground, REBOOT, 7);
        assert_eq!(invocation["outcomes"], json!(["delivered"]), "{chat}");
        let message = message.unwrap();
        let html = message["html"].as_str().unwrap();
        assert!(!html.contains(lacks), "{chat}: {html}");
        let (_, detail) = playground.get("/invocation?number=7");
        assert_eq!(detail["calls"].as_array().unwrap().len(), 2, "{detail}");
        match chat {
            "lark" => {
                assert_eq!(message["mentioned"], 0);
                let remedy = invocation["remedies"][0].as_str().unwrap();
                assert!(remedy.contains("set LARK_AT_USER_IDS"), "{remedy}");
            }
            _ => {
                assert_eq!(message["heading"], json!(null));
                assert_eq!(state(&playground)["fault"], "none");
            }
        }
    }
}

#[test]
fn the_group_moves_from_chat_to_chat() {
    let playground = Playground::start(&[("LARK_AT_USER_IDS", "ou_manager7675")]);
    assert_eq!(state(&playground)["chat"], "dingtalk");
    playground.post("/break", &json!({"fault": "flood"}));
    let mut number = 6;
    for (chat, webhook) in [
        (
            "slack",
            "SLACK_WEBHOOK='https://hooks.slack.com/services/'\n",
        ),
        (
            "lark",
            "LARK_WEBHOOK='https://open.feishu.cn/open-apis/bot/v2/hook/'\nLARK_SECRET=''\n",
        ),
        (
            "wecom",
            "WECOM_WEBHOOK='https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key='\n",
        ),
        (
            "dingtalk",
            "DINGTALK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token='\nDINGTALK_SECRET='SEC'\n",
        ),
    ] {
        let (status, answer) = playground.post("/chat", &json!({ "chat": chat }));
        assert_eq!(status, 200, "{answer}");
        let state = state(&playground);
        // Each chat has its own faults and lines.
        assert_eq!(
            (&state["chat"], &state["fault"]),
            (&json!(chat), &json!("none"))
        );
        let env = state["env"].as_str().unwrap();
        assert!(env.starts_with(webhook), "{env}");
        let prefix = format!("{}_", chat.to_uppercase());
        let others = ["DINGTALK_", "LARK_", "WECOM_", "SLACK_"];
        for other in others.iter().filter(|other| **other != prefix) {
            assert!(!env.contains(other), "{env}");
        }
        assert_eq!(env.contains("ou_manager7675"), chat == "lark", "{env}");
        number += 1;
        let (_, message) = fire(&playground, STOPPED, number);
        assert_eq!(message.unwrap()["chat"], chat);
    }
    assert_eq!(playground.post("/chat", &json!({"chat": "teams"})).0, 404);

    // Variables that the chat has not are faults, as in a deployment.
    playground.post("/chat", &json!({"chat": "wecom"}));
    let form = json!({
        "vars": {"WECOM_RATE_LIMIT": "60", "LARK_AT_USER_IDS": "x"}, "signing": true, "fallback": true,
        "more": "WECOM_SECRET=x",
    });
    let (status, answer) = playground.post("/configure", &form);
    assert_eq!(status, 422);
    let variables = &answer["variables"];
    assert_eq!(*variables, json!(["WECOM_SECRET", "WECOM_RATE_LIMIT"]));
}

#[test]
fn a_burst_in_each_chat_is_few_messages_and_all_know_their_invocations() {
    for (chat, _) in CHATS {
        let playground = start(chat);
        let burst = json!({"count": 60, "seconds": 0, "mixed": false});
        assert_eq!(playground.post("/burst", &burst).0, 202);
        let mut events = playground.events();
        let over = events.next("burst", |burst| burst["finished"] == true);
        assert_eq!(over["outcomes"], json!({"delivered": 60}), "{chat}");
        // By message one of its invocations.
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        let mut events = playground.events();
        for _ in 0..60 {
            let invocation = events.next("invocation", |i| {
                !i["burst"].is_null() && !i["status"].is_null()
            });
            let uuid = invocation["uuids"][0].as_str().unwrap().to_owned();
            numbers.insert(uuid, invocation["number"].as_u64().unwrap());
        }
        let count = numbers.len();
        assert!((1..=10).contains(&count), "{chat}: {count}");
        for (uuid, number) in numbers {
            let mut events = playground.events();
            let message = events.next("message", |message| message["uuid"] == *uuid);
            let (_, detail) = playground.get(&format!("/invocation?number={number}"));
            let calls = detail["calls"].as_array().unwrap();
            assert_eq!(calls.len(), 1, "{chat}: {calls:?}");
            assert_eq!(calls[0]["bytes"], message["bytes"], "{chat}");
        }
    }
}

#[test]
fn once_takes_the_chat_of_the_variable_and_refuses_another_name() {
    for (chat, name) in [("lark", "A Lark group"), ("wecom", "A WeCom group")] {
        let mut command = Command::new(super::example());
        command
            .arg("--once")
            .env_clear()
            .env("PLAYGROUND_CHAT", chat);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.contains(name), "{text}");
        assert!(text.contains("the group got 5 messages"), "{text}");
    }
    let mut command = Command::new(super::example());
    command.env_clear().env("PLAYGROUND_CHAT", "teams");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("dingtalk, lark, wecom, slack"), "{text}");
}
