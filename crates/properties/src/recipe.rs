//! Payloads made from bytes: a recipe decides shape, keys and values, so that few bytes reach far.

pub(crate) mod occasion;
mod vocabulary;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use vocabulary::*;

/// Returns the payload of `input`: that of a recipe if it begins with the byte 1, else the input
/// itself. No meaningful payload begins with that byte.
pub fn payload(input: &[u8]) -> Vec<u8> {
    match input.split_first() {
        Some((1, recipe)) => Draw(recipe).payload(),
        _ => input.to_vec(),
    }
}

/// Takes decisions from bytes, one after the other. When they are used up, every decision is the
/// first choice.
pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

impl Draw<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `count`, which is at most 256 and not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn payload(&mut self) -> Vec<u8> {
        let value = self.shape(0);
        match self.below(8) {
            6 => STANDARD.encode(value.to_string()).into_bytes(),
            7 => as_text(&value).into_bytes(),
            _ => value.to_string().into_bytes(),
        }
    }

    /// One of the shapes in which events arrive, some inside others.
    fn shape(&mut self, depth: usize) -> Value {
        match self.below(20) {
            0..=4 => self.object(&CLOUD_EVENT, "data"),
            16 => self.alarm(),
            17 if depth < 4 => {
                let inner = self.shape(depth + 1);
                self.wrapper(inner)
            }
            18 => {
                let mut event = self.object(&CLOUD_EVENT, "data");
                let data = event["data"].take();
                event["data_base64"] = self.base64(&data);
                event
            }
            19 => {
                let mut event = self.object(&CLOUD_EVENT, "data");
                event["type"] = json!(self.pick(&[
                    "actiontrail:ActionTrail:ApiCall",
                    "ecs:ActionTrail:ConsoleOperation"
                ]));
                event["data"] = self.object(&CALL, "requestParameters");
                event
            }
            5 | 6 => self.object(&FLAT, "content"),
            7 => self.webhook(),
            8 if depth < 4 => {
                let mut envelope = self.object(&CLOUD_EVENT, "data");
                let body = self.pick(&["messageBody", "body", "value"]);
                let inner = self.shape(depth + 1);
                envelope["data"] = json!({ body: self.wrapped(inner) });
                envelope
            }
            9 | 10 if depth < 4 => (0..self.below(6)).map(|_| self.shape(depth + 1)).collect(),
            11 if depth < 4 => {
                let inner = self.shape(depth + 1);
                self.wrapped(inner)
            }
            12 => {
                let mut event = self.object(&CLOUD_EVENT, "data");
                event["type"] = json!(self.pick(&[
                    "ecs:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]",
                    "mongodb:CloudMonitor:Instance[SystemMaintenance.Reboot:Scheduled]",
                    "ecs:CloudMonitor:Disk[Stalled]",
                ]));
                if self.below(2) == 1 {
                    event["data"] = self.object(&FLAT, "content");
                }
                event
            }
            13 => self.value(0),
            _ => self.object(&CLOUD_EVENT, "data"),
        }
    }

    fn wrapped(&mut self, inner: Value) -> Value {
        match self.below(5) {
            0 => inner,
            1 | 2 => self.base64(&inner),
            3 => json!(as_text(&inner)),
            _ => json!(inner.to_string()),
        }
    }

    fn base64(&mut self, inner: &Value) -> Value {
        match self.below(3) {
            0 => json!(STANDARD.encode(inner.to_string())),
            1 => json!(URL_SAFE_NO_PAD.encode(inner.to_string())),
            _ => json!(STANDARD.encode(as_text(inner))),
        }
    }

    /// An object that holds something else, and is no event itself as a rule.
    fn wrapper(&mut self, inner: Value) -> Value {
        let (key, beside) = self.pick(&WRAPPERS);
        let mut wrapper = Map::new();
        if self.below(8) == 7 {
            wrapper.insert("type".to_owned(), json!(self.pick(&NAMES)));
        }
        wrapper.insert(beside.to_owned(), self.field(beside));
        wrapper.insert(key.to_owned(), self.wrapped(inner));
        let wrapper = Value::Object(wrapper);
        match self.below(4) {
            3 => json!({ "type": "mns:Queue:SendMessage", "source": "acs.mns", "data": wrapper }),
            _ => wrapper,
        }
    }

    fn alarm(&mut self) -> Value {
        let mut alarm = self.object(&ALARM, "more");
        let id = self.pick(&IDS);
        alarm["dimensions"] = match self.below(4) {
            0 => json!(format!("{{instanceId={id}, userId=1}}")),
            1 => json!(json!([{ "instanceId": id }]).to_string()),
            2 => json!({ "diskId": id, "device": self.text() }),
            _ => json!(self.text()),
        };
        alarm
    }

    /// Returns an object with some of these keys, nearly always with the first one. Its data are
    /// under the key `details`.
    fn object(&mut self, keys: &[&str], details: &str) -> Value {
        let mut object = Map::new();
        for (place, key) in keys.iter().enumerate() {
            let odds = self.byte();
            if odds < 200 || place == 0 && odds < 250 {
                object.insert((*key).to_owned(), self.field(key));
            }
        }
        let data = self.details();
        let data = if self.below(6) == 5 {
            json!(data.to_string())
        } else {
            data
        };
        object.insert(details.to_owned(), data);
        Value::Object(object)
    }

    fn webhook(&mut self) -> Value {
        let mut alert = self.object(&ALERT, "eventContentMap");
        if self.below(3) > 0 {
            alert["meta"] = json!({ "sysEventMeta": self.object(&META, "more") });
        }
        let mut webhook = self.object(&["severity", "userId", "time"], "more");
        webhook["alert"] = if self.below(3) == 2 {
            json!(alert.to_string())
        } else {
            alert
        };
        webhook
    }

    fn details(&mut self) -> Value {
        let mut details = Map::new();
        for _ in 0..self.below(12) {
            let key = if self.below(5) == 4 {
                self.text()
            } else {
                self.pick(&DETAILS).to_owned()
            };
            let value = match self.below(5) {
                4 => self.value(0),
                _ => self.field(&key),
            };
            details.insert(key, value);
        }
        Value::Object(details)
    }

    /// A value that fits the key as a rule.
    fn field(&mut self, key: &str) -> Value {
        let lower = key.to_ascii_lowercase();
        let fitting: &[&str] = match lower.as_str() {
            "type" | "name" | "eventname" => &NAMES,
            "source" | "product" => &PRODUCTS,
            "level" | "curlevel" | "severity" | "eventlevel" | "triggerlevel"
            | "pretriggerlevel" => &LEVELS,
            "aliyunregionid" | "regionid" => &REGIONS,
            "subject" | "resourceid" | "arn" => &ARNS,
            "status" | "eventstatus" | "state" | "result" | "invocationstatus" | "alertstatus"
            | "alertstate" => &STATUSES,
            _ if lower.contains("time")
                || lower.contains("before")
                || lower.starts_with("interval") =>
            {
                &TIMES
            }
            _ if lower.ends_with("id") => &IDS,
            _ => &WORDS,
        };
        match self.below(4) {
            0..=1 => json!(self.pick(fitting)),
            2 => json!(self.text()),
            _ => self.value(2),
        }
    }

    /// Any JSON.
    fn value(&mut self, depth: usize) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(self.below(2) == 1),
            2 => json!(i64::from(self.byte()) * 1_000_000_007 * i64::from(self.byte())),
            3 => json!(f64::from(self.byte()) * 1.7e9 + f64::from(self.byte()) / 8.0),
            4 | 5 if depth < 5 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            6 | 7 if depth < 5 => {
                let mut map = Map::new();
                for _ in 0..self.below(4) {
                    map.insert(self.text(), self.value(depth + 1));
                }
                Value::Object(map)
            }
            _ => json!(self.text()),
        }
    }

    /// Returns known words, pieces of markdown, raw bytes, or very many of one character.
    fn text(&mut self) -> String {
        match self.below(8) {
            0 => self.pick(&WORDS).to_owned(),
            1..=3 => (0..=self.below(6)).map(|_| self.pick(&HOSTILE)).collect(),
            4 => self.pick(&TIMES).to_owned(),
            5 => {
                let times = self.below(256) * 3;
                self.pick(&[
                    "长",
                    "\"",
                    "a",
                    "_",
                    "\u{1F6A8}",
                    "a/",
                    "w",
                    "\u{200b}",
                    "=",
                    "\\",
                ])
                .repeat(times)
            }
            _ => {
                let length = self.below(24).min(self.0.len());
                let (bytes, rest) = self.0.split_at(length);
                self.0 = rest;
                String::from_utf8_lossy(bytes).into_owned()
            }
        }
    }
}

/// An event as text: as a form where it may be one, else as JSON.
fn as_text(value: &Value) -> String {
    let is_form = |fields: &Map<String, Value>| {
        ["alert", "alertName"]
            .iter()
            .any(|key| fields.contains_key(*key))
    };
    match value {
        Value::Object(fields) if is_form(fields) => form(fields),
        _ => value.to_string(),
    }
}

/// A webhook's or an alarm's fields as a form.
fn form(fields: &Map<String, Value>) -> String {
    let encode =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let name = if name.starts_with("alert") {
                name.clone()
            } else {
                encode(name)
            };
            format!("{name}={}", encode(&text))
        })
        .collect();
    fields.join("&")
}
