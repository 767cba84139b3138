//! Whose an event is and where, which resource it names, and who called an API.

use super::one;
use ecs_dingtalk_notifier::event::{Event, Level};
use serde_json::{Value, json};

const ARN: &str = "acs:ecs:cn-arn:1001:instance/i-1";

fn place(event: &Event) -> (Option<&str>, Option<&str>) {
    (event.region.as_deref(), event.account.as_deref())
}

fn native(changes: Value) -> Event {
    let mut event = json!({
        "id": "1", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:StateChange", "subject": ARN,
        "aliyunregionid": "cn-bus", "aliyunaccountid": "3003", "aliyunoriginalaccountid": "2002",
        "data": {"instanceId": "i-1", "state": "Stopped", "regionId": "cn-data"},
    });
    merge(&mut event, changes);
    one(&event.to_string())
}

fn flat(changes: Value) -> Event {
    let mut event = json!({
        "product": "ECS", "name": "Instance:StateChange", "resourceId": ARN, "regionId": "cn-flat", "userId": "4004",
        "content": {"instanceId": "i-1", "state": "Stopped", "regionId": "cn-data"},
    });
    merge(&mut event, changes);
    one(&event.to_string())
}

/// Sets members; null removes one.
fn merge(value: &mut Value, changes: Value) {
    for (key, change) in changes.as_object().unwrap() {
        match (change, value.get_mut(key)) {
            (Value::Null, _) => drop(value.as_object_mut().unwrap().remove(key)),
            (Value::Object(_), Some(inner)) => merge(inner, change.clone()),
            (change, _) => value[key] = change.clone(),
        }
    }
}

#[test]
fn region_and_account_are_the_resources_not_the_bus() {
    for (changes, expected) in [
        (json!({}), ("cn-arn", "1001")),
        (
            json!({"subject": "acs.ecs:cn-doc:1002:215672"}),
            ("cn-doc", "1002"),
        ),
        (
            json!({"subject": null, "data": {"resourceId": "acs:ecs:cn-in:1003:instance/i-1"}}),
            ("cn-in", "1003"),
        ),
        (
            json!({"subject": "acs:ecs:*:*:instance/i-1", "data": {"resourceId": "acs:ecs:cn-in:1003:instance/i-1"}}),
            ("cn-in", "1003"),
        ),
        (
            json!({"subject": "acs:ecs:cn-arn::instance/i-1"}),
            ("cn-arn", "2002"),
        ),
        (
            json!({"subject": "acs:ecs::1001:instance/i-1"}),
            ("cn-data", "1001"),
        ),
        (
            json!({"subject": "acs:ecs:<region>:10***01:instance/i-1"}),
            ("cn-data", "2002"),
        ),
        (json!({"subject": null}), ("cn-data", "2002")),
        (
            json!({"subject": null, "data": {"regionId": null}}),
            ("cn-bus", "2002"),
        ),
        (
            json!({"subject": "shop", "aliyunoriginalaccountid": null}),
            ("cn-data", "3003"),
        ),
    ] {
        let event = native(changes.clone());
        assert_eq!(
            place(&event),
            (Some(expected.0), Some(expected.1)),
            "{changes}"
        );
    }
    let nowhere = json!({"subject": null, "aliyunregionid": null, "aliyunaccountid": null, "aliyunoriginalaccountid": null, "data": {"regionId": null}});
    assert_eq!(place(&native(nowhere)), (None, None));
}

#[test]
fn in_flat_json_the_arn_goes_before_region_and_user() {
    for (changes, expected) in [
        (json!({}), ("cn-arn", "1001")),
        (
            json!({"resourceId": "acs:ecs:cn-arn::instance/i-1"}),
            ("cn-arn", "4004"),
        ),
        (
            json!({"resourceId": "acs:ecs:*:*:instance/*"}),
            ("cn-flat", "4004"),
        ),
        (json!({"resourceId": "i-1"}), ("cn-flat", "4004")),
        (
            json!({"resourceId": null, "regionId": null}),
            ("cn-data", "4004"),
        ),
        // The console's debug events may name two regions, and have no user.
        (
            json!({"resourceId": "acs:ecs:cn-debug:1005:instance/<resource-id>", "userId": null}),
            ("cn-debug", "1005"),
        ),
    ] {
        let event = flat(changes.clone());
        assert_eq!(
            place(&event),
            (Some(expected.0), Some(expected.1)),
            "{changes}"
        );
    }
}

