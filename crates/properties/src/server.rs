//! The HTTP server over sockets: whatever a peer writes, responses are well framed and correct, and
//! other peers are served meanwhile.

use crate::framing::{End, read_all, segments};
use fc_runtime::request::{Request, RequestError};
use fc_runtime::{Context, Failure, Limits, Shutdown, serve};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown as Half, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Time for one answer, longer than any takes: what comes later has hung.
const PATIENCE: Duration = Duration::from_secs(5);

/// One server for all checks, as one instance serves all invocations, and a second peer that stays
/// connected.
struct Served {
    address: SocketAddr,
    limits: Limits,
    neighbour: Mutex<TcpStream>,
}

/// Checks bytes that a peer writes. The first two decide how the rest is split.
pub fn check(input: &[u8]) {
    let (seed, bytes) = match input {
        [a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]), rest),
        _ => (0, input),
    };
    let served = served();
    let mut stream = connect(served.address);
    let pieces = segments(bytes, seed);
    let middle = pieces.len() / 2;
    let (first, second) = pieces.split_at(middle);
    // A peer that was refused may find the connection gone.
    let mut sent = first.iter().try_for_each(|piece| stream.write_all(piece));
    served.neighbour_is_served();
    if sent.is_ok() {
        sent = second.iter().try_for_each(|piece| stream.write_all(piece));
    }
    let _ = (sent, stream.shutdown(Half::Write));
    let mut answers = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answers) {
        let kind = error.kind();
        assert!(
            kind == ErrorKind::ConnectionReset,
            "{error}: {:?}",
            String::from_utf8_lossy(&answers)
        );
    }
    let (requests, end) = read_all([bytes], &served.limits);
    check_answers(&answers, &requests, end);
    served.neighbour_is_served();
}

/// One answer for each request, and one for what is none.
fn check_answers(mut answers: &[u8], requests: &[Request], end: End) {
    for request in requests {
        let answer = Answer::read(&mut answers, request.head.method == "HEAD");
        let Some(answer) = answer else {
            panic!("no answer to {request:?}")
        };
        assert_eq!(answer.status, expected(request), "{request:?}");
        let last = !request.head.keep_alive;
        assert_eq!(answer.close, last, "{request:?}");
        if answer.status == 200 && request.head.path() == "/invoke" {
            assert_eq!(answer.body["length"], request.body.len());
        }
        if last {
            assert!(answers.is_empty(), "bytes after the last answer");
            return;
        }
    }
    if let End::Refused(refusal) = end {
        let answer = Answer::read(&mut answers, false).expect("a refusal is answered");
        let status = match refusal {
            RequestError::Malformed(_) => 400,
            RequestError::HeadTooLarge => 431,
            RequestError::BodyTooLarge => 413,
            RequestError::Expectation => 417,
            RequestError::Version => 505,
            RequestError::Timeout => 408,
            RequestError::Busy => 404,
        };
        assert_eq!((answer.status, answer.close), (status, true));
    }
    // The peer may have been asked to go on with a body that never came.
    let rest = answers
        .strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        .unwrap_or(answers);
    assert!(
        rest.is_empty(),
        "more answers than requests: {:?}",
        String::from_utf8_lossy(rest)
    );
}

fn expected(request: &Request) -> u16 {
    match (request.head.path(), request.head.method.as_str()) {
        ("/invoke", "POST")
            if request.body.starts_with(b"panic") || request.body.starts_with(b"fail") =>
        {
            404
        }
        ("/invoke" | "/initialize", "POST") => 200,
        ("/pre-stop" | "/pre-freeze", "GET") => 200,
        ("/" | "/ready", "GET" | "HEAD") => 200,
        ("/invoke" | "/initialize" | "/pre-stop" | "/pre-freeze" | "/" | "/ready", _) => 405,
        _ => 404,
    }
}

struct Answer {
    status: u16,
    close: bool,
    body: Value,
}

impl Answer {
    /// Takes one answer off the front, without a `100 Continue` before it. Returns `None` if there
    /// is none.
    fn read(bytes: &mut &[u8], bodiless: bool) -> Option<Answer> {
        while let Some(rest) = bytes.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n") {
            *bytes = rest;
        }
        if bytes.is_empty() {
            return None;
        }
        let mut slots = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut slots);
        let size = match head.parse(bytes) {
            Ok(httparse::Status::Complete(size)) => size,
            other => panic!("{other:?}: {:?}", String::from_utf8_lossy(bytes)),
        };
        let field = |name: &str| {
            let mut found = head
                .headers
                .iter()
                .filter(|header| header.name.eq_ignore_ascii_case(name));
            let value = found
                .next()
                .map(|header| String::from_utf8_lossy(header.value).into_owned());
            assert!(found.next().is_none(), "{name} twice");
            value
        };
        let status = head.code.expect("a status");
        let outcome = field("x-fc-status").expect("x-fc-status");
        assert_eq!(outcome, if status == 200 { "200" } else { "404" });
        assert_eq!(field("content-type").as_deref(), Some("application/json"));
        assert_eq!(field("allow").is_some(), status == 405);
        let length: usize = field("content-length")
            .and_then(|text| text.parse().ok())
            .expect("a length");
        let close = match field("connection").as_deref() {
            Some("close") => true,
            Some("keep-alive") => false,
            other => panic!("{other:?}"),
        };
        let length = if bodiless { 0 } else { length };
        let whole = bytes.get(size..size + length).expect("a whole body");
        let body = if bodiless {
            Value::Null
        } else {
            serde_json::from_slice(whole).expect("JSON")
        };
        *bytes = bytes.get(size + length..).unwrap_or_default();
        Some(Answer {
            status,
            close,
            body,
        })
    }
}

impl Served {
    /// A well-formed invocation on another connection gets its own answer.
    fn neighbour_is_served(&self) {
        let mut stream = self
            .neighbour
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stream
            .write_all(b"POST /invoke HTTP/1.1\r\nHost: n\r\nContent-Length: 9\r\n\r\nneighbour")
            .expect("the neighbour's connection stays open");
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let size = match stream.read(&mut buffer) {
                // The fuzzer's alarm clock.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.expect("the neighbour is answered"),
            };
            assert!(size > 0, "the neighbour's connection was closed");
            answer.extend_from_slice(buffer.get(..size).unwrap_or_default());
            if answer.ends_with(b"}") {
                break;
            }
        }
        let mut rest = answer.as_slice();
        let answer = Answer::read(&mut rest, false).expect("an answer");
        assert!(rest.is_empty() && answer.status == 200 && answer.body["length"] == 9);
    }
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its number");
        let limits = Limits {
            max_head: 1024,
            max_body: 4096,
            ..Limits::default()
        };
        let used = limits.clone();
        let shutdown = Shutdown::new().expect("two descriptors");
        std::thread::spawn(move || serve(listener, Arc::new(handle), shutdown, used));
        Served {
            address,
            limits,
            neighbour: Mutex::new(connect(address)),
        }
    })
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream.set_nodelay(true).expect("no delay");
    stream
}

fn handle(event: &[u8], _context: &Context) -> Result<Value, Failure> {
    if event.starts_with(b"panic") {
        // Unwinds without the panic hook: the fuzzer's hook would end the process.
        std::panic::resume_unwind(Box::new("as asked"));
    }
    if event.starts_with(b"fail") {
        return Err(Failure::new("Asked", "as asked"));
    }
    Ok(json!({ "length": event.len() }))
}
