//! The signature of requests, in the body.

use crate::channel::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::SystemTime;

/// Bytes of time and signature in a body.
pub(super) const SIGNATURE_BYTES: usize = 100;

/// Returns the signature for `timestamp` (seconds since 1970): Base64 of HMAC-SHA256 over nothing,
/// with the timestamp, a line feed and the secret as key.
///
/// Lark accepts it for one hour.
pub fn sign(timestamp: u64, secret: &Secret) -> String {
    let key = format!("{timestamp}\n{}", secret.expose());
    let mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Returns the body with time and signature in front, and the signature alone, which must appear in
/// no text.
pub(super) fn signed(body: &[u8], now: SystemTime, secret: &Secret) -> (Vec<u8>, String) {
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH);
    let timestamp = since_1970.unwrap_or_default().as_secs();
    let signature = sign(timestamp, secret);
    let mut out = format!(r#"{{"timestamp":"{timestamp}","sign":"{signature}","#).into_bytes();
    out.extend_from_slice(body.strip_prefix(b"{").expect("a body is an object"));
    (out, signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Computed with other implementations. The last is DingTalk's way, with key and message
    /// swapped.
    #[test]
    fn signatures_equal_those_of_other_implementations() {
        let zeros = format!("WYDI{}", "0".repeat(28));
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
                &zeros,
                "plw9Ry83RGOSEzVJ+877KCgL7JwD0Xu1cIZgezHLq2c=",
            ),
        ] {
            let secret = Secret::parse(secret).unwrap();
            assert_eq!(sign(timestamp, &secret), expected);
        }
        let swapped = "DkEDUyVoOOJ539qBvUgMyzkzIdRWlf4e/V3Rq+ONJnQ=";
        assert_ne!(
            sign(1_599_360_473, &Secret::parse("demo").unwrap()),
            swapped
        );
    }

    #[test]
    fn time_and_signature_stand_before_the_rest() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let secret = Secret::parse("mysecret").unwrap();
        let (body, signature) = signed(br#"{"msg_type":"x"}"#, now, &secret);
        let expected =
            format!(r#"{{"timestamp":"1700000000","sign":"{signature}","msg_type":"x"}}"#);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
        assert!(expected.len() - 16 <= SIGNATURE_BYTES);
    }
}
