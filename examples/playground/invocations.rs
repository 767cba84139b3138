//! Records every invocation: its caller, request, answer, log lines, and the calls to the chatbot
//! and the ECS API that it caused.

use crate::chats::{self, Call};
use crate::clock::MovableClock;
use crate::journal::Journal;
use crate::pairing::Pairing;
use crate::samples::headline;
use ecs_dingtalk_notifier::clock::Clock;
use ecs_dingtalk_notifier::event::Level;
use ecs_dingtalk_notifier::trigger::{self, Trigger};
use fc_runtime::Failure;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// The oldest invocations beyond this number are removed.
const MAX_INVOCATIONS: usize = 2_000;
/// The calls of the oldest messages beyond this number are removed.
const MAX_MESSAGES: usize = 500;

/// An HTTP response of the function.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status; 0 if there was no response.
    pub status: u16,
    /// The headers; empty unless the playground made the invocation.
    pub headers: Vec<(String, String)>,
    /// The body, or the error that prevented one.
    pub body: String,
    /// The calls to the ECS API; `None` if the playground brought no role.
    pub api_calls: Option<Vec<Value>>,
}

impl Answer {
    /// Returns true if Function Compute would count the invocation as a success.
    pub fn is_success(&self) -> bool {
        self.status == 200
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// All invocations, each published in the journal.
pub struct Invocations {
    clock: Arc<MovableClock>,
    journal: Arc<Journal>,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    last: usize,
    by_number: BTreeMap<usize, Invocation>,
    by_request_id: HashMap<String, usize>,
    /// By number of the message: its `msgUuid` and the calls that carried it.
    calls: BTreeMap<usize, (String, Vec<Value>)>,
    last_message: usize,
    /// Which messages the calls were for that do not say it.
    pairing: Pairing<Unpaired>,
}

/// A call, or a message and the key of its entry in the journal.
enum Unpaired {
    Call(Value),
    Message(String, Value),
}

struct Invocation {
    number: usize,
    request_id: String,
    /// The playground made the invocation.
    is_ours: bool,
    burst: Option<usize>,
    at: SystemTime,
    started: Instant,
    payload: String,
    events: Vec<Value>,
    /// Which tick of the timer it is, in milliseconds since 1970.
    tick: Option<i64>,
    answer: Option<Answer>,
    took_ms: Option<u128>,
    log: Vec<Value>,
    remarks: Vec<String>,
}

impl Invocations {
    /// Starts without invocations.
    pub fn new(clock: Arc<MovableClock>, journal: Arc<Journal>) -> Invocations {
        Invocations {
            clock,
            journal,
            records: Mutex::default(),
        }
    }

    /// Records an invocation that the playground is about to make. Returns number and request id.
    pub fn announce(&self, payload: &str, burst: Option<usize>) -> (usize, String) {
        let mut records = self.lock();
        let request_id = format!("playground-{}", records.last + 1);
        let number = records.add(&request_id, payload, true, burst, self.clock.wall());
        self.publish(&records, number);
        (number, request_id)
    }

    /// Records an invocation that reached the function. Returns its number if another caller made
    /// it, and sets a missing request id.
    pub fn enter(&self, request_id: &mut String, payload: &[u8]) -> Option<usize> {
        let mut records = self.lock();
        let known = records.by_request_id.get(request_id.as_str());
        let is_announced = known
            .and_then(|number| records.by_number.get(number))
            .is_some_and(|invocation| invocation.is_ours && invocation.answer.is_none());
        if is_announced {
            return None;
        }
        if request_id.is_empty() {
            *request_id = format!("guest-{}", records.last + 1);
        }
        let payload = String::from_utf8_lossy(payload);
        let number = records.add(request_id, &payload, false, None, self.clock.wall());
        self.publish(&records, number);
        Some(number)
    }

    /// Records the result of an invocation that another caller made.
    pub fn complete_guest(&self, number: usize, result: &Result<Value, Failure>) {
        let (status, body) = match result {
            Ok(outcome) => (200, outcome.clone()),
            Err(failure) => (
                404,
                json!({
                    "errorMessage": failure.error_message, "errorType": failure.error_type,
                    "stackTrace": [], "outcome": failure.outcome,
                }),
            ),
        };
        let answer = Answer {
            status,
            body: body.to_string(),
            ..Answer::default()
        };
        self.complete(number, answer);
    }

    /// Records the answer to an invocation.
    pub fn complete(&self, number: usize, answer: Answer) {
        let mut records = self.lock();
        if let Some(invocation) = records.by_number.get_mut(&number) {
            invocation.took_ms = Some(invocation.started.elapsed().as_millis());
            invocation.answer = Some(answer);
        }
        self.publish(&records, number);
    }

    /// Adds a line of the function's log to its invocation. Other lines are ignored.
    pub fn log(&self, line: &str) {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let mut records = self.lock();
        let number = line["requestId"]
            .as_str()
            .and_then(|id| records.by_request_id.get(id).copied());
        if let Some(invocation) = number.and_then(|number| records.by_number.get_mut(&number)) {
            let uuid = line["messageUuid"].as_str().map(str::to_owned);
            let combined = line["combined"].as_u64().unwrap_or(1);
            invocation.log.push(line);
            if let Some(uuid) = uuid {
                for what in records.pairing.tell(Instant::now(), &uuid, combined) {
                    self.attribute(&mut records, &uuid, what);
                }
            }
        }
    }

    /// Attributes a call or a message, now or when the function writes of it.
    fn pair(&self, records: &mut Records, at: Instant, what: Unpaired) {
        if let Some((uuid, what)) = records.pairing.find(at, what) {
            self.attribute(records, &uuid, what);
        }
    }

    fn attribute(&self, records: &mut Records, uuid: &str, what: Unpaired) {
        match what {
            Unpaired::Call(mut call) => {
                call["uuid"] = json!(uuid);
                records.carry(uuid, call);
            }
            Unpaired::Message(key, mut message) => {
                message["uuid"] = json!(uuid);
                self.journal.publish(&key, &message);
            }
        }
    }

    /// Publishes a message that does not tell its `msgUuid`, and again once that is known.
    pub fn add_message(&self, key: String, at: Instant, message: Value) {
        let mut records = self.lock();
        self.journal.publish(&key, &message);
        self.pair(&mut records, at, Unpaired::Message(key, message));
    }

    /// Adds the function's lines on stderr to their invocation.
    pub fn remark(&self, request_id: &str, remarks: Vec<String>) {
        let mut records = self.lock();
        let number = records.by_request_id.get(request_id).copied();
        if let Some(invocation) = number.and_then(|number| records.by_number.get_mut(&number)) {
            invocation.remarks.extend(remarks);
        }
    }

    /// Records and publishes a call to the chatbot.
    pub fn add_call(&self, call: &Call) {
        let mut records = self.lock();
        let summary = json!({
            "chat": chats::id(call.chat), "at": call.clock_ms, "bytes": call.bytes,
            "status": call.status, "errcode": call.code, "answer": call.answer,
            "duplicate": call.is_duplicate, "uuid": call.uuid,
        });
        self.journal
            .publish("call", &json!({"type": "call", "call": summary}));
        match &call.uuid {
            Some(uuid) => records.carry(uuid, summary),
            None => self.pair(&mut records, call.at, Unpaired::Call(summary)),
        }
    }

    /// Returns everything recorded of an invocation.
    pub fn detail(&self, number: usize) -> Option<Value> {
        let records = self.lock();
        let invocation = records.by_number.get(&number)?;
        let calls: Vec<&Value> = invocation
            .uuids()
            .iter()
            .filter_map(|uuid| records.calls.values().find(|(known, _)| known == uuid))
            .flat_map(|(_, calls)| calls)
            .collect();
        let answer = invocation.answer.as_ref();
        Some(json!({
            "number": number,
            "requestId": invocation.request_id,
            "ours": invocation.is_ours,
            "request": pretty(&invocation.payload),
            "answer": answer.map(|answer| json!({
                "status": answer.status, "headers": answer.headers, "body": pretty(&answer.body),
            })),
            "log": invocation.log,
            "remarks": invocation.remarks,
            "apiCalls": answer.map(|answer| &answer.api_calls),
            "calls": calls,
        }))
    }

    fn publish(&self, records: &Records, number: usize) {
        if let Some(invocation) = records.by_number.get(&number) {
            self.journal
                .publish(&format!("invocation-{number}"), &invocation.summary());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    /// Adds a call to those of its message.
    fn carry(&mut self, uuid: &str, call: Value) {
        if let Some((_, calls)) = self.calls.values_mut().find(|(known, _)| known == uuid) {
            calls.push(call);
            return;
        }
        self.last_message += 1;
        let message = self.last_message;
        self.calls.insert(message, (uuid.to_owned(), vec![call]));
        while self.calls.len() > MAX_MESSAGES {
            self.calls.pop_first();
        }
    }

    fn add(
        &mut self,
        request_id: &str,
        payload: &str,
        is_ours: bool,
        burst: Option<usize>,
        at: SystemTime,
    ) -> usize {
        self.last += 1;
        let (events, tick) = match trigger::parse(payload.as_bytes()) {
            Trigger::Events(parsed) => (parsed.events, None),
            Trigger::Tick(tick) => (Vec::new(), Some(tick.at.as_millisecond())),
        };
        let events = events.iter().map(|event| {
            let (zh, en) = headline(&[event]);
            json!({"event": event.full_name(), "level": event.level.map(Level::as_str), "zh": zh, "en": en})
        });
        let invocation = Invocation {
            number: self.last,
            request_id: request_id.to_owned(),
            is_ours,
            burst,
            at,
            started: Instant::now(),
            payload: payload.to_owned(),
            events: events.collect(),
            tick,
            answer: None,
            took_ms: None,
            log: Vec::new(),
            remarks: Vec::new(),
        };
        self.by_request_id.insert(request_id.to_owned(), self.last);
        self.by_number.insert(self.last, invocation);
        while self.by_number.len() > MAX_INVOCATIONS {
            if let Some((_, oldest)) = self.by_number.pop_first() {
                self.by_request_id.remove(&oldest.request_id);
            }
        }
        self.last
    }
}

impl Invocation {
    /// Returns the `msgUuid` of every message that holds one of its events.
    fn uuids(&self) -> Vec<&str> {
        let mut uuids: Vec<&str> = self
            .log
            .iter()
            .filter_map(|line| line["messageUuid"].as_str())
            .collect();
        uuids.sort_unstable();
        uuids.dedup();
        uuids
    }

    /// Returns what the page's list shows.
    fn summary(&self) -> Value {
        let distinct = |field: &str| {
            let mut texts: Vec<&str> = self.log.iter().filter_map(|l| l[field].as_str()).collect();
            texts.sort_unstable();
            texts.dedup();
            texts.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let answer = self.answer.as_ref();
        let body = answer.map(Answer::json).unwrap_or_default();
        // What a tick came to is in its answer alone.
        let told = body["events"].as_array().map(Vec::len);
        json!({
            "type": "invocation",
            "number": self.number,
            "requestId": self.request_id,
            "ours": self.is_ours,
            "burst": self.burst,
            "at": milliseconds(self.at),
            "bytes": self.payload.len(),
            "events": self.events.iter().take(3).collect::<Vec<_>>(),
            "count": self.events.len(),
            "tick": self.tick,
            "told": told,
            "status": answer.map(|answer| answer.status),
            "tookMs": self.took_ms.map(|ms| ms as u64),
            "errorType": body["errorType"],
            "errorMessage": body["errorMessage"],
            "outcomes": distinct("outcome"),
            "rules": distinct("rule"),
            "classes": distinct("class"),
            "remedies": distinct("remedy"),
            "lookups": distinct("lookup"),
            "remarks": self.remarks,
            "apiCalls": answer.and_then(|answer| answer.api_calls.as_ref()).map(Vec::len),
            "uuids": self.uuids(),
        })
    }
}

/// Returns milliseconds since 1970.
pub fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}

/// Formats JSON with line breaks. Other text stays unchanged.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned())
}
