//! Connections: a thread each, until the group is dropped.

use crate::answers::{Answer, Refusal};
use crate::checks::{self, Ledger};
use crate::fault::Fault;
use crate::http::{self, Request};
use crate::record::{Call, Delivery, masked};
use crate::robot::{Behaviour, Robot};
use crate::sign::decode_once;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How to close the connections that wait for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// In order.
    Fin,
    /// With a reset.
    Reset,
    /// Not at all: the connection stays open, and nothing on it is ever answered again.
    Blackhole,
}

/// Everything that the connections share.
pub(crate) struct Shared {
    books: Mutex<Books>,
    changed: Condvar,
    tls: Option<Arc<ServerConfig>>,
    address: SocketAddr,
}

/// What stands behind the lock.
pub(crate) struct Books {
    pub(crate) robots: Vec<Robot>,
    pub(crate) behaviour: Behaviour,
    pub(crate) ledger: Ledger,
    /// Milliseconds since 1970 by the injected clock, if there is one.
    pub(crate) clock_ms: Option<u64>,
    /// How far the machine's clock is taken to be off, where none is injected.
    pub(crate) clock_offset_ms: i64,
    pub(crate) faults: VecDeque<Fault>,
    /// By token: what spoils every call that no queued fault spoils.
    pub(crate) standing_faults: HashMap<String, Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) redirect_hits: usize,
    /// Calls held back by [`Fault::Hold`] that may go on.
    pub(crate) released: usize,
    pub(crate) held: usize,
    connections: HashMap<u64, Connection>,
    last_connection: u64,
    stopped: bool,
}

struct Connection {
    stream: TcpStream,
    idle: bool,
    dead: bool,
}

impl Books {
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock_ms.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let ms = since.unwrap_or_default().as_millis() as u64;
            ms.saturating_add_signed(self.clock_offset_ms)
        })
    }
}

impl Shared {
    pub(crate) fn new(
        robots: Vec<Robot>,
        behaviour: Behaviour,
        clock_ms: Option<u64>,
        tls: Option<Arc<ServerConfig>>,
        address: SocketAddr,
    ) -> Shared {
        Shared {
            books: Mutex::new(Books {
                robots,
                behaviour,
                ledger: Ledger::default(),
                clock_ms,
                clock_offset_ms: 0,
                faults: VecDeque::new(),
                standing_faults: HashMap::new(),
                calls: Vec::new(),
                deliveries: Vec::new(),
                redirect_hits: 0,
                released: 0,
                held: 0,
                connections: HashMap::new(),
                last_connection: 0,
                stopped: false,
            }),
            changed: Condvar::new(),
            tls,
            address,
        }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes whoever waits for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        let result = change(&mut self.books());
        self.changed.notify_all();
        result
    }

    /// Waits until `ready`, or until the time is over.
    pub(crate) fn wait(
        &self,
        timeout: Duration,
        ready: impl Fn(&Books) -> bool,
    ) -> MutexGuard<'_, Books> {
        self.changed
            .wait_timeout_while(self.books(), timeout, |books| !ready(books))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Does nothing until `ready`, or until the time is over.
    fn pause(&self, timeout: Duration, ready: impl Fn(&Books) -> bool) {
        drop(self.wait(timeout, ready));
    }

