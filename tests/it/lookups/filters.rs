//! Filters see what was found out. What they can decide without costs no call.

use super::{ACCOUNT, REGION, bench, elsewhere, handle, stopped, vars};
use crate::support::{Bench, FALLBACK_TOKEN, TOKEN, group};
use fake_aliyun::{Cloud, Fault, Instance};
use fake_dingtalk::Group;
use serde_json::{Value, json};

const ID: &str = "i-bp1a";

/// A cloud whose instance is called `shop-web-01` and has the tag `env=prod`.
fn cloud() -> Cloud {
    let cloud = Cloud::start();
    let instance = Instance::new(ID).name("shop-web-01").tag("env", "prod");
    cloud.add_instance(ACCOUNT, REGION, instance);
    cloud.add_instance(ACCOUNT, REGION, Instance::new("i-bp1b").name("batch-01"));
    cloud
}

/// A bench with a second route, which has a chatbot of its own.
fn two_routes(group: &Group, cloud: &Cloud, more: &[(&str, &str)]) -> Bench {
    let webhook = group.webhook(FALLBACK_TOKEN);
    let mut all = vec![
        ("DINGTALK_WEBHOOK__B", webhook.as_str()),
        ("EVENT_LEVELS__B", "INFO"),
    ];
    all.extend(more);
    bench(group, cloud, &all)
}

/// `outcome rule` of an event on each route.
fn decided(bench: &Bench, event: &Value) -> Vec<String> {
    let (result, answer) = bench.handle(&event.to_string());
    assert_eq!(result, Ok(()));
    let routes = answer["events"][0]["routes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    routes
        .map(|route| format!("{} {}", text(&route["outcome"]), text(&route["rule"])))
        .collect()
}

#[test]
fn each_route_filters_by_tags_and_looked_up_names() {
    for (more, prod, batch) in [
        (
            &[
                ("EVENT_TAGS", "env=prod"),
                ("EVENT_TAGS_EXCLUDE__B", "ENV=pr*"),
            ][..],
            ["delivered EVENT_LEVELS", "filtered EVENT_TAGS_EXCLUDE__B"],
            ["filtered EVENT_TAGS", "delivered EVENT_LEVELS__B"],
        ),
        (
            &[
                ("EVENT_TAGS", "env=test"),
                ("EVENT_TAGS__B", "team=*,env=*"),
            ],
            ["filtered EVENT_TAGS", "delivered EVENT_LEVELS__B"],
            // Found without tags, it is known to have none.
            ["filtered EVENT_TAGS", "filtered EVENT_TAGS__B"],
        ),
        (
            &[
                ("EVENT_RESOURCES", "shop-*"),
                ("EVENT_RESOURCES_EXCLUDE__B", "shop-*"),
            ],
            [
                "delivered EVENT_LEVELS",
                "filtered EVENT_RESOURCES_EXCLUDE__B",
            ],
            ["filtered EVENT_RESOURCES", "delivered EVENT_LEVELS__B"],
        ),
    ] {
        let (group, cloud) = (group(), cloud());
        let bench = two_routes(&group, &cloud, more);
        assert_eq!(decided(&bench, &stopped(ID)), prod, "{more:?}");
        assert_eq!(decided(&bench, &stopped("i-bp1b")), batch, "{more:?}");
        let shown = |token: &str| {
            let shown = group.deliveries().into_iter();
            shown.filter(|shown| shown.token == token).count()
        };
        let count = |n: usize| {
            let both = [prod[n], batch[n]].into_iter();
            both.filter(|decision| decision.starts_with("delivered"))
                .count()
        };
        assert_eq!((shown(TOKEN), shown(FALLBACK_TOKEN)), (count(0), count(1)));
        // Both routes see one look-up.
        assert_eq!(cloud.calls().len(), 2, "{more:?}");
    }
}

#[test]
fn when_the_api_is_down_tags_hide_no_event() {
    let more = [
        ("EVENT_TAGS", "env=prod"),
        ("EVENT_TAGS_EXCLUDE__B", "env=prod"),
    ];
    let both = ["delivered EVENT_LEVELS", "delivered EVENT_LEVELS__B"];
    let (group, cloud) = (group(), cloud());
    let bench = two_routes(&group, &cloud, &more);
    for fault in [
        Fault::InternalError,
        Fault::Reset,
        Fault::Garbage,
        Fault::EmptyObject,
        Fault::Refuse {
            status: 400,
            code: "SignatureDoesNotMatch".into(),
        },
    ] {
        cloud.set_standing_fault(Some(fault.clone()));
        assert_eq!(decided(&bench, &stopped(ID)), both, "{fault:?}");
        bench.clock.advance(std::time::Duration::from_secs(20));
    }
    // Nor without an identity, without permission, or for who is unknown.
    cloud.set_standing_fault(None);
    assert_eq!(decided(&bench, &stopped("i-bp1c")), both);
    cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    assert_eq!(decided(&bench, &stopped(ID)), both);
    let bench = Bench {
        credentials: None,
        ..bench
    };
    assert_eq!(decided(&bench, &stopped(ID)), both);
}

#[test]
fn what_no_route_takes_anyway_costs_no_call() {
    let event = stopped(ID);
    for (more, rule) in [
        (("EVENT_EXCLUDE", "Instance:StateChange*"), "EVENT_EXCLUDE"),
        (("EVENT_LEVELS", "CRITICAL"), "EVENT_LEVELS"),
        (("EVENT_REGIONS", "cn-beijing"), "EVENT_REGIONS"),
        (("EVENT_ACCOUNTS", "1"), "EVENT_ACCOUNTS"),
    ] {
        let (group, cloud) = (group(), cloud());
        let bench = bench(&group, &cloud, &[more, ("EVENT_TAGS", "env=prod")]);
        assert_eq!(decided(&bench, &event), [format!("filtered {rule}")]);
        let line = bench.lines.all().remove(0);
        assert!(line.get("lookup").is_none(), "{line}");
        assert!(cloud.calls().is_empty(), "{rule}");
        // Another route that may take it asks, and so it is known on both.
        let bench = two_routes(&group, &cloud, &[more]);
        let decided = decided(&bench, &event);
        assert_eq!(decided[0], format!("filtered {rule}"));
        assert_eq!(cloud.calls().len(), 1, "{rule}");
    }
}

#[test]
fn of_a_payload_only_what_may_be_sent_is_asked_for() {
    let (group, cloud) = (group(), cloud());
    let bench = bench(&group, &cloud, &[("EVENT_REGIONS", REGION)]);
    let other = elsewhere(&stopped("i-bp1b"), "cn-beijing", ACCOUNT);
    let lines = handle(&bench, &[stopped(ID), other]);
    assert_eq!(lines[0]["lookup"], "found");
    assert!(lines[1].get("lookup").is_none());
    let [call] = cloud.calls().try_into().unwrap();
    assert_eq!(call.ids, [ID]);
}

/// It would filter nothing, or everything.
#[test]
fn tags_need_look_ups() {
    let (group, cloud) = (group(), cloud());
    let off = ("RESOURCE_LOOKUP", "off");
    for name in [
        "EVENT_TAGS",
        "EVENT_TAGS_EXCLUDE",
        "MESSAGE_TAGS",
        "DINGTALK_AT_TAG",
    ] {
        let vars = vars(&group, &cloud.endpoint(), &[off, (name, "env")]);
        let faults = ecs_dingtalk_notifier::config::Config::from_vars(vars).unwrap_err();
        let told: Vec<Value> = faults.iter().map(|fault| json!(fault.variable)).collect();
        assert!(told.contains(&json!(name)), "{name}: {told:?}");
    }
}
