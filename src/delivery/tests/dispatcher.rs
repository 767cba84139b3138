//! One invocation at a time, on a clock that jumps to whatever is waited for.

use super::{FakeChannel, attempt, channel, event, target};
use crate::channel::{
    Attempt, Ban, Body, Channel, Class, Code, EncodeOptions, Limits, Phase, Recovery, SendOptions,
};
use crate::clock::{Clock, ManualClock};
use crate::delivery::{DeliveryResult, Dispatcher, Failure, Outcome, Target};
use crate::message::Message;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

pub(super) const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What a chatbot was sent: body and options.
pub(super) type Sent = Arc<Mutex<Vec<(Vec<u8>, SendOptions)>>>;

/// A clock, and chatbots that give a list of answers, each after a second.
pub(super) struct Bench {
    pub(super) clock: Arc<ManualClock>,
}

impl Bench {
    pub(super) fn new() -> Bench {
        // 2025-10-09T08:53:20Z
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        Bench {
            clock: ManualClock::frozen_at(wall),
        }
    }

    fn chatbot(
        &self,
        id: &str,
        secrets: usize,
        answers: impl IntoIterator<Item = Attempt>,
    ) -> (Arc<dyn Channel>, Sent) {
        let answers: Mutex<VecDeque<Attempt>> = Mutex::new(answers.into_iter().collect());
        let (clock, sent) = (Arc::clone(&self.clock), Sent::default());
        let log = Arc::clone(&sent);
        let send = move |body: &[u8], options: SendOptions, _| {
            log.lock().unwrap().push((body.to_vec(), options));
            clock.advance(SECOND);
            let answer = answers.lock().unwrap().pop_front();
            answer.expect("an answer for every request")
        };
        let channel = FakeChannel {
            secrets,
            ..channel(id, send)
        };
        (Arc::new(channel), sent)
    }

    pub(super) fn dispatcher(&self, targets: Vec<Target>) -> Dispatcher {
        Dispatcher::new(targets, self.clock.clone())
    }

    /// Delivers the event of this number with a minute to do it in.
    pub(super) fn deliver(&self, dispatcher: &Dispatcher, route: usize, number: usize) -> Outcome {
        let deadline = self.clock.now() + MINUTE;
        let mut outcomes = dispatcher.deliver(route, &[event(number)], deadline);
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }
}

pub(super) fn delivered() -> Attempt {
    attempt(Class::Delivered, Some(0))
}

pub(super) fn throttled(ban: Ban) -> Attempt {
    let class = Class::Throttled {
        retry_after: 10 * MINUTE,
        ban,
    };
    Attempt {
        detail: "too fast".into(),
        ..attempt(class, Some(130101))
    }
}

pub(super) fn refused(recovery: Recovery) -> Attempt {
    Attempt {
        detail: "no".into(),
        remedy: Some("change it".into()),
        ..attempt(Class::Refused(recovery), Some(310000))
    }
}

