use super::*;

/// Makes a call that `change` spoils before it is signed. Returns status and code.
fn spoilt(cloud: &Cloud, identity: &Identity, change: impl FnOnce(&mut Request)) -> (u16, String) {
    let mut spoilt = request(cloud, identity, "DescribeInstances", "RegionId=cn-hangzhou");
    change(&mut spoilt);
    let (status, body) = call(cloud, identity, spoilt);
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn identities_must_be_whole_known_and_alive() {
    let (cloud, identity) = cloud();
    let other = cloud.role_identity(OTHER_ACCOUNT);
    let token = "x-acs-security-token";
    let check = |value: &str| spoilt(&cloud, &identity, |request| set(request, token, value));
    assert_eq!(check(""), refused(400, "MissingSecurityToken"));
    let foreign = other.token.clone().unwrap();
    let mismatch = "InvalidSecurityToken.MismatchWithAccessKey";
    assert_eq!(check(&foreign), refused(400, mismatch));
    assert_eq!(
        check("made-up"),
        refused(400, "InvalidSecurityToken.Malformed")
    );

    let stranger = Identity {
        id: "STS.unknown".into(),
        ..identity.clone()
    };
    let unknown = refused(404, "InvalidAccessKeyId.NotFound");
    assert_eq!(spoilt(&cloud, &stranger, |_| {}), unknown);
    let forger = Identity {
        secret: "guess".into(),
        ..identity.clone()
    };
    assert_eq!(
        spoilt(&cloud, &forger, |_| {}),
        refused(400, "SignatureDoesNotMatch")
    );

    let key = cloud.key(ACCOUNT);
    assert_eq!(spoilt(&cloud, &key, |_| {}), (200, String::new()));
    let with_token = spoilt(&cloud, &key, |request| set(request, token, &foreign));
    assert_eq!(with_token, refused(400, mismatch));

    assert_eq!(spoilt(&cloud, &identity, |_| {}), (200, String::new()));
    cloud.expire(&identity);
    assert_eq!(
        spoilt(&cloud, &identity, |_| {}),
        refused(400, "InvalidSecurityToken.Expired")
    );
    cloud.forget(&identity);
    assert_eq!(spoilt(&cloud, &identity, |_| {}), unknown);
}

#[test]
fn signatures_must_cover_what_came() {
    let (cloud, identity) = cloud();
    let check =
        |name: &str, value: &str| spoilt(&cloud, &identity, |request| set(request, name, value)).1;
    assert_eq!(check("x-acs-content-sha256", ""), "IncompleteSignature");
    assert_eq!(
        check("x-acs-content-sha256", &EMPTY.replace('e', "f")),
        "SignatureDoesNotMatch"
    );
    assert_eq!(check("x-acs-signature-nonce", ""), "IncompleteSignature");
    assert_eq!(check("x-acs-date", ""), "IncompleteSignature");

    // What changes after it was signed.
    let changed = |change: fn(&mut Request)| {
        let mut changed = request(
            &cloud,
            &identity,
            "DescribeInstances",
            "RegionId=cn-hangzhou",
        );
        let authorization = authorize(&changed, &identity.id, &identity.secret);
        set(&mut changed, "Authorization", &authorization);
        change(&mut changed);
        parse(send(&cloud, &changed)).1["Code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mismatch = "SignatureDoesNotMatch";
    assert_eq!(
        changed(|r| r.target = "/?RegionId=cn-shanghai".into()),
        mismatch
    );
    assert_eq!(changed(|r| r.method = "GET".into()), mismatch);
    assert_eq!(changed(|r| r.body = b"x".to_vec()), mismatch);
    assert_eq!(changed(|r| set(r, "Host", "elsewhere")), mismatch);
    assert_eq!(
        changed(|r| set(r, "Content-Type", "text/plain")),
        "IncompleteSignature"
    );
    assert_eq!(
        changed(|r| set(r, "Authorization", "Bearer x")),
        "IncompleteSignature"
    );
    assert_eq!(
        changed(|r| set(r, "Authorization", "")),
        "IncompleteSignature"
    );
    // The order and the spelling of the query are free: it is brought into form.
    let parameters = "MaxResults=100&RegionId=cn-hangzhou";
    assert_eq!(
        ask(&cloud, &identity, "DescribeInstances", parameters).0,
        200
    );
    let unsorted = "RegionId=cn%2Dhangzhou&MaxResults=100";
    assert_eq!(ask(&cloud, &identity, "DescribeInstances", unsorted).0, 200);
}

#[test]
fn a_date_may_be_fifteen_minutes_off() {
    let (cloud, identity) = cloud();
    let check = |date: &str| {
        spoilt(&cloud, &identity, |request| {
            set(request, "x-acs-date", date)
        })
    };
    for date in ["2026-11-25T00:46:00Z", "2026-11-25T01:16:00Z"] {
        assert_eq!(check(date), (200, String::new()), "{date}");
    }
    for date in ["2026-11-25T00:45:59Z", "2026-11-25T01:16:01Z"] {
        assert_eq!(
            check(date),
            refused(400, "InvalidTimeStamp.Expired"),
            "{date}"
        );
    }
    for date in [
        "2026-11-25",
        "2026-11-25T01:01:00.5Z",
        "2026-11-25T09:01:00+08:00",
        "now",
    ] {
        assert_eq!(
            check(date),
            refused(400, "InvalidTimeStamp.Format"),
            "{date}"
        );
    }
}

#[test]
fn a_nonce_is_used_once() {
    let (cloud, identity) = cloud();
    let name = "x-acs-signature-nonce";
    let check = |nonce: &str| spoilt(&cloud, &identity, |request| set(request, name, nonce));
    assert_eq!(check("one"), (200, String::new()));
    assert_eq!(check("one"), refused(400, "SignatureNonceUsed"));
    assert_eq!(check("two"), (200, String::new()));
}

#[test]
fn actions_versions_and_parameters_must_be_known() {
    let (cloud, identity) = cloud();
    let code = |action: &str, query: &str| {
        let (status, body) = ask(&cloud, &identity, action, query);
        (status, body["Code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        code("StopInstances", ""),
        refused(404, "InvalidAction.NotFound")
    );
    let other_version = |request: &mut Request| set(request, "x-acs-version", "2015-04-01");
    assert_eq!(
        spoilt(&cloud, &identity, other_version),
        refused(400, "InvalidVersion")
    );
    let other_path = |request: &mut Request| request.target = "/x?RegionId=cn-hangzhou".into();
    let not_found = refused(404, "InvalidAction.NotFound");
    assert_eq!(spoilt(&cloud, &identity, other_path), not_found);

    let region = "RegionId=cn-hangzhou";
    let wrong = refused(400, "InvalidParameter");
    let many: Vec<String> = (0..101).map(|n| format!("%22i-{n}%22")).collect();
    let hundred = format!("{region}&InstanceIds=%5B{}%5D", many[1..].join("%2C"));
    let many = format!("{region}&InstanceIds=%5B{}%5D", many.join("%2C"));
    assert_eq!(code("DescribeInstances", &hundred).0, 200);
    for query in [
        format!("{region}&PageNo=1"),
        format!("{region}&{region}"),
        format!("{region}&DiskIds=%5B%5D"),
        many,
        format!("{region}&InstanceIds=i-1"),
        format!("{region}&InstanceIds=%5B1%5D"),
        format!("{region}&MaxResults=0"),
        format!("{region}&MaxResults=101"),
        format!("{region}&MaxResults=x"),
        format!("{region}&NextToken=x"),
    ] {
        assert_eq!(code("DescribeInstances", &query), wrong, "{query}");
    }
    for size in ["9", "501"] {
        let query = format!("{region}&MaxResults={size}");
        assert_eq!(code("DescribeDisks", &query), wrong);
    }
    assert_eq!(code("DescribeDisks", ""), refused(400, "MissingParameter"));
    let nowhere = refused(404, "InvalidRegionId.NotFound");
    assert_eq!(code("DescribeDisks", "RegionId=nowhere"), nowhere);
    cloud.add_region("nowhere");
    assert_eq!(code("DescribeDisks", "RegionId=nowhere").0, 200);
    let dry = format!("{region}&DryRun=true");
    assert_eq!(code("DescribeDisks", &dry), refused(400, "DryRunOperation"));
}

#[test]
fn permissions_are_taken_by_account_and_action() {
    let (cloud, identity) = cloud();
    cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    let ask = |action| ask(&cloud, &identity, action, "RegionId=cn-hangzhou");
    let (status, body) = ask("DescribeInstances");
    assert_eq!(
        (status, &body["Code"]),
        (403, &Value::from("Forbidden.RAM"))
    );
    let detail = &body["AccessDeniedDetail"];
    assert_eq!(detail["AuthAction"], "ecs:DescribeInstances");
    assert_eq!(detail["NoPermissionType"], "ImplicitDeny");
    assert_eq!(ask("DescribeDisks").0, 200);
    let other = cloud.key(OTHER_ACCOUNT);
    assert_eq!(spoilt(&cloud, &other, |_| {}).0, 200);

    cloud.set_denial_detail(false);
    assert_eq!(
        ask("DescribeInstances").1["AccessDeniedDetail"],
        Value::Null
    );
    cloud.allow(ACCOUNT, "ecs:DescribeInstances");
    assert_eq!(ask("DescribeInstances").0, 200);
}

#[test]
fn roles_must_exist_and_trust_the_caller() {
    let (cloud, identity) = cloud();
    let code = |identity: &Identity, query: &str| {
        let (status, body) = ask(&cloud, identity, "AssumeRole", query);
        (status, body["Code"].as_str().unwrap_or_default().to_owned())
    };
    let role = ROLE.replace(':', "%3A").replace('/', "%2F");
    let query = format!("RoleArn={role}&RoleSessionName=notifier");
    assert_eq!(code(&identity, &query).0, 200);
    let stranger = cloud.role_identity("1");
    assert_eq!(code(&stranger, &query), refused(403, "NoPermission"));
    let unknown = query.replace("read", "write");
    assert_eq!(
        code(&identity, &unknown),
        refused(404, "EntityNotExist.Role")
    );
    let missing = format!("RoleArn={role}");
    assert_eq!(code(&identity, &missing), refused(400, "MissingParameter"));
    for (parameter, name) in [
        ("&RoleSessionName=a", "RoleSessionName"),
        ("&RoleSessionName=a%20b", "RoleSessionName"),
        ("&RoleSessionName=ab&DurationSeconds=899", "DurationSeconds"),
        (
            "&RoleSessionName=ab&DurationSeconds=3601",
            "DurationSeconds",
        ),
        ("&RoleSessionName=ab&DurationSeconds=x", "DurationSeconds"),
    ] {
        let expected = refused(400, &format!("InvalidParameter.{name}"));
        assert_eq!(code(&identity, &format!("{missing}{parameter}")), expected);
    }
    cloud.deny(ACCOUNT, "sts:AssumeRole");
    assert_eq!(code(&identity, &query), refused(403, "NoPermission"));
}
