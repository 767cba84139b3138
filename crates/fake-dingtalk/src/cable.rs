//! The network between a client and a group: a relay that can be pulled, slowed down or fed rubbish at any byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where on a connection something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// When the client has sent so many bytes and more are to follow; 0 is before its first.
    Up(usize),
    /// When the group has sent so many bytes and more are to follow; 0 is before its first.
    Down(usize),
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Both ends are closed in order.
    Close,
    /// Both ends are reset.
    Reset,
    /// Nothing passes any more, and nobody is told.
    Stall,
    /// Nothing passes for a while.
    Delay(Duration),
    /// From here on other bytes arrive than were sent.
    Garble,
    /// Nothing passes until [`Cable::release`].
    Hold,
}

/// A running relay; dropping it ends it and all its connections.
pub struct Cable {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What happens to the next connection.
    next: Option<(Place, Cut)>,
    /// It happens to all that follow, too.
    lasts: bool,
    /// How many times it has happened.
    happened: usize,
    released: bool,
    stopped: bool,
    /// Handles of open connections, with the connection's number.
    open: Vec<(u64, TcpStream)>,
    last: u64,
    /// Bytes that passed on the last connection, up and down.
    passed: (usize, usize),
}

impl Cable {
    /// A cable to this address, on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn to(target: SocketAddr) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            target,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.serve(&listener));
        Cable { address, shared }
    }

    /// Where it begins.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Spoils the next connection, or, if it `lasts`, all from then on until [`Cable::mend`]. Connections that are open
    /// now are closed.
    pub fn spoil(&self, place: Place, cut: Cut, lasts: bool) {
        self.shared.change(|state| {
            state.close();
            state.next = Some((place, cut));
            state.lasts = lasts;
            state.happened = 0;
            state.released = false;
        });
    }

    /// All is well again. Connections that are open now are closed.
    pub fn mend(&self) {
        self.shared.change(|state| {
            state.close();
            state.next = None;
        });
    }

    /// Lets go on what [`Cut::Hold`] holds.
    pub fn release(&self) {
        self.shared.change(|state| state.released = true);
    }

    /// Waits until a connection has come to the place where it is spoilt; false if none does in time.
    pub fn wait_until_spoilt(&self, timeout: Duration) -> bool {
        self.shared.wait(timeout, |state| state.happened > 0)
    }

    /// How many connections came to the place where they were spoilt.
    pub fn spoilt(&self) -> usize {
        self.shared.lock().happened
    }

    /// Bytes that passed on the connection that was made last: from the client, and to it.
    pub fn passed(&self) -> (usize, usize) {
        self.shared.lock().passed
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.stopped = true;
            state.close();
        });
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait(&self, timeout: Duration, ready: impl Fn(&State) -> bool) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| {
                !state.stopped && !ready(state)
            });
        ready(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.lock().stopped {
                return;
            }
            // A group that does not listen is a connection that closes at once.
            if let Ok(group) = TcpStream::connect(self.target) {
                let _ = self.relay(client, group);
            }
        }
    }

    fn relay(self: &Arc<Self>, client: TcpStream, group: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        group.set_nodelay(true)?;
        let handles = [client.try_clone()?, group.try_clone()?];
        let (mut plan, mut number) = (None, 0);
        self.change(|state| {
            state.last += 1;
            number = state.last;
            plan = state.next;
            if !state.lasts {
                state.next = None;
            }
            state.open.extend(handles.map(|handle| (number, handle)));
            state.passed = (0, 0);
        });
        let here = |want_up: bool| match plan {
            Some((Place::Up(at), cut)) if want_up => Some((at, cut)),
            Some((Place::Down(at), cut)) if !want_up => Some((at, cut)),
            _ => None,
        };
        for (from, to, is_up) in [
            (client.try_clone()?, group.try_clone()?, true),
            (group, client, false),
        ] {
            let (shared, spoil) = (Arc::clone(self), here(is_up));
            std::thread::spawn(move || {
                let _ = shared.pump(&from, &to, number, is_up, spoil);
                let mut is_open = false;
                shared.change(|state| is_open = state.open.iter().any(|(n, _)| *n == number));
                if is_open {
                    let _ = to.shutdown(Shutdown::Write);
                } else {
                    // The other thread wakes up, and the last handle to go resets.
                    let _ = to.shutdown(Shutdown::Read);
                }
            });
        }
        Ok(())
    }

    fn pump(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        number: u64,
        is_up: bool,
        mut spoil: Option<(usize, Cut)>,
    ) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let mut total = 0;
        let mut garbles = false;
        loop {
            // Up to the place where something happens, and not a byte further.
            let room = match spoil {
                Some((at, _)) if at == total => {
                    // Something more is to follow: it is looked at, not taken.
                    if from.peek(&mut [0])? == 0 {
                        return Ok(());
                    }
                    let (_, cut) = spoil.take().unwrap_or((0, Cut::Close));
                    self.change(|state| state.happened += 1);
                    match cut {
                        Cut::Close => {
                            let _ = to.shutdown(Shutdown::Both);
                            return from.shutdown(Shutdown::Both);
                        }
                        Cut::Reset => {
                            self.change(|state| state.open.retain(|(n, _)| *n != number));
                            from.shutdown(Shutdown::Read)?;
                            return reset(from, to);
                        }
                        Cut::Stall => {
                            self.wait(Duration::MAX, |_| false);
                            return Ok(());
                        }
                        Cut::Delay(time) => {
                            self.wait(time, |_| false);
                        }
                        Cut::Hold => {
                            self.wait(Duration::MAX, |state| state.released);
                        }
                        Cut::Garble => garbles = true,
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
            if garbles {
                bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            }
            total += size;
            self.change(|state| {
                if is_up {
                    state.passed.0 += size;
                } else {
                    state.passed.1 += size;
                }
            });
            to.write_all(bytes)?;
        }
    }
}

/// Has both connections end with a reset, once their last handles are dropped.
fn reset(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    for stream in [from, to] {
        socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    }
    Ok(())
}
