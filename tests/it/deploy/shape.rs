//! The files use existing property names in the right places. Unknown names pass the tools' own
//! checks and are then dropped or refused.

use super::{keys, s_props, yaml};
use serde_json::{Value, json};

/// Compares `value` with `shape` and returns the differences.
///
/// A shape is a map of the allowed names, in which `1` stands for a plain value and `null` for
/// anything. Each item of a list must have the list's shape, each branch of `Fn::If` that of the
/// whole.
pub fn faults(value: &Value, shape: &Value, path: &str) -> Vec<String> {
    if let Some(branches) = value.get("Fn::If").and_then(Value::as_array) {
        return branches
            .iter()
            .skip(1)
            .flat_map(|branch| faults(branch, shape, path))
            .collect();
    }
    let functions = ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Replace", "Fn::Split"];
    if functions.iter().any(|name| value.get(name).is_some()) {
        return Vec::new();
    }
    match (value, shape) {
        (_, Value::Null) => Vec::new(),
        (Value::Array(items), _) => items
            .iter()
            .flat_map(|item| faults(item, shape, path))
            .collect(),
        (Value::Object(map), Value::Object(known)) => map
            .iter()
            .flat_map(|(key, inner)| match known.get(key) {
                Some(shape) => faults(inner, shape, &format!("{path}.{key}")),
                None => vec![format!("{path}.{key} is not a known property")],
            })
            .collect(),
        (Value::Object(_), _) => vec![format!("{path} is a plain value")],
        (_, Value::Object(_)) => vec![format!("{path} is a map")],
        _ => Vec::new(),
    }
}

/// Returns the shape of a timer trigger's configuration, which both files share.
fn timer_config() -> Value {
    json!({"cronExpression": 1, "enable": 1, "payload": 1})
}

/// Returns the shape of an eventbridge trigger's configuration, which all files share.
pub fn trigger_config() -> Value {
    json!({
        "triggerEnable": 1, "asyncInvocationType": 1, "eventRuleFilterPattern": 1,
        "eventSourceConfig": {"eventSourceType": 1, "eventSourceParameters": {
            "sourceMNSParameters": {"RegionId": 1, "QueueName": 1, "IsBase64Decode": 1}
        }},
        "eventSinkConfig": {"deliveryOption": {"eventSchema": 1}},
        "runOptions": {
            "mode": 1, "errorsTolerance": 1, "retryStrategy": {"PushRetryStrategy": 1}, "deadLetterQueue": {"Arn": 1},
            "batchWindow": {"CountBasedWindow": 1, "TimeBasedWindow": 1}
        }
    })
}

/// Returns the shape of a template's parameter.
fn parameter() -> Value {
    json!({
        "Type": 1, "Description": 1, "Default": 1, "NoEcho": 1, "AllowedValues": 1, "AllowedPattern": 1
    })
}

/// Returns the shapes of resources that several templates have.
pub fn shared_shapes() -> Value {
    let condition = json!({"Statistics": 1, "ComparisonOperator": 1, "Threshold": 1, "Times": 1});
    json!({
        "Role": {"Type": "ALIYUN::RAM::Role", "Properties": {
            "RoleName": 1, "Description": 1,
            "AssumeRolePolicyDocument": {"Version": 1, "Statement": {
                "Effect": 1, "Action": 1, "Principal": {"Service": 1}
            }},
            "Policies": {"PolicyName": 1, "PolicyDocument": {"Version": 1, "Statement": {
                "Effect": 1, "Action": 1, "Resource": 1
            }}}
        }},
        "Queue": {"Type": "ALIYUN::MNS::Queue", "Properties": {
            "QueueName": 1, "MessageRetentionPeriod": 1, "MaximumMessageSize": 1
        }},
        "Alarm": {"Type": "ALIYUN::CMS::ResourceMetricRule", "Properties": {
            "RuleName": 1, "ContactGroups": 1, "Namespace": 1, "MetricName": 1, "Resources": null,
            "Period": 1, "Interval": 1, "SilenceTime": 1, "NoDataPolicy": 1,
            "Escalations": {"Critical": condition, "Warn": condition, "Info": condition},
            "CompositeExpression": {"Level": 1, "Times": 1, "ExpressionRaw": 1}
        }},
        "Trigger": {"Type": "ALIYUN::FC3::Trigger", "Properties": {
            "FunctionName": 1, "TriggerName": 1, "TriggerType": 1, "Description": 1, "Qualifier": 1,
            "TriggerConfig": trigger_config()
        }}
    })
}

