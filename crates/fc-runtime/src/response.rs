//! Responses: status, `x-fc-status`, JSON body, exact framing.

use crate::Failure;
use crate::error::RequestError;
use serde_json::{Value, json};

const OK: &str = "200 OK";
const NOT_FOUND: &str = "404 Not Found";

/// What a caller at the wrong address needs to know.
const WHERE: &str = "events go to POST /invoke";

/// A response. It has only the headers that [`encode`](Response::encode) writes.
pub(crate) struct Response {
    /// Status code and reason.
    status: &'static str,
    /// The methods that the path allows, for a response with 405.
    allow: Option<&'static str>,
    body: Value,
}

impl Response {
    pub(crate) fn success(body: Value) -> Response {
        Response {
            status: OK,
            allow: None,
            body,
        }
    }

    pub(crate) fn failure(failure: Failure) -> Response {
        let mut response = error(NOT_FOUND, &failure.error_type, &failure.error_message);
        if let Some(outcome) = failure.outcome {
            response.body["outcome"] = outcome;
        }
        response
    }

    pub(crate) fn not_found(path: &str) -> Response {
        let message = format!("nothing is served at {path}; {WHERE}");
        error(NOT_FOUND, "NotFound", &message)
    }

    pub(crate) fn method_not_allowed(path: &str, allow: &'static str) -> Response {
        let message = format!("{path} takes {allow} only; {WHERE}");
        Response {
            allow: Some(allow),
            ..error("405 Method Not Allowed", "MethodNotAllowed", &message)
        }
    }

    pub(crate) fn refused(refusal: RequestError) -> Response {
        let (status, error_type, message) = match refusal {
            RequestError::Malformed(fault) => ("400 Bad Request", "BadRequest", fault),
            RequestError::HeadTooLarge => (
                "431 Request Header Fields Too Large",
                "HeadTooLarge",
                "the request's head is too large",
            ),
            RequestError::BodyTooLarge => (
                "413 Content Too Large",
                "BodyTooLarge",
                "the request's body is too large",
            ),
            RequestError::Expectation => (
                "417 Expectation Failed",
                "ExpectationFailed",
                "no other expectation than 100-continue is met",
            ),
            RequestError::Version => (
                "505 HTTP Version Not Supported",
                "VersionNotSupported",
                "HTTP/1.1 and HTTP/1.0 are spoken here",
            ),
            // A failed invocation in the platform's terms: the request was in order.
            RequestError::Busy => (
                NOT_FOUND,
                "Deadline",
                "there was no memory for so large a request before its deadline; nothing was done",
            ),
            RequestError::Timeout => (
                "408 Request Timeout",
                "RequestTimeout",
                "the request did not arrive in time",
            ),
        };
        error(status, error_type, message)
    }

    /// Returns the bytes on the wire. `close` announces that the connection closes after them.
    ///
    /// The response to a `HEAD` has the body's length, but no body.
    pub(crate) fn encode(&self, close: bool, with_body: bool) -> Vec<u8> {
        let body = self.body.to_string();
        // Without this header the platform counts a failure as a success. It knows these two
        // values.
        let outcome = if self.status == OK { 200 } else { 404 };
        let allow = self.allow.map(|methods| format!("Allow: {methods}\r\n"));
        // "keep-alive" is redundant in HTTP/1.1, but HTTP/1.0 peers need it.
        let connection = if close { "close" } else { "keep-alive" };
        format!(
            "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             x-fc-status: {outcome}\r\n{}Connection: {connection}\r\n\r\n{}",
            self.status,
            body.len(),
            allow.unwrap_or_default(),
            if with_body { &body } else { "" },
        )
        .into_bytes()
    }
}

fn error(status: &'static str, error_type: &str, message: &str) -> Response {
    Response {
        status,
        allow: None,
        body: json!({ "errorMessage": message, "errorType": error_type, "stackTrace": [] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_sets_the_status_the_header_and_the_body() {
        let failure = Failure {
            outcome: Some(json!({ "events": [] })),
            ..Failure::new("Throttled", "später")
        };
        let text = String::from_utf8(Response::failure(failure).encode(false, true)).unwrap();
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
        let response = Response::success(json!({ "a": 1 }));
        let text = String::from_utf8(response.encode(true, false)).unwrap();
        assert!(
            text.contains("\r\nContent-Length: 7\r\n")
                && text.ends_with("\r\nConnection: close\r\n\r\n"),
            "{text}"
        );
    }
}
