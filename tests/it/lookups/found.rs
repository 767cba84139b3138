//! What was found out is in the message and in the log.

use super::{ACCOUNT, REGION, Stage, add, bench, handle, stalled, stopped};
use crate::samples::sample;
use crate::support::group;
use fake_aliyun::{Cloud, Disk, Instance};
use serde_json::{Value, json};

const ID: &str = "i-bp1ecr4x7k2m9q5go2go";

/// An instance with all that is shown.
fn web_server() -> Instance {
    Instance::new(ID)
        .name("shop-web-01")
        .private(&["10.20.0.14", "10.20.0.15"])
        .public(&["203.0.113.7"])
        .elastic("203.0.113.8")
        .tag("team", "payments")
        .tag("env", "prod")
        .tag("cost", "4711")
}

#[test]
fn an_instances_name_addresses_and_tags_are_shown() {
    let mut stage = Stage::new(&[("MESSAGE_TAGS", "team,env"), ("MESSAGE_LANGUAGE", "zh")]);
    stage.cloud.add_instance(ACCOUNT, REGION, web_server());
    stage.invoke(&[stopped(ID)]).success();
    let message = stage.group.deliveries().remove(0);
    assert!(message.title.contains("shop-web-01"), "{}", message.title);
    for part in [
        &format!("shop-web-01（{ID}）"),
        "10.20.0.14、10.20.0.15",
        "203.0.113.7、203.0.113.8",
        "team：payments",
        "env：prod",
    ] {
        // Whatever stands around labels.
        let text = message.text.replace(['*', '\\'], "");
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!message.text.contains("4711"), "{}", message.text);
    let line = stage.line(0);
    assert_eq!(line["lookup"], "found");
    assert_eq!(line["resource"], ID);
    assert_eq!(line["resourceName"], "shop-web-01");

    // The next event of it needs no call.
    stage.invoke(&[stopped(ID)]).success();
    let line = stage.line(1);
    assert_eq!(line["lookup"], "cached");
    assert_eq!(line["resourceName"], "shop-web-01");
    let message = stage.group.deliveries().remove(1);
    assert!(message.text.contains("shop-web-01"), "{}", message.text);
    assert_eq!(stage.cloud.calls().len(), 1);
    assert!(stage.complaints().is_empty());
}

#[test]
fn what_the_event_tells_comes_first() {
    let stage = Stage::new(&[]);
    stage.cloud.add_instance(ACCOUNT, REGION, web_server());
    // The sample has a name and an address of its own.
    let mut event: Value =
        serde_json::from_str(&sample("eventbridge/Instance-StateChange-Stopped.json")).unwrap();
    event["subject"] = json!(format!("acs:ecs:{REGION}:{ACCOUNT}:instance/{ID}"));
    stage.invoke(&[event]).success();
    let text = stage.group.deliveries().remove(0).text;
    assert!(text.contains("test-host-01"), "{text}");
    assert!(!text.contains("shop-web-01"), "{text}");
    assert_eq!(stage.line(0)["resourceName"], "test-host-01");
}

