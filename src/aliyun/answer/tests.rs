use super::*;
use crate::aliyun::{Disk, ErrorKind, Instance};
use serde_json::json;

fn answer(status: u16, body: &[u8]) -> Answer<'_> {
    Answer {
        status,
        retry_after: None,
        body,
    }
}

fn page(body: &Value, asked: &[&str]) -> Page<Instance> {
    read_page(&answer(200, body.to_string().as_bytes()), asked, &[]).unwrap()
}

fn error(status: u16, body: &str) -> ApiError {
    read_page::<Instance>(&answer(status, body.as_bytes()), &[], &[]).unwrap_err()
}

#[test]
fn only_what_was_asked_for_is_taken_and_once() {
    let body = json!({
        "RequestId": "r", "NextToken": "next",
        "Instances": { "Instance": [
            { "InstanceId": "i-3" }, { "InstanceId": "i-1" }, {}, 7, { "InstanceId": "i-9" },
            { "InstanceId": "i-1", "InstanceName": "again" },
        ] },
    });
    let Page { elements, next } = page(&body, &["i-1", "i-2", "i-3"]);
    let ids: Vec<&str> = elements.iter().map(|instance| instance.id()).collect();
    assert_eq!(ids, ["i-3", "i-1"]);
    assert_eq!(elements[1].name, None);
    assert_eq!(next.as_deref(), Some("next"));
}

#[test]
fn an_empty_list_may_be_missing_and_a_last_page_has_no_token() {
    for body in [
        json!({ "RequestId": "r", "NextToken": "", "Instances": { "Instance": [] } }),
        json!({ "requestId": "r", "Instances": {} }),
        json!({ "RequestId": "r", "NextToken": null, "Instances": 1 }),
        json!({ "RequestId": "r", "NextToken": "x".repeat(513) }),
    ] {
        let page = page(&body, &["i-1"]);
        assert_eq!((page.elements.len(), page.next), (0, None), "{body}");
    }
    let disks = json!({ "RequestId": "r", "Disks": { "Disk": [{ "DiskId": "d-1" }] } });
    let body = disks.to_string();
    let page = read_page::<Disk>(&answer(200, body.as_bytes()), &["d-1"], &[]).unwrap();
    assert_eq!(page.elements.len(), 1);
}

#[test]
fn codes_decide_in_both_spellings_and_in_xml() {
    for body in [
        r#"{"RequestId":"r","Code":"Throttling.User","Message":"m"}"#,
        r#"{"requestId":"r","code":"Throttling.User","message":"m"}"#,
        "<?xml version='1.0'?><Error><RequestId>r</RequestId><Code> Throttling.User </Code></Error>",
    ] {
        for status in [200, 400, 403, 429, 503] {
            let error = error(status, body);
            let kind = ErrorKind::Throttled { retry_after: None };
            assert_eq!(
                (error.kind, error.code.as_deref()),
                (kind, Some("Throttling.User"))
            );
        }
    }
}

#[test]
fn what_is_no_answer_of_the_api_is_no_empty_list() {
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "{\"Instances\":{\"Instance\":[]}}"),
        (200, "<html><code>x</code></html>"),
        (200, "{\"RequestId\":\"r\",\"Instances\":{\"Inst"),
        (302, ""),
        (403, "<html>no</html>"),
        (404, "{\"RequestId\":\"r\"}"),
        (502, "<html><Code>BadGateway</Code></html>"),
        (500, "{\"Code\":\"what is this\"}"),
        (500, "{\"Code\":\"500\"}"),
        (400, &format!("{{\"Code\":\"{}\"}}", "x".repeat(101))),
    ] {
        let error = error(status, body);
        assert_eq!(
            (error.kind, &error.code),
            (ErrorKind::Unreachable, &None),
            "{body}"
        );
        assert_eq!(
            error.detail,
            format!("HTTP {status}, but no answer of the API")
        );
        assert!(
            error.remedy().contains("RESOURCE_ENDPOINT"),
            "{}",
            error.remedy()
        );
    }
    let kind = ErrorKind::Throttled { retry_after: None };
    assert_eq!(error(429, "<html>slow down</html>").kind, kind);
}

