//! The record of calls.

use std::time::Instant;

/// One call, accepted or not.
#[derive(Debug, Clone)]
pub struct Call {
    /// When the request was read.
    pub at: Instant,
    /// `DescribeInstances`; empty if there is none.
    pub action: String,
    /// `RegionId`, if there is one.
    pub region: Option<String>,
    /// The ids of `InstanceIds` or `DiskIds`, in the order of the request.
    pub ids: Vec<String>,
    /// The values of `InstanceEventCycleStatus.N`, in the order of the request.
    pub statuses: Vec<String>,
    /// The role of `AssumeRole`.
    pub role: Option<String>,
    /// The account of the identity that the call names, if it is known.
    pub account: Option<String>,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<String>,
    /// `POST`
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    /// Names and values in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The length of the body in bytes.
    pub body_length: usize,
    /// The number of the connection; the first is 1.
    pub connection: u64,
}

impl Call {
    /// Returns the first header of this name, ignoring letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
