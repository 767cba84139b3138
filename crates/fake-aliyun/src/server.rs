//! Serves connections, each on its own thread, until the stand-in is dropped.

use crate::actions::{self, STATUS};
use crate::fault::Fault;
use crate::record::Call;
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::sign::Authorization;
use crate::state::State;
use crate::system_event::SystemEvent;
use fake_http::http::{self, Request};
use fake_http::{Watched, tls};
use rustls::ServerConfig;
use serde_json::{Map, Value, json};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) state: Watched<State>,
    tls: Option<Arc<ServerConfig>>,
    address: SocketAddr,
}

/// A response, before it is written.
struct Response {
    status: u16,
    content_type: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    fn json(status: u16, body: &Value) -> Response {
        Response::new(status, "application/json;charset=utf-8", body.to_string())
    }

    fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

impl Shared {
    pub(crate) fn new(tls: Option<Arc<ServerConfig>>, address: SocketAddr) -> Shared {
        Shared {
            state: Watched::new(State::new()),
            tls,
            address,
        }
    }

    /// Accepts connections until the stand-in is stopped.
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
                let _ = connection.shutdown(Shutdown::Both);
            }
        });
        // Wakes the accepting thread, which then sees `stopped`.
        let _ = TcpStream::connect(self.address);
    }

    fn handle_connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let handle = stream.try_clone()?;
        let number = self.state.change(|state| {
            state.last_connection += 1;
            state.connections.insert(state.last_connection, handle);
            state.last_connection
        });
        let socket = stream.try_clone()?;
        let result = match &self.tls {
            None => self.serve_requests(stream, &socket, number),
            Some(config) => tls::accept(config, stream)
                .and_then(|stream| self.serve_requests(stream, &socket, number)),
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
        while let Some(request) = http::read(&mut stream, &mut left)? {
            let call = self.state.change(|state| record(state, &request, number));
            let fault = self.state.change(|state| state.take_fault(&call.action));
            match self.respond(&request, call, fault) {
                Some(response) => http::write(
                    &mut stream,
                    response.status,
                    response.content_type,
                    &response.headers,
                    &response.body,
                )?,
                None => {
                    // Makes the connection end with a reset when its last handle is dropped.
                    return socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
                }
            }
        }
        Ok(())
    }

    /// Makes the response to a call and records both. `None` resets the connection.
    fn respond(&self, request: &Request, mut call: Call, fault: Option<Fault>) -> Option<Response> {
        match fault {
            Some(Fault::Hang | Fault::Reset) => {
                self.state.change(|state| state.calls.push(call));
                if fault == Some(Fault::Hang) {
                    self.state.pause(Duration::MAX, |state| state.stopped);
                }
                return None;
            }
            Some(Fault::Slow(time)) => self.state.pause(time, |state| state.stopped),
            Some(Fault::Hold) => {
                let turn = self.state.change(|state| {
                    state.held += 1;
                    state.held
                });
                self.state.pause(Duration::MAX, |state| {
                    state.stopped || state.released >= turn
                });
            }
            _ => {}
        }
        let response = self.state.change(|state| {
            let result = match replacement(&fault) {
                Some(refusal) => Err(refusal),
                None => actions::answer(state, request),
            };
            call.code = result.as_ref().err().map(|refusal| refusal.code.clone());
            let host = request.header("host").unwrap_or_default();
            let response = response(&result, fault, &state.request_id(), host);
            call.status = response.status;
            state.calls.push(call);
            response
        });
        Some(response)
    }
}

/// Returns what is known of a call before it is checked.
fn record(state: &State, request: &Request, connection: u64) -> Call {
    let parameters = Parameters::read(request);
    let ids = ["InstanceIds", "DiskIds"]
        .iter()
        .find_map(|name| parameters.ids(name).ok().flatten());
    let known = Authorization::read(request).and_then(|own| state.identities.get(own.id));
    Call {
        at: Instant::now(),
        action: request.header("x-acs-action").unwrap_or_default().into(),
        region: parameters.get("RegionId").map(str::to_owned),
        ids: ids.unwrap_or_default(),
        statuses: parameters.numbered(STATUS),
        role: parameters.get("RoleArn").map(str::to_owned),
        account: known.map(|known| known.identity.account.clone()),
        status: 0,
        code: None,
        method: request.method.clone(),
        target: request.target.clone(),
        headers: request.headers.clone(),
        body_length: request.body.len(),
        connection,
    }
}

