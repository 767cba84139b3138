//! A second port for clients in other processes: `GET /deliveries`, `POST /clock`
//! (`{"ms": 1700000000000}`), `POST /faults` (`["Html200"]`), `DELETE /state`.

use crate::fault::Fault;
use crate::http::Request;
use crate::server::Shared;
use fake_http::{Connection, Reply, Response, Service};
use serde_json::{Value, json};
use std::sync::Arc;

/// The admin endpoint of a group.
pub(crate) struct Admin(pub(crate) Arc<Shared>);

impl Service for Admin {
    fn answer(&self, request: &Request, _: &Connection) -> Reply {
        let (status, answer) = answer(&self.0, request);
        let response = Response::json(status, answer.to_string());
        response.header("Connection", "close").into()
    }
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
                shared
                    .state
                    .change(|state| state.clock.injected_ms = Some(ms));
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
