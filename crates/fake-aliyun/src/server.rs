//! Answers calls and records them.

use crate::actions::{self, STATUS};
use crate::fault::Fault;
use crate::record::Call;
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::sign::Authorization;
use crate::state::State;
use crate::system_event::SystemEvent;
use fake_http::http::Request;
use fake_http::{Connection, Reply, Response, Service, Watched};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) state: Watched<State>,
}

impl Service for Shared {
    fn answer(&self, request: &Request, connection: &Connection) -> Reply {
        let (mut call, fault) = self.state.change(|state| {
            let call = record(state, request, connection.number);
            let fault = state.take_fault(&call.action);
            (call, fault)
        });
        match fault {
            Some(Fault::Hang | Fault::Reset) => {
                self.state.change(|state| state.calls.push(call));
                return match fault {
                    Some(Fault::Hang) => Reply::Never,
                    _ => Reply::Reset,
                };
            }
            Some(Fault::Slow(time)) => connection.pause(time),
            Some(Fault::Hold) => connection.hold(),
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
        response.into()
    }
}

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared {
            state: Watched::new(State::new()),
        }
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

fn json(status: u16, body: &Value) -> Response {
    Response::new(status, "application/json;charset=utf-8", body.to_string())
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
    let mut response = json(status, &body);
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