    /// Accepts connections until the group is stopped.
    pub(crate) fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.books().stopped {
                return;
            }
            let Ok(stream) = stream else {
                continue;
            };
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                // A peer that goes away, or talks nonsense, ends its connection and nothing else.
                let _ = shared.connection(stream);
            });
        }
    }

    /// Ends every connection and lets the threads run out.
    pub(crate) fn stop(&self) {
        self.change(|books| {
            books.stopped = true;
            for connection in books.connections.values() {
                let _ = connection.stream.shutdown(Shutdown::Both);
            }
        });
        let _ = TcpStream::connect(self.address);
    }

    pub(crate) fn close_idle(&self, how: Close) {
        self.change(|books| {
            for connection in books.connections.values_mut().filter(|c| c.idle) {
                connection.dead = how == Close::Blackhole;
                let stream = &connection.stream;
                let _ = match how {
                    Close::Fin => stream.shutdown(Shutdown::Both),
                    // The thread wakes up, and the last handle to close resets.
                    Close::Reset => socket2::SockRef::from(stream)
                        .set_linger(Some(Duration::ZERO))
                        .and_then(|()| stream.shutdown(Shutdown::Read)),
                    Close::Blackhole => Ok(()),
                };
            }
        });
    }

    fn connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let handle = stream.try_clone()?;
        let number = self.change(|books| {
            books.last_connection += 1;
            let connection = Connection {
                stream: handle,
                idle: true,
                dead: false,
            };
            books.connections.insert(books.last_connection, connection);
            books.last_connection
        });
        let result = match &self.tls {
            None => self.talk(stream.try_clone()?, &stream, number),
            Some(config) => {
                let session =
                    ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                let mut tls = StreamOwned::new(session, stream.try_clone()?);
                while tls.conn.is_handshaking() {
                    tls.conn.complete_io(&mut tls.sock)?;
                }
                self.talk(tls, &stream, number)
            }
        };
        self.change(|books| books.connections.remove(&number));
        result
    }

    fn talk(
        &self,
        mut stream: impl Read + Write,
        socket: &TcpStream,
        number: u64,
    ) -> io::Result<()> {
        let mut left = Vec::new();
        loop {
            // Waits for a request without reading it. Over TLS it may have been read already, with the handshake.
            if left.is_empty() && self.tls.is_none() && socket.peek(&mut [0])? == 0 {
                return Ok(());
            }
            let early = self.change(|books| {
                if books.stopped {
                    return None;
                }
                let early = books.faults.pop_front_if(|fault| {
                    matches!(fault, Fault::ResetBeforeReading | Fault::CloseBeforeReading)
                });
                let dead = match books.connections.get_mut(&number) {
                    Some(connection) => {
                        connection.idle = false;
                        connection.dead
                    }
                    None => true,
                };
                Some((early, dead))
            });
            match early {
                None => return Ok(()),
                Some((Some(Fault::ResetBeforeReading), _)) => return reset(socket),
                Some((Some(_), _)) => return close(socket),
                Some((None, true)) => {
                    self.pause(Duration::MAX, |books| books.stopped);
                    return Ok(());
                }
                Some((None, false)) => {}
            }
            let Some(request) = http::read(&mut stream, &mut left)? else {
                return Ok(());
            };
            if !self.answer(&request, &mut stream, socket, number)? {
                return Ok(());
            }
            self.change(|books| {
                if let Some(connection) = books.connections.get_mut(&number) {
                    connection.idle = true;
                }
            });
        }
    }

    /// Answers one request; false where the connection is to end.
    fn answer(
        &self,
        request: &Request,
        stream: &mut impl Write,
        socket: &TcpStream,
        number: u64,
    ) -> io::Result<bool> {
        let fault = self.change(|books| match request.path() {
            "/robot/send" => books.faults.pop_front().or_else(|| {
                let token = decode_once(&request.query("access_token")?);
                books.standing_faults.get(&token).cloned()
            }),
            "/redirected" => {
                books.redirect_hits += 1;
                None
            }
            _ => None,
        });
        if fault == Some(Fault::Hold) {
            let turn = self.change(|books| {
                books.held += 1;
                books.held
            });
            self.pause(Duration::MAX, |books| {
                books.stopped || books.released >= turn
            });
        }
        let delay = self.books().behaviour.delay;
        if !delay.is_zero() {
            self.pause(delay, |books| books.stopped);
        }
        let json = "application/json";
        let is_shown = !matches!(
            fault,
            Some(
                Fault::Answer(_)
                    | Fault::NeverAnswer
                    | Fault::Status { .. }
                    | Fault::Html200
                    | Fault::Empty200
                    | Fault::EmptyObject
                    | Fault::ExtraKeys1111
                    | Fault::Flood1111
                    | Fault::FloodHtml
                    | Fault::Redirect { .. }
                    | Fault::TooManyRequests { .. }
                    | Fault::Huge { .. }
                    | Fault::TruncatedJson
            )
        );
        let usual = self.record(request, number, is_shown, &fault);
        let text = |text: &str, stream: &mut _| {
            http::write(stream, 200, json, &[], text.as_bytes()).map(|()| true)
        };
        match fault {
            None | Some(Fault::Hold | Fault::StringZero | Fault::ReversedKeys) => {
                text(&usual, stream)
            }
            Some(Fault::Answer(answer)) => text(&answer, stream),
            Some(Fault::EmptyObject) => text("{}", stream),
            Some(Fault::Empty200) => text("", stream),
            Some(Fault::TruncatedJson) => text("{\"errcode\":0,\"errm", stream),
            Some(Fault::Flood1111) => text(FLOOD, stream),
            Some(Fault::ExtraKeys1111) => text(
                "{\"status\":1111,\"wait\":5,\"source\":\"x5\",\"punish\":\"deny\",\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"errcode\": 130101,\"errmsg\": \"send too fast, exceed 20 times per minute\"}",
                stream,
            ),
            Some(Fault::Html200) => http::write(
                stream,
                200,
                "text/html",
                &[],
                b"<html><body>hello</body></html>",
            )
            .map(|()| true),
            Some(Fault::FloodHtml) => http::write(
                stream,
                200,
                "text/html",
                &[],
                b"<html><script>var punish={\"source\":\"x5\",\"status\":1111}</script></html>",
            )
            .map(|()| true),
            Some(Fault::Huge { bytes }) => {
                http::write(stream, 200, json, &[], &vec![b' '; bytes])?;
                Ok(true)
            }
            Some(Fault::Status {
                code,
                body,
                headers,
            }) => http::write(stream, code, "text/html", &headers, body.as_bytes()).map(|()| true),
            Some(Fault::TooManyRequests { retry_after }) => {
                let headers: Vec<_> = retry_after
                    .map(|value| ("Retry-After".to_owned(), value))
                    .into_iter()
                    .collect();
                http::write(stream, 429, "text/html", &headers, b"slow down").map(|()| true)
            }
            Some(Fault::Redirect {
                code,
                to_other_host,
            }) => {
                let host = if to_other_host {
                    "localhost"
                } else {
                    "127.0.0.1"
                };
                let scheme = if self.tls.is_some() { "https" } else { "http" };
                let to = format!(
                    "{scheme}://{host}:{}/redirected?{}",
                    self.address.port(),
                    request.query_string()
                );
                http::write(stream, code, json, &[("Location".into(), to)], b"").map(|()| true)
            }
            Some(Fault::SlowDrip { interval }) => {
                for byte in http::encode(200, json, &[], usual.as_bytes()) {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    self.pause(interval, |books| books.stopped);
                    if self.books().stopped {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Some(Fault::AcceptThenReset | Fault::ResetBeforeReading) => {
                reset(socket).map(|()| false)
            }
            Some(Fault::CloseBeforeReading) => Ok(false),
            Some(Fault::AcceptThenNeverAnswer | Fault::NeverAnswer) => {
                self.pause(Duration::MAX, |books| books.stopped);
                Ok(false)
            }
        }
    }

    /// Judges a call, shows its message if it has one to show, and writes it down. Gives the usual answer.
    fn record(
        &self,
        request: &Request,
        connection: u64,
        is_shown: bool,
        fault: &Option<Fault>,
    ) -> String {
        self.change(|books| {
            let now = books.now_ms();
            let mut behaviour = books.behaviour.clone();
            behaviour.errcode_as_string |= *fault == Some(Fault::StringZero);
            behaviour.keys_reversed |= *fault == Some(Fault::ReversedKeys);
            let mut call = Call {
                at: Instant::now(),
                clock_ms: now,
                method: request.method.clone(),
                path: request.path().to_owned(),
                token: request
                    .query("access_token")
                    .map(|t| decode_once(&t))
                    .unwrap_or_default(),
                query: masked(request.query_string()),
                headers: request.headers.clone(),
                raw_body: request.body.clone(),
                body: serde_json::from_slice(&request.body).ok(),
                errcode: None,
                answer: String::new(),
                connection,
                duplicate: false,
            };
            if is_shown {
                let verdict =
                    checks::judge(request, &books.robots, &behaviour, &mut books.ledger, now);
                let answer = match verdict {
                    Ok(Some(delivery)) => {
                        books.deliveries.push(delivery);
                        Answer::ok()
                    }
                    Ok(None) => {
                        call.duplicate = true;
                        Answer::ok()
                    }
                    Err(refusal) => Refusal::answer(&refusal, &behaviour),
                };
                call.errcode = Some(answer.errcode);
                call.answer = answer.text(&behaviour);
            }
            let answer = call.answer.clone();
            books.calls.push(call);
            answer
        })
    }
}

const FLOOD: &str = "{\"status\":1111,\"wait\":5,\"source\":\"x5\",\"punish\":\"deny\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"}";

/// The connection ends with a reset once its last handle is dropped.
fn reset(socket: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Ends the connection in order, although something was sent that nobody read.
fn close(socket: &TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let _ = io::copy(&mut socket.take(1 << 20), &mut io::sink());
    Ok(())
}
