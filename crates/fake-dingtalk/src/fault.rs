//! What can go wrong with a call, on request.

use std::time::Duration;

/// One fault. Faults are queued, and each spoils one call to `/robot/send`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 200 with this text; nothing is shown.
    Answer(String),
    /// Shows the message, but never answers.
    AcceptThenNeverAnswer,
    /// Shows the message, then resets the connection.
    AcceptThenReset,
    /// Resets the connection before the request is read.
    ResetBeforeReading,
    /// Closes the connection before the request is read.
    CloseBeforeReading,
    /// Reads the request and never answers; nothing is shown.
    NeverAnswer,
    /// This HTTP status, body and headers; nothing is shown.
    Status {
        /// The status.
        code: u16,
        /// The body.
        body: String,
        /// Headers beside the usual ones.
        headers: Vec<(String, String)>,
    },
    /// HTTP 200 with a page of HTML.
    Html200,
    /// HTTP 200 without a body.
    Empty200,
    /// HTTP 200 with `{}`.
    EmptyObject,
    /// Shows the message and answers `"errcode":"0"`.
    StringZero,
    /// Shows the message and answers with the keys the other way round.
    ReversedKeys,
    /// The anti-flood answer merged with 130101.
    ExtraKeys1111,
    /// The anti-flood answer, which has no `errcode`.
    Flood1111,
    /// The anti-flood page.
    FloodHtml,
    /// A redirect to this same server, under another path or another host name.
    Redirect {
        /// The status: 301, 302, 303, 307 or 308.
        code: u16,
        /// To another host name.
        to_other_host: bool,
    },
    /// HTTP 429.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// A good answer, one byte at a time; the message is shown.
    SlowDrip {
        /// Between two bytes.
        interval: Duration,
    },
    /// HTTP 200 with so many bytes.
    Huge {
        /// How many.
        bytes: usize,
    },
    /// HTTP 200 with JSON that ends in the middle.
    TruncatedJson,
    /// Holds the answer back until [`crate::Group::release`]; then all goes its usual way.
    Hold,
}

impl Fault {
    /// A fault by its name, for those that need nothing else; for the admin endpoint.
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
