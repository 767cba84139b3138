//! Routes the platform's calls to the handler.

use crate::invocations::{Invocation, Invocations};
use crate::request::Request;
use crate::response::Response;
use crate::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The handler and its invocations in flight.
pub(crate) struct Router {
    handler: Arc<dyn Handler>,
    invocations: Invocations,
}

impl Router {
    pub(crate) fn new(handler: Arc<dyn Handler>, max_invocations: usize) -> Router {
        Router {
            handler,
            invocations: Invocations::new(max_invocations),
        }
    }

    /// Returns the latest deadline of the invocations in flight.
    pub(crate) fn latest_deadline(&self) -> Option<Instant> {
        self.invocations.latest_deadline()
    }

    /// Answers a request whose first byte arrived at `arrived`.
    ///
    /// For an invocation, also returns the proof that it is in flight: the caller drops it when the
    /// response is written.
    pub(crate) fn answer(
        &self,
        request: &Request,
        arrived: Instant,
    ) -> (Response, Option<Invocation<'_>>) {
        // The path decides, not the header x-fc-control-path: some callers omit it or leave it
        // empty.
        let path = request.head.path();
        let response = match (path, request.head.method.as_str()) {
            ("/invoke", "POST") => return self.invoke(request, arrived),
            ("/initialize", "POST") => self.initialize(&Context::new(&request.head, arrived)),
            ("/pre-stop" | "/pre-freeze", "GET") => {
                self.invocations.drain();
                Response::success(json!({}))
            }
            ("/" | "/ready", "GET" | "HEAD") => Response::success(json!({})),
            ("/invoke" | "/initialize", _) => Response::method_not_allowed(path, "POST"),
            ("/pre-stop" | "/pre-freeze", _) => Response::method_not_allowed(path, "GET"),
            ("/" | "/ready", _) => Response::method_not_allowed(path, "GET, HEAD"),
            _ => Response::not_found(path),
        };
        (response, None)
    }

    fn invoke(&self, request: &Request, arrived: Instant) -> (Response, Option<Invocation<'_>>) {
        let context = Context::new(&request.head, arrived);
        let Some(invocation) = self.invocations.acquire(context.deadline) else {
            let message =
                "the invocation's turn did not come before its deadline; nothing was done";
            return (Response::failure(Failure::new("Deadline", message)), None);
        };
        let result = catch_panic(|| self.handler.invoke(&request.body, &context));
        (respond(result), Some(invocation))
    }

    fn initialize(&self, context: &Context) -> Response {
        respond(catch_panic(|| {
            self.handler.initialize(context).map(|()| json!({}))
        }))
    }
}

fn respond(result: Result<Value, Failure>) -> Response {
    match result {
        Ok(value) => Response::success(value),
        Err(failure) => Response::failure(failure),
    }
}

/// Turns a panic into a failure of its own invocation. The panic's message is dropped: it may
/// contain a secret.
fn catch_panic(call: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(Failure::new(
            "Panic",
            "the handler panicked; the function's log says where",
        ))
    })
}
