//! One connection: requests in, answers out, one after the other, for as long as the peer likes.

use super::bodies::{Bodies, Share};
use super::connections::Slot;
use super::framing::{Decoder, Phase, Reject, Request, Step};
use super::response::{Framing, Response};
use super::service::Service;
use super::{Context, Limits};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Bytes read at once. An ordinary event and its head fit.
const READ_BUFFER: usize = 4 * 1024;
/// How long the rest of a request is waited for on a connection that was told to close just as the request began.
const CROSSING: Duration = Duration::from_secs(1);
/// The pace at which such a rest is looked for, and at which bytes of a refused peer are swallowed that are too many.
const PACE: Duration = Duration::from_millis(5);

/// Serves a connection to its end. Peers may vanish at any moment; that is nobody's fault and worth no word.
pub(super) fn serve(
    stream: &TcpStream,
    slot: &Slot,
    service: &Service,
    bodies: &Bodies,
    limits: &Limits,
) {
    // Answers are written whole: nothing is gained by holding them back.
    let _ = stream.set_nodelay(true);
    // A peer that does not read must not hold the thread for ever.
    let _ = stream.set_write_timeout(Some(limits.write_timeout.max(PACE)));
    let mut peer = Peer {
        stream,
        slot,
        bodies,
        limits,
        decoder: Decoder::new(limits),
        buffer: vec![0; READ_BUFFER],
        read_timeout: None,
        last_read: Instant::now(),
    };
    while let Some(received) = peer.receive() {
        let Received {
            request,
            arrived,
            memory,
        } = match received {
            Ok(received) => received,
            Err(reject) => {
                if peer
                    .send(&Response::rejected(reject).encode(Framing {
                        close: true,
                        ..Framing::default()
                    }))
                    .is_ok()
                {
                    // Many clients write a whole body before they read. Of one that is not much over the limit they
                    // get to read so; what is no request at all is worth no haste.
                    let in_haste = match reject {
                        Reject::BodyTooLarge | Reject::Busy => 2 * limits.max_body,
                        _ => 0,
                    };
                    peer.drain(in_haste);
                }
                return;
            }
        };
        let (response, invocation) = service.answer(&request, arrived);
        // What has come already is answered even when the connection is to close.
        let close = !request.head.keep_alive
            || (slot.is_closing() && peer.decoder.phase() == Phase::Between);
        let framing = Framing {
            close,
            without_body: request.head.method == "HEAD",
        };
        let sent = peer.send(&response.encode(framing));
        drop(invocation);
        if sent.is_err() {
            return;
        }
        if close {
            if peer.decoder.phase() != Phase::Between {
                peer.drain(0);
            }
            return;
        }
        peer.decoder.recycle(request.body);
        drop(memory);
    }
}

/// A whole request.
struct Received<'a> {
    request: Request,
    /// When its first byte came.
    arrived: Instant,
    /// What it holds of the memory for large bodies, until it has been answered.
    memory: Option<Share<'a>>,
}

/// The peer at the other end, and what is known of its bytes.
struct Peer<'a> {
    stream: &'a TcpStream,
    slot: &'a Slot,
    bodies: &'a Bodies,
    limits: &'a Limits,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// The socket's present setting, so that a request that comes in one piece costs no call to change it.
    read_timeout: Option<Duration>,
    last_read: Instant,
}

impl<'a> Peer<'a> {
    /// The next request; `None` when the peer has gone.
    fn receive(&mut self) -> Option<Result<Received<'a>, Reject>> {
        // Bytes that are there already came with the last read; their time limit begins now, when they have their turn.
        let mut arrived = self.last_read;
        let mut begun = Instant::now();
        let mut body_begun = None;
        let mut memory = None;
        loop {
            let step = match self.decoder.step() {
                Ok(Step::Request(request)) => {
                    return Some(Ok(Received {
                        request,
                        arrived,
                        memory,
                    }));
                }
                Ok(step) => step,
                Err(reject) => return Some(Err(reject)),
            };
            if memory.is_none() && self.decoder.body_size() > self.limits.small_body {
                // What is not read stays with the peer meanwhile.
                match self.memory_for_body(arrived) {
                    Some(share) => {
                        memory = Some(share);
                        self.decoder.reserve_body();
                    }
                    None => return Some(Err(Reject::Busy)),
                }
            }
            if step == Step::Continue {
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
            }
            let limit = match self.decoder.phase() {
                Phase::Between => None,
                Phase::Head => Some(begun + self.limits.head_timeout),
                Phase::Body => {
                    Some(*body_begun.get_or_insert_with(Instant::now) + self.limits.body_timeout)
                }
            };
            let read = match limit {
                None => {
                    self.slot.idle();
                    let read = self.read(None);
                    begun = Instant::now();
                    arrived = begun;
                    if let Ok(1..) = read {
                        self.slot.busy();
                    }
                    read
                }
                Some(limit) => self.read(Some(limit)),
            };
            match read {
                Ok(0)
                    if limit.is_some() && self.slot.is_closing() && begun.elapsed() < CROSSING =>
                {
                    std::thread::sleep(PACE);
                }
                Ok(0) => return None,
                Ok(size) => {
                    self.last_read = Instant::now();
                    self.decoder.feed(self.buffer.get(..size)?);
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    return Some(Err(Reject::Timeout));
                }
                Err(_) => return None,
            }
        }
    }

    /// Waits for the memory that the present request's body takes beyond what every connection has, but not past the
    /// deadline that an invocation has.
    fn memory_for_body(&self, arrived: Instant) -> Option<Share<'a>> {
        let (head, tells_length) = self.decoder.head()?;
        let size = if tells_length {
            self.decoder.body_size()
        } else {
            self.limits.max_body
        };
        let deadline = Context::of(head, arrived).deadline;
        let limit = deadline.min(Instant::now() + self.limits.body_timeout);
        self.bodies
            .take(size.saturating_sub(self.limits.small_body), limit)
    }

    /// Reads what there is into the buffer; without a limit for as long as it takes.
    fn read(&mut self, limit: Option<Instant>) -> io::Result<usize> {
        loop {
            let timeout = limit.map(time_left).transpose()?;
            if timeout != self.read_timeout {
                self.stream.set_read_timeout(timeout)?;
                self.read_timeout = timeout;
            }
            match self.stream.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(ErrorKind::TimedOut.into());
                }
                result => return result,
            }
        }
    }

    /// Writes all of `bytes`. The time limit holds for the whole as well: a peer may not read byte by byte either.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let limit = Instant::now() + self.limits.write_timeout;
        while !bytes.is_empty() {
            time_left(limit)?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(size) => bytes = bytes.get(size..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lets the peer read the last answer before the connection goes: swallows what it still sends, for a short while;
    /// so many bytes as fast as they come, what exceeds them slowly, so that it amounts to little.
    fn drain(&mut self, in_haste: usize) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let limit = Instant::now() + self.limits.drain;
        let mut swallowed = 0;
        while let Ok(size @ 1..) = self.read(Some(limit)) {
            swallowed += size;
            if swallowed > in_haste {
                std::thread::sleep(PACE);
            }
        }
    }
}

fn time_left(limit: Instant) -> io::Result<Duration> {
    let left = limit.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}
