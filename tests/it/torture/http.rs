//! Callers that break every rule, against the real process: each gets the answer that it deserves, memory stays within
//! bounds, and a well-formed caller beside them is served the whole time.

use super::{event, rounds, start};
use crate::platform::{Call, Caller, Instance, PATIENCE, Response};
use crate::support::{TOKEN, group};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much memory, in KiB, the process may take, whatever is done to it. The smallest instance has 128 MB, of which the
/// deployed binary, whose allocator gives back what is free, takes far less. glibc's keeps a good deal for each thread.
fn ceiling() -> u64 {
    let is_deployed = std::env::var_os("NOTIFIER_BINARY").is_some();
    if is_deployed { 64 * 1024 } else { 192 * 1024 }
}

const INVOKE: &str = "POST /invoke HTTP/1.1\r\nHost: a\r\n";
const READY: &str = "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n";

/// Bytes, the answers to them, and whether the connection stays open then.
struct Row {
    sent: Vec<u8>,
    answers: Vec<(u16, &'static str)>,
    stays: bool,
}

/// Refused with one answer, and the connection closes.
fn refused(status: u16, error: &'static str, sent: impl Into<Vec<u8>>) -> Row {
    Row {
        sent: sent.into(),
        answers: vec![(status, error)],
        stays: false,
    }
}

fn bad(sent: impl Into<Vec<u8>>) -> Row {
    refused(400, "BadRequest", sent)
}

/// Answered, and the connection stays. Answers of 200 have no error.
fn served(answers: &[(u16, &'static str)], sent: impl Into<Vec<u8>>) -> Row {
    Row {
        sent: sent.into(),
        answers: answers.to_vec(),
        stays: true,
    }
}

const OK: (u16, &str) = (200, "");
const NOT_FOUND: (u16, &str) = (404, "NotFound");
const NO_EVENT: (u16, &str) = (404, "InvalidEvent");
const WRONG_METHOD: (u16, &str) = (405, "MethodNotAllowed");

/// A request for events, framed by these lines.
fn framed(lines: &str, body: &str) -> String {
    format!("{INVOKE}{lines}\r\n\r\n{body}")
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn smuggling() -> Vec<Row> {
    let chunked = "Transfer-Encoding: chunked";
    let hidden = "0\r\n\r\nGET /ready HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut rows: Vec<Row> = [
        format!("Content-Length: 6\r\n{chunked}"),
        format!("{chunked}\r\nContent-Length: 4"),
        format!("Content-Length: 0\r\n{chunked}"),
        format!("{chunked}\r\n{chunked}"),
        format!("{chunked}\r\ntransfer-encoding: identity"),
        format!("Content-Length: 6\r\nX: y\n{chunked}"),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding: chunked, identity".into(),
        "Transfer-Encoding: identity, chunked".into(),
        "Transfer-Encoding: chunked, chunked".into(),
        "Transfer-Encoding: \"chunked\"".into(),
        "Transfer-Encoding: chunked;q=1".into(),
        "Transfer-Encoding:\u{b}chunked".into(),
        "Transfer-Encoding: gzip".into(),
        "Transfer-Encoding:".into(),
        "X: y\r\n Transfer-Encoding: chunked".into(),
        "X: y\r\n\tContent-Length: 6".into(),
        "Content-Length: 6\r\nContent-Length: 6".into(),
        "Content-Length: 6\r\nContent-Length: 0".into(),
        "Content-Length: 6\r\ncontent-length: 60".into(),
        "Content-Length: 6, 6".into(),
        "Content-Length: +6".into(),
        "Content-Length: -6".into(),
        "Content-Length: 0x6".into(),
        "Content-Length: 6 6".into(),
        "Content-Length: 6.0".into(),
        "Content-Length: 6e0".into(),
        "Content-Length: \u{664}".into(),
        "Content-Length:".into(),
        "Content-Length : 6".into(),
        "Content-Length\u{0}: 6".into(),
        "Content-Length: 6\u{0}".into(),
        "Content-Length: 6\rX: y".into(),
    ]
    .iter()
    .map(|lines| bad(framed(lines, hidden)))
    .collect();
    for length in [
        "6291457",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
    ] {
        let lines = format!("Content-Length: {length}");
        rows.push(refused(413, "BodyTooLarge", framed(&lines, "")));
    }
    rows.push(bad(format!(
        "POST /invoke HTTP/1.0\r\n{chunked}\r\n\r\n{hidden}"
    )));
    // What follows a body is the next request, and nothing else.
    rows.push(served(
        &[NO_EVENT, OK],
        framed("Content-Length: 2", &format!("{{}}{READY}")),
    ));
    rows.push(served(
        &[OK, OK],
        format!("GET /ready HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{READY}"),
    ));
    rows.push(served(&[NO_EVENT, OK], framed(chunked, hidden)));
    rows.push(served(
        &[NO_EVENT],
        framed("Content-Length: 000000000000000000000000000002", "{}"),
    ));
    rows.push(Row {
        answers: vec![NO_EVENT, (400, "BadRequest")],
        ..bad(framed("Content-Length: 2", "{}{}\r\n\r\n"))
    });
    rows
}

fn chunks() -> Vec<Row> {
    let coded = |body: &str| framed("Transfer-Encoding: chunked", body);
    let long = "x".repeat(5_000);
    let mut rows: Vec<Row> = [
        "two\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}}\r\n0\r\n\r\n",
        "2;\u{0}\r\n{}\r\n0\r\n\r\n",
        "2;a\rb\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "00000000000000002\r\n{}\r\n0\r\n\r\n",
        "10000000000000000\r\n{}",
        "2\r\n{}\r\n0\r\nno field\r\n\r\n",
        "2\r\n{}\r\n0\r\nA : b\r\n\r\n",
        "2\r\n{}\r\n0\r\n A: b\r\n\r\n",
        &format!("2;{long}\r\n{{}}\r\n0\r\n\r\n"),
    ]
    .iter()
    .map(|body| bad(coded(body)))
    .collect();
    for size in ["600001", "7fffffffffffffff", "ffffffffffffffff"] {
        rows.push(refused(
            413,
            "BodyTooLarge",
            coded(&format!("{size}\r\n{{}}")),
        ));
    }
    rows.push(refused(
        431,
        "HeadTooLarge",
        coded(&format!("0\r\n{}\r\n\r\n", "a: b\r\n".repeat(3_000))),
    ));
    // A length among the trailers counts for nothing.
    rows.push(served(
        &[NO_EVENT, OK],
        coded(&format!(
            "1;a=b\r\n{{\r\n01 ; c=\"d\"\r\n}}\r\n000\r\nContent-Length: 99\r\n\r\n{READY}"
        )),
    ));
    rows
}

fn heads() -> Vec<Row> {
    let field = |line: &[u8]| [INVOKE.as_bytes(), line, b"\r\n\r\n"].concat();
    let mut rows: Vec<Row> = [
        &b"Bad Name: x"[..],
        b": x",
        b"Na(me: x",
        b"N\xc3\xa4me: x",
        b"Name\t: x",
        b"\0: x",
        b"X: a\0b",
        b"X: a\x01b",
        b"X: a\x7fb",
        b"X: a\rb",
        b"X: a\r\r\nY: b",
        b"X: a\r\n folded",
        b"X: a\r\n\tfolded",
        b"no colon",
        b"Host: twice",
    ]
    .iter()
    .map(|line| bad(field(line)))
    .collect();
    for head in [
        "GET /\r\n",
        "GET\r\n\r\n",
        "GET /ready\r\n\r\n",
        "/ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ready HTTP\r\nHost: a\r\n\r\n",
        "GET /ready http/1.1\r\nHost: a\r\n\r\n",
        "GET /ready HTTP/1.1\rHost: a\r\n\r\n",
        "GET /ready HTTP/1.1\r\n\r\n",
        "GET /re\u{0}ady HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\u{0}T /ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/ready\tHTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{feff}GET /ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "\u{0}\n",
        "EHLO a\r\n",
    ] {
        rows.push(bad(head));
    }
    // A client that speaks TLS to the plain port; its random bytes hold a line feed.
    rows.push(bad(
        b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03\x0a\x0d\x0a\x00".as_slice(),
    ));
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/11.1"] {
        let head = format!("GET /ready {version}\r\nHost: a\r\n\r\n");
        rows.push(refused(505, "VersionNotSupported", head));
    }
    rows.push(refused(
        505,
        "VersionNotSupported",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ));
    rows.push(refused(
        417,
        "ExpectationFailed",
        framed("Expect: a-miracle\r\nContent-Length: 2", ""),
    ));
    for head in [
        format!("{INVOKE}{}\r\n", "a: b\r\n".repeat(101)),
        format!("{INVOKE}X: {}\r\n\r\n", "x".repeat(20_000)),
        format!("{INVOKE}{}: x\r\n\r\n", "x".repeat(20_000)),
        get(&format!("/{}", "x".repeat(20_000))),
        "x".repeat(20_000),
        format!("{}\r\n\r\n", "A".repeat(20_000)),
    ] {
        rows.push(refused(431, "HeadTooLarge", head));
    }
    rows.push(served(
        &[OK],
        format!(
            "GET /ready HTTP/1.1\r\nhOsT: a\r\n{}\r\n",
            "a: b\r\n".repeat(98)
        ),
    ));
    rows.push(served(
        &[OK],
        "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    ));
    rows.push(served(&[OK], format!("\r\n\r\n\n{READY}\r\n")));
    rows.push(served(&[NO_EVENT], format!("{INVOKE}\r\n")));
    rows
}

fn targets() -> Vec<Row> {
    let mut rows = Vec::new();
    for target in [
        "/ready?",
        "/ready?a=/invoke",
        "http://anywhere/ready",
        "HTTP://ANYWHERE:1/ready?x",
        "https://user@[::1]/ready#top",
        "http://anywhere",
    ] {
        rows.push(served(&[OK], get(target)));
    }
    for target in [
        "//ready",
        "/ready/",
        "/ready/../ready",
        "/%72eady",
        "/ready;x",
        "/READY",
        "ready",
        "*",
        "?",
        "anywhere:443",
        "/\u{e9}",
        "/..%2f..%2fetc/passwd",
        &format!("/{}", "x".repeat(8_000)),
    ] {
        rows.push(served(&[NOT_FOUND], get(target)));
    }
    for head in [
        "OPTIONS * HTTP/1.1",
        "CONNECT anywhere:443 HTTP/1.1",
        "BREW /coffee HTTP/1.1",
    ] {
        rows.push(served(&[NOT_FOUND], format!("{head}\r\nHost: a\r\n\r\n")));
    }
    for head in [
        "TRACE / HTTP/1.1",
        "get /ready HTTP/1.1",
        "OPTIONS /invoke HTTP/1.1",
        "GET http://a/invoke HTTP/1.1",
        "post /invoke HTTP/1.1",
    ] {
        rows.push(served(
            &[WRONG_METHOD],
            format!("{head}\r\nHost: a\r\n\r\n"),
        ));
    }
    rows
}

/// Sends the row's bytes, in one piece or byte by byte, and compares what comes.
fn check(instance: &Instance, row: &Row, piece: usize) {
    let told = format!(
        "{:?}",
        String::from_utf8_lossy(&row.sent[..row.sent.len().min(300)])
    );
    let mut caller = instance.caller();
    for piece in row.sent.chunks(piece) {
        if caller.send_while_taken(piece) < piece.len() {
            break;
        }
    }
    for (status, error) in &row.answers {
        let answer = caller.receive();
        assert_eq!(answer.status, *status, "{told}: {answer:?}");
        if *status == 200 {
            answer.success();
        } else {
            assert_eq!(answer.failure(*status), *error, "{told}");
        }
    }
    if row.stays {
        let next = caller.call(&Call::new("GET", "/ready"));
        assert_eq!(next.status, 200, "{told}: {next:?}");
    } else {
        caller.expect_closed();
    }
}

/// Invokes again and again while `during` runs, always over one connection and never without success; fails unless
/// each of these invocations was answered.
fn beside<T>(instance: &Instance, during: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let mut caller = instance.caller();
            let call = Call::invoke(event(0).to_string()).timeout("9");
            let mut count = 0;
            while !done.load(Ordering::SeqCst) {
                let begun = Instant::now();
                caller.call(&call).success();
                assert!(
                    begun.elapsed() < Duration::from_secs(8),
                    "{count} were in time"
                );
                count += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            count
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        done.store(true, Ordering::SeqCst);
        assert!(served.join().unwrap() > 0, "nobody was served");
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn assert_within_ceiling(instance: &Instance) {
    let peak = instance.peak_kb();
    println!("at most {peak} KiB of memory");
    assert!(peak < ceiling(), "{peak} KiB");
}

/// An instance that has delivered event 0, and knows it from then on.
fn tortured(test: impl FnOnce(&Instance)) {
    let group = group();
    let mut instance = start(&group.webhook(TOKEN));
    instance.caller().invoke(event(0).to_string()).success();
    beside(&instance, || test(&instance));
    assert_within_ceiling(&instance);
    assert_eq!(group.deliveries().len(), 1);
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    // Beside its first line it complains of bodies that are no events, and of nothing else.
    let complaints = instance.stderr_text();
    let others = complaints
        .lines()
        .skip(1)
        .filter(|line| !line.contains(": InvalidEvent: "));
    assert_eq!(others.count(), 0, "{complaints}");
}

#[test]
fn every_request_that_breaks_a_rule_gets_the_answer_that_it_deserves() {
    tortured(|instance| {
        let rows = [smuggling(), chunks(), heads(), targets()].concat_rows();
        println!("{} raw requests", rows.len());
        for row in &rows {
            check(instance, row, usize::MAX);
        }
        for row in rows.iter().filter(|row| row.sent.len() < 500) {
            check(instance, row, 1);
        }
    });
}

trait ConcatRows {
    fn concat_rows(self) -> Vec<Row>;
}

impl<const N: usize> ConcatRows for [Vec<Row>; N] {
    fn concat_rows(self) -> Vec<Row> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn a_hundred_pipelined_requests_good_and_bad_are_answered_in_order_up_to_the_first_that_breaks_a_rule()
 {
    tortured(|instance| {
        let mut caller = instance.caller();
        let known = Call::invoke(event(0).to_string());
        let calls = [
            known.clone(),
            Call::invoke("{}"),
            Call::new("GET", "/nowhere"),
            known.chunked(9),
        ];
        let mut sent: Vec<u8> = (0..100).flat_map(|n| calls[n % 4].encode()).collect();
        sent.extend_from_slice(framed("Content-Length: x", READY).as_bytes());
        caller.send(sent);
        for n in 0..100 {
            let status = if n % 4 == 0 || n % 4 == 3 { 200 } else { 404 };
            assert_eq!(caller.receive().status, status, "{n}");
        }
        assert_eq!(caller.receive().failure(400), "BadRequest");
        caller.expect_closed();
    });
}

#[test]
fn peers_that_leave_early_leave_nothing_behind_and_who_has_asked_gets_an_answer() {
    tortured(|instance| {
        let call = Call::invoke(event(0).to_string()).encode();
        for at in (0..call.len()).step_by(7) {
            // Half-closed within a request: there is nothing to answer.
            let mut caller = instance.caller();
            caller.send(&call[..at]);
            caller.finish_sending();
            caller.expect_closed();
            drop(instance.caller());
            let mut caller = instance.caller();
            caller.send(&call[..at]);
            drop(caller);
            // Reset: there is an answer that nobody reads.
            let mut caller = instance.caller();
            caller.send(READY);
            caller.send(&call[..at]);
            assert!(caller.hears_within(PATIENCE));
            caller.reset();
        }
        let mut caller = instance.caller();
        caller.send(&call);
        caller.finish_sending();
        caller.receive().success();
        caller.expect_closed();
    });
}

/// Sends `piece` again and again until the process has had enough; tells how many bytes that took.
fn endlessly(caller: &mut Caller, head: &str, piece: &[u8]) -> (usize, Response) {
    let mut sent = caller.send_while_taken(head.as_bytes());
    // It reads on for a second, slowly, so that the peer can read the answer.
    while sent < 64 << 20 && !caller.hears_within(Duration::from_millis(1)) {
        sent += caller.send_while_taken(piece);
    }
    (sent, caller.receive())
}

#[test]
fn what_never_ends_is_ended_and_takes_no_memory() {
    let piece = [b'x'; 60_000];
    let fields = b"a: b\r\n".repeat(10_000);
    let chunk = [b"1000\r\n".as_slice(), &[b' '; 4096], b"\r\n"].concat();
    let chunks = chunk.repeat(16);
    let chunked = format!("{INVOKE}Transfer-Encoding: chunked\r\n\r\n");
    let endless: [(u16, &str, String, &[u8]); 7] = [
        (431, "HeadTooLarge", String::new(), &piece),
        (431, "HeadTooLarge", "GET /".into(), &piece),
        (431, "HeadTooLarge", format!("{INVOKE}X: "), &piece),
        (431, "HeadTooLarge", INVOKE.into(), &fields),
        (413, "BodyTooLarge", chunked.clone(), &chunks),
        (400, "BadRequest", format!("{chunked}1;"), &piece),
        (431, "HeadTooLarge", format!("{chunked}0\r\n"), &fields),
    ];
    tortured(|instance| {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                for (status, error, head, piece) in &endless {
                    scope.spawn(move || {
                        let mut caller = instance.caller();
                        let (sent, answer) = endlessly(&mut caller, head, piece);
                        assert_eq!(
                            answer.failure(*status),
                            *error,
                            "{head:?} after {sent} bytes"
                        );
                    });
                }
            }
        });
    });
}

#[test]
fn slow_heads_and_bodies_are_cut_off_and_hold_up_nobody() {
    let slow = [
        "",
        "POST /invoke HTTP/1.1\r\nX: ",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 6291456\r\n\r\n",
        // A client that speaks TLS to the plain port and waits for an answer.
        "\u{16}\u{3}\u{1}\u{0}\u{7f}",
    ];
    tortured(|instance| {
        std::thread::scope(|scope| {
            for head in slow {
                scope.spawn(move || {
                    let mut caller = instance.caller();
                    let begun = Instant::now();
                    caller.send(head);
                    while !caller.hears_within(Duration::from_millis(100)) {
                        caller.send("x");
                        assert!(begun.elapsed() < PATIENCE, "{head:?}");
                    }
                    assert!(begun.elapsed() > Duration::from_secs(9), "{head:?}");
                    assert_eq!(caller.receive().failure(408), "RequestTimeout", "{head:?}");
                });
            }
        });
    });
}

#[test]
fn bodies_that_fill_the_memory_come_in_turn() {
    // Read by nobody until there is memory for it: more than one instance has, in all.
    let body = [b"[".as_slice(), &vec![b' '; 5 << 20], b"7]"].concat();
    let call = Call::invoke(body);
    tortured(|instance| {
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let mut caller = instance.caller();
                    caller.send_while_taken(&call.encode());
                    let answer = caller.receive();
                    match answer.status {
                        404 => assert_eq!(answer.failure(404), "InvalidEvent"),
                        _ => assert_eq!(answer.failure(503), "Busy"),
                    }
                });
            }
        });
        let marks = [
            vec!["7"; 3_000_000].join(","),
            vec!["[]"; 1_500_000].join(","),
            vec!["{\"type\":\"a\"}"; 400_000].join(","),
        ];
        for items in marks {
            let answer = instance.caller().invoke(format!("[{items}]"));
            assert_eq!(answer.failure(404), "InvalidEvent");
            assert!(answer.body.len() < 10_000);
        }
    });
}

