//! A connection's socket with time limits for reading and writing.

use crate::connections::ConnectionGuard;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How long the rest of a request is waited for if the server stopped or evicted the connection
/// just as the request began.
const CLOSE_RACE_GRACE: Duration = Duration::from_secs(1);
/// Pause between two reads where reading cannot block, or must not be fast.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A socket whose reads and writes end at a deadline, with [`ErrorKind::TimedOut`].
pub(crate) struct TimedStream<'a> {
    stream: &'a TcpStream,
    pub(crate) guard: &'a ConnectionGuard,
    /// When reading and writing fail; `None` while the connection is idle, which has no time limit.
    pub(crate) deadline: Option<Instant>,
    /// When the request that is being read began; `None` between two requests.
    pub(crate) begun: Option<Instant>,
    /// When the last bytes arrived, or when the connection was accepted.
    pub(crate) last_read: Instant,
    /// The socket's present setting. A request that arrives in one piece needs no syscall to change
    /// it.
    read_timeout: Option<Duration>,
}

impl<'a> TimedStream<'a> {
    /// Wraps an accepted socket. `write_timeout` is for one write; it makes a thread notice that
    /// the peer has stopped reading.
    pub(crate) fn new(
        stream: &'a TcpStream,
        guard: &'a ConnectionGuard,
        write_timeout: Duration,
    ) -> TimedStream<'a> {
        // Both fail on a connection that the peer has reset already; then the next read fails too.
        // Responses are written whole, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        // A timeout of zero is invalid.
        let _ = stream.set_write_timeout(Some(write_timeout.max(POLL_INTERVAL)));
        TimedStream {
            stream,
            guard,
            deadline: None,
            begun: None,
            last_read: Instant::now(),
            read_timeout: None,
        }
    }

    /// Discards what the peer still sends until `deadline`, so that it can read the last response:
    /// to close a socket with unread bytes resets the connection, which may destroy that response.
    ///
    /// Discards `fast_bytes` as fast as they come and further bytes slowly, so they amount to
    /// little.
    pub(crate) fn drain(&mut self, fast_bytes: usize, deadline: Instant) {
        // Fails if the peer has gone; then the read below fails too.
        let _ = self.stream.shutdown(Shutdown::Write);
        self.deadline = Some(deadline);
        self.begun = None;
        let mut discarded = 0;
        let mut buffer = [0; 4 * 1024];
        while let Ok(size @ 1..) = self.read(&mut buffer) {
            discarded += size;
            if discarded > fast_bytes {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }

    /// Returns true if the end of the input may come from the server's shutdown of the reading
    /// side, after which bytes that are still on their way can be read all the same.
    fn is_close_race(&self) -> bool {
        self.begun
            .is_some_and(|begun| begun.elapsed() < CLOSE_RACE_GRACE)
            && self.guard.is_closing()
    }

    /// Returns the time until the deadline, or an error if it has passed.
    fn time_left(&self) -> io::Result<Option<Duration>> {
        let now = Instant::now();
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now));
        match left {
            Some(Duration::ZERO) => Err(ErrorKind::TimedOut.into()),
            left => Ok(left),
        }
    }
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let timeout = self.time_left()?;
            if timeout != self.read_timeout {
                self.stream.set_read_timeout(timeout)?;
                self.read_timeout = timeout;
            }
            match self.stream.read(buffer) {
                Ok(0) if self.is_close_race() => std::thread::sleep(POLL_INTERVAL),
                Ok(size) => {
                    self.last_read = Instant::now();
                    return Ok(size);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The system's word for an expired timeout.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for TimedStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.time_left()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
