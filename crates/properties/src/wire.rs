//! A chatbot's answer as it comes over a socket, HTTP and all: delivered only where a 0 can be found in it.

use crate::answer::{check_attempt, errcode};
use crate::framing::segments;
use ecs_dingtalk_notifier::channel::dingtalk::{DingTalk, Endpoint, Secret, Variables, Webhook};
use ecs_dingtalk_notifier::channel::{Channel, Class, SendOptions};
use ecs_dingtalk_notifier::clock::SystemClock;
use ecs_dingtalk_notifier::http::{Client, HttpConfig};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

const TOKEN: &str = "4f3c2b1a4f3c2b1a4f3c2b1a";
const SECRET: &str = "SEC00112233445566778899aabb";
/// Longer than any answer that ends takes; an attempt's own limit is 8 s.
const PATIENCE: Duration = Duration::from_secs(7);

/// Checks an answer's bytes. The first two decide how the rest is split; the byte 1 stands for the token, 2 for the
/// secret, as a chatbot or a proxy on the way might repeat them.
pub fn check(input: &[u8]) {
    let (seed, bytes) = match input {
        [a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]), rest),
        _ => (0, input),
    };
    let answer: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| match byte {
            1 => TOKEN.as_bytes(),
            2 => SECRET.as_bytes(),
            _ => std::slice::from_ref(byte),
        })
        .copied()
        .collect();

    let robot = robot().lock().unwrap_or_else(PoisonError::into_inner);
    let pieces = segments(&answer, seed)
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    robot.answers.send(pieces).expect("the robot lives");
    let clock = Arc::new(SystemClock);
    let http = Arc::new(Client::new(clock.clone(), HttpConfig::default()));
    let webhook = format!("http://{}/robot/send?access_token={TOKEN}", robot.address);
    let webhook = Webhook::parse(&webhook).expect("a webhook");
    let endpoint = Endpoint {
        webhook,
        secrets: vec![Secret::parse(SECRET).expect("a secret")],
        keyword: None,
        rate_limit: 20,
        variables: Variables::new("", false),
    };
    let begun = Instant::now();
    let options = SendOptions {
        secret: 0,
        new_connection: true,
    };
    let deadline = begun + Duration::from_secs(30);
    let attempt = DingTalk::new(endpoint, http, clock).send(b"{}", options, deadline);
    assert!(begun.elapsed() < PATIENCE, "{attempt:?}");
    drop(robot);

    check_attempt(&attempt);
    assert_ne!(
        attempt.class,
        Class::NotSent,
        "the robot had the request: {attempt:?}"
    );
    if attempt.class == Class::Delivered {
        assert_eq!(attempt.errcode, Some(0));
        assert!(holds_a_yes(&answer), "{attempt:?}");
    }
    let text = format!("{attempt:?}");
    assert!(!text.contains(TOKEN) && !text.contains(SECRET), "{text}");
}

/// Whether somewhere in these bytes, chunked or not, stands a JSON object with `errcode` 0, and a status 2xx.
fn holds_a_yes(answer: &[u8]) -> bool {
    let zero = |bytes: &[u8]| {
        bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'{')
            .any(|(at, _)| {
                let rest = bytes.get(at..).unwrap_or_default();
                let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
                values
                    .next()
                    .and_then(Result::ok)
                    .is_some_and(|value| errcode(value.to_string().as_bytes()) == Some(0))
            })
    };
    let ok = answer
        .windows(10)
        .any(|window| window.starts_with(b"HTTP/1.") && window.ends_with(b" 2"));
    let bodies = (0..answer.len()).filter(|at| {
        answer
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(b"\r\n\r\n") || rest.starts_with(b"\n\n"))
    });
    let mut bodies = bodies.map(|at| answer.get(at..).unwrap_or_default().trim_ascii_start());
    // HTTP lets a 2xx go without its digits' neighbours in odd ways; the JSON is what counts.
    (ok || answer.windows(2).any(|pair| pair == b" 2"))
        && (zero(answer) || bodies.any(|body| zero(&dechunked(body))))
}

/// What a chunked body holds, as far as it can be read.
fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(bytes) {
        let end = start
            .saturating_add(usize::try_from(size).unwrap_or(usize::MAX))
            .min(bytes.len());
        body.extend_from_slice(bytes.get(start..end).unwrap_or_default());
        bytes = bytes.get(end..).unwrap_or_default();
        bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
        if size == 0 {
            break;
        }
    }
    body
}

/// Reads a request and answers it with what it was told, one connection for each answer.
struct Robot {
    address: SocketAddr,
    answers: Sender<Vec<Vec<u8>>>,
}

fn robot() -> &'static Mutex<Robot> {
    static ROBOT: OnceLock<Mutex<Robot>> = OnceLock::new();
    ROBOT.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its number");
        let (answers, next) = channel::<Vec<Vec<u8>>>();
        std::thread::spawn(move || {
            for pieces in next {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let _ = stream.set_nodelay(true);
                read_request(&mut stream);
                // Whoever has read enough goes away; that is no fault.
                let _ = pieces.iter().try_for_each(|piece| stream.write_all(piece));
            }
        });
        Mutex::new(Robot { address, answers })
    })
}

fn read_request(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.ends_with(b"\r\n\r\n{}") {
        match stream.read(&mut buffer) {
            // The fuzzer's alarm clock.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
            Ok(size) => bytes.extend_from_slice(buffer.get(..size).unwrap_or_default()),
        }
    }
}
