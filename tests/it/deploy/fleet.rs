//! Many accounts and regions: `deploy/forwarder.yml` and `deploy/hub.yml`, as stacks with values.

use super::stack::Stack;
use super::{pattern, ros, s_props, yaml};
use crate::samples::{REBOOT, sample};
use ecs_dingtalk_notifier::event;
use serde_json::{Value, json};

const FORWARDER: &str = "deploy/forwarder.yml";
const HUB: &str = "deploy/hub.yml";
const HUB_ACCOUNT: &str = "1000000000000001";
const MEMBER: &str = "1000000000000002";
const STRANGER: &str = "1000000000000003";
const HUB_REGION: &str = "cn-hangzhou";

fn forwarder(account: &str, region: &str, more: Value) -> Stack {
    let mut given = json!({"HubAccount": HUB_ACCOUNT, "HubRegion": HUB_REGION});
    let more = more.as_object().unwrap().clone();
    given.as_object_mut().unwrap().extend(more);
    Stack::new(FORWARDER, account, region, given)
}

fn hub(accounts: &str) -> Stack {
    let given = json!({"SourceAccounts": accounts, "AlarmContactGroup": "operations"});
    Stack::new(HUB, HUB_ACCOUNT, HUB_REGION, given)
}

/// Returns the parameters of a rule's only target, by name.
fn parameters(rule: &Value) -> Value {
    let list = rule["Targets"][0]["ParamList"].as_array().unwrap();
    for parameter in list {
        // The type asks for a value also where none is meant.
        let is_whole_event = parameter["Form"] == "ORIGINAL" && parameter["Value"] == "";
        assert!(is_whole_event || parameter["Form"] == "CONSTANT");
    }
    list.iter()
        .map(|parameter| {
            let name = parameter["ResourceKey"].as_str().unwrap().to_owned();
            (name, parameter["Value"].clone())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn a_forwarder_in_another_account_uses_the_hubs_role() {
    let rule = forwarder(MEMBER, "cn-beijing", json!({}))
        .properties("Forward")
        .unwrap();
    let target = &rule["Targets"][0];
    assert_eq!(rule["EventBusName"], "default");
    assert_eq!(target["Type"], "acs.eventbridge");
    assert_eq!(
        target["Endpoint"],
        "acs:eventbridge:cn-hangzhou:1000000000000001:eventbus/ecs-events"
    );
    assert_eq!(
        parameters(&rule),
        json!({
            "RegionId": HUB_REGION, "AccountType": "AnotherAccount", "AccountId": HUB_ACCOUNT,
            "EventBusName": "ecs-events", "RAMRoleName": "ecs-events-from-other-accounts", "Body": "",
        })
    );
    // Both files name the role and the bus alike.
    let role = hub(MEMBER).properties("SenderRole").unwrap();
    assert_eq!(role["RoleName"], parameters(&rule)["RAMRoleName"]);
    let received = hub(MEMBER).properties("Receive").unwrap();
    assert_eq!(received["EventBusName"], parameters(&rule)["EventBusName"]);
}

#[test]
fn a_forwarder_in_the_hubs_account_needs_no_role() {
    let rule = forwarder(HUB_ACCOUNT, "cn-beijing", json!({}))
        .properties("Forward")
        .unwrap();
    assert_eq!(
        parameters(&rule),
        json!({"RegionId": HUB_REGION, "AccountType": "SameAccount", "EventBusName": "ecs-events", "Body": ""})
    );
}

#[test]
fn a_forwarder_never_forwards_to_its_own_bus() {
    let is_made = |account, region, bus: &str| {
        let given = json!({"HubBus": bus, "CreateDeadLetterQueue": "true"});
        let stack = forwarder(account, region, given);
        let rule = stack.properties("Forward");
        assert_eq!(
            rule.is_some(),
            stack.properties("DeadLetterQueue").is_some()
        );
        rule.is_some()
    };
    assert!(!is_made(HUB_ACCOUNT, HUB_REGION, "default"));
    assert!(is_made(HUB_ACCOUNT, HUB_REGION, "ecs-events"));
    assert!(is_made(HUB_ACCOUNT, "cn-beijing", "default"));
    assert!(is_made(MEMBER, HUB_REGION, "default"));
}

#[test]
fn what_cannot_be_forwarded_goes_to_the_queue_that_is_named() {
    let queue = |given: Value| {
        let rule = forwarder(MEMBER, "cn-beijing", given)
            .properties("Forward")
            .unwrap();
        let target = rule["Targets"][0].clone();
        assert_eq!(target["ErrorsTolerance"], "ALL");
        assert_eq!(target["PushRetryStrategy"], "EXPONENTIAL_DECAY_RETRY");
        target["DeadLetterQueue"].clone()
    };
    let own = "acs:mns:cn-beijing:1000000000000002:/queues/own";
    assert_eq!(queue(json!({})), Value::Null);
    assert_eq!(
        queue(json!({"DeadLetterQueueArn": own})),
        json!({"Arn": own})
    );
    assert_eq!(
        queue(json!({"CreateDeadLetterQueue": "true", "DeadLetterQueueArn": own})),
        json!({"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "ARN.WithSlash"]}})
    );
}

#[test]
fn both_rules_have_the_pattern_of_the_functions_trigger() {
    let text = &s_props()["triggers"][1]["triggerConfig"]["eventRuleFilterPattern"];
    let own: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    let rule = forwarder(MEMBER, "cn-beijing", json!({}))
        .properties("Forward")
        .unwrap();
    assert_eq!(rule["FilterPattern"], own);
    let mut of_hub = hub(MEMBER).properties("Receive").unwrap()["FilterPattern"].clone();
    let accounts = of_hub
        .as_object_mut()
        .unwrap()
        .remove("aliyunoriginalaccountid");
    assert_eq!(accounts, Some(json!([MEMBER])));
    assert_eq!(of_hub, own);
}

#[test]
fn the_hub_takes_events_of_the_named_accounts_only() {
    let stack = hub(&format!("{HUB_ACCOUNT},{MEMBER}"));
    let accepts = stack.properties("Receive").unwrap()["FilterPattern"].clone();
    let from = |account: &str| {
        let mut event: Value = serde_json::from_str(&sample(REBOOT)).unwrap();
        event["aliyunoriginalaccountid"] = account.into();
        event
    };
    assert!(pattern::matches(&accepts, &from(HUB_ACCOUNT)));
    assert!(pattern::matches(&accepts, &from(MEMBER)));
    assert!(!pattern::matches(&accepts, &from(STRANGER)));
    let mut unknown = from(MEMBER);
    unknown
        .as_object_mut()
        .unwrap()
        .remove("aliyunoriginalaccountid");
    assert!(!pattern::matches(&accepts, &unknown));

    let trust = &stack.properties("SenderRole").unwrap()["AssumeRolePolicyDocument"];
    let services = &trust["Statement"][0]["Principal"]["Service"];
    let service = |account| format!("{account}@eventbridge.aliyuncs.com");
    assert_eq!(*services, json!([service(HUB_ACCOUNT), service(MEMBER)]));
    // The hub's own account needs no role.
    assert_eq!(hub(HUB_ACCOUNT).properties("SenderRole"), None);
}

#[test]
fn the_hubs_queue_leads_from_the_bus_to_the_function() {
    let stack = hub(MEMBER);
    let queue = stack.properties("Queue").unwrap()["QueueName"].clone();
    let rule = stack.properties("Receive").unwrap();
    let target = &rule["Targets"][0];
    assert_eq!(target["Type"], "acs.mns.queue");
    assert_eq!(
        target["Endpoint"],
        "acs:mns:cn-hangzhou:1000000000000001:queues/ecs-events"
    );
    assert_eq!(parameters(&rule), json!({"queue": queue, "Body": ""}));

    let trigger = stack.properties("Trigger").unwrap();
    let config = &trigger["TriggerConfig"];
    assert_eq!(
        config["eventSourceConfig"],
        json!({
            "eventSourceType": "MNS",
            "eventSourceParameters": {"sourceMNSParameters": {
                "RegionId": HUB_REGION, "QueueName": queue, "IsBase64Decode": false,
            }},
        })
    );
    let dead_letters = json!({"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "ARN.WithSlash"]}});
    assert_eq!(target["DeadLetterQueue"], dead_letters);
    assert_eq!(config["runOptions"]["deadLetterQueue"], dead_letters);
    assert_ne!(
        stack.properties("DeadLetterQueue").unwrap()["QueueName"],
        queue
    );
}

// The trigger on the queue is that of s.yaml and template.yml but for its source.
#[test]
fn the_hubs_trigger_retries_as_the_others() {
    let trigger = hub(MEMBER).properties("Trigger").unwrap();
    assert_eq!(trigger["FunctionName"], s_props()["functionName"]);
    let parameter = &yaml("template.yml")["Parameters"]["FunctionName"];
    assert_eq!(trigger["FunctionName"], parameter["Default"]);
    assert_ne!(trigger["TriggerName"], ros("Trigger")["TriggerName"]);
    for name in ["TriggerType", "Qualifier"] {
        assert_eq!(trigger[name], ros("Trigger")[name], "{name}");
    }
    let (config, other) = (&trigger["TriggerConfig"], &ros("Trigger")["TriggerConfig"]);
    for name in ["triggerEnable", "asyncInvocationType", "eventSinkConfig"] {
        assert_eq!(config[name], other[name], "{name}");
    }
    for name in ["errorsTolerance", "retryStrategy"] {
        assert_eq!(
            config["runOptions"][name], other["runOptions"][name],
            "{name}"
        );
    }
    // Batches are for queues; events of cloud services come one by one.
    assert_eq!(config["runOptions"]["mode"], "event-streaming");
}

#[test]
fn the_hubs_queues_keep_events_and_are_watched() {
    let stack = hub(MEMBER);
    for (name, alarm) in [("Queue", "HeldUpEvents"), ("DeadLetterQueue", "LostEvents")] {
        assert_eq!(yaml(HUB)["Resources"][name]["DeletionPolicy"], "Retain");
        let queue = stack.properties(name).unwrap();
        assert_eq!(queue["MessageRetentionPeriod"], 7 * 24 * 60 * 60);
        let alarm = stack.properties(alarm).unwrap();
        assert_eq!(alarm["Resources"][0]["queue"], queue["QueueName"]);
        assert_eq!(alarm["ContactGroups"], json!(["operations"]));
    }
    let alone = Stack::new(
        HUB,
        HUB_ACCOUNT,
        HUB_REGION,
        json!({"SourceAccounts": MEMBER}),
    );
    assert_eq!(alone.properties("LostEvents"), None);
}

// What the hub's queue delivers is an event of the account and region that it came from.
#[test]
fn an_event_behind_the_hub_is_its_resources() {
    let mut event: Value = serde_json::from_str(&sample(REBOOT)).unwrap();
    event["subject"] = format!("acs:ecs:cn-beijing:{MEMBER}:instance/i-1").into();
    event["aliyunoriginalaccountid"] = MEMBER.into();
    event["aliyunaccountid"] = HUB_ACCOUNT.into();
    event["aliyunregionid"] = HUB_REGION.into();
    event["aliyuneventbusname"] = "ecs-events".into();
    let message = |body: &Value| {
        json!({
            "id": "m-1", "source": "ecs-dingtalk-notifier-hub-events", "specversion": "1.0",
            "type": "mns:Queue:SendMessage", "aliyunaccountid": HUB_ACCOUNT,
            "aliyunregionid": HUB_REGION, "data": {"messageBody": body.to_string()},
        })
    };
    let parsed = event::parse(
        json!([message(&event), message(&event)])
            .to_string()
            .as_bytes(),
    );
    assert_eq!(parsed.events.len(), 2);
    for event in &parsed.events {
        let place = (event.region.as_deref(), event.account.as_deref());
        assert_eq!(place, (Some("cn-beijing"), Some(MEMBER)));
    }
}
