//! What is found.

use super::{ACCOUNT, Bench, OTHER_ACCOUNT, REGION, ROLE, from_environment};
use ecs_dingtalk_notifier::aliyun::{Disk as FoundDisk, Instance as Found, Source};
use ecs_dingtalk_notifier::clock::{Clock, to_timestamp};
use fake_aliyun::{Cloud, Disk, Fault, Instance};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Adds instances whose ids have 22 characters, as real ones.
fn add_instances(bench: &Bench, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|n| format!("i-bp1example{n:010}")).collect();
    for id in &ids {
        let instance = Instance::new(id).name(&format!("web {id}"));
        bench.cloud.add_instance(ACCOUNT, REGION, instance);
    }
    ids
}

fn describe(bench: &Bench, ids: &[String]) -> BTreeSet<String> {
    let deadline = bench.deadline();
    let found = bench
        .api
        .describe_instances(REGION, ids, &bench.credentials, deadline)
        .unwrap();
    let count = found.len();
    for instance in &found {
        let expected = format!("web {}", instance.id);
        assert_eq!(instance.name.as_deref(), Some(expected.as_str()));
    }
    let ids: BTreeSet<String> = found.into_iter().map(|instance| instance.id).collect();
    assert_eq!(ids.len(), count);
    ids
}

#[test]
fn an_instance_is_found_with_all_that_is_shown() {
    let bench = Bench::new();
    let instance = Instance::new("i-1")
        .name("shop-web-01")
        .private(&["192.0.2.10"])
        .public(&["203.0.113.7"])
        .elastic("198.51.100.20")
        .tag("owner", "团队 a+b")
        .paid_until("2027-01-31T16:00Z")
        .with("ResourceGroupId", json!("rg-1"));
    bench.cloud.add_instance(ACCOUNT, REGION, instance);
    // What the classic network shows, with as little as can be shown.
    let classic = Instance::new("i-2")
        .without("VpcAttributes")
        .without("ZoneId")
        .without("InstanceType")
        .without("PublicIpAddress")
        .with("InnerIpAddress", json!({ "IpAddress": ["10.0.0.7"] }));
    bench.cloud.add_instance(ACCOUNT, REGION, classic);

    let deadline = bench.deadline();
    let mut found = bench
        .api
        .describe_instances(
            REGION,
            &["i-1", "i-2", "i-gone"],
            &bench.credentials,
            deadline,
        )
        .unwrap();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let expected = Found {
        id: "i-1".into(),
        name: Some("shop-web-01".into()),
        private_addresses: vec!["192.0.2.10".into()],
        public_addresses: vec!["203.0.113.7".into(), "198.51.100.20".into()],
        instance_type: Some("ecs.g7.large".into()),
        zone: Some("cn-hangzhou-h".into()),
        tags: vec![("owner".into(), "团队 a+b".into())],
        resource_group: Some("rg-1".into()),
        expires: Some("2027-01-31T16:00:00Z".parse().unwrap()),
    };
    let classic = Found {
        id: "i-2".into(),
        private_addresses: vec!["10.0.0.7".into()],
        ..Found::default()
    };
    assert_eq!(found, [expected, classic]);
}

/// The stand-in refuses what is not signed, so these requests are right as a whole.
#[test]
fn a_request_is_a_signed_post_without_a_body() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 2);
    for _ in 0..3 {
        describe(&bench, &ids);
    }
    let calls = bench.cloud.calls();
    let host = bench.cloud.endpoint().replace("http://", "");
    for call in &calls {
        assert_eq!(
            (call.method.as_str(), call.body_length, call.status),
            ("POST", 0, 200)
        );
        let header = |name| call.header(name).unwrap_or_default();
        assert_eq!(header("host"), host);
        assert_eq!(header("accept"), "application/json");
        assert_eq!(header("x-acs-action"), "DescribeInstances");
        assert_eq!(header("content-length"), "0");
        for absent in ["content-type", "transfer-encoding"] {
            assert_eq!(call.header(absent), None, "{absent}");
        }
        let mut names: Vec<String> = call.headers.iter().map(|(n, _)| n.to_lowercase()).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
        // The text that is signed is the text in the request line: sorted, and encoded once.
        let expected = format!(
            "/?InstanceIds=%5B%22{}%22%2C%22{}%22%5D&MaxResults=100&RegionId=cn-hangzhou",
            ids[0], ids[1]
        );
        assert_eq!(call.target, expected);
    }
    let nonces: BTreeSet<_> = calls
        .iter()
        .map(|call| call.header("x-acs-signature-nonce"))
        .collect();
    assert_eq!(nonces.len(), 3);
    assert!(calls.iter().all(|call| call.connection == 1));
}

