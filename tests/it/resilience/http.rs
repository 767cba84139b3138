//! Malformed, slow and endless requests to the real process. Each gets its documented answer,
//! memory stays within a limit, and a well-formed caller is served the whole time.

use super::requests::{self, INVOKE, READY, Row, framed};
use super::{event, rounds, start_with};
use crate::platform::{Call, Caller, Instance, PATIENCE, Response};
use crate::support::{TOKEN, group};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Returns the largest allowed memory of the process, in KiB. The smallest instance has 128 MB. The
/// deployed binary needs far less, but glibc's allocator keeps free memory for each thread.
fn memory_limit() -> u64 {
    let is_deployed = std::env::var_os("NOTIFIER_BINARY").is_some();
    if is_deployed { 96 * 1024 } else { 192 * 1024 }
}

/// Sends the row's bytes in pieces of this size and compares the answers.
fn check(instance: &Instance, row: &Row, piece: usize) {
    let context = format!(
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
        assert_eq!(answer.status, *status, "{context}: {answer:?}");
        if *status == 200 {
            answer.success();
        } else {
            assert_eq!(answer.failure(*status), *error, "{context}");
        }
    }
    if row.stays {
        let next = caller.call(&Call::new("GET", "/ready"));
        assert_eq!(next.status, 200, "{context}: {next:?}");
    } else {
        caller.expect_closed();
    }
}

