//! What became of events, and which were never shown, from the lines of the function's own log.
//!
//! Pure but for the inputs that it reads. Only a hash and a few bits are kept of an event on a
//! route, and details only while the event has failed and was not shown. So the order of the lines
//! does not matter, nor do lines that stand there several times.
//!
//! - `answer`: what it comes to, also as JSON
//! - `lines`, `text`: text to log lines, wherever they stand; bytes to text

mod answer;
mod lines;
mod text;

pub use answer::{Answer, NeverShown, RouteCounts};
pub use lines::LineCounts;

use answer::parsed;
use lines::Lines;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::io::Read;
use text::Text;

/// The most memory for details of events that were not shown, in bytes: some 30,000 events.
const MAX_DETAILS: usize = 20 * 1024 * 1024;
/// What an event's details take beside their text.
const OVERHEAD: usize = 128;

/// Bits of what is known of an event on a route.
const DELIVERED: u32 = 1;
const DUPLICATE: u32 = 2;
const FAILED: u32 = 4;
/// Rules that filtered the event have the bits from here on, in the order of the route's rules.
const FIRST_RULE: u32 = 8;
/// The most rules of a route that are told apart. It has some ten.
const MAX_RULES: usize = 28;
/// Stands for all further rules.
const OTHER_RULES: &str = "others";

/// Members of a line that are kept of a failure.
const DETAILS: [&str; 13] = [
    "time",
    "requestId",
    "eventId",
    "event",
    "level",
    "resource",
    "resourceName",
    "region",
    "account",
    "route",
    "errcode",
    "class",
    "remedy",
];
/// Members of the slowest line that are kept.
const SLOWEST: [&str; 6] = ["time", "route", "eventId", "event", "outcome", "durationMs"];

/// What the lines that were read so far tell.
#[derive(Default)]
pub struct History {
    hashes: RandomState,
    lines: LineCounts,
    span: Option<(String, String)>,
    routes: BTreeMap<String, Tally>,
    /// What is known of each event on each route, by [`key`](History::key), and of each delivered
    /// message, by the hash of its idempotency key.
    states: HashMap<u64, State>,
    /// Bytes that the details of failures take.
    details: usize,
    /// The longest duration, and its line as JSON: of equals the first in the order of the texts.
    slowest: Option<(u64, Reverse<String>)>,
}

/// What is known of an event on a route.
#[derive(Default)]
struct State {
    bits: u32,
    /// The details, if it has failed and was not shown.
    failure: Option<Box<Failure>>,
}

/// What is kept of an event that has failed.
#[derive(Default)]
struct Failure {
    /// The last line that tells of it: its time, a line feed, and it as JSON. So the order of the
    /// texts is that of the times.
    line: String,
    /// Hashes of the different lines that do.
    tries: Vec<u32>,
}

/// The counts of one route.
#[derive(Default)]
struct Tally {
    counts: RouteCounts,
    /// Rules, and how many events each has filtered.
    rules: Vec<(String, usize)>,
}

impl History {
    /// Reads all log lines of an input.
    pub fn read(&mut self, input: impl Read) -> std::io::Result<()> {
        let mut input = Text::new(input);
        let mut text = String::new();
        let mut lines = Lines::default();
        loop {
            let is_last = !input.read_to(&mut text)?;
            let done = lines.find(&text, is_last, &mut |line| self.add(line));
            text.drain(..done);
            if is_last {
                break;
            }
        }
        self.lines.add(lines.counts);
        Ok(())
    }

    /// Takes one line into account.
    fn add(&mut self, line: &Map<String, Value>) {
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let (outcome, uuid) = (text("outcome"), text("messageUuid"));
        let time = printable(text("time"));
        self.add_time(&time);
        self.add_duration(line);

        let key = self.key(line);
        let name = text("route");
        if !self.routes.contains_key(name) {
            self.routes.insert(name.to_owned(), Tally::default());
        }
        let tally = self.routes.get_mut(name).expect("it was inserted");
        if outcome == "delivered" && !uuid.is_empty() {
            let message = self.states.entry(self.hashes.hash_one(uuid)).or_default();
            tally.counts.messages += usize::from(message.bits == 0);
            message.bits = DELIVERED;
        }
        let state = self.states.entry(key).or_default();
        let bits = match outcome {
            "delivered" => DELIVERED,
            "duplicate" => DUPLICATE,
            "failed" => FAILED,
            _ => tally.rule(text("rule")),
        };
        tally.change(state.bits, state.bits | bits);
        state.bits |= bits;

        let size = |state: &State| state.failure.as_ref().map_or(0, |failure| failure.size());
        self.details -= size(state);
        if is_shown(state.bits) {
            state.failure = None;
        } else if bits == FAILED {
            let line = format!("{time}\n{}", members(line, &DETAILS));
            if self.details + size(state) + OVERHEAD + line.len() <= MAX_DETAILS {
                let this_try = self.hashes.hash_one(&line) as u32;
                state.failure.get_or_insert_default().add(line, this_try);
            }
        }
        self.details += size(state);
    }

