//! The playground's clock: a tick comes at the time to which it is moved, and function, group and
//! API agree about that time.

use super::{Playground, fire};
use crate::samples::{REBOOT, STOPPED};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

/// The zone of messages by default.
const ZONE: &str = "Asia/Shanghai";
const HOUR_MS: i64 = 3_600_000;

/// Starts a playground whose function tells in English what these variables have it tell.
fn telling(vars: Value) -> Playground {
    let playground = Playground::start(&[]);
    let mut all = json!({
        "MESSAGE_LANGUAGE": "en", "MESSAGE_TAGS": "team",
        "RESOURCE_REGIONS": "cn-hangzhou,cn-shanghai",
    });
    let more = vars.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    let form = json!({"vars": all, "signing": true, "fallback": false, "more": ""});
    assert_eq!(playground.post("/configure", &form).0, 200);
    playground
}

/// Moves the clock and fires the tick, which becomes invocation `number`.
fn tick(playground: &Playground, to: &str, number: u64) -> Value {
    let (status, answer) = playground.post("/time", &json!({"to": to, "tick": true}));
    assert_eq!(status, 202, "{answer}");
    answered(playground, number)
}

fn answered(playground: &Playground, number: u64) -> Value {
    let mut events = playground.events();
    events.next("invocation", |i| {
        i["number"] == number && !i["status"].is_null()
    })
}

/// Waits for the messages of an invocation.
fn messages(playground: &Playground, invocation: &Value) -> Vec<Value> {
    let uuids = invocation["uuids"].as_array().unwrap().iter();
    let message = |uuid: &Value| {
        let mut events = playground.events();
        events.next("message", |message| message["uuid"] == *uuid)
    };
    uuids.map(message).collect()
}

fn state(playground: &Playground) -> Value {
    playground.events().next("state", |_| true)
}

/// The text of all messages, with the markup of the page.
fn texts(messages: &[Value]) -> String {
    let texts = messages.iter().filter_map(|own| own["html"].as_str());
    texts.collect()
}

/// Returns the answer's body, the regions asked for maintenance, and the times of the log.
fn detail(playground: &Playground, number: u64) -> (Value, Vec<String>, Vec<Timestamp>) {
    let detail = playground
        .get(&format!("/invocation?number={number}"))
        .1
        .clone();
    let body = serde_json::from_str(detail["answer"]["body"].as_str().unwrap()).unwrap();
    let calls = detail["apiCalls"].as_array().unwrap().iter();
    let asked = calls.filter(|call| call["action"] == "DescribeInstanceHistoryEvents");
    let mut regions: Vec<String> = asked
        .map(|call| call["region"].as_str().unwrap().to_owned())
        .collect();
    regions.sort_unstable();
    let log = detail["log"].as_array().unwrap().iter();
    let times = log.map(|line| line["time"].as_str().unwrap().parse().unwrap());
    (body, regions, times.collect())
}

fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap()
}

