//! Serves connections, each on its own thread, until the group is dropped.

use crate::answers::{Answer, Refusal};
use crate::checks::{self, History};
use crate::fault::Fault;
use crate::http::{self, Request};
use crate::record::{Call, Delivery, masked};
use crate::robot::{Behaviour, Robot};
use crate::sign::decode_once;
use fake_http::{Watched, tls};
use rustls::ServerConfig;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) state: Watched<GroupState>,
    tls: Option<Arc<ServerConfig>>,
    address: SocketAddr,
}

/// The group's settings and records, behind one lock.
pub(crate) struct GroupState {
    pub(crate) robots: Vec<Robot>,
    pub(crate) behaviour: Behaviour,
    pub(crate) history: History,
    /// The injected clock, in milliseconds since 1970.
    pub(crate) clock_ms: Option<u64>,
    /// Is added to the machine's clock if none is injected, in milliseconds.
    pub(crate) clock_offset_ms: i64,
    pub(crate) faults: VecDeque<Fault>,
    /// By token: the fault of every call that has no queued one.
    pub(crate) standing_faults: HashMap<String, Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) redirect_hits: usize,
    /// The queries of requests for the page `/`, which tell the time and are no calls.
    pub(crate) visits: Vec<String>,
    /// How many calls that [`Fault::Hold`] stopped may continue.
    pub(crate) released: usize,
    /// How many calls [`Fault::Hold`] has stopped.
    pub(crate) held: usize,
    connections: HashMap<u64, Connection>,
    last_connection: u64,
    stopped: bool,
}

struct Connection {
    stream: TcpStream,
    /// No request is being read or answered.
    idle: bool,
    /// Requests are never answered again.
    blackholed: bool,
}

