//! System events that have not ended: all pages of them or an error, never a part.

use super::failures::{assert_error, assert_fit};
use super::{ACCOUNT, Bench, OTHER_ACCOUNT, REGION, ROLE};
use ecs_dingtalk_notifier::aliyun::{ApiError, ErrorKind, SystemEvent as Found};
use fake_aliyun::{Fault, SystemEvent};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const ACTION: &str = "DescribeInstanceHistoryEvents";
const REBOOT: &str = "SystemMaintenance.Reboot";
const ENDED: [&str; 4] = ["Executed", "Avoided", "Canceled", "Failed"];

fn add(bench: &Bench, event: SystemEvent) {
    bench.cloud.add_event(ACCOUNT, REGION, event);
}

/// Adds scheduled events whose ids have 22 characters, as real ones.
fn add_many(bench: &Bench, count: usize) -> BTreeSet<String> {
    let ids: BTreeSet<String> = (0..count).map(|n| format!("e-bp1example{n:010}")).collect();
    for id in &ids {
        add(bench, SystemEvent::new(id, "i-1", REBOOT));
    }
    ids
}

fn describe(bench: &Bench) -> Result<Vec<Found>, ApiError> {
    let deadline = bench.deadline();
    bench
        .api
        .describe_system_events(REGION, &bench.credentials, deadline)
}

/// Returns the ids of all that is found, each of which must be there once.
fn found(bench: &Bench) -> BTreeSet<String> {
    let found = describe(bench).unwrap();
    let count = found.len();
    let ids: BTreeSet<String> = found.into_iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), count);
    ids
}

fn fail(bench: &Bench) -> ApiError {
    let error = describe(bench).unwrap_err();
    assert_eq!(error.action, ACTION);
    assert_fit(&error);
    error
}

#[test]
fn an_event_is_found_with_all_that_is_shown() {
    let bench = Bench::new();
    let disk = SystemEvent::new("e-1", "i-1", "SystemMaintenance.RebootAndIsolateErrorDisk")
        .status("Inquiring")
        .published("2026-11-23T02:10:00Z")
        .not_before("2026-11-30T02:10:00Z")
        .reason("坏盘 a+b")
        .attribute("DiskId", "d-1")
        .attribute("Device", "/dev/xvdb");
    add(&bench, disk);
    // Without attributes, and of a type that nobody has heard of.
    let unknown = SystemEvent::new("e-2", "i-2", "Something.New")
        .without("NotBefore")
        .without("EventPublishTime")
        .without("Reason");
    add(&bench, unknown);
    let mut found = describe(&bench).unwrap();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let disk = Found {
        id: "e-1".into(),
        instance_id: Some("i-1".into()),
        kind: "SystemMaintenance.RebootAndIsolateErrorDisk".into(),
        status: "Inquiring".into(),
        published: Some("2026-11-23T02:10:00Z".into()),
        not_before: Some("2026-11-30T02:10:00Z".into()),
        reason: Some("坏盘 a+b".into()),
        attributes: vec![
            ("Device".into(), "/dev/xvdb".into()),
            ("DiskId".into(), "d-1".into()),
        ],
    };
    let unknown = Found {
        id: "e-2".into(),
        instance_id: Some("i-2".into()),
        kind: "Something.New".into(),
        status: "Scheduled".into(),
        ..Found::default()
    };
    assert_eq!(found, [disk, unknown]);
}

/// Left out, the API lists only what has ended.
#[test]
fn the_call_names_the_statuses_that_it_asks_for() {
    let bench = Bench::new();
    assert_eq!(describe(&bench), Ok(Vec::new()));
    let [call] = <[_; 1]>::try_from(bench.cloud.calls()).unwrap();
    assert_eq!(call.statuses, ["Scheduled", "Inquiring", "Executing"]);
    let expected = "/?InstanceEventCycleStatus.1=Scheduled&InstanceEventCycleStatus.2=Inquiring\
                    &InstanceEventCycleStatus.3=Executing&MaxResults=100&RegionId=cn-hangzhou";
    assert_eq!(call.target, expected);
    assert_eq!((call.method.as_str(), call.body_length), ("POST", 0));
}

#[test]
fn what_has_ended_never_comes() {
    let bench = Bench::new();
    for status in ENDED {
        add(
            &bench,
            SystemEvent::new(status, "i-1", REBOOT).status(status),
        );
    }
    let open = ["Executing", "Inquiring", "Scheduled"];
    for status in open {
        add(
            &bench,
            SystemEvent::new(status, "i-1", REBOOT).status(status),
        );
    }
    assert_eq!(found(&bench), open.map(str::to_owned).into());
    // A server that lists another one all the same, and one without any id.
    bench.cloud.fault(Fault::Foreign);
    assert_eq!(found(&bench), open.map(str::to_owned).into());
    // The same event, which goes on.
    for status in ENDED {
        add(
            &bench,
            SystemEvent::new("Scheduled", "i-1", REBOOT).status(status),
        );
        assert!(!found(&bench).contains("Scheduled"), "{status}");
    }
}

#[test]
fn all_pages_are_read_and_each_event_is_found_once() {
    let bench = Bench::new();
    let ids = add_many(&bench, 250);
    assert_eq!(found(&bench), ids);
    assert_eq!(bench.cloud.calls().len(), 3);
    let is_complete = |call: &fake_aliyun::Call| call.statuses.len() == 3;
    assert!(bench.cloud.calls().iter().all(is_complete));
    bench.cloud.clear();
    bench.cloud.set_page_size(10);
    assert_eq!(found(&bench), ids);
    assert_eq!(bench.cloud.calls().len(), 25);
}