#[test]
fn the_next_tick_reminds_at_the_next_full_hour_and_its_repeat_tells_nothing_new() {
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    let before = Timestamp::now();
    let invocation = tick(&playground, "tick", 7);
    let at = invocation["tick"].as_i64().unwrap();
    assert_eq!(at % HOUR_MS, 0);
    let ahead = at - before.as_millisecond();
    assert!((0..=HOUR_MS).contains(&ahead), "{ahead}");
    assert_eq!(invocation["status"], 200, "{invocation}");
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    assert_eq!(invocation["burst"], json!(null));

    // Which of both, depends on the minute at which the test starts.
    let shown = messages(&playground, &invocation);
    let text = texts(&shown);
    let is_told = |name| text.contains(name);
    assert!(is_told("jump-host-01") || is_told("worker-b73"), "{text}");

    // All follow the clock.
    let clock = at..at + 60_000;
    for message in &shown {
        assert!(
            clock.contains(&message["at"].as_i64().unwrap()),
            "{message}"
        );
    }
    assert!(clock.contains(&invocation["at"].as_i64().unwrap()));
    let (_, _, times) = detail(&playground, 7);
    for time in times {
        assert!(clock.contains(&time.as_millisecond()), "{time}");
    }
    let ahead = state(&playground)["aheadMs"].as_i64().unwrap();
    let now = Timestamp::now().as_millisecond() + ahead;
    assert!(clock.contains(&now), "{now}");

    assert_eq!(playground.post("/repeat", &json!({})).0, 202);
    let repeat = answered(&playground, 8);
    assert_eq!(repeat["tick"], at);
    assert_eq!(repeat["outcomes"], json!(["duplicate"]));
    assert_eq!(repeat["uuids"], json!([]));

    // Signatures and look-ups are accepted, and a sample happens now.
    let (event, message) = fire(&playground, REBOOT, 9);
    assert_eq!(event["outcomes"], json!(["delivered"]));
    // A tick at which a digest was due has looked the instance up.
    let lookups = &event["lookups"];
    assert!(
        *lookups == json!(["found"]) || *lookups == json!(["cached"]),
        "{lookups}"
    );
    let text = texts(&[message.unwrap()]);
    let (_, time) = text.split_once("<strong>Time</strong>: ").unwrap();
    let time = zone().to_timestamp(time[..19].parse().unwrap()).unwrap();
    let late = time.as_millisecond() - at;
    assert!((-1000..60_000).contains(&late), "{late}: {text}");
}

