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

/// Decodes a form value once: `%XX`, and `+` as a space. Other bytes stay unchanged.
pub(crate) fn decode_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
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

    #[test]
    fn a_form_value_is_decoded_once() {
        assert_eq!(decode_once("a%2Bb+c%253D%zz%"), "a+b c%3D%zz%");
    }
}
