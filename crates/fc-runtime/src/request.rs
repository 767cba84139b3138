//! Reads HTTP/1.x requests from any byte stream, without sockets and clocks.
//!
//! The parser is strict where leniency is dangerous and bounded in memory. How the bytes are split
//! into reads does not matter: the same bytes give the same requests and the same refusal.
//!
//! The server uses this module for its connections. It is public for tests, fuzzers, and programs
//! that replay recorded requests:
//!
//! ```
//! use fc_runtime::Limits;
//! use fc_runtime::request::{ReadError, RequestReader};
//!
//! # fn main() -> Result<(), ReadError> {
//! let bytes = b"POST /invoke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
//! let mut reader = RequestReader::new(&bytes[..], &Limits::default());
//! let request = reader.read_request()?.expect("one request");
//! assert_eq!((request.head.path(), request.body.as_slice()), ("/invoke", &b"hello"[..]));
//! assert!(reader.read_request()?.is_none());
//! # Ok(())
//! # }
//! ```

use crate::Limits;
use crate::body::{read_chunked, read_sized};
pub use crate::error::{ReadError, RequestError};
pub use crate::head::RequestHead;
use crate::head::{self, BodyLength, ParsedHead};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Size of the read buffer in bytes. A head and an ordinary event fit, so one read gets them both.
const BUFFER_SIZE: usize = 4 * 1024;

/// A complete request, without the temporary identity that its headers may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
}

/// Reads the requests of one connection, one after the other.
///
/// Holds at most one request: a head of [`max_head`](Limits::max_head) bytes, a body of
/// [`max_body`](Limits::max_body) bytes, and a buffer of 4 KiB.
#[derive(Debug)]
pub struct RequestReader<R> {
    pub(crate) source: BufReader<R>,
    max_head: usize,
    max_body: usize,
    refused: Option<RequestError>,
}

impl<R: Read> RequestReader<R> {
    /// Creates a reader at the start of a connection. Of the limits only
    /// [`max_head`](Limits::max_head) and [`max_body`](Limits::max_body) apply.
    pub fn new(source: R, limits: &Limits) -> RequestReader<R> {
        RequestReader {
            source: BufReader::with_capacity(BUFFER_SIZE, source),
            max_head: limits.max_head,
            max_body: limits.max_body,
            refused: None,
        }
    }

    /// Reads the next request. Returns `None` when the stream ends between two requests.
    ///
    /// Sends nothing: a peer that waits for `100 Continue`
    /// ([`expects_continue`](RequestHead::expects_continue)) does not get it from here.
    ///
    /// # Errors
    ///
    /// - [`ReadError::Refused`] if the bytes are not an acceptable request. Every further call
    ///   returns the same refusal.
    /// - [`ReadError::Io`] if the stream fails or ends within a request.
    pub fn read_request(&mut self) -> Result<Option<Request>, ReadError> {
        if let Some(error) = self.refused {
            return Err(error.into());
        }
        let result = self.try_read_request();
        if let Err(ReadError::Refused(error)) = result {
            self.refused = Some(error);
        }
        result
    }

    fn try_read_request(&mut self) -> Result<Option<Request>, ReadError> {
        if !self.wait_for_request()? {
            return Ok(None);
        }
        let parsed = self.read_head()?;
        let body = self.read_body(parsed.body_length, |_| Ok(()))?;
        Ok(Some(Request {
            head: parsed.head,
            body,
        }))
    }

    /// Returns true if a byte of the next request was read already.
    pub(crate) fn has_begun(&self) -> bool {
        self.source
            .buffer()
            .iter()
            .any(|byte| !b"\r\n".contains(byte))
    }

    /// Waits for the first byte of the next request. Returns false at the stream's end.
    ///
    /// Servers have to ignore empty lines before a request (RFC 9112, section 2.2). They do not
    /// begin one, or the stray CRLF that some clients send after a body would put a time limit on
    /// an idle connection. A lone CR is perhaps half of such a line.
    pub(crate) fn wait_for_request(&mut self) -> Result<bool, ReadError> {
        let mut after_cr = false;
        loop {
            match self.source.fill_buf()? {
                [] => return Ok(false),
                [b'\r', ..] if !after_cr => after_cr = true,
                [b'\n', ..] => after_cr = false,
                _ if after_cr => return Err(head::NOT_HTTP.into()),
                _ => return Ok(true),
            }
            self.source.consume(1);
        }
    }

    /// Reads the head of a request that [has begun](RequestReader::wait_for_request).
    pub(crate) fn read_head(&mut self) -> Result<ParsedHead, ReadError> {
        let mut bytes = Vec::new();
        loop {
            let known = bytes.len();
            let received = self.source.fill_buf()?;
            if received.is_empty() {
                return Err(ReadError::Io(ErrorKind::UnexpectedEof.into()));
            }
            let count = received.len().min(self.max_head - known);
            bytes.extend_from_slice(&received[..count]);

            // Parse whole lines only: the verdict on a part of a line could change with its rest.
            // Parse at new lines only, or a slow head would be parsed again at each byte.
            let new_line_end = bytes[known..].iter().rposition(|byte| *byte == b'\n');
            if let Some(at) = new_line_end
                && let lines = &bytes[..=known + at]
                && let Some(parsed) = head::parse(lines, self.max_body)?
            {
                self.source.consume(parsed.size - known);
                return Ok(parsed);
            }
            if bytes.len() == self.max_head {
                return Err(RequestError::HeadTooLarge.into());
            }
            self.source.consume(count);
        }
    }

    /// Reads the body after a head. Calls `before_growth` with the next size of a chunked body
    /// before the body grows to it.
    pub(crate) fn read_body(
        &mut self,
        length: BodyLength,
        before_growth: impl FnMut(usize) -> Result<(), RequestError>,
    ) -> Result<Vec<u8>, ReadError> {
        let (source, max_trailer) = (&mut self.source, self.max_head);
        match length {
            BodyLength::Bytes(length) => read_sized(source, length),
            BodyLength::Chunked => read_chunked(source, self.max_body, max_trailer, before_growth),
        }
    }
}

#[cfg(test)]
mod tests;
