//! Every kind of message as each chat gets it, in both languages.

use super::{CHATS, encode, max_size};
use crate::messages::occasions::{
    denied, digested, heartbeat, morning, reboot, reminded, unknown, vitals, week,
};
use crate::samples::{REBOOT, STOPPED, sample};
use ecs_dingtalk_notifier::channel::Chat;
use ecs_dingtalk_notifier::event::{self, Event, Level, LookupHealth, Vitals};
use ecs_dingtalk_notifier::message::{
    self, AccountNames, Language, Mentionable, Mentions, RenderOptions,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Options that mention two people.
fn options(chat: Chat, language: Language) -> RenderOptions {
    let user_ids = match chat {
        Chat::Lark => ["ou_0123456789abcdef0123456789abcdef", "7be5fg9a"],
        Chat::WeCom | Chat::DingTalk => ["zhangsan", "li.si"],
        Chat::Slack => ["U024BE7LH", "S0614TZR7"],
    };
    RenderOptions {
        mentions: Mentions {
            user_ids: user_ids.map(str::to_owned).into(),
            ..Mentions::default()
        },
        mention_levels: vec![Level::Critical],
        tags: vec!["team".into()],
        ..RenderOptions::new(language, TimeZone::get("Asia/Shanghai").unwrap())
    }
}

fn parsed(file: &str) -> Vec<Event> {
    let parsed = event::parse(sample(file).as_bytes());
    assert!(parsed.errors.is_empty(), "{file}");
    parsed
        .events
        .iter()
        .map(|event| (**event).clone())
        .collect()
}

fn with_level(level: Option<Level>) -> Vec<Event> {
    let mut events = parsed(STOPPED);
    events[0].level = level;
    events
}

/// Events, and the moment at which they are shown.
fn kinds() -> Vec<(&'static str, Vec<Event>, Timestamp)> {
    let before: Timestamp = "2019-04-09T11:00:00Z".parse().unwrap();
    let executed = "eventbridge/Instance-SystemMaintenance.Reboot-Executed.json";
    let canceled = "eventbridge/Instance-SystemMaintenance.Reboot-Canceled.json";
    let files = [
        REBOOT,
        executed,
        STOPPED,
        "eventbridge/Disk-Stalled-Executed.json",
    ];
    let mixed = files.into_iter().flat_map(parsed).collect();
    let concerned = Vitals {
        failed: 2,
        lookups: LookupHealth::Fail(denied()),
        ..vitals()
    };
    vec![
        ("critical", parsed(REBOOT), before),
        ("warn", with_level(Some(Level::Warn)), before),
        ("info", with_level(Some(Level::Info)), before),
        ("level-unknown", with_level(None), before),
        ("over", parsed(executed), before),
        ("canceled", parsed(canceled), before),
        (
            "spot",
            parsed("eventbridge/Instance-PreemptibleInstanceInterruption.json"),
            before,
        ),
        (
            "alarm",
            parsed("cloudmonitor-alarm/Host.cpu.total-ALERT.form.txt"),
            before,
        ),
        (
            "alarm-over",
            parsed("cloudmonitor-alarm/Host.cpu.total-OK.json"),
            before,
        ),
        (
            "api-call",
            parsed("actiontrail/ApiCall-DeleteDisk.json"),
            before,
        ),
        ("digest", mixed, before),
        ("reminder", reminded([reboot()]), morning()),
        ("reminders", reminded(week()), morning()),
        ("upcoming", week(), morning()),
        ("upcoming-one", digested([reboot()]), morning()),
        ("alive", heartbeat(vitals()), morning()),
        ("alive-concerned", heartbeat(concerned), morning()),
        ("maintenance-unknown", unknown(denied()), morning()),
    ]
}

#[test]
fn messages_of_every_kind_match_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for chat in CHATS {
        let folder = format!("../snapshots/chats/{}", chat.name().to_lowercase());
        settings.set_snapshot_path(folder);
        let _bound = settings.bind_to_scope();
        for (name, events, now) in kinds() {
            let events: Vec<&Event> = events.iter().collect();
            let bodies = [Language::Zh, Language::En].map(|language| {
                let (_, body) = encode(chat, &events, &options(chat, language), now);
                assert!(body.size <= max_size(chat), "{name}: {}", body.size);
                let json: Value = serde_json::from_slice(&body.bytes).unwrap();
                // Lines as they are shown: the exact text is in the values.
                serde_json::to_string_pretty(&json)
                    .unwrap()
                    .replace("\\n", "\n")
            });
            insta::assert_snapshot!(name, bodies.join("\n\n════\n\n"));
        }
    }
}

