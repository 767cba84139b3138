//! What goes wrong: each failure is a kind with a remedy, in time and without a secret.

use super::{ACCOUNT, Bench, OTHER_ACCOUNT, PATIENCE, REGION, ROLE, from_environment, temporary};
use ecs_dingtalk_notifier::aliyun::{Api, ApiError, Credentials, Endpoint, ErrorKind, Source};
use ecs_dingtalk_notifier::clock::Clock;
use ecs_dingtalk_notifier::http::{Client, HttpConfig};
use fake_aliyun::{Cloud, Fault, Identity, Instance};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

const UNTHROTTLED: ErrorKind = ErrorKind::Throttled { retry_after: None };

/// Asks for one instance. Returns the error and how long that took.
fn fail_by(bench: &Bench, credentials: &Credentials, deadline: Instant) -> (ApiError, Duration) {
    let begun = Instant::now();
    let result = bench
        .api
        .describe_instances(REGION, &["i-1"], credentials, deadline);
    let error = result.unwrap_err();
    assert_eq!(error.action, "DescribeInstances");
    assert_fit(&error);
    (error, begun.elapsed())
}

fn fail(bench: &Bench, credentials: &Credentials) -> ApiError {
    fail_by(bench, credentials, bench.deadline()).0
}

/// Checks what holds for every error: short lines, and no account.
pub(super) fn assert_fit(error: &ApiError) {
    let remedy = error.remedy();
    for text in [&error.detail, &remedy] {
        assert!(!text.is_empty() && text.chars().count() <= 300, "{text}");
        assert!(!text.contains(char::is_control), "{text}");
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            assert!(!text.contains(account), "{text}");
        }
    }
}

/// Checks kind, code, and a part of the remedy.
pub(super) fn assert_error(error: &ApiError, kind: ErrorKind, code: Option<&str>, remedy: &str) {
    assert_eq!((error.kind, error.code.as_deref()), (kind, code), "{error}");
    assert!(error.remedy().contains(remedy), "{}", error.remedy());
}

#[test]
fn a_missing_permission_names_the_action() {
    let bench = Bench::new();
    for action in [
        "ecs:DescribeInstances",
        "ecs:DescribeDisks",
        "sts:AssumeRole",
    ] {
        bench.cloud.deny(ACCOUNT, action);
    }
    let deadline = bench.deadline();
    let role = "allow the function's role";
    for has_detail in [true, false] {
        bench.cloud.set_denial_detail(has_detail);
        let error = fail(&bench, &bench.credentials);
        let code = Some("Forbidden.RAM");
        let remedy = format!("{role} ecs:DescribeInstances");
        assert_error(&error, ErrorKind::Denied, code, &remedy);
        assert_eq!(error.remedy().contains("ImplicitDeny"), has_detail);
        let disks = bench
            .api
            .describe_disks(REGION, &["d-1"], &bench.credentials, deadline);
        let remedy = format!("{role} ecs:DescribeDisks");
        assert_error(&disks.unwrap_err(), ErrorKind::Denied, code, &remedy);
        let assumed = bench
            .api
            .assume_role(ROLE, REGION, &bench.credentials, deadline);
        let remedy = format!("{role} sts:AssumeRole");
        assert_error(
            &assumed.unwrap_err(),
            ErrorKind::Denied,
            Some("NoPermission"),
            &remedy,
        );
    }

    // In lower case, in XML, and of a key in the environment.
    for fault in [Fault::LowerCase, Fault::Xml] {
        bench.cloud.fault(fault);
        let error = fail(&bench, &bench.credentials);
        assert_error(&error, ErrorKind::Denied, Some("Forbidden.RAM"), role);
    }
    let key = from_environment(&bench.cloud.key(ACCOUNT));
    let remedy = "allow the owner of ALIBABA_CLOUD_ACCESS_KEY_ID";
    assert_error(
        &fail(&bench, &key),
        ErrorKind::Denied,
        Some("Forbidden.RAM"),
        remedy,
    );
}

