//! A chatbot's response over a socket, HTTP included: delivered only if it holds an errcode of 0.

use crate::answer::{check_attempt, errcode};
use crate::framing::segments;
use ecs_dingtalk_notifier::channel::dingtalk::{DingTalk, Endpoint, Secret, Variables, Webhook};
use ecs_dingtalk_notifier::channel::{Channel, Chat, Class, Code, SendOptions};
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

/// Checks a response's bytes. The first two decide how the rest is split. The byte 1 stands for the
/// token and 2 for the secret, which a chatbot or a proxy on the way might repeat.
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

    let chatbot = chatbot().lock().unwrap_or_else(PoisonError::into_inner);
    let pieces = segments(&answer, seed)
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    chatbot
        .answers
        .send(pieces)
        .expect("the server thread never ends");
    let clock = Arc::new(SystemClock);
    let http = Arc::new(Client::new(clock.clone(), HttpConfig::default()));
    let webhook = format!("http://{}/robot/send?access_token={TOKEN}", chatbot.address);
    let webhook = Webhook::parse(&webhook).expect("a webhook");
    let endpoint = Endpoint {
        webhook,
        secrets: vec![Secret::parse(SECRET).expect("a secret")],
        keyword: None,
        rate_limit: 20,
        variables: Variables::new(Chat::DingTalk, "", false),
    };
    let begun = Instant::now();
    let options = SendOptions {
        secret: 0,
        new_connection: true,
    };
    let deadline = begun + Duration::from_secs(30);
    let attempt = DingTalk::new(endpoint, http, clock).send(b"{}", options, deadline);
    assert!(begun.elapsed() < PATIENCE, "{attempt:?}");
    drop(chatbot);

    check_attempt(&attempt);
    assert_ne!(
        attempt.class,
        Class::NotSent,
        "the server got the request: {attempt:?}"
    );
    if attempt.class == Class::Delivered {
        assert_eq!(attempt.errcode, Some(Code::Number(0)));
        assert!(holds_a_yes(&answer), "{attempt:?}");
    }
    let text = format!("{attempt:?}");
    assert!(!text.contains(TOKEN) && !text.contains(SECRET), "{text}");
}

/// Returns true if these bytes, chunked or not, hold a JSON object with `errcode` 0 and a status
/// 2xx.
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

/// Decodes a chunked body as far as it can be read.
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

/// A server that reads a request and writes the next response, one connection for each.
struct Chatbot {
    address: SocketAddr,
    answers: Sender<Vec<Vec<u8>>>,
}

fn chatbot() -> &'static Mutex<Chatbot> {
    static CHATBOT: OnceLock<Mutex<Chatbot>> = OnceLock::new();
    CHATBOT.get_or_init(|| {
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
                // The client may close as soon as it has read enough.
                let _ = pieces.iter().try_for_each(|piece| stream.write_all(piece));
            }
        });
        Mutex::new(Chatbot { address, answers })
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