/// Returns the refusal that a fault puts in place of the regular answer.
fn replacement(fault: &Option<Fault>) -> Option<Refusal> {
    match fault.as_ref()? {
        Fault::Throttled { .. } => Some(Refusal::new(
            400,
            "Throttling.User",
            "Request was denied due to user flow control.",
        )),
        Fault::Refuse { status, code } => {
            Some(Refusal::new(*status, code, "A stand-in's refusal."))
        }
        Fault::InternalError => Some(Refusal::new(
            500,
            "InternalError",
            "The request processing has failed due to some unknown error.",
        )),
        _ => None,
    }
}

/// Writes an answer or a refusal, with its fault.
fn response(
    result: &Result<Value, Refusal>,
    fault: Option<Fault>,
    request_id: &str,
    host: &str,
) -> Response {
    let (status, mut body) = match result {
        Ok(answer) => (200, answer.clone()),
        Err(refusal) => (refusal.status, refusal.body(request_id, host)),
    };
    match fault {
        Some(Fault::LowerCase) => lower_case(&mut body),
        Some(Fault::EndlessPages) => body["NextToken"] = json!("page+0=="),
        Some(Fault::Foreign) => add_foreign(&mut body),
        _ => {}
    }
    let text = body.to_string();
    let mut response = Response::json(status, &body);
    match (fault, result) {
        (Some(Fault::Throttled { retry_after_ms }), _) => {
            let header = |ms: u64| ("x-acs-retry-after".to_owned(), ms.to_string());
            response.headers = retry_after_ms.into_iter().map(header).collect();
        }
        (Some(Fault::Xml), Err(refusal)) => {
            let text = refusal.xml(request_id, host);
            return Response::new(status, "text/xml;charset=utf-8", text);
        }
        (Some(Fault::Html { status }), _) => {
            return Response::new(
                status,
                "text/html",
                "<html><body><code>hello</code></body></html>",
            );
        }
        (Some(Fault::Garbage), _) => {
            let bytes: Vec<u8> = (0..=255).cycle().skip(128).take(1000).collect();
            return Response::new(200, "application/json", bytes);
        }
        (Some(Fault::HalfJson), _) => {
            let half = text.get(..text.len() / 2).unwrap_or_default();
            return Response::new(200, "application/json", half);
        }
        (Some(Fault::EmptyObject), _) => return Response::new(200, "application/json", "{}"),
        (Some(Fault::Empty), _) => return Response::new(200, "application/json", ""),
        (Some(Fault::Huge), _) => response.body.resize(5 * 1024 * 1024, b' '),
        _ => {}
    }
    response
}

/// Writes the first letter of all members in lower case.
fn lower_case(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let old = std::mem::take(members);
            *members = old
                .into_iter()
                .map(|(name, mut value)| {
                    lower_case(&mut value);
                    let (first, rest) = name.split_at_checked(1).unwrap_or(("", &name));
                    (format!("{}{rest}", first.to_ascii_lowercase()), value)
                })
                .collect::<Map<_, _>>();
        }
        Value::Array(elements) => elements.iter_mut().for_each(lower_case),
        _ => {}
    }
}

/// Adds a resource or an event that nobody asked for, and one without an id.
fn add_foreign(body: &mut Value) {
    for (outer, inner, id) in [
        ("Instances", "Instance", "InstanceId"),
        ("Disks", "Disk", "DiskId"),
    ] {
        let list = body.get_mut(outer).and_then(|list| list.get_mut(inner));
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.insert(0, json!({ id: "x-foreign", "InstanceName": "foreign" }));
            list.insert(0, json!({ "InstanceName": "without an id" }));
        }
    }
    let list = body.pointer_mut("/InstanceSystemEventSet/InstanceSystemEventType");
    if let Some(list) = list.and_then(Value::as_array_mut) {
        let event = |status| {
            let event = SystemEvent::new("e-foreign", "i-foreign", "SystemMaintenance.Reboot");
            event.status(status)
        };
        list.insert(0, event("Executed").shown());
        let nameless = event("Scheduled").without("EventId").without("InstanceId");
        list.insert(0, nameless.shown());
    }
}
