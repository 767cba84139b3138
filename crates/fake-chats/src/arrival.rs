//! A call to any chat, and what comes of it.

use crate::behaviour::Behaviour;
use crate::rate::Rate;
use crate::record::Delivery;
use crate::robot::Robot;
use fake_http::Response;
use fake_http::http::Request;
use std::collections::HashMap;

/// A call, and all that its checks may look at.
pub(crate) struct Arrival<'a> {
    pub(crate) request: &'a Request,
    pub(crate) robots: &'a [Robot],
    pub(crate) behaviour: &'a Behaviour,
    /// By token.
    pub(crate) rates: &'a mut HashMap<String, Rate>,
    /// In milliseconds since 1970.
    pub(crate) now: u64,
}

/// An answer of a chat.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The code, or Slack's word.
    pub(crate) code: String,
    pub(crate) response: Response,
}

/// The message to show, or a refusal.
pub(crate) type Checked = Result<Delivery, Answer>;

/// Returns true if a request's body is declared as JSON.
pub(crate) fn is_json(request: &Request) -> bool {
    let value = request.header("content-type").unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// Returns true if this is an address that a client opens in a browser.
pub(crate) fn is_web_address(address: &str) -> bool {
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    host.is_some_and(|host| {
        !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_have_a_scheme_and_a_host() {
        for (address, is_one) in [
            ("https://example.com/?a=b", true),
            ("http://127.0.0.1:1/", true),
            ("https://", false),
            ("https:///x", false),
            ("https://a b", false),
            ("dingtalk://x", false),
            ("example.com", false),
        ] {
            assert_eq!(is_web_address(address), is_one, "{address}");
        }
    }
}
