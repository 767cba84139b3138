//! Messages of the function's own making: digests of upcoming maintenance, reminders, signs of life.

use super::situations::texts;
use super::*;
use ecs_dingtalk_notifier::event::{
    AccessError, Known, LookupHealth, Occasion, OccasionKind, Vitals,
};
use ecs_dingtalk_notifier::message::AccountNames;
use ecs_dingtalk_notifier::schedule::{Lead, Tick};
use jiff::SignedDuration;
use serde_json::Value;

/// A Thursday, at nine o'clock in Shanghai.
pub(crate) fn morning() -> Timestamp {
    "2026-11-26T01:00:14Z".parse().unwrap()
}

fn tick() -> Tick {
    Tick {
        at: "2026-11-26T01:00:00Z".parse().unwrap(),
        every: SignedDuration::from_hours(1),
    }
}

fn on(kind: OccasionKind, event: Event) -> Event {
    Event {
        occasion: Some(Box::new(Occasion { tick: tick(), kind })),
        ..event
    }
}

pub(crate) fn digested(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let events = events.into_iter();
    events
        .map(|event| on(OccasionKind::Digest, event))
        .collect()
}

pub(crate) fn reminded(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let lead = Lead::parse("24h").unwrap();
    let events = events.into_iter();
    events
        .map(|event| on(OccasionKind::Reminder(lead), event))
        .collect()
}

/// Planned work as the API tells it, on an instance of its own.
fn planned(n: usize, kind: &str, status: &str, more: Value) -> Event {
    let mut details = json!({"reason": "Host hardware is being replaced"});
    let more = more.as_object().unwrap().clone();
    details.as_object_mut().unwrap().extend(more);
    Event {
        source: "acs.ecs".into(),
        id: Some(format!("e-bp1{n:017} digest 2026-11-26T01:00:00Z")),
        name: format!("Instance:SystemMaintenance.{kind}"),
        status: Some(status.into()),
        level: Some(Level::Critical),
        product: Some("ECS".into()),
        resource_id: Some(format!("i-bp1{n:017}")),
        resource_kind: Some("instance".into()),
        region: Some("cn-hangzhou".into()),
        time: Some(EventTime::At("2026-11-24T06:32:31Z".parse().unwrap())),
        details: details.as_object().unwrap().clone(),
        ..Event::default()
    }
}

fn at(time: &str) -> Value {
    json!({ "notBefore": time })
}

/// The event with a name and tags of its instance that were looked up.
fn known(event: Event, name: &str, tags: &[(&str, &str)]) -> Event {
    let pair = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
    let known = Known {
        name: Some(name.into()),
        tags: tags.iter().map(pair).collect(),
        ..Known::default()
    };
    Event {
        known: Some(Arc::new(known)),
        ..event
    }
}

pub(crate) fn reboot() -> Event {
    let event = planned(3, "Reboot", "Scheduled", at("2026-11-26T15:03:30Z"));
    known(event, "web-03", &[("team", "payments")])
}

/// All that a week can bring.
pub(crate) fn week() -> Vec<Event> {
    let new = Event {
        name: "Instance:BrandNew.Thing".into(),
        level: None,
        region: Some("cn-shanghai".into()),
        ..planned(6, "", "Scheduled", at("2026-12-01T03:00:00Z"))
    };
    let disk = json!({"diskId": "d-bp1example0002", "device": "/dev/xvdb",
        "notBefore": "2026-11-30T02:10:00Z"});
    let slow = Event {
        level: Some(Level::Warn),
        ..planned(
            5,
            "PerformanceImpact",
            "Executing",
            at("2026-11-25T18:00:00Z"),
        )
    };
    let events = [
        new,
        planned(8, "Reboot", "Scheduled", json!({})),
        planned(9, "Redeploy", "Inquiring", at("soon")),
        planned(2, "RebootAndIsolateErrorDisk", "Inquiring", disk),
        known(
            planned(4, "Stop", "Scheduled", at("2026-11-28T18:00:00Z")),
            "db-01",
            &[("team", "orders"), ("env", "prod")],
        ),
        planned(7, "Redeploy", "Scheduled", at("2026-11-28T16:30:00Z")),
        reboot(),
        // Due, and not yet begun.
        planned(1, "Reboot", "Scheduled", at("2026-11-26T00:30:00Z")),
        slow,
        // Begun before its time, by hand.
        planned(10, "Stop", "Executing", at("2026-11-27T18:00:00Z")),
    ];
    digested(events)
}