#[test]
fn a_role_that_cannot_be_assumed_is_named_by_its_variable() {
    let bench = Bench::new();
    let assume = || {
        let deadline = bench.deadline();
        let result = bench
            .api
            .assume_role(ROLE, REGION, &bench.credentials, deadline);
        let error = result.unwrap_err();
        assert_eq!(error.action, "AssumeRole");
        assert_fit(&error);
        error
    };
    let unknown = assume();
    assert_error(
        &unknown,
        ErrorKind::Refused,
        Some("EntityNotExist.Role"),
        "check RESOURCE_ROLE",
    );
    bench.cloud.add_role(ROLE, "1");
    assert_error(
        &assume(),
        ErrorKind::Denied,
        Some("NoPermission"),
        "RESOURCE_ROLE",
    );
    for fault in [Fault::EmptyObject, Fault::HalfJson] {
        bench.cloud.add_role(ROLE, ACCOUNT);
        bench.cloud.fault(fault);
        assert_error(
            &assume(),
            ErrorKind::Unreachable,
            None,
            "RESOURCE_STS_ENDPOINT",
        );
    }

    // What the role itself lacks is mended in the other account.
    let (assumed, _) = bench
        .api
        .assume_role(ROLE, REGION, &bench.credentials, bench.deadline())
        .unwrap();
    bench.cloud.deny(OTHER_ACCOUNT, "ecs:DescribeInstances");
    let error = fail(&bench, &assumed);
    let remedy = "allow the role of RESOURCE_ROLE";
    assert_error(&error, ErrorKind::Denied, Some("Forbidden.RAM"), remedy);
}

