//! A handler with state: it prepares itself in the platform's initializer, gives each failure a
//! type that programs can match, and stops in time before its deadline.
//!
//! ```text
//! cargo run -p fc-runtime --example initializer
//! curl -i -X POST localhost:9000/initialize
//! curl -i -d '3' localhost:9000/invoke
//! curl -i -d '1000' -H 'x-fc-function-timeout: 3' localhost:9000/invoke
//! ```

use fc_runtime::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time that one step of the work takes.
const STEP: Duration = Duration::from_millis(100);

/// Works through as many steps as the event says.
#[derive(Default)]
struct Worker {
    greeting: OnceLock<String>,
}

impl Handler for Worker {
    fn invoke(&self, event: &[u8], context: &Context) -> Result<Value, Failure> {
        let greeting = self.greeting.get().ok_or_else(|| {
            Failure::new(
                "NotInitialized",
                "enable the function's Initializer: POST /initialize was not called",
            )
        })?;
        let steps: u32 = serde_json::from_slice(event).map_err(|_| {
            Failure::new(
                "InvalidEvent",
                "the event must be a number of steps, like 3",
            )
        })?;
        for step in 0..steps {
            if context.remaining(Instant::now()) < STEP {
                return Err(Failure {
                    outcome: Some(json!({ "done": step })),
                    ..Failure::new("Deadline", "the time was too short for all steps")
                });
            }
            std::thread::sleep(STEP);
        }
        Ok(json!({ "message": greeting, "done": steps }))
    }

    fn initialize(&self, context: &Context) -> Result<(), Failure> {
        let function = context.function_name.as_deref().unwrap_or("a function");
        // Slow preparation belongs here. It would delay the first invocation elsewhere.
        self.greeting
            .get_or_init(|| format!("Greetings from {function}"));
        Ok(())
    }
}

fn main() -> Result<(), fc_runtime::RunError> {
    fc_runtime::run(Worker::default())
}