fn many(count: usize) -> Vec<Event> {
    let events = (0..count).map(|n| {
        let start = morning() + SignedDuration::from_mins(47 * (n as i64 + 1));
        let event = planned(n, "Reboot", "Scheduled", at(&start.to_string()));
        known(event, &format!("web-{n:03}"), &[("team", "payments")])
    });
    digested(events)
}

pub(crate) fn vitals() -> Vitals {
    Vitals {
        version: "0.1.0",
        routes: vec!["default".into(), "oncall".into()],
        since: "2026-11-25T14:10:00Z".parse().unwrap(),
        delivered: 120,
        filtered: 34,
        failed: 0,
        lookups: LookupHealth::Work,
        clock_ahead: Some(SignedDuration::from_millis(-1400)),
        upcoming: Some((Some(Arc::new(reboot())), 3)),
    }
}

pub(crate) fn denied() -> AccessError {
    AccessError::Denied {
        permission: "ecs:DescribeInstanceHistoryEvents".into(),
    }
}

fn own(name: &str, level: Level, kind: OccasionKind) -> Vec<Event> {
    let event = Event {
        source: "notifier".into(),
        id: Some("heartbeat 2026-11-26T01:00:00Z".into()),
        name: format!("Notifier:{name}"),
        level: Some(level),
        product: Some("Notifier".into()),
        time: Some(EventTime::At(tick().at)),
        ..Event::default()
    };
    vec![on(kind, event)]
}

pub(crate) fn heartbeat(vitals: Vitals) -> Vec<Event> {
    let kind = OccasionKind::Heartbeat(Box::new(vitals));
    own("Heartbeat", Level::Info, kind)
}

pub(crate) fn unknown(cause: AccessError) -> Vec<Event> {
    let kind = OccasionKind::MaintenanceUnknown(cause);
    own("MaintenanceUnknown", Level::Warn, kind)
}

/// Options of a function of one account that shows two tags and mentions people for every level.
fn with_tags(language: Language) -> RenderOptions {
    RenderOptions {
        mention_levels: vec![Level::Critical, Level::Warn, Level::Info],
        tags: vec!["team".into(), "env".into()],
        accounts: AccountNames {
            own: Some("1234567890123456".into()),
            names: [("2345678901234567".to_owned(), "test".to_owned())].into(),
        },
        ..options(language)
    }
}

fn snapshot(name: &str, now: Timestamp, events: &[Event]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/occasions");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let shown = texts(now, events, with_tags).map(|message| shown(&message));
    insta::assert_snapshot!(name, shown.join("\n\n════\n\n"));
}

#[test]
fn digests_of_upcoming_maintenance_match_their_snapshots() {
    let regions = {
        let mut events =
            [1, 2].map(|n| planned(n, "Reboot", "Scheduled", at("2026-11-26T15:03:30Z")));
        events[1].region = Some("cn-shanghai".into());
        events[1].account = Some("2345678901234567".into());
        digested(events)
    };
    let under_way = planned(1, "Reboot", "Executing", at("2026-11-26T00:30:00Z"));
    for (name, events) in [
        ("digest-of-one", digested([reboot()])),
        ("digest-of-one-under-way", digested([under_way])),
        ("digest-of-a-week", week()),
        ("digest-of-one-kind", many(4)),
        ("digest-of-two-regions", regions),
    ] {
        snapshot(name, morning(), &events);
    }
}

