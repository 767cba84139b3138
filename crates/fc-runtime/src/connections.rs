//! The connections that are open: how many there may be, which of them are idle, and who makes room.

use super::lock;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How soon whoever waits for a place sees that the server is asked to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    max: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: Vec<Connection>,
    stopping: bool,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    stream: Arc<TcpStream>,
    /// Since when it has been waiting for a request; `None` while a request is under way.
    idle_since: Option<Instant>,
    /// It closes as soon as it has no request under way.
    closing: bool,
}

impl Connection {
    /// Wakes the thread that waits for a request. Only the reading side is shut: a request that has come already is
    /// still read and answered.
    fn close_when_idle(&mut self) {
        self.closing = true;
        if self.idle_since.is_some() {
            let _ = self.stream.shutdown(Shutdown::Read);
        }
    }
}

/// The place of one open connection; free again when this is dropped, be it by a panic.
#[derive(Debug)]
pub(super) struct Slot {
    all: Arc<Connections>,
    number: u64,
}

impl Connections {
    pub(super) fn new(max: usize) -> Connections {
        Connections {
            max,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Gives a new connection a place. When there is none, the connection that has been idle longest makes room; when
    /// none is idle, waits for one to become so or to close. `None` when the server stops meanwhile, or is `asked_to_stop`.
    pub(super) fn admit(
        self: &Arc<Self>,
        stream: &Arc<TcpStream>,
        asked_to_stop: impl Fn() -> bool,
    ) -> Option<Slot> {
        let mut state = lock(&self.state);
        while state.open.len() >= self.max {
            if state.stopping || asked_to_stop() {
                return None;
            }
            let idle = state
                .open
                .iter_mut()
                .filter(|open| open.idle_since.is_some());
            if let Some(oldest) = idle.min_by_key(|open| open.idle_since) {
                oldest.close_when_idle();
            }
            state = self
                .changed
                .wait_timeout(state, LOOK_AGAIN)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let number = state.next;
        state.next += 1;
        state.open.push(Connection {
            number,
            stream: Arc::clone(stream),
            idle_since: None,
            closing: false,
        });
        Some(Slot {
            all: Arc::clone(self),
            number,
        })
    }

    /// Closes the idle connections, and every other one once its request has been answered.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopping = true;
        state.open.iter_mut().for_each(Connection::close_when_idle);
        self.changed.notify_all();
    }

    /// Waits for all connections to close, but not past the moment that `limit` tells (asked again at each change).
    pub(super) fn wait_until_closed(&self, limit: impl Fn() -> Instant) {
        let mut state = lock(&self.state);
        while !state.open.is_empty() {
            let left = limit().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // The limit moves when a request that was under way becomes an invocation with a deadline of its own.
            let look_again = left.min(Duration::from_secs(1));
            state = self
                .changed
                .wait_timeout(state, look_again)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Slot {
    /// The connection waits for a request from now on.
    pub(super) fn idle(&self) {
        self.change(|connection, stopping| {
            connection.idle_since = Some(Instant::now());
            if stopping || connection.closing {
                connection.close_when_idle();
            }
        });
    }

    /// A request has begun.
    pub(super) fn busy(&self) {
        self.change(|connection, _| connection.idle_since = None);
    }

    /// Whether the connection is to close after the request that is under way.
    pub(super) fn is_closing(&self) -> bool {
        let state = lock(&self.all.state);
        state.stopping
            || state
                .open
                .iter()
                .any(|open| open.number == self.number && open.closing)
    }

    fn change(&self, change: impl FnOnce(&mut Connection, bool)) {
        let mut state = lock(&self.all.state);
        let stopping = state.stopping;
        let mut open = state.open.iter_mut();
        if let Some(connection) = open.find(|open| open.number == self.number) {
            change(connection, stopping);
        }
        self.all.changed.notify_all();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = lock(&self.all.state);
        state.open.retain(|open| open.number != self.number);
        drop(state);
        self.all.changed.notify_all();
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

    /// A connection whose peer is silent, and the peer.
    fn connection() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = listener.accept().unwrap().0;
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        (Arc::new(stream), peer)
    }

    /// Whether a thread that reads this connection would find its end.
    fn was_shut(stream: &TcpStream) -> bool {
        (&*stream).read(&mut [0]).is_ok()
    }

    #[test]
    fn one_idle_connection_makes_room_the_one_that_has_been_idle_longest() {
        let all = Arc::new(Connections::new(3));
        let open = [connection(), connection(), connection()];
        let mut slots = open
            .each_ref()
            .map(|(stream, _)| all.admit(stream, || false));
        for n in [1, 0, 2] {
            slots[n].as_ref().unwrap().idle();
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
        let (tell, admitted) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| tell.send(all.admit(&connection().0, || false)).unwrap());
            wait_until_shut(1);
            // Whatever else happens meanwhile, one is enough.
            slots[0].as_ref().unwrap().idle();
            assert!(!was_shut(&open[0].0) && !was_shut(&open[2].0));
            // It had a request after all, and is no longer about to leave: another one has to.
            slots[1].as_ref().unwrap().busy();
            wait_until_shut(2);
            assert!(admitted.try_recv().is_err());
            assert!(
                slots[1].as_ref().unwrap().is_closing(),
                "it closes after that request"
            );
            slots[2] = None;
            assert!(admitted.recv_timeout(LONG).unwrap().is_some());
            assert!(!was_shut(&open[0].0));
        });
    }

    #[test]
    fn who_waits_for_a_place_when_the_server_stops_waits_no_longer() {
        let all = Arc::new(Connections::new(1));
        let (busy, new) = (connection(), connection());
        let _slot = all.admit(&busy.0, || false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| all.admit(&new.0, || false).is_none());
            all.stop();
            assert!(waiting.join().unwrap());
        });
        assert!(!was_shut(&busy.0), "it has a request under way");
    }

    #[test]
    fn who_waits_for_a_place_sees_that_the_server_is_asked_to_stop() {
        let all = Arc::new(Connections::new(1));
        let (busy, new) = (connection(), connection());
        let _slot = all.admit(&busy.0, || false);
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