/// Mobile numbers and everybody are mentioned by a text alone.
#[test]
fn wecom_sends_text_where_it_has_to_mention_by_it() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/chats/wecom");
    let _bound = settings.bind_to_scope();
    let now = "2019-04-09T11:00:00Z".parse().unwrap();
    let critical = parsed(REBOOT);
    let over = parsed("eventbridge/Instance-SystemMaintenance.Reboot-Executed.json");
    for (name, mobiles, all) in [("mobiles", &["13800000000"][..], false), ("all", &[], true)] {
        let usual = options(Chat::WeCom, Language::Zh);
        let options = RenderOptions {
            mentions: Mentions {
                mobiles: mobiles.iter().map(|mobile| (*mobile).to_owned()).collect(),
                all,
                ..usual.mentions
            },
            ..usual
        };
        let (_, body) = encode(Chat::WeCom, &[&critical[0]], &options, now);
        let json: Value = serde_json::from_slice(&body.bytes).unwrap();
        assert_eq!(json["msgtype"], "text");
        let shown = serde_json::to_string_pretty(&json)
            .unwrap()
            .replace("\\n", "\n");
        insta::assert_snapshot!(format!("text-{name}"), shown);
        // What is over mentions nobody.
        let (_, body) = encode(Chat::WeCom, &[&over[0]], &options, now);
        let json: Value = serde_json::from_slice(&body.bytes).unwrap();
        assert_eq!(json["msgtype"], "markdown");
    }
}

/// The smallest message is a text of 2,048 bytes. What the catalog says must not fill it.
#[test]
fn every_event_of_the_catalog_fits_into_the_smallest_message() {
    let statuses = [
        "Scheduled",
        "Inquiring",
        "Executing",
        "Executed",
        "Avoided",
        "Failed",
        "Stopped",
    ];
    let mut largest = 0;
    for (name, status, language) in event::known_names().flat_map(|name| {
        let languages = [Language::Zh, Language::En];
        statuses
            .map(|status| languages.map(|language| (name, status, language)))
            .concat()
    }) {
        let event = Event {
            source: "acs.ecs".into(),
            id: Some("e-bp11trd8f4k1n6v2pqum2".into()),
            name: name.into(),
            status: Some(status.into()),
            level: Some(Level::Critical),
            product: Some("ECS".into()),
            resource_id: Some("i-bp1ecr4x7k2m9q5go2go".into()),
            resource_name: Some("payments-checkout-web-frontend-prod-hangzhou-01".into()),
            region: Some("cn-hangzhou".into()),
            ..Event::default()
        };
        let usual = options(Chat::WeCom, language);
        let options = RenderOptions {
            mentions: Mentions {
                all: true,
                ..usual.mentions
            },
            mention_levels: Level::ALL.to_vec(),
            ..usual
        };
        let now = "2026-11-26T01:00:14Z".parse().unwrap();
        for events in [&[&event][..], &[&event, &event]] {
            let (_, body) = encode(Chat::WeCom, events, &options, now);
            assert!(
                body.size <= max_size(Chat::WeCom),
                "{name} {status}: {}",
                body.size
            );
            largest = largest.max(body.size / 2);
        }
    }
    println!("the largest has {largest} bytes");
}

