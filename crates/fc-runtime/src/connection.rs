//! One connection: reads a request, writes its response, and so on until either side closes.

use crate::Limits;
use crate::connections::{ConnectionGuard, Connections};
use crate::context::Context;
use crate::error::{ReadError, RequestError};
use crate::head::{BodyLength, ParsedHead};
use crate::request::{Request, RequestReader};
use crate::response::Response;
use crate::router::Router;
use crate::semaphore::Semaphore;
use crate::stream::TimedStream;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

/// State that the connections of a server share.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) connections: Arc<Connections>,
    /// In bytes; see [`Limits::large_bodies`].
    pub(crate) body_memory: Semaphore,
    pub(crate) limits: Limits,
}

/// Serves a connection to its end. A peer that disappears is not an error.
pub(crate) fn serve(stream: &TcpStream, guard: &ConnectionGuard, shared: &Shared) {
    let stream = TimedStream::new(stream, guard, shared.limits.write_timeout);
    let mut connection = Connection {
        requests: RequestReader::new(stream, &shared.limits),
        shared,
    };
    loop {
        match connection.serve_request() {
            Ok(true) => {}
            // The peer has closed the connection, or it broke.
            Ok(false) | Err(ReadError::Io(_)) => return,
            Err(ReadError::Refused(error)) => return connection.refuse(error),
        }
    }
}

struct Connection<'a> {
    requests: RequestReader<TimedStream<'a>>,
    shared: &'a Shared,
}

impl<'a> Connection<'a> {
    /// Reads the next request and answers it. Returns true if the connection stays open.
    fn serve_request(&mut self) -> Result<bool, ReadError> {
        let Shared {
            body_memory,
            limits,
            ..
        } = self.shared;

        if !self.wait_for_request()? {
            return Ok(false);
        }

        // Read the head. Its time limit begins now: a pipelined request may have waited for its
        // turn.
        let stream = self.stream();
        let arrived = stream.last_read;
        let begun = Instant::now();
        stream.begun = Some(begun);
        stream.deadline = Some(begun + limits.head_timeout);
        let ParsedHead {
            head,
            body_length: length,
            credentials,
            ..
        } = self.requests.read_head()?;
        let context = Context::new(&head, credentials, arrived);

        // Take memory for a large body before reading it. What is not read stays with the peer.
        let take_memory = |size: usize| {
            let deadline = context.deadline.min(Instant::now() + limits.body_timeout);
            let permit = body_memory.acquire(size - limits.small_body, deadline);
            permit.ok_or(RequestError::Busy)
        };
        let mut memory = match length {
            BodyLength::Bytes(size) if size > limits.small_body => Some(take_memory(size)?),
            _ => None,
        };

        // Ask for the body if the peer waits to be asked. It does not if the body is here already.
        let nothing_is_here = self.requests.source.buffer().is_empty();
        if head.expects_continue && length != BodyLength::Bytes(0) && nothing_is_here {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                .map_err(ReadError::Io)?;
        }

        // Read the body. A chunked one takes the memory of the largest when it turns out to be
        // large.
        self.stream().deadline = Some(Instant::now() + limits.body_timeout);
        let body = self.requests.read_body(length, |size| {
            if memory.is_none() && size > limits.small_body {
                memory = Some(take_memory(limits.max_body)?);
            }
            Ok(())
        })?;
        // The memory is held until the response is written.
        Ok(self.answer(&Request { head, body }, &context))
    }

    /// Waits for the first byte of a request for as long as it takes. Returns false if the peer
    /// closes the connection instead.
    fn wait_for_request(&mut self) -> Result<bool, ReadError> {
        // It may have come with the last request.
        if self.requests.has_begun() {
            return self.requests.wait_for_request();
        }
        let stream = self.stream();
        stream.deadline = None;
        stream.begun = None;
        stream.guard.set_idle();
        let has_begun = self.requests.wait_for_request()?;
        self.stream().guard.set_busy();
        Ok(has_begun)
    }

    /// Answers a request. Returns true if the connection stays open.
    fn answer(&mut self, request: &Request, context: &Context) -> bool {
        let (response, invocation) = self.shared.router.answer(request, context);

        // A pipelined request that has arrived is answered even if the connection is to close.
        let has_next = self.requests.has_begun();
        let is_closing = self.stream().guard.is_closing();
        let close = !request.head.keep_alive || (is_closing && !has_next);
        let sent = self.send(&response.encode(close, request.head.method != "HEAD"));
        // The invocation is in flight until its response is out.
        drop(invocation);
        if close && has_next && sent.is_ok() {
            self.drain(0);
        }
        !close && sent.is_ok()
    }

    /// Answers what is not an acceptable request, as the last response of the connection.
    fn refuse(&mut self, error: RequestError) {
        if self
            .send(&Response::refused(error).encode(true, true))
            .is_err()
        {
            return;
        }
        // Many clients write the whole body before they read. Let those finish quickly whose body
        // is not far over the limit. Malformed bytes deserve no such speed.
        let fast_bytes = match error {
            RequestError::BodyTooLarge | RequestError::Busy => 2 * self.shared.limits.max_body,
            _ => 0,
        };
        self.drain(fast_bytes);
    }

    fn stream(&mut self) -> &mut TimedStream<'a> {
        self.requests.source.get_mut()
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.shared.limits.write_timeout;
        let stream = self.stream();
        stream.deadline = Some(deadline);
        stream.write_all(bytes)
    }

    fn drain(&mut self, fast_bytes: usize) {
        let deadline = Instant::now() + self.shared.limits.drain;
        self.stream().drain(fast_bytes, deadline);
    }
}
