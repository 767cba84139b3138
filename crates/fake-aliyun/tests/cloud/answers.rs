use super::*;
use serde_json::json;

#[test]
fn instances_are_listed_by_id_in_another_order() {
    let (cloud, identity) = cloud();
    let query = "RegionId=cn-hangzhou&InstanceIds=%5B%22i-1%22%2C%22i-2%22%2C%22i-99%22%5D";
    let (status, body) = ask(&cloud, &identity, "DescribeInstances", query);
    assert_eq!((status, &body["TotalCount"]), (200, &json!(2)), "{body}");
    let mut found = ids(&body, "/Instances/Instance", "InstanceId");
    found.sort();
    assert_eq!(found, ["i-1", "i-2"]);
    let shown = &body["Instances"]["Instance"][0];
    assert_eq!(
        (&shown["InstanceName"], &shown["RegionId"]),
        (&json!("web"), &json!(REGION))
    );
    assert_eq!(shown["Tags"]["Tag"][0]["TagValue"], "shop");

    let all = "RegionId=cn-hangzhou&MaxResults=100";
    let (_, body) = ask(&cloud, &identity, "DescribeInstances", all);
    let found = ids(&body, "/Instances/Instance", "InstanceId");
    let mut sorted = found.clone();
    sorted.sort();
    assert!(found.len() == 12 && found != sorted, "{found:?}");
}

#[test]
fn the_eleventh_is_on_the_next_page() {
    let (cloud, identity) = cloud();
    let pages = |action, parameters: &str, path: &str, id: &str| {
        let mut found = Vec::new();
        let mut sizes = Vec::new();
        let mut token = String::new();
        loop {
            let query = format!("RegionId=cn-hangzhou{parameters}{token}");
            let (status, body) = ask(&cloud, &identity, action, &query);
            assert_eq!(status, 200, "{body}");
            let page = ids(&body, path, id);
            sizes.push(page.len());
            found.extend(page);
            let next = body["NextToken"].as_str().unwrap();
            if next.is_empty() {
                found.sort();
                found.dedup();
                return (found.len(), sizes);
            }
            token = format!(
                "&NextToken={}",
                next.replace('+', "%2B").replace('=', "%3D")
            );
        }
    };
    let instances = |parameters| {
        pages(
            "DescribeInstances",
            parameters,
            "/Instances/Instance",
            "InstanceId",
        )
    };
    assert_eq!(instances(""), (12, vec![10, 2]));
    assert_eq!(instances("&MaxResults=1"), (12, vec![10, 2]));
    assert_eq!(instances("&MaxResults=100"), (12, vec![12]));
    cloud.set_page_size(5);
    assert_eq!(instances("&MaxResults=100"), (12, vec![5, 5, 2]));
    assert_eq!(
        pages("DescribeDisks", "", "/Disks/Disk", "DiskId"),
        (2, vec![2])
    );
}

#[test]
fn a_fleet_is_that_of_its_account_and_region() {
    let (cloud, identity) = cloud();
    let other = cloud.key(OTHER_ACCOUNT);
    let count = |identity: &Identity, region: &str| {
        let query = format!("RegionId={region}");
        ask(&cloud, identity, "DescribeInstances", &query).1["TotalCount"].clone()
    };
    assert_eq!(count(&identity, "cn-hangzhou"), 12);
    assert_eq!(count(&identity, "cn-shanghai"), 0);
    assert_eq!(count(&other, "cn-hangzhou"), 0);
    cloud.release("i-1");
    assert_eq!(count(&identity, "cn-hangzhou"), 11);
    cloud.add_instance(OTHER_ACCOUNT, "cn-new-1", Instance::new("i-1"));
    assert_eq!(count(&other, "cn-new-1"), 1);
    let empty = "RegionId=cn-hangzhou&InstanceIds=%5B%5D";
    let (_, body) = ask(&cloud, &identity, "DescribeInstances", empty);
    assert_eq!(body["TotalCount"], 0);
}

#[test]
fn disks_show_their_instances() {
    let (cloud, identity) = cloud();
    let shown = |id: &str| {
        let query = format!("DiskIds=%5B%22{id}%22%5D&RegionId=cn-hangzhou");
        let (status, body) = ask(&cloud, &identity, "DescribeDisks", &query);
        assert_eq!(status, 200, "{body}");
        body["Disks"]["Disk"][0].clone()
    };
    assert_eq!(shown("d-1")["InstanceId"], "i-1");
    assert_eq!(shown("d-2")["InstanceId"], "");
    assert_eq!(
        shown("d-2")["Attachments"]["Attachment"][1]["InstanceId"],
        "i-2"
    );
}

#[test]
fn an_assumed_role_sees_its_own_account_until_it_ends() {
    let (cloud, identity) = cloud();
    cloud.add_instance(OTHER_ACCOUNT, REGION, Instance::new("i-other"));
    let query = format!(
        "DurationSeconds=900&RoleArn={}&RoleSessionName=notifier",
        ROLE.replace(':', "%3A").replace('/', "%2F")
    );
    let (status, body) = ask(&cloud, &identity, "AssumeRole", &query);
    assert_eq!(status, 200, "{body}");
    let given = &body["Credentials"];
    assert_eq!(given["Expiration"], "2026-11-25T01:16:00Z");
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let assumed = Identity {
        id: text("AccessKeyId"),
        secret: text("AccessKeySecret"),
        token: Some(text("SecurityToken")),
        account: OTHER_ACCOUNT.to_owned(),
    };
    let ask_again = || {
        ask(
            &cloud,
            &assumed,
            "DescribeInstances",
            "RegionId=cn-hangzhou",
        )
    };
    assert_eq!(
        ids(&ask_again().1, "/Instances/Instance", "InstanceId"),
        ["i-other"]
    );
    cloud.advance(Duration::from_secs(900));
    assert_eq!(ask_again().1["Code"], "InvalidSecurityToken.Expired");
}

#[test]
fn calls_are_recorded_and_counted() {
    let (cloud, identity) = cloud();
    let query = "RegionId=cn-hangzhou&InstanceIds=%5B%22i-1%22%5D";
    ask(&cloud, &identity, "DescribeInstances", query);
    ask(&cloud, &identity, "DescribeDisks", "RegionId=nowhere");
    let calls = cloud.wait_for_calls(2, Duration::from_secs(5));
    let [first, second] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (first.action.as_str(), first.status),
        ("DescribeInstances", 200)
    );
    assert_eq!(first.region.as_deref(), Some(REGION));
    assert_eq!(
        (first.ids.as_slice(), &first.code),
        (&["i-1".to_owned()][..], &None)
    );
    assert_eq!(first.account.as_deref(), Some(ACCOUNT));
    assert_eq!(first.header("X-Acs-Version"), Some("2014-05-26"));
    assert_eq!(
        (second.status, second.code.as_deref()),
        (404, Some("InvalidRegionId.NotFound"))
    );
    assert_eq!(cloud.calls_of("DescribeDisks").len(), 1);
    cloud.clear();
    assert!(cloud.calls().is_empty());
}

#[test]
fn with_tls_there_is_an_authority() {
    let cloud = Cloud::start_tls().unwrap();
    assert!(cloud.endpoint().starts_with("https://localhost:"));
    assert!(cloud.ca_pem().unwrap().contains("BEGIN CERTIFICATE"));
    assert_eq!(Cloud::start().ca_pem(), None);
}
