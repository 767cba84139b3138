//! Chats without an idempotency key, and what else a message may lose on its way.

use super::dispatcher::{Bench, SECOND, Sent, delivered, refused, throttled};
use super::{FakeChannel, channel, target};
use crate::channel::{Attempt, Ban, Channel, Class, Limits, Recovery};
use crate::clock::Clock;
use crate::delivery::{DeliveryResult, Failure, Target, aborted};
use crate::event::Level;
use crate::message::{Mentions, RenderOptions};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REPEAT: &str = "sent again: may be a repeat";
const GAP: Duration = Duration::from_millis(2500);

/// A chatbot that knows no keys and gives these answers, each after a second.
fn forgetful<const N: usize>(
    bench: &Bench,
    id: &str,
    answers: [Attempt; N],
) -> (Arc<dyn Channel>, Sent) {
    let answers: Mutex<VecDeque<Attempt>> = Mutex::new(answers.into());
    let (clock, sent) = (Arc::clone(&bench.clock), Sent::default());
    let log = Arc::clone(&sent);
    let channel = channel(id, move |body: &[u8], options, _| {
        log.lock().unwrap().push((body.to_vec(), options));
        clock.advance(SECOND);
        let answer = answers.lock().unwrap().pop_front();
        answer.expect("an answer for every request")
    });
    let limits = Limits {
        min_gap: GAP,
        ..channel.limits
    };
    let channel = FakeChannel {
        secrets: 2,
        deduplicates: false,
        limits,
        ..channel
    };
    (Arc::new(channel), sent)
}

fn bodies(sent: &Sent) -> Vec<String> {
    let sent = sent.lock().unwrap();
    let body = |(body, _): &(Vec<u8>, _)| String::from_utf8(body.clone()).unwrap();
    sent.iter().map(body).collect()
}

fn mentioning(channel: Arc<dyn Channel>) -> Target {
    let target = target("default", channel);
    Target {
        options: RenderOptions {
            mentions: Mentions {
                user_ids: vec!["alice".into()],
                ..Mentions::default()
            },
            mention_levels: Level::ALL.to_vec(),
            ..target.options
        },
        ..target
    }
}

#[test]
fn when_an_answer_is_lost_one_marked_request_follows() {
    let bench = Bench::new();
    let (channel, sent) = forgetful(&bench, "a", [aborted(), delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", channel)]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(
        (outcome.result, outcome.attempts),
        (DeliveryResult::Delivered, 2)
    );
    let marked: Vec<bool> = bodies(&sent)
        .iter()
        .map(|body| body.contains(REPEAT))
        .collect();
    assert_eq!(marked, [false, true]);
}

#[test]
fn when_two_answers_are_lost_it_fails_without_the_fallback() {
    let bench = Bench::new();
    let (channel, sent) = forgetful(&bench, "a", [aborted(), aborted(), delivered()]);
    let (fallback, second) = forgetful(&bench, "f", []);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", channel)
    }]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.failure(), Some(Failure::Unreachable));
    assert_eq!((outcome.attempts, second.lock().unwrap().len()), (2, 0));
    // The event comes back: its message is still marked.
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.result, DeliveryResult::Delivered);
    let marked: Vec<bool> = bodies(&sent)
        .iter()
        .map(|body| body.contains(REPEAT))
        .collect();
    assert_eq!(marked, [false, true, true]);
}

#[test]
fn after_a_lost_answer_the_fallback_waits_for_the_event_to_come_back() {
    let bench = Bench::new();
    let no = || refused(Recovery::None);
    let (channel, _) = forgetful(&bench, "a", [aborted(), no(), no()]);
    let (fallback, sent) = forgetful(&bench, "f", [delivered()]);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", channel)
    }]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.failure(), Some(Failure::Refused));
    assert!(sent.lock().unwrap().is_empty());
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.result, DeliveryResult::Delivered);
    assert!(bodies(&sent)[0].contains(REPEAT));
}

