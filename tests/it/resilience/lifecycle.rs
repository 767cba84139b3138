//! Ends the process at any moment, by signal, hook and kill, and repeats its events as Function
//! Compute does.

use super::{event, resource, rounds, shown, start, start_with};
use crate::platform::{Call, Caller, Instance, PATIENCE, Response};
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{Behaviour, Fault, Group, Robot};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Starts a group that answers after this delay.
fn slow_group(delay: Duration) -> Group {
    Group::builder()
        .robot(Robot::new(TOKEN).secret(SECRET))
        .behaviour(Behaviour {
            delay,
            ..Behaviour::default()
        })
        .start()
        .unwrap()
}

/// Receives an answer for each caller. A request sent before the end must be answered.
fn answers(callers: &mut [Caller]) -> Vec<Response> {
    callers.iter_mut().map(Caller::receive).collect()
}

/// Checks the answers against the group: a delivered event is shown once, a failed one at most
/// once.
fn assert_answers_match(group: &Group, answers: &[(usize, Response)], context: &str) {
    let deliveries = group.deliveries();
    for (number, answer) in answers {
        let shown = shown(&deliveries, *number);
        if answer.status == 200 {
            answer.success();
            assert_eq!(shown, 1, "{context}: event {number}");
        } else {
            answer.failure(404);
            assert!(shown <= 1, "{context}: event {number} shown {shown} times");
        }
    }
}

/// Every accepted invocation is answered, and the answer matches what the group shows.
#[test]
fn when_sigterm_comes_under_load_accepted_invocations_complete() {
    let delay = Duration::from_millis(15);
    let mut ended_early = 0;
    let count = 30 * rounds();
    for round in 0..count {
        let group = slow_group(delay);
        let mut instance = start(&group.webhook(TOKEN));
        let context = format!("round {round}");
        // Ten connected callers send one after the other; the signal comes among them.
        let mut callers: Vec<Caller> = (0..10).map(|_| instance.caller()).collect();
        let signal_after = round % 11;
        let pause = Duration::from_micros(700 * (round as u64 % 7));
        for (number, caller) in callers.iter_mut().enumerate() {
            if number == signal_after {
                break;
            }
            caller.send_call(&Call::invoke(event(number).to_string()).timeout("20"));
            std::thread::sleep(pause);
        }
        instance.sigterm();
        // A request after the signal is answered, or not accepted and then not shown.
        let mut late = callers.split_off(signal_after);
        let mut crossing = Vec::new();
        for (n, caller) in late.iter_mut().enumerate() {
            let call = Call::invoke(event(signal_after + n).to_string()).timeout("20");
            if caller.send_while_taken(&call.encode()) > 0 {
                crossing.push((signal_after + n, caller));
            }
        }
        let mut received: Vec<(usize, Response)> =
            answers(&mut callers).into_iter().enumerate().collect();
        for (number, caller) in crossing {
            match caller.try_receive() {
                Some(answer) => received.push((number, answer)),
                None => assert_eq!(
                    shown(&group.deliveries(), number),
                    0,
                    "{context}: event {number}"
                ),
            }
        }
        assert_eq!(instance.wait_exit(PATIENCE), 0, "{context}");
        assert_answers_match(&group, &received, &context);
        assert!(
            received.iter().all(|(_, answer)| answer.status == 200),
            "{context}: {received:?}"
        );
        ended_early += usize::from(received.len() < 10);
    }
    println!("{count} ends, {ended_early} of them before all callers were answered");
}

/// The kernel has accepted their connections; the process has not.
#[test]
fn when_sigterm_comes_queued_connections_are_served() {
    let group = slow_group(Duration::ZERO);
    let mut instance = start(&group.webhook(TOKEN));
    // Stop the process: connections and requests queue in the kernel until after the signal.
    instance.signal("STOP");
    let mut callers: Vec<Caller> = (0..100).map(|_| instance.caller()).collect();
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.send_call(&Call::invoke(event(number).to_string()).timeout("60"));
    }
    instance.sigterm();
    instance.signal("CONT");
    let context: Vec<_> = answers(&mut callers).into_iter().enumerate().collect();
    assert!(context.iter().all(|(_, answer)| answer.status == 200));
    assert_answers_match(&group, &context, "backlog");
    assert_eq!(instance.wait_exit(PATIENCE), 0);
}

#[test]
fn when_sigterm_comes_and_no_answer_does_deadlines_end_it() {
    let group = slow_group(Duration::ZERO);
    group.faults(vec![Fault::NeverAnswer; 9]);
    let mut instance = start(&group.webhook(TOKEN));
    let mut callers: Vec<Caller> = (0..5).map(|_| instance.caller()).collect();
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.send_call(&Call::invoke(event(number).to_string()).timeout("3"));
    }
    let begun = Instant::now();
    instance.sigterm();
    for answer in answers(&mut callers) {
        assert_eq!(answer.failure(404), "Deadline");
    }
    assert_eq!(instance.wait_exit(PATIENCE), 0);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(group.deliveries().is_empty());
}

