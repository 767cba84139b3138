//! `s.yaml`, `template.yml` and what is made of them agree, set all variables of the configuration,
//! and filter the right events. The deployment tools themselves check little of that.

mod application;
mod fleet;
mod pattern;
mod references;
mod shape;
mod stack;
mod workflows;

use crate::platform::{Call, Instance};
use crate::samples::{index, sample};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecs_dingtalk_notifier::channel::Code;
use ecs_dingtalk_notifier::config::{Config, KNOWN};
use ecs_dingtalk_notifier::log::Line;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Reads a file of the repository.
fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn yaml(name: &str) -> Value {
    serde_yaml_ng::from_str(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn s_props() -> Value {
    yaml("s.yaml")["resources"]["notifier"]["props"].clone()
}

fn ros(resource: &str) -> Value {
    yaml("template.yml")["Resources"][resource]["Properties"].clone()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("{value} is not a map"))
        .keys()
        .cloned()
        .collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn both_files_set_all_variables_of_the_configuration() {
    let known = names(&KNOWN);
    assert_eq!(keys(&s_props()["environmentVariables"]), known);
    let variables = ros("Function")["EnvironmentVariables"].clone();
    assert_eq!(keys(&variables), known);
    let parameters = yaml("template.yml")["Parameters"].clone();
    for (name, value) in variables.as_object().unwrap() {
        let parameter = &parameters[value["Ref"].as_str().unwrap()];
        assert_eq!(parameter["Type"], "String", "{name}");
        assert!(parameter["Description"].is_string(), "{name}");
    }
}

/// Returns the default of each variable in `s.yaml` and in `template.yml`. `None` is a variable
/// that must be set.
fn defaults() -> (
    BTreeMap<String, Option<String>>,
    BTreeMap<String, Option<String>>,
) {
    let of_s = s_props()["environmentVariables"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let inner = value
                .as_str()
                .unwrap()
                .strip_prefix("${env('")
                .and_then(|v| v.strip_suffix("')}"));
            let mut parts = inner
                .unwrap_or_else(|| panic!("{name}: {value}"))
                .split("', '");
            assert_eq!(parts.next(), Some(name.as_str()));
            (name.clone(), parts.next().map(str::to_owned))
        })
        .collect();
    let parameters = yaml("template.yml")["Parameters"].clone();
    let of_ros = ros("Function")["EnvironmentVariables"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let default = parameters[value["Ref"].as_str().unwrap()]["Default"].as_str();
            (name.clone(), default.map(str::to_owned))
        })
        .collect();
    (of_s, of_ros)
}

#[test]
fn both_files_have_the_programs_defaults() {
    let (of_s, of_ros) = defaults();
    assert_eq!(of_s, of_ros);
    // Any chat's webhook will do, so that none is required by the files.
    let of_files: BTreeMap<String, String> = of_s
        .into_iter()
        .map(|(name, default)| (name, default.expect("a default")))
        .collect();
    for (webhook, address) in WEBHOOKS {
        let mut given = of_files.clone();
        given.insert(webhook.to_owned(), address.to_owned());
        let from_files = Config::from_vars(given).unwrap_or_else(|e| panic!("{webhook}: {e:?}"));
        let alone = Config::from_vars([(webhook.to_owned(), address.to_owned())]).unwrap();
        assert_eq!(
            format!("{from_files:?}"),
            format!("{alone:?}"),
            "{webhook}: the files' defaults differ from the program's"
        );
    }
}

/// An address for the webhook of each chat.
const WEBHOOKS: [(&str, &str); 4] = [
    (
        "DINGTALK_WEBHOOK",
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
    ),
    (
        "LARK_WEBHOOK",
        "https://open.feishu.cn/open-apis/bot/v2/hook/01234567-89ab-cdef-0123-456789abcdef",
    ),
    (
        "WECOM_WEBHOOK",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef",
    ),
    (
        "SLACK_WEBHOOK",
        "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/0123456789abcdefghijABCD",
    ),
];

