//! What the function says by itself: a timer's ticks at the notifier in this process, between a
//! group and a cloud that stand in for DingTalk and Alibaba Cloud, all with one clock.

mod ahead;
mod alive;
mod commands;
mod routes;
mod same;
mod simulation;
mod unknown;

use crate::support::{Lines, SECRET, TOKEN, group};
use ecs_dingtalk_notifier::app;
use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::Notifier;
use fake_aliyun::{Cloud, Identity, SystemEvent};
use fake_dingtalk::{Delivery, Group};
use fc_runtime::{Context, Credentials};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ACCOUNT: &str = "1234567890123456";
const REGION: &str = "cn-hangzhou";
/// 09:00 in Shanghai, on a Thursday.
const NINE: &str = "2026-11-26T01:00:00Z";
const MAINTENANCE: &str = "DescribeInstanceHistoryEvents";

/// A group, a cloud and the function between them.
struct Stage {
    group: Group,
    cloud: Cloud,
    identity: Identity,
    clock: Arc<ManualClock>,
    lines: Lines,
    notifier: Notifier,
    vars: Vec<(String, String)>,
    /// The region that the platform tells.
    region: Option<&'static str>,
    /// How many messages were taken.
    seen: Cell<usize>,
}

/// The answer to a tick: `Ok`, or the name and the text of the failure; and what was said on
/// stderr.
type Answer = (Result<Value, (String, String)>, Vec<String>);

impl Stage {
    /// Starts a function at 09:00 in Shanghai that reminds as these variables have it, in English.
    fn new(more: &[(&str, &str)]) -> Stage {
        Stage::at(NINE, more)
    }

    fn at(time: &str, more: &[(&str, &str)]) -> Stage {
        let (group, cloud) = (group(), Cloud::start());
        let webhook = group.webhook(TOKEN);
        let endpoint = cloud.endpoint();
        let vars = [
            ("DINGTALK_WEBHOOK", webhook.as_str()),
            ("DINGTALK_SECRET", SECRET),
            ("MESSAGE_LANGUAGE", "en"),
            ("RESOURCE_ENDPOINT", &endpoint),
            ("RESOURCE_STS_ENDPOINT", &endpoint),
        ];
        let vars = vars.iter().chain(more);
        let vars = vars.map(|(name, value)| (name.to_string(), value.to_string()));
        let vars: Vec<_> = vars.collect();
        let clock = ManualClock::frozen_at(wall(time));
        let (notifier, lines) = function(&vars, &clock);
        let stage = Stage {
            identity: cloud.role_identity(ACCOUNT),
            group,
            cloud,
            clock,
            lines,
            notifier,
            vars,
            region: Some(REGION),
            seen: Cell::new(0),
        };
        stage.set_time(time);
        stage
    }

    /// Replaces the function by one that knows nothing yet, as on a new instance.
    fn restart(&mut self) {
        (self.notifier, self.lines) = function(&self.vars, &self.clock);
    }

    /// Moves all clocks on to a time.
    fn set_time(&self, time: &str) {
        let then = wall(time);
        let ahead = then.duration_since(self.clock.wall());
        self.clock.advance(ahead.unwrap_or_default());
        self.cloud.set_clock(then);
        let since_1970 = then.duration_since(UNIX_EPOCH).unwrap();
        self.group.set_clock_ms(since_1970.as_millis() as u64);
    }

    /// Adds maintenance of an instance called `web-<number>`, planned for a time.
    fn plan(&self, number: usize, not_before: &str) -> String {
        let (id, event) = planned(number, not_before);
        self.add_instance(number);
        self.cloud.add_event(ACCOUNT, REGION, event);
        id
    }

    fn add_instance(&self, number: usize) {
        let (id, name) = (instance_id(number), format!("web-{number:02}"));
        let instance = fake_aliyun::Instance::new(&id).name(&name);
        self.cloud.add_instance(ACCOUNT, REGION, instance);
    }

    /// Sends the tick of a time at that time.
    fn tick(&self, time: &str) -> Answer {
        self.set_time(time);
        self.send(&tick(time))
    }

    /// Sends a payload with the identity of the role.
    fn send(&self, payload: &Value) -> Answer {
        self.send_as(payload, Some(&self.identity))
    }

    fn send_as(&self, payload: &Value, identity: Option<&Identity>) -> Answer {
        let mut context = Context::for_command(Duration::from_secs(60));
        context.request_id = "request-1".into();
        context.deadline += self.clock.advanced();
        context.region = self.region.map(str::to_owned);
        context.account_id = Some(ACCOUNT.into());
        context.credentials = identity.and_then(|identity| {
            let token = identity.token.as_deref()?;
            Credentials::new(&identity.id, &identity.secret, token)
        });
        let payload = payload.to_string();
        let (result, remarks) = app::invoke(&self.notifier, payload.as_bytes(), &context);
        let result = result.map_err(|failure| (failure.error_type.into(), failure.error_message));
        (result, remarks)
    }

    /// Takes the messages that were shown since the last call.
    fn shown(&self) -> Vec<Delivery> {
        let all = self.group.deliveries();
        let new = all[self.seen.get()..].to_vec();
        self.seen.set(all.len());
        new
    }

    fn titles(&self) -> Vec<String> {
        self.shown().into_iter().map(|shown| shown.title).collect()
    }

    /// How often upcoming maintenance was asked for.
    fn questions(&self) -> usize {
        self.cloud.calls_of(MAINTENANCE).len()
    }
}

fn function(vars: &[(String, String)], clock: &Arc<ManualClock>) -> (Notifier, Lines) {
    let config = Config::from_vars(vars.to_vec()).unwrap();
    let lines = Lines::default();
    let log = Log::to(lines.clone());
    (app::notifier(config, clock.clone(), log), lines)
}

/// The event of a timer, as Function Compute sends it.
fn tick(time: &str) -> Value {
    json!({"triggerTime": time, "triggerName": "tick", "payload": "{\"task\":\"tick\"}"})
}

fn planned(number: usize, not_before: &str) -> (String, SystemEvent) {
    let id = format!("e-bp1planned{number:04}");
    let event = SystemEvent::new(&id, &instance_id(number), "SystemMaintenance.Reboot");
    (id, event.not_before(not_before))
}

fn instance_id(number: usize) -> String {
    format!("i-bp1planned{number:04}")
}

fn wall(time: &str) -> SystemTime {
    let time: Timestamp = time.parse().unwrap();
    UNIX_EPOCH + Duration::from_millis(time.as_millisecond() as u64)
}

fn text(delivery: &Delivery) -> &str {
    delivery.text.as_str()
}

/// The numbers of the instances that a message names.
fn named(message: &str) -> Vec<usize> {
    let ids = message.split("i-bp1planned").skip(1);
    let mut numbers: Vec<usize> = ids.map(|rest| rest[..4].parse().unwrap()).collect();
    numbers.dedup();
    numbers
}
