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
use crate::buffer::Buffer;
pub use crate::error::{ReadError, RequestError};
pub use crate::head::RequestHead;
use crate::head::{self, BodyLength};
use std::io::{self, Read};

/// A complete request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
}

/// Reads the requests of one connection, one after the other.
///
/// Holds at most one request: a body of [`max_body`](Limits::max_body) bytes and a buffer of at
/// most twice [`max_head`](Limits::max_head), or 8 KiB where that is more.
#[derive(Debug)]
pub struct RequestReader<R> {
    buffer: Buffer<R>,
    max_head: usize,
    max_body: usize,
    refused: Option<RequestError>,
}

impl<R: Read> RequestReader<R> {
    /// Creates a reader at the start of a connection. Of the limits only
    /// [`max_head`](Limits::max_head) and [`max_body`](Limits::max_body) apply.
    pub fn new(source: R, limits: &Limits) -> RequestReader<R> {
        RequestReader {
            buffer: Buffer::new(source),
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
        while !self.has_begun() {
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
        let (head, length) = self.read_head()?;
        let body = self.read_body(length, |_| Ok(()))?;
        Ok(Some(Request { head, body }))
    }

    pub(crate) fn source_mut(&mut self) -> &mut R {
        self.buffer.source_mut()
    }

    /// Reads once from the stream. Returns 0 at its end.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        self.buffer.fill()
    }

    /// Returns true if a byte of the next request was read already. Drops empty lines before it.
    ///
    /// Servers have to ignore empty lines before a request (RFC 9112, section 2.2). They do not
    /// begin one, or the stray CRLF that some clients send after a body would put a time limit on
    /// an idle connection. A lone CR is perhaps half of such a line.
    pub(crate) fn has_begun(&mut self) -> bool {
        loop {
            match self.buffer.unread() {
                [b'\r', b'\n', ..] => self.buffer.consume(2),
                [b'\n', ..] => self.buffer.consume(1),
                [] | [b'\r'] => return false,
                _ => return true,
            }
        }
    }

    /// Returns true if no byte beyond what was parsed was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.unread().is_empty()
    }

    /// Reads the head of a request that [has begun](RequestReader::has_begun).
    pub(crate) fn read_head(&mut self) -> Result<(RequestHead, BodyLength), ReadError> {
        // Bytes in which every line end is known, so that a slow head is not searched and parsed
        // again at each byte.
        let mut searched = 0;
        loop {
            let unread = self.buffer.unread();
            let window = &unread[..unread.len().min(self.max_head)];
            // Parse whole lines only: the verdict on a part of a line could change with its rest.
            let new_line_end = window[searched..].iter().rposition(|byte| *byte == b'\n');
            if let Some(at) = new_line_end {
                let lines = &window[..=searched + at];
                if let Some((head, length, size)) = head::parse(lines, self.max_body)? {
                    self.buffer.consume(size);
                    return Ok((head, length));
                }
            }
            if unread.len() > self.max_head {
                return Err(RequestError::HeadTooLarge.into());
            }
            searched = window.len();
            self.buffer.fill_more()?;
        }
    }

    /// Reads the body after a head. Calls `before_growth` with the next size of a chunked body
    /// before the body grows to it.
    pub(crate) fn read_body(
        &mut self,
        length: BodyLength,
        before_growth: impl FnMut(usize) -> Result<(), RequestError>,
    ) -> Result<Vec<u8>, ReadError> {
        match length {
            BodyLength::Bytes(length) => read_sized(&mut self.buffer, length),
            BodyLength::Chunked => read_chunked(
                &mut self.buffer,
                self.max_body,
                self.max_head,
                before_growth,
            ),
        }
    }
}

#[cfg(test)]
mod tests;
