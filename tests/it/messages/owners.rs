//! Messages of events whose resources were looked up: names, addresses, tags and owners.

use super::situations::{event, events, texts};
use super::*;
use ecs_dingtalk_notifier::event::Known;
use serde_json::Value;

fn with(event: Event, known: Known) -> Event {
    Event {
        known: Some(Arc::new(known)),
        ..event
    }
}

fn pairs(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
    tags.iter().map(pair).collect()
}

/// What is known of an instance with this name and these tags.
fn instance(name: &str, tags: &[(&str, &str)]) -> Known {
    Known {
        name: Some(name.into()),
        private_addresses: vec!["192.168.0.10".into(), "192.168.0.11".into()],
        public_addresses: vec!["203.0.113.7".into()],
        tags: pairs(tags),
        ..Known::default()
    }
}

/// What is known of a disk of `web-03`.
fn disk() -> Known {
    Known {
        name: Some("data-01".into()),
        instance_name: Some("web-03".into()),
        tags: pairs(&[("team", "payments"), ("team", "of the instance")]),
        ..Known::default()
    }
}

fn tagged(tags: &[(&str, &str)]) -> Event {
    with(failures(1).remove(0), instance("web-03", tags))
}

fn failures(count: usize) -> Vec<Event> {
    let data = (0..count).map(
        |n| json!({"instanceId": format!("i-uf6{n:017}"), "eventStatus": "Executing", "reason": "hardware"}),
    );
    events("ecs:Instance:SystemFailure.Reboot", data)
}

fn stalled(data: Value) -> Event {
    let mut all = json!({"diskId": "d-uf6field0000000001", "device": "/dev/xvdb"});
    let all = all.as_object_mut().unwrap();
    all.extend(data.as_object().unwrap().clone());
    event("ecs:Disk:Stalled", Value::Object(all.clone()))
}

/// Options that show two tags and mention whom the tag `owner` names, and nobody besides.
fn with_tags(language: Language) -> RenderOptions {
    RenderOptions {
        mentions: Mentions::default(),
        mention_tag: Some("owner".into()),
        tags: vec!["Team".into(), "env".into()],
        ..options(language)
    }
}

fn at_night() -> Timestamp {
    "2026-11-26T02:01:14Z".parse().unwrap()
}

/// The text in English.
fn text(events: &[Event]) -> String {
    let [_, en] = texts(at_night(), events, with_tags);
    en.text
}

/// The lines of the text in English, without the ends of lines.
fn lines(event: Event) -> Vec<String> {
    let text = text(&[event]);
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[test]
fn messages_of_known_resources_match_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/owners");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let several = || {
        let tags = [
            vec![
                ("team", "payments"),
                ("env", "prod"),
                ("owner", "13700000001"),
            ],
            vec![
                ("team", "payments"),
                ("env", ""),
                ("owner", "13700000001/alice"),
            ],
            vec![("env", "test"), ("owner", "王小明")],
            vec![],
        ];
        let known = tags.iter().zip(["web-03", "web-04", "", "web-06"]);
        let known = known.map(|(tags, name)| Known {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            ..instance("", tags)
        });
        let mut events: Vec<Event> = failures(6);
        for (event, known) in events.iter_mut().zip(known) {
            event.known = Some(Arc::new(known));
        }
        events[4].resource_name = Some("told-by-event".into());
        events
    };
    let disk_events = [json!({}), json!({}), json!({"diskName": "told-by-event"})];
    let disks = disk_events.map(|data| with(stalled(data), disk())).to_vec();
    for (name, events) in [
        (
            "instance",
            vec![tagged(&[("env", "prod"), ("team", "payments")])],
        ),
        ("disk", vec![with(stalled(json!({})), disk())]),
        ("digest", several()),
        ("digest-of-disks", disks),
        (
            "owner-by-number",
            vec![tagged(&[("owner", "+86-13700000001")])],
        ),
        (
            "owner-by-id",
            vec![tagged(&[("owner", "manager7675, alice")])],
        ),
        (
            "owner-of-another-form",
            vec![tagged(&[("owner", "13700000001, 王 *小明*")])],
        ),
    ] {
        let shown = texts(at_night(), &events, with_tags).map(|message| shown(&message));
        insta::assert_snapshot!(name, shown.join("\n\n════\n\n"));
    }
}