#[test]
fn in_cloudmonitor_events_on_a_bus_the_bus_comes_last() {
    let kind = "ecs:CloudMonitor:Instance[StateChange]";
    let event = |subject: Value, mut data: Value, removed: &[&str]| {
        for key in removed {
            data.as_object_mut().unwrap().remove(*key);
        }
        let event = json!({"type": kind, "source": "acs.ecs", "id": "1", "subject": subject, "aliyunregionid": "cn-bus", "aliyunaccountid": "3003", "data": data});
        one(&event.to_string())
    };
    let data = json!({"name": "Instance:StateChange", "resourceId": ARN, "regionId": "cn-flat", "userId": "4004", "content": {}});
    let subject = json!("acs:ecs:cn-subject:1006:instance/i-2");
    let without = ["resourceId"];
    for (event, expected) in [
        (event(json!(null), data.clone(), &[]), ("cn-arn", "1001")),
        (
            event(subject, data.clone(), &without),
            ("cn-subject", "1006"),
        ),
        (
            event(json!(null), data.clone(), &without),
            ("cn-flat", "3003"),
        ),
        (
            event(json!(null), data.clone(), &["resourceId", "regionId"]),
            ("cn-bus", "3003"),
        ),
    ] {
        assert_eq!(place(&event), (Some(expected.0), Some(expected.1)));
    }
}

#[test]
fn in_a_webhook_the_arn_goes_before_region_and_user() {
    let place_of = |meta: Value, arn: &str| {
        let alert = json!({"eventName": "Instance:StateChange", "arn": arn, "userId": "4004", "meta": {"sysEventMeta": meta}});
        let event = one(&json!({"alert": alert, "userId": "5005"}).to_string());
        (
            event.region.unwrap_or_default(),
            event.account.unwrap_or_default(),
        )
    };
    let expect = |region: &str, account: &str| (region.to_owned(), account.to_owned());
    let region = json!({"regionId": "cn-meta"});
    assert_eq!(place_of(region.clone(), ARN), expect("cn-arn", "1001"));
    assert_eq!(place_of(region, "acs:ecs:*:*:*"), expect("cn-meta", "4004"));
    assert_eq!(
        place_of(json!({"resourceId": ARN}), ""),
        expect("cn-arn", "1001")
    );
}

#[test]
fn the_arns_resource_is_named_where_it_is_another() {
    let other = |event: &Event| {
        (
            event.arn_resource_id.clone(),
            event.arn_resource_kind.clone(),
        )
    };
    let moved = json!({
        "product": "ECS", "name": "Instance:VSwitchChanged", "resourceId": "acs:ecs:cn-hangzhou:1001:eni/eni-1",
        "content": {"instanceId": "i-1"},
    });
    let moved = one(&moved.to_string());
    assert_eq!(moved.resource_id.as_deref(), Some("i-1"));
    assert_eq!(other(&moved), (Some("eni-1".into()), Some("eni".into())));
    assert_eq!(other(&native(json!({}))), (None, None));
    assert_eq!(
        other(&flat(
            json!({"resourceId": "acs:ecs:cn-a:1:instance/<resource-id>"})
        )),
        (None, None)
    );
    let attached = native(json!({"type": "ecs:Disk:Stalled", "data": {"diskId": "d-1"}}));
    assert_eq!(attached.resource_id.as_deref(), Some("d-1"));
    assert_eq!(
        other(&attached),
        (Some("i-1".into()), Some("instance".into()))
    );
}

#[test]
fn when_the_group_is_0_it_is_no_resource() {
    let group = |id: &str| {
        let event = json!({"product": "X", "name": "A:B", "content": {"groupId": id}});
        one(&event.to_string()).resource_id
    };
    assert_eq!((group("0"), group("17")), (None, Some("17".to_owned())));
}