// Nothing refuses such a deployment. The initializer reports the fault before the first event is
// handled, and so does `s invoke`.
#[test]
fn a_deployment_without_any_webhook_is_told_so() {
    let (of_s, _) = defaults();
    let given: Vec<(&str, &str)> = of_s
        .iter()
        .map(|(name, default)| (name.as_str(), default.as_deref().unwrap_or_default()))
        .collect();
    let instance = Instance::start(&given);
    let answer = instance.caller().call(&Call::new("POST", "/initialize"));
    assert_eq!(answer.status, 404);
    let body = answer.json();
    assert_eq!(body["errorType"], "InvalidConfiguration");
    let message = body["errorMessage"].as_str().unwrap();
    assert!(message.contains("_WEBHOOK: is not set"), "{message}");
    // Of .env.example, too: it is copied, and one webhook is filled in.
    let example = file(".env.example");
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    for (name, value) in lines.filter_map(|line| line.split_once('=')) {
        let is_of_chat = ["DINGTALK_", "LARK_", "WECOM_", "SLACK_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        assert!(!is_of_chat || value.is_empty(), "{name}");
    }
}

#[test]
fn both_files_deploy_the_same_settings() {
    let (s, function) = (s_props(), ros("Function"));
    for (in_s, in_ros) in [
        ("runtime", "Runtime"),
        ("handler", "Handler"),
        ("description", "Description"),
        ("cpu", "Cpu"),
        ("memorySize", "MemorySize"),
        ("diskSize", "DiskSize"),
        ("timeout", "Timeout"),
        ("instanceConcurrency", "InstanceConcurrency"),
        ("internetAccess", "InternetAccess"),
    ] {
        assert_eq!(s[in_s], function[in_ros], "{in_s}");
        assert!(!s[in_s].is_null(), "{in_s}");
    }
    assert_eq!(s["customRuntimeConfig"], json!({"port": 9000}));
    assert_eq!(function["CustomRuntimeConfig"], json!({"Port": 9000}));
    for (in_s, in_ros) in [("initializer", "Initializer"), ("preStop", "PreStop")] {
        let (a, b) = (
            &s["instanceLifecycleConfig"][in_s],
            &function["InstanceLifecycleConfig"][in_ros],
        );
        assert_eq!(
            (&a["handler"], &a["timeout"]),
            (&b["Handler"], &b["Timeout"]),
            "{in_s}"
        );
        assert!(a["timeout"].is_u64());
    }
    // Our lines begin with {, which begins no entry by the default rule.
    assert_eq!(s["logConfig"], "auto|logBeginRule=None");
    assert!(file("s.yaml").contains("#   logBeginRule: None\n      logConfig: auto"));
    let log = &function["LogConfig"]["Fn::If"][1];
    assert_eq!(log["LogBeginRule"], "None");
    let store = json!([
        "MakesLogs",
        {"Fn::GetAtt": ["LogServiceStore", "LogstoreName"]},
        {"Ref": "LogStore"}
    ]);
    assert_eq!(log["Logstore"]["Fn::If"], store);
    assert_eq!(s["concurrencyConfig"]["reservedConcurrency"], 1);
    assert_eq!(ros("Concurrency")["ReservedConcurrency"], 1);
    let (a, b) = (&s["asyncInvokeConfig"], ros("AsyncInvoke"));
    assert_eq!(
        (&a["maxAsyncRetryAttempts"], &a["maxAsyncEventAgeInSeconds"]),
        (&json!(8), &json!(86400))
    );
    assert_eq!(
        (&b["MaxAsyncRetryAttempts"], &b["MaxAsyncEventAgeInSeconds"]),
        (&json!(8), &json!(86400))
    );
    // These values are documented.
    assert_eq!(
        json!([
            s["runtime"],
            s["memorySize"],
            s["timeout"],
            s["instanceConcurrency"]
        ]),
        json!(["custom.debian10", 128, 60, 100])
    );
}

#[test]
fn both_triggers_are_the_same_and_retry() {
    let triggers = s_props()["triggers"].as_array().unwrap().clone();
    let [tick, trigger] = triggers.as_slice() else {
        panic!("two triggers")
    };
    // Deploying stops at an unchanged eventbridge trigger, so that one is the last.
    assert_eq!(trigger["triggerType"], "eventbridge");
    let other = ros("Tick");
    for (in_s, in_ros) in [
        ("triggerName", "TriggerName"),
        ("triggerType", "TriggerType"),
        ("qualifier", "Qualifier"),
        ("triggerConfig", "TriggerConfig"),
    ] {
        assert_eq!(tick[in_s], other[in_ros]);
    }
    assert_eq!(
        tick["triggerConfig"],
        json!({"cronExpression": "0 0 * * * *", "enable": true, "payload": "{\"task\":\"tick\"}"})
    );
    let other = ros("Trigger");
    for (in_s, in_ros) in [
        ("triggerName", "TriggerName"),
        ("triggerType", "TriggerType"),
        ("qualifier", "Qualifier"),
    ] {
        assert_eq!(trigger[in_s], other[in_ros]);
    }
    let config = &trigger["triggerConfig"];
    let mut of_ros = other["TriggerConfig"].clone();
    // Optional in the template. It is a comment in s.yaml, which has no conditions.
    of_ros["runOptions"]
        .as_object_mut()
        .unwrap()
        .remove("deadLetterQueue")
        .unwrap();
    assert_eq!(*config, of_ros);
    assert_eq!(config["asyncInvocationType"], false);
    assert_eq!(
        config["runOptions"],
        json!({"mode": "event-driven", "errorsTolerance": "ALL", "retryStrategy": {"PushRetryStrategy": "EXPONENTIAL_DECAY_RETRY"}})
    );
    assert_eq!(config["eventSourceConfig"]["eventSourceType"], "Default");
    assert_eq!(
        config["eventSinkConfig"]["deliveryOption"]["eventSchema"],
        "CloudEvents"
    );
    assert!(file("s.yaml").contains("# deadLetterQueue:\n              #   Arn: "));
    assert!(
        file("s.yaml")
            .contains("# destinationConfig:\n        #   onFailure:\n        #     destination: ")
    );
}

// `s.yaml` takes an existing role, the template can make one: for the calls that the function makes
// and no other.
#[test]
fn the_role_may_do_what_the_function_does() {
    assert_eq!(s_props()["role"], "${env('ROLE', '')}");
    let role = ros("Role");
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"]["Service"], json!(["fc.aliyuncs.com"]));
    assert_eq!(trust["Action"], "sts:AssumeRole");
    let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
    let actions = [
        "DescribeInstances",
        "DescribeDisks",
        "DescribeInstanceHistoryEvents",
    ];
    let actions = actions.map(|action| format!("ecs:{action}"));
    assert_eq!(statements[0]["Action"], json!(actions));
    let assume = &statements[1]["Fn::If"];
    assert_eq!(assume[0], "HasResourceRole");
    assert_eq!(assume[1]["Action"], json!(["sts:AssumeRole"]));
    let every_account = json!([{"Fn::Replace": [{"{account}": "*"}, {"Ref": "ResourceRole"}]}]);
    assert_eq!(assume[1]["Resource"], every_account);
    let template = yaml("template.yml");
    assert_eq!(template["Resources"]["Role"]["Condition"], "CreatesRole");
    assert_eq!(template["Parameters"]["CreateRole"]["Default"], "false");
    let made = &ros("Function")["Role"]["Fn::If"];
    let arn = json!(["CreatesRole", {"Fn::GetAtt": ["Role", "Arn"]}]);
    assert_eq!(json!([made[0], made[1]]), arn);
}

/// Returns the condition on which the template makes a resource.
fn condition_of(resource: &str) -> Value {
    yaml("template.yml")["Resources"][resource]["Condition"].clone()
}

// What the template makes besides the function is made on demand, and what holds events or their
// traces outlives the stack.
#[test]
fn logs_queue_and_alarms_are_made_on_demand_and_kept() {
    let template = yaml("template.yml");
    for parameter in ["CreateLogs", "CreateDeadLetterQueue", "CreateErrorAlarm"] {
        assert_eq!(template["Parameters"][parameter]["Default"], "false");
    }
    for (resource, condition, is_kept) in [
        ("LogServiceProject", "MakesLogs", true),
        ("LogServiceStore", "MakesLogs", true),
        ("LogServiceIndex", "MakesLogs", true),
        ("NotShownAlert", "MakesLogs", false),
        ("DeadLetterQueue", "MakesDeadLetterQueue", true),
        ("LostEvents", "HasQueueAlarm", false),
        ("FailingFunction", "HasErrorAlarm", false),
    ] {
        assert_eq!(condition_of(resource), condition, "{resource}");
        let policy = &template["Resources"][resource]["DeletionPolicy"];
        assert_eq!(*policy == "Retain", is_kept, "{resource}");
    }
    let queue = ros("DeadLetterQueue");
    assert_eq!(queue["MessageRetentionPeriod"], 7 * 24 * 60 * 60);
    let dead_letters = &ros("Trigger")["TriggerConfig"]["runOptions"]["deadLetterQueue"]["Fn::If"];
    let made = json!({"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "ARN.WithSlash"]}});
    assert_eq!(
        (&dead_letters[0], &dead_letters[1]),
        (&json!("MakesDeadLetterQueue"), &made)
    );
    // Nobody hears of the function's failure through the function.
    for alarm in ["LostEvents", "FailingFunction"] {
        assert_eq!(
            ros(alarm)["ContactGroups"],
            json!([{"Ref": "AlarmContactGroup"}])
        );
        assert!(ros(alarm)["Webhook"].is_null());
    }
}

#[test]
fn the_index_has_every_field_of_a_line() {
    let line = serde_json::to_value(Line {
        request_id: "1",
        resource: Some("i-1"),
        resource_name: Some("web"),
        region: Some("cn-hangzhou"),
        account: Some("1"),
        lookup: Some("found"),
        errcode: Some(&Code::Word("ok".into())),
        class: Some("delivered"),
        attempts: Some(1),
        combined: Some(2),
        message_uuid: Some("u"),
        duration_ms: Some(1),
        remedy: Some("r"),
        ..Line::default()
    })
    .unwrap();
    let index = ros("LogServiceIndex")["KeyIndices"].clone();
    let indices = index.as_array().unwrap();
    let message = indices
        .iter()
        .find(|field| field["Name"] == "message")
        .unwrap();
    assert_eq!(message["EnableAnalytics"], true);
    let leaves = message["JsonKeyIndices"].as_array().unwrap();
    let indexed: BTreeSet<String> = leaves
        .iter()
        .map(|leaf| leaf["Name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(indexed, keys(&line));
    for leaf in leaves {
        let is_number = line[leaf["Name"].as_str().unwrap()].is_number();
        assert_eq!(leaf["Type"] == "long", is_number, "{leaf}");
    }
}

#[test]
fn secrets_are_neither_in_the_files_nor_echoed() {
    let parameters = yaml("template.yml")["Parameters"].clone();
    for (name, parameter) in parameters.as_object().unwrap() {
        let is_secret = name.contains("Webhook") || name.contains("Secret");
        assert_eq!(parameter["NoEcho"] == true, is_secret, "{name}");
        assert!(
            !is_secret || parameter["Default"].as_str().unwrap_or_default().is_empty(),
            "{name}"
        );
    }
    for name in ["s.yaml", "template.yml", ".env.example"] {
        for (_, token) in file(name)
            .match_indices("access_token=")
            .map(|(at, _)| (at, file(name)[at + 13..].to_owned()))
        {
            let value: String = token
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            assert!(value.is_empty(), "{name}: {value}");
        }
    }
    assert!(file(".gitignore").lines().any(|line| line == ".env"));
}

#[test]
fn env_example_names_the_variables_of_s_yaml() {
    let s = file("s.yaml");
    let used: BTreeSet<String> = s
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split("${env('").skip(1))
        .filter_map(|rest| Some(rest.split('\'').next()?.to_owned()))
        .collect();
    let example = file(".env.example");
    let named: BTreeSet<String> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .collect();
    assert_eq!(used, named);
}

#[test]
fn the_event_pattern_accepts_ecs_events_only() {
    let text = s_props()["triggers"][1]["triggerConfig"]["eventRuleFilterPattern"]
        .as_str()
        .unwrap()
        .to_owned();
    let pattern: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(pattern["source"], json!(["acs.ecs"]));
    let expressions = pattern["type"].as_array().unwrap();
    assert!(expressions.len() <= 5, "EventBridge accepts no more");
    // Unknown types of future events pass.
    let new = json!({"source": "acs.ecs", "type": "ecs:Instance:SystemFailure.Brand.New"});
    assert!(pattern::matches(&pattern, &new));
    let mut checked = 0;
    for row in index() {
        let name = row["file"].as_str().unwrap();
        let text = sample(name);
        let Ok(json) = serde_json::from_str(&text).or_else(|_| {
            serde_json::from_slice::<Value>(&STANDARD.decode(text.trim()).unwrap_or_default())
        }) else {
            continue;
        };
        let events = json.as_array().cloned().unwrap_or_else(|| vec![json]);
        for event in events
            .iter()
            .filter(|event| event["specversion"].is_string())
        {
            assert_eq!(
                pattern::matches(&pattern, event),
                event["source"] == "acs.ecs",
                "{name}"
            );
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
    let catalog: Vec<Value> = serde_json::from_str(&file("data/ecs-events.json")).unwrap();
    for entry in catalog {
        let Some(kind) = entry["eventbridge_type"].as_str() else {
            continue;
        };
        let source = format!("acs.{}", kind.split(':').next().unwrap());
        let should = source == "acs.ecs" && !kind.contains(":ActionTrail:");
        assert_eq!(
            pattern::matches(&pattern, &json!({"source": source, "type": kind})),
            should,
            "{kind}"
        );
    }
}
