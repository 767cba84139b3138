//! A file of what was stored to events: no panic, no loss, each event as it came, within bounded
//! time.

use crate::recipe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecs_dingtalk_notifier::event::{self, Content, Part, read_file};
use serde_json::Value;

/// Longest text of one fault, in bytes.
const MAX_FAULT: usize = 1_000;
/// Events in arrays that are too deep for a payload are found only without what they are wrapped in.
const SAFE_DEPTH: usize = 3;

/// Checks the file that `input` is. If it begins with a byte from 2 to 5, what follows is a payload
/// (see [`recipe::payload`]) that stands between others.
pub fn check(input: &[u8]) {
    match input {
        [how @ 2..=5, rest @ ..] => check_beside(&recipe::payload(rest), *how),
        _ => _ = check_file(input),
    }
}

fn check_file(file: &[u8]) -> Vec<Part> {
    let parts = read_file(file);
    let lines = 1 + file.iter().filter(|byte| **byte == b'\n').count();
    for part in &parts {
        assert!((1..=lines).contains(&part.line), "a line of the file");
        match &part.content {
            Content::Event { event, json } => {
                assert!(!json.contains(['\n', '\r']), "one line");
                let alone = event::parse(json.as_bytes());
                let is_shallow = part.path.matches(['.', '[']).count() <= SAFE_DEPTH;
                assert!(
                    !is_shallow || alone.events == std::slice::from_ref(event),
                    "as it came: {json}"
                );
            }
            Content::LeftOut(_) => {}
            Content::Fault(problem) => assert!(problem.len() <= MAX_FAULT, "{problem}"),
        }
    }
    parts
}

/// A payload between two others gives what it gives alone, and stops neither of them.
fn check_beside(payload: &[u8], how: u8) {
    let alone = check_file(payload);
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return;
    };
    if !value.is_object() && !value.is_array() {
        return;
    }
    let text = value.to_string();
    let text = match how {
        2 => text,
        3 => STANDARD.encode(text),
        4 => format!(
            "<Message><MessageBody>{}</MessageBody></Message>",
            STANDARD.encode(text)
        ),
        _ => Value::from(text).to_string(),
    };
    let mark = |id| {
        format!(
            "{{\"type\":\"ecs:a:b\",\"id\":\"{id}\",\"source\":\"acs.ecs\",\"specversion\":\"1.0\"}}"
        )
    };
    let file = format!("{}\n{text}\n{}", mark("first"), mark("last"));
    let between = check_file(file.as_bytes());
    let ids: Vec<&str> = between.iter().filter_map(event_id).collect();
    assert_eq!(ids.first(), Some(&"first"));
    assert_eq!(ids.last(), Some(&"last"));
    // Not every float comes back from its text exactly as it was.
    if serde_json::from_str::<Value>(&value.to_string())
        .ok()
        .as_ref()
        == Some(&value)
        && how == 2
    {
        assert_eq!(between.len(), alone.len() + 2, "{file}");
    }
}

fn event_id(part: &Part) -> Option<&str> {
    match &part.content {
        Content::Event { event, .. } => event.id.as_deref(),
        Content::LeftOut(_) | Content::Fault(_) => None,
    }
}
