//! What follows from what a chat answers, over real sockets: one table of faults for each chat, and
//! one for all.

use super::CHATS;
use super::rows::{common, own, times};
use crate::samples::{STOPPED, sample};
use crate::support::Bench;
use ecs_dingtalk_notifier::channel::Chat;
use fake_chats::{Behaviour, Chat as StandIn, Fault, Kind, Robot};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const TOKEN: &str = "T0AAAAAAA/B0BBBBBBB/0a1b2c3d4e5f60718293a4b5";
const OTHER: &str = "T0AAAAAAA/B0BBBBBBB/ffffffffffffffffffffffff";
const REPEAT: &str = "sent again: may be a repeat";

/// A token of this chat: the part of the address that is secret.
pub(super) fn token(chat: Chat, token: &'static str) -> &'static str {
    match chat {
        Chat::Slack => token,
        _ => token.rsplit('/').next().unwrap(),
    }
}

/// A chat with two chatbots and no limits: the notifier's clock does not wait.
pub(super) fn stand_in(chat: Chat) -> StandIn {
    let kind = match chat {
        Chat::Lark => Kind::Lark,
        Chat::WeCom => Kind::WeCom,
        Chat::Slack => Kind::Slack,
        Chat::DingTalk => unreachable!("it has a stand-in of its own"),
    };
    let behaviour = Behaviour {
        throttling: false,
        ..Behaviour::default()
    };
    let robots = [TOKEN, OTHER].map(|all| Robot::new(token(chat, all)));
    let builder = robots
        .into_iter()
        .fold(StandIn::builder(kind), |b, robot| b.robot(robot));
    builder.behaviour(behaviour).start().unwrap()
}

struct Room {
    chat: Chat,
    group: StandIn,
    bench: Bench,
}

impl Room {
    fn new(chat: Chat, more: &[(&str, &str)]) -> Room {
        let group = stand_in(chat);
        let webhook = group.webhook(token(chat, TOKEN));
        let name = format!("{}WEBHOOK", chat.prefix());
        let mut vars = vec![
            (name.as_str(), webhook.as_str()),
            ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
            ("MESSAGE_LANGUAGE", "en"),
        ];
        vars.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        vars.extend_from_slice(more);
        let bench = Bench::new(&vars);
        Room { chat, group, bench }
    }

    /// With the second chatbot as fallback.
    fn with_fallback(chat: Chat) -> Room {
        let group = stand_in(chat);
        let [webhook, fallback] = [TOKEN, OTHER].map(|all| group.webhook(token(chat, all)));
        let [name, second] =
            ["WEBHOOK", "FALLBACK_WEBHOOK"].map(|n| format!("{}{n}", chat.prefix()));
        let bench = Bench::new(&[
            (&name, &webhook),
            (&second, &fallback),
            ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
            ("MESSAGE_LANGUAGE", "en"),
        ]);
        Room { chat, group, bench }
    }

    /// Delivers the event of this number within a minute, and returns the failure's name and the line in the log.
    fn deliver(&self, number: usize) -> (Option<String>, Value) {
        self.deliver_within(number, Duration::from_secs(60))
    }

    fn deliver_within(&self, number: usize, time: Duration) -> (Option<String>, Value) {
        let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
        event["id"] = json!(format!("event-{number}"));
        let (result, _) = self.bench.handle_within(&event.to_string(), time);
        let line = self.bench.lines.all().pop().unwrap();
        for secret in [TOKEN, OTHER].map(|all| token(self.chat, all)) {
            let text = format!("{line} {result:?}");
            assert!(!text.contains(secret), "{text}");
        }
        (result.err().map(|(name, _)| name), line)
    }

    fn sent(&self) -> Vec<String> {
        let calls = self.group.calls();
        let body = |call: &fake_chats::Call| String::from_utf8(call.raw_body.clone()).unwrap();
        calls.iter().map(body).collect()
    }
}

#[test]
fn every_answer_has_its_class_requests_and_remedy() {
    for chat in CHATS {
        for row in common().into_iter().chain(own(chat)) {
            let room = Room::new(chat, &[]);
            room.group.push_faults(row.faults.clone());
            let (error, line) = room.deliver(1);
            let context = format!("{} {}: {line}", chat.name(), row.name);
            assert_eq!(error.as_deref(), row.error, "{context}");
            assert_eq!(line["class"], row.class, "{context}");
            assert_eq!(line["attempts"], row.requests, "{context}");
            // A fault before the request is read leaves no call.
            assert_eq!(room.group.calls().len(), row.requests, "{context}");
            assert_eq!(room.group.redirect_hits(), 0);
            if !row.errcode.is_null() {
                assert_eq!(line["errcode"], row.errcode, "{context}");
            }
            let remedy = line["remedy"].as_str().unwrap_or_default();
            for part in row.remedy {
                let part = part.replace('@', chat.prefix());
                assert!(remedy.contains(&part), "{part} in {context}");
            }
            assert_eq!(
                remedy.is_empty(),
                row.error.is_none() && row.remedy.is_empty(),
                "{context}"
            );
            // Another chat's variables are never named.
            for other in Chat::ALL.into_iter().filter(|other| *other != chat) {
                assert!(!remedy.contains(other.prefix()), "{context}");
            }
            if error.is_none() {
                let code = if chat == Chat::Slack {
                    json!("ok")
                } else {
                    json!(0)
                };
                assert_eq!(line["errcode"], code, "{context}");
            }
        }
    }
}

/// Only the request that follows a lost answer says that it may be a repeat.
#[test]
fn a_request_after_a_lost_answer_is_marked() {
    for chat in CHATS {
        for (fault, is_marked) in [
            (Fault::AcceptThenClose, true),
            (Fault::HalfAnswer, true),
            (Fault::status(502), false),
            (Fault::Html200, false),
        ] {
            let room = Room::new(chat, &[]);
            room.group.push_fault(fault.clone());
            assert_eq!(room.deliver(1).0, None);
            let marked: Vec<bool> = room
                .sent()
                .iter()
                .map(|body| body.contains(REPEAT))
                .collect();
            assert_eq!(marked, [false, is_marked], "{} {fault:?}", chat.name());
        }
    }
}

#[test]
fn a_fallback_is_used_when_refused_or_throttled_and_never_when_lost() {
    for chat in CHATS {
        let refusal = match chat {
            Chat::Slack => Fault::word(404, "no_service"),
            Chat::Lark => Fault::code(19001, "x"),
            _ => Fault::code(93000, "x"),
        };
        for (faults, by_fallback) in [
            (vec![refusal], true),
            (vec![Fault::TooManyRequests { retry_after: None }], true),
            (times(2, Fault::CloseAfterReading), false),
            (times(4, Fault::status(500)), false),
        ] {
            let room = Room::with_fallback(chat);
            room.group.push_faults(faults.clone());
            let (error, line) = room.deliver(1);
            assert_eq!(error.is_none(), by_fallback, "{} {line}", chat.name());
            let tokens = room.group.calls();
            let by_second = tokens.iter().any(|call| call.token == token(chat, OTHER));
            assert_eq!(by_second, by_fallback, "{} {faults:?}", chat.name());
        }
    }
}

/// A throttled chatbot gets nothing for as long as the chat says.
#[test]
fn a_throttled_chatbot_is_left_alone_for_its_time() {
    let later = |retry_after: &str| Fault::TooManyRequests {
        retry_after: Some(retry_after.into()),
    };
    let frequency = Fault::code(45009, "api freq out of limit");
    for (chat, fault, seconds) in [
        (Chat::Lark, Fault::code(11232, "x"), 60),
        // Counts at Slack alone.
        (Chat::Lark, later("7"), 60),
        (Chat::WeCom, frequency.clone(), 60),
        (Chat::WeCom, later("7"), 60),
        (Chat::Slack, later("7"), 7),
        (Chat::Slack, later("900"), 900),
        (
            Chat::Slack,
            Fault::TooManyRequests { retry_after: None },
            60,
        ),
    ] {
        let room = Room::new(chat, &[]);
        room.group.push_fault(fault.clone());
        assert_eq!(room.deliver(1).0.as_deref(), Some("Throttled"));
        room.bench.clock.advance(Duration::from_secs(seconds - 1));
        let (error, line) = room.deliver(2);
        assert_eq!(error.as_deref(), Some("Throttled"), "{line}");
        assert_eq!(room.group.calls().len(), 1, "{} {fault:?}", chat.name());
        room.bench.clock.advance(Duration::from_secs(2));
        assert_eq!(room.deliver(2).0, None, "{} {fault:?}", chat.name());
    }
    // WeCom's second ban without a message between is longer.
    let room = Room::new(Chat::WeCom, &[]);
    for (seconds, is_delivered) in [(60, false), (600, false), (600, true), (60, true)] {
        room.group.push_fault(frequency.clone());
        assert_eq!(room.deliver(seconds).0.as_deref(), Some("Throttled"));
        room.bench
            .clock
            .advance(Duration::from_secs(seconds as u64 - 1));
        assert_eq!(room.deliver(1000).0.as_deref(), Some("Throttled"));
        room.bench.clock.advance(Duration::from_secs(2));
        if is_delivered {
            assert_eq!(room.deliver(seconds + 2000).0, None);
        }
    }
}

/// Signed afresh for every attempt, the other secret once, and the remedy names secret and clock.
#[test]
fn lark_tries_the_other_secret_or_signs_again() {
    let fail = "sign match fail or timestamp is not within one hour from current time";
    for (secrets, accepted, requests, is_delivered) in [
        ("demo", Some("demo"), 1, true),
        ("old,demo", Some("demo"), 2, true),
        ("old,older", Some("demo"), 2, false),
        ("old", Some("demo"), 2, false),
    ] {
        let room = Room::new(Chat::Lark, &[("LARK_SECRET", secrets)]);
        let own = token(Chat::Lark, TOKEN);
        room.group
            .configure(own, |robot| robot.secret = accepted.map(str::to_owned));
        let (error, line) = room.deliver(1);
        assert_eq!(error.is_none(), is_delivered, "{line}");
        assert_eq!(line["attempts"], requests);
        if !is_delivered {
            let remedy = line["remedy"].as_str().unwrap();
            assert!(
                remedy.contains("LARK_SECRET") && remedy.contains("clock"),
                "{remedy}"
            );
            assert!(
                remedy.contains(" Lark's"),
                "the difference of the clocks: {remedy}"
            );
            assert!(remedy.contains(fail), "{remedy}");
        }
        // The one that was accepted comes first from now on.
        if is_delivered {
            assert_eq!(room.deliver(2).1["attempts"], 1);
        }
        let signatures: Vec<Value> = room
            .group
            .calls()
            .iter()
            .map(|call| {
                let body = call.body.clone().unwrap();
                assert!(body["timestamp"].is_string());
                body["sign"].clone()
            })
            .collect();
        assert!(signatures.iter().all(Value::is_string));
    }
    // Hours later, an event that was lost comes back: the body is kept, the signature is not.
    let room = Room::new(Chat::Lark, &[("LARK_SECRET", "demo")]);
    room.group.configure(token(Chat::Lark, TOKEN), |robot| {
        robot.secret = Some("demo".into())
    });
    room.group.push_faults(times(2, Fault::CloseAfterReading));
    assert_eq!(room.deliver(1).0.as_deref(), Some("Unreachable"));
    room.bench.clock.advance(Duration::from_secs(5 * 3600));
    room.group.set_clock_offset_ms(5 * 3_600_000);
    assert_eq!(room.deliver(1).0, None);
    let calls = room.group.calls();
    let without = |call: &fake_chats::Call| {
        let mut body = call.body.clone().unwrap();
        let object = body.as_object_mut().unwrap();
        let stamp = object.remove("timestamp").unwrap();
        object.remove("sign");
        (body, stamp)
    };
    let (second, stamp) = without(&calls[1]);
    let (third, later) = without(&calls[2]);
    assert_eq!(second, third, "byte for byte");
    assert_ne!(stamp, later);
}

/// A refused mention costs the mention, not the alert.
#[test]
fn lark_sends_once_more_without_mentions() {
    let settings = [
        (
            &[("LARK_AT_USER_IDS", "ou_gone")][..],
            "LARK_AT_USER_IDS",
            "LARK_AT_ALL",
        ),
        (
            &[("LARK_AT_ALL", "true")][..],
            "LARK_AT_ALL",
            "LARK_AT_USER_IDS",
        ),
    ];
    for (setting, named, other) in settings {
        let more = [setting, &[("LARK_AT_LEVELS", "INFO")][..]].concat();
        let room = Room::new(Chat::Lark, &more);
        room.group.configure(token(Chat::Lark, TOKEN), |robot| {
            robot.members = vec!["ou_member".into()];
            robot.may_mention_all = false;
        });
        let (error, line) = room.deliver(1);
        assert_eq!(error, None, "{line}");
        assert_eq!(
            (&line["outcome"], &line["attempts"]),
            (&json!("delivered"), &json!(2))
        );
        let remedy = line["remedy"].as_str().unwrap();
        assert!(
            remedy.starts_with("delivered without mentions: "),
            "{remedy}"
        );
        assert!(
            remedy.contains(named) && !remedy.contains(other),
            "{remedy}"
        );
        let shown = &room.group.deliveries()[0].shown;
        assert!(shown.mentions.is_empty());
    }
}

#[test]
fn slack_sends_once_more_without_blocks() {
    let room = Room::new(
        Chat::Slack,
        &[("SLACK_AT_ALL", "true"), ("SLACK_AT_LEVELS", "INFO")],
    );
    room.group.push_fault(Fault::word(400, "invalid_blocks"));
    let (error, line) = room.deliver(1);
    assert_eq!((error, &line["attempts"]), (None, &json!(2)), "{line}");
    let [delivery] = room.group.deliveries().try_into().unwrap();
    assert!(delivery.body.get("blocks").is_none());
    assert!(
        delivery.shown.text.contains("test-host-01"),
        "{:?}",
        delivery.shown
    );
    assert_eq!(delivery.shown.mentions, ["channel"]);
}

#[test]
fn a_probe_asks_for_the_time_without_the_token() {
    use ecs_dingtalk_notifier::clock::{Clock, SystemClock};
    use ecs_dingtalk_notifier::config::Config;
    use ecs_dingtalk_notifier::http::{Client, HttpConfig};
    use std::sync::Arc;
    for chat in CHATS {
        let group = stand_in(chat);
        let name = format!("{}WEBHOOK", chat.prefix());
        let vars = [(name, group.webhook(token(chat, TOKEN)))];
        let config = Config::from_vars(vars).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let client = Arc::new(Client::new(Arc::clone(&clock), HttpConfig::default()));
        let channel = config.routes[0].endpoint.channel(&client, &clock);
        let probe = channel.probe(clock.now() + Duration::from_secs(5)).unwrap();
        assert_eq!(probe.host, "127.0.0.1");
        assert!(
            probe.clock_ahead.is_some(),
            "{} tells the time",
            chat.name()
        );
        assert!(group.calls().is_empty());
        assert_eq!(group.visits().len(), 1);
    }
}

/// The invocation ends before the chat answers. Whoever brings the event again may repeat it.
#[test]
fn when_a_chat_is_silent_until_the_deadline_the_event_comes_back_marked() {
    for chat in CHATS {
        let room = Room::new(chat, &[("MESSAGE_LANGUAGE", "zh")]);
        room.group.push_fault(Fault::NeverAnswer);
        let (error, line) = room.deliver_within(1, Duration::from_millis(1500));
        assert_eq!(error.as_deref(), Some("Deadline"), "{line}");
        assert_eq!(
            (&line["class"], &line["attempts"]),
            (&json!("unclear"), &json!(1))
        );
        let (error, line) = room.deliver(1);
        assert_eq!(error, None, "{line}");
        let sent = room.sent();
        let marked: Vec<bool> = sent
            .iter()
            .map(|body| body.contains("可能是重复发送"))
            .collect();
        assert_eq!(marked, [false, true], "{}", chat.name());
        // It is known from then on.
        assert_eq!(room.deliver(1).1["outcome"], "duplicate");
    }
}
