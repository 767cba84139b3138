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

/// A socket whose reads end at a deadline.
///
/// An expired deadline is [`ErrorKind::TimedOut`].
pub(crate) struct TimedStream<'a> {
    stream: &'a TcpStream,
    guard: &'a ConnectionGuard,
    /// When reading fails; `None` while the connection is idle, which has no time limit.
    read_deadline: Option<Instant>,
    /// Until when an end of the input may be the server's own doing, not the peer's.
    close_race_end: Option<Instant>,
    /// The socket's present setting. A request that arrives in one piece needs no syscall to change
    /// it.
    read_timeout: Option<Duration>,
    last_read: Instant,
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
            read_deadline: None,
            close_race_end: None,
            read_timeout: None,
            last_read: Instant::now(),
        }
    }

    /// Returns when the last bytes arrived, or when the connection was accepted.
    pub(crate) fn last_read(&self) -> Instant {
        self.last_read
    }

    /// Lifts the read deadline: the connection is idle.
    pub(crate) fn set_idle(&mut self) {
        self.read_deadline = None;
        self.close_race_end = None;
    }

    /// Notes that a request began at `begun` and has to go on before `deadline`.
    pub(crate) fn set_busy(&mut self, begun: Instant, deadline: Instant) {
        self.read_deadline = Some(deadline);
        self.close_race_end = Some(begun + CLOSE_RACE_GRACE);
    }

    /// Moves the read deadline of the request in progress.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.read_deadline = Some(deadline);
    }

    /// Writes all bytes before `deadline`: a peer must not read them one by one for ever.
    pub(crate) fn write_all_before(
        &mut self,
        mut bytes: &[u8],
        deadline: Instant,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            time_left(deadline)?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(size) => bytes = &bytes[size..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Discards what the peer still sends until `deadline`, so that it can read the last response:
    /// to close a socket with unread bytes resets the connection, which may destroy that response.
    ///
    /// Discards `fast_bytes` as fast as they come and further bytes slowly, so they amount to
    /// little.
    pub(crate) fn drain(&mut self, fast_bytes: usize, deadline: Instant) {
        // Fails if the peer has gone; then the read below fails too.
        let _ = self.stream.shutdown(Shutdown::Write);
        self.read_deadline = Some(deadline);
        self.close_race_end = None;
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
        self.close_race_end.is_some_and(|end| Instant::now() < end) && self.guard.is_closing()
    }
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let timeout = self.read_deadline.map(time_left).transpose()?;
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

fn time_left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}
