//! Concurrent handlers and connections, and eviction.

use super::{Server, echo};
use fake_fc::{Call, Caller, PATIENCE};
use fc_runtime::{Context, Failure, Handler, Limits};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

/// Long enough to see that something does not happen.
const WHILE: Duration = Duration::from_millis(100);

/// A handler that reports its begin and waits for its release, unless the event is `go`.
pub struct Gate {
    begun: Receiver<()>,
    release: Sender<()>,
}

impl Gate {
    pub fn new() -> (Gate, impl Handler + 'static) {
        let (report, begun) = channel();
        let (release, released) = channel();
        let released = Mutex::new(released);
        let handler = move |event: &[u8], _: &Context| -> Result<Value, Failure> {
            if event != b"go" {
                report.send(()).unwrap();
                released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            }
            Ok(json!(String::from_utf8_lossy(event)))
        };
        (Gate { begun, release }, handler)
    }

    pub fn wait_until_begun(&self) {
        self.begun.recv_timeout(PATIENCE).unwrap();
    }

    pub fn release(&self) {
        self.release.send(()).unwrap();
    }
}

fn parallel(count: usize) {
    let meeting = Arc::new(Barrier::new(count));
    let server = Server::start(move |event: &[u8], context: &Context| {
        meeting.wait();
        echo(event, context)
    });
    let mut callers: Vec<Caller> = (0..count).map(|_| server.caller()).collect();
    for round in 0..2 {
        for (n, caller) in callers.iter_mut().enumerate() {
            caller.send_call(&Call::invoke(format!("{round}/{n}")).request_id(&format!("id-{n}")));
        }
        for (n, caller) in callers.iter_mut().enumerate() {
            let answer = caller.receive().success();
            assert_eq!(answer["event"], format!("{round}/{n}"), "cross-talk");
            assert_eq!(answer["requestId"], format!("id-{n}"), "cross-talk");
        }
    }
}

#[test]
fn eight_handlers_run_at_once() {
    parallel(8);
}

#[test]
fn a_hundred_handlers_run_at_once() {
    parallel(100);
}

#[test]
fn a_hundred_idle_connections_do_not_delay_another_one() {
    let server = Server::start(echo);
    let mut callers: Vec<Caller> = (0..100).map(|_| server.caller()).collect();
    for caller in &mut callers {
        caller.invoke("x").success();
    }
    server.caller().invoke("one more").success();
    for caller in &mut callers {
        caller.invoke("still open").success();
    }
}

#[test]
fn invocations_beyond_the_maximum_wait_for_their_turn() {
    let (gate, handler) = Gate::new();
    let server = Server::with(
        Limits {
            max_invocations: 2,
            ..Limits::default()
        },
        handler,
    );
    let mut callers: Vec<Caller> = (0..3).map(|_| server.caller()).collect();
    for caller in &mut callers {
        caller.send_call(&Call::invoke("x"));
    }
    gate.wait_until_begun();
    gate.wait_until_begun();
    assert!(gate.begun.recv_timeout(WHILE).is_err(), "three at once");
    // Hooks and probes do not wait for a turn.
    server.caller().call(&Call::new("GET", "/ready")).success();
    gate.release();
    gate.wait_until_begun();
    gate.release();
    gate.release();
    for caller in &mut callers {
        caller.receive().success();
    }
}

#[test]
fn when_no_turn_comes_before_the_deadline_the_invocation_fails() {
    let (gate, handler) = Gate::new();
    let server = Server::with(
        Limits {
            max_invocations: 1,
            ..Limits::default()
        },
        handler,
    );
    let mut first = server.caller();
    first.send_call(&Call::invoke("x"));
    gate.wait_until_begun();
    let mut second = server.caller();
    let response = second.call(&Call::invoke("x").timeout("0.3"));
    assert_eq!(response.failure(404), "Deadline");
    assert!(gate.begun.try_recv().is_err(), "the handler was called");
    gate.release();
    first.receive().success();
    second.invoke("go").success();
}

#[test]
fn when_the_deadline_is_over_the_handler_is_not_called() {
    let server =
        Server::start(|_: &[u8], _: &Context| -> Result<Value, Failure> { unreachable!() });
    let mut caller = server.caller();
    for _ in 0..2 {
        let response = caller.call(&Call::invoke("x").timeout("0.000001"));
        assert_eq!(response.failure(404), "Deadline");
        assert!(!response.closes());
    }
}

#[test]
fn panics_leak_neither_turns_nor_connections() {
    let limits = Limits {
        max_invocations: 2,
        max_connections: 3,
        ..Limits::default()
    };
    let server = Server::with(limits, |event: &[u8], context: &Context| {
        assert_ne!(event, b"panic");
        echo(event, context)
    });
    for _ in 0..20 {
        assert_eq!(server.caller().invoke("panic").failure(404), "Panic");
    }
    let mut caller = server.caller();
    for _ in 0..20 {
        assert_eq!(caller.invoke("panic").failure(404), "Panic");
    }
    caller.invoke("fine").success();
}

#[test]
fn at_the_maximum_the_longest_idle_connection_is_closed() {
    let server = Server::with(
        Limits {
            max_connections: 3,
            ..Limits::default()
        },
        echo,
    );
    let mut callers: Vec<Caller> = (0..3).map(|_| server.caller()).collect();
    for n in [1, 0, 2] {
        callers[n].invoke("x").success();
        // The connection is idle a moment after its response, which is not observable from here.
        std::thread::sleep(WHILE);
    }
    let mut new = server.caller();
    new.invoke("new").success();
    callers.remove(1).expect_closed();
    for caller in &mut callers {
        assert!(!caller.hears_within(WHILE), "more than one was closed");
        caller.invoke("still open").success();
    }
    new.invoke("again").success();
}

#[test]
fn a_new_connection_waits_while_none_is_idle() {
    let (gate, handler) = Gate::new();
    let server = Server::with(
        Limits {
            max_connections: 2,
            ..Limits::default()
        },
        handler,
    );
    let mut busy: Vec<Caller> = (0..2).map(|_| server.caller()).collect();
    for caller in &mut busy {
        caller.send_call(&Call::invoke("x"));
        gate.wait_until_begun();
    }
    let mut new = server.caller();
    new.send_call(&Call::invoke("go"));
    assert!(!new.hears_within(WHILE), "more connections than allowed");
    gate.release();
    new.receive().success();
    gate.release();
    for caller in &mut busy {
        caller.receive().success();
    }
}

#[test]
fn connections_that_close_without_a_byte_leave_nothing_behind() {
    let server = Server::with(
        Limits {
            max_connections: 5,
            ..Limits::default()
        },
        echo,
    );
    for _ in 0..50 {
        drop(server.caller());
    }
    server.caller().invoke("x").success();
}

#[test]
fn peers_that_reset_within_a_body_leave_nothing_behind() {
    let server = Server::with(
        Limits {
            max_connections: 5,
            ..Limits::default()
        },
        echo,
    );
    for _ in 0..20 {
        let mut caller = server.caller();
        caller.send("POST /invoke HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
        assert!(caller.hears_within(PATIENCE));
        caller.send("half of");
        caller.reset();
    }
    server.caller().invoke("x").success();
}
