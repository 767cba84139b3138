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

use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long anything that must happen is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that a process has written: output and responses.
#[derive(Clone, Default)]
struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}