#[test]
fn up_to_a_hundred_ids_take_one_call() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 101);
    for (count, calls) in [(0, 0), (1, 1), (11, 1), (100, 1), (101, 2)] {
        let asked = &ids[..count];
        assert_eq!(
            describe(&bench, asked),
            asked.iter().cloned().collect(),
            "{count}"
        );
        assert_eq!(bench.cloud.calls().len(), calls, "{count}");
        bench.cloud.clear();
    }
    // One that stands there twice is asked for once.
    let twice = [ids[0].clone(), ids[0].clone()];
    describe(&bench, &twice);
    assert_eq!(bench.cloud.calls()[0].ids, ids[..1]);
}

/// As much as the client's buffer for a line of a request must hold.
#[test]
fn the_longest_ids_fit_into_one_request() {
    let bench = Bench::new();
    let ids: Vec<String> = (0..100).map(|n| format!("{n:064}")).collect();
    for id in &ids {
        let instance = Instance::new(id).name(&format!("web {id}"));
        bench.cloud.add_instance(ACCOUNT, REGION, instance);
    }
    assert_eq!(describe(&bench, &ids).len(), 100);
    assert_eq!(bench.cloud.calls().len(), 1);
}

#[test]
fn what_cannot_be_an_id_is_not_asked_for() {
    let bench = Bench::new();
    let mut ids = add_instances(&bench, 1);
    let long = "i".repeat(65);
    ids.extend(["", "i-1\"]", "i 1", "../", "实例", "a&b=c", &long].map(str::to_owned));
    assert_eq!(describe(&bench, &ids).len(), 1);
    assert_eq!(bench.cloud.calls()[0].ids, ids[..1]);
    assert!(describe(&bench, &ids[1..]).is_empty());
    assert_eq!(bench.cloud.calls().len(), 1);
}

#[test]
fn pages_are_followed_to_their_end_or_to_a_bound() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 25);
    bench.cloud.set_page_size(10);
    assert_eq!(describe(&bench, &ids).len(), 25);
    assert_eq!(bench.cloud.calls().len(), 3);
    bench.cloud.clear();

    // A list without an end, of which all that was asked for is on the first page.
    bench.cloud.fault(Fault::EndlessPages);
    assert_eq!(describe(&bench, &ids[..3]).len(), 3);
    assert_eq!(bench.cloud.calls().len(), 1);
    bench.cloud.clear();

    // A list without an end, of which something is missing.
    bench.cloud.set_standing_fault(Some(Fault::EndlessPages));
    let with_unknown = [&ids[..1], &["i-gone".to_owned()]].concat();
    assert_eq!(describe(&bench, &with_unknown).len(), 1);
    assert!((2..=10).contains(&bench.cloud.calls().len()));
}

#[test]
fn what_was_not_asked_for_is_ignored() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 2);
    bench.cloud.fault(Fault::Foreign);
    assert_eq!(describe(&bench, &ids), ids.iter().cloned().collect());
}

#[test]
fn members_in_lower_case_are_read() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 2);
    bench.cloud.fault(Fault::LowerCase);
    assert_eq!(describe(&bench, &ids).len(), 2);
}

#[test]
fn the_released_and_the_foreign_are_absent() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 2);
    bench.cloud.release(&ids[0]);
    assert_eq!(describe(&bench, &ids), BTreeSet::from([ids[1].clone()]));
    let deadline = bench.deadline();
    let elsewhere = bench
        .api
        .describe_instances("cn-shanghai", &ids, &bench.credentials, deadline);
    assert_eq!(elsewhere, Ok(Vec::new()));
}

