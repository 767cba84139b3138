//! Faults that tests inject into calls.

use std::time::Duration;

/// One fault. Faults are queued, and each applies to one call to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Resets the connection before the request is read.
    ResetBeforeReading,
    /// Closes the connection before the request is read.
    CloseBeforeReading,
    /// Reads the request, shows nothing and closes the connection.
    CloseAfterReading,
    /// Reads the request, shows nothing and resets the connection.
    ResetAfterReading,
    /// Reads the request, shows nothing and never answers.
    NeverAnswer,
    /// Handles the call in the regular way, then closes the connection without an answer.
    AcceptThenClose,
    /// Handles the call in the regular way, then resets the connection.
    AcceptThenReset,
    /// Handles the call in the regular way and never answers.
    AcceptThenNeverAnswer,
    /// Handles the call in the regular way, sends half of the answer and closes the connection.
    HalfAnswer,
    /// Waits, then handles the call in the regular way.
    Delay(Duration),
    /// Stops the call until [`crate::Chat::release`], then handles it in the regular way.
    Hold,
    /// Handles the call in the regular way and sends the answer one byte at a time.
    SlowDrip {
        /// The time between two bytes.
        interval: Duration,
    },
    /// Shows nothing and answers with this code in the chat's form.
    Code {
        /// The HTTP status.
        status: u16,
        /// The code. Slack has none and ignores it.
        code: i64,
        /// The text of the answer; Slack's word.
        text: String,
    },
    /// WeCom: handles the call in the regular way and adds its warning to a success.
    Warning,
    /// Shows nothing and answers HTTP 200 with this text.
    Answer(String),
    /// Shows nothing and answers with this HTTP response.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body, sent as `text/html`.
        body: String,
        /// Headers beside `Content-Type` and `Content-Length`.
        headers: Vec<(String, String)>,
    },
    /// Shows nothing and answers HTTP 200 with an HTML page.
    Html200,
    /// Shows nothing and answers HTTP 200 without a body.
    Empty200,
    /// Shows nothing and answers HTTP 200 with `{}`.
    EmptyObject,
    /// Shows nothing and answers HTTP 200 with incomplete JSON.
    TruncatedJson,
    /// Shows nothing and answers HTTP 200 with this many bytes.
    Huge {
        /// The length of the body.
        bytes: usize,
    },
    /// Shows nothing and redirects to another path of this server, which holds no token.
    Redirect {
        /// The HTTP status: 301, 302, 303, 307 or 308.
        code: u16,
        /// Redirects to another host name, too.
        to_other_host: bool,
    },
    /// Shows nothing and answers HTTP 429.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
}

impl Fault {
    /// Returns an answer of HTTP 200 with this code and text: a refusal of Lark or WeCom.
    pub fn code(code: i64, text: &str) -> Fault {
        Fault::Code {
            status: 200,
            code,
            text: text.to_owned(),
        }
    }

    /// Returns an answer with this status and word: a refusal of Slack.
    pub fn word(status: u16, word: &str) -> Fault {
        Fault::Code {
            status,
            code: 0,
            text: word.to_owned(),
        }
    }

    /// Returns a failure of the server with this status, 500 to 599.
    pub fn status(code: u16) -> Fault {
        Fault::Status {
            code,
            body: "<html>error</html>".into(),
            headers: Vec::new(),
        }
    }

    /// Returns the fault of this name, if it is one without parameters. `Http500` is a `Status`.
    pub fn by_name(name: &str) -> Option<Fault> {
        Some(match name {
            "ResetBeforeReading" => Fault::ResetBeforeReading,
            "CloseBeforeReading" => Fault::CloseBeforeReading,
            "CloseAfterReading" => Fault::CloseAfterReading,
            "ResetAfterReading" => Fault::ResetAfterReading,
            "NeverAnswer" => Fault::NeverAnswer,
            "AcceptThenClose" => Fault::AcceptThenClose,
            "AcceptThenReset" => Fault::AcceptThenReset,
            "AcceptThenNeverAnswer" => Fault::AcceptThenNeverAnswer,
            "HalfAnswer" => Fault::HalfAnswer,
            "Hold" => Fault::Hold,
            "Warning" => Fault::Warning,
            "Html200" => Fault::Html200,
            "Empty200" => Fault::Empty200,
            "EmptyObject" => Fault::EmptyObject,
            "TruncatedJson" => Fault::TruncatedJson,
            "TooManyRequests" => Fault::TooManyRequests { retry_after: None },
            "Http500" => Fault::status(500),
            _ => return None,
        })
    }

    /// Returns true if the call is checked, and shown if it is accepted.
    pub(crate) fn is_regular(&self) -> bool {
        matches!(
            self,
            Fault::AcceptThenClose
                | Fault::AcceptThenReset
                | Fault::AcceptThenNeverAnswer
                | Fault::HalfAnswer
                | Fault::Delay(_)
                | Fault::Hold
                | Fault::SlowDrip { .. }
                | Fault::Warning
        )
    }
}
