//! What an answer means.

use super::Attempt;
use std::time::SystemTime;

/// Reads an answer: HTTP status, `Retry-After` header and body, at the wall-clock time `now`.
pub fn classify(
    _http_status: u16,
    _retry_after: Option<&str>,
    _body: &[u8],
    _now: SystemTime,
) -> Attempt {
    todo!()
}
