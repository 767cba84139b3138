//! The deployed function with a clock that moves forward before every invocation, so that the rate
//! limit never delays a message. Ten thousand deliveries take seconds.
//!
//! Run it with `DINGTALK_RATE_LIMIT=20`: the default limit is one message in 5 s, and connections
//! that were idle for longer than 5 s are not reused.

use ecs_dingtalk_notifier::app::{self, Function};
use ecs_dingtalk_notifier::clock::ManualClock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::log::Log;
use fc_runtime as fc;
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The interval of 14 messages a minute, two thirds of the highest limit: the rate without a burst.
const PACE: Duration = Duration::from_millis(60_000 / 14 + 1);

/// A function that is called when its rate limit allows a message.
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
    let config = Config::from_env().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let clock = ManualClock::running();
    let notifier = app::notifier(config, Arc::clone(&clock) as _, Log::stdout());
    fc::run(Paced {
        function: Function(Ok(notifier)),
        clock,
    })?;
    Ok(())
}
