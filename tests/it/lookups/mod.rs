//! Whom an event is about, as the whole function finds it out: the real binary, or its notifier in
//! this process, between a group and a cloud that stand in for DingTalk and Alibaba Cloud.

mod accounts;
mod commands;
mod credentials;
mod faults;
mod filters;
mod found;
mod freeze;
mod many;
mod owner;
mod same;
mod secrets;

use crate::platform::{Call, Instance, PATIENCE, Response};
use crate::support::{Bench, SECRET, TOKEN, group};
use fake_aliyun::{Cloud, Identity};
use fake_dingtalk::Group;
use serde_json::{Value, json};

/// The function's own account.
const ACCOUNT: &str = "1234567890123456";
const OTHER_ACCOUNT: &str = "6543210987654321";
const REGION: &str = "cn-hangzhou";

/// The variables of a function that sends every event to this group in English and asks this cloud.
/// Of two variables of the same name, the later one counts.
fn vars(group: &Group, endpoint: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let webhook = group.webhook(TOKEN);
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
        ("MESSAGE_LANGUAGE", "en"),
        ("RESOURCE_ENDPOINT", endpoint),
        ("RESOURCE_STS_ENDPOINT", endpoint),
        ("FC_ACCOUNT_ID", ACCOUNT),
    ];
    let vars = vars.iter().chain(more);
    vars.map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

fn borrowed(vars: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = vars.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// A process of the function between a group and a cloud.
struct Stage {
    group: Group,
    cloud: Cloud,
    /// The identity of the function's role.
    identity: Identity,
    instance: Instance,
}

impl Stage {
    fn new(more: &[(&str, &str)]) -> Stage {
        let cloud = Cloud::start();
        let endpoint = cloud.endpoint();
        Stage::with(cloud, &endpoint, more)
    }

    /// Starts a process that asks at another address than the cloud's.
    fn with(cloud: Cloud, endpoint: &str, more: &[(&str, &str)]) -> Stage {
        let group = group();
        let instance = Instance::start(&borrowed(&vars(&group, endpoint, more)));
        let identity = cloud.role_identity(ACCOUNT);
        Stage {
            group,
            cloud,
            identity,
            instance,
        }
    }

    /// Adds instances with their ids as names, in the function's account and region.
    fn add<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        for id in ids {
            add(&self.cloud, id);
        }
    }

    /// Sends events with the identity of the role.
    fn invoke(&self, events: &[Value]) -> Response {
        self.instance.caller().call(&self.call(events))
    }

    fn call(&self, events: &[Value]) -> Call {
        brought(Call::invoke(json!(events).to_string()), &self.identity)
    }

    /// The log line of event `n` of all that were sent.
    fn line(&self, n: usize) -> Value {
        let line = self.instance.wait_for_stdout_line(n, PATIENCE);
        serde_json::from_str(&line).unwrap()
    }

    /// Ends the process. Returns what it said about look-ups.
    fn complaints(&mut self) -> Vec<String> {
        self.instance.sigterm();
        assert_eq!(self.instance.wait_exit(PATIENCE), 0);
        let stderr = self.instance.stderr_text();
        let lines = stderr.lines().filter(|line| line.contains("look-up"));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        // Beside them, and the line of the start, nothing is said.
        assert_eq!(stderr.lines().count(), 1 + lines.len(), "{stderr}");
        lines
    }
}

/// Adds an instance called `name-of-<id>` to the function's account and region.
fn add(cloud: &Cloud, id: &str) {
    let instance = fake_aliyun::Instance::new(id).name(&name_of(id));
    cloud.add_instance(ACCOUNT, REGION, instance);
}

fn name_of(id: &str) -> String {
    format!("name-of-{id}")
}

/// Brings an identity as Function Compute does.
fn brought(call: Call, identity: &Identity) -> Call {
    let token = identity.token.as_deref().unwrap_or_default();
    call.identity(&identity.id, &identity.secret, token)
}

/// The notifier in this process, with the identity of a role.
fn bench(group: &Group, cloud: &Cloud, more: &[(&str, &str)]) -> Bench {
    let vars = vars(group, &cloud.endpoint(), more);
    let identity = cloud.role_identity(ACCOUNT);
    let token = identity.token.unwrap();
    Bench {
        credentials: fc_runtime::Credentials::new(&identity.id, &identity.secret, &token),
        ..Bench::new(&borrowed(&vars))
    }
}

/// An event with an id of its own, of an instance that has stopped: of level INFO.
fn stopped(id: &str) -> Value {
    let data =
        json!({"resourceId": id, "resourceType": "ALIYUN::ECS::Instance", "state": "Stopped"});
    event("ecs:Instance:StateChange", &format!("instance/{id}"), data)
}

/// A disk does not answer: CRITICAL.
fn stalled(id: &str) -> Value {
    let data = json!({"diskId": id, "device": "/dev/xvdb", "eventStatus": "Executing"});
    event("ecs:Disk:Stalled", &format!("disk/{id}"), data)
}

fn event(name: &str, resource: &str, data: Value) -> Value {
    json!({
        "id": unique(),
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": name,
        "subject": format!("acs:ecs:{REGION}:{ACCOUNT}:{resource}"),
        "time": "2026-11-26T02:00:14.051Z",
        "aliyunaccountid": ACCOUNT,
        "aliyunregionid": REGION,
        "data": data,
    })
}

fn unique() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("event-{}", COUNT.fetch_add(1, Ordering::SeqCst))
}

/// The same event of a resource of another account, or in another region.
fn elsewhere(event: &Value, region: &str, account: &str) -> Value {
    let mut event = event.clone();
    let subject = event["subject"].as_str().unwrap();
    let (_, resource) = subject.rsplit_once(':').unwrap();
    event["subject"] = json!(format!("acs:ecs:{region}:{account}:{resource}"));
    event["aliyunregionid"] = json!(region);
    event["aliyunaccountid"] = json!(account);
    event
}

/// Handles events in this process. Returns their log lines.
fn handle(bench: &Bench, events: &[Value]) -> Vec<Value> {
    let before = bench.lines.all().len();
    let (result, _) = bench.handle(&json!(events).to_string());
    assert_eq!(result, Ok(()));
    bench.lines.all().split_off(before)
}

/// The outcomes of all events in an answer on their first route.
fn outcomes(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap().iter();
    events
        .map(|event| event["routes"][0]["outcome"].as_str().unwrap())
        .collect()
}
