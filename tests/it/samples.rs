//! Reads the sample events in `tests/events`.

use serde_json::Value;

pub const STOPPED: &str = "eventbridge/Instance-StateChange-Stopped.json";
pub const REBOOT: &str = "eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json";

/// Returns the content of a sample.
pub fn sample(name: &str) -> String {
    let path = format!("{}/tests/events/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the index of the samples.
pub fn index() -> Vec<Value> {
    serde_json::from_str(&sample("index.json")).unwrap()
}