#[test]
fn once_stopped_nothing_more_is_sent() {
    let bench = Bench::new();
    let (chatbot, sent) = bench.chatbot("a", 0, [delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    assert_eq!(
        bench.deliver(&dispatcher, 0, 1).result,
        DeliveryResult::Delivered
    );
    dispatcher.stop();
    let outcome = bench.deliver(&dispatcher, 0, 2);
    assert_eq!(outcome.result, DeliveryResult::Failed(Failure::Deadline));
    assert_eq!((outcome.attempts, sent.lock().unwrap().len()), (0, 1));
    // What is known needs no request.
    assert_eq!(
        bench.deliver(&dispatcher, 0, 1).result,
        DeliveryResult::Duplicate
    );
}

/// An event may be settled while one before it in the payload still waits: its duration ends then.
#[test]
fn an_event_settled_behind_a_waiting_one_keeps_its_own_time() {
    let bench = Bench::new();
    let clock = Arc::clone(&bench.clock);
    let unclear = || (SECOND, Class::Unclear);
    let answers = [unclear(), unclear(), unclear(), unclear()]
        .into_iter()
        .chain([(SECOND, Class::Delivered), (60 * SECOND, Class::Unclear)]);
    let answers: Mutex<VecDeque<(Duration, Class)>> = Mutex::new(answers.collect());
    let send = move |_: &[u8], _, _| {
        let (time, class) = answers.lock().unwrap().pop_front().unwrap();
        clock.advance(time);
        attempt(class, None)
    };
    let dispatcher = bench.dispatcher(vec![target("default", Arc::new(channel("a", send)))]);

    let deadline = bench.clock.now() + 59 * SECOND;
    let first = dispatcher.deliver(0, &[event(1)], deadline);
    assert_eq!(first[0].failure(), Some(Failure::Unreachable));
    // Its message goes first, verbatim. Then comes the new event's, which stands before it in the
    // payload.
    let deadline = bench.clock.now() + 59 * SECOND;
    let again = dispatcher.deliver(0, &[event(2), event(1)], deadline);
    assert_eq!(again[0].failure(), Some(Failure::Deadline));
    assert_eq!(again[1].result, DeliveryResult::Delivered);
    assert_eq!(again[1].duration, SECOND);
    assert!(again[0].duration >= 61 * SECOND);
}

#[test]
fn a_ban_remedy_reaches_every_failing_event_of_every_route() {
    for ban in [Ban::Chatbot, Ban::Address] {
        let bench = Bench::new();
        let (first, sent) = bench.chatbot("a", 0, [throttled(ban)]);
        // The same chatbot, with remedies of its own.
        struct Other(Arc<dyn Channel>);
        impl Channel for Other {
            fn chat(&self) -> &'static str {
                self.0.chat()
            }
            fn id(&self) -> &str {
                self.0.id()
            }
            fn limits(&self) -> Limits {
                self.0.limits()
            }
            fn secrets(&self) -> usize {
                self.0.secrets()
            }
            fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
                self.0.encode(message, options)
            }
            fn send(
                &self,
                body: &[u8],
                options: SendOptions,
                deadline: std::time::Instant,
            ) -> Attempt {
                self.0.send(body, options, deadline)
            }
            fn ban_remedy(&self, ban: Ban) -> String {
                format!("mend {ban:?} on the other route")
            }
        }
        let other = Arc::new(Other(Arc::clone(&first)));
        let dispatcher = bench.dispatcher(vec![target("default", first), target("other", other)]);
        let until = "Fake throttles this chatbot; nothing is sent to it before 2025-10-09 09:03:21 (UTC+00:00)";

        let outcome = bench.deliver(&dispatcher, 0, 1);
        assert_eq!(outcome.failure(), Some(Failure::Throttled));
        assert_eq!(outcome.attempts, 1);
        let remedy = format!("{until} (too fast); mend {ban:?} at a");
        assert_eq!(outcome.remedy, Some(remedy));

        // While the ban lasts, no request is made.
        bench.clock.advance(9 * MINUTE);
        for (route, place) in [(0, "at a"), (1, "on the other route")] {
            let outcome = bench.deliver(&dispatcher, route, 2);
            assert_eq!(outcome.failure(), Some(Failure::Throttled));
            assert_eq!((outcome.attempts, outcome.class), (0, None));
            let remedy = format!("{until}; mend {ban:?} {place}");
            assert_eq!(outcome.remedy, Some(remedy));
        }
        assert_eq!(sent.lock().unwrap().len(), 1);
    }
}