impl GroupState {
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
            state: Watched::new(GroupState {
                robots,
                behaviour,
                history: History::default(),
                clock_ms,
                clock_offset_ms: 0,
                faults: VecDeque::new(),
                standing_faults: HashMap::new(),
                calls: Vec::new(),
                deliveries: Vec::new(),
                redirect_hits: 0,
                visits: Vec::new(),
                released: 0,
                held: 0,
                connections: HashMap::new(),
                last_connection: 0,
                stopped: false,
            }),
            tls,
            address,
        }
    }

    /// Accepts connections until the group is stopped.
    pub(crate) fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.state.lock().stopped {
                return;
            }
            let Ok(stream) = stream else {
                continue;
            };
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                // A broken or malformed connection ends without an effect on others.
                let _ = shared.handle_connection(stream);
            });
        }
    }

    /// Closes every connection, which ends their threads.
    pub(crate) fn stop(&self) {
        self.state.change(|state| {
            state.stopped = true;
            for connection in state.connections.values() {
                let _ = connection.stream.shutdown(Shutdown::Both);
            }
        });
        // Wakes the accepting thread, which then sees `stopped`.
        let _ = TcpStream::connect(self.address);
    }

    pub(crate) fn close_idle(&self, how: Close) {
        self.state.change(|state| {
            for connection in state.connections.values_mut().filter(|c| c.idle) {
                connection.blackholed = how == Close::Blackhole;
                let stream = &connection.stream;
                let _ = match how {
                    Close::Fin => stream.shutdown(Shutdown::Both),
                    // Wakes the thread; dropping the last handle sends the reset.
                    Close::Reset => socket2::SockRef::from(stream)
                        .set_linger(Some(Duration::ZERO))
                        .and_then(|()| stream.shutdown(Shutdown::Read)),
                    Close::Blackhole => Ok(()),
                };
            }
        });
    }

    fn handle_connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let handle = stream.try_clone()?;
        let number = self.state.change(|state| {
            state.last_connection += 1;
            let connection = Connection {
                stream: handle,
                idle: true,
                blackholed: false,
            };
            state.connections.insert(state.last_connection, connection);
            state.last_connection
        });
        let result = match &self.tls {
            None => self.serve_requests(stream.try_clone()?, &stream, number),
            Some(config) => {
                let tls = tls::accept(config, stream.try_clone()?)?;
                self.serve_requests(tls, &stream, number)
            }
        };
        self.state.change(|state| state.connections.remove(&number));
        result
    }

    /// Answers the requests of one connection until it ends.
    fn serve_requests(
        &self,
        mut stream: impl Read + Write,
        socket: &TcpStream,
        number: u64,
    ) -> io::Result<()> {
        let mut left = Vec::new();
        loop {
            // Wait for a request without reading it. With TLS, the handshake may have read it.
            if left.is_empty() && self.tls.is_none() && socket.peek(&mut [0])? == 0 {
                return Ok(());
            }
            let before_reading = self.state.change(|state| {
                if state.stopped {
                    return None;
                }
                let fault = state.faults.pop_front_if(|fault| {
                    matches!(fault, Fault::ResetBeforeReading | Fault::CloseBeforeReading)
                });
                let connection = state.connections.get_mut(&number);
                let connection = connection.expect("an open connection is registered");
                connection.idle = false;
                Some((fault, connection.blackholed))
            });
            match before_reading {
                None => return Ok(()),
                Some((Some(Fault::ResetBeforeReading), _)) => return reset(socket),
                Some((Some(_), _)) => return close(socket),
                Some((None, true)) => {
                    self.state.pause(Duration::MAX, |state| state.stopped);
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
            self.state.change(|state| {
                if let Some(connection) = state.connections.get_mut(&number) {
                    connection.idle = true;
                }
            });
        }
    }

    /// Answers one request. Returns false if the connection must end.
    fn answer(
        &self,
        request: &Request,
        stream: &mut impl Write,
        socket: &TcpStream,
        number: u64,
    ) -> io::Result<bool> {
        if (request.method.as_str(), request.path()) == ("GET", "/") {
            let now = self.state.change(|state| {
                state.visits.push(request.query_string().to_owned());
                state.now_ms()
            });
            let headers = [("Date".to_owned(), http_date(now))];
            return http::write(stream, 404, "text/plain", &headers, b"").map(|()| true);
        }
        let fault = self.state.change(|state| match request.path() {
            "/robot/send" => state.faults.pop_front().or_else(|| {
                let token = decode_once(&request.query("access_token")?);
                state.standing_faults.get(&token).cloned()
            }),
            "/redirected" => {
                state.redirect_hits += 1;
                None
            }
            _ => None,
        });
        if fault == Some(Fault::Hold) {
            let turn = self.state.change(|state| {
                state.held += 1;
                state.held
            });
            self.state.pause(Duration::MAX, |state| {
                state.stopped || state.released >= turn
            });
        }
        let delay = self.state.lock().behaviour.delay;
        if !delay.is_zero() {
            self.state.pause(delay, |state| state.stopped);
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
        let regular = self.process(request, number, is_shown, &fault);
        let text = |text: &str, stream: &mut _| {
            http::write(stream, 200, json, &[], text.as_bytes()).map(|()| true)
        };
        match fault {
            None | Some(Fault::Hold | Fault::StringZero | Fault::ReversedKeys) => {
                text(&regular, stream)
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
                for byte in http::encode(200, json, &[], regular.as_bytes()) {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    self.state.pause(interval, |state| state.stopped);
                    if self.state.lock().stopped {
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
                self.state.pause(Duration::MAX, |state| state.stopped);
                Ok(false)
            }
        }
    }

    /// Checks a call, shows its message if it is accepted, and records it. Returns the regular
    /// answer. If `is_shown` is false, a fault replaces the answer: the call is only recorded.
    fn process(
        &self,
        request: &Request,
        connection: u64,
        is_shown: bool,
        fault: &Option<Fault>,
    ) -> String {
        self.state.change(|state| {
            let now = state.now_ms();
            let mut behaviour = state.behaviour.clone();
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
                let checked =
                    checks::check(request, &state.robots, &behaviour, &mut state.history, now);
                let answer = match checked {
                    Ok(Some(delivery)) => {
                        state.deliveries.push(delivery);
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
            state.calls.push(call);
            answer
        })
    }
}

const FLOOD: &str = "{\"status\":1111,\"wait\":5,\"source\":\"x5\",\"punish\":\"deny\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"}";

/// Writes a time as in HTTP's header `Date`.
fn http_date(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Makes the connection end with a reset when its last handle is dropped.
fn reset(socket: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Closes the connection in order: reads what the peer sent, because unread bytes cause a reset.
fn close(socket: &TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let _ = io::copy(&mut socket.take(1 << 20), &mut io::sink());
    Ok(())
}