/// The record of an API call, in the form that ActionTrail gives it.
fn call(kind: &str, changes: Value) -> Event {
    let mut event = json!({
        "id": "5e0a6b1c-0000-4000-8000-0000000000a1", "source": "acs.actiontrail", "specversion": "1.0", "type": kind,
        "subject": "acs:actiontrail:cn-beijing:1690700000000030:Disk/d-2zetrailexample00001",
        "time": "2026-11-20T06:15:00Z", "aliyunregionid": "cn-hangzhou", "aliyunaccountid": "1690700000000099",
        "data": {
            "eventType": "ApiCall", "eventRW": "Write", "serviceName": "Ecs", "eventName": "DeleteDisk", "acsRegion": "cn-beijing",
            "userIdentity": {"type": "ram-user", "userName": "bob", "principalId": "200000000000000001"},
            "referencedResources": {"ACS::ECS::Instance": ["i-2zetrailexample00001"], "ACS::ECS::NetworkInterface": []},
            "requestId": "0B7C1D9A-1111-5222-8333-44445555666A",
        },
    });
    merge(&mut event, changes);
    one(&event.to_string())
}

#[test]
fn a_call_recorded_by_actiontrail_is_what_it_is_for_ecs() {
    for name in ["ApiCall", "ConsoleOperation", "AliyunServiceEvent"] {
        let event = call(&format!("actiontrail:ActionTrail:{name}"), json!({}));
        let same = call(
            &format!("ecs:ActionTrail:{name}"),
            json!({"source": "acs.ecs"}),
        );
        assert_eq!(
            event,
            Event {
                source: event.source.clone(),
                ..same
            }
        );
        assert_eq!(event.full_name(), format!("ActionTrail:{name}"));
        assert_eq!(
            (event.level, event.product.as_deref()),
            (Some(Level::Info), Some("ECS"))
        );
        assert_eq!(
            (event.operation.as_deref(), event.actor.as_deref()),
            (Some("DeleteDisk"), Some("bob"))
        );
        assert_eq!(
            place(&event),
            (Some("cn-beijing"), Some("1690700000000030"))
        );
        assert_eq!(
            (event.resource_id.as_deref(), event.resource_kind.as_deref()),
            (Some("d-2zetrailexample00001"), Some("disk"))
        );
    }
}

/// The record of a call with these data and no others.
fn bare_call(subject: &Value, data: &Value) -> Event {
    let kind = "actiontrail:ActionTrail:ApiCall";
    let event = json!({"id": "1", "source": "acs.actiontrail", "type": kind, "subject": subject, "data": data});
    one(&event.to_string())
}

#[test]
fn the_caller_is_named_else_numbered_else_described() {
    for (identity, expected) in [
        (
            json!({"userName": " ", "principalId": "21", "type": "ram-user"}),
            Some("21"),
        ),
        (json!({"type": "system"}), Some("system")),
        (json!("{\"userName\":\"carol\"}"), Some("carol")),
        (json!({}), None),
        (json!(null), None),
    ] {
        let event = bare_call(&Value::Null, &json!({"userIdentity": identity}));
        assert_eq!(event.actor.as_deref(), expected, "{identity}");
    }
}

#[test]
fn calls_of_other_products_have_the_same_level() {
    let event = call(
        "actiontrail:ActionTrail:ApiCall",
        json!({"data": {"serviceName": "Rds", "eventName": "DeleteDBInstance"}}),
    );
    assert_eq!(
        (event.level, event.product.as_deref()),
        (Some(Level::Info), Some("Rds"))
    );
    assert_eq!(event.operation.as_deref(), Some("DeleteDBInstance"));
    let event = call(
        "actiontrail:ActionTrail:ApiCall",
        json!({"data": {"serviceName": null}}),
    );
    assert_eq!(
        (event.name.as_str(), event.level),
        ("ActionTrail:ApiCall", Some(Level::Info))
    );
}

#[test]
fn when_the_subject_names_none_the_first_referenced_is_it() {
    let masked = json!("acs:actiontrail:cn-beijing:1690700000000030:Disk/d-2***1");
    let interfaces =
        json!({"ACS::ECS::Disk": [], "ACS::ECS::NetworkInterface": ["eni-1", "eni-2"]});
    let group = json!({"ACS::ECS::SecurityGroup": "sg-1"});
    for (subject, referenced, expected) in [
        (&masked, interfaces, ("eni-1", "eni")),
        (&Value::Null, group, ("sg-1", "securitygroup")),
        (&masked, json!({}), ("i-other", "instance")),
    ] {
        let data = json!({"instanceId": "i-other", "referencedResources": referenced});
        let event = bare_call(subject, &data);
        let resource = event
            .resource_id
            .as_deref()
            .zip(event.resource_kind.as_deref());
        assert_eq!(resource, Some(expected), "{referenced}");
    }
}
