//! One chat of each kind with a message that it accepts, and what all have in common.

use crate::{NOW, chat_with, post, send};
use fake_chats::{Chat, Fault, Kind, Robot};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A kind of chat, and a message that it accepts.
pub struct Each {
    pub kind: Kind,
    pub token: &'static str,
    pub body: Value,
    /// The answer.
    pub accepted: &'static str,
}

impl Each {
    pub fn all() -> [Each; 3] {
        let text = json!({"content": "x", "text": "x"});
        [
            Each {
                kind: Kind::Lark,
                token: "s3cret-lark",
                body: json!({"msg_type": "text", "content": text}),
                accepted: r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
            },
            Each {
                kind: Kind::WeCom,
                token: "s3cret-wecom",
                body: json!({"msgtype": "text", "text": text}),
                accepted: r#"{"errcode":0,"errmsg":"ok"}"#,
            },
            Each {
                kind: Kind::Slack,
                token: "T1/B1/s3cret",
                body: text,
                accepted: "ok",
            },
        ]
    }

    pub fn robot(&self) -> Robot {
        Robot::new(self.token)
    }
}

#[test]
fn calls_have_status_code_and_time_and_no_token_in_their_target() {
    for each in Each::all() {
        let chat = chat_with(each.kind, each.robot());
        send(&chat, &post(&chat, each.token, &each.body));
        chat.push_fault(Fault::Html200);
        send(&chat, &post(&chat, each.token, &each.body));
        let calls = chat.calls();
        let [regular, replaced] = &calls[..] else {
            panic!("two calls");
        };
        assert_eq!((regular.status, regular.clock_ms), (Some(200), NOW));
        assert_eq!(regular.answer, each.accepted);
        assert_eq!(regular.token, each.token);
        assert_eq!(regular.body, Some(each.body.clone()));
        assert!(!regular.target.contains("s3cret"));
        assert_eq!((replaced.status, &replaced.code), (None, &None));
        chat.clear();
        assert!(chat.calls().is_empty() && chat.deliveries().is_empty());
    }
}

#[test]
fn the_page_tells_the_time_and_is_no_call() {
    for each in Each::all() {
        let chat = chat_with(each.kind, each.robot());
        let mut request = post(&chat, each.token, &each.body);
        request.method = "GET";
        request.target = "/?nonce=1".into();
        let answer = send(&chat, &request);
        assert_eq!(answer.status, 404);
        assert!(answer.head.contains("Date: Tue, 14 Nov 2023 22:13:20 GMT"));
        assert_eq!(chat.visits(), ["nonce=1"]);
        assert!(chat.calls().is_empty());
    }
}

#[test]
fn webhooks_have_the_path_of_their_chat_also_with_tls() {
    for each in Each::all() {
        let chat = Chat::builder(each.kind).robot(each.robot()).tls().start();
        let chat = chat.unwrap();
        let path = match each.kind {
            Kind::Lark => "/open-apis/bot/v2/hook/s3cret-lark",
            Kind::WeCom => "/cgi-bin/webhook/send?key=s3cret-wecom",
            Kind::Slack => "/services/T1/B1/s3cret",
        };
        let port = chat.addr().port();
        let webhook = format!("https://localhost:{port}{path}");
        assert_eq!(chat.webhook(each.token), webhook);
        assert!(chat.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE"));
    }
}

#[test]
fn the_admin_endpoint_serves_other_processes() {
    let each = &Each::all()[2];
    let chat = chat_with(each.kind, each.robot());
    let ask = |method: &str, path: &str, body: &str| {
        let mut stream = TcpStream::connect(chat.admin_addr()).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("POST", "/faults", "[\"Html200\"]").starts_with("HTTP/1.1 200"));
    assert!(ask("POST", "/faults", "[\"Unheard\"]").starts_with("HTTP/1.1 400"));
    assert!(ask("POST", "/clock", "{\"ms\": 5000}").starts_with("HTTP/1.1 200"));
    send(&chat, &post(&chat, each.token, &each.body));
    assert!(ask("GET", "/deliveries", "").ends_with("[]"));
    send(&chat, &post(&chat, each.token, &each.body));
    assert!(ask("GET", "/deliveries", "").contains("\"clockMs\":5000"));
    assert!(ask("DELETE", "/state", "").starts_with("HTTP/1.1 200"));
    assert!(chat.deliveries().is_empty());
    assert!(ask("GET", "/", "").starts_with("HTTP/1.1 404"));
}
