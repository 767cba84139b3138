//! What is ahead: the digest in the morning, and reminders before planned work.

use super::*;

const DIGEST: (&str, &str) = ("MESSAGE_DIGEST_AT", "09:00");
const REMIND: (&str, &str) = ("MESSAGE_REMIND_BEFORE", "24h,1h");

#[test]
fn a_digest_lists_all_maintenance_the_soonest_first() {
    let stage = Stage::new(&[DIGEST]);
    stage.plan(2, "2026-11-28T18:00:00Z");
    stage.plan(1, "2026-11-26T15:00:00Z");
    stage.plan(3, "2026-12-01T18:00:00Z");
    let (result, remarks) = stage.tick(NINE);
    let answer = result.unwrap();
    assert_eq!(remarks, [""; 0]);
    let [shown] = stage.shown().try_into().unwrap();
    assert!(shown.title.contains("3 upcoming"), "{}", shown.title);
    assert_eq!(named(text(&shown)), [1, 2, 3]);
    assert!(text(&shown).contains("web-01"), "{}", text(&shown));
    // Nobody is called every morning.
    assert!(shown.mentioned.is_empty() && !shown.at_all);
    let ids: Vec<&str> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["eventId"].as_str().unwrap())
        .collect();
    assert_eq!(ids[0], "e-bp1planned0001 digest 2026-11-26T01:00:00Z");
    let lines = stage.lines.all();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert_eq!(line["outcome"], "delivered");
        assert_eq!(line["event"], "Instance:SystemMaintenance.Reboot:Scheduled");
        assert_eq!(
            (&line["combined"], &line["lookup"]),
            (&json!(3), &json!("found"))
        );
    }
}

#[test]
fn without_maintenance_a_digest_says_nothing() {
    let stage = Stage::new(&[DIGEST]);
    assert_eq!(stage.tick(NINE).0, Ok(json!({"events": []})));
    assert_eq!((stage.questions(), stage.shown().len()), (1, 0));
}

#[test]
fn when_nothing_is_due_nothing_is_asked() {
    for vars in [
        &[][..],
        &[DIGEST],
        &[DIGEST, ("MESSAGE_HEARTBEAT_AT", "Mon 09:00")],
    ] {
        let stage = Stage::new(vars);
        stage.plan(1, "2026-11-26T15:00:00Z");
        let (result, remarks) = stage.tick("2026-11-26T02:00:00Z");
        assert_eq!((result, remarks), (Ok(json!({"events": []})), vec![]));
        assert_eq!((stage.cloud.calls().len(), stage.shown().len()), (0, 0));
        assert!(stage.group.visits().is_empty());
    }
}

#[test]
fn a_tick_counts_by_its_own_time_up_to_a_day() {
    let stage = Stage::new(&[DIGEST]);
    stage.plan(1, "2026-11-29T15:00:00Z");
    stage.set_time("2026-11-26T06:30:00Z");
    stage.send(&tick(NINE)).0.unwrap();
    assert_eq!(stage.titles().len(), 1);
    stage.set_time("2026-11-28T01:00:01Z");
    let yesterday = tick("2026-11-27T01:00:00Z");
    assert_eq!(stage.send(&yesterday).0, Ok(json!({"events": []})));
    assert!(stage.titles().is_empty());
}

