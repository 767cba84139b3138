//! The chatbot's signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A chatbot's signing secret. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Reads a secret as DingTalk shows it (`SEC…`); blanks around it are ignored.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what to write instead, without the secret itself.
    pub fn parse(text: &str) -> Result<Secret, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty: write the secret that the chatbot's security settings show (SEC…), or leave the variable out".into());
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(
                "holds a blank or a line break: write the secret (SEC…) and nothing else".into(),
            );
        }
        Ok(Secret(text.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The signature that goes with `timestamp_ms` (milliseconds since 1970): Base64 of HMAC-SHA256 with the secret as key
/// over the timestamp, a line feed and the secret. Not yet percent-encoded.
///
/// DingTalk accepts it for one hour to either side of its own clock.
pub fn sign(timestamp_ms: u64, secret: &Secret) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.0.as_bytes()) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => unreachable!("HMAC-SHA256 has no invalid key length"),
    };
    mac.update(format!("{timestamp_ms}\n{}", secret.0).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
