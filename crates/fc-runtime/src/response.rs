//! Responses: status, `x-fc-status`, JSON body, exact framing.

use crate::Failure;
use crate::error::RequestError;
use serde_json::{Value, json};

/// A response. It has only the headers that [`encode`](Response::encode) writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    status: u16,
    allow: Option<&'static str>,
    body: Value,
}

/// How a response is written to its connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Framing {
    /// The connection closes after this response.
    pub(crate) close: bool,
    /// The request was a `HEAD`: the response has the body's length, but no body.
    pub(crate) without_body: bool,
}

impl Response {
    pub(crate) fn success(body: Value) -> Response {
        Response {
            status: 200,
            allow: None,
            body,
        }
    }

    pub(crate) fn failure(failure: Failure) -> Response {
        let mut response = error(404, &failure.error_type, &failure.error_message);
        if let Some(outcome) = failure.outcome {
            response.body["outcome"] = outcome;
        }
        response
    }

    pub(crate) fn not_found(path: &str) -> Response {
        error(
            404,
            "NotFound",
            &format!("nothing is served at {path}; events go to POST /invoke"),
        )
    }

    pub(crate) fn method_not_allowed(path: &str, allow: &'static str) -> Response {
        Response {
            allow: Some(allow),
            ..error(
                405,
                "MethodNotAllowed",
                &format!("{path} takes {allow} only"),
            )
        }
    }

    pub(crate) fn refused(refusal: RequestError) -> Response {
        let (status, error_type) = match refusal {
            RequestError::Malformed(_) => (400, "BadRequest"),
            RequestError::HeadTooLarge => (431, "HeadTooLarge"),
            RequestError::BodyTooLarge => (413, "BodyTooLarge"),
            RequestError::Expectation => (417, "ExpectationFailed"),
            RequestError::Version => (505, "VersionNotSupported"),
            // A failed invocation in the platform's terms: the request was in order.
            RequestError::Busy => (404, "Deadline"),
            RequestError::Timeout => (408, "RequestTimeout"),
        };
        error(status, error_type, &refusal.to_string())
    }

    pub(crate) fn encode(&self, framing: Framing) -> Vec<u8> {
        let body = self.body.to_string();
        // Without this header the platform counts a failure as a success. It knows these two
        // values.
        let outcome = if self.status == 200 { 200 } else { 404 };
        let mut text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             x-fc-status: {outcome}\r\n",
            self.status,
            reason(self.status),
            body.len(),
        );
        if let Some(methods) = self.allow {
            text.push_str("Allow: ");
            text.push_str(methods);
            text.push_str("\r\n");
        }
        // Redundant in HTTP/1.1, but HTTP/1.0 peers need it.
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
        505 => "HTTP Version Not Supported",
        _ => unreachable!("no response has status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: &Response, framing: Framing) -> String {
        String::from_utf8(response.encode(framing)).unwrap()
    }

    #[test]
    fn a_failure_sets_the_status_the_header_and_the_body() {
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
    fn a_head_request_gets_the_length_and_no_body() {
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