    fn add_time(&mut self, time: &str) {
        if time.is_empty() {
            return;
        }
        let both = || (time.to_owned(), time.to_owned());
        let (from, to) = self.span.get_or_insert_with(both);
        if time < from.as_str() {
            time.clone_into(from);
        } else if time > to.as_str() {
            time.clone_into(to);
        }
    }

    fn add_duration(&mut self, line: &Map<String, Value>) {
        let Some(duration) = line.get("durationMs").and_then(Value::as_u64) else {
            return;
        };
        if (self.slowest.as_ref()).is_some_and(|(slowest, _)| duration < *slowest) {
            return;
        }
        let line = members(line, &SLOWEST);
        self.slowest = self.slowest.take().max(Some((duration, Reverse(line))));
    }

    /// Returns the key of a line's event on its route. As for the function, it is another event if
    /// name, status or resource is another: some producers reuse an id.
    fn key(&self, line: &Map<String, Value>) -> u64 {
        let names = ["route", "eventId", "event", "resource"];
        let texts = names.map(|name| line.get(name).and_then(Value::as_str));
        self.hashes.hash_one(texts)
    }

    /// Returns what all the lines tell.
    pub fn into_answer(self) -> Answer {
        let routes = self.routes.into_iter();
        let routes: Vec<(String, RouteCounts)> = routes
            .map(|(name, tally)| (printable(&name), tally.into_counts()))
            .collect();
        let states = self.states.into_values();
        let failures = states.filter_map(|state| state.failure);
        let mut lines: Vec<String> = failures.map(|failure| failure.into_line()).collect();
        lines.sort_unstable();
        let all: usize = (routes.iter())
            .map(|(_, counts)| counts.never_shown())
            .sum();
        let slowest = self
            .slowest
            .map(|(duration, line)| (duration, parsed(&line.0)));
        let (slowest_ms, slowest) = slowest.unzip();
        Answer {
            span: self.span,
            routes,
            more_never_shown: all - lines.len(),
            never_shown: lines.into_iter().map(NeverShown::new).collect(),
            slowest_ms,
            slowest,
            lines: self.lines,
        }
    }
}

/// Returns some members of a line as JSON.
fn members(line: &Map<String, Value>, names: &[&str]) -> String {
    let mut members = Map::new();
    for name in names {
        if let Some(value) = line.get(*name).and_then(printable_value) {
            members.insert((*name).to_owned(), value);
        }
    }
    Value::Object(members).to_string()
}

fn is_shown(bits: u32) -> bool {
    bits & (DELIVERED | DUPLICATE) != 0
}

/// Returns a text without control characters.
fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Returns a text without control characters, or a number.
fn printable_value(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(printable(text).into()),
        Value::Number(_) => Some(value.clone()),
        _ => None,
    }
}

impl Failure {
    /// Adds a line that tells of the failure; the same line may come again.
    fn add(&mut self, line: String, hash: u32) {
        if line > self.line {
            self.line = line;
            self.line.shrink_to_fit();
        }
        if !self.tries.contains(&hash) {
            self.tries.push(hash);
        }
    }

    /// Returns how many bytes it takes.
    fn size(&self) -> usize {
        OVERHEAD + self.line.len() + size_of_val(self.tries.as_slice())
    }

    /// Returns the last line with the number of tries.
    fn into_line(mut self) -> String {
        self.line.pop();
        self.line
            .push_str(&format!(",\"tries\":{}}}", self.tries.len()));
        self.line
    }
}

impl Tally {
    /// Returns the bit of a rule.
    fn rule(&mut self, rule: &str) -> u32 {
        let rules = &mut self.rules;
        let known = rules.iter().position(|(known, _)| known == rule);
        let index = known.unwrap_or_else(|| {
            if rules.len() < MAX_RULES {
                rules.push((rule.to_owned(), 0));
            } else if rules.len() == MAX_RULES {
                rules.push((OTHER_RULES.to_owned(), 0));
            }
            rules.len() - 1
        });
        FIRST_RULE << index
    }

    /// Counts what is new about an event.
    fn change(&mut self, before: u32, after: u32) {
        let new = |bit: u32| usize::from(before & bit == 0 && after & bit != 0);
        let counts = &mut self.counts;
        counts.events += usize::from(before == 0);
        counts.delivered += new(DELIVERED);
        counts.duplicate += new(DUPLICATE);
        counts.failed += new(FAILED);
        let is_both = |bits: u32| bits & FAILED != 0 && is_shown(bits);
        counts.failed_but_shown += usize::from(!is_both(before) && is_both(after));
        for (index, (_, count)) in self.rules.iter_mut().enumerate() {
            *count += new(FIRST_RULE << index);
        }
    }

    fn into_counts(mut self) -> RouteCounts {
        for (rule, count) in self.rules {
            self.counts.filtered.insert(printable(&rule), count.into());
        }
        self.counts
    }
}

#[cfg(test)]
mod tests;
