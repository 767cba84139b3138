//! The function as it is deployed, but for its clock: it moves on before every invocation, so that the
//! chatbot has room for the next message. Ten thousand real deliveries can be watched in seconds.
//!
//! Run it with `DINGTALK_RATE_LIMIT=20`: at the default pace, one message in 5 s, every delivery would
//! be on a new connection, because none is trusted that rested for longer than 5 s.

use ecs_dingtalk_notifier::channel::dingtalk::{Client, Options, targets};
use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::delivery::Dispatcher;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::{Function, Notifier};
use fc_runtime as fc;
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// 14 messages a minute are two thirds of the highest limit: what flows when nothing is saved up.
const PACE: Duration = Duration::from_millis(60_000 / 14 + 1);

/// A function that is called just when its chatbot can take a message.
struct Paced {
    function: Function,
    clock: Arc<ManualClock>,
}

impl fc::Handler for Paced {
    fn invoke(&self, payload: &[u8], context: &fc::Context) -> Result<Value, fc::Failure> {
        self.clock.advance(PACE);
        self.function.invoke(payload, context)
    }

    fn initialize(&self, context: &fc::Context) -> Result<(), fc::Failure> {
        self.function.initialize(context)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::from_vars(std::env::vars()).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        told.join("\n")
    })?;
    let options = Options::from_env(|name| std::env::var(name).ok())
        .map_err(|problems| problems.join("\n"))?;
    let lapse = ManualClock::running();
    let clock: Arc<dyn Clock> = Arc::clone(&lapse) as _;
    let client = Client::new(Arc::clone(&clock), options)?;
    let targets = targets(&config.routes, Arc::new(client));
    let dispatcher = Dispatcher::new(targets, Arc::clone(&clock));
    let notifier = Notifier::new(config, dispatcher, clock, Log::stdout());
    fc::run(Paced {
        function: Function::Ready(Box::new(notifier)),
        clock: lapse,
    })?;
    Ok(())
}