#[test]
fn what_the_event_tells_comes_before_what_was_looked_up() {
    let data = json!({"instanceId": "i-1", "instanceName": "told", "state": "Stopped",
        "primaryPrivateIp": "10.0.0.1", "publicIpAddress": "10.***125"});
    let event = with(
        event("ecs:Instance:StateChange", data),
        instance("web-03", &[]),
    );
    let [_, en] = texts(at_night(), &[event], with_tags);
    assert!(en.title.ends_with(" · told"), "{}", en.title);
    for line in [
        "**Instance**: told (i-1)",
        "**Primary private IP**: 10.0.0.1",
        "**Public IP**: 10.＊＊＊125",
    ] {
        assert!(en.text.contains(line), "{}", en.text);
    }
    for other in ["web-03", "192.168.0.10", "203.0.113.7"] {
        assert!(!en.text.contains(other), "{}", en.text);
    }
}

#[test]
fn a_name_that_shows_nothing_gives_way_to_the_next() {
    let mut event = with(failures(1).remove(0), instance("web-03", &[]));
    event.resource_name = Some("\u{200b}".into());
    let [_, en] = texts(at_night(), &[event.clone()], with_tags);
    assert!(en.title.ends_with(" · web-03"), "{}", en.title);
    event.known = Some(Arc::new(instance("\u{200b} ", &[])));
    let [_, en] = texts(at_night(), &[event], with_tags);
    assert!(
        en.title.ends_with(" · i-uf600000000000000000"),
        "{}",
        en.title
    );
    assert!(en.text.contains("**Instance**: i-uf6"), "{}", en.text);
}

#[test]
fn addresses_stand_where_told_ones_do_and_are_no_repetition() {
    let private = "**Private IP**: 192.168.0.10, 192.168.0.11";
    let public = "**Public IP**: 203.0.113.7";
    for (data, expected) in [
        (json!({}), &[private, public][..]),
        (json!({"privateIpAddress": ""}), &[private, public]),
        (
            json!({"publicIpAddress": "203.0.113.9"}),
            &[private, "**Public IP**: 203.0.113.9"],
        ),
        (
            json!({"ipAddress": "192.168.0.11"}),
            &[public, "**IP address**: 192.168.0.11"],
        ),
        (
            json!({"ipGroup": "10.0.0.9,203.0.113.7"}),
            &[private, "**IP addresses**: 10.0.0.9,203.0.113.7"],
        ),
    ] {
        let mut event = tagged(&[]);
        event.details.extend(data.as_object().unwrap().clone());
        let lines = lines(event);
        let shown: Vec<&String> = lines
            .iter()
            .filter(|line| line.contains(" IP") || line.contains("IP "))
            .collect();
        assert_eq!(shown, expected, "{data}");
        let place = lines
            .iter()
            .position(|line| line.contains(" IP") || line.contains("**IP "))
            .unwrap();
        assert_eq!(lines[place - 1], "**Reason**: hardware");
    }
    let many = Known {
        private_addresses: (1..=6).map(|n| format!("10.0.0.{n}")).collect(),
        ..Known::default()
    };
    let lines = lines(with(failures(1).remove(0), many));
    let five = "**Private IP**: 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5 …";
    assert!(lines.iter().any(|line| line == five), "{lines:?}");
}

