//! Why a request cannot be served.

use std::io;

/// Why the server refuses a request.
///
/// The connection cannot be used after a refusal: where the next request would begin is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// The bytes are not HTTP, or are ambiguous HTTP. The text names the fault; it
    /// becomes the `errorMessage`.
    Malformed(&'static str),
    /// The head, or the trailer section of a chunked body, exceeds
    /// [`max_head`](crate::Limits::max_head).
    HeadTooLarge,
    /// The body exceeds [`max_body`](crate::Limits::max_body), or is announced to.
    BodyTooLarge,
    /// The request has an `Expect` header other than `100-continue`.
    Expectation,
    /// The protocol version is neither HTTP/1.1 nor HTTP/1.0.
    Version,
    /// The memory for large bodies did not become free in time. Only the server refuses so;
    /// [`RequestReader::read_request`](crate::request::RequestReader::read_request) does not.
    Busy,
    /// The request did not arrive in time.
    Timeout,
}

/// Why no request could be read from a byte stream.
#[derive(Debug)]
pub enum ReadError {
    /// The request is refused. The peer is still there to read an answer.
    Refused(RequestError),
    /// The stream failed, or ended within a request
    /// ([`UnexpectedEof`](io::ErrorKind::UnexpectedEof)).
    Io(io::Error),
}

impl From<RequestError> for ReadError {
    fn from(error: RequestError) -> ReadError {
        ReadError::Refused(error)
    }
}

impl From<io::Error> for ReadError {
    /// Turns an expired time limit into [`RequestError::Timeout`]: the peer is slow, not gone.
    fn from(error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::TimedOut => ReadError::Refused(RequestError::Timeout),
            _ => ReadError::Io(error),
        }
    }
}
