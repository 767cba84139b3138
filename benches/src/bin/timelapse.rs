//! The function as it is deployed, but for its clock: it moves on before every invocation, so that the
//! chatbot has room for the next message. Ten thousand real deliveries can be watched in seconds.
//!
//! Run it with `DINGTALK_RATE_LIMIT=20`: at the default pace, one message in 5 s, every delivery would
//! be on a new connection, because none is trusted that rested for longer than 5 s.

use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::config::{Config, Fault, http_config};
use ecs_dingtalk_notifier::delivery::{Dispatcher, HttpTransport};
use ecs_dingtalk_notifier::http::Client;
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
    let lines = |faults: Vec<Fault>| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    let config = Config::from_vars(std::env::vars()).map_err(lines)?;
    let network = http_config(|name| std::env::var(name).ok()).map_err(lines)?;
    let lapse = ManualClock::running();
    let clock: Arc<dyn Clock> = Arc::clone(&lapse) as _;
    let transport = HttpTransport {
        http: Arc::new(Client::new(Arc::clone(&clock), network)),
        clock: Arc::clone(&clock),
    };
    let dispatcher = Dispatcher::new(&config.routes, transport, Arc::clone(&clock));
    let notifier = Notifier::new(config, dispatcher, clock, Log::stdout());
    fc::run(Paced {
        function: Function::Ready(Box::new(notifier)),
        clock: lapse,
    })?;
    Ok(())
}
