//! The signature of a custom bot, computed independently of the client under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns Lark's signature: Base64 of HMAC-SHA256 over nothing, with `timestamp\nsecret` as key.
/// The timestamp is in seconds since 1970.
pub fn sign(timestamp_s: u64, secret: &str) -> String {
    let key = format!("{timestamp_s}\n{secret}");
    let mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_equal_known_ones() {
        for (timestamp, secret, expected) in [
            (
                1_599_360_473,
                "demo",
                "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=",
            ),
            (
                1_700_000_000,
                "mysecret",
                "Jp33/xXhCipDEpjyHvEyc7mRSyXWHbNz6J8+C3qQKNo=",
            ),
            (
                1_760_000_000,
                "WYDI0000000000000000000000000000",
                "plw9Ry83RGOSEzVJ+877KCgL7JwD0Xu1cIZgezHLq2c=",
            ),
        ] {
            assert_eq!(sign(timestamp, secret), expected);
        }
    }
}
