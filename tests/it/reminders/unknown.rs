//! What is ahead cannot be read: for good, or now.

use super::*;
use fake_aliyun::Fault;

const DIGEST: (&str, &str) = ("MESSAGE_DIGEST_AT", "09:00,17:00");
const REMIND: (&str, &str) = ("MESSAGE_REMIND_BEFORE", "24h");

fn deny(stage: &Stage) {
    let permission = format!("ecs:{MAINTENANCE}");
    stage.cloud.deny(ACCOUNT, &permission);
}

#[test]
fn when_denied_the_group_is_told_once_a_day_with_the_remedy() {
    for vars in [
        [DIGEST, ("EVENT_LEVELS", "none")],
        [REMIND, ("EVENT_LEVELS", "CRITICAL")],
    ] {
        let stage = Stage::new(&vars);
        deny(&stage);
        stage.plan(1, "2026-11-27T00:30:00Z");
        let (result, remarks) = stage.tick(NINE);
        let answer = result.unwrap();
        assert_eq!(answer["events"][0]["level"], "WARN");
        assert_eq!(answer["events"][0]["event"], "Notifier:MaintenanceUnknown");
        assert_eq!(remarks.len(), 1);
        assert!(
            remarks[0].contains("ecs:DescribeInstanceHistoryEvents"),
            "{remarks:?}"
        );
        let [shown] = stage.shown().try_into().unwrap();
        let remedy = "ecs:DescribeInstanceHistoryEvents";
        assert!(text(&shown).contains(remedy), "{}", text(&shown));
        assert_eq!(named(text(&shown)), [0; 0]);
        // Later that day the invocation succeeds without a word.
        for time in [
            "2026-11-26T05:00:00Z",
            "2026-11-26T09:00:00Z",
            "2026-11-26T15:00:00Z",
        ] {
            stage.tick(time).0.unwrap();
        }
        assert!(stage.titles().is_empty(), "{vars:?}");
        // The zone's next day.
        stage.tick("2026-11-27T01:00:00Z").0.unwrap();
        assert_eq!(stage.titles().len(), 1);
    }
}

#[test]
fn on_another_instance_the_same_day_the_message_has_the_same_key() {
    let mut stage = Stage::new(&[REMIND]);
    deny(&stage);
    stage.tick(NINE).0.unwrap();
    stage.restart();
    stage.tick("2026-11-26T02:00:00Z").0.unwrap();
    assert_eq!(stage.titles().len(), 1);
    let calls = stage.group.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1].duplicate);
}

#[test]
fn without_a_role_or_a_region_the_group_is_told_what_to_set() {
    let mut stage = Stage::new(&[DIGEST]);
    let (result, remarks) = stage.send_as(&tick(NINE), None);
    result.unwrap();
    assert!(
        remarks[0].contains("give the function a role"),
        "{remarks:?}"
    );
    let [shown] = stage.shown().try_into().unwrap();
    assert!(text(&shown).contains("CreateRole"), "{}", text(&shown));
    stage.restart();
    stage.region = None;
    stage.group.clear();
    stage.seen.set(0);
    let (result, remarks) = stage.tick(NINE);
    result.unwrap();
    assert!(remarks[0].contains("set RESOURCE_REGIONS"), "{remarks:?}");
    let [shown] = stage.shown().try_into().unwrap();
    assert!(
        text(&shown).contains("RESOURCE_REGIONS"),
        "{}",
        text(&shown)
    );
    assert_eq!(stage.cloud.calls().len(), 0);
}

#[test]
fn when_nothing_is_due_not_knowing_is_no_message() {
    let stage = Stage::new(&[DIGEST]);
    deny(&stage);
    stage.tick("2026-11-26T02:00:00Z").0.unwrap();
    stage
        .send_as(&tick("2026-11-26T02:00:00Z"), None)
        .0
        .unwrap();
    assert!(stage.titles().is_empty());
    assert_eq!(stage.cloud.calls().len(), 0);
}

#[test]
fn what_may_pass_fails_the_invocation_and_a_repeat_tells_everything() {
    for fault in [
        Fault::Throttled {
            retry_after_ms: None,
        },
        Fault::InternalError,
        Fault::Html { status: 503 },
        Fault::Reset,
        Fault::HalfJson,
        Fault::EmptyObject,
    ] {
        let stage = Stage::new(&[DIGEST, REMIND]);
        stage.plan(1, "2026-11-27T00:30:00Z");
        stage.cloud.fault_on(MAINTENANCE, fault.clone());
        let (result, remarks) = stage.tick(NINE);
        let (name, message) = result.unwrap_err();
        assert_eq!(name, "Unreachable", "{fault:?}");
        assert!(
            message.contains("upcoming maintenance is not known"),
            "{message}"
        );
        assert_eq!(remarks.len(), 1, "{fault:?}");
        assert!(stage.titles().is_empty());
        stage.tick(NINE).0.unwrap();
        assert_eq!(stage.titles().len(), 2, "{fault:?}");
    }
}

#[test]
fn when_one_page_of_several_fails_nothing_is_told_as_if_it_were_all() {
    let stage = Stage::new(&[DIGEST]);
    for number in 0..250 {
        stage.plan(number, "2026-11-28T01:00:00Z");
    }
    // The second page fails.
    let faults = [Fault::Slow(Duration::ZERO), Fault::InternalError];
    for fault in faults {
        stage.cloud.fault_on(MAINTENANCE, fault);
    }
    assert_eq!(stage.tick(NINE).0.unwrap_err().0, "Unreachable");
    assert!(stage.titles().is_empty());
    assert_eq!(stage.questions(), 2);
}

#[test]
fn what_other_regions_say_is_told_before_the_failure() {
    let regions = ("RESOURCE_REGIONS", "cn-hangzhou,cn-nowhere");
    let stage = Stage::new(&[DIGEST, regions]);
    stage.plan(1, "2026-11-28T01:00:00Z");
    // The API knows no such region: nobody but a person can mend that.
    let (result, remarks) = stage.tick(NINE);
    result.unwrap();
    assert!(
        remarks[0].contains("InvalidRegionId.NotFound"),
        "{remarks:?}"
    );
    assert_eq!(stage.titles().len(), 2);
}

#[test]
fn an_event_still_comes_while_nothing_can_be_read() {
    let stage = Stage::new(&[DIGEST]);
    deny(&stage);
    let event = json!({
        "id": "1", "source": "acs.ecs", "specversion": "1.0",
        "type": "ecs:Instance:SystemFailure.Reboot",
        "data": {"instanceId": "i-1", "eventStatus": "Executing"},
    });
    stage.send(&event).0.unwrap();
    assert_eq!(stage.titles().len(), 1);
}
