//! The work that is measured inside a process: payloads, and the stations that they pass.

use ecs_dingtalk_notifier::channel::dingtalk::{MAX_BYTES, Secret, Variables, classify, markdown};
use ecs_dingtalk_notifier::channel::{
    Attempt, Ban, Body, Channel, Chat, EncodeOptions, Limits, SendOptions,
};
use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::delivery::{DeliveryResult, Dispatcher, Outcome, Target};
use ecs_dingtalk_notifier::event::{self, Event};
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::message::{self, Message};
use ecs_dingtalk_notifier::notifier::Notifier;
use ecs_dingtalk_notifier::route::{self, Route};
use fc_runtime::{Context, Failure};
use jiff::Timestamp;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The numbers of events for which growth is shown.
pub const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// The event that is delivered where one is: planned maintenance.
pub const REBOOT: &str =
    include_str!("../../tests/events/eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json");
/// The event that is filtered where one is: of level INFO.
pub const RUNNING: &str =
    include_str!("../../tests/events/eventbridge/Instance-StateChange-Running.json");

/// What comes by in an ordinary week; payloads go round it.
const SAMPLES: [&str; 8] = [
    REBOOT,
    include_str!("../../tests/events/eventbridge/Instance-StateChange-Stopped.json"),
    include_str!("../../tests/events/eventbridge/Instance-SystemFailure.Reboot-Executing.json"),
    RUNNING,
    include_str!("../../tests/events/eventbridge/Instance-PreemptibleInstanceInterruption.json"),
    include_str!("../../tests/events/eventbridge/Snapshot-CreateSnapshotCompleted.json"),
    include_str!("../../tests/events/eventbridge/Disk-Stalled-Executed.json"),
    include_str!("../../tests/events/eventbridge/Instance-SystemMaintenance.Reboot-Executed.json"),
];

/// A configuration that takes every event: one chatbot with a secret.
pub const VARIABLES: [(&str, &str); 3] = [
    (
        "DINGTALK_WEBHOOK",
        "http://127.0.0.1:9/robot/send?access_token=0123456789abcdef0123456789abcdef",
    ),
    ("DINGTALK_SECRET", SECRET),
    ("EVENT_LEVELS", "INFO,WARN,CRITICAL"),
];

const SECRET: &str = "SEC0000000000000000000000000000000000000000000000000000000000000000";

/// The number `n` of a series of events: a sample with an id and a resource of its own.
pub fn numbered(sample: &str, n: usize) -> String {
    let value: Value = serde_json::from_str(sample).expect("samples are JSON");
    let id = value["id"].as_str().expect("samples have an id");
    let subject = value["subject"].as_str().expect("samples have a subject");
    let resource = subject.rsplit('/').next().unwrap_or_default();
    let (kind, _) = resource.split_once('-').expect("resources are i-…, d-…");
    sample
        .trim_end()
        .replace(id, &format!("7c350009-2b1a-447a-bd93-{n:012}"))
        .replace(resource, &format!("{kind}-bp1{n:017}"))
}

/// A payload of so many different events, as EventBridge sends it.
pub fn payload(events: usize) -> Vec<u8> {
    let mut one_by_one = singles(events);
    match one_by_one.len() {
        1 => one_by_one.remove(0),
        _ => [b"[", one_by_one.join(&b',').as_slice(), b"]"].concat(),
    }
}

/// So many payloads of one event each.
pub fn singles(events: usize) -> Vec<Vec<u8>> {
    let samples = SAMPLES.iter().cycle().enumerate().take(events);
    samples
        .map(|(n, sample)| numbered(sample, n).into_bytes())
        .collect()
}

/// The route that [`VARIABLES`] describe.
pub fn route() -> Route {
    let config = config();
    config
        .routes
        .into_iter()
        .next()
        .expect("a route was described")
}

fn config() -> Config {
    let variables = VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::from_vars(variables).expect("the configuration is valid")
}

/// The moment at which everything is rendered.
pub fn moment() -> Timestamp {
    Timestamp::from_second(1_760_000_000).expect("a moment in 2025")
}

/// The events of a payload.
pub fn parse(payload: &[u8]) -> Vec<Arc<Event>> {
    let parsed = event::parse(payload);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    parsed.events
}

/// Those of the events that the route takes.
pub fn decide<'a>(route: &Route, events: &'a [Arc<Event>]) -> Vec<&'a Event> {
    events
        .iter()
        .map(Arc::as_ref)
        .filter(|event| route::decide(&route.filter, event, moment()).send)
        .collect()
}

/// The body of one message of these events.
pub fn render(route: &Route, events: &[&Event]) -> Vec<u8> {
    let options = &route.render_options;
    let keyword = route.endpoint.keyword();
    let (_, body) = message::encode_within(events, options, moment(), MAX_BYTES, |message| {
        markdown::encode(message, keyword, "00000000-0000-0000-0000-000000000000")
    });
    body
}