#[test]
fn a_disk_shows_its_own_name_and_that_of_its_instance() {
    let unnamed = Known {
        name: None,
        ..disk()
    };
    let twin = Known {
        name: Some("web-03".into()),
        ..disk()
    };
    for (told, data, known, resource, attached) in [
        (None, json!({}), disk(), "data-01 (d-uf", Some("web-03")),
        (
            None,
            json!({"ecsInstanceName": "told"}),
            disk(),
            "data-01 (d-uf",
            Some("told"),
        ),
        (
            None,
            json!({"diskName": "own"}),
            disk(),
            "own (d-uf",
            Some("web-03"),
        ),
        (None, json!({}), unnamed.clone(), "d-uf", Some("web-03")),
        (None, json!({}), twin, "web-03 (d-uf", Some("web-03")),
        // CloudMonitor tells the instance's name beside the event's data.
        (
            Some("told"),
            json!({}),
            disk(),
            "data-01 (d-uf",
            Some("told"),
        ),
        (
            Some("data-01"),
            json!({}),
            disk(),
            "data-01 (d-uf",
            Some("web-03"),
        ),
        (Some("told"), json!({}), unnamed, "told (d-uf", None),
    ] {
        let mut event = stalled(data);
        event.resource_name = event.resource_name.or(told.map(str::to_owned));
        event.known = Some(Arc::new(Known {
            private_addresses: vec!["10.0.0.1".into()],
            ..known
        }));
        let lines = lines(event);
        let value = |label: &str| lines.iter().find_map(|line| line.strip_prefix(label));
        assert!(
            value("**Disk**: ").unwrap().starts_with(resource),
            "{lines:?}"
        );
        assert_eq!(value("**Attached to (name)**: "), attached, "{lines:?}");
        assert_eq!(value("**Private IP**: "), None);
    }
}

#[test]
fn tags_are_lines_behind_the_account_in_the_order_asked_for() {
    let event = tagged(&[
        ("ENV", "prod"),
        ("other", "x"),
        ("team", "payments"),
        ("TEAM", "second"),
    ]);
    let lines = lines(event);
    let place = lines
        .iter()
        .position(|line| line == "**Team**: payments")
        .unwrap();
    assert!(lines[place - 1].starts_with("**Region**"), "{lines:?}");
    assert_eq!(lines[place + 1], "**env**: prod");
    assert!(lines[place + 2].starts_with("**Time**"), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("other")));
}

#[test]
fn a_tag_is_one_line_of_text_and_without_value_a_dash() {
    let long = "长".repeat(200);
    for (value, shown) in [
        ("", "-".to_owned()),
        (" \u{200b}", "-".to_owned()),
        ("a\n# b\u{7}c", "a # b c".to_owned()),
        (
            "[x](https://evil.example) @all",
            "［x］(https:／/evil.example) ＠all".to_owned(),
        ),
        (&long, format!("{}…", "长".repeat(100))),
    ] {
        let lines = lines(tagged(&[("env", value)]));
        assert!(lines.contains(&format!("**env**: {shown}")), "{lines:?}");
    }
}

#[test]
fn a_digest_shows_tags_in_parentheses_behind_the_name() {
    let key = "long-".repeat(20);
    let tags = [
        ("team", "payments"),
        ("env", ""),
        ("a", "1"),
        ("b", "2"),
        ("c", key.as_str()),
        ("d", "4"),
    ];
    let mut events = failures(2);
    events[1].resource_id = None;
    events[1].known = Some(Arc::new(instance("web-03", &tags)));
    let options = |language| RenderOptions {
        tags: tags.map(|(key, _)| key.to_owned()).to_vec(),
        ..with_tags(language)
    };
    let [zh, en] = texts(at_night(), &events, options);
    let cut = format!("{}…", &key[..40]);
    assert!(
        zh.text
            .contains(&format!("web-03（payments、env、1、2、{cut} …）")),
        "{}",
        zh.text
    );
    assert!(
        en.text
            .contains(&format!("web-03 (payments, env, 1, 2, {cut} …)")),
        "{}",
        en.text
    );
}

/// Another invocation could not look it up.
#[test]
fn a_resource_in_a_digest_is_named_if_one_event_knows_it() {
    let mut events = failures(1);
    events.push(Event {
        id: Some("another".into()),
        ..tagged(&[("env", "prod")])
    });
    let text = text(&events);
    assert!(
        text.contains("**Instance**: web-03 (i-uf600000000000000000; prod) ×2"),
        "{text}"
    );
}

