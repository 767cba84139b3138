//! What a peer may take: connections, bytes, time.

use std::time::Duration;

/// Limits of the server. [`Default`] is what [`run`](super::run) uses; tests shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once, 512. When it is reached, the connection that has been idle longest makes room for a
    /// new one; where none is idle, the new one waits. Each takes a thread, of which the platform allows 1,024.
    pub max_connections: usize,
    /// Handlers at work at once, 100; further invocations wait their turn in order of arrival.
    pub max_invocations: usize,
    /// Bytes of a request's head, 16 KiB. The platform's own limit is 8 KB.
    pub max_head: usize,
    /// Bytes of a request's body, 6 MiB. One event has at most 256 KB.
    pub max_body: usize,
    /// Bytes of a body that every connection may hold, 16 KiB.
    pub small_body: usize,
    /// Bytes that all bodies together may hold beyond that, 3 MiB; who needs more than is free waits, up to
    /// [`body_timeout`](Limits::body_timeout), and is then refused. A body of more than all of it has it to itself. The
    /// smallest instance has 128 MB for everything, and to understand a body can take 27 times its size.
    pub large_bodies: usize,
    /// From a request's first byte to the end of its head, 10 s.
    pub head_timeout: Duration,
    /// From the end of the head (or from when there was memory for it) to the end of the body, 10 s.
    pub body_timeout: Duration,
    /// For a whole answer to leave, 10 s.
    pub write_timeout: Duration,
    /// How long a refused peer's further bytes are swallowed so that it can read the refusal, 1 s: to close a
    /// connection while bytes are unread resets it, which may destroy the answer on its way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_connections: 512,
            max_invocations: 100,
            max_head: 16 * 1024,
            max_body: 6 * 1024 * 1024,
            small_body: 16 * 1024,
            large_bodies: 3 * 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(1),
        }
    }
}
