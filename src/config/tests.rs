mod chats;
mod schedule;

use super::*;
use crate::channel::{Endpoint, dingtalk};
use crate::event::Level;
use crate::message::{Console, Language, Mentions};
use crate::route::Filter;

const HOOK: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";

fn read(vars: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let vars = vars.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    Config::from_vars(vars).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn dingtalk(endpoint: &Endpoint) -> &dingtalk::Endpoint {
    match endpoint {
        Endpoint::DingTalk(endpoint) => endpoint,
        other => panic!("{other:?}"),
    }
}

fn faults(vars: &[(&str, &str)]) -> Vec<String> {
    read(vars).expect_err("faults were expected")
}

#[test]
fn when_only_the_webhook_is_set_the_route_has_the_defaults() {
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("PATH", "/bin"),
        ("EVENT_LEVELS", "  "),
    ])
    .unwrap();
    let [route] = config.routes.as_slice() else {
        panic!()
    };
    assert_eq!(
        (route.name.as_str(), route.suffix.as_str()),
        ("default", "")
    );
    assert_eq!(
        route.filter,
        Filter {
            levels: vec![Level::Critical, Level::Warn],
            ..Filter::default()
        }
    );
    assert_eq!(route.endpoint.limits().per_minute, 18);
    assert!(route.fallback.is_none() && dingtalk(&route.endpoint).secrets.is_empty());
    assert_eq!(route.render_options.language, Language::Zh);
    assert_eq!(route.render_options.zone.iana_name(), Some("Asia/Shanghai"));
    assert_eq!(route.endpoint.keyword(), None);
    assert_eq!(route.render_options.mentions, Mentions::default());
    assert_eq!(route.render_options.mention_levels, [Level::Critical]);
}

#[test]
fn a_further_route_inherits_message_variables_only() {
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("EVENT_LEVELS", "info, Warning ,CRITICAL"),
        ("MESSAGE_LANGUAGE", "en"),
        ("MESSAGE_TIME_ZONE", "Europe/Berlin"),
        (
            "DINGTALK_WEBHOOK__ON_CALL2",
            "https://other.example/robot/send?access_token=fedcba9876543210",
        ),
        ("MESSAGE_TIME_ZONE__ON_CALL2", "UTC"),
    ])
    .unwrap();
    let [first, second] = config.routes.as_slice() else {
        panic!()
    };
    assert_eq!(
        first.filter.levels,
        [Level::Info, Level::Warn, Level::Critical]
    );
    assert_eq!(
        (second.name.as_str(), second.suffix.as_str()),
        ("on_call2", "__ON_CALL2")
    );
    assert_eq!(second.filter.levels, [Level::Critical, Level::Warn]);
    assert_eq!(second.render_options.language, Language::En);
    assert_eq!(second.render_options.zone.iana_name(), Some("UTC"));
}

#[test]
fn a_further_route_can_stand_alone() {
    let config = read(&[
        ("DINGTALK_WEBHOOK__ONCALL", HOOK),
        ("MESSAGE_LANGUAGE", "en"),
    ])
    .unwrap();
    assert_eq!(config.routes.len(), 1);
    assert_eq!(config.routes[0].name, "oncall");
    assert_eq!(config.routes[0].render_options.language, Language::En);
}