#[test]
fn when_the_fallback_fails_too_both_remedies_are_reported() {
    let bench = Bench::new();
    let (primary, _) = bench.chatbot("a", 0, [throttled(Ban::Chatbot)]);
    let refusals = [refused(Recovery::None), refused(Recovery::None)];
    let (fallback, sent) = bench.chatbot("b", 0, refusals);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", primary)
    }]);
    // The first message meets the ban, the second starts at the fallback.
    for (number, attempts, said) in [(1, 2, " (too fast)"), (2, 1, "")] {
        let outcome = bench.deliver(&dispatcher, 0, number);
        // The refusal comes first in the order of failures.
        assert_eq!(outcome.failure(), Some(Failure::Refused));
        assert_eq!(
            (outcome.attempts, outcome.errcode),
            (attempts, Some(Code::Number(310000)))
        );
        let remedy = format!(
            "Fake throttles this chatbot; nothing is sent to it before 2025-10-09 09:03:21 (UTC+00:00){said}; \
             mend Chatbot at a; the fallback chatbot: change it (no)"
        );
        assert_eq!(outcome.remedy, Some(remedy));
    }
    assert_eq!(sent.lock().unwrap().len(), 2);
}

/// The ban comes first in the order of failures, but the message is the one that the fallback got.
#[test]
fn when_only_the_fallback_got_the_message_its_key_is_reported() {
    let bench = Bench::new();
    let (primary, _) = bench.chatbot("a", 0, [throttled(Ban::Chatbot)]);
    let busy = || attempt(Class::Unclear, Some(-1));
    let answers = [delivered(), busy(), busy(), busy(), busy()];
    let (fallback, sent) = bench.chatbot("b", 0, answers);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", primary)
    }]);
    assert_eq!(bench.deliver(&dispatcher, 0, 1).failure(), None);
    let outcome = bench.deliver(&dispatcher, 0, 2);
    assert_eq!(outcome.failure(), Some(Failure::Throttled));
    assert_eq!((outcome.attempts, outcome.combined), (4, 1));
    let (body, _) = sent.lock().unwrap().pop().unwrap();
    let uuid = outcome.message_uuid.unwrap();
    assert!(body.starts_with(uuid.as_bytes()), "{uuid}");
}

#[test]
fn when_both_chatbots_are_banned_both_bans_are_reported() {
    let bench = Bench::new();
    let (primary, _) = bench.chatbot("a", 0, [throttled(Ban::Chatbot)]);
    let (fallback, _) = bench.chatbot("b", 0, [throttled(Ban::Address)]);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", primary)
    }]);
    for (number, attempts) in [(1, 2), (2, 0)] {
        let outcome = bench.deliver(&dispatcher, 0, number);
        assert_eq!(outcome.failure(), Some(Failure::Throttled));
        assert_eq!(outcome.attempts, attempts);
        let remedy = outcome.remedy.unwrap();
        let [first, second] = remedy
            .split("; the fallback chatbot: ")
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        assert!(first.ends_with("; mend Chatbot at a"), "{remedy}");
        assert!(second.ends_with("; mend Address at b"), "{remedy}");
    }
}

#[test]
fn the_secret_that_was_accepted_comes_first_from_then_on() {
    let bench = Bench::new();
    let wrong = || refused(Recovery::NextSecret);
    let (two, sent) = bench.chatbot(
        "a",
        2,
        [wrong(), delivered(), delivered(), wrong(), wrong()],
    );
    let (one, sent_by_other) = bench.chatbot("a", 1, [delivered()]);
    let dispatcher = bench.dispatcher(vec![target("two", two), target("one", one)]);
    assert_eq!(bench.deliver(&dispatcher, 0, 1).attempts, 2);
    assert_eq!(bench.deliver(&dispatcher, 0, 2).attempts, 1);
    // Each of the two is tried once.
    let outcome = bench.deliver(&dispatcher, 0, 3);
    assert_eq!(outcome.failure(), Some(Failure::Refused));
    assert_eq!(outcome.remedy.as_deref(), Some("change it (no)"));
    let secrets = |sent: &Sent| -> Vec<usize> {
        let sent = sent.lock().unwrap();
        sent.iter().map(|(_, options)| options.secret).collect()
    };
    assert_eq!(secrets(&sent), [0, 1, 1, 1, 0]);
    // A route with one secret for the same chatbot has no second one.
    assert_eq!(bench.deliver(&dispatcher, 1, 4).attempts, 1);
    assert_eq!(secrets(&sent_by_other), [0]);
}

