//! Limits on bytes, time and memory.

use super::{Server, echo};
use fake_fc::{Call, rss_kb};
use fc_runtime::Limits;
use serde_json::json;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(150);

fn impatient() -> Limits {
    Limits {
        head_timeout: SHORT,
        body_timeout: SHORT,
        ..Limits::default()
    }
}

fn long_head(length: usize) -> Vec<u8> {
    format!(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\nContent-Length: 2\r\n\r\nhi",
        "x".repeat(length)
    )
    .into()
}

#[test]
fn heads_of_8_kb_are_accepted_and_of_100_kb_refused() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    caller.send(long_head(8 * 1024));
    assert_eq!(caller.receive().success()["event"], "hi");
    caller.send(long_head(100 * 1024));
    let response = caller.receive();
    assert_eq!(response.failure(431), "HeadTooLarge");
    assert!(response.closes());
    caller.expect_closed();
}

#[test]
fn endless_heads_take_no_memory() {
    let server = Server::start(echo);
    let endless = [
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Endless: ".as_slice(),
        &vec![b'x'; 20 * 1024 * 1024],
    ]
    .concat();
    let before = rss_kb("self");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut caller = server.caller();
                let sent = caller.send_while_taken(&endless);
                assert_eq!(caller.receive().failure(431), "HeadTooLarge");
                assert!(sent < endless.len(), "the server read all of it");
            });
        }
    });
    // Other tests use memory meanwhile; 8 x 20 MB would be far beyond that.
    let grown = rss_kb("self").saturating_sub(before);
    assert!(grown < 80 * 1024, "{grown} KiB");
}

#[test]
fn a_body_at_the_limit_is_accepted() {
    let server = Server::start(|event: &[u8], _: &_| Ok(json!(event.len())));
    let cap = Limits::default().max_body;
    let event = vec![b'x'; cap];
    let mut caller = server.caller();
    assert_eq!(caller.call(&Call::invoke(&event)).success(), cap);
    assert_eq!(
        caller
            .call(&Call::invoke(&event).chunked(100_000))
            .success(),
        cap
    );
}

#[test]
fn when_the_announced_body_is_too_large_it_is_not_read() {
    let server = Server::start(echo);
    for expectation in ["", "Expect: 100-continue\r\n"] {
        let mut caller = server.caller();
        let length = Limits::default().max_body + 1;
        caller.send(format!(
            "POST /invoke HTTP/1.1\r\nHost: a\r\n{expectation}Content-Length: {length}\r\n\r\n"
        ));
        let response = caller.receive();
        assert_eq!(response.failure(413), "BodyTooLarge");
        assert!(response.closes());
        caller.expect_closed();
    }
}

