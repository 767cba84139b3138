//! What the webhook addresses of all chats have in common.

use super::placeholder::is_placeholder;
use crate::http::{Uri, host_of, is_loopback};
use sha2::{Digest, Sha256};

/// The parts of a URL. The path begins with a slash.
pub(super) struct Address<'a> {
    /// `https`, or `http` for loopback addresses.
    pub(super) scheme: String,
    /// Host and port, in lower case.
    pub(super) authority: String,
    pub(super) path: &'a str,
    /// Without the question mark.
    pub(super) query: &'a str,
}

/// Returns an address without the blanks around it.
pub(super) fn trim(text: &str) -> Result<&str, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty");
    }
    if text.starts_with(['"', '\'', '“', '‘']) {
        return Err("stands in quotation marks");
    }
    Ok(text)
}

impl<'a> Address<'a> {
    /// Splits an address without blanks around it. Drops a fragment.
    pub(super) fn parse(text: &'a str) -> Result<Address<'a>, &'static str> {
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("holds a blank, a line break or a character that no URL has");
        }
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err("does not begin with https://");
        }
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match before_query.find('/') {
            Some(at) => before_query.split_at(at),
            None => (before_query, "/"),
        };
        if authority.contains('@') {
            return Err("holds a user name or password before the host");
        }
        let authority = authority.to_ascii_lowercase();
        let Some(host) = host_of(&authority) else {
            return Err("holds no valid host and port");
        };
        if scheme == "http" && !is_loopback(host) {
            return Err("is not https (plain http is for loopback addresses only)");
        }
        Ok(Address {
            scheme,
            authority,
            path,
            query,
        })
    }

    /// Splits the address of a chat that has nothing but letters and digits in its tokens, and that
    /// is written alone.
    pub(super) fn parse_alone(text: &'a str) -> Result<Address<'a>, &'static str> {
        let text = trim(text)?;
        let lower = text.to_ascii_lowercase();
        let mut more = ["http://", "https://"]
            .iter()
            .flat_map(|s| lower.match_indices(s));
        if more.any(|(at, _)| at > 0) {
            return Err(
                "holds two addresses, but a route has one chatbot, and each further group is a route of its own (see the names with __NAME)",
            );
        }
        Address::parse(text)
    }
}

/// Returns what is wrong with a token that no chatbot can have.
pub(super) fn token_problem(token: &str) -> Option<&'static str> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if token.is_empty() {
        Some("ends before the chatbot's own part")
    } else if token.contains([',', ';', '|']) {
        Some("holds more than one address or token")
    } else if !token.chars().all(is_of_token) || is_placeholder(token) {
        Some("holds a placeholder in place of the chatbot's own part")
    } else {
        None
    }
}

/// Returns the URL, or what is wrong with it.
pub(super) fn url(text: &str) -> Result<Uri, &'static str> {
    text.parse().map_err(|_| "is no valid URL")
}

/// The beginning of a secret, or nothing of one that is shorter than 8 characters.
pub(super) fn masked(token: &str) -> &str {
    if token.len() < 8 { "" } else { &token[..4] }
}

/// A hash of a token, for the chatbot's id.
pub(super) fn hash_of(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Returns the address of the host's own page: nothing of the chatbot is in it.
pub(super) fn host_url(base: &str) -> Uri {
    let end = base.find("://").map_or(0, |at| at + 3);
    let authority = base[end..].find('/').map_or(base.len(), |at| end + at);
    let url = format!("{}/", &base[..authority]);
    url.parse().expect("the base is a valid URL with a path")
}