#[test]
fn reminders_match_their_snapshots() {
    let late = "2026-11-26T15:20:00Z".parse().unwrap();
    let disk = json!({"diskId": "d-bp1example0002", "device": "/dev/xvdb",
        "notBefore": "2026-11-26T23:10:00Z"});
    let disk = planned(2, "RebootAndIsolateErrorDisk", "Inquiring", disk);
    let several = || {
        [
            reboot(),
            disk.clone(),
            planned(4, "Stop", "Scheduled", at("2026-11-26T15:10:00Z")),
        ]
    };
    let untimed = planned(8, "Reboot", "Scheduled", json!({}));
    for (name, now, events) in [
        ("reminder", morning(), reminded([reboot()])),
        ("reminder-of-a-disk", morning(), reminded([disk.clone()])),
        ("reminder-without-a-time", morning(), reminded([untimed])),
        ("reminder-late", late, reminded([reboot()])),
        ("reminder-of-several", morning(), reminded(several())),
        (
            "reminder-of-several-late",
            "2026-11-27T01:00:00Z".parse().unwrap(),
            reminded(several()),
        ),
    ] {
        snapshot(name, now, &events);
    }
}

#[test]
fn signs_of_life_match_their_snapshots() {
    let fresh = Vitals {
        since: morning(),
        delivered: 0,
        filtered: 0,
        lookups: LookupHealth::Off,
        clock_ahead: None,
        upcoming: Some((None, 0)),
        routes: vec!["default".into()],
        ..vitals()
    };
    let bad = Vitals {
        failed: 3,
        lookups: LookupHealth::Fail(denied()),
        clock_ahead: Some(SignedDuration::from_secs(754)),
        upcoming: None,
        ..vitals()
    };
    let no_role = Vitals {
        lookups: LookupHealth::Fail(AccessError::NoRole),
        clock_ahead: Some(SignedDuration::from_secs(-8)),
        upcoming: None,
        ..vitals()
    };
    for (name, vitals) in [
        ("heartbeat", vitals()),
        ("heartbeat-of-a-fresh-instance", fresh),
        ("heartbeat-with-all-wrong", bad),
        ("heartbeat-without-a-role", no_role),
    ] {
        snapshot(name, morning(), &heartbeat(vitals));
    }
}

#[test]
fn messages_of_unknown_maintenance_match_their_snapshots() {
    let other =
        "InvalidAccessKeyId.Inactive: the role's key is not active; ask whoever manages RAM";
    for (name, cause) in [
        ("unknown-without-a-role", AccessError::NoRole),
        ("unknown-without-a-region", AccessError::NoRegion),
        ("unknown-denied", denied()),
        ("unknown-otherwise", AccessError::Other(other.into())),
    ] {
        snapshot(name, morning(), &unknown(cause));
    }
}

#[test]
fn a_digest_mentions_nobody_and_a_reminder_those_whom_its_level_asks_for() {
    let events = [reboot(), planned(4, "Stop", "Executing", json!({}))];
    for count in [1, 2] {
        for message in texts(morning(), &digested(events[..count].to_vec()), with_tags) {
            assert_eq!(message.mentions, Mentions::default());
            assert!(!message.text.contains('@'), "{}", message.text);
        }
        for message in texts(morning(), &reminded(events[..count].to_vec()), with_tags) {
            assert_eq!(message.mentions.mobiles, ["13800000000"]);
            assert!(message.text.ends_with("@13800000000 @manager7675"));
        }
    }
    for message in texts(morning(), &heartbeat(vitals()), with_tags) {
        assert_eq!(message.mentions, Mentions::default());
    }
    for message in texts(morning(), &unknown(AccessError::NoRole), options) {
        assert_eq!(
            message.mentions,
            Mentions::default(),
            "its level does not ask"
        );
    }
}

#[test]
fn what_has_begun_is_no_more_said_to_begin() {
    let event = || reminded([reboot()]);
    for (now, is_ahead) in [
        ("2026-11-26T15:03:29Z", true),
        ("2026-11-26T15:03:30Z", false),
        ("2026-11-26T15:03:31Z", false),
    ] {
        let now = now.parse().unwrap();
        let two = || reminded([reboot(), reboot()]);
        for events in [event(), two()] {
            let [zh, en] = texts(now, &events, options);
            for text in [&zh.title, &zh.text] {
                let begins = text.contains("分钟后") || text.contains("即将开始");
                assert_eq!(begins, is_ahead, "{text}");
            }
            for text in [&en.title, &en.text] {
                let begins = text.contains("begin") || text.contains("in less than");
                assert_eq!(begins, is_ahead, "{text}");
                assert_eq!(text.contains("due"), !is_ahead, "{text}");
            }
        }
    }
}

