//! What is served where: the platform's calls, and the handler behind them.

use super::framing::Request;
use super::in_flight::{InFlight, Invocation};
use super::response::Response;
use super::{Context, Failure, Handler, Limits};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The handler and its invocations in flight.
pub(super) struct Service {
    handler: Arc<dyn Handler>,
    pub(super) in_flight: InFlight,
}

impl Service {
    pub(super) fn new(handler: Arc<dyn Handler>, limits: &Limits) -> Service {
        Service {
            handler,
            in_flight: InFlight::new(limits.max_invocations),
        }
    }

    /// Answers a request whose first byte came at `arrived`. The invocation, where it was one, is over when the answer
    /// has been written: keep it until then.
    pub(super) fn answer(
        &self,
        request: &Request,
        arrived: Instant,
    ) -> (Response, Option<Invocation<'_>>) {
        // The control path header is no guide: some callers leave it out or empty.
        let path = request.head.path();
        let response = match (path, request.head.method.as_str()) {
            ("/invoke", "POST") => return self.invoke(request, arrived),
            ("/initialize", "POST") => self.initialize(&Context::of(&request.head, arrived)),
            ("/pre-stop" | "/pre-freeze", "GET") => {
                self.in_flight.settle();
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
        let context = Context::of(&request.head, arrived);
        let Some(invocation) = self.in_flight.enter(context.deadline) else {
            let message =
                "the invocation's turn did not come before its deadline; nothing was done";
            return (Response::failure(Failure::new("Deadline", message)), None);
        };
        let response = match guarded(|| self.handler.invoke(&request.body, &context)) {
            Ok(result) => Response::success(result),
            Err(failure) => Response::failure(failure),
        };
        (response, Some(invocation))
    }

    fn initialize(&self, context: &Context) -> Response {
        match guarded(|| self.handler.initialize(context).map(|()| Value::Null)) {
            Ok(_) => Response::success(json!({})),
            Err(failure) => Response::failure(failure),
        }
    }
}

/// A panic fails its own invocation and no other. Its message is not passed on: it may hold what must stay secret.
fn guarded(call: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(Failure::new(
            "Panic",
            "the handler panicked; the function's log says where",
        ))
    })
}