#[test]
fn an_identity_that_has_ended_is_expired() {
    let bench = Bench::new();
    let own = from_environment(&bench.identity);
    bench.cloud.expire(&bench.identity);
    let code = Some("InvalidSecurityToken.Expired");
    let error = fail(&bench, &bench.credentials);
    assert_error(&error, ErrorKind::Expired, code, "the next invocation");
    assert_error(
        &fail(&bench, &own),
        ErrorKind::Expired,
        code,
        "ALIBABA_CLOUD_…",
    );
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let bench = Bench::new();
    let other = bench.cloud.role_identity(ACCOUNT);
    let with = |change: &dyn Fn(&mut Identity)| {
        let mut identity = bench.identity.clone();
        change(&mut identity);
        identity
    };
    let cases = [
        (
            with(&|own| own.token = other.token.clone()),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        (
            with(&|own| own.token = Some("made-up".into())),
            "InvalidSecurityToken.Malformed",
        ),
        (
            with(&|own| own.id = "STS.unknown".into()),
            "InvalidAccessKeyId.NotFound",
        ),
        (
            with(&|own| own.secret = "a-guess".into()),
            "SignatureDoesNotMatch",
        ),
    ];
    for (identity, code) in &cases {
        let kind = ErrorKind::Refused;
        let error = fail(&bench, &temporary(identity));
        assert_error(&error, kind, Some(code), "RESOURCE_ENDPOINT");
        let error = fail(&bench, &from_environment(identity));
        assert_error(&error, kind, Some(code), "ALIBABA_CLOUD_");
    }
    let without_token = from_environment(&with(&|own| own.token = None));
    let error = fail(&bench, &without_token);
    let code = Some("MissingSecurityToken");
    assert_error(&error, ErrorKind::Refused, code, "from one valid identity");
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_signature() {
    let bench = Bench::new();
    bench
        .cloud
        .add_instance(ACCOUNT, REGION, Instance::new("i-1"));
    for minutes in [-16, 16] {
        bench.clock.shift_wall(minutes * 60_000);
        let error = fail(&bench, &bench.credentials);
        let code = Some("InvalidTimeStamp.Expired");
        assert_error(&error, ErrorKind::Refused, code, "set the clock right");
    }
    bench.clock.shift_wall(14 * 60_000);
    let deadline = bench.deadline();
    let found = bench
        .api
        .describe_instances(REGION, &["i-1"], &bench.credentials, deadline);
    assert_eq!(found.map(|found| found.len()), Ok(1));
}

#[test]
fn throttling_says_how_long_if_the_api_does() {
    let bench = Bench::new();
    bench.cloud.fault(Fault::Throttled {
        retry_after_ms: None,
    });
    let error = fail(&bench, &bench.credentials);
    let code = Some("Throttling.User");
    assert_error(&error, UNTHROTTLED, code, "more calls of DescribeInstances");
    bench.cloud.fault(Fault::Throttled {
        retry_after_ms: Some(1500),
    });
    let retry_after = Some(Duration::from_millis(1500));
    let error = fail(&bench, &bench.credentials);
    assert_error(
        &error,
        ErrorKind::Throttled { retry_after },
        code,
        "Quota Center",
    );
    let many = Fault::Refuse {
        status: 429,
        code: "Throttling.Api".into(),
    };
    bench.cloud.fault(many);
    let error = fail(&bench, &bench.credentials);
    assert_error(&error, UNTHROTTLED, Some("Throttling.Api"), "Quota Center");
    bench.cloud.fault(Fault::Html { status: 429 });
    assert_error(
        &fail(&bench, &bench.credentials),
        UNTHROTTLED,
        None,
        "Quota Center",
    );
}

/// Whatever the status beside it.
#[test]
fn each_documented_code_has_its_kind() {
    let bench = Bench::new();
    for (code, kind) in [
        ("Forbidden.RAM", ErrorKind::Denied),
        ("Forbidden.Unauthorized", ErrorKind::Denied),
        ("NoPermission", ErrorKind::Denied),
        ("InvalidSecurityToken.Expired", ErrorKind::Expired),
        ("InvalidSecurityToken.Malformed", ErrorKind::Refused),
        ("MissingSecurityToken", ErrorKind::Refused),
        ("InvalidAccessKeyId.Inactive", ErrorKind::Refused),
        ("IncompleteSignature", ErrorKind::Refused),
        ("InvalidTimeStamp.Format", ErrorKind::Refused),
        ("SignatureNonceUsed", ErrorKind::Refused),
        ("Throttling", UNTHROTTLED),
        ("InvalidRegionId.NotFound", ErrorKind::Refused),
        ("MissingParameter", ErrorKind::Refused),
        ("InvalidParameter", ErrorKind::Refused),
        ("InternalError", ErrorKind::Unreachable),
        ("ServiceUnavailable", ErrorKind::Unreachable),
    ] {
        for status in [200, 400, 403, 404, 429, 503] {
            let code = code.to_owned();
            bench.cloud.fault(Fault::Refuse {
                status,
                code: code.clone(),
            });
            let error = fail(&bench, &bench.credentials);
            assert_error(&error, kind, Some(&code), "");
        }
    }
}

/// A page of something in between must not look like an empty list.
#[test]
fn what_is_no_answer_of_the_api_is_unreachable() {
    let bench = Bench::new();
    let html = |status| Fault::Html { status };
    for fault in [
        Fault::Garbage,
        Fault::HalfJson,
        Fault::EmptyObject,
        Fault::Empty,
        html(200),
        html(302),
        html(403),
        html(502),
    ] {
        bench.cloud.fault(fault);
        let error = fail(&bench, &bench.credentials);
        assert_error(
            &error,
            ErrorKind::Unreachable,
            None,
            "check RESOURCE_ENDPOINT",
        );
    }
    for fault in [Fault::Huge, Fault::Reset] {
        bench.cloud.fault(fault);
        let error = fail(&bench, &bench.credentials);
        assert_error(&error, ErrorKind::Unreachable, None, "RESOURCE_ENDPOINT");
    }
    bench.cloud.fault(Fault::InternalError);
    let error = fail(&bench, &bench.credentials);
    assert_error(
        &error,
        ErrorKind::Unreachable,
        Some("InternalError"),
        "of its own",
    );
}

/// Also after failures of all kinds.
#[test]
fn a_call_is_made_once() {
    let bench = Bench::new();
    let faults = [
        Fault::Reset,
        Fault::InternalError,
        Fault::Throttled {
            retry_after_ms: Some(1),
        },
        Fault::Garbage,
        Fault::Huge,
    ];
    for (at, fault) in faults.into_iter().enumerate() {
        bench.cloud.fault(fault);
        fail(&bench, &bench.credentials);
        assert_eq!(bench.cloud.calls().len(), at + 1);
    }
}

#[test]
fn a_call_ends_at_the_callers_deadline() {
    let bench = Bench::new();
    let time = Duration::from_millis(300);
    for fault in [Fault::Hang, Fault::Slow(PATIENCE * 10)] {
        bench.cloud.fault(fault);
        let deadline = bench.clock.now() + time;
        let (error, took) = fail_by(&bench, &bench.credentials, deadline);
        assert_error(&error, ErrorKind::Unreachable, None, "reach the internet");
        assert_eq!(error.detail, "waiting for the answer: the deadline came");
        assert!(took >= time / 2 && took < PATIENCE, "{took:?}");
    }
    bench.cloud.clear();
    let (error, took) = fail_by(&bench, &bench.credentials, bench.clock.now());
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(took < PATIENCE && bench.cloud.calls().is_empty());
}

#[test]
fn when_nothing_listens_the_call_fails_at_once() {
    let bench = Bench::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let endpoint = Endpoint::parse(&format!("http://{}", free.unwrap())).unwrap();
    let http = Arc::new(Client::new(bench.clock.clone(), HttpConfig::default()));
    let api = Api::new(http, bench.clock.clone(), endpoint.clone(), endpoint);
    let begun = Instant::now();
    let deadline = bench.deadline();
    let result = api.assume_role(ROLE, REGION, &bench.credentials, deadline);
    let error = result.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Unreachable,
        None,
        "RESOURCE_STS_ENDPOINT",
    );
    assert!(error.detail.starts_with("connecting: "), "{error}");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let bench = Bench::with(Cloud::start_tls().unwrap());
    let stranger = Bench::new();
    let endpoint = Endpoint::parse(&bench.cloud.endpoint()).unwrap();
    let http = Arc::new(Client::new(stranger.clock.clone(), HttpConfig::default()));
    let api = Api::new(http, stranger.clock.clone(), endpoint.clone(), endpoint);
    let deadline = stranger.deadline();
    let result = api.describe_disks(REGION, &["d-1"], &bench.credentials, deadline);
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.detail.contains("certificate"), "{error}");
    assert!(bench.cloud.calls().is_empty());
}

