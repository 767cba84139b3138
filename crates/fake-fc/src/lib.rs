//! A stand-in for Function Compute: starts a function's process, probes its port, and calls it over
//! raw connections that stay open.
//!
//! | File | Subject |
//! |---|---|
//! | `instance` | [`Instance`]: a running process, its output, its signals, its memory |
//! | `call` | [`Call`]: a request before it is sent |
//! | `caller` | [`Caller`]: a connection; [`Response`] |

#![forbid(unsafe_code)]

mod call;
mod caller;
mod instance;

pub use call::Call;
pub use caller::{Caller, Response};
pub use instance::{Instance, free_port, rss_kb};

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long anything that must happen is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What went between a process and its callers.
#[derive(Clone, Default)]
struct Transcript(Arc<Mutex<Talk>>);

#[derive(Default)]
struct Talk {
    /// Everything that the process has sent.
    received: Vec<u8>,
    /// The parts of the identities that calls brought.
    identities: BTreeSet<String>,
}

impl Transcript {
    fn receive(&self, bytes: &[u8]) {
        self.0.lock().unwrap().received.extend_from_slice(bytes);
    }

    fn received(&self) -> Vec<u8> {
        self.0.lock().unwrap().received.clone()
    }

    fn send(&self, call: &Call) {
        let parts = call.identity_parts().map(str::to_owned);
        self.0.lock().unwrap().identities.extend(parts);
    }

    fn identities(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().identities.clone()
    }
}
