//! HTTP on the wire: framing, keep-alive, malformed input.

use super::{Server, echo};
use fake_fc::Call;

const CHUNKED_HEAD: &str = "POST /invoke HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    for text in ["one", "two", "three"] {
        let response = caller.invoke(text);
        assert_eq!(response.success()["event"], text);
        assert!(!response.closes());
    }
}

#[test]
fn fifty_pipelined_requests_are_answered_in_order() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    let calls = (0..50)
        .map(|n| Call::invoke(n.to_string()).encode())
        .collect::<Vec<_>>();
    caller.send(calls.concat());
    for n in 0..50 {
        assert_eq!(caller.receive().success()["event"], n.to_string());
    }
}

#[test]
fn a_peer_that_expects_100_continue_gets_it() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    caller.send(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nexpect: 100-Continue\r\nContent-Length: 4\r\n\r\n",
    );
    assert_eq!(caller.receive().status, 100);
    caller.send("body");
    assert_eq!(caller.receive().success()["event"], "body");
    assert_eq!(caller.invoke("next").success()["event"], "next");
}

#[test]
fn any_other_expectation_fails() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    caller
        .send("POST /invoke HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 4\r\n\r\n");
    let response = caller.receive();
    assert_eq!(response.failure(417), "ExpectationFailed");
    assert!(response.closes());
    caller.expect_closed();
}

#[test]
fn after_a_chunked_body_the_connection_is_usable() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    for size in [1, 3, 1000] {
        let response = caller.call(&Call::invoke("{\"event\": \"in chunks\"}\n").chunked(size));
        assert_eq!(response.success()["event"], "{\"event\": \"in chunks\"}\n");
    }
    assert_eq!(
        caller.call(&Call::invoke("").chunked(1)).success()["length"],
        0
    );
    assert_eq!(caller.invoke("next").success()["event"], "next");
}

#[test]
fn requests_in_tiny_segments_are_complete() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    for call in [
        Call::invoke("some event"),
        Call::invoke("some event").chunked(4),
    ] {
        for size in [1, 2, 7] {
            assert_eq!(
                caller.call(&call.clone().fragmented(size)).success()["event"],
                "some event"
            );
        }
    }
}

#[test]
fn malformed_requests_are_refused_and_the_connection_closes() {
    let server = Server::start(echo);
    for bytes in [
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\nhello",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /invoke HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
        "this is no request\r\n",
        "\u{1}\u{2}\u{3}\r\n\r\n",
        &format!("{CHUNKED_HEAD}five\r\nhello\r\n"),
        &format!("{CHUNKED_HEAD}-5\r\nhello\r\n"),
        &format!("{CHUNKED_HEAD}4\r\nhello\r\n0\r\n\r\n"),
        &format!("{CHUNKED_HEAD}fffffffffffffffff\r\nhello"),
    ] {
        let mut caller = server.caller();
        caller.send(bytes);
        let response = caller.receive();
        assert_eq!(response.failure(400), "BadRequest", "{bytes:?}");
        assert!(response.closes(), "{bytes:?}");
        caller.expect_closed();
    }
    assert_eq!(
        server.caller().invoke("still here").success()["event"],
        "still here"
    );
}

#[test]
fn other_versions_of_http_are_refused() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    caller.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(caller.receive().failure(505), "VersionNotSupported");
    caller.expect_closed();
}

#[test]
fn http_1_0_and_connection_close_end_the_connection() {
    let server = Server::start(echo);
    for bytes in [
        "POST /invoke HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi",
        "POST /invoke HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let mut caller = server.caller();
        caller.send(bytes);
        let response = caller.receive();
        assert_eq!(response.success()["event"], "hi");
        assert!(response.closes());
        caller.expect_closed();
    }
    let mut caller = server.caller();
    for _ in 0..2 {
        caller
            .send("POST /invoke HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(caller.receive().header("connection"), Some("keep-alive"));
    }
}

#[test]
fn a_peer_that_has_finished_sending_gets_its_response() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    caller.send_call(&Call::invoke("last words"));
    caller.finish_sending();
    assert_eq!(caller.receive().success()["event"], "last words");
    caller.expect_closed();
}

#[test]
fn every_response_has_exact_framing_and_one_platform_header() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    let calls = [
        Call::invoke("x"),
        Call::new("POST", "/initialize"),
        Call::new("GET", "/pre-stop"),
        Call::new("HEAD", "/ready"),
        Call::new("HEAD", "/invoke"),
        Call::new("GET", "/nowhere"),
        Call::new("HEAD", "/nowhere"),
        Call::new("PUT", "/invoke").body("an unused body"),
        Call::invoke("last"),
    ];
    for call in &calls {
        // One connection for all: after a response of wrong length the next could not be parsed.
        let response = caller.call(call);
        assert_eq!(response.header("content-type"), Some("application/json"));
        let own = response
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-fc-"));
        assert_eq!(
            own.map(|(name, _)| name).collect::<Vec<_>>(),
            ["x-fc-status"]
        );
    }
}
