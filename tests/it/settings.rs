//! Settings as people write them: they do what was meant, or `check` says what to write instead.
//! None of them filters every event in silence.

use crate::platform::{Call, Instance, run};
use crate::samples::{STOPPED, index, sample};
use crate::support::{Bench, FALLBACK_TOKEN, SECRET, TOKEN, group};
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::event;
use serde_json::Value;
use std::time::Duration;

/// The outcome and the rule of the sample of a stopped instance, which is of level INFO.
fn decided(more: &[(&str, &str)]) -> (String, String) {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let mut vars = vec![("DINGTALK_WEBHOOK", &*webhook), ("DINGTALK_SECRET", SECRET)];
    vars.extend(more);
    let (_, answer) = Bench::new(&vars).handle(&sample(STOPPED));
    let route = &answer["events"][0]["routes"][0];
    let text = |key: &str| route[key].as_str().unwrap().to_owned();
    (text("outcome"), text("rule"))
}

#[test]
fn a_pattern_works_as_eventbridge_and_as_lines_write_it() {
    for (variable, value, outcome) in [
        ("EVENT_INCLUDE", "ecs:Instance:StateChange", "delivered"),
        (
            "EVENT_INCLUDE",
            "ECS:instance:statechange:stopped",
            "delivered",
        ),
        ("EVENT_INCLUDE", "ecs:*", "delivered"),
        (
            "EVENT_INCLUDE",
            "Disk:*\nInstance:StateChange:Stopped\n",
            "delivered",
        ),
        (
            "EVENT_INCLUDE",
            "Disk:*\r\n  ecs:Instance:*  \r\n",
            "delivered",
        ),
        ("EVENT_EXCLUDE", "ecs:Instance:StateChange", "filtered"),
        ("EVENT_EXCLUDE", "ecs:Instance:*\nDisk:*", "filtered"),
    ] {
        let levels = (
            "EVENT_LEVELS",
            if outcome == "filtered" {
                "INFO"
            } else {
                "CRITICAL"
            },
        );
        let expected = (outcome.to_owned(), variable.to_owned());
        assert_eq!(decided(&[levels, (variable, value)]), expected, "{value:?}");
    }
    for regions in ["cn-beijing\ncn-hangzhou", "CN-*", "cn-hang????"] {
        let vars = [("EVENT_LEVELS", "INFO"), ("EVENT_REGIONS", regions)];
        assert_eq!(decided(&vars).0, "delivered", "{regions:?}");
    }
}

/// What `check` of the real binary prints, and its exit code.
fn check(vars: &[(&str, &str)]) -> (i32, String) {
    let output = run(&["check"], vars, "");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), text)
}

