//! The composition root: from the environment to a notifier, and from the notifier to the function
//! that the runtime calls.

use crate::aliyun::Api;
use crate::channel::Endpoint;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, ResourceConfig};
use crate::delivery::{Dispatcher, Target};
use crate::http::{self, HttpConfig};
use crate::inventory::{Directory, EcsInventory};
use crate::log::{self, Log};
use crate::notifier::Notifier;
use crate::report;
use fc_runtime::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

/// Makes a notifier that sends for real: one HTTP client, and a channel for each chatbot. It looks
/// resources up with the identities of invocations alone; see [`with_environment`].
pub fn notifier(config: Config, clock: Arc<dyn Clock>, log: Log) -> Notifier {
    let Config {
        routes,
        resources,
        http,
    } = config;
    let client = client(http, &clock);
    let channel = |endpoint: &Endpoint| endpoint.channel(&client, &clock);
    let targets = routes.iter().map(|route| Target {
        route: route.name.clone(),
        channel: channel(&route.endpoint),
        fallback: route.fallback.as_ref().map(channel),
        options: route.render_options.clone(),
    });
    let dispatcher = Dispatcher::new(targets.collect(), Arc::clone(&clock));
    let regions = resources.as_ref().map(|config| config.regions.clone());
    let directory = resources.map(|config| {
        let reaches_other_accounts = config.role.is_some();
        let api = api(&config, &client, &clock);
        let inventory = EcsInventory::new(api, Arc::clone(&clock), config.role);
        Directory::new(
            Box::new(inventory),
            Arc::clone(&clock),
            reaches_other_accounts,
        )
    });
    Notifier {
        directory,
        regions: regions.unwrap_or_default(),
        ..Notifier::new(routes, dispatcher, clock, log)
    }
}

pub(crate) fn client(config: HttpConfig, clock: &Arc<dyn Clock>) -> Arc<http::Client> {
    Arc::new(http::Client::new(Arc::clone(clock), config))
}

pub(crate) fn api(
    config: &ResourceConfig,
    client: &Arc<http::Client>,
    clock: &Arc<dyn Clock>,
) -> Api {
    let (client, clock) = (Arc::clone(client), Arc::clone(clock));
    Api::new(client, clock, config.ecs.clone(), config.sts.clone())
}

/// The same notifier, which looks resources up also with the identity in the environment of the
/// process.
pub fn with_environment(notifier: Notifier) -> Notifier {
    Notifier {
        environment: |name| std::env::var(name).ok(),
        ..notifier
    }
}

/// The function that the runtime calls. Faults of the configuration fail every invocation.
pub struct Function(pub Result<Notifier, Vec<ConfigError>>);

impl Function {
    /// Makes the function that the environment describes.
    pub fn from_env() -> Function {
        let notifier = |config| notifier(config, Arc::new(SystemClock), Log::stdout());
        Function(Config::from_env().map(notifier).map(with_environment))
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
        let (result, remarks) = invoke(self.notifier()?, payload, context);
        for remark in remarks {
            // A closed stderr is ignored.
            let _ = writeln!(std::io::stderr(), "{remark}");
        }
        result
    }

    fn initialize(&self, _context: &Context) -> Result<(), Failure> {
        self.notifier().map(|_| ())
    }
}

/// Delivers a payload as [`Notifier::handle`] does. Returns the answer, and the lines about the
/// invocation that belong on stderr.
pub fn invoke(
    notifier: &Notifier,
    payload: &[u8],
    context: &Context,
) -> (Result<Value, Failure>, Vec<String>) {
    let report = notifier.process(payload, context);
    let id = log::field(&context.request_id);
    let lookup = report.problem.iter();
    let lookup = lookup.map(|problem| format!("look-up: {}", log::field(problem)));
    let timers = report::left_out(&report.parsed);
    // Invalid parts have no line in the log, and only the caller sees the answer. The reason is
    // here for those who find the payload in a dead-letter queue.
    let invalid = report.parsed.errors.iter().map(|part| {
        let (path, problem) = (log::field(&part.path), log::field(&part.problem));
        format!("InvalidEvent: {path}: {problem}")
    });
    let remarks = lookup.chain(timers).chain(invalid);
    let remarks = remarks
        .map(|text| format!("request {id}: {text}"))
        .collect();
    (report.into_result(), remarks)
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
