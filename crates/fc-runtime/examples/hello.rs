//! Greets the name in the event.
//!
//! ```text
//! cargo run -p fc-runtime --example hello
//! curl -i -d '{"name":"Ada"}' localhost:9000/invoke
//! ```

use fc_runtime::Context;
use serde_json::{Value, json};

fn main() -> Result<(), fc_runtime::RunError> {
    fc_runtime::run(|event: &[u8], context: &Context| {
        let event: Value = serde_json::from_slice(event)?;
        let name = event["name"].as_str().unwrap_or("world");
        Ok(json!({ "message": format!("Hello, {name}!"), "requestId": context.request_id }))
    })
}