#[test]
fn all_values_are_read() {
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_SECRET", "SECone , SECtwo"),
        ("DINGTALK_KEYWORD", "报警"),
        (
            "DINGTALK_FALLBACK_WEBHOOK",
            "http://localhost:8080/robot/send?access_token=aaaaaaaaaaaaaaaa",
        ),
        ("DINGTALK_FALLBACK_SECRET", "SECthree"),
        ("DINGTALK_AT_MOBILES", "13800000000, +1-123,13800000000"),
        ("DINGTALK_AT_USER_IDS", "manager7675"),
        ("DINGTALK_AT_ALL", "TRUE"),
        ("DINGTALK_AT_LEVELS", "CRITICAL,WARN"),
        ("DINGTALK_RATE_LIMIT", "3"),
        ("EVENT_LEVELS", "none"),
        ("EVENT_INCLUDE", "Instance:StateChange:Stopped,Disk:*"),
        ("EVENT_EXCLUDE", "*:Avoided"),
        ("EVENT_ACCOUNTS", "1234567890123456\n98*"),
        ("EVENT_REGIONS", "cn-*"),
        ("EVENT_RESOURCES", "i-*"),
        ("EVENT_RESOURCES_EXCLUDE", "test-*"),
        ("EVENT_TAGS", "team=payments\nenv=prod*"),
        ("EVENT_TAGS_EXCLUDE", "env=test"),
        ("DINGTALK_AT_TAG", "owner"),
        ("MESSAGE_TAGS", "env, team, env"),
        ("RESOURCE_LOOKUP", "AUTO"),
        ("RESOURCE_ENDPOINT", "https://ecs-vpc.{region}.aliyuncs.com"),
        ("RESOURCE_STS_ENDPOINT", "http://127.0.0.1:9"),
        ("RESOURCE_ROLE", "acs:ram::{account}:role/reader"),
        ("EVENT_QUIET_HOURS", "22:00 - 8:00"),
        ("EVENT_QUIET_LEVELS", "info"),
        ("MESSAGE_ACCOUNTS", "1234567890123456 = 生产 A, 98 = test"),
        ("MESSAGE_CONSOLE", "International"),
        ("MESSAGE_TIME_ZONE", "Europe/Berlin"),
        ("FC_ACCOUNT_ID", "1234567890123456"),
    ])
    .unwrap();
    let route = &config.routes[0];
    assert_eq!(dingtalk(&route.endpoint).secrets.len(), 2);
    assert_eq!(dingtalk(route.fallback.as_ref().unwrap()).secrets.len(), 1);
    for endpoint in [&route.endpoint, route.fallback.as_ref().unwrap()] {
        assert_eq!(endpoint.keyword(), Some("报警"));
    }
    let who = &route.render_options.mentions;
    assert_eq!(who.mobiles, ["13800000000", "+1-123"]);
    assert_eq!(who.user_ids, ["manager7675"]);
    assert!(who.all);
    assert_eq!(
        route.render_options.mention_levels,
        [Level::Critical, Level::Warn]
    );
    assert_eq!(route.endpoint.limits().per_minute, 3);
    assert!(route.filter.levels.is_empty());
    assert_eq!(route.filter.include.len(), 2);
    assert_eq!(route.filter.resources_exclude[0].as_str(), "test-*");
    assert_eq!(route.filter.accounts.len(), 2);
    let quiet = route.filter.quiet_hours.as_ref().unwrap();
    assert_eq!(quiet.span.start.to_string(), "22:00:00");
    assert_eq!(quiet.span.end.to_string(), "08:00:00");
    assert_eq!(quiet.levels, [Level::Info]);
    assert_eq!(quiet.zone.iana_name(), Some("Europe/Berlin"));
    let options = &route.render_options;
    assert_eq!(options.accounts.own.as_deref(), Some("1234567890123456"));
    assert_eq!(options.accounts.names["1234567890123456"], "生产 A");
    assert_eq!(options.accounts.names["98"], "test");
    assert_eq!(options.console, Console::International);
    assert_eq!(route.filter.tags.len(), 2);
    assert_eq!(route.filter.tags_exclude[0].as_str(), "env=test");
    assert_eq!(options.mention_tag.as_deref(), Some("owner"));
    assert_eq!(options.tags, ["env", "team"]);
    let resources = config.resources.as_ref().unwrap();
    assert_eq!(
        resources.ecs.to_string(),
        "https://ecs-vpc.{region}.aliyuncs.com"
    );
    assert_eq!(resources.sts.to_string(), "http://127.0.0.1:9");
    assert!(resources.role.is_some());
}

#[test]
fn resources_are_looked_up_unless_that_is_off() {
    let config = read(&[("DINGTALK_WEBHOOK", HOOK)]).unwrap();
    let resources = config.resources.unwrap();
    assert_eq!(
        resources.ecs.to_string(),
        "https://ecs.{region}.aliyuncs.com"
    );
    assert_eq!(
        resources.sts.to_string(),
        "https://sts.{region}.aliyuncs.com"
    );
    let off = read(&[("DINGTALK_WEBHOOK", HOOK), ("RESOURCE_LOOKUP", "off")]);
    assert_eq!(off.unwrap().resources, None);
    // They are no route of their own.
    let alone = faults(&[("RESOURCE_LOOKUP", "off")]);
    assert!(
        alone[0].starts_with("DINGTALK_WEBHOOK: is not set; "),
        "{alone:?}"
    );
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("RESOURCE_LOOKUP__B", "off"),
        ("RESOURCE_LOOKUPS", "off"),
        ("RESOURCE_LOOKUP", "no"),
        ("RESOURCE_ENDPOINT", "http://ecs.example.com"),
        ("RESOURCE_STS_ENDPOINT", "sts.aliyuncs.com"),
        ("RESOURCE_ROLE", "acs:ram::1:role/reader"),
    ]);
    for expected in [
        "RESOURCE_LOOKUP__B: is of the whole function; set RESOURCE_LOOKUP, without __B",
        "RESOURCE_LOOKUPS: is not a variable of the notifier; did you mean RESOURCE_LOOKUP",
        "RESOURCE_LOOKUP: is \"no\"; write auto",
        "RESOURCE_ENDPOINT: is not encrypted",
        "RESOURCE_STS_ENDPOINT: does not begin with https://",
        "RESOURCE_ROLE: is the role of one account",
    ] {
        let is_there = reported.iter().any(|fault| fault.starts_with(expected));
        assert!(is_there, "{expected}: {reported:#?}");
    }
}

