//! A tick that is repeated shows nothing twice, on the same instance or on another.

use super::*;

const VARS: [(&str, &str); 3] = [
    ("MESSAGE_DIGEST_AT", "09:00"),
    ("MESSAGE_REMIND_BEFORE", "24h"),
    ("MESSAGE_HEARTBEAT_AT", "09:00"),
];

fn uuids(stage: &Stage) -> Vec<String> {
    let calls = stage.group.calls().into_iter();
    let bodies = calls.filter_map(|call| call.body);
    bodies
        .map(|body| body["msgUuid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_instances_make_the_same_keys_and_the_group_sees_each_message_once() {
    let mut stage = Stage::new(&VARS);
    for number in 0..3 {
        stage.plan(number, "2026-11-27T00:30:00Z");
    }
    stage.tick(NINE).0.unwrap();
    let first = uuids(&stage);
    assert_eq!(first.len(), 3);
    stage.restart();
    stage.set_time("2026-11-26T01:03:00Z");
    stage.send(&tick(NINE)).0.unwrap();
    let [first, second] = [&uuids(&stage)[..3], &uuids(&stage)[3..]].map(<[_]>::to_vec);
    assert_eq!(first, second);
    assert_eq!(stage.titles().len(), 3);
    // They differ from each other, and from those of the next tick.
    stage.tick("2026-11-27T01:00:00Z").0.unwrap();
    let mut all = uuids(&stage);
    all.sort_unstable();
    all.dedup();
    assert!(all.len() > 4, "{all:?}");
}

#[test]
fn a_repeat_on_the_same_instance_sends_nothing() {
    let stage = Stage::new(&VARS);
    stage.plan(1, "2026-11-27T00:30:00Z");
    stage.tick(NINE).0.unwrap();
    let answer = stage.tick(NINE).0.unwrap();
    for event in answer["events"].as_array().unwrap() {
        assert_eq!(event["routes"][0]["outcome"], "duplicate");
    }
    assert_eq!((stage.titles().len(), stage.group.calls().len()), (3, 3));
}

#[test]
fn a_reminder_is_not_taken_for_the_event() {
    let stage = Stage::new(&VARS[1..2]);
    stage.plan(1, "2026-11-27T00:30:00Z");
    let event = json!({
        "id": "e-bp1planned0001", "source": "acs.ecs", "specversion": "1.0",
        "type": "ecs:Instance:SystemMaintenance.Reboot", "time": "2026-11-26T00:59:00Z",
        "aliyunregionid": REGION,
        "data": {
            "instanceId": instance_id(1), "eventId": "e-bp1planned0001", "eventStatus": "Scheduled",
            "notBefore": "2026-11-27T00:30:00Z",
        },
    });
    stage.send(&event).0.unwrap();
    stage.tick(NINE).0.unwrap();
    let [notice, reminder] = stage.titles().try_into().unwrap();
    assert!(!notice.contains("Reminder") && reminder.contains("Reminder"));
}
