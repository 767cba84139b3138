//! System events of instances.

use super::*;
use fake_aliyun::{Fault, SystemEvent};
use serde_json::json;

const ACTION: &str = "DescribeInstanceHistoryEvents";
const REBOOT: &str = "SystemMaintenance.Reboot";
const REGION_ONLY: &str = "RegionId=cn-hangzhou";
const PATH: &str = "/InstanceSystemEventSet/InstanceSystemEventType";

/// A cloud with one event of each status, whose ids are the statuses.
fn cloud_with_events() -> (Cloud, Identity) {
    let (cloud, identity) = cloud();
    for status in [
        "Scheduled",
        "Inquiring",
        "Executing",
        "Executed",
        "Avoided",
        "Canceled",
        "Failed",
    ] {
        let event = SystemEvent::new(status, "i-1", REBOOT).status(status);
        cloud.add_event(ACCOUNT, REGION, event);
    }
    (cloud, identity)
}

/// Returns the ids that a call with these parameters lists, sorted.
fn listed(cloud: &Cloud, identity: &Identity, query: &str) -> Vec<String> {
    let (status, body) = ask(cloud, identity, ACTION, query);
    assert_eq!(status, 200, "{body}");
    let mut found = ids(&body, PATH, "EventId");
    found.sort();
    found
}

fn asking_for(statuses: &[&str]) -> String {
    let numbered = statuses.iter().enumerate();
    let parameters =
        numbered.map(|(at, status)| format!("InstanceEventCycleStatus.{}={status}&", at + 1));
    format!("{}{REGION_ONLY}", parameters.collect::<String>())
}

/// The trap of this call: what is still to come must be asked for by its status.
#[test]
fn without_statuses_only_what_has_ended_is_listed() {
    let (cloud, identity) = cloud_with_events();
    let ended = ["Avoided", "Canceled", "Executed", "Failed"];
    assert_eq!(listed(&cloud, &identity, REGION_ONLY), ended);
    let open = asking_for(&["Scheduled", "Inquiring", "Executing"]);
    assert_eq!(
        listed(&cloud, &identity, &open),
        ["Executing", "Inquiring", "Scheduled"]
    );
    let one = "RegionId=cn-hangzhou&InstanceEventCycleStatus.7=Failed";
    assert_eq!(listed(&cloud, &identity, one), ["Failed"]);
    let statuses: Vec<Vec<String>> = cloud
        .calls_of(ACTION)
        .into_iter()
        .map(|call| call.statuses)
        .collect();
    let expected: [&[&str]; 3] = [&[], &["Scheduled", "Inquiring", "Executing"], &["Failed"]];
    assert_eq!(statuses, expected);
}

#[test]
fn an_event_is_shown_as_documented() {
    let (cloud, identity) = cloud();
    let plain = SystemEvent::new("e-1", "i-1", REBOOT);
    cloud.add_event(ACCOUNT, REGION, plain.clone());
    let shown = || {
        let (_, body) = ask(&cloud, &identity, ACTION, &asking_for(&["Scheduled"]));
        for meaningless in ["TotalCount", "PageNumber", "PageSize"] {
            assert!(body[meaningless].is_number(), "{body}");
        }
        body.pointer(PATH).unwrap()[0].clone()
    };
    let mut expected = json!({
        "EventId": "e-1",
        "InstanceId": "i-1",
        "ResourceType": "instance",
        "EventType": { "Code": 1, "Name": "SystemMaintenance.Reboot" },
        "EventCycleStatus": { "Code": 24, "Name": "Scheduled" },
        "EventPublishTime": "2026-11-20T06:32:31Z",
        "NotBefore": "2026-11-28T18:00:00Z",
        "EventFinishTime": "",
        "ImpactLevel": "100",
        "Reason": "Example: maintenance of the host",
        "ReasonCode": "",
    });
    assert_eq!(shown(), expected);

    let changed = plain
        .not_before("2026-11-30T02:10:00Z")
        .published("2026-11-23T02:10:00Z")
        .reason("disk")
        .attribute("DiskId", "d-1")
        .attribute("Device", "/dev/xvdb")
        .with("ImpactLevel", json!(7))
        .without("EventId")
        .without("ReasonCode");
    // In its place: the id that it was made with is its own.
    cloud.add_event(ACCOUNT, REGION, changed);
    expected["NotBefore"] = json!("2026-11-30T02:10:00Z");
    expected["EventPublishTime"] = json!("2026-11-23T02:10:00Z");
    expected["Reason"] = json!("disk");
    expected["ExtendedAttribute"] = json!({ "DiskId": "d-1", "Device": "/dev/xvdb" });
    expected["ImpactLevel"] = json!(7);
    let members = expected.as_object_mut().unwrap();
    members.remove("EventId");
    members.remove("ReasonCode");
    assert_eq!(shown(), expected);
}

