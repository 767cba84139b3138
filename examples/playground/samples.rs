//! Reads the sample events of this repository and makes new events of them: with new ids and with
//! times moved to now.

use ecs_dingtalk_notifier::channel::dingtalk::markdown;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::event::{self, Event, EventTime, Level};
use ecs_dingtalk_notifier::message::{self, RenderOptions};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// The path of the samples in this repository.
pub const FOLDER: &str = "tests/events";
/// Times further away from the event's own time are moved separately.
const FAR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A sample event.
pub struct Sample {
    /// Its path under [`FOLDER`].
    pub file: String,
    /// The file's content, unchanged.
    pub text: String,
    /// What the page's list shows.
    pub summary: Value,
}

/// Reads all samples in the order of the index, those of EventBridge first.
///
/// # Errors
/// If the index or one of the samples cannot be read.
pub fn all() -> Result<Vec<Sample>, String> {
    let index = read("index.json")?;
    let index: Vec<Value> =
        serde_json::from_str(&index).map_err(|error| format!("{FOLDER}/index.json: {error}"))?;
    let mut samples = Vec::new();
    for entry in &index {
        let file = entry["file"].as_str().unwrap_or_default();
        let text = read(file)?;
        let summary = summary(file, &text);
        let file = file.to_owned();
        samples.push(Sample {
            file,
            text,
            summary,
        });
    }
    // EventBridge is what invokes the deployed function.
    samples.sort_by_key(|sample| !sample.file.starts_with("eventbridge/"));
    Ok(samples)
}

/// Reads a sample.
///
/// # Errors
/// If the file cannot be read.
pub fn read(file: &str) -> Result<String, String> {
    let path = format!("{}/{FOLDER}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
}

fn summary(file: &str, text: &str) -> Value {
    let events = event::parse(text.as_bytes()).events;
    let events: Vec<&Event> = events.iter().map(Arc::as_ref).collect();
    let (zh, en) = headline(&events);
    let level = events.iter().filter_map(|event| event.level).max();
    let folder = file.split('/').next().unwrap_or_default();
    let kind = match events.as_slice() {
        [one] => one.name.split(':').next().unwrap_or_default(),
        _ => "Batch",
    };
    json!({
        "file": file, "shape": folder, "kind": kind, "zh": zh, "en": en,
        "event": events.first().map(|event| event.full_name()),
        "level": level.map(Level::as_str), "count": events.len(),
    })
}

/// Returns the message's title without the resource, in Chinese and in English.
pub fn headline(events: &[&Event]) -> (String, String) {
    static OPTIONS: LazyLock<[Option<RenderOptions>; 2]> =
        LazyLock::new(|| ["zh", "en"].map(render_options));
    let [zh, en] = OPTIONS.each_ref().map(|options| match (options, events) {
        (None, _) | (_, []) => String::new(),
        (Some(options), _) => {
            let message = message::compose(events, options, Timestamp::now());
            let title = markdown::write(&message, None).title;
            // Icon, what happened, status; not the resource.
            let words: Vec<&str> = title.split(" · ").collect();
            let has_status = events.first().is_some_and(|event| event.status.is_some());
            let shown = if events.len() > 1 || has_status { 2 } else { 1 };
            words.get(..shown).unwrap_or(&words).join(" · ")
        }
    });
    (zh, en)
}

/// The options of a configuration that sets nothing but the language.
fn render_options(language: &str) -> Option<RenderOptions> {
    let vars = [
        (
            "DINGTALK_WEBHOOK",
            "http://127.0.0.1/robot/send?access_token=headlines",
        ),
        ("MESSAGE_LANGUAGE", language),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let route = Config::from_vars(vars).ok()?.routes.into_iter().next()?;
    Some(route.render_options)
}

/// Returns the payload as a new event that happens `now`.
pub fn fresh(payload: &str, now: Timestamp) -> String {
    moved_to(&with_new_ids(payload), now)
}

/// Returns the payload as a new event of resource `number`.
pub fn fresh_with_resource(payload: &str, number: usize, now: Timestamp) -> String {
    let mut text = fresh(payload, now);
    for id in resource_ids(payload) {
        let keep = id.len().saturating_sub(5);
        if let Some(stem) = id.get(..keep) {
            text = text.replace(&id, &format!("{stem}{number:05}"));
        }
    }
    let mut names = BTreeSet::new();
    if let Ok(value) = serde_json::from_str(payload) {
        collect(&value, &["instanceName", "ecsInstanceName"], &mut names);
    }
    for name in names {
        let quoted = Value::from(name.as_str()).to_string();
        text = text.replace(&quoted, &format!("\"web-{number:03}\""));
    }
    text
}

fn with_new_ids(payload: &str) -> String {
    let mut ids = BTreeSet::new();
    if let Ok(value) = serde_json::from_str(payload) {
        collect(&value, &["id"], &mut ids);
    }
    // Those in a form are no fields of the JSON.
    let events = event::parse(payload.as_bytes()).events;
    ids.extend(events.iter().filter_map(|event| event.id.clone()));
    let mut text = payload.to_owned();
    for id in ids.iter().filter(|id| id.len() >= 8) {
        text = text.replace(id, &new_id());
    }
    text
}

/// Collects the strings under these keys, also those in JSON inside a string, as in queue messages.
fn collect(value: &Value, keys: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(text) if keys.contains(&key.as_str()) => {
                        found.insert(text.to_owned());
                    }
                    _ => collect(value, keys, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, keys, found)),
        Value::String(text) if text.trim_start().starts_with('{') => {
            if let Ok(inner) = serde_json::from_str(text) {
                collect(&inner, keys, found);
            }
        }
        _ => {}
    }
}