/// Regions and accounts come from events.
#[test]
fn what_is_no_region_or_role_makes_no_request() {
    let bench = Bench::new();
    let deadline = bench.deadline();
    let long = "a".repeat(65);
    let unasked = |error: ApiError| {
        assert_fit(&error);
        assert_error(&error, ErrorKind::Refused, None, "nothing to change");
    };
    for region in [
        "../",
        "evil.example/",
        "cn hangzhou",
        "",
        "a",
        "-cn",
        "cn-",
        "cn_hangzhou",
        "cn.hangzhou",
        "cn-hangzhou\r\nx: y",
        "cn-hangzhou&Action=x",
        "user@evil",
        "cn-hangzhou:80",
        "杭州",
        &long,
    ] {
        let (api, own) = (&bench.api, &bench.credentials);
        unasked(
            api.describe_instances(region, &["i-1"], own, deadline)
                .unwrap_err(),
        );
        unasked(
            api.describe_disks(region, &["d-1"], own, deadline)
                .unwrap_err(),
        );
        let error = api.describe_system_events(region, own, deadline);
        let error = error.unwrap_err();
        assert_error(&error, ErrorKind::Refused, None, "check RESOURCE_REGIONS");
        assert_fit(&error);
        unasked(api.assume_role(ROLE, region, own, deadline).unwrap_err());
    }
    for role in [
        "",
        "acs:ram::{account}:role/x",
        "acs:ram:::role/x",
        "acs:ram::../:role/x",
        "acs:ram::12 34:role/x",
        "acs:ram::1234:role/x&Policy=y",
    ] {
        let result = bench
            .api
            .assume_role(role, REGION, &bench.credentials, deadline);
        unasked(result.unwrap_err());
    }
    assert!(bench.cloud.calls().is_empty());
}

/// Of the role and of the assumed role: neither id nor secret nor token, whatever happens. The
/// stand-in quotes them beside a signature that does not match.
#[test]
fn no_text_holds_an_identity() {
    let bench = Bench::new();
    bench.cloud.add_role(ROLE, ACCOUNT);
    let forged = Identity {
        secret: "fAkEsEcReTfAkEsEcReT".into(),
        ..bench.identity.clone()
    };
    let (assumed, _) = bench
        .api
        .assume_role(ROLE, REGION, &bench.credentials, bench.deadline())
        .unwrap();
    let mut texts = vec![
        format!("{:?}", bench.credentials),
        format!("{assumed:?}"),
        format!("{:?}", from_environment(&forged)),
    ];
    let mut record = |credentials: &Credentials| {
        let deadline = bench.clock.now() + Duration::from_millis(200);
        let (error, _) = fail_by(&bench, credentials, deadline);
        texts.push(format!("{error:?} {error} {}", error.remedy()));
    };
    record(&temporary(&forged));
    for credentials in [&bench.credentials, &assumed] {
        for fault in [
            Fault::InternalError,
            Fault::Html { status: 200 },
            Fault::Hang,
            Fault::Reset,
            Fault::Huge,
            Fault::Garbage,
            Fault::HalfJson,
            Fault::Throttled {
                retry_after_ms: None,
            },
        ] {
            bench.cloud.fault(fault);
            record(credentials);
        }
    }
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        bench.cloud.deny(account, "ecs:DescribeInstances");
    }
    record(&bench.credentials);
    record(&assumed);
    assert_eq!(assumed.source(), Source::AssumedRole);

    // The parts, as they stand in the requests and in the answer.
    let mut secrets = vec![bench.identity.secret.clone(), forged.secret];
    for call in bench.cloud.calls() {
        let authorization = call.header("authorization").unwrap();
        let parts = authorization
            .split(['=', ','])
            .filter(|part| part.len() > 15);
        secrets.extend(parts.filter(|part| !part.contains(';')).map(str::to_owned));
        secrets.extend(call.header("x-acs-security-token").map(str::to_owned));
    }
    assert!(secrets.len() > 40);
    for text in &texts {
        for secret in &secrets {
            for part in [secret.get(..12), secret.get(secret.len() - 12..)] {
                assert!(!text.contains(part.unwrap()), "{text}");
            }
        }
    }
}
