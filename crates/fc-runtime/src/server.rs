//! Accepting connections, and stopping.

use super::bodies::Bodies;
use super::connections::Connections;
use super::service::Service;
use super::{Handler, Limits, connection};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stack of a connection's thread, on which the handler runs too. Memory that is not used is not taken.
const STACK: usize = 1024 * 1024;
/// Pause after a failed accept: without free descriptors it fails at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Ends [`serve`] from another thread, or by signals. Clones are the same switch.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<Switch>);

/// Off while nothing can be read. Whatever was written stays there to be seen.
#[derive(Debug)]
struct Switch {
    reader: UnixStream,
    writer: UnixStream,
}

impl Shutdown {
    /// A switch that has not been used.
    ///
    /// # Errors
    ///
    /// When there are no descriptors left.
    pub fn new() -> io::Result<Shutdown> {
        let (reader, writer) = UnixStream::pair()?;
        // Who asks often must not wait until nobody reads.
        writer.set_nonblocking(true)?;
        Ok(Shutdown(Arc::new(Switch { reader, writer })))
    }

    /// Asks the server to end: no new connections, idle ones close, requests under way are answered.
    pub fn request(&self) {
        // It fails when there is no room, because it was asked before.
        let _ = (&self.0.writer).write(&[0]);
    }

    /// Has these signals ask for the end from now on.
    pub(super) fn on_signals(&self, signals: &[i32]) -> io::Result<()> {
        for signal in signals {
            signal_hook::low_level::pipe::register(*signal, self.0.writer.try_clone()?)?;
        }
        Ok(())
    }

    /// Whether the end was asked for.
    fn is_requested(&self) -> bool {
        self.requested_or(&[], Some(Duration::ZERO))
    }

    /// Waits for a connection; true when the end was asked for instead.
    fn comes_before_connection(&self, listener: &TcpListener) -> bool {
        self.requested_or(&[listener], None)
    }

    fn requested_or(&self, listeners: &[&TcpListener], within: Option<Duration>) -> bool {
        let within = within.and_then(|time| Timespec::try_from(time).ok());
        loop {
            let mut sources = vec![PollFd::new(&self.0.reader, PollFlags::IN)];
            sources.extend(listeners.iter().map(|l| PollFd::new(*l, PollFlags::IN)));
            match poll(&mut sources, within.as_ref()) {
                Ok(_) => return sources.first().is_some_and(|s| !s.revents().is_empty()),
                // A signal.
                Err(Errno::INTR) => {}
                Err(_) => std::thread::sleep(ACCEPT_PAUSE),
            }
        }
    }
}

/// What the threads of a server share.
struct Server {
    service: Service,
    connections: Arc<Connections>,
    bodies: Bodies,
    limits: Limits,
}

/// Serves `handler` on `listener` until `shutdown` is requested; returns when every request under way has been
/// answered, or the deadlines of the invocations in flight are over.
///
/// Logs nothing: what a peer does wrong is told to the peer, what the handler does is the handler's to tell.
pub fn serve(listener: TcpListener, handler: Arc<dyn Handler>, shutdown: Shutdown, limits: Limits) {
    let server = Arc::new(Server {
        service: Service::new(handler, &limits),
        connections: Arc::new(Connections::new(limits.max_connections.max(1))),
        bodies: Bodies::new(limits.large_bodies),
        limits,
    });
    // A connection that is gone when it is to be accepted must not keep the end from being seen.
    while listener.set_nonblocking(true).is_err() {
        std::thread::sleep(ACCEPT_PAUSE);
    }
    while !shutdown.comes_before_connection(&listener) {
        accept(&listener, &server, &shutdown);
    }
    server.connections.stop();
    // Connections that were made but not yet accepted may bring a request.
    while accept(&listener, &server, &shutdown) {}
    drop(listener);

    let limits = &server.limits;
    let arrival = Instant::now() + limits.head_timeout + limits.body_timeout;
    server.connections.wait_until_closed(|| {
        let deadline = server.service.in_flight.latest_deadline();
        deadline.map_or(arrival, |deadline| deadline.max(arrival))
            + limits.write_timeout
            + limits.drain
    });
}

/// Accepts a connection, if there is one, and has it served; false when no other is to be had now.
fn accept(listener: &TcpListener, server: &Arc<Server>, shutdown: &Shutdown) -> bool {
    match listener.accept() {
        Ok((stream, _)) => {
            if stream.set_nonblocking(false).is_ok() {
                open(server, stream, shutdown);
            }
            true
        }
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock => false,
            ErrorKind::Interrupted | ErrorKind::ConnectionAborted => true,
            _ => {
                std::thread::sleep(ACCEPT_PAUSE);
                false
            }
        },
    }
}

/// Serves a connection on a thread of its own, as soon as there is a place for it.
fn open(server: &Arc<Server>, stream: TcpStream, shutdown: &Shutdown) {
    let stream = Arc::new(stream);
    let Some(slot) = server
        .connections
        .admit(&stream, || shutdown.is_requested())
    else {
        return;
    };
    let server = Arc::clone(server);
    let thread = std::thread::Builder::new()
        .name("fc-connection".to_owned())
        .stack_size(STACK);
    let started = thread.spawn(move || {
        connection::serve(
            &stream,
            &slot,
            &server.service,
            &server.bodies,
            &server.limits,
        );
        drop(stream);
        drop(slot);
    });
    if started.is_err() {
        // No thread to be had: connection and place went with the closure. A moment later there may be one.
        std::thread::sleep(ACCEPT_PAUSE);
    }
}