#[test]
fn a_reminder_comes_once_for_each_lead_and_cannot_be_taken_for_the_notice() {
    let stage = Stage::new(&[REMIND, ("DINGTALK_AT_MOBILES", "13800000000")]);
    stage.plan(1, "2026-11-27T10:30:00Z");
    let mut shown = Vec::new();
    for hour in 0..40 {
        let at = wall(NINE) + Duration::from_secs(3600 * hour);
        let time = Timestamp::try_from(at).unwrap().to_string();
        stage.tick(&time).0.unwrap();
        shown.extend(stage.shown().into_iter().map(|shown| (time.clone(), shown)));
    }
    let [first, second] = shown.try_into().unwrap();
    for ((time, shown), at, begins) in [
        (first, "2026-11-26T11:00:00Z", "23 h 30 min"),
        (second, "2026-11-27T10:00:00Z", "30 min"),
    ] {
        assert_eq!(time, at);
        assert!(shown.title.contains("Reminder"), "{}", shown.title);
        assert!(text(&shown).contains(begins), "{}", text(&shown));
        assert!(text(&shown).contains("13800000000"), "{}", text(&shown));
    }
    let ids: Vec<String> = stage
        .lines
        .all()
        .iter()
        .map(|line| line["eventId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        ids,
        [
            "e-bp1planned0001 reminder 24h 2026-11-26T11:00:00Z",
            "e-bp1planned0001 reminder 1h 2026-11-27T10:00:00Z"
        ]
    );
    // Only what is due is looked up, and a name is kept for ten minutes.
    assert_eq!(stage.cloud.calls_of("DescribeInstances").len(), 2);
}

#[test]
fn several_reminders_at_once_are_one_message_beside_the_digest() {
    let stage = Stage::new(&[DIGEST, ("MESSAGE_REMIND_BEFORE", "24h,2h")]);
    stage.plan(1, "2026-11-27T01:00:00Z");
    stage.plan(2, "2026-11-26T03:00:00Z");
    stage.plan(3, "2026-11-30T03:00:00Z");
    stage.tick(NINE).0.unwrap();
    let [reminder, digest] = stage.shown().try_into().unwrap();
    assert!(reminder.title.contains("Reminder"), "{}", reminder.title);
    assert_eq!(named(text(&reminder)), [2, 1]);
    assert!(digest.title.contains("3 upcoming"), "{}", digest.title);
    assert_eq!(named(text(&digest)), [2, 1, 3]);
}

#[test]
fn work_under_way_is_in_the_digest_and_not_reminded_of() {
    let stage = Stage::new(&[DIGEST, ("MESSAGE_REMIND_BEFORE", "1h")]);
    stage.add_instance(1);
    let (_, event) = planned(1, "2026-11-26T01:40:00Z");
    stage
        .cloud
        .add_event(ACCOUNT, REGION, event.status("Executing"));
    stage.tick(NINE).0.unwrap();
    let [digest] = stage.shown().try_into().unwrap();
    assert!(
        digest.title.contains("1 maintenance event under way"),
        "{}",
        digest.title
    );
    assert_eq!(named(text(&digest)), [1]);
}

#[test]
fn what_the_route_filters_is_neither_in_the_digest_nor_reminded_of() {
    let stage = Stage::new(&[DIGEST, REMIND, ("EVENT_RESOURCES", "web-02")]);
    for number in 1..=3 {
        stage.plan(number, "2026-11-27T01:00:00Z");
    }
    stage.tick(NINE).0.unwrap();
    let [reminder, digest] = stage.shown().try_into().unwrap();
    for shown in [reminder, digest] {
        assert_eq!(named(text(&shown)), [2]);
    }
    let outcomes: Vec<Value> = stage.lines.all();
    let filtered = outcomes.iter().filter(|line| line["outcome"] == "filtered");
    assert!(
        filtered
            .clone()
            .all(|line| line["rule"] == "EVENT_RESOURCES")
    );
    assert_eq!((outcomes.len(), filtered.count()), (6, 4));
}

#[test]
fn what_is_excluded_by_name_is_not_even_looked_up() {
    let stage = Stage::new(&[DIGEST, ("EVENT_EXCLUDE", "*:SystemMaintenance.*")]);
    stage.plan(1, "2026-11-27T01:00:00Z");
    stage.tick(NINE).0.unwrap();
    assert!(stage.titles().is_empty());
    assert!(stage.cloud.calls_of("DescribeInstances").is_empty());
}

#[test]
fn two_hundred_and_fifty_are_all_listed() {
    let stage = Stage::new(&[DIGEST]);
    for number in 0..250 {
        stage.plan(number, &format!("2026-11-{}T01:00:00Z", 27 + number / 100));
    }
    let answer = stage.tick(NINE).0.unwrap();
    assert_eq!(answer["events"].as_array().unwrap().len(), 250);
    // A hundred on a page.
    assert_eq!(stage.questions(), 3);
    let shown = stage.shown();
    let all: Vec<usize> = shown.iter().flat_map(|shown| named(text(shown))).collect();
    assert_eq!(all, (0..250).collect::<Vec<_>>());
    assert!((2..=5).contains(&shown.len()), "{}", shown.len());
    for message in shown {
        assert!(message.body.to_string().len() < 20_000);
    }
}

#[test]
fn an_unknown_type_and_odd_times_are_told_too() {
    let stage = Stage::new(&[DIGEST, REMIND]);
    stage.add_instance(1);
    let event = |number: usize, kind: &str| {
        SystemEvent::new(&format!("e-{number}"), &instance_id(number), kind)
    };
    let odd = [
        event(1, "SystemMaintenance.BrandNew").not_before("2026-11-27T01:00:00Z"),
        event(2, "SystemMaintenance.Reboot").not_before("soon"),
        event(3, "SystemMaintenance.Stop").without("NotBefore"),
        event(4, "SystemMaintenance.Reboot")
            .status("Inquiring")
            .not_before("2026-11-27T01:00:00Z")
            .attribute("DiskId", "d-bp1example"),
    ];
    for event in odd {
        stage.cloud.add_event(ACCOUNT, REGION, event);
    }
    stage.tick(NINE).0.unwrap();
    let [reminder, digest] = stage.shown().try_into().unwrap();
    assert_eq!(named(text(&reminder)), [1, 4]);
    let mut all = named(text(&digest));
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4]);
    assert!(text(&digest).contains("BrandNew"), "{}", text(&digest));
}