/// Whoever does not confirm is not told that the work begins.
#[test]
fn a_reminder_of_what_waits_for_somebody_does_not_say_that_it_begins() {
    let event = planned(2, "Redeploy", "Inquiring", at("2026-11-26T15:03:30Z"));
    let [zh, en] = texts(morning(), &reminded([event]), options);
    assert!(
        zh.title.starts_with("⏰ 提醒 · 计划于 14 小时 3 分钟后 · "),
        "{}",
        zh.title
    );
    assert!(
        en.title
            .starts_with("⏰ Reminder · planned in 14 h 3 min · "),
        "{}",
        en.title
    );
    assert!(
        en.title.contains("Awaiting your confirmation"),
        "{}",
        en.title
    );
}

#[test]
fn what_is_under_way_comes_first_and_what_has_no_time_last() {
    let expected = [5, 10, 1, 3, 7, 4, 2, 6, 8, 9];
    let events = week();
    let mut turned = events.clone();
    turned.rotate_left(4);
    // The two without a time keep the order in which they came.
    turned.retain(|event| !matches!(&event.resource_id, Some(id) if id.ends_with(['8', '9'])));
    turned.extend_from_slice(&events[1..3]);
    for events in [events, turned] {
        for message in texts(morning(), &events, with_tags) {
            let ids = expected.map(|n| message.text.find(&format!("i-bp1{n:017}")).unwrap());
            assert!(ids.is_sorted(), "{}", message.text);
        }
    }
}

#[test]
fn a_digest_that_is_cut_keeps_the_soonest_and_counts_the_rest() {
    let mut events = many(250);
    events.reverse();
    let events: Vec<&Event> = events.iter().collect();
    for max_bytes in [0, 2_000, 6_000, 12_000] {
        for language in [Language::Zh, Language::En] {
            let options = with_tags(language);
            let message = render_at(morning(), &events, &options, None, max_bytes);
            let is_named = |n: &usize| {
                message.text.contains(&format!("web-{n:03}（i-"))
                    || message.text.contains(&format!("web-{n:03} (i-"))
            };
            let named = (0..250).take_while(is_named).count();
            assert!((1..250).contains(&named), "{named}");
            assert_eq!((named..250).filter(is_named).count(), 0, "the soonest stay");
            let rest = 250 - named;
            let count = [
                format!("……另有 {rest} 项较晚的未列出，函数日志中逐条记录"),
                format!("… {rest} later ones are not listed; the function's log names every one"),
            ];
            assert!(
                count.iter().any(|count| message.text.contains(count)),
                "{}",
                message.text
            );
            assert!(max_bytes == 0 || size(&message) <= max_bytes);
            assert!(
                size(&message) + 300 > max_bytes,
                "{} of {max_bytes}",
                size(&message)
            );
        }
    }
    let one_less = render_at(morning(), &events[..2], &with_tags(Language::En), None, 0);
    assert!(
        one_less.text.contains("… 1 later one is not listed;"),
        "{}",
        one_less.text
    );
}

