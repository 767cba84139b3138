use super::*;

fn coded(action: &'static str, code: &str, source: Source) -> ApiError {
    ApiError::coded(action, code.into(), None, "HTTP 400".into(), None).with_source(source)
}

#[test]
fn each_code_has_its_kind() {
    let throttled = ErrorKind::Throttled { retry_after: None };
    for (code, kind) in [
        ("Forbidden.RAM", ErrorKind::Denied),
        ("Forbidden.Unauthorized", ErrorKind::Denied),
        ("NoPermission", ErrorKind::Denied),
        ("InvalidSecurityToken.Expired", ErrorKind::Expired),
        ("InvalidSecurityToken.Malformed", ErrorKind::Refused),
        ("InvalidSecurityToken.Not.Expired", ErrorKind::Refused),
        (
            "InvalidSecurityToken.MismatchWithAccessKey",
            ErrorKind::Refused,
        ),
        ("MissingSecurityToken", ErrorKind::Refused),
        ("InvalidAccessKeyId.NotFound", ErrorKind::Refused),
        ("InvalidAccessKeyId.Inactive", ErrorKind::Refused),
        ("SignatureDoesNotMatch", ErrorKind::Refused),
        ("IncompleteSignature", ErrorKind::Refused),
        ("InvalidTimeStamp.Expired", ErrorKind::Refused),
        ("InvalidTimeStamp.Format", ErrorKind::Refused),
        ("SignatureNonceUsed", ErrorKind::Refused),
        ("Throttling", throttled),
        ("Throttling.User", throttled),
        ("Throttling.Api", throttled),
        ("InvalidInstanceId.NotFound", ErrorKind::Refused),
        ("InvalidRegionId.NotFound", ErrorKind::Refused),
        ("MissingParameter", ErrorKind::Refused),
        ("InvalidParameter", ErrorKind::Refused),
        ("InternalError", ErrorKind::Unreachable),
        ("ServiceUnavailable", ErrorKind::Unreachable),
        ("NeverHeardOfIt", ErrorKind::Refused),
    ] {
        assert_eq!(
            coded("DescribeInstances", code, Source::Invocation).kind,
            kind,
            "{code}"
        );
    }
}

#[test]
fn remedies_name_who_can_mend_it() {
    use Source::{AssumedRole, Environment, Invocation};
    const HISTORY: &str = "DescribeInstanceHistoryEvents";
    for (action, code, source, expected) in [
        (
            HISTORY,
            "Forbidden.RAM",
            Invocation,
            "the function's role ecs:DescribeInstanceHistoryEvents",
        ),
        (
            HISTORY,
            "InvalidRegionId.NotFound",
            Invocation,
            "RESOURCE_REGIONS",
        ),
        (
            HISTORY,
            "NeverHeardOfIt",
            Invocation,
            "unset MESSAGE_DIGEST_AT",
        ),
        (
            "DescribeInstances",
            "Forbidden.RAM",
            Invocation,
            "the function's role ecs:DescribeInst",
        ),
        (
            "DescribeDisks",
            "Forbidden.RAM",
            Environment,
            "ALIBABA_CLOUD_ACCESS_KEY_ID ecs:Descri",
        ),
        (
            "DescribeDisks",
            "Forbidden.RAM",
            AssumedRole,
            "the role of RESOURCE_ROLE",
        ),
        (
            "AssumeRole",
            "NoPermission",
            Invocation,
            "role sts:AssumeRole on the role of RESOURCE_R",
        ),
        (
            "AssumeRole",
            "EntityNotExist.Role",
            Invocation,
            "check RESOURCE_ROLE",
        ),
        (
            "AssumeRole",
            "InvalidRegionId.NotFound",
            Invocation,
            "RESOURCE_STS_ENDPOINT",
        ),
        (
            "DescribeDisks",
            "InvalidRegionId.NotFound",
            Invocation,
            "check RESOURCE_ENDPOINT",
        ),
        (
            "DescribeDisks",
            "InvalidSecurityToken.Expired",
            Invocation,
            "the next invocation",
        ),
        (
            "DescribeDisks",
            "InvalidSecurityToken.Expired",
            Environment,
            "ALIBABA_CLOUD_…",
        ),
        (
            "DescribeDisks",
            "InvalidSecurityToken.Malformed",
            Environment,
            "from one valid",
        ),
        (
            "DescribeDisks",
            "InvalidAccessKeyId.NotFound",
            Invocation,
            "the function's own cloud",
        ),
        (
            "DescribeDisks",
            "SignatureDoesNotMatch",
            Environment,
            "ACCESS_KEY_SECRET",
        ),
        (
            "DescribeDisks",
            "SignatureDoesNotMatch",
            Invocation,
            "changes requests",
        ),
        (
            "DescribeDisks",
            "InvalidTimeStamp.Expired",
            Invocation,
            "the clock",
        ),
        (
            "DescribeDisks",
            "SignatureNonceUsed",
            Invocation,
            "signed anew",
        ),
        (
            "DescribeDisks",
            "Throttling.Api",
            Invocation,
            "more calls of DescribeDisks",
        ),
        (
            "DescribeDisks",
            "InternalError",
            Invocation,
            "failure of its own",
        ),
        (
            "DescribeDisks",
            "InvalidParameter",
            Invocation,
            "RESOURCE_LOOKUP=off",
        ),
    ] {
        let remedy = coded(action, code, source).remedy();
        assert!(remedy.contains(expected), "{action} {code}: {remedy}");
        assert!(
            remedy.chars().count() <= 200 && !remedy.contains('\n'),
            "{remedy}"
        );
    }
}

#[test]
fn without_an_answer_the_remedy_is_the_way_there() {
    let error = ApiError::no_answer("AssumeRole", "connecting: timeout\nsecret-1", &["secret-1"]);
    assert_eq!(error.to_string(), "AssumeRole: connecting: timeout …");
    assert!(
        error.remedy().contains("RESOURCE_STS_ENDPOINT"),
        "{}",
        error.remedy()
    );
    assert!(
        error
            .remedy()
            .contains("https://sts-vpc.{region}.aliyuncs.com")
    );
    let error = ApiError::not_asked("DescribeDisks", "the region is none");
    assert_eq!(error.detail, "the region is none: nothing was asked");
    assert!(error.remedy().contains("the event"), "{}", error.remedy());
}
