//! Faults that tests inject into calls.

use std::time::Duration;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refuses the call: too many calls.
    Throttled {
        /// The header `x-acs-retry-after`.
        retry_after_ms: Option<u64>,
    },
    /// Refuses the call with this code.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The code.
        code: String,
    },
    /// Answers 500 with the code `InternalError`.
    InternalError,
    /// Answers with an HTML page.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// Answers 200 with bytes that are no text.
    Garbage,
    /// Answers 200 with the first half of the regular answer.
    HalfJson,
    /// Answers 200 with `{}`.
    EmptyObject,
    /// Answers 200 without a body.
    Empty,
    /// Answers 200 with the regular answer and 5 MiB of blanks behind it.
    Huge,
    /// Reads the call and never answers.
    Hang,
    /// Reads the call and resets the connection.
    Reset,
    /// Answers in the regular way after this time.
    Slow(Duration),
    /// Stops the call until [`crate::Cloud::release_held`], then answers in the regular way.
    Hold,
    /// Writes the first letter of all members in lower case.
    LowerCase,
    /// Writes a refusal in XML.
    Xml,
    /// Gives the first page with a token of a next page, whatever page was asked for.
    EndlessPages,
    /// Answers in the regular way with a resource or an event that was not asked for, and one
    /// without an id.
    Foreign,
}
