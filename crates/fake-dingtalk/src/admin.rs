//! A second port for clients in other processes: `GET /deliveries`, `POST /clock`
//! (`{"ms": 1700000000000}`), `POST /faults` (`["Html200"]`), `DELETE /state`.

use crate::fault::Fault;
use crate::http::{self, Request};
use crate::server::Shared;
use serde_json::{Value, json};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Serves one request at a time until the group is stopped.
pub(crate) fn serve(shared: &Arc<Shared>, listener: &TcpListener, stopped: impl Fn() -> bool) {
    for stream in listener.incoming() {
        if stopped() {
            return;
        }
        if let Ok(stream) = stream {
            // A broken connection concerns its client only.
            let _ = serve_one(shared, stream);
        }
    }
}

fn serve_one(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    if let Some(request) = http::read(&mut stream, &mut Vec::new())? {
        let (status, answer) = answer(shared, &request);
        let close = [("Connection".to_owned(), "close".to_owned())];
        http::write(
            &mut stream,
            status,
            "application/json",
            &close,
            answer.to_string().as_bytes(),
        )?;
    }
    Ok(())
}

fn answer(shared: &Shared, request: &Request) -> (u16, Value) {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match (request.method.as_str(), request.path()) {
        ("GET", "/deliveries") => {
            let state = shared.state.lock();
            let deliveries = state.deliveries.iter().map(|delivery| {
                json!({
                    "clockMs": delivery.clock_ms, "msgtype": delivery.msgtype, "title": delivery.title,
                    "text": delivery.text, "mentioned": delivery.mentioned, "atAll": delivery.at_all,
                    "mentionOverflow": delivery.mention_overflow, "msgUuid": delivery.msg_uuid,
                })
            });
            (200, deliveries.collect())
        }
        ("POST", "/clock") => match body["ms"].as_u64() {
            Some(ms) => {
                shared.state.change(|state| state.clock_ms = Some(ms));
                (200, json!({}))
            }
            None => (
                400,
                json!({"error": "write {\"ms\": milliseconds since 1970}"}),
            ),
        },
        ("POST", "/faults") => {
            let names: Option<Vec<Fault>> = body.as_array().and_then(|names| {
                names
                    .iter()
                    .map(|name| Fault::by_name(name.as_str()?))
                    .collect()
            });
            match names {
                Some(faults) => {
                    shared.state.change(|state| state.faults.extend(faults));
                    (200, json!({}))
                }
                None => (400, json!({"error": "write a list of names of faults"})),
            }
        }
        ("DELETE", "/state") => {
            shared.state.change(|state| {
                state.deliveries.clear();
                state.calls.clear();
                state.faults.clear();
                state.standing_faults.clear();
                state.history = Default::default();
            });
            (200, json!({}))
        }
        _ => (
            404,
            json!({"error": "there is GET /deliveries, POST /clock, POST /faults, DELETE /state"}),
        ),
    }
}
