use super::*;
use crate::aliyun::ErrorKind;
use serde_json::json;

fn event(value: &Value) -> SystemEvent {
    SystemEvent::read(value).unwrap()
}

fn page(body: &Value) -> Result<Page<SystemEvent>, ApiError> {
    let body = body.to_string();
    let answer = Answer {
        status: 200,
        retry_after: None,
        body: body.as_bytes(),
    };
    read_system_events(&answer, &[])
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The example of the documentation, of which the second has no codes.
#[test]
fn events_are_read_whole() {
    let page = page(&json!({
        "RequestId": "r",
        "NextToken": "next",
        "TotalCount": 0,
        "InstanceSystemEventSet": { "InstanceSystemEventType": [
            {
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
            },
            {
                "EventId": "e-2",
                "InstanceId": "i-2",
                "EventType": { "Name": "SystemMaintenance.RebootAndIsolateErrorDisk" },
                "EventCycleStatus": { "Name": "Inquiring" },
                "Reason": "",
                "ExtendedAttribute": {
                    "DiskId": "d-2", "Device": "/dev/xvdb", "CanAccept": "true",
                    "MetricValue": 1.5, "Flag": false, "Rack": " ", "HostId": null,
                    "InactiveDisks": { "InactiveDisk": [{ "DeviceSize": "40" }] },
                },
            },
        ] },
    }));
    let reboot = SystemEvent {
        id: "e-1".into(),
        instance_id: Some("i-1".into()),
        kind: "SystemMaintenance.Reboot".into(),
        status: "Scheduled".into(),
        published: Some("2026-11-20T06:32:31Z".into()),
        not_before: Some("2026-11-28T18:00:00Z".into()),
        reason: Some("Example: maintenance of the host".into()),
        attributes: Vec::new(),
    };
    let disk = SystemEvent {
        id: "e-2".into(),
        instance_id: Some("i-2".into()),
        kind: "SystemMaintenance.RebootAndIsolateErrorDisk".into(),
        status: "Inquiring".into(),
        attributes: pairs(&[
            ("CanAccept", "true"),
            ("Device", "/dev/xvdb"),
            ("DiskId", "d-2"),
            ("Flag", "false"),
            ("MetricValue", "1.5"),
        ]),
        ..SystemEvent::default()
    };
    let elements = vec![reboot, disk];
    let next = Some("next".to_owned());
    assert_eq!(page, Ok(Page { elements, next }));
}

#[test]
fn members_are_read_in_lower_case_under_the_usual_names() {
    let lower = json!({
        "eventId": "e-1",
        "instanceId": "i-1",
        "eventType": { "name": "Some.Thing" },
        "eventCycleStatus": { "name": "Executing" },
        "notBefore": "2026-11-28T18:00:00Z",
        "extendedAttribute": { "diskId": "d-1", "device": "of no use", "Device": "/dev/xvdb" },
    });
    let read = event(&lower);
    assert_eq!(
        (read.id.as_str(), read.kind.as_str()),
        ("e-1", "Some.Thing")
    );
    assert_eq!(read.status, "Executing");
    assert_eq!(read.not_before.as_deref(), Some("2026-11-28T18:00:00Z"));
    let mut attributes = read.attributes;
    attributes.sort();
    assert_eq!(
        attributes,
        pairs(&[("Device", "/dev/xvdb"), ("DiskId", "d-1")])
    );
}

#[test]
fn what_is_to_come_is_kept_as_long_as_it_says_what_and_where() {
    let whole = json!({
        "EventId": "e-1",
        "InstanceId": "i-1",
        "EventType": { "Name": "Never.Heard.Of" },
        "EventCycleStatus": { "Name": "Scheduled" },
        "NotBefore": "soon",
    });
    let with = |member: &str, value: Value| {
        let mut changed = whole.clone();
        changed[member] = value;
        SystemEvent::read(&changed)
    };
    assert_eq!(event(&whole).kind, "Never.Heard.Of");
    for odd in [json!(""), json!(" "), json!(7), json!([]), Value::Null] {
        let nameless = with("EventId", odd.clone()).unwrap();
        assert_eq!(nameless.id, "i-1 Never.Heard.Of soon", "{odd}");
        let homeless = with("InstanceId", odd.clone()).unwrap();
        assert_eq!((homeless.id.as_str(), homeless.instance_id), ("e-1", None));
        for optional in [
            "NotBefore",
            "EventPublishTime",
            "Reason",
            "ExtendedAttribute",
        ] {
            assert!(with(optional, odd.clone()).is_some(), "{optional}: {odd}");
        }
        for needed in ["EventType", "EventCycleStatus"] {
            assert_eq!(with(needed, odd.clone()), None, "{needed}: {odd}");
            assert_eq!(with(needed, json!({ "Name": odd })), None, "{needed}");
        }
    }
    for status in ["Executed", "Avoided", "Canceled", "Failed", "scheduled"] {
        assert_eq!(with("EventCycleStatus", json!({ "Name": status })), None);
    }
    let mut neither = whole.clone();
    neither["EventId"] = json!("");
    neither["NotBefore"] = json!("");
    assert_eq!(event(&neither).id, "i-1 Never.Heard.Of");
    neither["InstanceId"] = json!("");
    for none in [neither, json!({}), json!([]), json!("e-1"), json!(null)] {
        assert_eq!(SystemEvent::read(&none), None, "{none}");
    }
}

#[test]
fn texts_and_attributes_are_bounded() {
    let long = "x".repeat(10_000);
    let mut attributes = Map::new();
    attributes.insert(long.clone(), json!("too long a name"));
    attributes.insert(String::new(), json!("no name"));
    attributes.extend((0..100).map(|n| (format!("A{n}"), json!(long))));
    let read = event(&json!({
        "InstanceId": long,
        "EventType": { "Name": long },
        "EventCycleStatus": { "Name": "Scheduled" },
        "NotBefore": long,
        "Reason": long,
        "ExtendedAttribute": attributes,
    }));
    assert_eq!(read.id.len(), 3 * 256 + 2);
    assert_eq!(read.reason.map(|reason| reason.len()), Some(256));
    assert_eq!(read.attributes.len(), MAX_ATTRIBUTES);
    assert!(
        read.attributes
            .iter()
            .all(|(name, value)| { name.starts_with('A') && value.len() == 256 })
    );
}

#[test]
fn a_list_may_be_missing_but_a_token_is_none_or_whole() {
    let body = |token: Value| json!({ "RequestId": "r", "NextToken": token });
    for end in [json!(""), Value::Null] {
        let page = page(&body(end)).unwrap();
        assert_eq!((page.elements.len(), page.next), (0, None));
    }
    assert_eq!(page(&json!({ "requestId": "r" })).unwrap().next, None);
    let longest = "x".repeat(MAX_TOKEN);
    let next = page(&body(json!(longest))).unwrap().next;
    assert_eq!(next, Some(longest));
    for odd in [json!("x".repeat(MAX_TOKEN + 1)), json!(7), json!({})] {
        let error = page(&body(odd)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(error.detail, "the token of the next page is none");
        assert!(error.remedy().contains("RESOURCE_ENDPOINT"), "{error}");
    }
    assert!(page(&json!({ "InstanceSystemEventSet": {} })).is_err());
}

/// Lists these pages, each with its ids and its token of the next one; the last again and again.
/// Returns what is found and how many pages were asked for.
fn collected(pages: &[(&[&str], &str)]) -> (Result<Vec<String>, ApiError>, usize) {
    let (mut asked, mut expected) = (0, None);
    let result = collect(|token| {
        assert_eq!(token, expected.as_deref());
        let (ids, next) = pages[asked.min(pages.len() - 1)];
        asked += 1;
        expected = Some(next.to_owned()).filter(|next| !next.is_empty());
        let event = |id: &&str| SystemEvent {
            id: (*id).to_owned(),
            ..SystemEvent::default()
        };
        let elements = ids.iter().map(event).collect();
        let next = expected.clone();
        Ok(Page { elements, next })
    });
    let ids = |found: Vec<SystemEvent>| found.into_iter().map(|event| event.id).collect();
    (result.map(ids), asked)
}

#[test]
fn a_list_ends_where_it_says_so_or_repeats_itself() {
    let found = |pages: &[(&[&str], &str)], expected: &[&str]| {
        let (result, asked) = collected(pages);
        assert_eq!((result.unwrap(), asked), (owned(expected), pages.len()));
    };
    found(&[(&["1", "2", "1"], "")], &["1", "2"]);
    found(&[(&["1"], "a"), (&["1", "2"], "b"), (&[], "")], &["1", "2"]);
    // Nothing of a page may have been asked for, and what was may be on the next.
    found(&[(&[], "a"), (&[], "b"), (&["1"], "")], &["1"]);
    // A token may stay the same as long as something comes.
    found(
        &[(&["1"], "a"), (&["2"], "a"), (&["3"], "")],
        &["1", "2", "3"],
    );
    found(&[(&["1"], "a"), (&["1"], "b")], &["1"]);
    found(&[(&["1"], "a"), (&[], "a")], &["1"]);
}

#[test]
fn a_list_without_an_end_is_an_error() {
    let ids: Vec<String> = (0..=MAX_EVENTS).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let tokens: Vec<String> = (0..60).map(|n| format!("token {n}")).collect();
    let pages: Vec<(&[&str], &str)> = (tokens.iter().enumerate())
        .map(|(at, token)| (&ids[at..=at], token.as_str()))
        .collect();
    let empty: Vec<(&[&str], &str)> = pages.iter().map(|(_, token)| (&[][..], *token)).collect();
    let crowded: [(&[&str], &str); 1] = [(&ids, "a")];
    for (pages, expected) in [(&pages[..], 50), (&empty, 50), (&crowded, 1)] {
        let (result, asked) = collected(pages);
        let error = result.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(
            (error.detail.as_str(), asked),
            ("the list does not end", expected)
        );
    }
    // As many are no error if the list ends, and the last page may be the fiftieth.
    let whole: [(&[&str], &str); 1] = [(&ids, "")];
    assert_eq!(collected(&whole).0.unwrap().len(), ids.len());
    let last = [&pages[..49], &[(&ids[49..50], "")]].concat();
    assert_eq!(collected(&last).0.unwrap().len(), 50);
}
