//! Faults of the network between the process and the chatbot: connections closed, reset, stalled,
//! delayed and corrupted at points spread over a delivery, plain and over TLS, for one connection
//! or for all; and the process stopped at these points.
//!
//! In every case the invocation ends in time and in a documented way, the group shows the message
//! at most once, a message reported as delivered is shown, and a repeat of the event completes it.

use super::{event, rounds, shown, start_with};
use crate::platform::{Call, Instance, PATIENCE, Response};
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{ConnectionFault, FaultyProxy, Group, Offset, Robot};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Cases that run at once. They wait most of the time.
const AT_ONCE: usize = 48;

/// A temporary file, removed on drop.
pub struct TempFile(pub PathBuf);

impl TempFile {
    pub fn with(text: &str) -> TempFile {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("resilience-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        TempFile(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A group, a proxy to it, and a process that sends through the proxy.
struct Link {
    group: Group,
    proxy: FaultyProxy,
    instance: Instance,
    /// Bytes relayed on the first connection that carried a message, upstream and downstream.
    first: (usize, usize),
    _certificate: Option<TempFile>,
}

impl Link {
    /// Starts a group, proxy and process, and delivers event 0. The process has read its
    /// certificates then.
    fn new(tls: bool) -> Link {
        let builder = Group::builder().robot(Robot::new(TOKEN).secret(SECRET));
        let builder = if tls { builder.tls() } else { builder };
        let group = builder.start().unwrap();
        let proxy = FaultyProxy::to(group.addr());
        let certificate = group.ca_pem().map(TempFile::with);
        let (scheme, host) = if tls {
            ("https", "localhost")
        } else {
            ("http", "127.0.0.1")
        };
        let port = proxy.addr().port();
        let webhook = format!("{scheme}://{host}:{port}/robot/send?access_token={TOKEN}");
        let file = certificate.as_ref().map_or("", TempFile::path);
        // Twenty a minute allow a burst of six.
        let instance = start_with(
            &webhook,
            &[("SSL_CERT_FILE", file), ("DINGTALK_RATE_LIMIT", "20")],
        );
        let mut link = Link {
            group,
            proxy,
            instance,
            first: (0, 0),
            _certificate: certificate,
        };
        link.invoke(0, "20").success();
        link.first = link.proxy.relayed();
        link.proxy.clear_fault();
        link
    }

    fn invoke(&self, number: usize, timeout: &str) -> Response {
        self.instance
            .caller()
            .call(&Call::invoke(event(number).to_string()).timeout(timeout))
    }

    /// Checks what must hold of an answer after any fault.
    fn check(&self, number: usize, answer: &Response, context: &str) {
        let shown = shown(&self.group.deliveries(), number);
        if answer.status == 200 {
            answer.success();
            assert_eq!(shown, 1, "{context}: reported as delivered");
        } else {
            let error = answer.failure(404);
            assert!(
                ["Unreachable", "Deadline"].contains(&error.as_str()),
                "{context}: {answer:?}"
            );
            assert!(shown <= 1, "{context}: shown {shown} times");
        }
    }

    /// Sends the same event again without faults.
    fn complete(&self, number: usize, context: &str) {
        self.proxy.clear_fault();
        let again = self.invoke(number, "30");
        assert_eq!(again.status, 200, "{context}: {again:?}");
        self.check(number, &again, context);
    }
}

/// Returns offsets on a connection that carries one message, in even steps from the first byte of
/// either direction almost to the last.
fn offsets(tls: bool, steps: usize) -> Vec<Offset> {
    let link = Link::new(tls);
    link.invoke(1, "20").success();
    // A resumed TLS session takes more bytes upstream and fewer downstream than a new one.
    let (first, later) = (link.first, link.proxy.relayed());
    let (up, down) = (first.0.min(later.0), first.1.min(later.1));
    assert!(up > 500 && down > 50, "{up} {down}");
    let spread = |length: usize| (0..=steps).map(move |n| length * n / steps);
    // The length of a request varies: some characters of its signature are encoded as three.
    let ups = spread(up - 40).map(Offset::Upstream);
    ups.chain(spread(down - 8).map(Offset::Downstream))
        .collect()
}

/// Runs every case, many at once. Fails if one of them does.
fn run_all<T: Send>(cases: Vec<T>, run: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases);
    let run = &run;
    let cases = &cases;
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(move || {
                loop {
                    let next = cases.lock().unwrap().pop();
                    let Some(case) = next else { return };
                    run(case);
                }
            });
        }
    });
}

