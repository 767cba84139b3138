//! Answers: status, `x-fc-status`, JSON body, exact framing.

use super::Failure;
use super::framing::Reject;
use serde_json::{Value, json};

/// An answer. It has no other header than those that [`encode`](Response::encode) writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Response {
    status: u16,
    allow: Option<&'static str>,
    body: Value,
}

/// How an answer goes out on its connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Framing {
    /// The connection closes after this answer.
    pub close: bool,
    /// The request was a `HEAD`: the answer tells the body's length and has no body.
    pub without_body: bool,
}

impl Response {
    pub(super) fn success(body: Value) -> Response {
        Response {
            status: 200,
            allow: None,
            body,
        }
    }

    pub(super) fn failure(failure: Failure) -> Response {
        let mut response = error(404, &failure.error_type, &failure.error_message);
        if let Some(outcome) = failure.outcome {
            response.body["outcome"] = outcome;
        }
        response
    }

    pub(super) fn not_found(path: &str) -> Response {
        error(
            404,
            "NotFound",
            &format!("nothing is served at {path}; events go to POST /invoke"),
        )
    }

    pub(super) fn method_not_allowed(path: &str, allow: &'static str) -> Response {
        Response {
            allow: Some(allow),
            ..error(
                405,
                "MethodNotAllowed",
                &format!("{path} takes {allow} only"),
            )
        }
    }

    pub(super) fn rejected(reject: Reject) -> Response {
        match reject {
            Reject::Malformed(what) => error(400, "BadRequest", what),
            Reject::HeadTooLarge => error(431, "HeadTooLarge", "the request's head is too large"),
            Reject::BodyTooLarge => error(413, "BodyTooLarge", "the request's body is too large"),
            Reject::Expectation => error(
                417,
                "ExpectationFailed",
                "no other expectation than 100-continue is met",
            ),
            Reject::Version => error(
                505,
                "VersionNotSupported",
                "HTTP/1.1 and HTTP/1.0 are spoken here",
            ),
            // In the platform's own terms: a failed invocation.
            Reject::Busy => error(
                404,
                "Deadline",
                "there was no memory for so large a request before its deadline; nothing was done",
            ),
            Reject::Timeout => error(408, "RequestTimeout", "the request did not arrive in time"),
        }
    }

    pub(super) fn encode(&self, framing: Framing) -> Vec<u8> {
        let body = self.body.to_string();
        // Without this header the platform counts a failure as a success; it knows no values but these two.
        let outcome = if self.status == 200 { 200 } else { 404 };
        let mut text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-fc-status: {outcome}\r\n",
            self.status,
            reason(self.status),
            body.len(),
        );
        if let Some(methods) = self.allow {
            text.push_str("Allow: ");
            text.push_str(methods);
            text.push_str("\r\n");
        }
        // Also said when it goes without saying: HTTP/1.0 peers need it.
        text.push_str(if framing.close {
            "Connection: close\r\n\r\n"
        } else {
            "Connection: keep-alive\r\n\r\n"
        });
        if !framing.without_body {
            text.push_str(&body);
        }
        text.into_bytes()
    }
}

fn error(status: u16, error_type: &str, message: &str) -> Response {
    let body = json!({ "errorMessage": message, "errorType": error_type, "stackTrace": [] });
    Response {
        status,
        allow: None,
        body,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        _ => "HTTP Version Not Supported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: &Response, framing: Framing) -> String {
        String::from_utf8(response.encode(framing)).unwrap()
    }

    #[test]
    fn a_failure_is_told_in_the_status_in_the_header_and_in_the_body() {
        let failure = Failure {
            outcome: Some(json!({ "events": [] })),
            ..Failure::new("Throttled", "später")
        };
        let text = text(&Response::failure(failure), Framing::default());
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            head,
            format!(
                "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-fc-status: 404\r\n\
                 Connection: keep-alive",
                body.len()
            )
        );
        let expected = json!({
            "errorMessage": "später", "errorType": "Throttled", "stackTrace": [], "outcome": { "events": [] },
        });
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    }

    #[test]
    fn a_head_request_is_told_the_length_and_gets_no_body() {
        let framing = Framing {
            close: true,
            without_body: true,
        };
        let text = text(&Response::success(json!({ "a": 1 })), framing);
        assert!(
            text.contains("\r\nContent-Length: 7\r\n")
                && text.ends_with("\r\nConnection: close\r\n\r\n"),
            "{text}"
        );
    }
}