/// Checks a template: its parameters, and its resources, which are those of `shapes`.
pub fn check_template(file: &str, shapes: &Value) {
    let template = yaml(file);
    assert_eq!(template["ROSTemplateFormatVersion"], "2015-09-01");
    for (name, given) in template["Parameters"].as_object().unwrap() {
        assert_eq!(faults(given, &parameter(), name), [""; 0], "{file}");
    }
    assert_eq!(keys(&template["Resources"]), keys(shapes));
    for (name, shape) in shapes.as_object().unwrap() {
        let resource = &template["Resources"][name];
        assert_eq!(resource["Type"], shape["Type"], "{file}: {name}");
        let found = faults(&resource["Properties"], &shape["Properties"], name);
        assert_eq!(found, [""; 0], "{file}");
    }
}

#[test]
fn s_yaml_has_known_property_names_only() {
    let hook = json!({"handler": 1, "timeout": 1});
    let destination = json!({"destination": 1});
    let shape = json!({
        "edition": 1, "name": 1, "access": 1, "vars": {"region": 1},
        "resources": {"notifier": {
            "component": 1,
            "actions": {"pre-deploy": {"run": 1, "path": 1}},
            "props": {
                "region": 1, "functionName": 1, "description": 1, "runtime": 1, "handler": 1, "code": 1, "role": 1,
                "cpu": 1, "memorySize": 1, "diskSize": 1, "timeout": 1, "instanceConcurrency": 1, "internetAccess": 1,
                "concurrencyConfig": {"reservedConcurrency": 1},
                "customRuntimeConfig": {"port": 1},
                "instanceLifecycleConfig": {"initializer": hook, "preStop": hook},
                "logConfig": 1,
                "environmentVariables": null,
                "asyncInvokeConfig": {
                    "maxAsyncRetryAttempts": 1, "maxAsyncEventAgeInSeconds": 1,
                    "destinationConfig": {"onSuccess": destination, "onFailure": destination}
                },
                "triggers": {
                    "triggerName": 1, "triggerType": 1, "description": 1, "qualifier": 1,
                    "triggerConfig": trigger_config()
                }
            }
        }}
    });
    let s = yaml("s.yaml");
    let mut with_event_trigger = s.clone();
    let triggers = &mut with_event_trigger["resources"]["notifier"]["props"]["triggers"];
    let tick = triggers.as_array_mut().unwrap().remove(0);
    assert_eq!(faults(&with_event_trigger, &shape, "s.yaml"), [""; 0]);
    let timer = json!({"triggerName": 1, "triggerType": 1, "qualifier": 1, "triggerConfig": timer_config()});
    assert_eq!(faults(&tick, &timer, "tick"), [""; 0]);
    assert_eq!(
        json!([
            s["edition"],
            s["access"],
            s["resources"]["notifier"]["component"]
        ]),
        json!(["3.0.0", "default", "fc3"])
    );
    for value in s_props()["environmentVariables"]
        .as_object()
        .unwrap()
        .values()
    {
        assert!(value.is_string(), "{value}");
    }
}

