//! The user's side: a handler, and how it fails.

use crate::Context;
use serde_json::Value;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;

/// A failed invocation, as the caller sees it.
///
/// The runtime answers with HTTP status 404, the header `x-fc-status: 404` and this body:
///
/// ```json
/// { "errorMessage": "the event is empty", "errorType": "InvalidEvent", "stackTrace": [] }
/// ```
///
/// The `?` operator turns any [`std::error::Error`] into a failure of the type `HandlerError`. Use
/// [`Failure::new`] for a type that programs can match, and where an error's text could contain a
/// secret: the caller reads `errorMessage`, and the platform logs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind of failure, a stable name that programs can match: `InvalidEvent`.
    pub error_type: Cow<'static, str>,
    /// What happened and what to do about it, for people.
    pub error_message: String,
    /// What was done before the failure. If present, the response has it as `outcome`.
    pub outcome: Option<Value>,
}

impl Failure {
    /// Creates a failure without an outcome.
    ///
    /// ```
    /// use fc_runtime::Failure;
    /// use serde_json::json;
    ///
    /// let failure = Failure {
    ///     outcome: Some(json!({ "delivered": 3, "failed": 1 })),
    ///     ..Failure::new("Throttled", "one message was not delivered")
    /// };
    /// assert_eq!(failure.error_type, "Throttled");
    /// ```
    pub fn new(
        error_type: impl Into<Cow<'static, str>>,
        error_message: impl Into<String>,
    ) -> Failure {
        Failure {
            error_type: error_type.into(),
            error_message: error_message.into(),
            outcome: None,
        }
    }
}

impl<E: Error> From<E> for Failure {
    /// Creates a failure of the type `HandlerError` with the error's text and those of its sources.
    fn from(error: E) -> Failure {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            write!(message, ": {error}").expect("writing to a string cannot fail");
            source = error.source();
        }
        Failure::new("HandlerError", message)
    }
}

/// Handles the events of a function.
///
/// A function or closure with the signature of [`invoke`](Handler::invoke) is a handler. Implement
/// the trait for state, or to prepare the instance in [`initialize`](Handler::initialize).
///
/// The runtime calls a handler from many threads at once, up to the function's
/// `instanceConcurrency` and [`Limits::max_invocations`](crate::Limits::max_invocations). Each
/// thread has a stack of 1 MiB.
pub trait Handler: Send + Sync {
    /// Handles one event: the body of `POST /invoke`, verbatim. The returned value is the body of
    /// the response.
    ///
    /// Must return before [`context.deadline`](Context::deadline) with all work done: the platform
    /// may freeze the instance as soon as the response is out. The runtime does not interrupt a
    /// handler.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the invocation. A panic does so too: the response has the `errorType`
    /// `Panic`, but not the panic's message.
    fn invoke(&self, event: &[u8], context: &Context) -> Result<Value, Failure>;

    /// Prepares the instance: `POST /initialize`. Does nothing by default.
    ///
    /// The platform calls it before the first event if the function has an initializer, and again
    /// if it failed.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the initialization, and so does a panic.
    fn initialize(&self, _context: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl<F> Handler for F
where
    F: Fn(&[u8], &Context) -> Result<Value, Failure> + Send + Sync,
{
    fn invoke(&self, event: &[u8], context: &Context) -> Result<Value, Failure> {
        self(event, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, io};

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the list")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_becomes_a_failure_with_the_texts_of_its_sources() {
        let fail = || -> Result<(), Failure> { Err(Outer(io::Error::other("disk on fire")))? };
        let expected = Failure::new("HandlerError", "cannot read the list: disk on fire");
        assert_eq!(fail(), Err(expected));
    }
}