#[test]
fn what_has_ended_is_not_told() {
    let stage = Stage::new(&[DIGEST]);
    for (number, status) in ["Executed", "Avoided", "Canceled", "Failed"]
        .iter()
        .enumerate()
    {
        let (_, event) = planned(number, "2026-11-27T01:00:00Z");
        stage.cloud.add_event(ACCOUNT, REGION, event.status(status));
    }
    stage.tick(NINE).0.unwrap();
    assert!(stage.titles().is_empty());
}

#[test]
fn every_region_that_is_named_is_asked() {
    let regions = ("RESOURCE_REGIONS", "cn-beijing,cn-shanghai");
    let stage = Stage::new(&[DIGEST, regions]);
    for (number, region) in [(1, "cn-shanghai"), (2, "cn-beijing"), (3, REGION)] {
        let (_, event) = planned(number, "2026-11-27T01:00:00Z");
        stage.cloud.add_event(ACCOUNT, region, event);
    }
    stage.tick(NINE).0.unwrap();
    let [digest] = stage.shown().try_into().unwrap();
    assert_eq!(named(text(&digest)), [1, 2]);
    let calls = stage.cloud.calls_of(MAINTENANCE);
    let mut asked: Vec<_> = calls.into_iter().filter_map(|call| call.region).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["cn-beijing", "cn-shanghai"]);
}

#[test]
fn ticks_may_come_at_another_pace() {
    let stage = Stage::new(&[("MESSAGE_REMIND_BEFORE", "30m")]);
    stage.plan(1, "2026-11-26T02:00:00Z");
    let mut shown = Vec::new();
    for minute in (0..60).step_by(10) {
        let time = format!("2026-11-26T01:{minute:02}:07Z");
        let mut tick = tick(&time);
        tick["payload"] = json!("{\"task\":\"tick\",\"every\":\"10m\"}");
        stage.set_time(&time);
        stage.send(&tick).0.unwrap();
        shown.extend(stage.titles().iter().map(|_| minute));
    }
    assert_eq!(shown, [30]);
}
