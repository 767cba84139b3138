//! A panic during an attempt while other invocations wait for the same chatbot.

use super::event;
use crate::platform::PATIENCE;
use crate::support::{Lines, SECRET, TOKEN};
use ecs_dingtalk_notifier::channel::{
    Attempt, Ban, Body, Channel, Class, Code, EncodeOptions, Limits, Phase, SendOptions,
};
use ecs_dingtalk_notifier::clock::ManualClock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::delivery::{Dispatcher, Target};
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::message::Message;
use ecs_dingtalk_notifier::notifier::Notifier;
use fc_runtime::Context;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Panics in its first attempt after a signal; delivers in the others.
struct Panicking {
    begun: Sender<()>,
    first: Mutex<Option<Receiver<()>>>,
    bodies: Sender<String>,
}

impl Channel for Panicking {
    fn chat(&self) -> &'static str {
        "DingTalk"
    }

    fn id(&self) -> &str {
        "panicking"
    }

    fn limits(&self) -> Limits {
        Limits::new(18, 20_000)
    }

    fn secrets(&self) -> usize {
        1
    }

    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
        let body = format!("{}\n{message:?}", options.key);
        body.into_bytes().into()
    }

    fn ban_remedy(&self, _: Ban) -> String {
        unreachable!("it is never banned")
    }

    fn send(&self, body: &[u8], _: SendOptions, _: Instant) -> Attempt {
        let first = self.first.lock().unwrap().take();
        if let Some(go) = first {
            self.begun.send(()).unwrap();
            go.recv_timeout(PATIENCE).unwrap();
            panic!("in the middle of an attempt");
        }
        self.bodies
            .send(String::from_utf8_lossy(body).into_owned())
            .unwrap();
        Attempt {
            class: Class::Delivered,
            errcode: Some(Code::Number(0)),
            phase: Phase::Answer,
            detail: String::new(),
            remedy: None,
            by_deadline: false,
        }
    }
}

#[test]
fn when_an_attempt_panics_only_its_invocation_fails() {
    let (begun, has_begun) = channel();
    let (go, waits_for_go) = channel();
    let (bodies, sent) = channel();
    let chatbot = Panicking {
        begun,
        first: Mutex::new(Some(waits_for_go)),
        bodies,
    };
    let webhook = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    let vars = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
    ];
    let config = Config::from_vars(vars.map(|(n, v)| (n.to_owned(), v.to_owned()))).unwrap();
    let clock = ManualClock::running();
    let target = Target {
        route: "default".into(),
        channel: Arc::new(chatbot),
        fallback: None,
        options: config.routes[0].render_options.clone(),
    };
    let dispatcher = Dispatcher::new(vec![target], clock.clone());
    let lines = Lines::default();
    let log = Log::to(lines.clone());
    let notifier = Notifier::new(config.routes, dispatcher, clock, log);
    let handle = |number: usize| {
        let context = Context::for_command(Duration::from_secs(600));
        let payload = event(number).to_string();
        let result = catch_unwind(AssertUnwindSafe(|| {
            notifier.handle(payload.as_bytes(), &context)
        }));
        result.map(|result| result.map(|_| ()).map_err(|failure| failure.error_type))
    };
    std::thread::scope(|scope| {
        let unlucky = scope.spawn(|| handle(1));
        has_begun.recv_timeout(PATIENCE).unwrap();
        // One waits for the same event, one for another.
        let (twin, other) = (scope.spawn(|| handle(1)), scope.spawn(|| handle(2)));
        std::thread::sleep(Duration::from_millis(50));
        go.send(()).unwrap();
        assert!(unlucky.join().unwrap().is_err(), "a panic");
        assert!(matches!(twin.join().unwrap(), Ok(Ok(()))));
        assert!(matches!(other.join().unwrap(), Ok(Ok(()))));
    });
    let sent: Vec<String> = sent.try_iter().collect();
    for number in [1, 2] {
        let id = super::resource(number);
        let count = sent.iter().filter(|body| body.contains(&id)).count();
        assert_eq!(count, 1, "event {number}");
    }
    assert!(matches!(handle(1), Ok(Ok(()))), "and is remembered");
    assert_eq!(lines.all().last().unwrap()["outcome"], "duplicate");
}