#[derive(Debug, Clone, Copy)]
struct Case {
    tls: bool,
    offset: Offset,
    fault: ConnectionFault,
    is_persistent: bool,
}

/// Returns these faults at all offsets. A request without TLS is not corrupted: the chatbot would
/// accept it.
fn cases(tls: bool, steps: usize, is_persistent: bool, faults: &[ConnectionFault]) -> Vec<Case> {
    let offsets = offsets(tls, steps);
    let pairs = offsets
        .into_iter()
        .flat_map(|offset| faults.iter().map(move |fault| (offset, *fault)));
    pairs
        .filter(|(offset, fault)| {
            tls || *fault != ConnectionFault::Corrupt || matches!(offset, Offset::Downstream(_))
        })
        .map(|(offset, fault)| Case {
            tls,
            offset,
            fault,
            is_persistent,
        })
        .collect()
}

/// Invokes with the fault, checks the answer, and completes the event without the fault.
fn check_case(case: Case) {
    let context = format!("{case:?}");
    let link = Link::new(case.tls);
    link.proxy
        .inject(case.offset, case.fault, case.is_persistent);
    let begun = Instant::now();
    let answer = link.invoke(2, "5");
    let took = begun.elapsed();
    // The deadline is after 4 s; an attempt without a deadline would take 8 s.
    assert!(took < Duration::from_secs(7), "{context}: {took:?}");
    assert!(link.proxy.injected() > 0, "{context}: nothing happened");
    link.check(2, &answer, &context);
    // Without TLS, a corrupted response may have lost its length and never end.
    let is_noticed = case.fault != ConnectionFault::Stall
        && (case.tls || case.fault != ConnectionFault::Corrupt);
    if !case.is_persistent && is_noticed {
        assert_eq!(
            answer.status, 200,
            "{context}: the retry must deliver: {answer:?}"
        );
    }
    if case.is_persistent && !matches!(case.fault, ConnectionFault::Delay(_)) {
        assert_eq!(answer.status, 404, "{context}");
        let line = link.instance.wait_for_stdout_line(1, PATIENCE);
        assert!(line.contains("\"outcome\":\"failed\""), "{context}: {line}");
    }
    link.complete(2, &context);
}

const DELAY: ConnectionFault = ConnectionFault::Delay(Duration::from_millis(700));

#[test]
fn one_connection_fault_at_any_byte_is_retried() {
    let faults = [
        ConnectionFault::Close,
        ConnectionFault::Reset,
        ConnectionFault::Corrupt,
        DELAY,
    ];
    let steps = 3 * rounds();
    let mut all_cases = cases(false, steps, false, &faults);
    all_cases.extend(cases(true, steps + 1, false, &faults));
    println!("{} cases", all_cases.len());
    run_all(all_cases, check_case);
}

#[test]
fn a_persistent_connection_fault_at_any_byte_fails_in_time() {
    let faults = [
        ConnectionFault::Close,
        ConnectionFault::Reset,
        ConnectionFault::Stall,
        ConnectionFault::Corrupt,
    ];
    let steps = 2 * rounds();
    let mut all_cases = cases(false, steps, true, &faults);
    all_cases.extend(cases(true, steps, true, &faults));
    println!("{} cases", all_cases.len());
    run_all(all_cases, check_case);
}

