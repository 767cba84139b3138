//! Every kind of message as each chat gets it, in both languages.

use super::{CHATS, encode, max_size};
use crate::messages::occasions::{
    denied, digested, heartbeat, morning, reboot, reminded, unknown, vitals, week,
};
use crate::samples::{REBOOT, STOPPED, sample};
use ecs_dingtalk_notifier::channel::Chat;
use ecs_dingtalk_notifier::event::{self, Event, Level, LookupHealth, Vitals};
use ecs_dingtalk_notifier::message::{Language, Mentions, RenderOptions};
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
