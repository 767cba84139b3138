//! The open connections: their maximum, and the eviction of idle ones.

use crate::sync::lock;
use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a new connection that waits checks whether the server is asked to stop.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// How often [`Connections::wait_until_closed`] asks for its limit again.
const LIMIT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// All open connections.
pub(crate) struct Connections {
    max: usize,
    state: Mutex<State>,
    /// Notified when a connection becomes idle or closes.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next_number: u64,
    open: BTreeMap<u64, Connection>,
    stopping: bool,
}

struct Connection {
    stream: Arc<TcpStream>,
    /// When the wait for the next request began; `None` while a request is in progress.
    idle_since: Option<Instant>,
    /// The connection closes as soon as no request is in progress.
    closing: bool,
}

impl Connection {
    /// Closes the connection now if it is idle, else after its request.
    ///
    /// Shuts only the reading side, which wakes the thread that waits for a request. A request that
    /// has arrived already is still read and answered.
    fn close_when_idle(&mut self) {
        self.closing = true;
        if self.idle_since.is_some() {
            let _ = self.stream.shutdown(Shutdown::Read);
        }
    }
}

/// Registration of one open connection. Removed on drop, including during unwinding.
pub(crate) struct ConnectionGuard {
    connections: Arc<Connections>,
    number: u64,
}

impl Connections {
    pub(crate) fn new(max: usize) -> Connections {
        Connections {
            max,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Registers a new connection.
    ///
    /// At the maximum, the connection that has been idle longest is closed. If none is idle, waits
    /// for one to become idle or to close. Returns `None` if `asked_to_stop` returns true
    /// meanwhile.
    pub(crate) fn admit(
        self: &Arc<Self>,
        stream: &Arc<TcpStream>,
        asked_to_stop: impl Fn() -> bool,
    ) -> Option<ConnectionGuard> {
        let mut state = lock(&self.state);
        while state.open.len() >= self.max {
            if asked_to_stop() {
                return None;
            }
            let idle = state
                .open
                .values_mut()
                .filter(|open| open.idle_since.is_some());
            if let Some(oldest) = idle.min_by_key(|open| open.idle_since) {
                oldest.close_when_idle();
            }
            let waited = self.changed.wait_timeout(state, STOP_CHECK_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let number = state.next_number;
        state.next_number += 1;
        let connection = Connection {
            stream: Arc::clone(stream),
            idle_since: None,
            closing: state.stopping,
        };
        state.open.insert(number, connection);
        Some(ConnectionGuard {
            connections: Arc::clone(self),
            number,
        })
    }

    /// Closes the idle connections now, and every other one after its request, also those that are
    /// admitted from now on.
    pub(crate) fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopping = true;
        state
            .open
            .values_mut()
            .for_each(Connection::close_when_idle);
    }

    /// Waits until all connections are closed, at most until `limit`.
    ///
    /// Calls `limit` again at each change and each second: the limit moves when a request in
    /// progress becomes an invocation with a deadline of its own.
    pub(crate) fn wait_until_closed(&self, limit: impl Fn() -> Instant) {
        let mut state = lock(&self.state);
        while !state.open.is_empty() {
            let left = limit().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self
                .changed
                .wait_timeout(state, left.min(LIMIT_CHECK_INTERVAL));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl ConnectionGuard {
    /// Notes that the connection waits for a request from now on.
    pub(crate) fn set_idle(&self) {
        self.with_connection(|connection| {
            connection.idle_since = Some(Instant::now());
            if connection.closing {
                connection.close_when_idle();
            }
        });
        // At other times no thread waits, and to notify costs a syscall in every invocation.
        let state = lock(&self.connections.state);
        if state.stopping || state.open.len() >= self.connections.max {
            self.connections.changed.notify_all();
        }
    }

    /// Notes that a request has begun.
    pub(crate) fn set_busy(&self) {
        self.with_connection(|connection| connection.idle_since = None);
    }

    /// Returns true if the connection closes after the request in progress.
    pub(crate) fn is_closing(&self) -> bool {
        self.with_connection(|connection| connection.closing)
    }

    fn with_connection<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let mut state = lock(&self.connections.state);
        let registered = state.open.get_mut(&self.number);
        act(registered.expect("a connection is registered as long as its guard lives"))
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        lock(&self.connections.state).open.remove(&self.number);
        self.connections.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(20);

    /// Returns a connection and its silent peer.
    fn connection() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = listener.accept().unwrap().0;
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        (Arc::new(stream), peer)
    }

    /// Returns true if a read would find the end of the connection.
    fn was_shut(stream: &TcpStream) -> bool {
        (&*stream).read(&mut [0]).is_ok()
    }

    #[test]
    fn at_the_maximum_the_longest_idle_connection_is_closed() {
        let all = Arc::new(Connections::new(3));
        let open = [connection(), connection(), connection()];
        let mut guards = open
            .each_ref()
            .map(|(stream, _)| all.admit(stream, || false));
        for n in [1, 0, 2] {
            guards[n].as_ref().unwrap().set_idle();
        }
        let wait_until_shut = |n: usize| {
            let end = Instant::now() + LONG;
            while !was_shut(&open[n].0) {
                if Instant::now() > end {
                    all.stop();
                    panic!("connection {n} made no room");
                }
            }
        };
        let (report, admitted) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| report.send(all.admit(&connection().0, || false)).unwrap());
            wait_until_shut(1);
            // One is enough, whichever becomes idle meanwhile.
            guards[0].as_ref().unwrap().set_idle();
            assert!(!was_shut(&open[0].0) && !was_shut(&open[2].0));
            // A request arrived on it after all: the next one has to close.
            guards[1].as_ref().unwrap().set_busy();
            wait_until_shut(2);
            assert!(admitted.try_recv().is_err());
            assert!(
                guards[1].as_ref().unwrap().is_closing(),
                "it closes after that request"
            );
            guards[2] = None;
            assert!(admitted.recv_timeout(LONG).unwrap().is_some());
            assert!(!was_shut(&open[0].0));
        });
    }

    #[test]
    fn when_the_server_stops_only_idle_connections_close() {
        let all = Arc::new(Connections::new(3));
        let open = [connection(), connection(), connection()];
        let idle = all.admit(&open[0].0, || false).unwrap();
        let busy = all.admit(&open[1].0, || false).unwrap();
        idle.set_idle();
        all.stop();
        assert!(was_shut(&open[0].0));
        assert!(!was_shut(&open[1].0), "its request is in progress");
        let new = all.admit(&open[2].0, || false).unwrap();
        assert!(busy.is_closing() && new.is_closing());
        busy.set_idle();
        assert!(was_shut(&open[1].0), "its request is over");
    }

    #[test]
    fn when_a_stop_is_requested_a_waiting_connection_gives_up() {
        let all = Arc::new(Connections::new(1));
        let (busy, new) = (connection(), connection());
        let _guard = all.admit(&busy.0, || false);
        let asked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let is_asked = || asked.load(Ordering::SeqCst);
                all.admit(&new.0, is_asked).is_none()
            });
            asked.store(true, Ordering::SeqCst);
            assert!(waiting.join().unwrap());
        });
    }
}
