//! The end: hooks, signals, and requests in progress at the end.

use super::concurrency::Gate;
use super::{Server, echo};
use fake_fc::{Call, Instance, PATIENCE};
use fc_runtime::{self, Context, Failure};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

const WHILE: Duration = Duration::from_millis(100);

#[test]
fn a_request_in_progress_is_answered_before_the_end() {
    let (gate, handler) = Gate::new();
    let mut server = Server::start(handler);
    let mut idle = server.caller();
    idle.invoke("go").success();
    let mut caller = server.caller();
    caller.send_call(&Call::invoke("x"));
    gate.wait_until_begun();
    server.shutdown.request();
    idle.expect_closed();
    assert!(!server.thread.as_ref().unwrap().is_finished());
    assert!(!caller.hears_within(WHILE));
    gate.release();
    let response = caller.receive();
    assert_eq!(response.success(), "x");
    assert!(response.closes());
    caller.expect_closed();
    server.join();
    assert!(
        TcpStream::connect(server.address).is_err(),
        "still listening"
    );
}

#[test]
fn a_request_that_arrived_before_the_stop_is_answered() {
    for round in 0..100 {
        let mut server = Server::start(echo);
        let (mut kept, mut new) = (server.caller(), server.caller());
        if round % 2 == 0 {
            kept.invoke("first").success();
        }
        kept.send_call(&Call::invoke("last"));
        new.send_call(&Call::invoke("only"));
        server.shutdown.request();
        assert_eq!(kept.receive().success()["event"], "last");
        assert_eq!(new.receive().success()["event"], "only");
        server.join();
    }
}

#[test]
fn a_request_that_arrives_in_pieces_at_the_stop_is_answered() {
    for _ in 0..10 {
        let mut server = Server::start(echo);
        let mut caller = server.caller();
        let bytes = Call::invoke("in pieces").encode();
        caller.send(&bytes[..20]);
        server.shutdown.request();
        std::thread::sleep(Duration::from_millis(20));
        for segment in bytes[20..].chunks(40) {
            caller.send(segment);
        }
        assert_eq!(caller.receive().success()["event"], "in pieces");
        server.join();
    }
}

#[test]
fn pipelined_requests_are_answered_before_the_end() {
    let (gate, handler) = Gate::new();
    let mut server = Server::start(handler);
    let mut idle = server.caller();
    idle.invoke("go").success();
    let mut caller = server.caller();
    caller.send([Call::invoke("x").encode(), Call::invoke("go").encode()].concat());
    gate.wait_until_begun();
    server.shutdown.request();
    // The request only wakes the server. It has stopped its connections once an idle one is closed;
    // before that, the last response would rightly say keep-alive.
    idle.expect_closed();
    gate.release();
    assert_eq!(caller.receive().success(), "x");
    let last = caller.receive();
    assert_eq!(last.success(), "go");
    assert!(last.closes());
    server.join();
}

#[test]
fn when_the_stop_is_requested_before_the_start_serve_returns() {
    let mut server = Server::start(echo);
    server.shutdown.request();
    server.shutdown.request();
    server.join();
}

#[test]
fn when_a_stop_is_requested_repeatedly_no_call_blocks() {
    let shutdown = fc_runtime::Shutdown::new().unwrap();
    // Far more than a socket buffers.
    for _ in 0..1_000_000 {
        shutdown.request();
    }
}

#[test]
fn pre_stop_waits_for_invocations_in_flight() {
    let (gate, handler) = Gate::new();
    let server = Server::start(handler);
    let mut caller = server.caller();
    caller.send_call(&Call::invoke("x"));
    gate.wait_until_begun();
    let mut hook = server.caller();
    hook.send_call(&Call::new("GET", "/pre-stop"));
    assert!(!hook.hears_within(WHILE), "pre-stop did not wait");
    gate.release();
    hook.receive().success();
    caller.receive().success();
}

#[test]
fn pre_stop_does_not_wait_past_the_deadline() {
    let (gate, handler) = Gate::new();
    let server = Server::start(handler);
    let mut caller = server.caller();
    caller.send_call(&Call::invoke("x").timeout("0.3"));
    gate.wait_until_begun();
    server
        .caller()
        .call(&Call::new("GET", "/pre-stop"))
        .success();
    assert!(!caller.hears_within(Duration::from_millis(1)));
    gate.release();
    caller.receive().success();
}

/// Not a test by itself: the process that the tests below start. It is this program with a
/// variable.
#[test]
fn child() {
    if std::env::var_os("CHILD_OF_A_TEST").is_none() {
        return;
    }
    let handler = |event: &[u8], _: &Context| -> Result<Value, Failure> {
        assert_ne!(event, b"panic", "the secret is SECRET");
        if event == b"slow" {
            std::thread::sleep(Duration::from_millis(300));
        }
        Ok(json!(event.len()))
    };
    if let Err(error) = fc_runtime::run(handler) {
        eprintln!("{error}");
        std::process::exit(2);
    }
}

fn child_process(variable: &str, port: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "lifecycle::child", "--nocapture"]);
    command
        .env_clear()
        .env("CHILD_OF_A_TEST", "yes")
        .env(variable, port);
    command
}

#[test]
fn at_a_signal_the_process_answers_and_exits_with_0() {
    let mut instance =
        Instance::start_command(|port| child_process("FC_SERVER_PORT", &port.to_string()));
    let mut caller = instance.caller();
    caller.send_call(&Call::invoke("slow"));
    // By now the handler runs or the request waits in the socket. It must be answered either way.
    instance.caller().invoke("x").success();
    instance.sigterm();
    assert_eq!(caller.receive().success(), 4);
    drop(caller);
    assert_eq!(instance.wait_exit(PATIENCE), 0);
}

#[test]
fn at_a_signal_an_idle_process_exits_at_once() {
    let mut instance =
        Instance::start_command(|port| child_process("FC_CUSTOM_LISTEN_PORT", &port.to_string()));
    let mut caller = instance.caller();
    caller.invoke("x").success();
    let asked = Instant::now();
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_panic_is_reported_by_its_place_without_its_message() {
    let mut instance =
        Instance::start_command(|port| child_process("FC_SERVER_PORT", &port.to_string()));
    let mut caller = instance.caller();
    assert_eq!(caller.invoke("panic").failure(404), "Panic");
    caller.invoke("alive").success();
    instance.sigterm();
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    let stderr = instance.stderr_text();
    assert!(
        stderr.starts_with("panic at crates/fc-runtime/tests/it/lifecycle.rs:")
            && stderr.lines().count() == 1,
        "{stderr}"
    );
    assert!(
        !instance
            .stdout_lines()
            .iter()
            .any(|line| line.contains("SECRET"))
    );
}

#[test]
fn a_bad_port_ends_the_process_with_one_line() {
    let mut instance = Instance::spawn_command(child_process("FC_SERVER_PORT", "70000"));
    assert_eq!(instance.wait_exit(PATIENCE), 2);
    let stderr = instance.stderr_text();
    assert!(
        stderr.starts_with("FC_SERVER_PORT is \"70000\"") && stderr.lines().count() == 1,
        "{stderr}"
    );
}

#[test]
fn the_process_listens_on_every_address() {
    let instance =
        Instance::start_command(|port| child_process("FC_SERVER_PORT", &port.to_string()));
    // A listener on 127.0.0.1 only would refuse 127.0.0.2.
    TcpStream::connect(("127.0.0.2", instance.address().port())).unwrap();
}
