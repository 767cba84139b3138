//! One attempt.

use super::{Attempt, Options, Secret, Webhook};
use crate::clock::Clock;
use std::sync::Arc;
use std::time::Instant;

/// The way to DingTalk: connections and name lookups of one instance. Make one and keep it.
pub struct Client {}

impl Client {
    /// Makes a client; nothing is sent.
    ///
    /// # Errors
    ///
    /// What is wrong with the options.
    pub fn new(_clock: Arc<dyn Clock>, _options: Options) -> Result<Client, String> {
        todo!()
    }

    /// Sends `body` (JSON, UTF-8) once, signed at this moment if there is a secret, and tells what became of it.
    ///
    /// Takes 8 s at most (3 s to look up the name, 3 s to connect) and never goes past `deadline` (a time of the
    /// client's [`Clock`]); with less than 20 ms left nothing is begun. `fresh` makes a new connection: ask for it
    /// when sending again.
    pub fn attempt(
        &self,
        _webhook: &Webhook,
        _secret: Option<&Secret>,
        _body: &[u8],
        _deadline: Instant,
        _fresh: bool,
    ) -> Attempt {
        todo!()
    }
}
