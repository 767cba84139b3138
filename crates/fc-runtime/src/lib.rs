//! A custom runtime for Alibaba Cloud Function Compute (FC 3.0): give it a [`Handler`], it does the rest.
//!
//! A custom runtime is an HTTP/1.1 server that the platform starts and calls. An event arrives as `POST /invoke`
//! with the event as body; the body of the answer is the result, and the header `x-fc-status` (`200` or `404`) tells
//! whether the invocation succeeded. Without that header the platform counts every answer as a success.
//!
//! ```no_run
//! use fc_runtime::{self, Context, Failure};
//! use serde_json::{Value, json};
//!
//! fn greet(event: &[u8], context: &Context) -> Result<Value, Failure> {
//!     if event.is_empty() {
//!         return Err(Failure::new("InvalidEvent", "the event is empty"));
//!     }
//!     Ok(json!({ "bytes": event.len(), "requestId": context.request_id }))
//! }
//!
//! fc::run(greet).unwrap();
//! ```
//!
//! | Call | Answer |
//! |---|---|
//! | `POST /invoke` | [`Handler::invoke`]: 200, or 404 with `errorMessage`, `errorType`, `stackTrace` |
//! | `POST /initialize` | [`Handler::initialize`]: 200 or 404 (500 would make the platform restart the instance) |
//! | `GET /pre-stop`, `GET /pre-freeze` | 200 when no invocation is in flight any more, or their deadlines are over |
//! | `GET /`, `GET /ready` | 200 |
//!
//! What the platform expects of the server, and gets:
//!
//! - It keeps connections alive and never repeats a POST that met a closed one, so an idle connection is never closed
//!   here. Only a request that has begun has a time limit.
//! - It freezes the instance once the answer is out, so nothing goes on afterwards.
//! - It sends heads of at most 8 KB. Local emulators send chunked bodies and many empty `x-fc-*` headers.
//! - Temporary credentials may come in headers. They are dropped as the head is read.

mod bodies;
mod chunked;
mod connection;
mod connections;
mod context;
#[doc(hidden)]
pub mod framing;
mod handler;
mod head;
mod in_flight;
mod limits;
mod response;
mod run;
mod server;
mod service;

pub use context::Context;
pub use handler::{Failure, Handler};
pub use limits::Limits;
pub use run::{Bound, DEFAULT_PORT, RunError, bind, port_from, run};
pub use server::{Shutdown, serve};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even when a panic has poisoned the mutex: what is kept under these locks is consistent at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
