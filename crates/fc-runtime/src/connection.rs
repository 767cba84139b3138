//! One connection: reads a request, writes its response, and so on until either side closes.

use crate::Limits;
use crate::connections::ConnectionGuard;
use crate::context::Context;
use crate::error::{ReadError, RequestError};
use crate::head::{BodyLength, RequestHead};
use crate::request::{Request, RequestReader};
use crate::response::{Framing, Response};
use crate::router::Router;
use crate::semaphore::{Permit, Semaphore};
use crate::stream::TimedStream;
use std::io;
use std::net::TcpStream;
use std::time::Instant;

/// Serves a connection to its end. A peer that disappears is not an error.
pub(crate) fn serve(
    stream: &TcpStream,
    guard: &ConnectionGuard,
    router: &Router,
    body_memory: &Semaphore,
    limits: &Limits,
) {
    let stream = TimedStream::new(stream, guard, limits.write_timeout);
    let mut connection = Connection {
        requests: RequestReader::new(stream, limits),
        guard,
        router,
        body_memory,
        limits,
    };
    loop {
        match connection.receive() {
            Ok(Some(received)) => {
                if !connection.answer(received) {
                    return;
                }
            }
            Err(ReadError::Refused(error)) => return connection.refuse(error),
            // The peer has closed the connection, or it broke.
            Ok(None) | Err(ReadError::Io(_)) => return,
        }
    }
}

struct Connection<'a> {
    requests: RequestReader<TimedStream<'a>>,
    guard: &'a ConnectionGuard,
    router: &'a Router,
    body_memory: &'a Semaphore,
    limits: &'a Limits,
}

/// A complete request and what goes with it.
struct Received<'a> {
    request: Request,
    /// When its first byte arrived.
    arrived: Instant,
    /// The memory of a large body, held until the response is written.
    _memory: Option<Permit<'a>>,
}

impl<'a> Connection<'a> {
    /// Reads the next request. Returns `None` if the peer closes the connection instead.
    fn receive(&mut self) -> Result<Option<Received<'a>>, ReadError> {
        let (body_memory, limits) = (self.body_memory, self.limits);

        // Wait for the first byte for as long as it takes. It may have come with the last request.
        while !self.requests.has_begun() {
            self.guard.set_idle();
            self.requests.source_mut().set_idle();
            if self.requests.fill()? == 0 {
                return Ok(None);
            }
            self.guard.set_busy();
        }

        // Read the head. Its time limit begins now: a pipelined request may have waited for its
        // turn.
        let stream = self.requests.source_mut();
        let arrived = stream.last_read();
        let begun = Instant::now();
        stream.set_busy(begun, begun + limits.head_timeout);
        let (head, length) = self.requests.read_head()?;

        // Take memory for a large body before reading it. What is not read stays with the peer.
        let take_memory = |size: usize| {
            let deadline = Context::new(&head, arrived)
                .deadline
                .min(Instant::now() + limits.body_timeout);
            body_memory
                .acquire(size - limits.small_body, deadline)
                .ok_or(RequestError::Busy)
        };
        let mut memory = match length {
            BodyLength::Bytes(size) if size > limits.small_body => Some(take_memory(size)?),
            _ => None,
        };

        // Ask for the body if the peer waits to be asked. It does not if the body is here already.
        if head.expects_continue && length != BodyLength::Bytes(0) && self.requests.is_empty() {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                .map_err(ReadError::Io)?;
        }

        // Read the body. A chunked one takes the memory of the largest when it turns out to be
        // large.
        let deadline = Instant::now() + limits.body_timeout;
        self.requests.source_mut().set_deadline(deadline);
        let body = self.requests.read_body(length, |size| {
            if memory.is_none() && size > limits.small_body {
                memory = Some(take_memory(limits.max_body)?);
            }
            Ok(())
        })?;
        Ok(Some(Received {
            request: Request { head, body },
            arrived,
            _memory: memory,
        }))
    }

    /// Answers a request. Returns true if the connection stays open.
    fn answer(&mut self, received: Received) -> bool {
        let Received {
            request, arrived, ..
        } = &received;
        let RequestHead {
            keep_alive, method, ..
        } = &request.head;
        let (response, invocation) = self.router.answer(request, *arrived);

        // A pipelined request that has arrived is answered even if the connection is to close.
        let has_next = self.requests.has_begun();
        let close = !keep_alive || (self.guard.is_closing() && !has_next);
        let framing = Framing {
            close,
            without_body: method == "HEAD",
        };
        let sent = self.send(&response.encode(framing));
        // The invocation is in flight until its response is out.
        drop(invocation);
        if close && has_next && sent.is_ok() {
            self.drain(0);
        }
        !close && sent.is_ok()
    }

    /// Answers what is not an acceptable request, as the last response of the connection.
    fn refuse(&mut self, error: RequestError) {
        let framing = Framing {
            close: true,
            without_body: false,
        };
        if self
            .send(&Response::refused(error).encode(framing))
            .is_err()
        {
            return;
        }
        // Many clients write the whole body before they read. Let those finish quickly whose body
        // is not far over the limit. Malformed bytes deserve no such speed.
        let fast_bytes = match error {
            RequestError::BodyTooLarge | RequestError::Busy => 2 * self.limits.max_body,
            _ => 0,
        };
        self.drain(fast_bytes);
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.limits.write_timeout;
        self.requests.source_mut().write_all_before(bytes, deadline)
    }

    fn drain(&mut self, fast_bytes: usize) {
        let deadline = Instant::now() + self.limits.drain;
        self.requests.source_mut().drain(fast_bytes, deadline);
    }
}
