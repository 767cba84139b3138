//! System events of instances, and how the service shows them.

use serde_json::{Map, Value, json};

/// All statuses that the service knows.
pub(crate) const STATUSES: [&str; 7] = [
    "Scheduled",
    "Inquiring",
    "Executing",
    "Executed",
    "Avoided",
    "Canceled",
    "Failed",
];

/// The statuses of events that have ended. A call that names no status lists these.
const ENDED: [&str; 4] = ["Avoided", "Executed", "Canceled", "Failed"];

/// A system event. A new one is scheduled and has no attributes.
#[derive(Debug, Clone)]
pub struct SystemEvent {
    /// Stays when the member is left out.
    id: String,
    shown: Map<String, Value>,
}

impl SystemEvent {
    /// Creates an event of this type (`SystemMaintenance.Reboot`) of an instance.
    pub fn new(id: &str, instance: &str, kind: &str) -> SystemEvent {
        let event = SystemEvent {
            id: id.to_owned(),
            shown: Map::new(),
        };
        event
            .with("EventId", json!(id))
            .with("InstanceId", json!(instance))
            .with("ResourceType", json!("instance"))
            .with("EventType", json!({ "Code": 1, "Name": kind }))
            .with("EventPublishTime", json!("2026-11-20T06:32:31Z"))
            .with("NotBefore", json!("2026-11-28T18:00:00Z"))
            .with("EventFinishTime", json!(""))
            .with("ImpactLevel", json!("100"))
            .with("Reason", json!("Example: maintenance of the host"))
            .with("ReasonCode", json!(""))
            .status("Scheduled")
    }

    /// Sets the status: `Inquiring`.
    pub fn status(self, status: &str) -> SystemEvent {
        self.with("EventCycleStatus", json!({ "Code": 24, "Name": status }))
    }

    /// Sets the planned time: `2026-11-28T18:00:00Z`.
    pub fn not_before(self, time: &str) -> SystemEvent {
        self.with("NotBefore", json!(time))
    }

    /// Sets the time when it was published.
    pub fn published(self, time: &str) -> SystemEvent {
        self.with("EventPublishTime", json!(time))
    }

    /// Sets the reason.
    pub fn reason(self, reason: &str) -> SystemEvent {
        self.with("Reason", json!(reason))
    }

    /// Adds an attribute: `DiskId`. Without one, `ExtendedAttribute` is missing.
    pub fn attribute(mut self, name: &str, value: &str) -> SystemEvent {
        let attributes = self
            .shown
            .entry("ExtendedAttribute")
            .or_insert_with(|| json!({}));
        attributes[name] = json!(value);
        self
    }

    /// Sets a member as the service shows it.
    pub fn with(mut self, member: &str, value: Value) -> SystemEvent {
        self.shown.insert(member.to_owned(), value);
        self
    }

    /// Leaves a member out.
    pub fn without(mut self, member: &str) -> SystemEvent {
        self.shown.remove(member);
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns true if it has one of the statuses `asked` for or, without any, if it has ended.
    pub(crate) fn is_listed(&self, asked: &[String]) -> bool {
        let status = self.shown.get("EventCycleStatus");
        let status = status.and_then(|status| status["Name"].as_str());
        status.is_some_and(|status| match asked {
            [] => ENDED.contains(&status),
            _ => asked.iter().any(|asked| asked == status),
        })
    }

    pub(crate) fn shown(&self) -> Value {
        Value::Object(self.shown.clone())
    }
}
