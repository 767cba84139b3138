//! Requests to a chatbot, and what became of those without a whole response.

use super::{Attempt, Class, Probe, SendOptions};
use crate::clock::{self, Clock};
use crate::http::{self, redact};
use jiff::fmt::rfc2822::DateTimeParser;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// The longest response that is read; those of chats are below 1 KiB.
const MAX_RESPONSE_BYTES: u64 = 64 * 1024;

/// Sends JSON to a chatbot.
pub(super) fn post(
    http: &http::Client,
    url: &http::Uri,
    body: &[u8],
    options: SendOptions,
    deadline: Instant,
) -> Result<http::Response, http::Error> {
    let request = http::Request {
        method: http::Method::Post,
        url,
        headers: &[("Content-Type", "application/json; charset=utf-8")],
        body,
        max_response_bytes: MAX_RESPONSE_BYTES,
    };
    http.send(&request, deadline, options.new_connection)
}

/// Returns the outcome of a request without a whole response.
pub(super) fn failed(error: &http::Error, secrets: &[&str], remedy: Option<String>) -> Attempt {
    Attempt {
        class: match error.may_have_arrived() {
            true => Class::Unclear,
            false => Class::NotSent,
        },
        errcode: None,
        phase: error.phase,
        detail: redact(&error.detail, secrets),
        remedy,
        by_deadline: error.by_deadline,
    }
}

/// Asks the chat's server for the time: [`Channel::probe`](super::Channel::probe).
pub(super) fn probe(
    http: &http::Client,
    clock: &Arc<dyn Clock>,
    url: &http::Uri,
    deadline: Instant,
    failed: impl Fn(&http::Error) -> Attempt,
) -> Result<Probe, String> {
    let request = http::Request {
        method: http::Method::Get,
        url,
        headers: &[],
        body: b"",
        max_response_bytes: MAX_RESPONSE_BYTES,
    };
    let answer = http.send(&request, deadline, false);
    let answer = answer.map_err(|error| {
        let failed = failed(&error);
        let remedy = failed.remedy.map(|remedy| format!(": {remedy}"));
        format!("{}{}", failed.detail, remedy.unwrap_or_default())
    })?;
    let now = clock::to_timestamp(clock.wall());
    let date = answer.header("Date").and_then(http_date);
    Ok(Probe {
        host: url.host().unwrap_or_default().to_owned(),
        clock_ahead: date.map(|date| now.duration_since(clock::to_timestamp(date))),
        is_proxied: http.uses_proxy(url),
    })
}

/// Reads an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    let timestamp = DateTimeParser::new().parse_timestamp(text).ok()?;
    SystemTime::try_from(timestamp).ok()
}