#[test]
fn retries_use_the_same_body_on_a_new_connection() {
    let bench = Bench::new();
    let busy = || attempt(Class::Unclear, Some(-1));
    let (chatbot, sent) = bench.chatbot("a", 1, [busy(), busy(), delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    assert_eq!(bench.deliver(&dispatcher, 0, 1).attempts, 3);
    let sent = sent.lock().unwrap();
    assert!(sent.windows(2).all(|pair| pair[0].0 == pair[1].0));
    let new: Vec<bool> = sent
        .iter()
        .map(|(_, options)| options.new_connection)
        .collect();
    assert_eq!(new, [false, true, true]);
}

#[test]
fn a_message_called_too_long_is_encoded_anew_and_shorter() {
    let bench = Bench::new();
    let (chatbot, sent) = bench.chatbot("a", 1, [refused(Recovery::Shorten), delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    let deadline = bench.clock.now() + MINUTE;
    let events: Vec<_> = (0..300).map(event).collect();
    let outcomes = dispatcher.deliver(0, &events, deadline);
    assert!(
        outcomes
            .iter()
            .all(|o| o.failure().is_none() && o.combined == 300)
    );
    let sent = sent.lock().unwrap();
    assert!(sent[1].0.len() < sent[0].0.len() / 2);
}

/// The deadline cut the attempt short before its request was begun: no request counts, and what the
/// next invocation finds is not overlaid by it.
#[test]
fn an_attempt_that_never_began_is_no_request() {
    let bench = Bench::new();
    let too_late = Attempt {
        phase: Phase::Start,
        by_deadline: true,
        detail: "the deadline came".into(),
        ..attempt(Class::NotSent, None)
    };
    let (chatbot, _) = bench.chatbot("a", 0, [too_late, delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    let deadline = bench.clock.now() + SECOND;
    let outcome = dispatcher.deliver(0, &[event(1)], deadline).remove(0);
    assert_eq!(outcome.failure(), Some(Failure::Deadline));
    assert_eq!((outcome.attempts, outcome.class), (0, Some(Class::NotSent)));
    assert_eq!(outcome.remedy.as_deref(), Some("the deadline came"));
    assert_eq!(bench.deliver(&dispatcher, 0, 1).attempts, 1);
}

#[test]
fn a_repeat_is_a_duplicate_that_sends_nothing() {
    let bench = Bench::new();
    let (chatbot, sent) = bench.chatbot("a", 0, [delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.result, DeliveryResult::Delivered);
    assert_eq!(
        (outcome.attempts, outcome.combined, &outcome.remedy),
        (1, 1, &None)
    );
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.result, DeliveryResult::Duplicate);
    assert_eq!((outcome.attempts, &outcome.message_uuid), (0, &None));
    assert_eq!(sent.lock().unwrap().len(), 1);
}

/// Its invocation has left: the message is not sent before those that others wait for.
#[test]
fn an_abandoned_message_is_sent_only_when_its_event_returns() {
    let bench = Bench::new();
    let cut_short = Attempt {
        by_deadline: true,
        detail: "the deadline came".into(),
        ..attempt(Class::Unclear, None)
    };
    let (chatbot, sent) = bench.chatbot("a", 0, [cut_short, delivered(), delivered()]);
    let dispatcher = bench.dispatcher(vec![target("default", chatbot)]);
    let deadline = bench.clock.now() + SECOND;
    let outcome = dispatcher.deliver(0, &[event(1)], deadline).remove(0);
    assert_eq!(outcome.failure(), Some(Failure::Deadline));
    assert_eq!(outcome.attempts, 1);
    assert_eq!(bench.deliver(&dispatcher, 0, 2).combined, 1);
    let bodies = |sent: &Sent| -> Vec<Vec<u8>> {
        let sent = sent.lock().unwrap();
        sent.iter().map(|(body, _)| body.clone()).collect()
    };
    assert_eq!(bodies(&sent).len(), 2);
    assert_eq!(
        bench.deliver(&dispatcher, 0, 1).result,
        DeliveryResult::Delivered
    );
    let bodies = bodies(&sent);
    assert!(bodies[1] != bodies[0] && bodies[2] == bodies[0]);
}

#[test]
fn the_fallback_has_retries_of_its_own() {
    let bench = Bench::new();
    let not_sent = || attempt(Class::NotSent, None);
    let (primary, _) = bench.chatbot("a", 0, [not_sent(), refused(Recovery::None)]);
    let (fallback, sent) = bench.chatbot("b", 0, [not_sent(), delivered()]);
    let dispatcher = bench.dispatcher(vec![Target {
        fallback: Some(fallback),
        ..target("default", primary)
    }]);
    let outcome = bench.deliver(&dispatcher, 0, 1);
    assert_eq!(outcome.result, DeliveryResult::Delivered);
    assert_eq!((outcome.attempts, outcome.remedy), (4, None));
    let sent = sent.lock().unwrap();
    let new = sent.iter().map(|(_, options)| options.new_connection);
    assert!(new.eq([false, true]));
}

#[test]
fn the_lowest_limit_holds_for_a_shared_chatbot() {
    for limits in [[3, 20], [20, 3]] {
        let bench = Bench::new();
        let targets = limits.map(|per_minute| {
            let channel = channel("a", |_: &[u8], _, _| delivered());
            let limits = Limits {
                per_minute,
                ..channel.limits
            };
            target(
                &per_minute.to_string(),
                Arc::new(FakeChannel { limits, ..channel }),
            )
        });
        let dispatcher = bench.dispatcher(targets.into());
        // Of 3 a minute, one leaves at once, the others every 30 s.
        let begun = bench.clock.now();
        for (number, route) in [0, 1, 0].into_iter().enumerate() {
            bench.deliver(&dispatcher, route, number);
        }
        assert_eq!(bench.clock.now() - begun, MINUTE, "{limits:?}");
    }
}

/// What has happened, a digest of what will, and a sign of life are messages of their own, whoever
/// comes first.
#[test]
fn what_the_function_says_by_itself_is_not_mixed_with_events() {
    use crate::event::{AccessError, Event, Occasion, OccasionKind};
    use crate::schedule::{Lead, Tick};
    use jiff::{SignedDuration, Timestamp};
    let told = |number: usize, kind: Option<OccasionKind>, second: i64| {
        let tick = Tick {
            at: Timestamp::from_second(second).unwrap(),
            every: SignedDuration::from_hours(1),
        };
        let occasion = kind.map(|kind| Box::new(Occasion { tick, kind }));
        let event = Event::clone(&event(number));
        Arc::new(Event { occasion, ..event })
    };
    let lead = |text: &str| Some(OccasionKind::Reminder(Lead::parse(text).unwrap()));
    let digest = || Some(OccasionKind::Digest);
    let unknown = || Some(OccasionKind::MaintenanceUnknown(AccessError::NoRole));
    let events = [
        told(1, None, 0),
        told(2, None, 0),
        told(3, lead("24h"), 0),
        told(4, lead("1h"), 0),
        told(5, digest(), 0),
        told(6, digest(), 0),
        told(7, digest(), 3600),
        told(8, unknown(), 0),
        told(9, unknown(), 3600),
        told(10, None, 0),
    ];
    let bench = Bench::new();
    let (channel, sent) = bench.chatbot("a", 0, (0..10).map(|_| delivered()));
    let dispatcher = bench.dispatcher(vec![target("default", channel)]);
    let outcomes = dispatcher.deliver(0, &events, bench.clock.now() + MINUTE);
    let combined: Vec<usize> = outcomes.iter().map(|outcome| outcome.combined).collect();
    assert_eq!(combined, [2, 2, 2, 2, 2, 2, 1, 1, 1, 1]);
    assert_eq!(sent.lock().unwrap().len(), 7);
}