#[test]
fn what_needs_look_ups_is_a_fault_without_them() {
    let names = [
        "EVENT_TAGS",
        "EVENT_TAGS_EXCLUDE",
        "DINGTALK_AT_TAG",
        "MESSAGE_TAGS",
    ];
    for name in names {
        let value = if name.starts_with("EVENT_") {
            "a=b"
        } else {
            "a"
        };
        let vars = [
            ("DINGTALK_WEBHOOK", HOOK),
            (name, value),
            ("RESOURCE_LOOKUP", "off"),
        ];
        let expected = format!("{name}: needs look-ups of resources");
        assert!(faults(&vars)[0].starts_with(&expected), "{name}");
        assert!(read(&vars[..2]).is_ok(), "{name}");
    }
    for text in ["a=b", "own*", "a b\u{0}"] {
        let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), ("DINGTALK_AT_TAG", text)]);
        assert!(reported[0].contains("is no tag's key"), "{reported:?}");
    }
}

#[test]
fn message_variables_are_inherited_one_by_one() {
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("MESSAGE_ACCOUNTS", "1=one"),
        ("MESSAGE_CONSOLE", "international"),
        (
            "DINGTALK_WEBHOOK__B",
            "https://other.example/robot/send?access_token=fedcba9876543210",
        ),
        ("MESSAGE_CONSOLE__B", "china"),
        ("EVENT_QUIET_HOURS__B", "00:00-6:00"),
    ])
    .unwrap();
    let [first, second] = config.routes.as_slice() else {
        panic!()
    };
    assert_eq!(
        first.render_options.accounts,
        second.render_options.accounts
    );
    assert_eq!(first.render_options.accounts.names["1"], "one");
    assert_eq!(second.render_options.console, Console::China);
    assert_eq!(first.filter.quiet_hours, None);
    let quiet = second.filter.quiet_hours.as_ref().unwrap();
    assert_eq!(quiet.levels, [Level::Warn, Level::Info]);
}

#[test]
fn every_fault_is_reported_at_once_with_its_variable() {
    let vars = [
        (
            "DINGTALK_WEBHOOK",
            "oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
        ),
        ("DINGTALK_SECRET", "a,b,c"),
        ("DINGTALK_KEYWORD", "two\nlines"),
        ("DINGTALK_FALLBACK_SECRET", "SECx"),
        ("DINGTALK_AT_MOBILES", "@138 000"),
        ("DINGTALK_AT_ALL", "perhaps"),
        ("DINGTALK_AT_LEVELS", "SEVERE"),
        ("DINGTALK_RATE_LIMIT", "21"),
        ("EVENT_LEVELS", "none,INFO"),
        ("EVENT_INCLUDE", ", ,"),
        ("EVENT_EXCLUDE", "*:Avoided # those are over"),
        ("EVENT_ACCOUNTS", "prod"),
        ("EVENT_REGIONS", "华东1（杭州）"),
        ("EVENT_RESOURCES", "acs:ecs:cn-hangzhou:1:instance/i-1"),
        ("EVENT_RESOURCES_EXCLUDE", "[\"i-1\"]"),
        ("EVENT_QUIET_HOURS", "10pm-8am"),
        ("EVENT_QUIET_LEVELS", "none"),
        ("MESSAGE_ACCOUNTS", "prod=1234567890123456"),
        ("MESSAGE_CONSOLE", "global"),
        ("MESSAGE_LANGUAGE", "fr"),
        ("MESSAGE_TIME_ZONE", "Asia/Atlantis"),
        ("EVENT_LEVEL", "INFO"),
        ("DINGTALK_WEBHOOK_ONCALL", HOOK),
        ("DINGTALK_WEBHOOK__on", HOOK),
        ("DINGTALK_WEBHOOK__DEFAULT", HOOK),
        ("EVENT_LEVELS__OPS", "INFO"),
        ("MESSAGE_LANGUAGE__NOBODY", "en"),
    ];
    let reported = faults(&vars);
    for (name, _) in vars {
        assert!(
            reported
                .iter()
                .any(|f| f.starts_with(&format!("{name}: ")) || name == "EVENT_LEVELS__OPS"),
            "{name} in {reported:#?}"
        );
    }
    assert!(
        reported
            .iter()
            .any(|f| f.starts_with("DINGTALK_WEBHOOK__OPS: is not set"))
    );
    assert!(
        reported
            .iter()
            .any(|f| f.starts_with("EVENT_LEVEL: ") && f.contains("did you mean EVENT_LEVELS?"))
    );
    assert!(
        reported
            .iter()
            .any(|f| f.contains("or DINGTALK_WEBHOOK__ONCALL for a further route?"))
    );
    assert!(
        !reported.iter().any(|f| f.contains("0123456789abcdef")),
        "{reported:#?}"
    );
    insta::assert_snapshot!(reported.join("\n"));
}