#[test]
fn an_event_goes_on_to_its_next_status_and_can_be_removed() {
    let (cloud, identity) = cloud();
    let event = SystemEvent::new("e-1", "i-1", REBOOT);
    cloud.add_event(ACCOUNT, REGION, event.clone());
    let (scheduled, executing) = (asking_for(&["Scheduled"]), asking_for(&["Executing"]));
    assert_eq!(listed(&cloud, &identity, &scheduled), ["e-1"]);
    cloud.add_event(ACCOUNT, REGION, event.status("Executing"));
    assert!(listed(&cloud, &identity, &scheduled).is_empty());
    assert_eq!(listed(&cloud, &identity, &executing), ["e-1"]);

    // Others see nothing of it.
    let other = cloud.key(OTHER_ACCOUNT);
    assert!(listed(&cloud, &other, &executing).is_empty());
    let elsewhere = executing.replace("hangzhou", "shanghai");
    assert!(listed(&cloud, &identity, &elsewhere).is_empty());

    cloud.remove_event("e-1");
    assert!(listed(&cloud, &identity, &executing).is_empty());
}

#[test]
fn events_come_in_pages_of_another_order() {
    let (cloud, identity) = cloud();
    for number in 10..35 {
        let event = SystemEvent::new(&format!("e-{number}"), "i-1", REBOOT);
        cloud.add_event(ACCOUNT, REGION, event);
    }
    let pages = |parameters: &str| {
        let query = format!("{}{parameters}", asking_for(&["Scheduled"]));
        let (mut found, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
        loop {
            let (_, body) = ask(&cloud, &identity, ACTION, &format!("{query}{token}"));
            let page = ids(&body, PATH, "EventId");
            sizes.push(page.len());
            found.extend(page);
            match body["NextToken"].as_str().unwrap() {
                "" => break,
                next => {
                    let next = next.replace('+', "%2B").replace('=', "%3D");
                    token = format!("&NextToken={next}");
                }
            }
        }
        assert!(!found.is_sorted(), "{found:?}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 25);
        sizes
    };
    assert_eq!(pages(""), [10, 10, 5]);
    assert_eq!(pages("&MaxResults=20"), [20, 5]);
    assert_eq!(pages("&MaxResults=100"), [25]);
    cloud.set_page_size(9);
    assert_eq!(pages("&MaxResults=100"), [9, 9, 7]);
}

#[test]
fn what_the_call_does_not_take_is_refused() {
    let (cloud, identity) = cloud_with_events();
    let code = |query: &str| {
        let (status, body) = ask(&cloud, &identity, ACTION, query);
        (status, body["Code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(code(&asking_for(&["Failed"; 7])).0, 200);
    for query in [
        asking_for(&["Failed"; 8]),
        asking_for(&["Scheduled", "Pending"]),
        asking_for(&["scheduled"]),
        asking_for(&[""]),
        format!("{REGION_ONLY}&InstanceEventCycleStatus=Scheduled"),
        format!("{REGION_ONLY}&InstanceEventCycleStatus.0=Scheduled"),
        format!("{REGION_ONLY}&InstanceIds=%5B%5D"),
        format!("{REGION_ONLY}&MaxResults=9"),
        format!("{REGION_ONLY}&MaxResults=101"),
        format!("{REGION_ONLY}&MaxResults=x"),
        format!("{REGION_ONLY}&NextToken=x"),
    ] {
        assert_eq!(code(&query), refused(400, "InvalidParameter"), "{query}");
    }
    assert_eq!(code("MaxResults=100"), refused(400, "MissingParameter"));
    let nowhere = refused(404, "InvalidRegionId.NotFound");
    assert_eq!(code("RegionId=nowhere"), nowhere);
    let dry = format!("{REGION_ONLY}&DryRun=true");
    assert_eq!(code(&dry), refused(400, "DryRunOperation"));

    cloud.deny(ACCOUNT, "ecs:DescribeInstanceHistoryEvents");
    let (status, body) = ask(&cloud, &identity, ACTION, REGION_ONLY);
    assert_eq!((status, &body["Code"]), (403, &json!("Forbidden.RAM")));
    let action = &body["AccessDeniedDetail"]["AuthAction"];
    assert_eq!(action, "ecs:DescribeInstanceHistoryEvents");
    assert_eq!(
        ask(&cloud, &identity, "DescribeInstances", REGION_ONLY).0,
        200
    );
}

#[test]
fn faults_show_in_this_call_too() {
    let (cloud, identity) = cloud_with_events();
    let scheduled = asking_for(&["Scheduled"]);
    let ask = |query: &str| ask(&cloud, &identity, ACTION, query).1;
    cloud.set_standing_fault(Some(Fault::EndlessPages));
    for query in [&scheduled, &format!("{scheduled}&NextToken=page%2B0%3D%3D")] {
        let body = ask(query);
        assert_eq!(ids(&body, PATH, "EventId"), ["Scheduled"]);
        assert_eq!(body["NextToken"], "page+0==");
    }
    cloud.clear();
    cloud.fault(Fault::LowerCase);
    let lower = ask(&scheduled);
    let path = "/instanceSystemEventSet/instanceSystemEventType";
    assert_eq!(ids(&lower, path, "eventId"), ["Scheduled"]);
    cloud.fault(Fault::Foreign);
    let foreign = ask(&scheduled);
    let list = foreign.pointer(PATH).and_then(Value::as_array).unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(list[0]["EventId"], Value::Null);
    assert_eq!(list[1]["EventCycleStatus"]["Name"], "Executed");
    cloud.fault(Fault::HalfJson);
    assert_eq!(ask(&scheduled), Value::Null);
}
