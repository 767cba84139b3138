//! The end of a process at every moment: by signal, by hook, by force; and what Function Compute's repeat makes of it.

use super::{event, resource, rounds, shown, start, start_with};
use crate::platform::{Call, Caller, Instance, PATIENCE, Response};
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{Behaviour, Fault, Group, Robot};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A group whose answers take a while.
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

/// The answers to what these callers sent; what was sent before the end must be answered.
fn answers(callers: &mut [Caller]) -> Vec<Response> {
    callers.iter_mut().map(Caller::receive).collect()
}

/// What was told is true: delivered is shown, once; failed is shown at most once, for it may be repeated.
fn assert_true(group: &Group, answers: &[(usize, Response)], told: &str) {
    let deliveries = group.deliveries();
    for (number, answer) in answers {
        let shown = shown(&deliveries, *number);
        if answer.status == 200 {
            answer.success();
            assert_eq!(shown, 1, "{told}: event {number}");
        } else {
            answer.failure(404);
            assert!(shown <= 1, "{told}: event {number} shown {shown} times");
        }
    }
}

#[test]
fn a_signal_at_any_moment_under_load_leaves_no_accepted_invocation_without_its_true_answer() {
    let delay = Duration::from_millis(15);
    let mut ended_early = 0;
    let count = 30 * rounds();
    for round in 0..count {
        let group = slow_group(delay);
        let mut instance = start(&group.webhook(TOKEN));
        let told = format!("round {round}");
        // Ten that are connected: they send one after the other, and the signal comes somewhere among them.
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
        // What comes after the signal is answered or not taken; and what is not taken is not shown.
        let mut late = callers.split_off(signal_after);
        let mut crossing = Vec::new();
        for (n, caller) in late.iter_mut().enumerate() {
            let call = Call::invoke(event(signal_after + n).to_string()).timeout("20");
            if caller.send_while_taken(&call.encode()) > 0 {
                crossing.push((signal_after + n, caller));
            }
        }
        let mut told_of: Vec<(usize, Response)> =
            answers(&mut callers).into_iter().enumerate().collect();
        for (number, caller) in crossing {
            match caller.try_receive() {
                Some(answer) => told_of.push((number, answer)),
                None => assert_eq!(
                    shown(&group.deliveries(), number),
                    0,
                    "{told}: event {number}"
                ),
            }
        }
        assert_eq!(instance.wait_exit(PATIENCE), 0, "{told}");
        assert_true(&group, &told_of, &told);
        assert!(
            told_of.iter().all(|(_, answer)| answer.status == 200),
            "{told}: {told_of:?}"
        );
        ended_early += usize::from(told_of.len() < 10);
    }
    println!("{count} ends, {ended_early} of them before everybody had been heard");
}

#[test]
fn invocations_that_nobody_has_accepted_yet_when_the_signal_comes_are_served() {
    let group = slow_group(Duration::ZERO);
    let mut instance = start(&group.webhook(TOKEN));
    // The process stands still: connections and requests pile up in the kernel, then the signal.
    instance.signal("STOP");
    let mut callers: Vec<Caller> = (0..100).map(|_| instance.caller()).collect();
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.send_call(&Call::invoke(event(number).to_string()).timeout("60"));
    }
    instance.sigterm();
    instance.signal("CONT");
    let told: Vec<_> = answers(&mut callers).into_iter().enumerate().collect();
    assert!(told.iter().all(|(_, answer)| answer.status == 200));
    assert_true(&group, &told, "backlog");
    assert_eq!(instance.wait_exit(PATIENCE), 0);
}

#[test]
fn a_signal_while_the_chatbot_never_answers_ends_the_process_at_the_deadlines() {
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
fn pre_stop_under_load_answers_when_all_in_flight_have_their_answers_and_in_time() {
    for round in 0..6 * rounds() {
        let group = slow_group(Duration::ZERO);
        let mut instance = start(&group.webhook(TOKEN));
        group.fault(Fault::Hold);
        let mut callers: Vec<Caller> = (0..8).map(|_| instance.caller()).collect();
        for (number, caller) in callers.iter_mut().enumerate() {
            caller.send_call(&Call::invoke(event(number).to_string()).timeout("20"));
        }
        // One of them drives the message that is held; by then it is in flight for sure.
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
        let told: Vec<_> = answers(&mut callers).into_iter().enumerate().collect();
        assert!(told.iter().all(|(_, answer)| answer.status == 200));
        assert_true(&group, &told, "pre-stop");
        assert_eq!(instance.wait_exit(PATIENCE), 0);
    }
    // And when the answer never comes, at the deadline of those in flight.
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

/// Kills the process when its message was shown but not yet answered, and repeats the payload to a new one.
fn killed_and_repeated(payload: &Value, events: usize) {
    let group = slow_group(Duration::ZERO);
    let webhook = group.webhook(TOKEN);
    let mut first = start(&webhook);
    group.fault(Fault::AcceptThenNeverAnswer);
    let mut caller = first.caller();
    caller.send_call(&Call::invoke(payload.to_string()).timeout("20"));
    assert_eq!(group.wait_for_deliveries(1, PATIENCE).len(), 1);
    first.signal("KILL");
    assert_eq!(first.wait_exit(PATIENCE), -1);
    assert!(caller.try_receive().is_none(), "an answer from the dead");

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
fn killed_between_the_chatbots_acceptance_and_the_answer_the_repeat_shows_no_second_message() {
    killed_and_repeated(&event(1), 1);
    killed_and_repeated(&json!([event(1), event(2), event(3)]), 3);
}

#[test]
fn killed_with_a_digest_of_several_invocations_on_its_way_nothing_is_lost() {
    // What one message held is repeated one by one, with other keys: shown twice perhaps, but shown.
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
    // The second message holds at least one of the three; all have come when the hook sees them in flight.
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
        "alone in its message, and known by its key"
    );
    for number in 1..4 {
        assert!(
            (1..=2).contains(&shown(&deliveries, number)),
            "event {number}"
        );
    }
}

#[test]
fn killed_at_any_moment_the_repeat_completes_every_event_once() {
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
        // The dead process's request may still be on its way; it has the same key.
        assert_eq!(shown(&group.deliveries(), 1), 1, "round {round}");
    }
}

#[test]
fn a_restart_within_a_burst_repeats_no_single_event() {
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
