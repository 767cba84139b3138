//! Serves the connections of a stand-in, each on its own thread, until the server is dropped.

use crate::Watched;
use crate::http::{self, Request};
use crate::reply::{Reply, close, reset};
use crate::tls::{self, Certificate, Identity};
use rustls::ServerConfig;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers requests. Each connection calls it from a thread of its own.
pub trait Service: Send + Sync + 'static {
    /// Returns how a connection ends on which a request has arrived that is not read yet; `None`
    /// reads it. Only [`Reply::Reset`] resets; all others close.
    fn before_reading(&self) -> Option<Reply> {
        None
    }

    /// Answers one request.
    fn answer(&self, request: &Request, connection: &Connection) -> Reply;
}

/// How to close idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Closes in order.
    Fin,
    /// Resets.
    Reset,
    /// Leaves the connection open and never answers on it again.
    Blackhole,
}

/// A running server. Dropping it closes it and its connections.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_pem: Option<String>,
    thread: Option<JoinHandle<()>>,
}

/// The connection of a request.
pub struct Connection<'a> {
    /// The first of a server is 1.
    pub number: u64,
    shared: &'a Shared,
}

/// What all connections share.
struct Shared {
    state: Watched<State>,
    tls: Option<Arc<ServerConfig>>,
    port: u16,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Open>,
    last: u64,
    /// How many requests that [`Connection::hold`] stopped may continue.
    released: usize,
    /// How many requests [`Connection::hold`] has stopped.
    held: usize,
    stopped: bool,
}

struct Open {
    stream: TcpStream,
    /// No request is being read or answered.
    idle: bool,
    /// Requests are never answered again.
    blackholed: bool,
}

impl Server {
    /// Starts to listen at `bind`, with TLS if there is a certificate to show.
    ///
    /// # Errors
    /// If the address is taken, or the certificates cannot be made.
    pub fn start(
        bind: SocketAddr,
        certificate: Option<Certificate>,
        service: Arc<impl Service>,
    ) -> io::Result<Server> {
        let (config, ca_pem) = match certificate.map(tls::identity).transpose()? {
            Some(Identity { config, ca_pem }) => (Some(config), Some(ca_pem)),
            None => (None, None),
        };
        let listener = TcpListener::bind(bind)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Watched::default(),
            tls: config,
            port: address.port(),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener, &service)
        });
        Ok(Server {
            shared,
            address,
            ca_pem,
            thread: Some(thread),
        })
    }

    /// Returns the address that the server listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the certificate authority in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Returns scheme, host and port, as a client must write them.
    pub fn origin(&self) -> String {
        match self.ca_pem {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Closes every connection that is idle now.
    pub fn close_idle(&self, how: Close) {
        self.shared.state.change(|state| {
            for connection in state.open.values_mut().filter(|c| c.idle) {
                connection.blackholed = how == Close::Blackhole;
                let stream = &connection.stream;
                let _ = match how {
                    Close::Fin => stream.shutdown(Shutdown::Both),
                    // Wakes the thread; dropping the last handle sends the reset.
                    Close::Reset => reset(stream).and_then(|()| stream.shutdown(Shutdown::Read)),
                    Close::Blackhole => Ok(()),
                };
            }
        });
    }

    /// Lets one more request continue that [`Connection::hold`] stopped.
    pub fn release(&self) {
        self.shared.state.change(|state| state.released += 1);
    }

    /// Waits until [`Connection::hold`] has stopped `count` requests, counted from the start.
    /// Returns false if that does not happen in time.
    pub fn wait_until_held(&self, count: usize, timeout: Duration) -> bool {
        let state = self.shared.state.wait(timeout, |state| state.held >= count);
        state.held >= count
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends the threads of connections.
        self.shared.state.change(|state| {
            state.stopped = true;
            for connection in state.open.values() {
                let _ = connection.stream.shutdown(Shutdown::Both);
            }
        });
        // Wakes the accepting thread, which then sees `stopped`.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Connection<'_> {
    /// Waits for this long, or until the server is dropped.
    pub fn pause(&self, time: Duration) {
        self.shared.state.pause(time, |state| state.stopped);
    }

    /// Stops the request until [`Server::release`].
    pub fn hold(&self) {
        let turn = self.shared.state.change(|state| {
            state.held += 1;
            state.held
        });
        self.shared.state.pause(Duration::MAX, |state| {
            state.stopped || state.released >= turn
        });
    }

    /// Returns the server's scheme and port with this host.
    pub fn origin(&self, host: &str) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{host}:{}", self.shared.port)
    }

    /// Returns true if the server was dropped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.state.lock().stopped
    }
}

impl Shared {
    /// Accepts connections until the server is dropped.
    fn accept(self: &Arc<Self>, listener: &TcpListener, service: &Arc<impl Service>) {
        for stream in listener.incoming() {
            if self.state.lock().stopped {
                return;
            }
            let Ok(stream) = stream else {
                continue;
            };
            let (shared, service) = (Arc::clone(self), Arc::clone(service));
            std::thread::spawn(move || {
                // A broken or malformed connection ends without an effect on others.
                let _ = shared.handle_connection(stream, &*service);
            });
        }
    }

    fn handle_connection(&self, stream: TcpStream, service: &impl Service) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let handle = stream.try_clone()?;
        let number = self.state.change(|state| {
            state.last += 1;
            let connection = Open {
                stream: handle,
                idle: true,
                blackholed: false,
            };
            state.open.insert(state.last, connection);
            state.last
        });
        let own = stream.try_clone();
        let result = match (own, &self.tls) {
            (Err(error), _) => Err(error),
            (Ok(own), None) => self.serve_requests(own, &stream, number, service),
            (Ok(own), Some(config)) => tls::accept(config, own)
                .and_then(|tls| self.serve_requests(tls, &stream, number, service)),
        };
        self.state.change(|state| state.open.remove(&number));
        result
    }

    /// Answers the requests of one connection until it ends.
    fn serve_requests(
        &self,
        mut stream: impl Read + Write,
        socket: &TcpStream,
        number: u64,
        service: &impl Service,
    ) -> io::Result<()> {
        let connection = Connection {
            number,
            shared: self,
        };
        let mut left = Vec::new();
        loop {
            // Wait for a request without reading it. With TLS, the handshake may have read it.
            if left.is_empty() && self.tls.is_none() && socket.peek(&mut [0])? == 0 {
                return Ok(());
            }
            let is_blackholed = self.state.change(|state| {
                let open = state.open.get_mut(&number);
                let open = open.expect("an open connection is registered");
                open.idle = false;
                open.blackholed
            });
            if self.state.lock().stopped {
                return Ok(());
            }
            match service.before_reading() {
                Some(Reply::Reset) => return reset(socket),
                Some(_) => return close(socket),
                None if is_blackholed => {
                    connection.pause(Duration::MAX);
                    return Ok(());
                }
                None => {}
            }
            let Some(request) = http::read(&mut stream, &mut left)? else {
                return Ok(());
            };
            let reply = service.answer(&request, &connection);
            let goes_on = |pause| {
                connection.pause(pause);
                !connection.is_stopped()
            };
            if !reply.write(&mut stream, socket, goes_on)? {
                return Ok(());
            }
            self.state.change(|state| {
                if let Some(open) = state.open.get_mut(&number) {
                    open.idle = true;
                }
            });
        }
    }
}