#[test]
fn whoever_a_tag_names_is_mentioned_in_both_places() {
    for (value, mobiles, user_ids, is_shown) in [
        ("13700000001", &["13700000001"][..], &[][..], false),
        ("+39-3241234567", &["+39-3241234567"], &[], false),
        ("manager7675", &[], &["manager7675"], false),
        ("a_b@c.d-e", &[], &["a_b@c.d-e"], false),
        ("13700000001,alice", &["13700000001"], &["alice"], false),
        (
            " 13700000001 / alice，bob、carol\u{3000}dave ",
            &["13700000001"],
            &["alice", "bob", "carol", "dave"],
            false,
        ),
        (
            "alice alice 13700000001 +86-13700000001",
            &["13700000001"],
            &["alice"],
            false,
        ),
        // Too short and too long for a number.
        ("123456", &[], &["123456"], false),
        ("0123456789012345", &[], &["0123456789012345"], false),
        ("+123456", &[], &[], true),
        ("alice, 王小明", &[], &["alice"], true),
        ("all", &[], &[], true),
        ("@Everyone", &[], &[], true),
        ("alice;bob", &[], &[], true),
        ("@alice", &[], &[], true),
        (
            "__alice__ www.evil.example a@www.evil.example",
            &[],
            &[],
            true,
        ),
        ("", &[], &[], false),
        (" , ", &[], &[], false),
    ] {
        for message in texts(at_night(), &[tagged(&[("Owner", value)])], with_tags) {
            assert_eq!(message.mentions.mobiles[..], mobiles[..], "{value}");
            assert_eq!(message.mentions.user_ids[..], user_ids[..], "{value}");
            let names = mobiles.iter().chain(user_ids);
            let names: Vec<String> = names.map(|name| format!("@{name}")).collect();
            let (above, last) = message.text.rsplit_once("\n\n").unwrap();
            let last = Some(last).filter(|last| last.starts_with('@'));
            assert_eq!(last.unwrap_or_default(), names.join(" "), "{value}");
            assert!(!above.contains('@'), "{above}");
            assert_eq!(message.text.contains("**owner**"), is_shown, "{value}");
            assert_eq!(foreign_markup(&message), Vec::<String>::new(), "{value}");
        }
    }
}

#[test]
fn an_owner_that_is_also_asked_for_is_shown_once() {
    for value in ["13700000001", "no person!"] {
        let options = |language| RenderOptions {
            tags: vec!["OWNER".into()],
            ..with_tags(language)
        };
        let [_, en] = texts(at_night(), &[tagged(&[("owner", value)])], options);
        assert!(
            en.text.contains(&format!("**OWNER**: {value}")),
            "{}",
            en.text
        );
        assert_eq!(en.text.to_lowercase().matches("owner").count(), 1);
    }
}

#[test]
fn owners_are_mentioned_for_the_levels_that_mention() {
    let event = tagged(&[("owner", "alice"), ("other", "bob")]);
    for (status, level, tag, is_mentioned) in [
        ("Executing", Some(Level::Critical), "owner", true),
        ("Executing", Some(Level::Critical), "other one", false),
        ("Executing", Some(Level::Warn), "owner", false),
        ("Executing", None, "owner", false),
        ("Executed", Some(Level::Critical), "owner", false),
        ("Canceled", Some(Level::Critical), "owner", false),
    ] {
        let event = Event {
            status: Some(status.into()),
            level,
            ..event.clone()
        };
        for all in [false, true] {
            let options = |language| RenderOptions {
                mention_tag: Some(tag.into()),
                mentions: Mentions {
                    all,
                    ..Mentions::default()
                },
                ..with_tags(language)
            };
            for message in texts(at_night(), std::slice::from_ref(&event), options) {
                assert_eq!(
                    !message.mentions.user_ids.is_empty(),
                    is_mentioned,
                    "{status}"
                );
                let is_asked = is_mentioned || tag == "other one";
                assert_eq!(message.mentions.all, all && is_asked);
            }
        }
    }
}

#[test]
fn no_configured_person_gives_way_to_an_owner() {
    let owners: Vec<String> = (0..60).map(|n| format!("owner-{n}")).collect();
    let event = tagged(&[("owner", &owners.join(","))]);
    for (configured, expected) in [(0, 50), (1, 50), (49, 50), (50, 50), (51, 51)] {
        let people: Vec<String> = (0..configured).map(|n| format!("138{n:08}")).collect();
        let options = |language| RenderOptions {
            mentions: Mentions {
                mobiles: people.clone(),
                ..Mentions::default()
            },
            ..with_tags(language)
        };
        for message in texts(at_night(), std::slice::from_ref(&event), options) {
            let Mentions {
                mobiles, user_ids, ..
            } = message.mentions;
            assert_eq!(mobiles, people);
            assert_eq!(mobiles.len() + user_ids.len(), expected);
            assert_eq!(user_ids, owners[..expected - configured]);
        }
    }
}