#[test]
fn nothing_set_asks_for_the_webhook() {
    let reported = faults(&[("MESSAGE_LANGUAGE", "xx")]);
    assert!(
        reported
            .iter()
            .any(|f| f.starts_with("DINGTALK_WEBHOOK: is not set")),
        "{reported:?}"
    );
    assert!(
        reported.iter().any(|f| f.starts_with("MESSAGE_LANGUAGE: ")),
        "{reported:?}"
    );
    assert!(!faults(&[]).is_empty());
}

#[test]
fn a_fault_in_an_inherited_value_is_reported_once() {
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_WEBHOOK__B", HOOK),
        ("MESSAGE_LANGUAGE", "xx"),
    ]);
    assert_eq!(reported.len(), 1, "{reported:?}");
}

#[test]
fn at_most_fifty_people_are_mentioned() {
    let people = |n: usize| {
        (0..n)
            .map(|i| format!("1380000{i:04}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert!(
        read(&[
            ("DINGTALK_WEBHOOK", HOOK),
            ("DINGTALK_AT_MOBILES", &people(50))
        ])
        .is_ok()
    );
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_AT_MOBILES", &people(50)),
        ("DINGTALK_AT_USER_IDS", "one"),
    ]);
    assert!(
        reported[0].starts_with("DINGTALK_AT_MOBILES: 51 people"),
        "{reported:?}"
    );
}

#[test]
fn when_dingtalk_would_mention_nobody_it_is_a_fault() {
    let check = |name, text| read(&[("DINGTALK_WEBHOOK", HOOK), (name, text)]);
    for text in [
        "13800000000;13900000000",
        "13800000000；13900000000",
        "138 0000 0000",
        "@13800000000",
        "张三",
        "manager7675",
        "all",
        "1380000000O",
        "１３８００００００００",
        "+",
        "-138",
        "++86-138",
        "(+86)138",
        "138****0000",
    ] {
        let reported = check("DINGTALK_AT_MOBILES", text).unwrap_err();
        assert!(
            reported[0].starts_with("DINGTALK_AT_MOBILES: "),
            "{text}: {reported:?}"
        );
    }
    for text in [
        "a\"b", "a\\b", "@a", "a b", "张三", "+86-139", "@all", "a/b",
    ] {
        let reported = check("DINGTALK_AT_USER_IDS", text).unwrap_err();
        assert!(
            reported[0].starts_with("DINGTALK_AT_USER_IDS: "),
            "{text}: {reported:?}"
        );
    }
    for (name, text) in [
        (
            "DINGTALK_AT_MOBILES",
            "13800000000\n+39-324-1234567, +8613800000000,86-138",
        ),
        ("DINGTALK_AT_USER_IDS", "manager7675\n01234, a_b.c@corp-1"),
    ] {
        let result = check(name, text);
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

#[test]
fn quiet_levels_without_hours_are_a_fault() {
    let reported = faults(&[
        ("DINGTALK_WEBHOOK__B", HOOK),
        ("EVENT_QUIET_LEVELS__B", "INFO"),
    ]);
    let expected =
        "EVENT_QUIET_LEVELS__B: is set without EVENT_QUIET_HOURS__B; set both or neither";
    assert_eq!(reported, [expected]);
}

#[test]
fn a_span_of_the_day_is_read_or_refused() {
    for text in ["22:00-08:00", "0:00-24:00 ", "18:30 - 24:00", "9:05-9:06"] {
        let hours = [("DINGTALK_WEBHOOK", HOOK), ("EVENT_QUIET_HOURS", text)];
        // From midnight to midnight is all day.
        assert_eq!(read(&hours).is_ok(), !text.starts_with("0:00"), "{text}");
    }
    for text in [
        "22:00",
        "22-08",
        "22:00–08:00",
        "22：00-08：00",
        "25:00-08:00",
        "22:60-08:00",
        "22:00-22:00",
        "24:00-08:00",
        "22:0-08:00",
        "22:00-08:00,12:00-13:00",
        "+1:00-08:00",
        "-",
        "22:00-08:00 Asia/Tokyo",
    ] {
        let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), ("EVENT_QUIET_HOURS", text)]);
        assert!(reported[0].contains("such as 22:00-08:00"), "{reported:?}");
    }
}