#[test]
fn the_template_has_known_property_names_only() {
    let shared = shared_shapes();
    let hook = json!({"Handler": 1, "Timeout": 1});
    let destination = json!({"Destination": 1});
    let shapes = json!({
        "Function": {"Type": "ALIYUN::FC3::Function", "Properties": {
            "FunctionName": 1, "Description": 1, "Runtime": 1, "Handler": 1, "Role": 1,
            "Code": {"OssBucketName": 1, "OssObjectName": 1},
            "Cpu": 1, "MemorySize": 1, "DiskSize": 1, "Timeout": 1, "InstanceConcurrency": 1, "InternetAccess": 1,
            "CustomRuntimeConfig": {"Port": 1},
            "InstanceLifecycleConfig": {"Initializer": hook, "PreStop": hook},
            "LogConfig": {
                "Project": 1, "Logstore": 1, "EnableRequestMetrics": 1, "EnableInstanceMetrics": 1, "LogBeginRule": 1
            },
            "EnvironmentVariables": null
        }},
        "Role": shared["Role"],
        "LogServiceProject": {"Type": "ALIYUN::SLS::Project", "Properties": {"Name": 1, "Description": 1}},
        "LogServiceStore": {"Type": "ALIYUN::SLS::Logstore", "Properties": {
            "ProjectName": 1, "LogstoreName": 1, "TTL": 1, "ShardCount": 1
        }},
        "LogServiceIndex": {"Type": "ALIYUN::SLS::Index", "Properties": {
            "ProjectName": 1, "LogstoreName": 1,
            "FullTextIndex": {"Enable": 1, "CaseSensitive": 1, "IncludeChinese": 1},
            "KeyIndices": {
                "Name": 1, "Type": 1, "EnableAnalytics": 1,
                "JsonKeyIndices": {"Name": 1, "Type": 1, "EnableAnalytics": 1}
            }
        }},
        "NotShownAlert": {"Type": "ALIYUN::SLS::Alert", "Properties": {
            "Project": 1,
            "Detail": {
                "Name": 1, "DisplayName": 1, "Schedule": {"Type": 1, "Interval": 1},
                "Configuration": {
                    "Version": 1, "Type": 1, "Dashboard": 1,
                    "QueryList": {
                        "StoreType": 1, "Project": 1, "Store": 1, "Region": 1, "TimeSpanType": 1,
                        "Start": 1, "End": 1, "Query": 1
                    },
                    "GroupConfiguration": {"Type": 1},
                    "SeverityConfigurations": {
                        "Severity": 1, "EvalCondition": {"Condition": 1, "CountCondition": 1}
                    },
                    "Annotations": {"Key": 1, "Value": 1},
                    "PolicyConfiguration": {
                        "AlertPolicyId": 1, "ActionPolicyId": 1, "RepeatInterval": 1, "UseDefault": 1
                    },
                    "Threshold": 1, "NoDataFire": 1
                }
            }
        }},
        "DeadLetterQueue": shared["Queue"],
        "LostEvents": shared["Alarm"],
        "FailingFunction": shared["Alarm"],
        "Concurrency": {"Type": "ALIYUN::FC3::ConcurrencyConfig", "Properties": {
            "FunctionName": 1, "ReservedConcurrency": 1
        }},
        // The resource has no Qualifier, unlike the API.
        "AsyncInvoke": {"Type": "ALIYUN::FC3::AsyncInvokeConfig", "Properties": {
            "FunctionName": 1, "MaxAsyncRetryAttempts": 1, "MaxAsyncEventAgeInSeconds": 1,
            "DestinationConfig": {"OnSuccess": destination, "OnFailure": destination}
        }},
        "Tick": {"Type": "ALIYUN::FC3::Trigger", "Properties": {
            "FunctionName": 1, "TriggerName": 1, "TriggerType": 1, "Description": 1, "Qualifier": 1,
            "TriggerConfig": timer_config()
        }},
        "Trigger": shared["Trigger"]
    });
    check_template("template.yml", &shapes);
}

#[test]
fn hub_and_forwarder_have_known_property_names_only() {
    let shared = shared_shapes();
    let rule = json!({"Type": "ALIYUN::EventBridge::Rule", "Properties": {
        "EventBusName": 1, "RuleName": 1, "Description": 1, "Status": 1, "FilterPattern": null,
        "Targets": {
            "Id": 1, "Type": 1, "Endpoint": 1, "PushRetryStrategy": 1, "ErrorsTolerance": 1,
            "DeadLetterQueue": {"Arn": 1},
            "ParamList": {"ResourceKey": 1, "Form": 1, "Value": 1, "Template": 1}
        }
    }});
    let forwarder = json!({"DeadLetterQueue": shared["Queue"], "Forward": rule});
    check_template("deploy/forwarder.yml", &forwarder);
    let hub = json!({
        "SenderRole": shared["Role"],
        "Queue": shared["Queue"],
        "DeadLetterQueue": shared["Queue"],
        "Receive": rule,
        "Trigger": shared["Trigger"],
        "LostEvents": shared["Alarm"],
        "HeldUpEvents": shared["Alarm"]
    });
    check_template("deploy/hub.yml", &hub);
}

#[test]
fn a_name_at_the_wrong_place_or_in_a_branch_is_found() {
    let shape = json!({"port": 1, "log": {"project": 1}});
    let found = |value: Value| faults(&value, &shape, "x");
    assert_eq!(
        found(json!({"log": {"port": 1}})),
        ["x.log.port is not a known property"]
    );
    assert_eq!(
        found(json!({"port": {"log": 1}})),
        ["x.port is a plain value"]
    );
    assert_eq!(found(json!({"log": "auto"})), ["x.log is a map"]);
    assert_eq!(
        found(json!({"log": {"Fn::If": ["HasLog", {"projekt": 1}, {"Ref": "ALIYUN::NoValue"}]}})),
        ["x.log.projekt is not a known property"]
    );
}
