//! Tests of the stand-in through its public interface, over HTTP.

mod answers;
mod events;
mod faults;
mod refusals;

use fake_aliyun::{Cloud, Disk, Identity, Instance, authorize};
use fake_http::http::Request;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const ACCOUNT: &str = "1234567890123456";
const OTHER_ACCOUNT: &str = "6543210987654321";
const REGION: &str = "cn-hangzhou";
const ROLE: &str = "acs:ram::6543210987654321:role/ecs-notifier-read";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// 2026-11-25T01:01:00Z
const NOW: u64 = 1_795_568_460;

/// A cloud whose clock stands still, with twelve instances and two disks, and an identity.
fn cloud() -> (Cloud, Identity) {
    let cloud = Cloud::start();
    cloud.set_clock(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    for number in 1..=12 {
        let instance = Instance::new(&format!("i-{number}")).name("web");
        cloud.add_instance(ACCOUNT, REGION, instance.tag("owner", "shop"));
    }
    cloud.add_disk(ACCOUNT, REGION, Disk::new("d-1").attached(&["i-1"]));
    cloud.add_disk(ACCOUNT, REGION, Disk::new("d-2").attached(&["i-1", "i-2"]));
    cloud.add_role(ROLE, ACCOUNT);
    let identity = cloud.role_identity(ACCOUNT);
    (cloud, identity)
}

/// Returns a request for this action with all headers but `authorization`.
fn request(cloud: &Cloud, identity: &Identity, action: &str, query: &str) -> Request {
    static NONCES: AtomicU64 = AtomicU64::new(0);
    let nonce = format!("{:032x}", NONCES.fetch_add(1, Ordering::Relaxed));
    let version = match action {
        "AssumeRole" => "2015-04-01",
        _ => "2014-05-26",
    };
    let host = cloud.endpoint().replace("http://", "");
    let mut headers = vec![
        ("Host", host.as_str()),
        ("x-acs-action", action),
        ("x-acs-version", version),
        ("x-acs-date", "2026-11-25T01:01:00Z"),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-content-sha256", EMPTY),
    ];
    headers.extend(
        identity
            .token
            .as_deref()
            .map(|token| ("x-acs-security-token", token)),
    );
    Request {
        method: "POST".into(),
        target: format!("/?{query}"),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: Vec::new(),
    }
}

/// Sets a header or, with an empty value, removes it.
fn set(request: &mut Request, name: &str, value: &str) {
    request.headers.retain(|(known, _)| known != name);
    if !value.is_empty() {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

/// Sends a request on a new connection. Returns the head and the body of the response; both are
/// empty if there was none.
fn send(cloud: &Cloud, request: &Request) -> (String, Vec<u8>) {
    let address = cloud.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    // Either may meet a reset, which ends the answer too.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.map_or(0, |end| end + 4));
    (String::from_utf8_lossy(head).into_owned(), body.to_vec())
}

/// Signs and sends a request. Returns status and body.
fn call(cloud: &Cloud, identity: &Identity, mut request: Request) -> (u16, Value) {
    let authorization = authorize(&request, &identity.id, &identity.secret);
    set(&mut request, "Authorization", &authorization);
    parse(send(cloud, &request))
}

fn parse((head, body): (String, Vec<u8>)) -> (u16, Value) {
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (status.unwrap_or(0), body)
}

/// Makes a call that is right in all but its parameters.
fn ask(cloud: &Cloud, identity: &Identity, action: &str, query: &str) -> (u16, Value) {
    let request = request(cloud, identity, action, query);
    call(cloud, identity, request)
}

fn ids(body: &Value, path: &str, id: &str) -> Vec<String> {
    let list = body.pointer(path).and_then(Value::as_array).unwrap();
    let id = |shown: &Value| shown[id].as_str().unwrap().to_owned();
    list.iter().map(id).collect()
}
