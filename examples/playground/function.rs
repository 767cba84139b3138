//! The function as it is deployed, behind one port, to be replaced by another one while the port stays.

use crate::invocations::Invocations;
use ecs_dingtalk_notifier::channel::dingtalk::{Client, Options, targets};
use ecs_dingtalk_notifier::clock::SystemClock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::delivery::Dispatcher;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::Notifier;
use fc_runtime::{Context, Failure, Handler};
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};

/// Hands every invocation to the function of the moment, and has it written down.
pub struct Swap {
    current: RwLock<Arc<Notifier>>,
    invocations: Arc<Invocations>,
}

impl Swap {
    /// Begins with this function.
    pub fn new(first: Notifier, invocations: Arc<Invocations>) -> Swap {
        Swap {
            current: RwLock::new(Arc::new(first)),
            invocations,
        }
    }

    /// Replaces the function. Invocations under way end with the old one.
    pub fn put(&self, next: Notifier) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl Handler for Swap {
    fn invoke(&self, payload: &[u8], context: &Context) -> Result<Value, Failure> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let function = Arc::clone(&current);
        drop(current);
        let mut context = context.clone();
        let entered = self.invocations.enter(&mut context.request_id, payload);
        let result = function.handle(payload, &context);
        if let Some(number) = entered {
            self.invocations.left(number, &result);
        }
        result
    }
}

/// The function with this configuration, with nothing to remember yet.
///
/// # Errors
/// If the certificates named in the environment cannot be read.
pub fn function(config: Config, invocations: Arc<Invocations>) -> Result<Notifier, String> {
    let clock = Arc::new(SystemClock);
    let client = Client::new(clock.clone(), Options::default())?;
    let targets = targets(&config.routes, Arc::new(client));
    let dispatcher = Dispatcher::new(targets, clock.clone());
    let log = Log::to(Lines {
        invocations,
        begun: Vec::new(),
    });
    Ok(Notifier::new(config, dispatcher, clock, log))
}

/// The function's standard output: to the terminal as ever, and to the invocation that each line tells of.
struct Lines {
    invocations: Arc<Invocations>,
    begun: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            self.invocations
                .log(String::from_utf8_lossy(&line).trim_end());
        }
        std::io::stdout().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}