#[test]
fn a_configured_person_who_is_also_an_owner_is_mentioned_once() {
    let event = tagged(&[("owner", "+86138-0000-0000 manager7675 bob")]);
    for message in texts(at_night(), &[event], |language| RenderOptions {
        mention_tag: Some("owner".into()),
        ..options(language)
    }) {
        assert_eq!(
            message.mentions,
            Mentions {
                user_ids: vec!["manager7675".into(), "bob".into()],
                ..options(Language::Zh).mentions
            }
        );
        assert!(message.text.ends_with("@13800000000 @manager7675 @bob"));
    }
}

#[test]
fn a_digest_mentions_the_owners_of_what_asks_for_it() {
    let mut events = failures(4);
    for (n, event) in events.iter_mut().enumerate() {
        let owner = format!("owner-{n}/shared");
        event.known = Some(Arc::new(instance("web", &[("owner", &owner)])));
    }
    events[0].level = Some(Level::Warn);
    events[1].status = Some("Executed".into());
    let options = |language| RenderOptions {
        mention_levels: vec![Level::Critical, Level::Info],
        ..with_tags(language)
    };
    events[2].level = Some(Level::Info);
    for message in texts(at_night(), &events, options) {
        // The worst first.
        assert_eq!(message.mentions.user_ids, ["owner-3", "shared", "owner-2"]);
        assert!(
            message.text.ends_with("@owner-3 @shared @owner-2"),
            "{}",
            message.text
        );
    }
    for message in texts(at_night(), &events[..2], options) {
        assert_eq!(message.mentions, Mentions::default());
    }
}

/// As many tags as a resource can have, all of them asked for, beside all that is known of it.
#[test]
fn what_a_look_up_adds_leaves_room_for_the_rest() {
    let long = "🚨".repeat(200);
    let keys: Vec<String> = (0..20).map(|n| format!("{n}{long}")).collect();
    let (event, mut options, keyword) = with_everything(&long, 0);
    options.tags = keys.clone();
    options.mention_tag = Some("owner".into());
    let known = |n: usize| {
        let owners: Vec<String> = (0..50).map(|m| format!("{n:02}{m:062}")).collect();
        let tags = keys.iter().map(|key| (key.clone(), format!("{n}{long}")));
        Known {
            name: Some(format!("{n}{long}")),
            instance_name: Some(long.clone()),
            private_addresses: vec![long.clone(); 20],
            public_addresses: vec![long.clone(); 20],
            tags: tags
                .chain([("owner".to_owned(), owners.join(","))])
                .collect(),
        }
    };
    let events: Vec<Event> = (0..100)
        .map(|n| Event {
            resource_name: None,
            region: Some(format!("{n}{long}")),
            ..with(event.clone(), known(n))
        })
        .collect();
    for count in [1, 2, 100] {
        let events: Vec<&Event> = events.iter().take(count).collect();
        for budget in [MAX_BYTES, 0] {
            let message = render_within(&events, &options, Some(&keyword), budget);
            assert!(size(&message) <= MAX_BYTES, "{count}: {}", size(&message));
            assert_eq!(message.mentions.user_ids.len(), 50);
            assert!(message.text.contains(&keyword));
            assert!(message.text.contains("CloudMonitor · ECS"));
        }
    }
    let whole = render_within(&[&events[0]], &options, None, usize::MAX);
    let tags = |message: &Message| message.text.matches("🚨…**：0🚨").count();
    assert_eq!(tags(&whole), 20);
    // The event's own data give way first, and both are counted.
    let hidden = render_within(&[&events[0]], &options, None, 0);
    assert_eq!(tags(&hidden), 0);
    assert!(hidden.text.contains("…… 另有 "), "{}", hidden.text);
}
