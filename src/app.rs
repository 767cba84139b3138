//! The composition root: from the environment to a notifier, and from the notifier to the function
//! that the runtime calls.

use crate::channel::Endpoint;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::delivery::{Dispatcher, Target};
use crate::http;
use crate::log::{self, Log};
use crate::notifier::Notifier;
use crate::report;
use fc_runtime::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

/// Makes a notifier that sends for real: one HTTP client, and a channel for each chatbot.
pub fn notifier(config: Config, clock: Arc<dyn Clock>, log: Log) -> Notifier {
    let Config { routes, http } = config;
    let client = Arc::new(http::Client::new(Arc::clone(&clock), http));
    let channel = |endpoint: &Endpoint| endpoint.channel(&client, &clock);
    let targets = routes.iter().map(|route| Target {
        route: route.name.clone(),
        channel: channel(&route.endpoint),
        fallback: route.fallback.as_ref().map(channel),
        options: route.render_options.clone(),
    });
    let dispatcher = Dispatcher::new(targets.collect(), Arc::clone(&clock));
    Notifier {
        routes,
        dispatcher,
        clock,
        log,
    }
}

/// The function that the runtime calls. Faults of the configuration fail every invocation.
pub struct Function(pub Result<Notifier, Vec<ConfigError>>);

impl Function {
    /// Makes the function that the environment describes.
    pub fn from_env() -> Function {
        let notifier = |config| notifier(config, Arc::new(SystemClock), Log::stdout());
        Function(Config::from_env().map(notifier))
    }

    fn notifier(&self) -> Result<&Notifier, Failure> {
        let Function(notifier) = self;
        notifier
            .as_ref()
            .map_err(|errors| invalid_configuration(errors))
    }
}

impl Handler for Function {
    fn invoke(&self, payload: &[u8], context: &Context) -> Result<Value, Failure> {
        let report = self.notifier()?.process(payload, context);
        // Invalid parts have no line in the log, and only the caller sees the answer. The reason is
        // here for those who find the payload in a dead-letter queue.
        for part in &report.parsed.errors {
            // A closed stderr is ignored.
            let _ = writeln!(
                std::io::stderr(),
                "request {}: InvalidEvent: {}: {}",
                log::field(&context.request_id),
                log::field(&part.path),
                log::field(&part.problem)
            );
        }
        report.into_result()
    }

    fn initialize(&self, _context: &Context) -> Result<(), Failure> {
        self.notifier().map(|_| ())
    }
}

fn invalid_configuration(errors: &[ConfigError]) -> Failure {
    let list: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let count = report::counted(errors.len(), "fault", "faults");
    Failure {
        error_type: "InvalidConfiguration".into(),
        error_message: format!("the configuration has {count}: {}", list.join("; ")),
        outcome: Some(json!({ "faults": errors })),
    }
}