#[test]
fn a_secret_that_is_the_token_is_a_fault() {
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_SECRET", "SECx, 0123456789abcdef"),
    ]);
    assert!(
        reported[0].starts_with("DINGTALK_SECRET: is the webhook's access_token"),
        "{reported:?}"
    );
}

#[test]
fn when_every_event_is_excluded_it_is_a_fault() {
    for text in ["*", "ecs:*", "**", "?*", "*:*,*_*,*", "Disk:*,*"] {
        let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), ("EVENT_EXCLUDE", text)]);
        assert!(reported[0].contains("excludes every event"), "{reported:?}");
    }
    for text in ["*:*", "Instance:*", "ecs:Instance:*", "*e*"] {
        assert!(read(&[("DINGTALK_WEBHOOK", HOOK), ("EVENT_EXCLUDE", text)]).is_ok());
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_AT_LEVELS", "SECb90923e19e58b466"),
        // Lowered or with a mention's sign before it, it is still one.
        ("DINGTALK_AT_ALL", "SECb90923e19e58b466"),
        ("DINGTALK_AT_MOBILES", "@SECb90923e19e58b466"),
        // Two lines of a file that became one, and a token alone.
        (
            "DINGTALK_AT_USER_IDS",
            "@DINGTALK_SECRET=SECb90923e19e58b466",
        ),
        ("DINGTALK_RATE_LIMIT", "18/b90923e19e58b466"),
        ("MESSAGE_LANGUAGE", HOOK),
        ("MESSAGE_TIME_ZONE", &HOOK.to_uppercase()),
    ]);
    assert_eq!(reported.len(), 7);
    assert!(
        reported
            .iter()
            .all(|f| !f.to_lowercase().contains("b90923") && !f.contains("0123456789")),
        "{reported:?}"
    );
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_SECRET", "SECb90923e19e58b466"),
    ])
    .unwrap();
    let debug = format!("{config:?}");
    assert!(
        !debug.contains("b90923") && !debug.contains("0123456789abcdef"),
        "{debug}"
    );
}

#[test]
fn when_a_secret_is_set_but_holds_none_it_is_a_fault() {
    for (text, expected) in [
        (",", "holds commas but no secret"),
        // Without the fault, messages would go unsigned.
        ("，", "holds '，', which separates no values"),
        ("SEC a,", "holds a blank or a line break"),
    ] {
        let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), ("DINGTALK_SECRET", text)]);
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0].contains(expected), "{reported:?}");
    }
}

#[test]
fn the_fallback_must_be_another_chatbot() {
    let reported = faults(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("DINGTALK_FALLBACK_WEBHOOK", HOOK),
    ]);
    assert!(
        reported[0].starts_with("DINGTALK_FALLBACK_WEBHOOK: is the same chatbot"),
        "{reported:?}"
    );
}

#[test]
fn time_zones_are_found_in_any_letter_case() {
    for (name, found) in [
        ("Asia/Shanghai", Some("Asia/Shanghai")),
        ("asia/shanghai", Some("Asia/Shanghai")),
        ("utc", Some("UTC")),
        ("ZULU", Some("Zulu")),
        ("America/St_Johns", Some("America/St_Johns")),
        ("Asia", None),
        ("+08:00", None),
        ("Etc/Unknown", None),
    ] {
        let read = read(&[("DINGTALK_WEBHOOK", HOOK), ("MESSAGE_TIME_ZONE", name)]);
        match (read, found) {
            (Ok(config), found) => {
                assert_eq!(
                    config.routes[0].render_options.zone.iana_name(),
                    found,
                    "{name}"
                );
            }
            (Err(faults), None) => {
                let expected = format!(
                    "MESSAGE_TIME_ZONE: {name:?} is no time zone; write a name of the IANA database such as Asia/Shanghai, Europe/Berlin or UTC"
                );
                assert!(faults[0].contains(&expected), "{faults:?}");
            }
            (Err(faults), Some(_)) => panic!("{name}: {faults:?}"),
        }
    }
}