#[test]
fn without_its_id_an_event_is_told_apart_by_its_instance_and_time() {
    let bench = Bench::new();
    let event = |id, instance| SystemEvent::new(id, instance, REBOOT).without("EventId");
    add(&bench, event("e-1", "i-1"));
    add(&bench, event("e-2", "i-2"));
    add(
        &bench,
        event("e-3", "i-2").not_before("2026-12-01T00:00:00Z"),
    );
    add(&bench, event("e-4", "i-4").without("InstanceId"));
    let expected = [
        "i-1 SystemMaintenance.Reboot 2026-11-28T18:00:00Z",
        "i-2 SystemMaintenance.Reboot 2026-11-28T18:00:00Z",
        "i-2 SystemMaintenance.Reboot 2026-12-01T00:00:00Z",
    ];
    assert_eq!(found(&bench), expected.map(str::to_owned).into());
}

#[test]
fn members_in_lower_case_are_read() {
    let bench = Bench::new();
    let event = SystemEvent::new("e-1", "i-1", REBOOT).attribute("DiskId", "d-1");
    add(&bench, event);
    bench.cloud.fault(Fault::LowerCase);
    let found = describe(&bench).unwrap();
    assert_eq!(found[0].instance_id.as_deref(), Some("i-1"));
    assert_eq!(found[0].attributes, [("DiskId".into(), "d-1".into())]);
}

/// A server that repeats itself has told all that it has.
#[test]
fn endless_pages_end() {
    let bench = Bench::new();
    bench.cloud.set_standing_fault(Some(Fault::EndlessPages));
    for count in [0, 3, 150] {
        let ids = add_many(&bench, count);
        let before = bench.cloud.calls().len();
        assert_eq!(found(&bench).len(), ids.len().min(100));
        assert_eq!(bench.cloud.calls().len(), before + 2);
    }
}

#[test]
fn a_list_that_goes_on_and_on_is_an_error_and_not_a_part() {
    let bench = Bench::new();
    bench.cloud.set_page_size(1);
    let ids = add_many(&bench, 50);
    assert_eq!(found(&bench), ids);
    add_many(&bench, 51);
    bench.cloud.clear();
    let error = fail(&bench);
    assert_error(&error, ErrorKind::Unreachable, None, "RESOURCE_ENDPOINT");
    assert_eq!(error.detail, "the list does not end");
    assert_eq!(bench.cloud.calls().len(), 50);
}

/// Also on a further page: what the first one told is not all.
#[test]
fn a_call_that_fails_ends_the_list() {
    let bench = Bench::new();
    add_many(&bench, 250);
    for is_second in [false, true] {
        let fail_with = |fault: Fault| {
            if is_second {
                bench.cloud.fault(Fault::Slow(Duration::from_millis(1)));
            }
            bench.cloud.fault(fault);
            let before = bench.cloud.calls().len();
            let error = fail(&bench);
            let calls = bench.cloud.calls().len() - before;
            assert_eq!(calls, 1 + usize::from(is_second));
            error
        };
        for fault in [
            Fault::HalfJson,
            Fault::Garbage,
            Fault::EmptyObject,
            Fault::Html { status: 200 },
            Fault::Huge,
            Fault::Reset,
        ] {
            let error = fail_with(fault);
            assert_error(&error, ErrorKind::Unreachable, None, "RESOURCE_ENDPOINT");
        }
        let error = fail_with(Fault::Throttled {
            retry_after_ms: Some(1500),
        });
        let retry_after = Some(Duration::from_millis(1500));
        let kind = ErrorKind::Throttled { retry_after };
        let remedy = "more calls of DescribeInstanceHistoryEvents";
        assert_error(&error, kind, Some("Throttling.User"), remedy);
        let missing = Fault::Refuse {
            status: 403,
            code: "MissingParameter".into(),
        };
        let error = fail_with(missing);
        assert_error(&error, ErrorKind::Refused, Some("MissingParameter"), "");
    }
}

#[test]
fn a_missing_permission_is_named() {
    let bench = Bench::new();
    bench.cloud.add_role(ROLE, ACCOUNT);
    let permission = "ecs:DescribeInstanceHistoryEvents";
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        bench.cloud.deny(account, permission);
    }
    let (assumed, _) = bench
        .api
        .assume_role(ROLE, REGION, &bench.credentials, bench.deadline())
        .unwrap();
    for has_detail in [true, false] {
        bench.cloud.set_denial_detail(has_detail);
        let error = fail(&bench);
        let remedy = format!("allow the function's role {permission} on all resources");
        assert_error(&error, ErrorKind::Denied, Some("Forbidden.RAM"), &remedy);
        let deadline = bench.deadline();
        let theirs = bench.api.describe_system_events(REGION, &assumed, deadline);
        let remedy = format!("in the resource's account, {permission}");
        let error = theirs.unwrap_err();
        assert_error(&error, ErrorKind::Denied, Some("Forbidden.RAM"), &remedy);
    }
}

#[test]
fn events_are_those_of_the_account_and_the_region() {
    let bench = Bench::new();
    let event = SystemEvent::new("e-other", "i-other", REBOOT);
    bench.cloud.add_event(OTHER_ACCOUNT, REGION, event);
    let event = SystemEvent::new("e-far", "i-far", REBOOT).with("ImpactLevel", json!(7));
    bench.cloud.add_event(ACCOUNT, "cn-shanghai", event);
    assert_eq!(describe(&bench), Ok(Vec::new()));
    let deadline = bench.deadline();
    let far = bench
        .api
        .describe_system_events("cn-shanghai", &bench.credentials, deadline);
    assert_eq!(far.map(|found| found.len()), Ok(1));
}