#[test]
fn a_64_mb_body_is_refused_and_not_read() {
    let server = Server::start(echo);
    let body = vec![b'x'; 64 * 1024 * 1024];
    let mut caller = server.caller();
    caller.send(format!(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    let sent = caller.send_while_taken(&body);
    assert!(sent < body.len() / 2, "{sent} bytes were taken");
    assert_eq!(caller.receive().failure(413), "BodyTooLarge");
}

#[test]
fn a_peer_that_writes_before_it_reads_can_read_the_refusal() {
    let server = Server::start(echo);
    let body = vec![b'x'; Limits::default().max_body + 1];
    let mut caller = server.caller();
    caller.send(format!(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(caller.send_while_taken(&body), body.len());
    assert_eq!(caller.receive().failure(413), "BodyTooLarge");
}

#[test]
fn a_chunked_body_that_grows_over_the_limit_is_refused() {
    let server = Server::with(
        Limits {
            max_body: 1000,
            ..Limits::default()
        },
        echo,
    );
    let mut caller = server.caller();
    caller.send_call(&Call::invoke("x".repeat(1001)).chunked(100));
    assert_eq!(caller.receive().failure(413), "BodyTooLarge");
    caller.expect_closed();
    assert_eq!(
        server
            .caller()
            .call(&Call::invoke("x".repeat(1000)).chunked(100))
            .success()["length"],
        1000
    );
}

#[test]
fn large_bodies_take_turns_and_small_ones_overtake() {
    let limits = Limits {
        max_body: 200_000,
        small_body: 1_000,
        large_bodies: 300_000,
        ..Limits::default()
    };
    let server = Server::with(limits, |event: &[u8], _: &_| Ok(json!(event.len())));
    // The first holds two thirds of the memory until its body is complete.
    let mut first = server.caller();
    first.send(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n",
    );
    assert_eq!(first.receive().status, 100);
    let mut waiting: Vec<_> = [
        Call::invoke(vec![b'x'; 150_000]),
        Call::invoke(vec![b'x'; 150_000]).chunked(5_000),
    ]
    .iter()
    .map(|call| {
        let mut caller = server.caller();
        caller.send_call(call);
        caller
    })
    .collect();
    for caller in &mut waiting {
        assert!(!caller.hears_within(SHORT), "more memory than there is");
    }
    let mut hurried = server.caller();
    let call = Call::invoke(vec![b'x'; 150_000]).timeout("0.3");
    assert_eq!(hurried.call(&call).failure(404), "Deadline");
    hurried.expect_closed();
    for call in [
        Call::invoke(vec![b'x'; 1_000]),
        Call::invoke(vec![b'x'; 1_000]).chunked(99),
    ] {
        assert_eq!(server.caller().call(&call).success(), 1_000);
    }
    first.send(vec![b'x'; 200_000]);
    assert_eq!(first.receive().success(), 200_000);
    for caller in &mut waiting {
        assert_eq!(caller.receive().success(), 150_000);
    }
}

#[test]
fn a_slow_head_times_out_however_its_bytes_trickle() {
    let server = Server::with(impatient(), echo);
    let mut caller = server.caller();
    let begun = Instant::now();
    caller.send("P");
    while !caller.hears_within(Duration::from_millis(20)) {
        caller.send("O");
        assert!(begun.elapsed() < 20 * SHORT, "no time limit on the head");
    }
    assert!(begun.elapsed() >= SHORT);
    let response = caller.receive();
    assert_eq!(response.failure(408), "RequestTimeout");
    assert!(response.closes());
}

#[test]
fn a_slow_body_times_out_however_its_bytes_trickle() {
    let server = Server::with(impatient(), echo);
    for head in [
        "Content-Length: 1000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
    ] {
        let mut caller = server.caller();
        let begun = Instant::now();
        caller.send(format!("POST /invoke HTTP/1.1\r\nHost: a\r\n{head}"));
        while !caller.hears_within(Duration::from_millis(20)) {
            caller.send("x");
            assert!(begun.elapsed() < 20 * SHORT, "no time limit on the body");
        }
        assert!(begun.elapsed() >= SHORT);
        assert_eq!(caller.receive().failure(408), "RequestTimeout");
    }
}

#[test]
fn an_idle_connection_outlives_every_time_limit() {
    let server = Server::with(impatient(), echo);
    let (mut used, mut fresh) = (server.caller(), server.caller());
    used.invoke("first").success();
    // Some clients send an extra CRLF after a body. It does not begin a request, nor does half of
    // it.
    let [mut stray, mut half] = ["\r\n", "\r"].map(|line_end| {
        let mut caller = server.caller();
        caller.send([&Call::invoke("first").encode(), line_end.as_bytes()].concat());
        caller.receive().success();
        caller
    });
    assert!(!half.hears_within(SHORT));
    half.send("\n");
    for caller in [&mut used, &mut fresh, &mut stray, &mut half] {
        assert!(
            !caller.hears_within(4 * SHORT),
            "the server closed an idle connection"
        );
        // A request in pieces sets time limits. They must be lifted afterwards.
        assert_eq!(
            caller
                .call(&Call::invoke("second").fragmented(30))
                .success()["event"],
            "second"
        );
    }
    assert!(
        !used.hears_within(4 * SHORT),
        "the server closed an idle connection"
    );
    assert_eq!(used.invoke("third").success()["event"], "third");
}

#[test]
fn a_peer_that_never_reads_is_disconnected() {
    let limits = Limits {
        max_connections: 1,
        write_timeout: SHORT,
        ..Limits::default()
    };
    let server = Server::with(limits, |event: &[u8], _: &_| {
        Ok(json!("x".repeat(event.len() * 64 * 1024 * 1024)))
    });
    let mut stalled = server.caller();
    stalled.send_call(&Call::invoke("x"));
    assert_eq!(server.caller().invoke("").success(), "");
}
