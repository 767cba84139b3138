//! The network between the process and the chatbot: pulled, reset, stalled, slowed down and fed rubbish at every point
//! of a delivery, plain and over TLS, for one connection or for all; and the process itself stopped at these points.
//!
//! However it goes: the invocation ends in one of the documented ways and in time, the group has the message once or not
//! at all, what was told as delivered is there, and the same event once more completes it.

use super::{event, rounds, shown, start_with};
use crate::platform::{Call, Instance, PATIENCE, Response};
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{Cable, Cut, Group, Place, Robot};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Cases that run at once: mostly they wait.
const AT_ONCE: usize = 48;

/// A file that goes away.
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

/// A group, a cable to it, and a process at the other end of the cable.
struct Line {
    group: Group,
    cable: Cable,
    instance: Instance,
    /// Bytes that passed on the first connection that carried a message, up and down.
    first: (usize, usize),
    _certificate: Option<TempFile>,
}

impl Line {
    /// A line on which one message has passed already: the process knows by now which certificates to trust.
    fn new(tls: bool) -> Line {
        let builder = Group::builder().robot(Robot::new(TOKEN).secret(SECRET));
        let builder = if tls { builder.tls() } else { builder };
        let group = builder.start().unwrap();
        let cable = Cable::to(group.addr());
        let certificate = group.ca_pem().map(TempFile::with);
        let (scheme, host) = if tls {
            ("https", "localhost")
        } else {
            ("http", "127.0.0.1")
        };
        let port = cable.addr().port();
        let webhook = format!("{scheme}://{host}:{port}/robot/send?access_token={TOKEN}");
        let file = certificate.as_ref().map_or("", TempFile::path);
        // Twenty a minute: six at once.
        let instance = start_with(
            &webhook,
            &[("SSL_CERT_FILE", file), ("DINGTALK_RATE_LIMIT", "20")],
        );
        let mut line = Line {
            group,
            cable,
            instance,
            first: (0, 0),
            _certificate: certificate,
        };
        line.invoke(0, "20").success();
        line.first = line.cable.passed();
        line.cable.mend();
        line
    }

    fn invoke(&self, number: usize, timeout: &str) -> Response {
        self.instance
            .caller()
            .call(&Call::invoke(event(number).to_string()).timeout(timeout))
    }

    /// What must hold of an answer, whatever happened.
    fn check(&self, number: usize, answer: &Response, told: &str) {
        let shown = shown(&self.group.deliveries(), number);
        if answer.status == 200 {
            answer.success();
            assert_eq!(shown, 1, "{told}: told as delivered");
        } else {
            let error = answer.failure(404);
            assert!(
                ["Unreachable", "Deadline"].contains(&error.as_str()),
                "{told}: {answer:?}"
            );
            assert!(shown <= 1, "{told}: shown {shown} times");
        }
    }

    /// The same event once more, when all is well again.
    fn complete(&self, number: usize, told: &str) {
        self.cable.mend();
        let again = self.invoke(number, "30");
        assert_eq!(again.status, 200, "{told}: {again:?}");
        self.check(number, &again, told);
    }
}

/// Places on a connection that carries one message, in even steps from the first byte of either
/// direction almost to the last.
fn places(tls: bool, steps: usize) -> Vec<Place> {
    let line = Line::new(tls);
    line.invoke(1, "20").success();
    // A TLS session that is resumed takes more bytes up and fewer down than a new one.
    let (first, later) = (line.first, line.cable.passed());
    let (up, down) = (first.0.min(later.0), first.1.min(later.1));
    assert!(up > 500 && down > 50, "{up} {down}");
    let spread = |length: usize| (0..=steps).map(move |n| length * n / steps);
    // The length of a request varies with its signature, of which some characters are encoded as three.
    let ups = spread(up - 40).map(Place::Up);
    ups.chain(spread(down - 8).map(Place::Down)).collect()
}

/// Runs every case, many at once; fails with the first that does.
fn all<T: Send>(cases: Vec<T>, run: impl Fn(T) + Sync) {
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
    place: Place,
    cut: Cut,
    lasts: bool,
}

/// The faults that can be made at these places. Without TLS nothing protects what is sent from being changed.
fn cases(tls: bool, steps: usize, lasts: bool, cuts: &[Cut]) -> Vec<Case> {
    let places = places(tls, steps);
    let pairs = places
        .into_iter()
        .flat_map(|place| cuts.iter().map(move |cut| (place, *cut)));
    pairs
        .filter(|(place, cut)| tls || *cut != Cut::Garble || matches!(place, Place::Down(_)))
        .map(|(place, cut)| Case {
            tls,
            place,
            cut,
            lasts,
        })
        .collect()
}

fn spoil_and_mend(case: Case) {
    let told = format!("{case:?}");
    let line = Line::new(case.tls);
    line.cable.spoil(case.place, case.cut, case.lasts);
    let begun = Instant::now();
    let answer = line.invoke(2, "5");
    let took = begun.elapsed();
    // The deadline is after 4 s; an attempt without one would take 8 s.
    assert!(took < Duration::from_secs(7), "{told}: {took:?}");
    assert!(line.cable.spoilt() > 0, "{told}: nothing happened");
    line.check(2, &answer, &told);
    // Without TLS, an answer that lost its length to rubbish has no end.
    let is_noticed = case.cut != Cut::Stall && (case.tls || case.cut != Cut::Garble);
    if !case.lasts && is_noticed {
        assert_eq!(
            answer.status, 200,
            "{told}: one fault is not the end: {answer:?}"
        );
    }
    if case.lasts && !matches!(case.cut, Cut::Delay(_)) {
        assert_eq!(answer.status, 404, "{told}");
        let line = line.instance.wait_for_stdout_line(1, PATIENCE);
        assert!(line.contains("\"outcome\":\"failed\""), "{told}: {line}");
    }
    line.complete(2, &told);
}

