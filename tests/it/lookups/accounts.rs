//! Resources of other accounts, and what must never become part of a request.

use super::{
    ACCOUNT, OTHER_ACCOUNT, REGION, Stage, bench, elsewhere, handle, outcomes, stopped, unique,
    vars,
};
use crate::support::{Bench, group};
use ecs_dingtalk_notifier::event;
use fake_aliyun::{Cloud, Instance};
use fake_dingtalk::Behaviour;
use serde_json::{Value, json};
use std::time::Duration;

const ID: &str = "i-bp1a";
const ROLE: (&str, &str) = ("RESOURCE_ROLE", "acs:ram::{account}:role/reader");

/// A cloud with an instance in another account, whose role trusts the function's.
fn cloud() -> Cloud {
    let cloud = Cloud::start();
    add(&cloud, ID);
    let arn = format!("acs:ram::{OTHER_ACCOUNT}:role/reader");
    cloud.add_role(&arn, ACCOUNT);
    cloud
}

fn add(cloud: &Cloud, id: &str) {
    let instance = Instance::new(id).name("of-another");
    cloud.add_instance(OTHER_ACCOUNT, REGION, instance);
}

fn theirs(id: &str) -> Value {
    elsewhere(&stopped(id), REGION, OTHER_ACCOUNT)
}

#[test]
fn another_accounts_instance_is_found_with_its_role() {
    let (group, cloud) = (group(), cloud());
    add(&cloud, "i-bp1b");
    let bench = bench(&group, &cloud, &[ROLE]);
    for id in [ID, "i-bp1b"] {
        let line = handle(&bench, &[theirs(id)]).remove(0);
        assert_eq!(line["lookup"], "found", "{line}");
        assert_eq!(line["resourceName"], "of-another");
        assert_eq!(line["account"], OTHER_ACCOUNT);
    }
    let actions: Vec<String> = (cloud.calls().into_iter().map(|call| call.action)).collect();
    let expected = ["AssumeRole", "DescribeInstances", "DescribeInstances"];
    assert_eq!(actions, expected);
    let described = cloud.calls_of("DescribeInstances");
    assert_eq!(described[0].account.as_deref(), Some(OTHER_ACCOUNT));
}

/// The same id in two accounts is two resources.
#[test]
fn accounts_are_kept_apart() {
    let (group, cloud) = (group(), cloud());
    cloud.add_instance(ACCOUNT, REGION, Instance::new(ID).name("our-own"));
    let bench = bench(&group, &cloud, &[ROLE]);
    for _ in 0..2 {
        let lines = handle(&bench, &[stopped(ID), theirs(ID)]);
        assert_eq!(lines[0]["resourceName"], "our-own");
        assert_eq!(lines[1]["resourceName"], "of-another");
    }
    assert_eq!(cloud.calls_of("DescribeInstances").len(), 2);
    assert_eq!(cloud.calls_of("AssumeRole").len(), 1);
}

#[test]
fn a_role_is_assumed_anew_five_minutes_before_its_end() {
    let (group, cloud) = (group(), cloud());
    let bench = bench(&group, &cloud, &[ROLE]);
    // It is given for an hour. What was found counts for ten minutes, so each call is a new one.
    for (minutes, assumed) in [(0, 1), (43, 1), (13, 2)] {
        let time = Duration::from_secs(minutes * 60);
        bench.clock.advance(time);
        cloud.advance(time);
        let lines = handle(&bench, &[theirs(ID)]);
        assert_eq!(lines[0]["lookup"], "found");
        assert_eq!(cloud.calls_of("AssumeRole").len(), assumed, "{minutes}");
    }
}

#[test]
fn without_a_role_another_account_is_not_asked() {
    let (group, cloud) = (group(), cloud());
    let bench = bench(&group, &cloud, &[]);
    let line = handle(&bench, &[theirs(ID)]).remove(0);
    assert_eq!(line["outcome"], "delivered");
    assert!(line.get("lookup").is_none(), "{line}");
    assert!(cloud.calls().is_empty());
}