/// Returns a random id in EventBridge's format.
fn new_id() -> String {
    // The hasher's keys are random: two hashes are 128 random bits.
    let [a, b] = [(); 2].map(|()| RandomState::new().hash_one(()));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

/// Finds resource ids such as `i-bp1ecr4x7k2m9q5go2go`.
fn resource_ids(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c| !is_part(c))
        .filter(|word| {
            let Some((kind, rest)) = word.split_once('-') else {
                return false;
            };
            ["i", "d", "s", "eni", "e"].contains(&kind)
                && rest.len() >= 12
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// Moves every time in the payload by the event's distance from now, so that a plan two days ahead
/// stays two days ahead. A time that is months away from the event's own is moved to now itself.
fn moved_to(payload: &str, now: Timestamp) -> String {
    let events = event::parse(payload.as_bytes()).events;
    let Some(EventTime::At(own)) = events.iter().find_map(|event| event.time.clone()) else {
        return payload.to_owned();
    };
    let own = TimeZone::UTC.to_datetime(own);
    let places = times(payload);
    let is_far = |time: &DateTime| own.duration_until(*time).abs() > FAR;
    let far = places.iter().map(|(_, _, time)| *time).filter(is_far).max();
    let now = TimeZone::UTC.to_datetime(now);
    let mut text = payload.to_owned();
    for (at, format, time) in places {
        let from = match far {
            Some(far) if is_far(&time) => far,
            _ => own,
        };
        let moved = time
            .saturating_add(from.duration_until(now))
            .strftime(format);
        let moved = moved.to_string();
        // Both formats have a fixed width.
        if text.is_char_boundary(at) && text.is_char_boundary(at + moved.len()) {
            text.replace_range(at..at + moved.len(), &moved);
        }
    }
    text
}

/// Finds the times in the samples' formats, to the second: offset, format, and time.
fn times(text: &str) -> Vec<(usize, &'static str, DateTime)> {
    let formats = [("%Y-%m-%dT%H:%M:%S", 19), ("%Y%m%dT%H%M%S", 15)];
    let mut found = Vec::new();
    for (at, _) in text.match_indices("T") {
        for (format, width) in formats {
            let before = if width == 19 { 10 } else { 8 };
            let Some(begin) = at.checked_sub(before) else {
                continue;
            };
            if let Some(candidate) = text.get(begin..begin + width)
                && let Ok(time) = DateTime::strptime(format, candidate)
            {
                found.push((begin, format, time));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(payload: &str) -> Vec<Arc<Event>> {
        event::parse(payload.as_bytes()).events
    }

    #[test]
    fn every_sample_has_a_headline_in_both_languages() {
        let samples = all().unwrap();
        assert!(samples.len() > 50);
        for sample in samples {
            for language in ["zh", "en"] {
                let headline = sample.summary[language].as_str().unwrap_or_default();
                assert!(!headline.is_empty(), "{}", sample.file);
            }
        }
    }

    #[test]
    fn fresh_events_have_new_ids_and_times_and_else_stay_equal() {
        for sample in all().unwrap() {
            let before = parsed(&sample.text);
            let after = parsed(&fresh(&sample.text, Timestamp::now()));
            assert_eq!(before.len(), after.len(), "{}", sample.file);
            let is_json = sample.file.ends_with(".json");
            for (before, after) in before.iter().zip(&after) {
                assert_eq!(before.full_name(), after.full_name(), "{}", sample.file);
                assert_eq!(before.resource_id, after.resource_id, "{}", sample.file);
                // What is in Base64 or in a form stays as it is.
                let is_plain = before.id.as_ref().is_some_and(|id| {
                    let written = [format!("\"{id}\""), format!("\\\"{id}\\\"")];
                    written.iter().any(|id| sample.text.contains(id))
                });
                if is_json && is_plain {
                    assert_ne!(before.id, after.id, "{}", sample.file);
                }
            }
        }
        let sample = read("eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json").unwrap();
        let now = Timestamp::now() + SignedDuration::from_hours(50);
        let [event] = parsed(&fresh(&sample, now)).try_into().unwrap();
        let (Some(EventTime::At(time)), Some(EventTime::At(planned))) =
            (&event.time, event.not_before())
        else {
            panic!("{event:?}");
        };
        let age = time.duration_until(now);
        assert!(age.abs() < SignedDuration::from_secs(60), "{age}");
        let hours = time.duration_until(planned).as_hours();
        assert_eq!(hours, 68, "the plan stays as far ahead");
    }

    #[test]
    fn the_events_of_a_burst_are_of_different_resources() {
        let sample = read("eventbridge/Instance-StateChange-Stopped.json").unwrap();
        let events: Vec<Arc<Event>> = (0..3)
            .flat_map(|number| parsed(&fresh_with_resource(&sample, number, Timestamp::now())))
            .collect();
        let distinct = |of: fn(&Event) -> Option<String>| {
            events
                .iter()
                .map(|event| of(event))
                .collect::<BTreeSet<_>>()
                .len()
        };
        assert_eq!(distinct(|event| event.id.clone()), 3);
        assert_eq!(distinct(|event| event.resource_id.clone()), 3);
        assert_eq!(distinct(|event| event.resource_name.clone()), 3);
    }
}