/// With enough time left, an attempt that hangs times out and the next one delivers.
#[test]
fn when_a_connection_stalls_once_the_next_attempt_delivers() {
    let mut all_cases = cases(false, 1, false, &[ConnectionFault::Stall]);
    all_cases.extend(cases(true, 3, false, &[ConnectionFault::Stall]));
    println!("{} cases", all_cases.len());
    run_all(all_cases, |case| {
        let context = format!("{case:?}");
        let link = Link::new(case.tls);
        link.proxy.inject(case.offset, case.fault, false);
        let answer = link.invoke(2, "25");
        assert_eq!(answer.status, 200, "{context}: {answer:?}");
        link.check(2, &answer, &context);
        link.complete(2, &context);
    });
}

/// Stops the process when a connection has reached an offset, continues the network, and continues
/// the process after `how_long`.
fn stop(link: &Link, case: Case, how_long: Duration, timeout: &str) -> Response {
    link.proxy.inject(case.offset, ConnectionFault::Hold, false);
    let mut caller = link.instance.caller();
    caller.send_call(&Call::invoke(event(2).to_string()).timeout(timeout));
    assert!(link.proxy.wait_until_injected(PATIENCE), "{case:?}");
    link.instance.signal("STOP");
    link.proxy.release();
    std::thread::sleep(how_long);
    link.instance.signal("CONT");
    caller.receive()
}

#[test]
fn a_process_stopped_for_seconds_delivers_once() {
    let steps = 2 * rounds();
    let mut all_cases = cases(false, steps, false, &[ConnectionFault::Hold]);
    all_cases.extend(cases(true, steps + 1, false, &[ConnectionFault::Hold]));
    println!("{} cases", all_cases.len());
    run_all(all_cases, |case| {
        let context = format!("{case:?}");
        let link = Link::new(case.tls);
        let answer = stop(&link, case, Duration::from_millis(2_500), "20");
        assert_eq!(answer.status, 200, "{context}: {answer:?}");
        link.check(2, &answer, &context);
        link.complete(2, &context);
    });
}

/// The answer comes right after the process continues.
#[test]
fn a_process_stopped_past_its_deadline_answers_truthfully() {
    let mut all_cases = cases(false, 1, false, &[ConnectionFault::Hold]);
    all_cases.extend(cases(true, 2, false, &[ConnectionFault::Hold]));
    println!("{} cases", all_cases.len());
    run_all(all_cases, |case| {
        let context = format!("{case:?}");
        let link = Link::new(case.tls);
        let begun = Instant::now();
        let answer = stop(&link, case, Duration::from_secs(4), "3");
        assert!(begun.elapsed() < Duration::from_secs(10), "{context}");
        link.check(2, &answer, &context);
        link.complete(2, &context);
    });
}

/// It opens new connections and still knows what it delivered.
#[test]
fn a_process_stopped_between_deliveries_delivers_once() {
    for tls in [false, true] {
        let link = Link::new(tls);
        link.invoke(2, "20").success();
        link.instance.signal("STOP");
        link.proxy.clear_fault();
        std::thread::sleep(Duration::from_millis(500));
        link.instance.signal("CONT");
        assert_eq!(link.invoke(3, "20").status, 200);
        let repeat = link.invoke(2, "20").success();
        assert_eq!(repeat["events"][0]["routes"][0]["outcome"], "duplicate");
        assert_eq!(link.group.deliveries().len(), 3);
    }
}

#[test]
fn a_process_stopped_while_rate_limited_delivers_afterwards() {
    let link = Link::new(false);
    // Twenty a minute allow a burst of six, then one every few seconds. On a busy machine more
    // than six may pass before one has to wait.
    let mut caller = link.instance.caller();
    let mut number = 2;
    loop {
        caller.send_call(&Call::invoke(event(number).to_string()).timeout("30"));
        if !caller.hears_within(Duration::from_millis(500)) {
            break;
        }
        caller.receive().success();
        number += 1;
        assert!(number < 20, "no invocation has to wait");
    }
    let calls = link.group.calls().len();
    link.instance.signal("STOP");
    std::thread::sleep(Duration::from_secs(3));
    link.instance.signal("CONT");
    caller.receive().success();
    assert_eq!(link.group.calls().len(), calls + 1);
    link.complete(number, "in turn");
}
