//! The deployed function behind one port, where it can be replaced while the port stays open.

use crate::clock::MovableClock;
use crate::invocations::Invocations;
use ecs_dingtalk_notifier::app;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::Notifier;
use fc_runtime::{Context, Failure, Handler};
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};

/// Forwards every invocation to the current function and records it.
pub struct Swap {
    current: RwLock<Arc<Notifier>>,
    invocations: Arc<Invocations>,
}

impl Swap {
    /// Forwards to this function at first.
    pub fn new(first: Notifier, invocations: Arc<Invocations>) -> Swap {
        Swap {
            current: RwLock::new(Arc::new(first)),
            invocations,
        }
    }

    /// Replaces the function. Invocations in flight complete with the old one.
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
        let (result, remarks) = app::invoke(&function, payload, &context);
        for remark in &remarks {
            let _ = writeln!(std::io::stderr(), "{remark}");
        }
        self.invocations.remark(&context.request_id, remarks);
        if let Some(number) = entered {
            self.invocations.complete_guest(number, &result);
        }
        result
    }
}

/// Returns a new function with this configuration.
pub fn function(
    config: Config,
    clock: &Arc<MovableClock>,
    invocations: Arc<Invocations>,
) -> Notifier {
    let log = Log::to(Lines {
        invocations,
        pending: Vec::new(),
    });
    app::notifier(config, Arc::clone(clock) as Arc<_>, log)
}

/// Writes the function's log to the terminal and adds each line to its invocation.
struct Lines {
    invocations: Arc<Invocations>,
    pending: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
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
