//! Runs a Rust function on Alibaba Cloud Function Compute (FC 3.0).
//!
//! A function on a *custom runtime* is an HTTP server that the platform starts and calls. This
//! crate is that server: give [`run`] a closure or a [`Handler`], and it takes care of the
//! platform's rules. It is synchronous: each connection has a thread, and a handler simply blocks.
//!
//! # Example
//!
//! ```no_run
//! use fc_runtime::Context;
//! use serde_json::{Value, json};
//!
//! fn main() -> Result<(), fc_runtime::RunError> {
//!     fc_runtime::run(|event: &[u8], context: &Context| {
//!         let event: Value = serde_json::from_slice(event)?;
//!         let name = event["name"].as_str().unwrap_or("world");
//!         Ok(json!({ "message": format!("Hello, {name}!"), "requestId": context.request_id }))
//!     })
//! }
//! ```
//!
//! The closure gets the event's bytes and a [`Context`] with the request's id and its deadline. It
//! returns JSON or a [`Failure`]; `?` turns any error into a failure.
//!
//! Start it and call it as the platform does:
//!
//! ```text
//! $ cargo run
//! $ curl -i -d '{"name":"Ada"}' localhost:9000/invoke
//! HTTP/1.1 200 OK
//! Content-Type: application/json
//! Content-Length: 40
//! x-fc-status: 200
//! Connection: keep-alive
//!
//! {"message":"Hello, Ada!","requestId":""}
//! ```
//!
//! # Calls
//!
//! | Call | Response |
//! |---|---|
//! | `POST /invoke` | the value of [`Handler::invoke`] with 200, or its [`Failure`] with 404 |
//! | `POST /initialize` | `{}` with 200, or the failure of [`Handler::initialize`] with 404 |
//! | `GET /pre-stop`, `GET /pre-freeze` | 200 once all invocations have ended or timed out |
//! | `GET /`, `GET /ready` (and `HEAD`) | 200 |
//! | another method on these paths | 405 with `Allow` |
//! | any other path | 404 |
//!
//! Every response has the header `x-fc-status`, 200 or 404: without it, the platform counts every
//! invocation as a success. A failed initialization has 404 because the platform restarts the
//! instance on 500.
//!
//! # Environment
//!
//! | Variable | Meaning |
//! |---|---|
//! | `FC_SERVER_PORT`, else `FC_CUSTOM_LISTEN_PORT` | Port, 1 to 65535. Unset or blank: 9000 |
//!
//! SIGTERM and SIGINT end the process: [`run`] returns once the requests in progress are answered.
//!
//! # What the platform expects of a server
//!
//! - The platform keeps connections open and does not repeat a POST that meets a closed one. So an
//!   idle connection has no time limit and is never closed, except at
//!   [`Limits::max_connections`]. Only a request that has begun has a time limit.
//! - It freezes the instance when the response is out. So nothing runs in the background.
//! - It sends heads of at most 8 KB. Local emulators send chunked bodies and empty `x-fc-*`
//!   headers.
//! - It sends a temporary identity of the function's role in headers. Only the [`Context`] of an
//!   invocation holds these [`Credentials`], and no `Debug` output shows them.
//! - It runs up to `instanceConcurrency` invocations in one process. A panic fails its own
//!   invocation and no other.
//!
//! # Errors
//!
//! [`run`] fails if the server cannot start; each [`RunError`] says in one line what to correct.
//! Requests that are not acceptable get these responses, and their connection closes:
//!
//! | Status | `errorType` | Cause |
//! |---|---|---|
//! | 400 | `BadRequest` | Not HTTP, or ambiguous about where the request ends |
//! | 404 | `Deadline` | The memory for a large body was not free before the deadline |
//! | 408 | `RequestTimeout` | The request did not arrive in time |
//! | 413 | `BodyTooLarge` | The body exceeds [`Limits::max_body`] |
//! | 417 | `ExpectationFailed` | `Expect` is not `100-continue` |
//! | 431 | `HeadTooLarge` | The head exceeds [`Limits::max_head`] or has more than 100 headers |
//! | 505 | `VersionNotSupported` | Neither HTTP/1.1 nor HTTP/1.0 |
//!
//! An invocation whose turn to run does not come before its deadline fails with 404 and `Deadline`
//! too; its connection stays open.
//!
//! # Files
//!
//! | File | Subject |
//! |---|---|
//! | `runtime` | [`run`], [`bind`]: port, signals, what a panic writes |
//! | `server`, `shutdown` | [`serve`]: accepts connections until it is asked to stop |
//! | `connection`, `stream` | one connection; its socket with time limits |
//! | `connections` | the open connections; eviction of the idle |
//! | `request`, `head`, `body` | [`request`]: the parser |
//! | `router`, `handler`, `context` | paths to [`Handler`], a panic becomes a failure; [`Context`] |
//! | `credentials` | [`Credentials`] of the function's role |
//! | `semaphore`, `sync` | turns of invocations, draining, memory for bodies |
//! | `response`, `error`, `limits` | responses, refusals, [`Limits`] |

#![deny(missing_docs)]
#![deny(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)]

mod body;
mod connection;
mod connections;
mod context;
mod credentials;
mod error;
mod handler;
mod head;
mod limits;
pub mod request;
mod response;
mod router;
mod runtime;
mod semaphore;
mod server;
mod shutdown;
mod stream;
mod sync;

pub use context::Context;
pub use credentials::Credentials;
pub use handler::{Failure, Handler};
pub use limits::Limits;
pub use runtime::{RunError, Server, bind, run};
pub use server::serve;
pub use shutdown::Shutdown;