#[test]
fn when_the_role_cannot_be_assumed_the_line_says_why() {
    let own = "allow the function's role sts:AssumeRole on the role of RESOURCE_ROLE";
    type Change = fn(&Stage);
    let cases: [(Change, &str, &str, usize); 4] = [
        (
            |stage| stage.cloud.deny(ACCOUNT, "sts:AssumeRole"),
            "NoPermission",
            own,
            1,
        ),
        (|_| {}, "EntityNotExist.Role", "check RESOURCE_ROLE", 2),
        (
            |stage| {
                let arn = format!("acs:ram::{OTHER_ACCOUNT}:role/reader");
                stage.cloud.add_role(&arn, "1");
            },
            "NoPermission",
            own,
            1,
        ),
        (
            |stage| {
                let arn = format!("acs:ram::{OTHER_ACCOUNT}:role/reader");
                stage.cloud.add_role(&arn, ACCOUNT);
                stage.cloud.deny(OTHER_ACCOUNT, "ecs:DescribeInstances");
            },
            "Forbidden.RAM",
            "allow the role of RESOURCE_ROLE, in the resource's account, ecs:DescribeInstances",
            1,
        ),
    ];
    for (change, code, remedy, assumed) in cases {
        let mut stage = Stage::new(&[ROLE]);
        change(&stage);
        for (n, id) in [ID, "i-bp1b"].into_iter().enumerate() {
            let answer = stage.invoke(&[theirs(id)]).success();
            assert_eq!(outcomes(&answer), ["delivered"]);
            assert_eq!(stage.line(n)["lookup"], "denied");
        }
        assert_eq!(stage.cloud.calls_of("AssumeRole").len(), assumed, "{code}");
        let complaints = stage.complaints();
        assert_eq!(complaints.len(), 2);
        for line in complaints {
            assert!(line.contains(code) && line.contains(remedy), "{line}");
            for account in [ACCOUNT, OTHER_ACCOUNT] {
                assert!(!line.contains(account), "{line}");
            }
        }
    }
}

/// It would become part of a host's name or of a role's.
#[test]
fn a_region_or_account_that_is_none_reaches_nobody() {
    let (group, cloud) = (group(), cloud());
    group.set_behaviour(Behaviour {
        throttling: false,
        ..Behaviour::default()
    });
    let bench = bench(&group, &cloud, &[ROLE]);
    let strange = [
        "../",
        "evil.example/",
        "evil.example",
        "cn hangzhou",
        "cn-hangzhou.evil.example",
        "cn-hangzhou\r\nx: y",
        "-cn-hangzhou",
        "cn-hangzhou-",
        "cn_hangzhou",
        "{region}",
        "@evil.example",
        "cn-hangzhou#",
        "cn-hangzhou?x=",
        "华东1",
        "*",
        "",
    ];
    let accounts = [
        "1;x",
        "../",
        "1 2",
        "{account}",
        "acs:ram::1",
        "1/role",
        "１２３",
    ];
    let regions = strange.iter().map(|region| (*region, OTHER_ACCOUNT));
    let accounts = accounts.iter().map(|account| (REGION, *account));
    let mut told = 0;
    for (region, account) in regions.chain(accounts) {
        // As an ARN, and beside it.
        let in_arn = elsewhere(&stopped(ID), region, account);
        let mut beside = in_arn.clone();
        beside.as_object_mut().unwrap().remove("subject");
        let mut in_data = beside.clone();
        in_data["data"]["regionId"] = json!(region);
        for mut event in [in_arn, beside, in_data] {
            event["id"] = json!(unique());
            let parsed = event::parse(event.to_string().as_bytes()).events.remove(0);
            let (own_region, own_account) = (parsed.region.as_deref(), parsed.account.as_deref());
            told += usize::from((own_region, own_account) == (Some(region), Some(account)));
            let line = handle(&bench, &[event]).remove(0);
            assert_eq!(line["outcome"], "delivered", "{region:?} {account:?}");
            assert!(
                line.get("lookup").is_none(),
                "{region:?} {account:?}: {line}"
            );
            // Chatbots have a pace.
            bench.clock.advance(std::time::Duration::from_secs(10));
        }
        assert!(cloud.calls().is_empty(), "{region:?} {account:?}");
    }
    // The strange ones did come from the events.
    assert!(told > 60, "{told}");
}

/// Then every event may be of the function's own account.
#[test]
fn when_the_own_account_is_not_known_all_are_asked_as_its_own() {
    let (group, cloud) = (group(), cloud());
    cloud.add_instance(ACCOUNT, REGION, Instance::new(ID).name("our-own"));
    let mut vars = vars(&group, &cloud.endpoint(), &[ROLE]);
    vars.retain(|(name, _)| name != "FC_ACCOUNT_ID");
    let with_identity = bench(&group, &cloud, &[]);
    let bench = Bench {
        credentials: with_identity.credentials,
        ..Bench::new(&super::borrowed(&vars))
    };
    let lines = handle(&bench, &[stopped(ID), theirs("i-bp1z")]);
    assert_eq!(lines[0]["lookup"], "found");
    assert_eq!(lines[1]["lookup"], "absent");
    assert_eq!(cloud.calls().len(), 1);
}

/// The platform's header says whose function it is.
#[test]
fn the_header_tells_the_functions_account() {
    let stage = Stage::new(&[("FC_ACCOUNT_ID", "")]);
    stage.add([ID]);
    let call = |event: Value| {
        let call = stage.call(&[event]).header("x-fc-account-id", ACCOUNT);
        stage.instance.caller().call(&call).success()
    };
    call(stopped(ID));
    call(theirs(ID));
    assert_eq!(stage.line(0)["lookup"], "found");
    assert!(stage.line(1).get("lookup").is_none());
    assert_eq!(stage.cloud.calls().len(), 1);
}
