//! The webhook URL of a chatbot.

use super::sign::Secret;
use std::fmt;

/// A chatbot's webhook: read once, never changed. Shown masked, because its token is the permission to post.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {}

impl Webhook {
    /// Reads the URL as DingTalk shows it: `https://…/robot/send?access_token=…`.
    ///
    /// Any https host is taken; plain http for loopback addresses only. The path and further query parameters are
    /// kept as given; `timestamp` and `sign` of a pasted URL and a fragment are dropped.
    ///
    /// # Errors
    ///
    /// What is wrong and what to write instead, without any part of the URL.
    pub fn parse(_text: &str) -> Result<Webhook, String> {
        todo!()
    }

    /// `https://host/path?access_token=abcd…`; of a token shorter than 8 characters nothing is shown.
    pub fn masked(&self) -> String {
        todo!()
    }

    /// Identifies the robot (host and a hash of the token), so that all who send to it share its limits. Not secret.
    pub fn same_robot_key(&self) -> String {
        todo!()
    }

    #[allow(dead_code)]
    pub(super) fn url(&self, _secret: Option<&Secret>, _timestamp_ms: u64) -> String {
        todo!()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.masked())
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
