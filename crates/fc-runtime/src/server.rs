//! Accepts connections until the server is asked to stop.

use crate::connection::{self, Shared};
use crate::connections::Connections;
use crate::router::Router;
use crate::semaphore::Semaphore;
use crate::{Handler, Limits, Shutdown};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stack of a connection's thread in bytes. The handler runs on it. Unused pages take no memory.
const STACK_SIZE: usize = 1024 * 1024;
/// Pause after a failed accept: without free file descriptors it fails at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves `handler` on `listener` until a stop is requested.
///
/// [`run`](crate::run) does this on the port that the platform expects. This function is for tests
/// and emulators, which choose the port, the limits and the end themselves.
///
/// Returns when every request in progress is answered, or the deadlines of the invocations in
/// flight have passed. Writes nothing to stdout or stderr.
///
/// ```
/// use fc_runtime::{Context, Limits, Shutdown, serve};
/// use serde_json::json;
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
/// use std::sync::Arc;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let shutdown = Shutdown::new()?;
/// let stop = shutdown.clone();
/// let server = std::thread::spawn(move || {
///     let handler = Arc::new(|event: &[u8], _: &Context| Ok(json!(event.len())));
///     serve(listener, handler, shutdown, Limits::default())
/// });
///
/// let mut connection = TcpStream::connect(address)?;
/// connection.write_all(b"POST /invoke HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello")?;
/// let mut response = String::new();
/// connection.read_to_string(&mut response)?;
/// assert!(response.starts_with("HTTP/1.1 200 OK") && response.ends_with("\r\n\r\n5"));
///
/// stop.request();
/// server.join().unwrap();
/// # Ok(())
/// # }
/// ```
pub fn serve(listener: TcpListener, handler: Arc<dyn Handler>, shutdown: Shutdown, limits: Limits) {
    let shared = Arc::new(Shared {
        router: Router {
            handler,
            invocations: Semaphore::new(limits.max_invocations.max(1)),
        },
        connections: Arc::new(Connections::new(limits.max_connections.max(1))),
        body_memory: Semaphore::new(limits.large_bodies),
        limits,
    });
    // Without blocking: a connection that disappears before accept() must not delay the stop.
    listener
        .set_nonblocking(true)
        .expect("a listening socket can be set to non-blocking");
    while !shutdown.wait_for_connection(&listener) {
        accept(&listener, &shared, &shutdown);
    }
    shared.connections.stop();
    // Connections that were made but not accepted yet may bring a request.
    while accept(&listener, &shared, &shutdown) {}
    drop(listener);

    // Wait for the requests in progress: for their bytes, for their invocations, for their
    // responses.
    let limits = &shared.limits;
    let arrival = Instant::now() + limits.head_timeout + limits.body_timeout;
    shared.connections.wait_until_closed(|| {
        let latest = shared.router.invocations.latest_deadline();
        let end = latest.map_or(arrival, |deadline| deadline.max(arrival));
        end + limits.write_timeout + limits.drain
    });
}

/// Accepts a waiting connection. Returns false if there is none.
fn accept(listener: &TcpListener, shared: &Arc<Shared>, shutdown: &Shutdown) -> bool {
    match listener.accept() {
        Ok((stream, _)) => {
            if stream.set_nonblocking(false).is_ok() {
                open(shared, stream, shutdown);
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

/// Serves a connection on a thread of its own, once the maximum of connections permits it.
fn open(shared: &Arc<Shared>, stream: TcpStream, shutdown: &Shutdown) {
    let stream = Arc::new(stream);
    let stop_requested = || shutdown.is_requested();
    let Some(guard) = shared.connections.admit(&stream, stop_requested) else {
        return;
    };
    let shared = Arc::clone(shared);
    let thread = std::thread::Builder::new()
        .name("fc-connection".to_owned())
        .stack_size(STACK_SIZE);
    let started = thread.spawn(move || {
        connection::serve(&stream, &guard, &shared);
        // The socket closes before its place is free, so that their number never exceeds the
        // maximum.
        drop(stream);
        drop(guard);
    });
    if started.is_err() {
        // The system has no thread to spare. The dropped closure has closed the connection.
        std::thread::sleep(ACCEPT_PAUSE);
    }
}