/// A payload of 300 events: each is named in some message, or counted.
#[test]
fn many_events_are_a_few_messages_that_name_or_count_each() {
    let events: Vec<Event> = (0..300)
        .map(|n| Event {
            resource_id: Some(format!("i-bp1{n:017}")),
            resource_name: Some(format!("payments-web-{n:03}")),
            id: Some(format!("event-{n}")),
            ..with_level(Some(Level::Critical)).remove(0)
        })
        .collect();
    let events: Vec<&Event> = events.iter().collect();
    let now = "2026-11-26T01:00:14Z".parse().unwrap();
    for (chat, all, most) in [
        (Chat::Lark, true, 1),
        (Chat::WeCom, false, 8),
        // As a text.
        (Chat::WeCom, true, 8),
        (Chat::Slack, true, 2),
    ] {
        let usual = options(chat, Language::Zh);
        let options = RenderOptions {
            mentions: Mentions {
                all,
                ..usual.mentions
            },
            mentionable: Mentionable {
                is_half_as_long: chat == Chat::WeCom,
                ..usual.mentionable
            },
            ..usual
        };
        let chunks = message::chunks(&events, &options, max_size(chat));
        assert!(chunks.len() <= most, "{} {}", chat.name(), chunks.len());
        let (mut named, mut counted) = (0, 0);
        for chunk in &chunks {
            let (_, body) = encode(chat, chunk, &options, now);
            assert!(body.size <= max_size(chat));
            let text = String::from_utf8(body.bytes).unwrap();
            let is_named = |event: &&&Event| text.contains(event.resource_id.as_deref().unwrap());
            named += chunk.iter().filter(is_named).count();
            // The note counts what no section names.
            let note = text.split_once("……另有 ").map_or("", |(_, rest)| rest);
            let digits: String = note.chars().take_while(char::is_ascii_digit).collect();
            counted += digits.parse().unwrap_or(0);
        }
        println!(
            "{}: {} messages, {named} named, {counted} counted",
            chat.name(),
            chunks.len()
        );
        assert_eq!(named + counted, 300, "{}", chat.name());
    }
}

/// Names of any length: where leaving out lines is not enough, what the event wrote is cut.
#[test]
fn names_of_any_length_leave_room_for_all_that_must_stay() {
    let long = "🔴".repeat(400);
    let event = |n: usize| Event {
        source: "acs.ecs".into(),
        id: Some(format!("event-{n}")),
        name: format!("{n}{long}"),
        status: Some("Executing".into()),
        level: Some(Level::Critical),
        product: Some(long.clone()),
        resource_id: Some(long.clone()),
        resource_name: Some(format!("{n}{long}")),
        arn_resource_id: Some(format!("arn{long}")),
        region: Some(long.clone()),
        account: Some(long.clone()),
        ..Event::default()
    };
    let events = [event(1), event(2)];
    for language in [Language::Zh, Language::En] {
        for chat in CHATS {
            for all in [false, true] {
                let usual = options(chat, language);
                let options = RenderOptions {
                    mentions: Mentions {
                        all,
                        ..usual.mentions
                    },
                    accounts: AccountNames {
                        own: Some("1".into()),
                        ..AccountNames::default()
                    },
                    ..usual
                };
                let now = "2026-11-26T01:00:14Z".parse().unwrap();
                for events in [&[&events[0]][..], &[&events[0], &events[1]]] {
                    let (_, body) = encode(chat, events, &options, now);
                    let (chat_name, size) = (chat.name(), body.size);
                    assert!(size <= max_size(chat), "{chat_name} {size}");
                    let text = String::from_utf8(body.bytes).unwrap();
                    assert!(text.contains("CloudMonitor · ECS · "), "{text}");
                    let mention = match chat {
                        Chat::Lark => "<at id=7be5fg9a></at>",
                        Chat::WeCom | Chat::DingTalk => "li.si",
                        Chat::Slack => "<!subteam^S0614TZR7>",
                    };
                    assert!(text.contains(mention), "{text}");
                }
            }
        }
    }
}