#[test]
fn pre_stop_answers_after_the_invocations_in_flight() {
    for round in 0..6 * rounds() {
        let group = slow_group(Duration::ZERO);
        let mut instance = start(&group.webhook(TOKEN));
        group.fault(Fault::Hold);
        let mut callers: Vec<Caller> = (0..8).map(|_| instance.caller()).collect();
        for (number, caller) in callers.iter_mut().enumerate() {
            caller.send_call(&Call::invoke(event(number).to_string()).timeout("20"));
        }
        // The held call shows that an invocation is in flight.
        assert!(group.wait_until_held(1, PATIENCE));
        let mut hook = instance.caller();
        hook.send_call(&Call::new("GET", "/pre-stop"));
        let early = Duration::from_millis(3 * (round as u64 % 6));
        assert!(
            !hook.hears_within(early + Duration::from_millis(1)),
            "one is in flight"
        );
        group.release();
        hook.receive().success();
        instance.sigterm();
        let context: Vec<_> = answers(&mut callers).into_iter().enumerate().collect();
        assert!(context.iter().all(|(_, answer)| answer.status == 200));
        assert_answers_match(&group, &context, "pre-stop");
        assert_eq!(instance.wait_exit(PATIENCE), 0);
    }
    // When DingTalk never answers, the hook answers at the deadline of the invocation in flight.
    let group = slow_group(Duration::ZERO);
    group.faults(vec![Fault::NeverAnswer; 9]);
    let instance = start(&group.webhook(TOKEN));
    let mut caller = instance.caller();
    caller.send_call(&Call::invoke(event(1).to_string()).timeout("3"));
    assert_eq!(group.wait_for_calls(1, PATIENCE).len(), 1);
    let begun = Instant::now();
    instance
        .caller()
        .call(&Call::new("GET", "/pre-stop"))
        .success();
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(caller.receive().failure(404), "Deadline");
}

/// Kills the process after its message was shown and before the answer, then repeats the payload to
/// a new process.
fn kill_and_repeat(payload: &Value, events: usize) {
    let group = slow_group(Duration::ZERO);
    let webhook = group.webhook(TOKEN);
    let mut first = start(&webhook);
    group.fault(Fault::AcceptThenNeverAnswer);
    let mut caller = first.caller();
    caller.send_call(&Call::invoke(payload.to_string()).timeout("20"));
    assert_eq!(group.wait_for_deliveries(1, PATIENCE).len(), 1);
    first.signal("KILL");
    assert_eq!(first.wait_exit(PATIENCE), -1);
    assert!(caller.try_receive().is_none(), "an answer after the kill");

    let second = start(&webhook);
    let answer = second.caller().invoke(payload.to_string()).success();
    assert_eq!(answer["events"].as_array().unwrap().len(), events);
    for event in answer["events"].as_array().unwrap() {
        assert_eq!(event["routes"][0]["outcome"], "delivered");
    }
    let calls = group.calls();
    assert_eq!((calls.len(), group.deliveries().len()), (2, 1));
    assert!(calls[1].duplicate);
    let key = |n: usize| calls[n].body.as_ref().unwrap()["msgUuid"].clone();
    assert_eq!(key(0), key(1));
}

#[test]
fn when_killed_before_the_answer_the_repeat_is_not_shown_again() {
    kill_and_repeat(&event(1), 1);
    kill_and_repeat(&json!([event(1), event(2), event(3)]), 3);
}

#[test]
fn when_killed_with_a_digest_in_flight_no_event_is_lost() {
    // The events of one message are repeated one by one, with other keys: they may be shown twice.
    let group = slow_group(Duration::ZERO);
    let webhook = group.webhook(TOKEN);
    let first = start(&webhook);
    group.faults([Fault::Hold, Fault::AcceptThenNeverAnswer]);
    let mut callers: Vec<Caller> = (0..4).map(|_| first.caller()).collect();
    callers[0].send_call(&Call::invoke(event(0).to_string()));
    assert!(group.wait_until_held(1, PATIENCE));
    for (number, caller) in callers.iter_mut().enumerate().skip(1) {
        caller.send_call(&Call::invoke(event(number).to_string()));
    }
    // Let the other invocations arrive; the second message holds at least one of them.
    std::thread::sleep(Duration::from_millis(200));
    group.release();
    callers[0].receive().success();
    assert_eq!(group.wait_for_deliveries(2, PATIENCE).len(), 2);
    drop(first);

    let second = start(&webhook);
    for number in 0..4 {
        second.caller().invoke(event(number).to_string()).success();
    }
    let deliveries = group.deliveries();
    assert_eq!(
        shown(&deliveries, 0),
        1,
        "alone in its message, so a duplicate"
    );
    for number in 1..4 {
        assert!(
            (1..=2).contains(&shown(&deliveries, number)),
            "event {number}"
        );
    }
}

#[test]
fn when_killed_at_any_moment_the_repeat_completes_the_event() {
    let count = 20 * rounds();
    for round in 0..count {
        let group = slow_group(Duration::from_millis(4));
        let webhook = group.webhook(TOKEN);
        let first = start(&webhook);
        let mut caller = first.caller();
        caller.send_call(&Call::invoke(event(1).to_string()));
        std::thread::sleep(Duration::from_micros(900 * (round as u64 % 20)));
        drop(first);
        let answer = start(&webhook).caller().invoke(event(1).to_string());
        assert_eq!(answer.status, 200, "round {round}");
        // The killed process's request may still arrive; it has the same key.
        assert_eq!(shown(&group.deliveries(), 1), 1, "round {round}");
    }
}

#[test]
fn when_restarted_within_a_burst_no_event_is_shown_twice() {
    let group = slow_group(Duration::ZERO);
    let webhook = group.webhook(TOKEN);
    for _ in 0..3 {
        let mut instance: Instance = start_with(&webhook, &[("DINGTALK_RATE_LIMIT", "20")]);
        for number in 0..3 {
            instance
                .caller()
                .invoke(event(number).to_string())
                .success();
        }
        instance.sigterm();
        assert_eq!(instance.wait_exit(PATIENCE), 0);
    }
    let deliveries = group.deliveries();
    assert_eq!((group.calls().len(), deliveries.len()), (9, 3));
    assert!(deliveries[0].text.contains(&resource(0)));
}
