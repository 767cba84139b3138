//! The group's state, and its answers to requests.

use crate::answers::{Answer, Refusal};
use crate::checks::{self, History};
use crate::fault::Fault;
use crate::http::{Request, decode_once};
use crate::record::{Call, Delivery, masked};
use crate::robot::{Behaviour, Robot};
use fake_http::{Clock, Connection, Reply, Response, Service, Watched, http_date};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) state: Watched<GroupState>,
}

/// The group's settings and records, behind one lock.
pub(crate) struct GroupState {
    pub(crate) robots: Vec<Robot>,
    pub(crate) behaviour: Behaviour,
    pub(crate) history: History,
    pub(crate) clock: Clock,
    pub(crate) faults: VecDeque<Fault>,
    /// By token: the fault of every call that has no queued one.
    pub(crate) standing_faults: HashMap<String, Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) redirect_hits: usize,
    /// The queries of requests for the page `/`, which tell the time and are no calls.
    pub(crate) visits: Vec<String>,
}

impl Service for Shared {
    fn before_reading(&self) -> Option<Reply> {
        let fault = self.state.change(|state| {
            state.faults.pop_front_if(|fault| {
                matches!(fault, Fault::ResetBeforeReading | Fault::CloseBeforeReading)
            })
        })?;
        Some(match fault {
            Fault::ResetBeforeReading => Reply::Reset,
            _ => Reply::Close,
        })
    }

    fn answer(&self, request: &Request, connection: &Connection) -> Reply {
        if (request.method.as_str(), request.path()) == ("GET", "/") {
            let now = self.state.change(|state| {
                state.visits.push(request.query_string().to_owned());
                state.clock.now_ms()
            });
            let page = Response::new(404, "text/plain", "");
            return page.header("Date", http_date(now)).into();
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
            connection.hold();
        }
        let delay = self.state.lock().behaviour.delay;
        if !delay.is_zero() {
            connection.pause(delay);
        }
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
        let regular = self.process(request, connection.number, is_shown, &fault);
        let regular = Response::json(200, regular);
        let text = |text: &str| Response::json(200, text).into();
        match fault {
            None | Some(Fault::Hold | Fault::StringZero | Fault::ReversedKeys) => regular.into(),
            Some(Fault::Answer(answer)) => text(&answer),
            Some(Fault::EmptyObject) => text("{}"),
            Some(Fault::Empty200) => text(""),
            Some(Fault::TruncatedJson) => text("{\"errcode\":0,\"errm"),
            Some(Fault::Flood1111) => text(FLOOD),
            Some(Fault::ExtraKeys1111) => text(
                "{\"status\":1111,\"wait\":5,\"source\":\"x5\",\"punish\":\"deny\",\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"errcode\": 130101,\"errmsg\": \"send too fast, exceed 20 times per minute\"}",
            ),
            Some(Fault::Html200) => Response::html(200, "<html><body>hello</body></html>").into(),
            Some(Fault::FloodHtml) => Response::html(
                200,
                "<html><script>var punish={\"source\":\"x5\",\"status\":1111}</script></html>",
            )
            .into(),
            Some(Fault::Huge { bytes }) => Response::json(200, vec![b' '; bytes]).into(),
            Some(Fault::Status {
                code,
                body,
                headers,
            }) => Response {
                headers,
                ..Response::html(code, body)
            }
            .into(),
            Some(Fault::TooManyRequests { retry_after }) => {
                let response = Response::html(429, "slow down");
                match retry_after {
                    Some(value) => response.header("Retry-After", value),
                    None => response,
                }
                .into()
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
                let origin = connection.origin(host);
                let to = format!("{origin}/redirected?{}", request.query_string());
                Response::json(code, "").header("Location", to).into()
            }
            Some(Fault::SlowDrip { interval }) => Reply::Drip(regular, interval),
            Some(Fault::AcceptThenReset | Fault::ResetBeforeReading) => Reply::Reset,
            Some(Fault::CloseBeforeReading) => Reply::Close,
            Some(Fault::AcceptThenNeverAnswer | Fault::NeverAnswer) => Reply::Never,
        }
    }
}

impl Shared {
    pub(crate) fn new(robots: Vec<Robot>, behaviour: Behaviour, clock_ms: Option<u64>) -> Shared {
        Shared {
            state: Watched::new(GroupState {
                robots,
                behaviour,
                history: History::default(),
                clock: Clock {
                    injected_ms: clock_ms,
                    offset_ms: 0,
                },
                faults: VecDeque::new(),
                standing_faults: HashMap::new(),
                calls: Vec::new(),
                deliveries: Vec::new(),
                redirect_hits: 0,
                visits: Vec::new(),
            }),
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
            let now = state.clock.now_ms();
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