const DELAY: Cut = Cut::Delay(Duration::from_millis(700));

#[test]
fn a_cable_pulled_or_rubbish_at_any_byte_once() {
    let cuts = [Cut::Close, Cut::Reset, Cut::Garble, DELAY];
    let steps = 3 * rounds();
    let mut all_cases = cases(false, steps, false, &cuts);
    all_cases.extend(cases(true, steps + 1, false, &cuts));
    println!("{} cases", all_cases.len());
    all(all_cases, spoil_and_mend);
}

#[test]
fn a_cable_pulled_stalled_or_rubbish_at_any_byte_for_good() {
    let cuts = [Cut::Close, Cut::Reset, Cut::Stall, Cut::Garble];
    let steps = 2 * rounds();
    let mut all_cases = cases(false, steps, true, &cuts);
    all_cases.extend(cases(true, steps, true, &cuts));
    println!("{} cases", all_cases.len());
    all(all_cases, spoil_and_mend);
}

/// With time enough, an attempt that hangs is given up and the next one delivers.
#[test]
fn a_connection_that_stalls_once_costs_an_attempt_and_not_the_invocation() {
    let mut all_cases = cases(false, 1, false, &[Cut::Stall]);
    all_cases.extend(cases(true, 3, false, &[Cut::Stall]));
    println!("{} cases", all_cases.len());
    all(all_cases, |case| {
        let told = format!("{case:?}");
        let line = Line::new(case.tls);
        line.cable.spoil(case.place, case.cut, false);
        let answer = line.invoke(2, "25");
        assert_eq!(answer.status, 200, "{told}: {answer:?}");
        line.check(2, &answer, &told);
        line.complete(2, &told);
    });
}

/// Stops the process when a connection has come to a place, lets the network go on meanwhile, and continues it.
fn stop(line: &Line, case: Case, how_long: Duration, timeout: &str) -> Response {
    line.cable.spoil(case.place, Cut::Hold, false);
    let mut caller = line.instance.caller();
    caller.send_call(&Call::invoke(event(2).to_string()).timeout(timeout));
    assert!(line.cable.wait_until_spoilt(PATIENCE), "{case:?}");
    line.instance.signal("STOP");
    line.cable.release();
    std::thread::sleep(how_long);
    line.instance.signal("CONT");
    caller.receive()
}

#[test]
fn a_process_that_is_stopped_at_any_point_for_seconds_still_delivers_once() {
    let steps = 2 * rounds();
    let mut all_cases = cases(false, steps, false, &[Cut::Hold]);
    all_cases.extend(cases(true, steps + 1, false, &[Cut::Hold]));
    println!("{} cases", all_cases.len());
    all(all_cases, |case| {
        let told = format!("{case:?}");
        let line = Line::new(case.tls);
        let answer = stop(&line, case, Duration::from_millis(2_500), "20");
        assert_eq!(answer.status, 200, "{told}: {answer:?}");
        line.check(2, &answer, &told);
        line.complete(2, &told);
    });
}

#[test]
fn a_process_that_is_stopped_past_its_deadline_tells_so_at_once_or_what_it_has_got() {
    let mut all_cases = cases(false, 1, false, &[Cut::Hold]);
    all_cases.extend(cases(true, 2, false, &[Cut::Hold]));
    println!("{} cases", all_cases.len());
    all(all_cases, |case| {
        let told = format!("{case:?}");
        let line = Line::new(case.tls);
        let begun = Instant::now();
        let answer = stop(&line, case, Duration::from_secs(4), "3");
        assert!(begun.elapsed() < Duration::from_secs(10), "{told}");
        line.check(2, &answer, &told);
        line.complete(2, &told);
    });
}

#[test]
fn a_process_that_was_stopped_between_deliveries_trusts_no_connection_and_forgets_nothing() {
    for tls in [false, true] {
        let line = Line::new(tls);
        line.invoke(2, "20").success();
        line.instance.signal("STOP");
        line.cable.mend();
        std::thread::sleep(Duration::from_millis(500));
        line.instance.signal("CONT");
        assert_eq!(line.invoke(3, "20").status, 200);
        let repeat = line.invoke(2, "20").success();
        assert_eq!(repeat["events"][0]["routes"][0]["outcome"], "duplicate");
        assert_eq!(line.group.deliveries().len(), 3);
    }
}

#[test]
fn a_process_that_is_stopped_while_it_waits_for_its_turn_goes_on() {
    let line = Line::new(false);
    // Twenty a minute: six at once, and then one every few seconds. On a busy machine there may be more of those before
    // one has to wait.
    let mut caller = line.instance.caller();
    let mut number = 2;
    loop {
        caller.send_call(&Call::invoke(event(number).to_string()).timeout("30"));
        if !caller.hears_within(Duration::from_millis(500)) {
            break;
        }
        caller.receive().success();
        number += 1;
        assert!(number < 20, "nobody has to wait");
    }
    let calls = line.group.calls().len();
    line.instance.signal("STOP");
    std::thread::sleep(Duration::from_secs(3));
    line.instance.signal("CONT");
    caller.receive().success();
    assert_eq!(line.group.calls().len(), calls + 1);
    line.complete(number, "in turn");
}