#[test]
fn a_long_digest_is_a_few_messages_that_name_every_event() {
    let events = many(250);
    let events: Vec<&Event> = events.iter().collect();
    let mut shown_all = String::new();
    let options = with_tags(Language::Zh);
    let chunks = message::chunks(&events, &options, MAX_BYTES);
    assert_eq!(chunks.len(), 3);
    for (place, chunk) in chunks.iter().enumerate() {
        let message = render_at(morning(), chunk, &options, None, MAX_BYTES);
        assert!(!message.text.contains("未列出"), "{}", message.text);
        for event in chunk {
            let id = event.resource_id.as_deref().unwrap();
            assert!(message.text.contains(id), "{id}");
        }
        if place == 2 {
            shown_all = shown(&message);
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/occasions");
    settings.set_omit_expression(true);
    let cut = render_at(morning(), &events, &options, None, 4_000);
    let both = [shown_all, shown(&cut)].join("\n\n════\n\n");
    settings.bind(|| insta::assert_snapshot!("digest-of-250", both));
}

/// All of one message are alike; whatever else comes is shown.
#[test]
fn mixed_events_are_all_shown() {
    let mut all = vec![planned(1, "Reboot", "Executed", json!({}))];
    all.extend(digested([reboot()]));
    all.extend(reminded([planned(
        2,
        "Stop",
        "Avoided",
        at("2026-11-20T01:00:00Z"),
    )]));
    all.extend(heartbeat(vitals()));
    all.extend(unknown(denied()));
    for _ in 0..all.len() {
        all.rotate_left(1);
        for message in texts(morning(), &all, with_tags) {
            for what in [
                "i-bp100000000000000001",
                "i-bp100000000000000002",
                "web-03",
                "ECS",
            ] {
                assert!(message.text.contains(what), "{what} in {}", message.text);
            }
        }
    }
}

#[test]
fn the_clock_is_in_step_off_or_far_off() {
    for (ahead, en, is_strong) in [
        (
            SignedDuration::from_secs(2),
            "in step with the chatbot's",
            false,
        ),
        (
            SignedDuration::from_secs(-2),
            "in step with the chatbot's",
            false,
        ),
        (
            SignedDuration::from_secs(3),
            "3 s ahead of the chatbot's",
            false,
        ),
        (
            SignedDuration::from_secs(-300),
            "5 min behind the chatbot's",
            false,
        ),
        (
            SignedDuration::from_secs(-301),
            "5 min behind the chatbot's",
            true,
        ),
        (
            SignedDuration::MAX,
            "153722867280912930 min ahead of the chatbot's",
            true,
        ),
        (
            SignedDuration::MIN,
            "153722867280912930 min behind the chatbot's",
            true,
        ),
    ] {
        let vitals = Vitals {
            clock_ahead: Some(ahead),
            ..vitals()
        };
        let [_, en_text] = texts(morning(), &heartbeat(vitals), options);
        let line = if is_strong {
            format!("**Clock**: **{en}**  \n")
        } else {
            format!("**Clock**: {en}  \n")
        };
        assert!(en_text.text.contains(&line), "{}", en_text.text);
        assert_eq!(
            en_text.title.starts_with("💛"),
            is_strong,
            "{}",
            en_text.title
        );
        assert!(en_text.text.contains("alive"));
    }
}

#[test]
fn the_next_maintenance_is_told_as_far_as_it_is_known() {
    let next = |event: Event| Some(Arc::new(event));
    let untimed = planned(8, "Reboot", "Scheduled", json!({}));
    for (upcoming, zh, en) in [
        (None, "未知", "not known"),
        (Some((None, 0)), "无", "none"),
        (Some((None, 2)), "共 2 项", "2 in all"),
        (
            Some((next(untimed), 1)),
            "i-bp100000000000000008",
            "i-bp100000000000000008",
        ),
        (
            Some((next(reboot()), 1)),
            "14 小时 3 分钟后，2026-11-26 23:03 · web-03（i-bp100000000000000003）",
            "in 14 h 3 min, 2026-11-26 23:03 · web-03 (i-bp100000000000000003)",
        ),
        (Some((next(Event::default()), 2)), "共 2 项", "2 in all"),
    ] {
        let vitals = Vitals {
            upcoming,
            ..vitals()
        };
        let shown = texts(morning(), &heartbeat(vitals), options);
        for (message, expected) in shown.iter().zip([
            format!("**下次维护**：{zh}  \n"),
            format!("**Next maintenance**: {en}  \n"),
        ]) {
            assert!(message.text.contains(&expected), "{}", message.text);
        }
    }
}

/// Foreign text in every place that an own event has for it.
fn hostile_occasions(text: &str) -> Vec<Vec<Event>> {
    let mut event = super::hostile(text);
    event.known = known(event.clone(), text, &[("team", text)]).known;
    let bad = Vitals {
        routes: vec![text.into()],
        lookups: LookupHealth::Fail(AccessError::Other(text.into())),
        upcoming: Some((Some(Arc::new(event.clone())), 2)),
        ..vitals()
    };
    let denied = AccessError::Denied {
        permission: text.into(),
    };
    vec![
        digested([event.clone()]),
        digested([event.clone(), reboot()]),
        reminded([event.clone()]),
        reminded([event, reboot()]),
        heartbeat(bad),
        unknown(denied),
        unknown(AccessError::Other(text.into())),
    ]
}

#[test]
fn own_words_of_own_events_hold_no_markup_and_nothing_foreign() {
    const MARK: &str = "qzqz";
    let mut all = hostile_occasions(MARK);
    all.extend([week(), many(3), reminded([reboot()]), heartbeat(vitals())]);
    for events in all {
        let events: Vec<&Event> = events.iter().collect();
        for language in [Language::Zh, Language::En] {
            let options = with_tags(language);
            for max_bytes in [usize::MAX, 0] {
                let encode = |message: &_| markdown::encode(message, None, UUID);
                let (message, _) =
                    message::encode_within(&events, &options, morning(), max_bytes, encode);
                for span in spans(&message) {
                    let Span::Own(words) = span else { continue };
                    for mark in ["**", "#", "](", "//", "@", "<", "\n", "notBefore", MARK] {
                        assert!(!words.contains(mark), "{mark} in {words}");
                    }
                }
            }
        }
    }
}

#[test]
fn hostile_text_of_own_events_stays_text() {
    for text in [
        "[click](https://evil.example)",
        "<font color=red>red</font> www.evil.example",
        "\n# heading\n\n- list\n1. one\n> quote\n---\n|a|b|\n|-|-|\n",
        "@13900000000 @all **b** __b__ _i_ ~~s~~ `c`",
        "\u{200b}",
    ] {
        for events in hostile_occasions(text) {
            for message in texts(morning(), &events, with_tags) {
                assert_eq!(
                    foreign_markup(&message),
                    Vec::<String>::new(),
                    "{}",
                    message.text
                );
                assert!(
                    !message.title.contains(['<', '[', '@', '\n']),
                    "{}",
                    message.title
                );
                let is_empty =
                    |line: &&str| line.trim_end().ends_with(['：', ':']) || line.contains("****");
                assert_eq!(
                    message.text.lines().find(is_empty),
                    None,
                    "{}",
                    message.text
                );
            }
        }
    }
}

/// All of it at its longest, in characters that take the most room.
#[test]
fn what_own_messages_always_hold_leaves_room_for_the_rest() {
    for long in ["🚨".repeat(400), "\"".repeat(400)] {
        let (_, mut options, keyword) = with_everything(&long, 50);
        options.tags = vec!["team".into()];
        options.accounts.own = Some("1".into());
        let mut all = hostile_occasions(&long);
        for event in all.iter_mut().flatten() {
            event.account = Some(long.clone());
            event.operation = Some(long.clone());
            event.actor = Some(long.clone());
            event.level = Some(Level::Critical);
        }
        let kinds = (0..100).map(|n| Event {
            name: format!("{n}{long}"),
            region: Some(format!("{n}{long}")),
            ..all[0][0].clone()
        });
        all.push(kinds.collect());
        let many_routes = Vitals {
            routes: vec![long.clone(); 30],
            lookups: LookupHealth::Fail(AccessError::Other(long.clone())),
            upcoming: Some((Some(Arc::new(all[0][0].clone())), usize::MAX)),
            ..vitals()
        };
        all.push(heartbeat(many_routes));
        for events in all {
            let events: Vec<&Event> = events.iter().collect();
            for max_bytes in [MAX_BYTES, 0] {
                let message = render_at(morning(), &events, &options, Some(&keyword), max_bytes);
                assert!(size(&message) <= MAX_BYTES, "{}", size(&message));
                assert!(message.text.contains(&keyword));
                assert!(message.text.contains("CloudMonitor · ECS"));
            }
        }
    }
}
