//! Shared by several tests: tokens, a captured log, and a notifier whose clock waits in no time.

use ecs_dingtalk_notifier::app;
use ecs_dingtalk_notifier::clock::ManualClock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::http::HttpConfig;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::Notifier;
use fake_dingtalk::{Group, Robot};
use fc_runtime::{Context, Credentials};
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const TOKEN: &str = "4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a";
pub const SECRET: &str = "SEC00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub const FALLBACK_TOKEN: &str = "9e8d7c6b9e8d7c6b9e8d7c6b9e8d7c6b9e8d7c6b9e8d7c6b9e8d7c6b9e8d7c6b";

/// The captured log.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub fn all(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A notifier in this process, its clock and its log.
pub struct Bench {
    pub notifier: Notifier,
    pub clock: Arc<ManualClock>,
    pub lines: Lines,
    /// The identity that invocations bring.
    pub credentials: Option<Credentials>,
}

impl Bench {
    pub fn new(vars: &[(&str, &str)]) -> Bench {
        Bench::with_network(vars, HttpConfig::default())
    }

    pub fn with_network(vars: &[(&str, &str)], http: HttpConfig) -> Bench {
        let vars = vars.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        let config = Config::from_vars(vars).unwrap();
        let clock = ManualClock::running();
        let lines = Lines::default();
        let log = Log::to(lines.clone());
        Bench {
            notifier: app::notifier(Config { http, ..config }, clock.clone(), log),
            clock,
            lines,
            credentials: None,
        }
    }

    /// Handles a payload within a minute. Returns `Ok` or (errorType, message), and the outcome.
    pub fn handle(&self, payload: &str) -> (Result<(), (String, String)>, Value) {
        self.handle_within(payload, Duration::from_secs(60))
    }

    pub fn handle_within(
        &self,
        payload: &str,
        timeout: Duration,
    ) -> (Result<(), (String, String)>, Value) {
        let mut context = Context::for_command(timeout);
        context.request_id = "request-1".into();
        context.deadline += self.clock.advanced();
        context.credentials = self.credentials.clone();
        match self.notifier.handle(payload.as_bytes(), &context) {
            Ok(outcome) => (Ok(()), outcome),
            Err(failure) => (
                Err((failure.error_type.into_owned(), failure.error_message)),
                failure.outcome.unwrap_or(Value::Null),
            ),
        }
    }
}

/// A group with one signed chatbot that wants the keyword CloudMonitor.
pub fn group() -> Group {
    Group::start(vec![
        Robot::new(TOKEN).secret(SECRET).keyword("CloudMonitor"),
        Robot::new(FALLBACK_TOKEN),
    ])
}
