//! The state of a stand-in, and its answers to requests.

use crate::arrival::{Answer, Arrival};
use crate::behaviour::Behaviour;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::rate::Rate;
use crate::record::{Call, Delivery};
use crate::robot::Robot;
use fake_http::http::Request;
use fake_http::{Clock, Connection, Reply, Response, Service, Watched, http_date};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) kind: Kind,
    pub(crate) state: Watched<State>,
}

/// The settings and records of a stand-in, behind one lock.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) robots: Vec<Robot>,
    pub(crate) behaviour: Behaviour,
    pub(crate) clock: Clock,
    /// By token.
    pub(crate) rates: HashMap<String, Rate>,
    pub(crate) faults: VecDeque<Fault>,
    /// By token: the fault of every call that has no queued one.
    pub(crate) standing_faults: HashMap<String, Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) redirect_hits: usize,
    /// The queries of requests for the page `/`, which tell the time and are no calls.
    pub(crate) visits: Vec<String>,
}

impl State {
    /// Forgets all that happened. The settings stay.
    pub(crate) fn clear(&mut self) {
        *self = State {
            robots: std::mem::take(&mut self.robots),
            behaviour: self.behaviour.clone(),
            clock: self.clock,
            ..State::default()
        };
    }
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
            self.state
                .change(|state| state.visits.push(request.query_string().to_owned()));
            return self.dated(Response::new(404, "text/plain", "")).into();
        }
        let token = self.kind.token(request);
        let fault = self.state.change(|state| {
            if request.path() == "/redirected" {
                state.redirect_hits += 1;
            }
            let token = token.as_ref()?;
            let queued = state.faults.pop_front();
            queued.or_else(|| state.standing_faults.get(token).cloned())
        });
        match fault {
            Some(Fault::Hold) => connection.hold(),
            Some(Fault::Delay(time)) => connection.pause(time),
            _ => {}
        }
        let delay = self.state.lock().behaviour.delay;
        if !delay.is_zero() {
            connection.pause(delay);
        }
        let token = token.unwrap_or_default();
        let regular = self.process(request, token, connection.number, &fault);
        self.reply(fault, regular, connection)
    }
}

impl Shared {
    pub(crate) fn new(
        kind: Kind,
        robots: Vec<Robot>,
        behaviour: Behaviour,
        clock_ms: Option<u64>,
    ) -> Shared {
        Shared {
            kind,
            state: Watched::new(State {
                robots,
                behaviour,
                clock: Clock {
                    injected_ms: clock_ms,
                    offset_ms: 0,
                },
                ..State::default()
            }),
        }
    }

    /// Adds the stand-in's time.
    fn dated(&self, response: Response) -> Response {
        let now = self.state.lock().clock.now_ms();
        response.header("Date", http_date(now))
    }

    /// Checks a call, shows its message if it is accepted, and records it. Returns the regular
    /// answer; `None` if a fault replaces it: then the call is only recorded.
    fn process(
        &self,
        request: &Request,
        token: String,
        connection: u64,
        fault: &Option<Fault>,
    ) -> Option<Answer> {
        let is_regular = fault.as_ref().is_none_or(Fault::is_regular);
        self.state.change(|state| {
            let now = state.clock.now_ms();
            let target = if token.is_empty() {
                request.target.clone()
            } else {
                request.target.replace(&token, "***")
            };
            let mut call = Call {
                at: Instant::now(),
                clock_ms: now,
                method: request.method.clone(),
                target,
                token,
                headers: request.headers.clone(),
                raw_body: request.body.clone(),
                body: serde_json::from_slice(&request.body).ok(),
                status: None,
                code: None,
                answer: String::new(),
                connection,
            };
            let answer = is_regular.then(|| {
                let checked = self.kind.check(&mut Arrival {
                    request,
                    robots: &state.robots,
                    behaviour: &state.behaviour,
                    rates: &mut state.rates,
                    now,
                });
                checked.map_or_else(
                    |refusal| refusal,
                    |delivery| {
                        state.deliveries.push(delivery);
                        let has_warning = *fault == Some(Fault::Warning);
                        self.kind.accepted(&state.behaviour, has_warning)
                    },
                )
            });
            if let Some(answer) = &answer {
                call.status = Some(answer.response.status);
                call.code = Some(answer.code.clone());
                call.answer = String::from_utf8_lossy(&answer.response.body).into_owned();
            }
            state.calls.push(call);
            answer
        })
    }

    /// Returns the reply that a fault makes of the regular answer.
    fn reply(
        &self,
        fault: Option<Fault>,
        regular: Option<Answer>,
        connection: &Connection,
    ) -> Reply {
        let whole = |response| self.dated(response).into();
        let json = |text: &str| self.dated(Response::json(200, text)).into();
        if let Some(answer) = regular {
            let response = self.dated(answer.response);
            return match fault {
                Some(Fault::AcceptThenClose) => Reply::Close,
                Some(Fault::AcceptThenReset) => Reply::Reset,
                Some(Fault::AcceptThenNeverAnswer) => Reply::Never,
                Some(Fault::HalfAnswer) => Reply::Half(response),
                Some(Fault::SlowDrip { interval }) => Reply::Drip(response, interval),
                _ => response.into(),
            };
        }
        match fault {
            Some(Fault::ResetBeforeReading | Fault::ResetAfterReading) => Reply::Reset,
            Some(Fault::NeverAnswer) => Reply::Never,
            Some(Fault::Code { status, code, text }) => {
                whole(self.kind.answer(status, code, &text).response)
            }
            Some(Fault::Answer(text)) => json(&text),
            Some(Fault::EmptyObject) => json("{}"),
            Some(Fault::Empty200) => json(""),
            Some(Fault::TruncatedJson) => json("{\"errcode\":0,\"code\":0,\"ms"),
            Some(Fault::Huge { bytes }) => whole(Response::json(200, vec![b' '; bytes])),
            Some(Fault::Html200) => whole(Response::html(200, "<html><body>hello</body></html>")),
            Some(Fault::Status {
                code,
                body,
                headers,
            }) => whole(Response {
                headers,
                ..Response::html(code, body)
            }),
            Some(Fault::TooManyRequests { retry_after }) => {
                let response = Response::html(429, "slow down");
                whole(match retry_after {
                    Some(value) => response.header("Retry-After", value),
                    None => response,
                })
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
                let to = format!("{}/redirected", connection.origin(host));
                whole(Response::html(code, "").header("Location", to))
            }
            // Closing is left; the others have a regular answer.
            _ => Reply::Close,
        }
    }
}
