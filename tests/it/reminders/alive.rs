//! The sign of life.

use super::*;
use fake_aliyun::Fault;

const ALIVE: (&str, &str) = ("MESSAGE_HEARTBEAT_AT", "09:00");

fn event(id: &str, name: &str) -> Value {
    json!({
        "id": id, "source": "acs.ecs", "specversion": "1.0", "type": name,
        "data": {"instanceId": "i-1", "eventStatus": "Executing"},
    })
}

fn message(stage: &Stage) -> String {
    let [shown] = stage.shown().try_into().unwrap();
    assert!(shown.title.contains("alive"), "{}", shown.title);
    shown.text
}

#[test]
fn it_says_how_the_function_is_whatever_the_filter() {
    let stage = Stage::new(&[
        ALIVE,
        ("EVENT_LEVELS", "CRITICAL"),
        ("EVENT_EXCLUDE", "Notifier:*"),
    ]);
    stage.plan(0, "2026-11-30T18:00:00Z");
    stage.plan(1, "2026-11-28T18:00:00Z");
    stage
        .send(&event("1", "ecs:Instance:SystemFailure.Reboot"))
        .0
        .unwrap();
    stage
        .send(&event("1", "ecs:Instance:SystemFailure.Reboot"))
        .0
        .unwrap();
    for id in ["2", "3"] {
        stage
            .send(&event(id, "ecs:Instance:StateChange"))
            .0
            .unwrap();
    }
    stage.shown();
    let answer = stage.tick(NINE).0.unwrap();
    assert_eq!(
        answer["events"][0]["routes"][0]["rule"],
        "MESSAGE_HEARTBEAT_AT"
    );
    let text = message(&stage);
    for part in [
        env!("CARGO_PKG_VERSION"),
        "default",
        "1 delivered",
        "2 filtered",
        "0 failed",
        "web-01",
        "in 2 days 17 h",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The time is asked for without a token.
    assert_eq!(stage.group.visits(), [""]);
    let line = stage.lines.all().pop().unwrap();
    assert_eq!(
        (&line["event"], &line["level"]),
        (&json!("Notifier:Heartbeat"), &json!("INFO"))
    );
    assert_eq!(line["eventId"], "heartbeat 2026-11-26T01:00:00Z");
}

#[test]
fn it_comes_without_a_role_and_when_the_api_fails() {
    let stage = Stage::new(&[ALIVE]);
    let (result, _) = stage.send_as(&tick(NINE), None);
    result.unwrap();
    assert!(message(&stage).contains("CreateRole"));
    // That nobody can read what is ahead is no event of its own where nobody wants to know.
    assert_eq!(stage.lines.all().len(), 1);

    for fault in [Fault::Reset, Fault::InternalError] {
        let stage = Stage::new(&[ALIVE]);
        stage.cloud.set_standing_fault(Some(fault));
        stage.tick(NINE).0.unwrap();
        assert!(message(&stage).contains(MAINTENANCE));
    }
    let off = Stage::new(&[ALIVE, ("RESOURCE_LOOKUP", "off")]);
    off.tick(NINE).0.unwrap();
    assert!(message(&off).contains("**Look-ups**: off"));
    assert!(off.cloud.calls().is_empty());
}

#[test]
fn it_tells_a_wrong_clock() {
    for (off_by, expected) in [(0, "in step"), (-120, "2 min ahead"), (90, "90 s behind")] {
        let stage = Stage::new(&[ALIVE]);
        stage.set_time(NINE);
        let now = wall(NINE).duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        stage.group.set_clock_ms((now + off_by * 1000) as u64);
        stage.send(&tick(NINE)).0.unwrap();
        let text = message(&stage);
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn without_maintenance_it_says_so() {
    let stage = Stage::new(&[ALIVE]);
    stage.tick(NINE).0.unwrap();
    let text = message(&stage);
    assert!(text.contains("none"), "{text}");
}