#[test]
fn a_disk_shows_its_own_name_and_its_instances() {
    let mut stage = Stage::new(&[("MESSAGE_TAGS", "team,env")]);
    stage.cloud.add_instance(ACCOUNT, REGION, web_server());
    let disk = Disk::new("d-bp1a").name("data-01").attached(&[ID]);
    let disk = disk.tag("team", "storage");
    stage.cloud.add_disk(ACCOUNT, REGION, disk);
    stage.invoke(&[stalled("d-bp1a")]).success();
    let text = stage
        .group
        .deliveries()
        .remove(0)
        .text
        .replace(['*', '\\'], "");
    for part in [
        "data-01",
        "d-bp1a",
        "shop-web-01",
        "team: storage",
        "env: prod",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let actions = || -> Vec<String> {
        let calls = stage.cloud.calls().into_iter();
        calls.map(|call| call.action).collect()
    };
    assert_eq!(actions(), ["DescribeDisks", "DescribeInstances"]);
    assert_eq!(stage.line(0)["lookup"], "found");
    assert_eq!(stage.line(0)["resourceName"], "data-01");

    // Of another event of it, and one of its instance, both are known.
    let events = [stalled("d-bp1a"), stopped(ID)];
    stage.invoke(&events).success();
    assert_eq!(actions().len(), 2);
    assert_eq!(stage.line(1)["lookup"], "cached");
    assert_eq!(stage.line(2)["resourceName"], "shop-web-01");
    assert!(stage.complaints().is_empty());
}

#[test]
fn the_events_of_a_payload_are_asked_for_together() {
    let stage = Stage::new(&[("MESSAGE_TAGS", "env")]);
    let ids: Vec<String> = (0..30).map(|n| format!("i-bp1n{n:02}")).collect();
    for id in &ids {
        let instance = Instance::new(id).name(&format!("web-{id}"));
        let instance = instance.tag("env", "prod");
        stage.cloud.add_instance(ACCOUNT, REGION, instance);
    }
    let events: Vec<Value> = ids.iter().map(|id| stopped(id)).collect();
    stage.invoke(&events).success();
    assert_eq!(stage.cloud.calls().len(), 1);
    let [digest] = stage.group.deliveries().try_into().unwrap();
    for id in &ids {
        assert!(
            digest.text.contains(&format!("web-{id}")),
            "{}",
            digest.text
        );
    }
    assert_eq!(digest.text.matches("prod").count(), 30, "{}", digest.text);
}

#[test]
fn flat_events_of_ecs_are_looked_up_and_others_not() {
    let (group, cloud) = (group(), Cloud::start());
    let bench = bench(&group, &cloud, &[]);
    for id in [ID, "i-j6c0example00000001"] {
        add(&cloud, id);
    }
    let flat = |product: &str| {
        let text = sample("cloudmonitor/Instance-StateChange-Stopping.json");
        let mut event: Value = serde_json::from_str(&text).unwrap();
        event["product"] = json!(product);
        event["id"] = json!(product);
        event["resourceId"] = json!(format!("acs:ecs:{REGION}:{ACCOUNT}:instance/{ID}"));
        event
    };
    let line = handle(&bench, &[flat("ECS")]).remove(0);
    assert_eq!(line["lookup"], "found");
    assert_eq!(line["resourceName"], format!("name-of-{ID}"));
    assert!(
        group.deliveries()[0]
            .text
            .contains(&format!("name-of-{ID}"))
    );
    assert_eq!(cloud.calls().len(), 1);

    // Disks have events of their own product.
    cloud.add_disk(ACCOUNT, REGION, Disk::new("d-bp1a").name("data-01"));
    let mut disk = flat("EBS");
    disk["resourceId"] = json!(format!("acs:ebs:{REGION}:{ACCOUNT}:disk/d-bp1a"));
    disk["content"] = json!({"resourceId": "d-bp1a"});
    let line = handle(&bench, &[disk]).remove(0);
    assert_eq!(line["lookup"], "found", "{line}");
    assert_eq!(line["resourceName"], "data-01");

    for product in ["RDS", "CloudMonitor"] {
        let line = handle(&bench, &[flat(product)]).remove(0);
        assert!(line.get("lookup").is_none(), "{line}");
    }
    // Nor is a resource of another kind.
    let snapshot = sample("eventbridge/Snapshot-CreateSnapshotCompleted.json");
    let snapshot: Value = serde_json::from_str(&snapshot).unwrap();
    assert!(handle(&bench, &[snapshot])[0].get("lookup").is_none());
    assert_eq!(cloud.calls().len(), 2);
}

/// Who was released still has a name.
#[test]
fn a_released_instance_keeps_its_name() {
    let (group, cloud) = (group(), Cloud::start());
    add(&cloud, ID);
    let bench = bench(&group, &cloud, &[]);
    handle(&bench, &[stopped(ID)]);
    cloud.release(ID);
    bench.clock.advance(std::time::Duration::from_secs(11 * 60));
    cloud.advance(std::time::Duration::from_secs(11 * 60));
    let line = handle(&bench, &[stopped(ID)]).remove(0);
    assert_eq!(cloud.calls().len(), 2);
    assert_eq!(line["lookup"], "cached");
    assert_eq!(line["resourceName"], format!("name-of-{ID}"));
}
