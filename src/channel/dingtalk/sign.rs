//! The signature of requests to a chatbot.

use crate::channel::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::SystemTime;

/// A signature and the time that it is for: both go into the same URL.
pub(super) struct Signature {
    pub(super) timestamp_ms: u64,
    /// Not yet percent-encoded. It must appear in no text.
    pub(super) base64: String,
}

impl Signature {
    pub(super) fn new(now: SystemTime, secret: &Secret) -> Signature {
        let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
        let ms = since_1970.unwrap_or_default().as_millis();
        let timestamp_ms = u64::try_from(ms).expect("below 2^64 ms for 500 million years");
        Signature {
            timestamp_ms,
            base64: sign(timestamp_ms, secret),
        }
    }
}

/// Returns the signature for `timestamp_ms` (milliseconds since 1970): Base64 of HMAC-SHA256 with
/// the secret as key over the timestamp, a line feed and the secret. Not yet percent-encoded.
///
/// DingTalk accepts it for one hour to either side of its own clock.
pub fn sign(timestamp_ms: u64, secret: &Secret) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(format!("{timestamp_ms}\n{}", secret.expose()).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Percent-encodes Base64 for a query.
pub(super) fn encode(base64: &str) -> String {
    form_urlencoded::byte_serialize(base64.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timestamp, secret, Base64 and the percent-encoded form. The first three and the fifth were
    /// published by others, the fourth has published inputs, the sixth was computed with another
    /// implementation.
    const VECTORS: [(u64, &str, &str, &str); 6] = [
        (
            1_582_163_555_000,
            "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68",
            "BQKsG+QOCl+bYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY=",
            "BQKsG%2BQOCl%2BbYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY%3D",
        ),
        (
            1_700_000_000_000,
            "secret",
            "OuzzJR5+xZ4/EYwqtNt6sMYZQMTa/HEGvc9miJe7XzY=",
            "OuzzJR5%2BxZ4%2FEYwqtNt6sMYZQMTa%2FHEGvc9miJe7XzY%3D",
        ),
        (
            1_577_262_236_757,
            "this is secret",
            "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=",
            "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D",
        ),
        (
            1_577_262_236_757,
            "this is a secret",
            "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA=",
            "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA%3D",
        ),
        (
            1_599_360_473_000,
            "this is secret",
            "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I=",
            "hXZTWifRGHclNuZSKxoXc%2F%2Fsh51SWfVfRIhcdeKs63I%3D",
        ),
        (
            1_760_000_000_000,
            "SEC0000000000000000000000000000000000000000000000000000000000000000",
            "0cYFUPgSFF62q7XgSCSrAUjpMxTuEPUHvM/KKjqvHlU=",
            "0cYFUPgSFF62q7XgSCSrAUjpMxTuEPUHvM%2FKKjqvHlU%3D",
        ),
    ];

    #[test]
    fn signatures_equal_those_of_other_implementations() {
        for (timestamp, secret, base64, encoded) in VECTORS {
            let signature = sign(timestamp, &Secret(secret.to_owned()));
            assert_eq!(signature, base64);
            assert_eq!(encode(&signature), encoded);
        }
    }
}
