//! The signature of calls, ACS3-HMAC-SHA256:
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>.

use super::Credentials;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The hexadecimal SHA-256 of nothing: all parameters are in the query, also of a POST.
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A POST request with an empty body to the path `/`.
pub(super) struct Unsigned<'a> {
    /// As in the header: with the port if it is not that of the scheme.
    pub(super) host: &'a str,
    pub(super) action: &'a str,
    pub(super) version: &'a str,
    /// Sorted and percent-encoded.
    pub(super) query: &'a str,
    /// The API takes a request for 15 minutes to either side of its own clock.
    pub(super) date: Timestamp,
    pub(super) nonce: &'a str,
}

/// What makes a request a signed one.
pub(super) struct Signed {
    /// All headers to send.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Hexadecimal; part of a header. It must appear in no text.
    pub(super) signature: String,
}

pub(super) fn sign(request: &Unsigned, credentials: &Credentials) -> Signed {
    let [id, secret, token] = credentials.parts();
    let date = request.date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    // Sorted by name.
    let mut headers = vec![
        ("host", request.host.to_owned()),
        ("x-acs-action", request.action.to_owned()),
        ("x-acs-content-sha256", EMPTY_BODY.to_owned()),
        ("x-acs-date", date),
        ("x-acs-security-token", token.to_owned()),
        ("x-acs-signature-nonce", request.nonce.to_owned()),
        ("x-acs-version", request.version.to_owned()),
    ];
    // A long-lived key has no token, and an empty one would have to be signed.
    headers.retain(|(_, value)| !value.is_empty());

    let (canonical, names) = canonical_request("POST", request.query, &headers, EMPTY_BODY);
    let signature = signature(&canonical, secret);
    let authorization =
        format!("{ALGORITHM} Credential={id},SignedHeaders={names},Signature={signature}");
    headers.push(("authorization", authorization));
    headers.push(("accept", "application/json".to_owned()));
    Signed { headers, signature }
}

/// Returns the text whose hash is signed, and the names of its headers. `headers` is sorted by
/// name.
fn canonical_request(
    method: &str,
    query: &str,
    headers: &[(&str, String)],
    body_hash: &str,
) -> (String, String) {
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in headers {
        lines.push_str(&format!("{name}:{}\n", value.trim()));
    }
    // The headers end with a line feed, so an empty line follows them.
    let canonical = format!("{method}\n/\n{query}\n{lines}\n{names}\n{body_hash}");
    (canonical, names)
}

/// Returns the hexadecimal signature of a canonical request. The key is the secret itself, not one
/// derived from it as in the older signature.
fn signature(canonical: &str, secret: &str) -> String {
    let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(to_sign.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Returns 32 hexadecimal digits that no other request has.
///
/// The API asks for uniqueness, not for secrecy: a nonce is sent in clear and protected by the
/// signature. The keys of `RandomState` are random in each thread and differ in each instance; the
/// counter tells the requests of a process apart, and the clock those of copies of one process.
pub(super) fn nonce(now: SystemTime) -> String {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
    let ns = since_1970.unwrap_or_default().as_nanos();
    let [a, b] = [0u8, 1].map(|half| RandomState::new().hash_one((half, request, ns)));
    format!("{a:016x}{b:016x}")
}

#[cfg(test)]
mod tests;
