//! Tests of the stand-ins through their public interface, over HTTP.

mod common;
mod faults;
mod lark;
mod slack;
mod wecom;

use fake_chats::{Chat, Kind, Robot};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// In milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;

/// A request as a test changes it.
struct Post<'a> {
    method: &'a str,
    target: String,
    head: String,
    body: Vec<u8>,
}

/// A response: status, head, body. The status is 0 if there was none.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// The code, or Slack's word.
    fn code(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        ["code", "StatusCode", "errcode"]
            .iter()
            .find_map(|name| json.get(*name))
            .map_or_else(|| self.body.clone(), Value::to_string)
    }
}

/// Returns a request with this body to the chatbot with this token.
fn post<'a>(chat: &Chat, token: &str, body: &Value) -> Post<'a> {
    let webhook = chat.webhook(token);
    let (_, target) = webhook.split_once("//").unwrap();
    let (_, target) = target.split_once('/').unwrap();
    Post {
        method: "POST",
        target: format!("/{target}"),
        head: "Host: x\r\nContent-Type: application/json; charset=utf-8\r\n".into(),
        body: body.to_string().into_bytes(),
    }
}

/// Sends a request on a new connection. No answer may hold a part of the token.
fn send(chat: &Chat, post: &Post) -> Answer {
    let mut stream = TcpStream::connect(chat.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let Post {
        method,
        target,
        head,
        body,
    } = post;
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    assert!(!text.contains("s3cret"), "the token is echoed: {text}");
    Answer {
        status: text.split(' ').nth(1).map_or(0, |s| s.parse().unwrap()),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Posts a message to the chatbot with this token. Returns status and code.
fn status_and_code(chat: &Chat, token: &str, body: &Value) -> (u16, String) {
    let answer = send(chat, &post(chat, token, body));
    (answer.status, answer.code())
}

/// A chat with an injected clock that stands at [`NOW`].
fn chat_with(kind: Kind, robot: Robot) -> Chat {
    let builder = Chat::builder(kind).robot(robot).clock_ms(NOW);
    builder.start().unwrap()
}