#[test]
fn a_morning_brings_the_digest_of_both_regions_and_a_sign_of_life() {
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    let invocation = tick(&playground, "morning", 7);
    let at = Timestamp::from_millisecond(invocation["tick"].as_i64().unwrap()).unwrap();
    let shown = zone().to_datetime(at).strftime("%H:%M:%S").to_string();
    assert_eq!(shown, "09:00:00");
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    let (body, regions, _) = detail(&playground, 7);
    assert_eq!(regions, ["cn-hangzhou", "cn-shanghai"]);
    let told = body["events"].as_array().unwrap();
    let of = |kind: &str| {
        let is_of = |event: &&Value| event["eventId"].as_str().unwrap().contains(kind);
        told.iter().filter(is_of).count()
    };
    assert_eq!((of("digest"), of("heartbeat")), (5, 1), "{body}");
    let shown = messages(&playground, &invocation);
    assert!(shown.len() >= 2, "{shown:?}");
    let text = texts(&shown);
    for name in [
        "search-worker-07",
        "jump-host-01",
        "worker-b73",
        "shop-db-02",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    // The next one is a day later.
    let next = tick(&playground, "morning", 8);
    let day = Timestamp::from_millisecond(next["tick"].as_i64().unwrap()).unwrap();
    assert_eq!(day, at + 24.hours());
}

#[test]
fn a_tick_at_which_nothing_is_due_tells_nothing() {
    let playground = telling(json!({"MESSAGE_DIGEST_AT": "09:00"}));
    let morning = tick(&playground, "morning", 7);
    assert_eq!(morning["told"], 5);
    let invocation = tick(&playground, "tick", 8);
    let hour = morning["tick"].as_i64().unwrap() + HOUR_MS;
    assert_eq!(invocation["tick"], hour);
    assert_eq!(invocation["told"], 0);
    let (body, regions, _) = detail(&playground, 8);
    assert_eq!(body, json!({"events": []}));
    assert_eq!(regions, Vec::<String>::new());

    // After a week all planned maintenance is over.
    let later = Timestamp::from_millisecond(hour).unwrap() + (8 * 24 - 1).hours();
    let later = zone()
        .to_datetime(later)
        .strftime("%Y-%m-%dT%H:%M")
        .to_string();
    let invocation = tick(&playground, &later, 9);
    assert_eq!(invocation["told"], 0, "{later}");
    let (_, regions, _) = detail(&playground, 9);
    assert_eq!(regions, ["cn-hangzhou", "cn-shanghai"]);
}

#[test]
fn the_clock_is_set_in_the_zone_of_messages_and_never_back() {
    let playground = telling(json!({"MESSAGE_TIME_ZONE": "America/New_York"}));
    let new_york = TimeZone::get("America/New_York").unwrap();
    assert_eq!(state(&playground)["zone"], "America/New_York");
    let then = new_york.to_datetime(Timestamp::now() + 50.hours());
    let written = then.strftime("%Y-%m-%dT%H:%M").to_string();
    // Without the tick.
    let (status, _) = playground.post("/time", &json!({"to": written, "tick": false}));
    assert_eq!(status, 200);
    let ahead = state(&playground)["aheadMs"].as_i64().unwrap();
    let now = Timestamp::now() + ahead.milliseconds();
    let shown = new_york.to_datetime(now);
    assert_eq!(shown.strftime("%Y-%m-%dT%H:%M").to_string(), written);
    let (invocation, _) = fire(&playground, STOPPED, 7);
    assert_eq!(invocation["tick"], json!(null));

    let back = new_york.to_datetime(now - 3.minutes());
    let back = back.strftime("%Y-%m-%dT%H:%M").to_string();
    let shown = shown.strftime("%Y-%m-%d %H:%M").to_string();
    for (to, part) in [
        (
            back.as_str(),
            format!("the clock never goes back: it is {shown}"),
        ),
        ("2999-01-01T00:00", "a year ahead at most".to_owned()),
        ("soon", "write a time such as".to_owned()),
        ("", "write a time such as".to_owned()),
    ] {
        let (status, answer) = playground.post("/time", &json!({"to": to, "tick": true}));
        assert_eq!(status, 422, "{to}");
        let problem = answer["problem"].as_str().unwrap();
        assert!(problem.contains(&part), "{to}: {problem}");
    }
    assert_eq!(state(&playground)["aheadMs"], ahead);
    let (next, _) = fire(&playground, STOPPED, 8);
    assert_eq!(next["status"], 200, "no tick in between");
}

#[test]
fn a_role_that_may_not_read_maintenance_is_told_once_a_day() {
    let playground = telling(json!({"MESSAGE_REMIND_BEFORE": "24h,1h"}));
    tick(&playground, "morning", 7);
    let (status, _) = playground.post("/access", &json!({"access": "denied"}));
    assert_eq!(status, 200);
    let first = tick(&playground, "tick", 8);
    assert_eq!(first["outcomes"], json!(["delivered"]));
    assert_eq!(messages(&playground, &first).len(), 1);
    let remark = first["remarks"][0].as_str().unwrap();
    let permission = "ecs:DescribeInstanceHistoryEvents";
    assert!(remark.contains(permission), "{remark}");
    let next = tick(&playground, "tick", 9);
    assert_eq!(next["outcomes"], json!(["duplicate"]));
    assert_eq!(next["uuids"], json!([]));
}

#[test]
fn a_ban_is_over_when_the_clock_says_so() {
    let playground = Playground::start(&[]);
    tick(&playground, "tick", 7);
    playground.post("/break", &json!({"fault": "throttled"}));
    let throttled = |number| {
        playground.post("/fire", &json!({"file": STOPPED}));
        answered(&playground, number)["errorType"] == "Throttled"
    };
    assert!(throttled(8));
    let mut events = playground.events();
    let state = events.next("state", |state| state["bannedUntil"].is_u64());
    let left = state["bannedUntil"].as_i64().unwrap()
        - state["aheadMs"].as_i64().unwrap()
        - Timestamp::now().as_millisecond();
    assert!((590_000..=600_000).contains(&left), "{left}");
    playground.post("/break", &json!({"fault": "none"}));
    assert!(throttled(9));
    tick(&playground, "tick", 10);
    let (invocation, _) = fire(&playground, STOPPED, 11);
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
}
