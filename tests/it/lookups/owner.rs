//! Whoever a resource's tag names is mentioned when the event asks for people.

use super::{ACCOUNT, REGION, bench, event, handle};
use crate::support::group;
use fake_aliyun::{Cloud, Instance};
use fake_dingtalk::Delivery;
use serde_json::{Value, json};

const ID: &str = "i-bp1a";

fn failure(status: &str) -> Value {
    let data = json!({"instanceId": ID, "eventStatus": status, "reason": "hardware"});
    let name = "ecs:Instance:SystemFailure.Reboot";
    event(name, &format!("instance/{ID}"), data)
}

/// The message of an event of an instance whose tag `owner` has this value.
fn message(event: Value, owner: &str, more: &[(&str, &str)]) -> Delivery {
    let (group, cloud) = (group(), Cloud::start());
    let instance = Instance::new(ID).name("web-01").tag("Owner", owner);
    cloud.add_instance(ACCOUNT, REGION, instance);
    let mut all = vec![("DINGTALK_AT_TAG", "owner")];
    all.extend(more);
    handle(&bench(&group, &cloud, &all), &[event]);
    group.deliveries().remove(0)
}

#[test]
fn the_owner_is_mentioned_for_what_is_critical() {
    let critical = message(failure("Executing"), "13800000000/alice", &[]);
    assert_eq!(critical.mentioned, ["13800000000", "alice"]);
    let also = message(
        failure("Executing"),
        "13800000000",
        &[("DINGTALK_AT_USER_IDS", "bob")],
    );
    assert_eq!(also.mentioned, ["13800000000", "bob"]);
}

#[test]
fn the_owner_is_left_alone_when_it_is_over_or_less() {
    for (event, more) in [
        (failure("Executed"), &[][..]),
        (super::stopped(ID), &[]),
        (failure("Executing"), &[("DINGTALK_AT_LEVELS", "none")]),
    ] {
        let quiet = message(event, "13800000000", more);
        assert!(quiet.mentioned.is_empty(), "{:?}", quiet.body);
        assert!(!quiet.body.to_string().contains("13800000000"));
    }
}

#[test]
fn a_tag_that_names_nobody_is_shown() {
    let shown = message(failure("Executing"), "王小明", &[]);
    assert!(shown.mentioned.is_empty());
    assert!(shown.text.contains("王小明"), "{}", shown.text);
    let everybody = message(failure("Executing"), "all", &[]);
    assert!(!everybody.at_all && everybody.mentioned.is_empty());
}
