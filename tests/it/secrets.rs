//! What must never leave a process: the tokens and secrets of its environment, and the signatures made with them, as
//! they are, encoded, and in part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// So many characters of a secret in a row are a leak.
const PART: usize = 12;
/// Beginnings of the parts of a signature that are looked for: any 23 characters of it in a row hold one.
const SIGNATURE_PARTS: [usize; 4] = [0, 11, 22, 32];
/// A process signs between these times around its life.
const SLACK: Duration = Duration::from_secs(1);

type Part = [u8; PART];

/// Listens to a process and knows its secrets.
pub struct Watch {
    since: SystemTime,
    /// What the process signs with.
    secrets: Vec<String>,
    /// Parts of tokens and secrets, in lower case where letter case is no matter.
    parts: HashSet<Part>,
    encoded_parts: HashSet<Part>,
    heard: Mutex<Vec<u8>>,
}

impl Watch {
    /// Takes tokens and secrets from the environment that the process is to have.
    pub fn over(command: &Command) -> Watch {
        let mut watch = Watch {
            since: SystemTime::now(),
            secrets: Vec::new(),
            parts: HashSet::new(),
            encoded_parts: HashSet::new(),
            heard: Mutex::default(),
        };
        for (name, value) in command.get_envs() {
            let (name, value) = (name.to_string_lossy(), value.unwrap_or_default());
            let value = value.to_string_lossy();
            if name.contains("SECRET") {
                for secret in value.split(',').map(str::trim) {
                    watch.guard(secret);
                    watch.secrets.push(secret.to_owned());
                }
            }
            if let Some((_, token)) = value.split_once("access_token=") {
                watch.guard(token.split('&').next().unwrap_or_default());
            }
        }
        watch
    }

    fn guard(&mut self, secret: &str) {
        let lower = secret.to_ascii_lowercase();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [lower, hex] {
            self.parts.extend(parts(text.as_bytes()));
        }
        // Whatever stands before it, Base64 of a text is one of three.
        for before in ["", "x", "xx"] {
            let base64 = STANDARD.encode(format!("{before}{secret}"));
            let own = base64.as_bytes().get(4..).unwrap_or_default();
            self.encoded_parts.extend(parts(own));
        }
    }

    /// Takes down what the process said.
    pub fn heard(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend_from_slice(bytes);
        heard.push(b'\n');
    }

    /// Searches all that was heard so far.
    pub fn assert_no_secret(&self) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded = decoded(&heard);
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

    /// Parts of every signature that the process can have made: one for each secret and millisecond of its life.
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

/// Every part of a text, from each of its bytes on; the whole of it where it is shorter is none.
fn parts(text: &[u8]) -> impl Iterator<Item = Part> {
    text.windows(PART)
        .filter_map(|window| window.try_into().ok())
}

/// The text with what percent-encoding and JSON make of Base64's marks undone.
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
    fn the_watch_finds_secrets_whole_in_part_and_encoded_and_nothing_else() {
        let mut command = Command::new("true");
        let webhook = format!("https://x/robot/send?access_token={TOKEN}&a=b");
        command.envs([
            ("DINGTALK_WEBHOOK", webhook.as_str()),
            ("DINGTALK_SECRET", SECRET),
        ]);
        let begun = SystemTime::now();
        let finds = |said: &str| {
            // The signature below is made once, and each search may take a second on a busy machine.
            let watch = Watch {
                since: begun,
                ..Watch::over(&command)
            };
            watch.heard(b"before");
            watch.heard(said.as_bytes());
            catch_unwind(AssertUnwindSafe(|| watch.assert_no_secret())).is_err()
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let signature = fake_dingtalk::sign(now.unwrap().as_millis() as u64, SECRET);
        for leak in [
            TOKEN,
            &TOKEN[20..32],
            &TOKEN.to_uppercase(),
            &SECRET[..12],
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
