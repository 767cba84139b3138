//! A TCP proxy between a client and a server that injects faults at a chosen byte of a connection.

use crate::Watched;
use crate::reply::reset;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The byte at which a fault is injected. It is injected when the sender has more bytes to send;
/// 0 is before the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// After this many bytes from the client.
    Upstream(usize),
    /// After this many bytes from the server.
    Downstream(usize),
}

/// The fault that is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionFault {
    /// Closes both ends in order.
    Close,
    /// Resets both ends.
    Reset,
    /// Stops relaying without a notice to either end.
    Stall,
    /// Stops relaying for this long.
    Delay(Duration),
    /// Relays other bytes than were sent from here on.
    Corrupt,
    /// Stops relaying until [`FaultyProxy::release`].
    Hold,
}

/// A running proxy. Dropping it closes it and all its connections.
pub struct FaultyProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    state: Watched<State>,
}

#[derive(Default)]
struct State {
    /// The fault for the next connection.
    next: Option<(Offset, ConnectionFault)>,
    /// Keeps the fault for all connections after the next one.
    is_persistent: bool,
    /// How many times the fault was injected.
    injected: usize,
    released: bool,
    stopped: bool,
    /// Handles of open connections, with the connection's number.
    open: Vec<(u64, TcpStream)>,
    last: u64,
    /// Bytes relayed on the latest connection, upstream and downstream.
    relayed: (usize, usize),
}

impl FaultyProxy {
    /// Starts a proxy to this address on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn to(target: SocketAddr) -> FaultyProxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            target,
            state: Watched::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.serve(&listener));
        FaultyProxy { address, shared }
    }

    /// Returns the address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Injects a fault into the next connection, or, if it is persistent, into all connections
    /// until [`FaultyProxy::clear_fault`]. Closes the connections that are open.
    pub fn inject(&self, offset: Offset, fault: ConnectionFault, is_persistent: bool) {
        self.shared.state.change(|state| {
            state.close();
            state.next = Some((offset, fault));
            state.is_persistent = is_persistent;
            state.injected = 0;
            state.released = false;
        });
    }

    /// Relays without faults from now on. Closes the connections that are open.
    pub fn clear_fault(&self) {
        self.shared.state.change(|state| {
            state.close();
            state.next = None;
        });
    }

    /// Lets a connection continue that [`ConnectionFault::Hold`] stopped.
    pub fn release(&self) {
        self.shared.state.change(|state| state.released = true);
    }

    /// Waits until the fault is injected. Returns false if that does not happen in time.
    pub fn wait_until_injected(&self, timeout: Duration) -> bool {
        self.shared.wait(timeout, |state| state.injected > 0)
    }

    /// Returns the number of connections that the fault was injected into.
    pub fn injected(&self) -> usize {
        self.shared.state.lock().injected
    }

    /// Returns the bytes relayed on the latest connection: from the client, and to it.
    pub fn relayed(&self) -> (usize, usize) {
        self.shared.state.lock().relayed
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.shared.state.change(|state| {
            state.stopped = true;
            state.close();
        });
        // Wakes the accepting thread, which then sees `stopped`.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn close(&mut self) {
        for (_, stream) in self.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    /// Waits until `ready`, until the proxy is stopped, or until the timeout is over. Returns true if
    /// it is ready.
    fn wait(&self, timeout: Duration, ready: impl Fn(&State) -> bool) -> bool {
        let is_over = |state: &State| state.stopped || ready(state);
        ready(&self.state.wait(timeout, is_over))
    }

    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.state.lock().stopped {
                return;
            }
            // If the server does not listen, dropping `client` closes its connection.
            if let Ok(server) = TcpStream::connect(self.target) {
                let _ = self.relay(client, server);
            }
        }
    }

    /// Relays one connection with a thread for each direction.
    fn relay(self: &Arc<Self>, client: TcpStream, server: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let handles = [client.try_clone()?, server.try_clone()?];
        let (mut planned, mut number) = (None, 0);
        self.state.change(|state| {
            state.last += 1;
            number = state.last;
            planned = state.next;
            if !state.is_persistent {
                state.next = None;
            }
            state.open.extend(handles.map(|handle| (number, handle)));
            state.relayed = (0, 0);
        });
        let (upstream, downstream) = match planned {
            Some((Offset::Upstream(at), fault)) => (Some((at, fault)), None),
            Some((Offset::Downstream(at), fault)) => (None, Some((at, fault))),
            None => (None, None),
        };
        for (from, to, is_upstream, fault) in [
            (client.try_clone()?, server.try_clone()?, true, upstream),
            (server, client, false, downstream),
        ] {
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                let _ = shared.pump(&from, &to, number, is_upstream, fault);
                let open = |state: &mut State| state.open.iter().any(|(n, _)| *n == number);
                let is_open = shared.state.change(open);
                if is_open {
                    let _ = to.shutdown(Shutdown::Write);
                } else {
                    // Wakes the other thread; dropping the last handle sends the reset.
                    let _ = to.shutdown(Shutdown::Read);
                }
            });
        }
        Ok(())
    }

    /// Relays one direction of connection `number` until it ends, and injects `fault`.
    fn pump(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        number: u64,
        is_upstream: bool,
        mut fault: Option<(usize, ConnectionFault)>,
    ) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let mut total = 0;
        let mut is_corrupt = false;
        loop {
            // Read up to the fault's offset at most.
            let room = match fault {
                Some((at, kind)) if at == total => {
                    // Peek, so that the fault comes only if more bytes follow.
                    if from.peek(&mut [0])? == 0 {
                        return Ok(());
                    }
                    fault = None;
                    self.state.change(|state| state.injected += 1);
                    match kind {
                        ConnectionFault::Close => {
                            let _ = to.shutdown(Shutdown::Both);
                            return from.shutdown(Shutdown::Both);
                        }
                        ConnectionFault::Reset => {
                            self.state
                                .change(|state| state.open.retain(|(n, _)| *n != number));
                            from.shutdown(Shutdown::Read)?;
                            return reset(from).and_then(|()| reset(to));
                        }
                        ConnectionFault::Stall => {
                            self.wait(Duration::MAX, |_| false);
                            return Ok(());
                        }
                        ConnectionFault::Delay(time) => {
                            self.wait(time, |_| false);
                        }
                        ConnectionFault::Hold => {
                            self.wait(Duration::MAX, |state| state.released);
                        }
                        ConnectionFault::Corrupt => is_corrupt = true,
                    }
                    buffer.len()
                }
                Some((at, _)) => buffer.len().min(at - total),
                None => buffer.len(),
            };
            let size = from.read(&mut buffer[..room])?;
            if size == 0 {
                return Ok(());
            }
            let bytes = &mut buffer[..size];
            if is_corrupt {
                bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            }
            total += size;
            self.state.change(|state| {
                if is_upstream {
                    state.relayed.0 += size;
                } else {
                    state.relayed.1 += size;
                }
            });
            to.write_all(bytes)?;
        }
    }
}
