//! The service's signature, computed independently of the client under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns Base64 of HMAC-SHA256 over `timestamp\nsecret` with the secret as key, without
/// percent-encoding.
pub fn sign(timestamp_ms: u64, secret: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{timestamp_ms}\n{secret}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_equal_published_vectors() {
        for (timestamp, secret, expected) in [
            (
                1582163555000,
                "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68",
                "BQKsG+QOCl+bYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY=",
            ),
            (
                1700000000000,
                "secret",
                "OuzzJR5+xZ4/EYwqtNt6sMYZQMTa/HEGvc9miJe7XzY=",
            ),
            (
                1577262236757,
                "this is secret",
                "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=",
            ),
            (
                1577262236757,
                "this is a secret",
                "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA=",
            ),
            (
                1599360473000,
                "this is secret",
                "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I=",
            ),
            (
                1760000000000,
                "SEC0000000000000000000000000000000000000000000000000000000000000000",
                "0cYFUPgSFF62q7XgSCSrAUjpMxTuEPUHvM/KKjqvHlU=",
            ),
        ] {
            assert_eq!(sign(timestamp, secret), expected);
        }
    }
}
