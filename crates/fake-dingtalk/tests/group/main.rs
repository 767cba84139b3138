//! Tests of the stand-in through its public interface, over HTTP.

mod checks;
mod controls;
mod faults;
mod faulty_proxy;
mod refusals;

use fake_dingtalk::{Group, Robot, sign};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const TOKEN: &str = "4f3c2b1a4f3c2b1a";
const SECRET: &str = "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68";
const NOW: u64 = 1_582_163_555_000;

/// Sends a request on a new connection. Returns status and body of the response; status 0 if there
/// was none.
fn request(
    group: &Group,
    method: &str,
    target: &str,
    content_type: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(group.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nX-Test-Peer: 203.0.113.9\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

/// A message that every chatbot here accepts.
fn markdown() -> Value {
    json!({"msgtype": "markdown", "markdown": {"title": "t", "text": "CloudMonitor"}})
}

/// Posts a message to the chatbot [`TOKEN`] with these further query parameters.
fn post(group: &Group, query: &str, body: &Value) -> Value {
    let target = format!("/robot/send?access_token={TOKEN}{query}");
    let (status, answer) = request(
        group,
        "POST",
        &target,
        "application/json; charset=utf-8",
        &body.to_string(),
    );
    assert_eq!(status, 200, "refusals are HTTP 200 too");
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

/// Percent-encodes Base64.
fn encode(text: &str) -> String {
    text.replace('%', "%25")
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

/// The query parameters of a signature.
fn signed(timestamp: u64, secret: &str) -> String {
    format!(
        "&timestamp={timestamp}&sign={}",
        encode(&sign(timestamp, secret))
    )
}

/// A group with an injected clock that stands at [`NOW`].
fn group_with(robot: Robot) -> Group {
    Group::builder().robot(robot).clock_ms(NOW).start().unwrap()
}
