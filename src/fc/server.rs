//! Accepting connections, and stopping.

use super::bodies::Bodies;
use super::connections::Connections;
use super::service::Service;
use super::{Handler, Limits, connection, lock};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Stack of a connection's thread, on which the handler runs too. Memory that is not used is not taken.
const STACK: usize = 1024 * 1024;
/// Pause after a failed accept: without free descriptors it fails at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Ends [`serve`] from another thread. Clones are the same switch.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Mutex<Switch>>);

#[derive(Default)]
struct Switch {
    requested: bool,
    wake: Vec<Box<dyn FnOnce() + Send>>,
}

impl Shutdown {
    /// A switch that has not been used.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Asks the server to end: no new connections, idle ones close, requests under way are answered.
    pub fn request(&self) {
        let mut switch = lock(&self.0);
        switch.requested = true;
        let wake = std::mem::take(&mut switch.wake);
        drop(switch);
        wake.into_iter().for_each(|wake| wake());
    }

    /// Has `wake` called upon the request; at once, should it have come already.
    fn on_request(&self, wake: impl FnOnce() + Send + 'static) {
        let mut switch = lock(&self.0);
        if switch.requested {
            drop(switch);
            wake();
        } else {
            switch.wake.push(Box::new(wake));
        }
    }
}

impl std::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shutdown")
            .field("requested", &lock(&self.0).requested)
            .finish()
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
    let address = listener.local_addr();
    let connections = Arc::clone(&server.connections);
    shutdown.on_request(move || {
        connections.stop();
        if let Ok(address) = address {
            wake(address);
        }
    });

    while !server.connections.is_stopping() {
        match listener.accept() {
            Ok((stream, _)) => open(&server, stream),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted
                ) => {}
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
    // Connections that were made but not yet accepted may bring a request.
    if listener.set_nonblocking(true).is_ok() {
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(false).is_ok() {
                open(&server, stream);
            }
        }
    }
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

/// Serves a connection on a thread of its own, as soon as there is a place for it.
fn open(server: &Arc<Server>, stream: TcpStream) {
    let stream = Arc::new(stream);
    let Some(slot) = server.connections.admit(&stream) else {
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

/// Wakes a thread that waits in `accept` at this address, by connecting to it.
fn wake(mut address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
}