/// Not a test by itself: a crowd of connections, in a process of its own because of all the descriptors. Says `here`
/// when everybody has come, and goes when standard input ends.
#[test]
fn crowd() {
    let Some(address) = std::env::var_os("CROWD_AT") else {
        return;
    };
    let address = address.into_string().unwrap();
    let say = |stream: &mut TcpStream, text: &str| stream.write_all(text.as_bytes()).unwrap();
    let people: Vec<TcpStream> = (0..1_000)
        .map(|n| {
            // The kernel queues 128; a connection beyond them is tried again after a second.
            if n % 50 == 49 {
                std::thread::sleep(Duration::from_millis(20));
            }
            let mut stream = TcpStream::connect(&address).unwrap();
            match n % 7 {
                0 => say(&mut stream, "POST /invo"),
                1 => {
                    say(&mut stream, INVOKE);
                    say(&mut stream, "Content-Length: 16000\r\n\r\n");
                    say(&mut stream, &"x".repeat(15_000));
                }
                _ => {}
            }
            stream
        })
        .collect();
    println!("\nhere");
    let _ = std::io::stdin().read(&mut [0]);
    drop(people);
}

#[test]
fn a_thousand_connections_idle_and_slow_keep_nobody_else_out() {
    tortured(|instance| {
        for _ in 0..rounds() {
            let program = std::env::current_exe().unwrap();
            let mut crowd = Command::new("sh")
                .args([
                    "-c",
                    "ulimit -n 4096; exec \"$0\" --exact torture::http::crowd --nocapture",
                ])
                .arg(program)
                .env("CROWD_AT", instance.address().to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(crowd.stdout.take().unwrap());
            // The pipe must outlive the crowd, which says more than that.
            let mut line = String::new();
            while line != "here\n" {
                line.clear();
                let length = said.read_line(&mut line).unwrap();
                assert!(length > 0, "the crowd could not come");
            }
            for _ in 0..20 {
                instance.caller().invoke(event(0).to_string()).success();
            }
            drop(crowd.stdin.take());
            assert!(crowd.wait().unwrap().success());
        }
    });
}
