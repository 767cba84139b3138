//! What the user of the runtime writes: a handler, and how it fails.

use super::Context;
use serde_json::Value;
use std::borrow::Cow;

/// A failed invocation, as the caller gets to see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure, as a stable name that programs can match: `InvalidEvent`.
    pub error_type: Cow<'static, str>,
    /// What happened and what to do, for people.
    pub error_message: String,
    /// What was done nevertheless; added to the answer as `outcome`.
    pub outcome: Option<Value>,
}

impl Failure {
    /// A failure without an outcome.
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

/// Handles the events of a function. Called from many threads at once, as many as the function's
/// `instanceConcurrency` (and [`Limits::max_invocations`](super::Limits)) allow.
///
/// A function or closure with the signature of [`invoke`](Handler::invoke) is a handler.
pub trait Handler: Send + Sync {
    /// Handles one event: the body of `POST /invoke`, byte for byte.
    ///
    /// Must return before `context.deadline`, with everything done: the instance may be frozen as soon as the answer
    /// is out.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the invocation; a panic does so too, without its message.
    fn invoke(&self, event: &[u8], context: &Context) -> Result<Value, Failure>;

    /// Prepares the instance: `POST /initialize`, which the platform sends before the first event where the function
    /// has an initializer. May be called more than once.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the initialization; the platform calls again before the next event.
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