/// Runs `during` and invokes over one connection meanwhile. Fails unless each of these invocations
/// succeeds in time.
fn while_serving<T>(instance: &Instance, during: impl FnOnce() -> T) -> T {
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
        assert!(served.join().unwrap() > 0, "no invocation was served");
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn assert_memory_is_limited(instance: &Instance) {
    let peak = instance.peak_kb();
    println!("at most {peak} KiB of memory");
    assert!(peak < memory_limit(), "{peak} KiB");
}

/// Runs a test on an instance that has delivered event 0. Afterwards checks memory, messages, exit
/// code and stderr.
fn with_instance(test: impl FnOnce(&Instance)) {
    let group = group();
    let mut instance = start_with(&group.webhook(TOKEN), &[("EVENT_EXCLUDE", "*greedy*")]);
    instance.caller().invoke(event(0).to_string()).success();
    while_serving(&instance, || test(&instance));
    assert_memory_is_limited(&instance);
    assert_eq!(group.deliveries().len(), 1);
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    // After its first line, stderr may report invalid events only.
    let stderr = instance.stderr_text();
    let others = stderr
        .lines()
        .skip(1)
        .filter(|line| !line.contains(": InvalidEvent: "));
    assert_eq!(others.count(), 0, "{stderr}");
}

#[test]
fn every_raw_request_gets_its_documented_answer() {
    with_instance(|instance| {
        let rows = requests::all();
        println!("{} raw requests", rows.len());
        for row in &rows {
            check(instance, row, usize::MAX);
        }
        for row in rows.iter().filter(|row| row.sent.len() < 500) {
            check(instance, row, 1);
        }
    });
}

/// The answers come in order, and the connection closes after the first malformed request.
#[test]
fn when_100_requests_are_pipelined_all_are_answered_in_order() {
    with_instance(|instance| {
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

/// A whole request from a peer that has finished sending is still answered.
#[test]
fn when_peers_disconnect_within_a_request_others_are_served() {
    with_instance(|instance| {
        let call = Call::invoke(event(0).to_string()).encode();
        for at in (0..call.len()).step_by(7) {
            // Half-closed within a request: no answer.
            let mut caller = instance.caller();
            caller.send(&call[..at]);
            caller.finish_sending();
            caller.expect_closed();
            drop(instance.caller());
            let mut caller = instance.caller();
            caller.send(&call[..at]);
            drop(caller);
            // Reset with an unread answer.
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

/// Sends `piece` again and again until the process answers. Returns the bytes sent and the answer.
fn endlessly(caller: &mut Caller, head: &str, piece: &[u8]) -> (usize, Response) {
    let mut sent = caller.send_while_taken(head.as_bytes());
    // After the answer the process reads on slowly for a second, so that the peer can read it.
    while sent < 64 << 20 && !caller.hears_within(Duration::from_millis(1)) {
        sent += caller.send_while_taken(piece);
    }
    (sent, caller.receive())
}

#[test]
fn endless_heads_and_bodies_are_refused_without_memory() {
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
    with_instance(|instance| {
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
fn slow_heads_and_bodies_time_out_while_others_are_served() {
    let slow = [
        "",
        "POST /invoke HTTP/1.1\r\nX: ",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 6291456\r\n\r\n",
        // A client that speaks TLS to the plain port and waits for an answer.
        "\u{16}\u{3}\u{1}\u{0}\u{7f}",
    ];
    with_instance(|instance| {
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
fn large_bodies_wait_for_memory_or_are_refused() {
    // Forty of them are more than an instance's memory.
    let body = [b"[".as_slice(), &vec![b' '; 5 << 20], b"7]"].concat();
    let call = Call::invoke(body);
    with_instance(|instance| {
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let mut caller = instance.caller();
                    caller.send_while_taken(&call.encode());
                    let answer = caller.receive();
                    // `Deadline`: the memory was not free in time.
                    let error_type = answer.failure(404);
                    assert!(matches!(error_type.as_str(), "InvalidEvent" | "Deadline"));
                });
            }
        });
        // Just below the limit of values, each of which takes many times its bytes.
        let values: Vec<String> = (0..199_000).map(|n| format!("\"{n}\":0")).collect();
        let greedy = format!("{{\"type\":\"greedy\",\"data\":{{{}}}}}", values.join(","));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let answer = instance.caller().invoke(&greedy);
                    assert!(answer.status == 200 || answer.failure(404) == "Deadline");
                });
            }
        });
        let too_many_values = [
            vec!["7"; 3_000_000].join(","),
            vec!["[]"; 1_500_000].join(","),
            vec!["{\"type\":\"a\"}"; 400_000].join(","),
        ];
        for items in too_many_values {
            let answer = instance.caller().invoke(format!("[{items}]"));
            assert_eq!(answer.failure(404), "InvalidEvent");
            assert!(answer.body.len() < 10_000);
        }
    });
}

/// A helper process, not a test: it opens 1,000 connections, which need many file descriptors.
/// Prints `here` when all are open and ends with its standard input.
#[test]
fn crowd() {
    let Some(address) = std::env::var_os("CROWD_AT") else {
        return;
    };
    let address = address.into_string().unwrap();
    let say = |stream: &mut TcpStream, text: &str| stream.write_all(text.as_bytes()).unwrap();
    let connections: Vec<TcpStream> = (0..1_000)
        .map(|n| {
            // The kernel queues 128. It retries a connection beyond them after a second.
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
    drop(connections);
}

#[test]
fn with_1_000_idle_and_slow_connections_others_are_served() {
    with_instance(|instance| {
        for _ in 0..rounds() {
            let program = std::env::current_exe().unwrap();
            let mut crowd = Command::new("sh")
                .args([
                    "-c",
                    "ulimit -n 4096; exec \"$0\" --exact resilience::http::crowd --nocapture",
                ])
                .arg(program)
                .env("CROWD_AT", instance.address().to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut output = BufReader::new(crowd.stdout.take().unwrap());
            // The pipe must outlive the process, which prints more later.
            let mut line = String::new();
            while line != "here\n" {
                line.clear();
                let length = output.read_line(&mut line).unwrap();
                assert!(length > 0, "the connections could not be opened");
            }
            for _ in 0..20 {
                instance.caller().invoke(event(0).to_string()).success();
            }
            drop(crowd.stdin.take());
            assert!(crowd.wait().unwrap().success());
        }
    });
}
