//! A read buffer that can hold a whole head, which [`std::io::BufReader`] cannot.

use crate::error::{ReadError, RequestError};
use std::io::{self, ErrorKind, Read};

/// Bytes that a buffer holds at first. A head and an ordinary event fit, so one read gets them
/// both.
const INITIAL_SIZE: usize = 4 * 1024;

/// A stream and the bytes that were read from it but not used yet.
#[derive(Debug)]
pub(crate) struct Buffer<R> {
    source: R,
    bytes: Vec<u8>,
    /// `bytes[start..end]` is unread.
    start: usize,
    end: usize,
}

impl<R: Read> Buffer<R> {
    pub(crate) fn new(source: R) -> Buffer<R> {
        Buffer {
            source,
            bytes: vec![0; INITIAL_SIZE],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Marks the first `count` unread bytes as used.
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
    }

    /// Reads once from the stream and appends to the unread bytes. Returns 0 at the stream's end.
    ///
    /// The buffer doubles when it is full of unread bytes: the caller bounds how many it lets pile
    /// up.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.bytes.len() {
            self.bytes.resize(2 * self.bytes.len(), 0);
        }
        loop {
            match self.source.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(size) => {
                    self.end += size;
                    return Ok(size);
                }
            }
        }
    }

    /// Like [`fill`](Buffer::fill), within a request: the stream's end is an error.
    pub(crate) fn fill_more(&mut self) -> Result<(), ReadError> {
        match self.fill()? {
            0 => Err(ReadError::Io(ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }

    /// Reads a line that ends in CRLF and returns it without the CRLF. `max` counts the CRLF.
    pub(crate) fn read_line(
        &mut self,
        max: usize,
        too_long: RequestError,
    ) -> Result<Vec<u8>, ReadError> {
        loop {
            let unread = self.unread();
            let window = &unread[..unread.len().min(max)];
            if let Some(at) = window.iter().position(|byte| *byte == b'\n') {
                let line = window[..at]
                    .strip_suffix(b"\r")
                    .ok_or(RequestError::Malformed(
                        "a line of the chunked body ends in a bare line feed",
                    ))?
                    .to_vec();
                self.consume(line.len() + 2);
                return Ok(line);
            }
            if unread.len() >= max {
                return Err(too_long.into());
            }
            self.fill_more()?;
        }
    }

    /// Bytes that the buffer takes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl<R: Read> Read for Buffer<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.unread().is_empty() {
            // A large body goes past the buffer, in few reads and without a copy.
            if target.len() >= self.bytes.len() {
                return self.source.read(target);
            }
            self.fill()?;
        }
        let count = self.unread().len().min(target.len());
        target[..count].copy_from_slice(&self.unread()[..count]);
        self.consume(count);
        Ok(count)
    }
}
