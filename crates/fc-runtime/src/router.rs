//! Routes the platform's calls to the handler.

use crate::request::Request;
use crate::response::Response;
use crate::semaphore::{Permit, Semaphore};
use crate::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The handler and its invocations in flight.
pub(crate) struct Router {
    pub(crate) handler: Arc<dyn Handler>,
    /// Permits of weight 1 to run an invocation.
    pub(crate) invocations: Semaphore,
}

impl Router {
    /// Answers a request.
    ///
    /// For an invocation, also returns the permit by which it is in flight: the caller drops it
    /// when the response is written.
    pub(crate) fn answer(
        &self,
        request: &Request,
        context: &Context,
    ) -> (Response, Option<Permit<'_>>) {
        // The path decides, not the header x-fc-control-path: some callers omit it or leave it
        // empty.
        let path = request.head.path();
        let response = match (path, request.head.method.as_str()) {
            ("/invoke", "POST") => return self.invoke(&request.body, context),
            ("/initialize", "POST") => {
                respond(|| self.handler.initialize(context).map(|()| json!({})))
            }
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

    fn invoke(&self, event: &[u8], context: &Context) -> (Response, Option<Permit<'_>>) {
        // A free permit is granted past the deadline too. The handler has no time then.
        let permit = self.invocations.acquire(1, context.deadline);
        if permit.is_none() || context.remaining(Instant::now()).is_zero() {
            let message =
                "the invocation's turn did not come before its deadline; nothing was done";
            return (Response::failure(Failure::new("Deadline", message)), None);
        }
        (respond(|| self.handler.invoke(event, context)), permit)
    }
}

/// Calls the handler. A panic fails its own invocation and no other. The panic's message is
/// dropped: it may contain a secret.
fn respond(call: impl FnOnce() -> Result<Value, Failure>) -> Response {
    let message = "the handler panicked; the function's log says where";
    let panicked = |_| Err(Failure::new("Panic", message));
    match catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(panicked) {
        Ok(value) => Response::success(value),
        Err(failure) => Response::failure(failure),
    }
}