#[test]
fn the_pause_is_milliseconds_and_bounded() {
    for (text, expected) in [
        ("1500", Some(1500)),
        (" 7 ", Some(7)),
        ("999999999999", Some(3_600_000)),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        let answer = Answer {
            status: 429,
            retry_after: Some(text),
            body: b"{\"Code\":\"Throttling\"}",
        };
        let error = read(&answer, "DescribeInstances", &[]).unwrap_err();
        let retry_after = expected.map(Duration::from_millis);
        assert_eq!(error.kind, ErrorKind::Throttled { retry_after }, "{text}");
    }
}

/// Of a denial only the action and the reason are repeated: the rest names account and role.
#[test]
fn a_denial_names_action_and_reason_only() {
    let body = json!({
        "RequestId": "r", "Code": "Forbidden.RAM",
        "Message": "1234567890123456 may not",
        "AccessDeniedDetail": {
            "AuthAction": "ecs:DescribeInstances",
            "AuthPrincipalOwnerId": "1234567890123456",
            "AuthPrincipalDisplayName": "ecs-notifier:session",
            "NoPermissionType": "ImplicitDeny",
            "EncodedDiagnosticMessage": "AQEAAExample",
        },
    });
    let denied = error(403, &body.to_string());
    assert_eq!(denied.kind, ErrorKind::Denied);
    assert_eq!(denied.detail, "HTTP 403, Forbidden.RAM");
    let remedy = denied.remedy();
    assert_eq!(
        remedy,
        "allow the function's role ecs:DescribeInstances on all resources (ImplicitDeny)"
    );

    let odd = r#"{"code":"NoPermission","accessDeniedDetail":{"authAction":"ecs:1 2","noPermissionType":7}}"#;
    assert_eq!(
        error(403, odd).remedy(),
        "allow the function's role ecs:DescribeInstances on all resources"
    );
}

#[test]
fn messages_are_repeated_only_where_they_are_harmless() {
    let detail = |code: &str| {
        let body = json!({ "RequestId": "r", "Code": code, "Message": "a\nlong STS.id sentence" });
        let body = body.to_string();
        let error = read(
            &answer(400, body.as_bytes()),
            "DescribeDisks",
            &["STS.id", ""],
        );
        error.unwrap_err().detail
    };
    for code in [
        "InvalidParameter",
        "MissingParameter",
        "InternalError",
        "Throttling.Api",
    ] {
        assert_eq!(detail(code), format!("HTTP 400, {code}: a long … sentence"));
    }
    for code in [
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "Forbidden.RAM",
        "InvalidAccessKeyId.NotFound",
        "InvalidSecurityToken.Expired",
        "Unknown",
    ] {
        assert_eq!(detail(code), format!("HTTP 400, {code}"));
    }
    // What is cut is cut after it is redacted.
    let body =
        json!({ "Code": "InvalidParameter", "Message": format!("{}STS.id", "x".repeat(252)) });
    let body = body.to_string();
    let error = read(&answer(400, body.as_bytes()), "DescribeDisks", &["STS.id"]).unwrap_err();
    assert!(
        !error.detail.contains("ST") && error.detail.ends_with('…'),
        "{error}"
    );
    // A server that repeats an identity as its code.
    let body = answer(400, br#"{"Code":"STS.id"}"#);
    let error = read(&body, "DescribeDisks", &["STS.id"]).unwrap_err();
    assert!(
        !format!("{error:?}{}", error.remedy()).contains("STS"),
        "{error:?}"
    );
}

#[test]
fn the_identity_of_a_role_is_whole_or_none() {
    let whole = json!({
        "RequestId": "r",
        "AssumedRoleUser": { "Arn": "acs:ram::1:role/x/y" },
        "Credentials": {
            "AccessKeyId": "STS.a", "AccessKeySecret": "b", "SecurityToken": "c".repeat(2000),
            "Expiration": "2026-11-25T02:01:00Z",
        },
    });
    let read = |value: &Value| read_credentials(value.as_object().unwrap());
    let (credentials, expiration) = read(&whole).unwrap();
    assert_eq!(
        credentials.parts(),
        ["STS.a", "b", "c".repeat(2000).as_str()]
    );
    assert_eq!(credentials.source(), Source::AssumedRole);
    assert_eq!(expiration.to_string(), "2026-11-25T02:01:00Z");
    for member in [
        "AccessKeyId",
        "AccessKeySecret",
        "SecurityToken",
        "Expiration",
    ] {
        for odd in [json!(""), json!(1), Value::Null] {
            let mut part = whole.clone();
            part["Credentials"][member] = odd;
            assert!(read(&part).is_none(), "{member}");
        }
    }
    assert!(read(&json!({ "RequestId": "r" })).is_none());
}