#[test]
fn a_disk_is_found_with_its_instances() {
    let bench = Bench::new();
    let disk = Disk::new("d-1").name("shop-db").attached(&["i-1"]);
    bench
        .cloud
        .add_disk(ACCOUNT, REGION, disk.tag("owner", "db"));
    bench
        .cloud
        .add_disk(ACCOUNT, REGION, Disk::new("d-2").attached(&["i-1", "i-2"]));
    bench.cloud.add_disk(ACCOUNT, REGION, Disk::new("d-3"));
    let deadline = bench.deadline();
    let ids = ["d-1", "d-2", "d-3", "d-gone"];
    let mut found = bench
        .api
        .describe_disks(REGION, &ids, &bench.credentials, deadline)
        .unwrap();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let disk = |id: &str, instances: &[&str]| FoundDisk {
        id: id.into(),
        instance_ids: instances.iter().map(|id| (*id).to_owned()).collect(),
        ..FoundDisk::default()
    };
    let named = FoundDisk {
        name: Some("shop-db".into()),
        tags: vec![("owner".into(), "db".into())],
        ..disk("d-1", &["i-1"])
    };
    assert_eq!(
        found,
        [named, disk("d-2", &["i-1", "i-2"]), disk("d-3", &[])]
    );
}

#[test]
fn another_account_is_asked_with_its_role() {
    let bench = Bench::new();
    bench.cloud.add_role(ROLE, ACCOUNT);
    let instance = Instance::new("i-other").name("theirs");
    bench.cloud.add_instance(OTHER_ACCOUNT, REGION, instance);
    let deadline = bench.deadline();
    let (assumed, end) = bench
        .api
        .assume_role(ROLE, REGION, &bench.credentials, deadline)
        .unwrap();
    assert_eq!(assumed.source(), Source::AssumedRole);
    let hour = end.duration_since(to_timestamp(bench.clock.wall()));
    assert!((3595..=3600).contains(&hour.as_secs()), "{end}");
    let ids = ["i-other"];
    let found = bench
        .api
        .describe_instances(REGION, &ids, &assumed, deadline)
        .unwrap();
    assert_eq!(found[0].name.as_deref(), Some("theirs"));
    // The function's own identity does not see it.
    let own = bench
        .api
        .describe_instances(REGION, &ids, &bench.credentials, deadline);
    assert_eq!(own, Ok(Vec::new()));
    let calls = bench.cloud.calls();
    assert_eq!(calls[0].role.as_deref(), Some(ROLE));
    assert_eq!(calls[1].account.as_deref(), Some(OTHER_ACCOUNT));
}

#[test]
fn keys_of_the_environment_serve_with_and_without_a_token() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 1);
    for identity in [bench.cloud.key(ACCOUNT), bench.cloud.role_identity(ACCOUNT)] {
        let credentials = from_environment(&identity);
        let deadline = bench.deadline();
        let found = bench
            .api
            .describe_instances(REGION, &ids, &credentials, deadline);
        assert_eq!(found.map(|found| found.len()), Ok(1));
        let last = bench.cloud.calls().pop().unwrap();
        assert_eq!(
            last.header("x-acs-security-token"),
            identity.token.as_deref()
        );
    }
}

#[test]
fn tls_is_verified_against_the_given_authority() {
    let bench = Bench::with(Cloud::start_tls().unwrap());
    let ids = add_instances(&bench, 1);
    assert_eq!(describe(&bench, &ids).len(), 1);
    let host = bench.cloud.endpoint().replace("https://", "");
    assert_eq!(bench.cloud.calls()[0].header("host"), Some(host.as_str()));
}

#[test]
fn a_slow_answer_in_time_is_an_answer() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 1);
    bench.cloud.fault(Fault::Slow(Duration::from_millis(50)));
    assert_eq!(describe(&bench, &ids).len(), 1);
}

/// The signature is that of the time that the clock says.
#[test]
fn a_call_is_dated_by_the_clock() {
    let bench = Bench::new();
    let ids = add_instances(&bench, 1);
    let later = Duration::from_secs(3600);
    bench.clock.shift_wall(3_600_000);
    bench.cloud.advance(later);
    assert_eq!(describe(&bench, &ids).len(), 1);
    let date = bench.cloud.calls()[0]
        .header("x-acs-date")
        .unwrap()
        .to_owned();
    let date: jiff::Timestamp = date.parse().unwrap();
    let off = date.duration_since(to_timestamp(bench.clock.wall()));
    assert!(off.as_secs().abs() <= 5, "{date}");
}
