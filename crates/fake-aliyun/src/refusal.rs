//! Refusals, as the service words them.

use serde_json::{Value, json};

/// The reason of a refusal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) denied: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code: code.to_owned(),
            message: message.into(),
            denied: None,
        }
    }

    /// A parameter that is wrong.
    pub(crate) fn parameter(name: &str) -> Refusal {
        let message = format!("The specified parameter {name} is not valid.");
        Refusal::new(400, "InvalidParameter", message)
    }

    /// The body of the response.
    pub(crate) fn body(&self, request_id: &str, host: &str) -> Value {
        let mut body = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": self.code,
            "Message": self.message,
            "Recommend": format!("https://api.example.invalid/troubleshoot?q={}", self.code),
        });
        if let Some(detail) = &self.denied {
            body["AccessDeniedDetail"] = detail.clone();
        }
        body
    }

    /// The body of the response in XML.
    pub(crate) fn xml(&self, request_id: &str, host: &str) -> String {
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>{request_id}</RequestId>\
             <HostId>{host}</HostId><Code>{}</Code><Message>{}</Message></Error>",
            self.code, self.message
        )
    }
}
