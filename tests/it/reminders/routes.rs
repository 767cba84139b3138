//! Several routes: each has its own times, zone and language.

use super::*;
use crate::support::FALLBACK_TOKEN;

#[test]
fn each_route_is_told_what_is_due_for_it() {
    let stage = Stage::new(&[("MESSAGE_DIGEST_AT", "09:00")]);
    let second = stage.group.webhook(FALLBACK_TOKEN);
    let mut vars = stage.vars.clone();
    for (name, value) in [
        ("DINGTALK_WEBHOOK__BERLIN", second.as_str()),
        ("MESSAGE_TIME_ZONE__BERLIN", "Europe/Berlin"),
        ("MESSAGE_LANGUAGE__BERLIN", "zh"),
        ("MESSAGE_REMIND_BEFORE__BERLIN", "24h"),
        ("MESSAGE_HEARTBEAT_AT__BERLIN", "02:00"),
    ] {
        vars.push((name.into(), value.into()));
    }
    let mut stage = Stage { vars, ..stage };
    stage.restart();
    stage.plan(1, "2026-11-27T00:30:00Z");
    stage.plan(2, "2026-11-30T00:30:00Z");

    // 09:00 in Shanghai is 02:00 in Berlin.
    stage.tick(NINE).0.unwrap();
    let shown = stage.shown();
    let of = |token: &str| -> Vec<&str> {
        let shown = shown.iter().filter(|shown| shown.token == token);
        shown.map(|shown| shown.title.as_str()).collect()
    };
    let [digest] = of(TOKEN).try_into().unwrap();
    assert!(digest.contains("2 upcoming"), "{digest}");
    let [reminder, alive] = of(FALLBACK_TOKEN).try_into().unwrap();
    assert!(reminder.contains("提醒"), "{reminder}");
    assert!(alive.contains("通知函数"), "{alive}");
    let rules: Vec<String> = stage
        .lines
        .all()
        .iter()
        .filter(|line| line["outcome"] == "filtered")
        .map(|line| line["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        rules,
        [
            "MESSAGE_REMIND_BEFORE",
            "MESSAGE_DIGEST_AT__BERLIN",
            "MESSAGE_DIGEST_AT__BERLIN",
            "MESSAGE_HEARTBEAT_AT"
        ]
    );
    // 09:00 in Berlin.
    stage.tick("2026-11-26T08:00:00Z").0.unwrap();
    let [digest] = stage.titles().try_into().unwrap();
    assert!(digest.contains("计划维护"), "{digest}");
}
