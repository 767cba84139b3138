//! Many invocations and events cost few calls.

use super::{Stage, add, outcomes, stopped};
use crate::platform::PATIENCE;
use fake_aliyun::Fault;
use serde_json::Value;
use std::time::{Duration, Instant};

fn id(number: usize) -> String {
    format!("i-bp1many{number:010}")
}

/// Sends each list of events on a connection of its own, so long after the one before. Waits for
/// all answers, in each of which all events must be delivered.
fn send(stage: &Stage, invocations: &[Vec<Value>], apart: Duration) {
    let callers = invocations.iter().map(|_| stage.instance.caller());
    let mut callers: Vec<_> = callers.collect();
    let begun = Instant::now();
    for (n, (caller, events)) in (0..).zip(callers.iter_mut().zip(invocations)) {
        std::thread::sleep((apart * n).saturating_sub(begun.elapsed()));
        caller.send_call(&stage.call(events));
    }
    for (caller, events) in callers.iter_mut().zip(invocations) {
        let answer = caller.receive().success();
        assert_eq!(outcomes(&answer), vec!["delivered"; events.len()]);
    }
}

/// The log lines' words for the look-up.
fn lookups(stage: &Stage, count: usize) -> Vec<String> {
    stage.instance.wait_for_stdout_line(count - 1, PATIENCE);
    let word = |n| stage.line(n)["lookup"].as_str().unwrap().to_owned();
    (0..count).map(word).collect()
}

/// A stage with a hundred instances, whose API takes this time for an answer. It lets others come
/// meanwhile.
fn stage(time: u64) -> Stage {
    let stage = Stage::new(&[("DINGTALK_RATE_LIMIT", "20")]);
    (0..100).for_each(|n| add(&stage.cloud, &id(n)));
    let slow = Fault::Slow(Duration::from_millis(time));
    stage.cloud.set_standing_fault(Some(slow));
    stage
}

/// On a busy machine some may come later than their second, and go out without.
#[test]
fn a_hundred_invocations_at_once_share_three_calls() {
    let is_complete = || {
        let mut stage = stage(200);
        let invocations: Vec<_> = (0..100).map(|n| vec![stopped(&id(n))]).collect();
        send(&stage, &invocations, Duration::ZERO);
        let calls = stage.cloud.calls();
        assert!(calls.len() <= 3, "{}", calls.len());
        if lookups(&stage, 100) != ["found"; 100] {
            return false;
        }
        let mut asked: Vec<String> = calls.into_iter().flat_map(|call| call.ids).collect();
        asked.sort();
        let all: Vec<String> = (0..100).map(id).collect();
        assert_eq!(asked, all, "each is asked for once");
        let deliveries = stage.group.deliveries().into_iter();
        let shown: String = deliveries.map(|delivery| delivery.text).collect();
        for id in all {
            assert!(shown.contains(&super::name_of(&id)), "{id} in {shown}");
        }
        assert!(stage.complaints().is_empty());
        true
    };
    assert!((0..5).any(|_| is_complete()));
}

#[test]
fn a_hundred_invocations_about_one_instance_share_one_call() {
    let mut stage = stage(200);
    let invocations: Vec<_> = (0..100).map(|_| vec![stopped(&id(7))]).collect();
    send(&stage, &invocations, Duration::ZERO);
    assert_eq!(stage.cloud.calls().len(), 1);
    let lookups = lookups(&stage, 100);
    assert!(
        lookups
            .iter()
            .all(|word| word == "found" || word == "cached"),
        "{lookups:?}"
    );
    assert!(stage.complaints().is_empty());
}

/// Each invocation brings an instance that was not asked for before. On a busy machine some may come
/// later than their second.
#[test]
fn a_thousand_events_in_ten_seconds_cost_at_most_twenty_calls() {
    let stage = stage(20);
    let events = |n| (0..10).map(|_| stopped(&id(n))).collect();
    let invocations: Vec<Vec<Value>> = (0..100).map(events).collect();
    send(&stage, &invocations, Duration::from_millis(95));
    let calls = stage.cloud.calls();
    // On a busy machine it may take longer.
    let within = |from: &Instant| {
        let times = calls.iter().map(|call| call.at);
        times
            .filter(|at| at >= from && *at <= *from + Duration::from_secs(10))
            .count()
    };
    for call in &calls {
        assert!(within(&call.at) <= 20, "{}", within(&call.at));
    }
    let lookups = lookups(&stage, 1_000);
    let known = lookups.iter().filter(|word| *word == "found").count();
    assert!(known > 900, "{lookups:?}");
}

/// An API that answers at once lets nobody wait, and still few calls are made.
#[test]
fn a_quick_api_is_asked_no_more_often() {
    let stage = Stage::new(&[("DINGTALK_RATE_LIMIT", "20")]);
    (0..100).for_each(|n| add(&stage.cloud, &id(n)));
    let invocations: Vec<_> = (0..100).map(|n| vec![stopped(&id(n))]).collect();
    let begun = Instant::now();
    send(&stage, &invocations, Duration::ZERO);
    let at_once = |at: Instant| at < begun + Duration::from_secs(1);
    let calls = stage
        .cloud
        .calls()
        .into_iter()
        .filter(|call| at_once(call.at));
    let calls = calls.count();
    assert!(calls <= 3, "{calls}");
}