#[test]
fn when_the_chat_says_busy_the_retry_is_not_marked() {
    let bench = Bench::new();
    let busy = || super::attempt(Class::Unclear, Some(-1));
    let (channel, sent) = forgetful(&bench, "a", [busy(), busy(), busy(), busy()]);
    let dispatcher = bench.dispatcher(vec![target("default", channel)]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.failure(), Some(Failure::Unreachable));
    let bodies = bodies(&sent);
    assert_eq!(bodies.len(), 4);
    assert!(!bodies.iter().any(|body| body.contains(REPEAT)));
}

#[test]
fn refused_mentions_are_left_out_and_the_outcome_says_so() {
    let bench = Bench::new();
    let refusal = refused(Recovery::WithoutMentions);
    let (channel, sent) = forgetful(&bench, "a", [refusal, delivered(), delivered()]);
    let dispatcher = bench.dispatcher(vec![mentioning(channel)]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(
        (outcome.result, outcome.attempts),
        (DeliveryResult::Delivered, 2)
    );
    let remedy = "delivered without mentions: change it (no)";
    assert_eq!(outcome.remedy.as_deref(), Some(remedy));
    // The next message mentions again: its people may be others.
    assert_eq!(bench.deliver(&dispatcher, 0, 2).remedy, None);
    let mentions: Vec<bool> = bodies(&sent)
        .iter()
        .map(|body| body.contains("alice"))
        .collect();
    assert_eq!(mentions, [true, false, true]);
}

#[test]
fn a_refused_form_is_followed_by_the_plainest_once() {
    for (second, result) in [
        (delivered(), DeliveryResult::Delivered),
        (
            refused(Recovery::Plain),
            DeliveryResult::Failed(Failure::Refused),
        ),
    ] {
        let bench = Bench::new();
        let (channel, sent) = forgetful(&bench, "a", [refused(Recovery::Plain), second]);
        let dispatcher = bench.dispatcher(vec![target("default", channel)]);
        let outcome = bench.deliver(&dispatcher, 0, 1);
        assert_eq!((outcome.result, outcome.attempts), (result, 2));
        let plain: Vec<bool> = bodies(&sent)
            .iter()
            .map(|body| body.ends_with("true"))
            .collect();
        assert_eq!(plain, [false, true]);
    }
}

/// From the end of one request to the next: for retries, for the other secret, and between routes.
#[test]
fn the_gap_holds_between_all_requests_to_a_chatbot() {
    let bench = Bench::new();
    let begun = bench.clock.now();
    let moments: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let chatbot = |id: &str, answers: Vec<Attempt>| {
        let answers: Mutex<VecDeque<Attempt>> = Mutex::new(answers.into());
        let (clock, moments) = (Arc::clone(&bench.clock), Arc::clone(&moments));
        let channel = channel(id, move |_: &[u8], _, _| {
            moments.lock().unwrap().push(clock.now() - begun);
            clock.advance(SECOND);
            answers.lock().unwrap().pop_front().unwrap()
        });
        let limits = Limits {
            min_gap: GAP,
            ..channel.limits
        };
        Arc::new(FakeChannel {
            secrets: 2,
            limits,
            ..channel
        })
    };
    let busy = super::attempt(Class::Unclear, None);
    let first = chatbot(
        "a",
        vec![
            busy,
            refused(Recovery::NextSecret),
            delivered(),
            throttled(Ban::Chatbot),
        ],
    );
    let fallback: Arc<dyn Channel> = chatbot("f", vec![delivered()]);
    let second = chatbot("a", vec![delivered()]);
    let dispatcher = bench.dispatcher(vec![
        Target {
            fallback: Some(fallback),
            ..target("default", first)
        },
        target("other", second),
    ]);
    for (route, number) in [(0, 1), (1, 2), (0, 3)] {
        let outcome = bench.deliver(&dispatcher, route, number);
        assert_eq!(outcome.result, DeliveryResult::Delivered);
    }
    // Each request takes a second. The fallback has a pace of its own.
    let every = GAP + SECOND;
    let expected = [0, 1, 2, 3, 4].map(|n| every * n);
    let mut moments = moments.lock().unwrap().clone();
    let of_fallback = moments.pop().unwrap();
    assert_eq!(moments, expected);
    assert_eq!(of_fallback, expected[4] + SECOND);
}
