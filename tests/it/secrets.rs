//! Searches the output of a process for the tokens and secrets of its environment and for the
//! signatures made with them: plain, encoded, and in part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// This many consecutive characters of a secret are a leak.
const PART: usize = 12;
/// Offsets of the searched parts of a signature: any 23 consecutive characters contain one.
const SIGNATURE_PARTS: [usize; 4] = [0, 11, 22, 32];
/// Is added to both ends of a process's life, in which it can have signed.
const SLACK: Duration = Duration::from_secs(1);

type Part = [u8; PART];

/// Records the output of a process and searches it for the process's secrets.
pub struct SecretScanner {
    since: SystemTime,
    /// The secrets that the process signs with.
    secrets: Vec<String>,
    /// Parts of tokens and secrets, plain and hexadecimal, in lower case.
    parts: HashSet<Part>,
    /// Parts of tokens and secrets in Base64.
    encoded_parts: HashSet<Part>,
    recorded: Mutex<Vec<u8>>,
}

impl SecretScanner {
    /// Takes tokens and secrets from the environment of this command.
    pub fn for_command(command: &Command) -> SecretScanner {
        let mut scanner = SecretScanner {
            since: SystemTime::now(),
            secrets: Vec::new(),
            parts: HashSet::new(),
            encoded_parts: HashSet::new(),
            recorded: Mutex::default(),
        };
        for (name, value) in command.get_envs() {
            let (name, value) = (name.to_string_lossy(), value.unwrap_or_default());
            let value = value.to_string_lossy();
            // An identity: none of its three parts is shown, and it makes no chatbot's signatures.
            if name.starts_with("ALIBABA_CLOUD_") {
                scanner.add(&value);
            } else if name.contains("SECRET") {
                for secret in value.split(',').map(str::trim) {
                    scanner.add(secret);
                    scanner.secrets.push(secret.to_owned());
                }
            }
            for token in value.split("access_token=").skip(1) {
                scanner.add(token.split(['&', ',']).next().unwrap_or_default());
            }
        }
        scanner
    }

    /// Adds what must not be shown.
    pub fn add(&mut self, secret: &str) {
        let lower = secret.to_ascii_lowercase();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [lower, hex] {
            self.parts.extend(parts(text.as_bytes()));
        }
        // Base64 of a text depends on its offset modulo three.
        for before in ["", "x", "xx"] {
            let base64 = STANDARD.encode(format!("{before}{secret}"));
            let own = base64.as_bytes().get(4..).unwrap_or_default();
            self.encoded_parts.extend(parts(own));
        }
    }

    /// Records output of the process.
    pub fn record(&self, bytes: &[u8]) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.extend_from_slice(bytes);
        recorded.push(b'\n');
    }

    /// Searches everything recorded so far.
    pub fn assert_no_secret(&self) {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded = decoded(&recorded);
        let lower = encoded.to_ascii_lowercase();
        let signatures = self.signatures();
        for (text, wanted) in [
            (&lower, &self.parts),
            (&encoded, &self.encoded_parts),
            (&encoded, &signatures),
        ] {
            let found = (!wanted.is_empty())
                .then(|| parts(text).position(|part| wanted.contains(&part)))
                .flatten();
            if let Some(at) = found {
                let around = &encoded[at.saturating_sub(200)..(at + 200).min(encoded.len())];
                panic!("a secret in: {}", String::from_utf8_lossy(around));
            }
        }
    }

    /// Returns parts of every signature that the process can have made: one for each secret and
    /// millisecond of its life.
    fn signatures(&self) -> HashSet<Part> {
        let ms = |time: SystemTime| {
            let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
            since_1970.expect("a time after 1970").as_millis() as u64
        };
        let life = ms(self.since - SLACK)..ms(SystemTime::now() + SLACK);
        let signatures = self
            .secrets
            .iter()
            .flat_map(|secret| life.clone().map(move |ms| fake_dingtalk::sign(ms, secret)));
        signatures
            .flat_map(|signature| {
                SIGNATURE_PARTS.map(|at| {
                    let part = signature.as_bytes().get(at..at + PART);
                    part.and_then(|part| part.try_into().ok())
                        .expect("a signature of 44 characters")
                })
            })
            .collect()
    }
}

/// Returns the parts of a text that start at each of its bytes; none if the text is shorter.
fn parts(text: &[u8]) -> impl Iterator<Item = Part> {
    text.windows(PART)
        .filter_map(|window| window.try_into().ok())
}

/// Decodes the characters of Base64 that percent-encoding and JSON escape.
fn decoded(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut text = text.replace("\\/", "/");
    for (code, mark) in [
        ("%2B", "+"),
        ("%2b", "+"),
        ("%2F", "/"),
        ("%2f", "/"),
        ("%3D", "="),
        ("%3d", "="),
    ] {
        text = text.replace(code, mark);
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{SECRET, TOKEN};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn the_scanner_finds_secrets_whole_in_part_and_encoded() {
        let mut command = Command::new("true");
        let webhook = format!("https://x/robot/send?access_token={TOKEN}&a=b");
        command.envs([
            ("DINGTALK_WEBHOOK", webhook.as_str()),
            ("DINGTALK_SECRET", SECRET),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.NVq7hp2vx9lk4tz8wm"),
            (
                "ALIBABA_CLOUD_SECURITY_TOKEN",
                "CAIS9lk4tz8wm7hp2vx+/q7hp2vx9lk4tz8wm==",
            ),
        ]);
        let begun = SystemTime::now();
        let finds = |said: &str| {
            // The signature below is made once; a search may take a second on a busy machine.
            let scanner = SecretScanner {
                since: begun,
                ..SecretScanner::for_command(&command)
            };
            scanner.record(b"before");
            scanner.record(said.as_bytes());
            catch_unwind(AssertUnwindSafe(|| scanner.assert_no_secret())).is_err()
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let signature = fake_dingtalk::sign(now.unwrap().as_millis() as u64, SECRET);
        for leak in [
            TOKEN,
            &TOKEN[20..32],
            &TOKEN.to_uppercase(),
            &SECRET[..12],
            "STS.NVq7hp2v",
            "8wm7hp2vx+/q7hp2vx",
            &SECRET[SECRET.len() - 12..],
            &STANDARD.encode(SECRET),
            &STANDARD.encode(format!("user:{TOKEN}")),
            &signature,
            &signature[10..33],
            &signature
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
            &signature.replace('/', "\\/"),
        ] {
            assert!(finds(&format!("x{leak}y")), "{leak}");
        }
        for innocent in [
            "",
            "SEC0011",
            &TOKEN[..11],
            "access_token=4f3c…&sign=…",
            webhook.split('=').next().unwrap(),
        ] {
            assert!(!finds(innocent), "{innocent}");
        }
    }
}
