//! Limits on connections, bytes and time.

use std::time::Duration;

/// What peers may take of a server: connections, bytes, time.
///
/// [`run`](crate::run) uses the defaults. Tests pass shorter ones to [`serve`](crate::serve):
///
/// ```
/// use fc_runtime::Limits;
/// use std::time::Duration;
///
/// let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
/// assert_eq!(limits.max_connections, 512);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most open connections, at least 1. Default: 512.
    ///
    /// At the maximum, the connection that has been idle longest is closed for a new one. If none
    /// is idle, the new one waits. Each connection takes a thread; the platform allows 1,024
    /// threads.
    pub max_connections: usize,
    /// Most handlers that run at once, at least 1. Default: 100.
    ///
    /// Further invocations wait in order of arrival, and fail if their deadline passes first.
    pub max_invocations: usize,
    /// Most bytes of a request's head, and of the trailer section of a chunked body. Default: 16
    /// KiB. The platform sends at most 8 KB.
    pub max_head: usize,
    /// Most bytes of a request's body. Default: 6 MiB. The platform sends at most 256 KB for an
    /// event.
    pub max_body: usize,
    /// Bytes of a body that every connection may hold. Default: 16 KiB.
    pub small_body: usize,
    /// Bytes that all bodies together may hold beyond [`small_body`](Limits::small_body). Default:
    /// 3 MiB.
    ///
    /// A request that needs more than is free waits, at most for
    /// [`body_timeout`](Limits::body_timeout), and is then refused. A body above the total takes
    /// all of it. The smallest instance has 128 MB, and to parse a body as JSON can take 27 times
    /// its size.
    pub large_bodies: usize,
    /// Most time from a request's first byte to the end of its head. Default: 10 s.
    pub head_timeout: Duration,
    /// Most time from the end of the head to the end of the body. Default: 10 s. Of a large body
    /// with announced length, it counts from when the memory was free.
    pub body_timeout: Duration,
    /// Most time to write a response. Default: 10 s.
    pub write_timeout: Duration,
    /// How long further bytes of a refused peer are discarded so that it can read the refusal.
    /// Default: 1 s. To close a connection with unread bytes resets it, which may destroy the
    /// response on its way.
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
