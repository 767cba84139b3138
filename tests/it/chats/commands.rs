//! The commands with the other chats.

use super::CHATS;
use super::answers::{TOKEN, stand_in, token};
use crate::platform::run;
use crate::samples::{REBOOT, STOPPED, sample};
use ecs_dingtalk_notifier::channel::Chat;
use serde_json::{Value, json};
use std::process::Output;

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// `check` prints the chats, their pace and how they sign, and nothing that is secret.
#[test]
fn check_prints_the_routes_of_all_chats_masked() {
    let vars = [
        (
            "DINGTALK_WEBHOOK",
            "https://oapi.dingtalk.com/robot/send?access_token=4f3c2b1a4f3c2b1a",
        ),
        (
            "LARK_WEBHOOK__L",
            "https://open.feishu.cn/open-apis/bot/v2/hook/4f3c2b1a-4f3c2b1a",
        ),
        ("LARK_SECRET__L", "mysecret"),
        ("LARK_KEYWORD__L", "ops"),
        ("LARK_AT_USER_IDS__L", "ou_1"),
        (
            "WECOM_WEBHOOK__W",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=4f3c2b1a-4f3c2b1a",
        ),
        (
            "SLACK_WEBHOOK__S",
            "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/4f3c2b1a4f3c2b1a",
        ),
        (
            "SLACK_FALLBACK_WEBHOOK__S",
            "https://hooks.slack.com/services/T0AAAAAAA/B0CCCCCCC/4f3c2b1a4f3c2b1b",
        ),
        ("RESOURCE_LOOKUP", "off"),
    ];
    let output = run(&["check"], &vars, "");
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    for secret in [
        "4f3c2b1a4f3c2b1a",
        "4f3c2b1a-4f3c",
        "mysecret",
        "B0BBBBBBB",
        "T0AAAAAAA",
    ] {
        assert!(!stdout.contains(secret), "{secret} in {stdout}");
    }
    let shown = stdout.lines().filter(|line| {
        let labels = [
            "route",
            "  chatbot",
            "  fallback",
            "  keyword",
            "  mentions",
            "  rate limit",
        ];
        labels.iter().any(|label| line.starts_with(label))
    });
    let shown: Vec<&str> = shown.collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    insta::assert_snapshot!(shown.join("\n"));
}

/// `preview` prints the exact body as one JSON value; `send` sends it.
#[test]
fn preview_prints_what_send_sends() {
    let payload = sample(STOPPED);
    for chat in CHATS {
        let group = stand_in(chat);
        let webhook = group.webhook(token(chat, TOKEN));
        let [name, secret] = ["WEBHOOK", "SECRET"].map(|name| format!("{}{name}", chat.prefix()));
        let mut vars = vec![
            (name.as_str(), webhook.as_str()),
            ("EVENT_LEVELS", "INFO"),
            ("MESSAGE_LANGUAGE", "en"),
            ("RESOURCE_LOOKUP", "off"),
        ];
        if chat == Chat::Lark {
            vars.push((&secret, "demo"));
            group.configure(token(chat, TOKEN), |robot| {
                robot.secret = Some("demo".into())
            });
        }
        let output = run(&["preview", "-"], &vars, &payload);
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
        assert!(group.calls().is_empty(), "offline");
        let line = stdout.lines().find(|line| line.starts_with('{')).unwrap();
        let shown: Value = serde_json::from_str(line).unwrap();
        assert!(shown.get("timestamp").is_none() && shown.get("sign").is_none());
        let size = stdout.lines().find(|line| line.contains(" of ")).unwrap();
        let (max, unit) = match chat {
            Chat::Lark => (20_000, "bytes"),
            Chat::WeCom => (4_096, "bytes"),
            _ => (12_000, "characters"),
        };
        assert!(size.ends_with(&format!(" of {max} {unit}:")), "{size}");

        let output = run(&["send", "-"], &vars, &payload);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let [call] = group.calls().try_into().unwrap();
        let mut sent = call.body.unwrap();
        let object = sent.as_object_mut().unwrap();
        let signed = object.remove("timestamp").is_some() && object.remove("sign").is_some();
        assert_eq!(signed, chat == Chat::Lark);
        assert_eq!(sent, shown, "{}", chat.name());
        // The log has the chat's own code, and `history` reads it.
        let logged: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
        let code = if chat == Chat::Slack {
            json!("ok")
        } else {
            json!(0)
        };
        assert_eq!(logged["errcode"], code);
        let output = run(&["history", "--json", "-"], &[], &stdout);
        let history: Value = serde_json::from_str(&texts(&output).0).unwrap();
        assert_eq!(output.status.code(), Some(0), "{history}");
        assert_eq!(history["neverShown"], json!([]));
    }
}

/// A word for a code goes through log, answer and `history`.
#[test]
fn a_word_for_a_code_is_told_everywhere() {
    let group = stand_in(Chat::Slack);
    group.push_fault(fake_chats::Fault::word(404, "no_active_hooks"));
    let webhook = group.webhook(token(Chat::Slack, TOKEN));
    let vars = [
        ("SLACK_WEBHOOK", webhook.as_str()),
        ("RESOURCE_LOOKUP", "off"),
    ];
    let output = run(&["send", "-"], &vars, &sample(REBOOT));
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("install the app again"), "{stderr}");
    let output = run(&["history", "-"], &[], &stdout);
    let (told, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("refused, errcode no_active_hooks"), "{told}");
    assert!(told.contains("SLACK_WEBHOOK"), "{told}");
}

#[test]
fn check_live_asks_each_chat_for_the_time() {
    for chat in CHATS {
        let group = stand_in(chat);
        let webhook = group.webhook(token(chat, TOKEN));
        let name = format!("{}WEBHOOK", chat.prefix());
        let vars = [
            (name.as_str(), webhook.as_str()),
            ("RESOURCE_LOOKUP", "off"),
        ];
        let output = run(&["check", "--live"], &vars, "");
        let (stdout, _) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stdout}");
        assert!(
            stdout.contains("good  route default: 127.0.0.1 answers"),
            "{stdout}"
        );
        assert!(
            stdout.contains("good  route default: this clock is "),
            "{stdout}"
        );
        assert!(group.calls().is_empty() && group.visits().len() == 1);
        // What is wrong on the way is told, without the token.
        drop(group);
        let output = run(&["check", "--live"], &vars, "");
        let (stdout, _) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{stdout}");
        assert!(!stdout.contains(token(chat, TOKEN)), "{stdout}");
    }
}
