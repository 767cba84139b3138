//! Faults that tests inject into calls.

use std::time::Duration;

/// One fault. Faults are queued, and each applies to one call to `/robot/send`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers HTTP 200 with this text and shows nothing.
    Answer(String),
    /// Shows the message and never answers.
    AcceptThenNeverAnswer,
    /// Shows the message, then resets the connection.
    AcceptThenReset,
    /// Resets the connection before the request is read.
    ResetBeforeReading,
    /// Closes the connection before the request is read.
    CloseBeforeReading,
    /// Reads the request, shows nothing and never answers.
    NeverAnswer,
    /// Answers with this HTTP response and shows nothing.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body, sent as `text/html`.
        body: String,
        /// Headers beside `Content-Type` and `Content-Length`.
        headers: Vec<(String, String)>,
    },
    /// Answers HTTP 200 with an HTML page and shows nothing.
    Html200,
    /// Answers HTTP 200 without a body and shows nothing.
    Empty200,
    /// Answers HTTP 200 with `{}` and shows nothing.
    EmptyObject,
    /// Shows the message and answers `"errcode":"0"`.
    StringZero,
    /// Shows the message and answers with `errmsg` before `errcode`.
    ReversedKeys,
    /// Answers with the anti-flood answer merged with 130101 and shows nothing.
    ExtraKeys1111,
    /// Answers with the anti-flood answer, which has no `errcode`, and shows nothing.
    Flood1111,
    /// Answers with the anti-flood page and shows nothing.
    FloodHtml,
    /// Redirects to another path of this server.
    Redirect {
        /// The HTTP status: 301, 302, 303, 307 or 308.
        code: u16,
        /// Redirects to another host name, too.
        to_other_host: bool,
    },
    /// Answers HTTP 429 and shows nothing.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// Shows the message and sends the regular answer one byte at a time.
    SlowDrip {
        /// The time between two bytes.
        interval: Duration,
    },
    /// Answers HTTP 200 with this many bytes and shows nothing.
    Huge {
        /// The length of the body.
        bytes: usize,
    },
    /// Answers HTTP 200 with incomplete JSON and shows nothing.
    TruncatedJson,
    /// Stops the call until [`crate::Group::release`], then handles it in the regular way.
    Hold,
}

impl Fault {
    /// Returns the fault of this name, if it is one without parameters. `Http500` is a `Status`.
    pub fn by_name(name: &str) -> Option<Fault> {
        Some(match name {
            "AcceptThenNeverAnswer" => Fault::AcceptThenNeverAnswer,
            "AcceptThenReset" => Fault::AcceptThenReset,
            "ResetBeforeReading" => Fault::ResetBeforeReading,
            "CloseBeforeReading" => Fault::CloseBeforeReading,
            "NeverAnswer" => Fault::NeverAnswer,
            "Html200" => Fault::Html200,
            "Empty200" => Fault::Empty200,
            "EmptyObject" => Fault::EmptyObject,
            "StringZero" => Fault::StringZero,
            "ReversedKeys" => Fault::ReversedKeys,
            "ExtraKeys1111" => Fault::ExtraKeys1111,
            "Flood1111" => Fault::Flood1111,
            "FloodHtml" => Fault::FloodHtml,
            "TruncatedJson" => Fault::TruncatedJson,
            "Hold" => Fault::Hold,
            "TooManyRequests" => Fault::TooManyRequests { retry_after: None },
            "Http500" => Fault::Status {
                code: 500,
                body: "<html>error</html>".into(),
                headers: Vec::new(),
            },
            _ => return None,
        })
    }
}
