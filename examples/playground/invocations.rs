//! What is known of every invocation: who made it, its request, its answer, its log lines, and the
//! calls to the chatbot that it led to.

use crate::journal::Journal;
use crate::samples::headline;
use ecs_dingtalk_notifier::event::{self, Level};
use fake_dingtalk::Call;
use fc_runtime::Failure;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// Most invocations that are kept; the oldest go first.
const MAX_INVOCATIONS: usize = 2_000;
/// Most messages whose calls are kept.
const MAX_MESSAGES: usize = 500;

/// An answer as it came over HTTP.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// Headers, where the playground itself was the caller.
    pub headers: Vec<(String, String)>,
    /// The body, or why there is none.
    pub body: String,
}

impl Answer {
    /// Whether Function Compute would count the invocation as a success.
    pub fn is_success(&self) -> bool {
        self.status == 200
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// The invocations so far.
pub struct Invocations {
    journal: Arc<Journal>,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    last: usize,
    by_number: BTreeMap<usize, Invocation>,
    by_request_id: HashMap<String, usize>,
    /// Calls to the chatbot by `msgUuid`, in order of arrival.
    calls: BTreeMap<usize, (String, Vec<Value>)>,
    last_message: usize,
}

struct Invocation {
    number: usize,
    request_id: String,
    is_ours: bool,
    burst: Option<usize>,
    at: SystemTime,
    begun: Instant,
    payload: String,
    events: Vec<Value>,
    answer: Option<Answer>,
    took_ms: Option<u128>,
    log: Vec<Value>,
}

impl Invocations {
    /// None yet; each is told in `journal`.
    pub fn new(journal: Arc<Journal>) -> Invocations {
        Invocations {
            journal,
            books: Mutex::default(),
        }
    }

    /// Announces an invocation that the playground is about to make; gives its number and request id.
    pub fn announce(&self, payload: &str, burst: Option<usize>) -> (usize, String) {
        let mut books = self.lock();
        let request_id = format!("playground-{}", books.last + 1);
        let number = books.begin(&request_id, payload, true, burst);
        self.tell(&books, number);
        (number, request_id)
    }

    /// An invocation has come to the function. Gives a number for one that somebody else made, who
    /// gets a request id if he told none.
    pub fn enter(&self, request_id: &mut String, payload: &[u8]) -> Option<usize> {
        let mut books = self.lock();
        let known = books.by_request_id.get(request_id.as_str());
        let is_announced = known
            .and_then(|number| books.by_number.get(number))
            .is_some_and(|invocation| invocation.is_ours && invocation.answer.is_none());
        if is_announced {
            return None;
        }
        if request_id.is_empty() {
            *request_id = format!("guest-{}", books.last + 1);
        }
        let payload = String::from_utf8_lossy(payload);
        let number = books.begin(request_id, &payload, false, None);
        self.tell(&books, number);
        Some(number)
    }

    /// The function is done with an invocation that somebody else made.
    pub fn left(&self, number: usize, result: &Result<Value, Failure>) {
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
            headers: Vec::new(),
            body: body.to_string(),
        };
        self.answered(number, answer);
    }

    /// The answer to an invocation is there.
    pub fn answered(&self, number: usize, answer: Answer) {
        let mut books = self.lock();
        if let Some(invocation) = books.by_number.get_mut(&number) {
            invocation.took_ms = Some(invocation.begun.elapsed().as_millis());
            invocation.answer = Some(answer);
        }
        self.tell(&books, number);
    }

    /// The function wrote a line to its log.
    pub fn log(&self, line: &str) {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let mut books = self.lock();
        let number = line["requestId"]
            .as_str()
            .and_then(|id| books.by_request_id.get(id).copied());
        if let Some(invocation) = number.and_then(|number| books.by_number.get_mut(&number)) {
            invocation.log.push(line);
        }
    }

    /// The chatbot was called.
    pub fn called(&self, call: &Call) {
        let mut books = self.lock();
        let body = call.body.as_ref();
        let uuid = body.and_then(|body| body["msgUuid"].as_str());
        let told = json!({
            "at": call.clock_ms, "bytes": call.raw_body.len(), "errcode": call.errcode,
            "answer": call.answer, "duplicate": call.duplicate, "uuid": uuid,
        });
        self.journal
            .publish("call", &json!({"type": "call", "call": told}));
        let Some(uuid) = uuid else {
            return;
        };
        if let Some((_, calls)) = books.calls.values_mut().find(|(known, _)| known == uuid) {
            calls.push(told);
            return;
        }
        books.last_message += 1;
        let message = books.last_message;
        books.calls.insert(message, (uuid.to_owned(), vec![told]));
        while books.calls.len() > MAX_MESSAGES {
            books.calls.pop_first();
        }
    }

    /// All that is known of an invocation.
    pub fn detail(&self, number: usize) -> Option<Value> {
        let books = self.lock();
        let invocation = books.by_number.get(&number)?;
        let calls: Vec<&Value> = invocation
            .uuids()
            .iter()
            .filter_map(|uuid| books.calls.values().find(|(known, _)| known == uuid))
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
            "calls": calls,
        }))
    }

    fn tell(&self, books: &Books, number: usize) {
        if let Some(invocation) = books.by_number.get(&number) {
            self.journal
                .publish(&format!("invocation-{number}"), &invocation.summary());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn begin(
        &mut self,
        request_id: &str,
        payload: &str,
        is_ours: bool,
        burst: Option<usize>,
    ) -> usize {
        self.last += 1;
        let parsed = event::parse(payload.as_bytes());
        let events = parsed.events.iter().map(|event| {
            let (zh, en) = headline(&[event]);
            json!({"event": event.full_name(), "level": event.level.map(Level::as_str), "zh": zh, "en": en})
        });
        let invocation = Invocation {
            number: self.last,
            request_id: request_id.to_owned(),
            is_ours,
            burst,
            at: SystemTime::now(),
            begun: Instant::now(),
            payload: payload.to_owned(),
            events: events.collect(),
            answer: None,
            took_ms: None,
            log: Vec::new(),
        };
        self.by_request_id.insert(request_id.to_owned(), self.last);
        self.by_number.insert(self.last, invocation);
        while self.by_number.len() > MAX_INVOCATIONS {
            if let Some((_, gone)) = self.by_number.pop_first() {
                self.by_request_id.remove(&gone.request_id);
            }
        }
        self.last
    }
}

impl Invocation {
    /// The `msgUuid` of every message that holds one of its events.
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

    /// What stands in the list.
    fn summary(&self) -> Value {
        let distinct = |field: &str| {
            let mut texts: Vec<&str> = self.log.iter().filter_map(|l| l[field].as_str()).collect();
            texts.sort_unstable();
            texts.dedup();
            texts.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let answer = self.answer.as_ref();
        let error = answer.map(Answer::json).unwrap_or_default();
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
            "status": answer.map(|answer| answer.status),
            "tookMs": self.took_ms.map(|ms| ms as u64),
            "errorType": error["errorType"],
            "errorMessage": error["errorMessage"],
            "outcomes": distinct("outcome"),
            "rules": distinct("rule"),
            "classes": distinct("class"),
            "remedies": distinct("remedy"),
            "uuids": self.uuids(),
        })
    }
}

/// Milliseconds since 1970.
pub fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}

/// JSON with line breaks; what is no JSON stays as it is.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned())
}