#[test]
fn what_can_never_match_is_told_with_what_to_write() {
    let webhook = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    for (variable, value, expected) in [
        (
            "EVENT_INCLUDE",
            "Instance:StateChange;Disk:*",
            "separated by commas or line breaks",
        ),
        (
            "EVENT_INCLUDE",
            "Instance:StateChange|Disk:*",
            "separated by commas or line breaks",
        ),
        (
            "EVENT_INCLUDE",
            r#"["Instance:StateChange"]"#,
            "separated by commas or line breaks",
        ),
        ("EVENT_INCLUDE", "^Disk:.*$", "with * for any text"),
        (
            "EVENT_EXCLUDE",
            "*:Avoided # those are over",
            "holds a comment",
        ),
        ("EVENT_EXCLUDE", "*", "excludes every event"),
        (
            "EVENT_LEVELS",
            "CRITICAL；WARN",
            "separated by commas or line breaks",
        ),
        ("EVENT_REGIONS", "华东1（杭州）", "write cn-hangzhou"),
        ("EVENT_REGIONS", "cn-hangzhou-h", "write \"cn-hangzhou\""),
        ("EVENT_ACCOUNTS", "prod", "write the digits"),
        (
            "EVENT_RESOURCES",
            "i-bp1、i-bp2",
            "separated by commas or line breaks",
        ),
        ("EVENT_QUIET_HOURS", "22-8", "such as 22:00-08:00"),
        (
            "DINGTALK_AT_MOBILES",
            "13800000000;13900000000",
            "separated by commas or line breaks",
        ),
        ("DINGTALK_AT_MOBILES", "张三", "is no mobile number"),
        ("DINGTALK_AT_USER_IDS", "all", "set DINGTALK_AT_ALL=true"),
        ("DINGTALK_SECRET", "\"SECabc\"", "holds quotation marks"),
        ("DINGTALK_SECRET", TOKEN, "is the webhook's access_token"),
        ("MESSAGE_ACCOUNTS", "prod", "as in 1234567890123456=prod"),
    ] {
        let (code, text) = check(&[("DINGTALK_WEBHOOK", &webhook), (variable, value)]);
        assert_eq!(code, 1, "{value}");
        assert!(text.starts_with(&format!("{variable}: ")), "{text}");
        assert!(text.contains(expected), "{value}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let twice = format!("{webhook},{TOKEN}");
    let two =
        "https://a.example/?access_token=0123456789,https://b.example/?access_token=9876543210";
    for (value, expected) in [
        (twice.as_str(), "holds the access_token twice"),
        (two, "holds two addresses"),
        (
            "https://oapi.dingtalk.com/robot/send?access_token=your_token",
            "holds a placeholder",
        ),
    ] {
        let (code, text) = check(&[("DINGTALK_WEBHOOK", value)]);
        assert_eq!(code, 1);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
}

// Whatever a sample or the catalog names can be written into a filter.
#[test]
fn every_name_region_account_and_resource_of_the_samples_is_accepted() {
    let mut checked = 0;
    for row in index() {
        let events = event::parse(sample(row["file"].as_str().unwrap()).as_bytes()).events;
        for event in events {
            let [name, region] = [Some(event.full_name()), event.region.clone()];
            // The console's debug events mask ids with asterisks, which are wildcards here.
            let account = event.account.clone();
            let resources = [
                &event.resource_id,
                &event.resource_name,
                &event.arn_resource_id,
            ];
            let resources = resources.into_iter().flatten().map(String::as_str);
            for (variable, value) in [
                ("EVENT_INCLUDE", name),
                ("EVENT_REGIONS", region),
                ("EVENT_ACCOUNTS", account),
                (
                    "EVENT_RESOURCES",
                    Some(resources.collect::<Vec<_>>().join("\n")),
                ),
            ] {
                let Some(value) = value else { continue };
                let webhook = "https://oapi.dingtalk.com/robot/send?access_token=abcdefgh";
                let vars = [("DINGTALK_WEBHOOK", webhook), (variable, &*value)];
                let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let config = Config::from_vars(vars);
                assert!(config.is_ok(), "{variable}={value}: {config:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

#[test]
fn in_quiet_hours_an_event_is_not_sent() {
    let group = group();
    // A chatbot without a secret: the group's clock does not follow.
    let webhook = group.webhook(FALLBACK_TOKEN);
    let bench = Bench::new(&[
        ("DINGTALK_WEBHOOK", &webhook),
        ("EVENT_LEVELS", "INFO"),
        ("EVENT_INCLUDE", "Instance:*"),
        ("EVENT_QUIET_HOURS", "00:00-12:00"),
        ("MESSAGE_TIME_ZONE", "UTC"),
    ]);
    // Half a day apart, one of the two is in the quiet half.
    let mut outcomes = Vec::new();
    for id in ["one", "two"] {
        let mut event: Value = serde_json::from_str(&sample(STOPPED)).unwrap();
        event["id"] = id.into();
        let (result, answer) = bench.handle(&event.to_string());
        assert_eq!(result, Ok(()));
        let route = &answer["events"][0]["routes"][0];
        outcomes.push(format!("{} {}", route["outcome"], route["rule"]));
        bench.clock.advance(Duration::from_secs(12 * 3600));
    }
    outcomes.sort();
    let expected = [
        r#""delivered" "EVENT_INCLUDE""#,
        r#""filtered" "EVENT_QUIET_HOURS""#,
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(group.deliveries().len(), 1);
}

#[test]
fn whoever_posts_elsewhere_is_told_where_events_go() {
    let mut instance = Instance::start(&[(
        "DINGTALK_WEBHOOK",
        "http://127.0.0.1:9/?access_token=abcdefgh",
    )]);
    let mut caller = instance.caller();
    for (method, path, status) in [
        ("POST", "/", 405),
        ("GET", "/invoke", 405),
        ("PUT", "/invoke", 405),
        ("POST", "/2016-08-15/proxy/x/y/", 404),
        ("POST", "/webhook", 404),
    ] {
        let response = caller.call(&Call::new(method, path).body(sample(STOPPED)));
        assert!(!response.failure(status).is_empty());
        let message = response.json()["errorMessage"].to_string();
        assert!(message.contains("events go to POST /invoke"), "{message}");
    }
    instance.sigterm();
    assert_eq!(instance.wait_exit(crate::platform::PATIENCE), 0);
}