/// The bytes of the messages of these events, combined as they are when they come together.
pub fn render_together(route: &Route, events: &[&Event]) -> usize {
    message::chunks(events, &route.render_options, MAX_BYTES)
        .iter()
        .map(|together| render(route, together).len())
        .sum()
}

/// Parses, decides, renders: from a payload to the bytes of its messages.
pub fn pure(route: &Route, payload: &[u8]) -> usize {
    let events = parse(payload);
    render_together(route, &decide(route, &events))
}

/// The secret that signatures are made with.
pub fn secret() -> Secret {
    Secret::parse(SECRET).expect("a valid secret")
}

/// A chatbot that accepts everything at once, without a network.
struct Willing;

impl Channel for Willing {
    fn chat(&self) -> &'static str {
        "DingTalk"
    }

    fn id(&self) -> &str {
        "willing"
    }

    fn limits(&self) -> Limits {
        Limits::new(18, MAX_BYTES)
    }

    fn secrets(&self) -> usize {
        1
    }

    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
        markdown::encode(message, None, options.key).into()
    }

    fn send(&self, _body: &[u8], _options: SendOptions, _deadline: Instant) -> Attempt {
        let response = br#"{"errcode":0,"errmsg":"ok"}"#;
        let verdict = classify(200, None, response, SystemTime::UNIX_EPOCH);
        verdict.attempt(&Variables::new(Chat::DingTalk, "", false), &[])
    }

    fn ban_remedy(&self, _ban: Ban) -> String {
        unreachable!("it never bans")
    }
}

fn targets(routes: &[Route]) -> Vec<Target> {
    let target = |route: &Route| Target {
        route: route.name.clone(),
        channel: Arc::new(Willing),
        fallback: None,
        options: route.render_options.clone(),
    };
    routes.iter().map(target).collect()
}

fn clock() -> Arc<dyn Clock> {
    ManualClock::frozen_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000))
}

/// Time enough for any number of messages at a chatbot's pace.
fn context() -> Context {
    Context::for_command(Duration::from_secs(86_400))
}

/// A whole invocation in the process: notifier, dispatcher, a chatbot that accepts everything, a
/// discarded log.
pub struct Whole {
    notifier: Notifier,
    payload: Vec<u8>,
    context: Context,
}

impl Whole {
    /// Ready for a payload of so many events.
    pub fn new(events: usize) -> Whole {
        let config = config();
        let clock = clock();
        let dispatcher = Dispatcher::new(targets(&config.routes), Arc::clone(&clock));
        Whole {
            notifier: Notifier::new(config.routes, dispatcher, clock, Log::to(io::sink())),
            payload: payload(events),
            context: context(),
        }
    }

    /// Handles the payload; every event is delivered.
    ///
    /// # Panics
    /// If one is not.
    pub fn run(&self) -> Value {
        let outcome: Result<Value, Failure> = self.notifier.handle(&self.payload, &self.context);
        outcome.expect("every event is delivered")
    }
}

/// A queue of events that wait for one chatbot.
pub struct Waiting {
    dispatcher: Dispatcher,
    events: Vec<Arc<Event>>,
    deadline: Instant,
}

impl Waiting {
    /// A chatbot and so many events, already parsed.
    pub fn new(events: usize) -> Waiting {
        Waiting {
            dispatcher: Dispatcher::new(targets(&config().routes), clock()),
            events: parse(&payload(events)),
            deadline: context().deadline,
        }
    }

    /// Queues all events at once and sees them out, as many messages as it takes.
    ///
    /// # Panics
    /// If one is not delivered.
    pub fn run(&self) -> Vec<Outcome> {
        let delivered = self.dispatcher.deliver(0, &self.events, self.deadline);
        let all = |outcome: &Outcome| outcome.result == DeliveryResult::Delivered;
        assert!(delivered.len() == self.events.len() && delivered.iter().all(all));
        delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_event_of_a_payload_is_another_and_none_is_filtered() {
        for size in [1, 10, 1_000] {
            let events = parse(&payload(size));
            let ids: HashSet<_> = events.iter().map(|event| event.dedup_key()).collect();
            let resources: HashSet<_> = events.iter().map(|e| e.resource_id.clone()).collect();
            assert_eq!((ids.len(), resources.len()), (size, size));
            assert_eq!(decide(&route(), &events).len(), size);
        }
    }

    #[test]
    fn one_event_of_the_footprint_is_sent_and_one_is_filtered() {
        let [webhook, ..] = VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::from_vars([webhook]).unwrap();
        for (sample, sent) in [(REBOOT, 1), (RUNNING, 0)] {
            let events = parse(numbered(sample, 1).as_bytes());
            assert_eq!(decide(&config.routes[0], &events).len(), sent);
        }
    }

    #[test]
    fn whole_invocations_and_queues_deliver_everything() {
        let outcome = Whole::new(1_000).run();
        assert_eq!(outcome["events"].as_array().map(Vec::len), Some(1_000));
        assert_eq!(Waiting::new(1_000).run().len(), 1_000);
    }
}
