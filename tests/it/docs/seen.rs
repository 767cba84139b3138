//! What a section for operators says one sees, beside what is seen.

use super::markdown::Section;
use super::page;
use super::sandbox::{Done, Sandbox};
use serde_json::Value;

/// Returns true if a value is what an excerpt says, where `…` stands for any text.
fn is_like(excerpt: &Value, value: &Value) -> bool {
    let (Some(excerpt), Some(value)) = (excerpt.as_str(), value.as_str()) else {
        return excerpt == value;
    };
    let mut rest = value;
    let parts: Vec<&str> = excerpt.split('…').collect();
    let is_open = parts.len() > 1;
    rest.starts_with(parts[0])
        && (is_open || value == excerpt)
        && parts.iter().all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
}

/// Each excerpt of a log line in the section is of one of these lines.
pub fn assert_seen(section: &Section, lines: &[Value]) {
    for excerpt in section.blocks_in("json") {
        let excerpt: Value = serde_json::from_str(excerpt).unwrap();
        let members = excerpt.as_object().unwrap();
        let found = lines.iter().any(|line| {
            members
                .iter()
                .all(|(name, value)| is_like(value, &line[name]))
        });
        assert!(
            found,
            "{}: no line is like {excerpt}: {lines:#?}",
            section.heading
        );
    }
}

/// Runs the commands with the settings, as the page begins.
pub fn with_settings(sandbox: &Sandbox, commands: Vec<String>) -> Vec<Done> {
    let first = page("docs/operations.md").section("Operations").commands();
    let mut done = sandbox.run(&[&first[..], &commands].concat());
    done.drain(..first.len());
    done
}

/// Runs the section's commands. Each must end with its code; each printed text must be there.
pub fn run(section: &Section, sandbox: &Sandbox, codes: &[i32]) -> Vec<Done> {
    let done = with_settings(sandbox, section.commands());
    let found: Vec<i32> = done.iter().map(|done| done.code).collect();
    assert_eq!(found, codes, "{}: {done:#?}", section.heading);
    for text in section
        .blocks_in("text")
        .iter()
        .flat_map(|text| text.lines())
    {
        let found = done.iter().any(|done| done.output.contains(text));
        assert!(found, "{}: {text} is not in {done:#?}", section.heading);
    }
    done
}

#[test]
fn an_excerpt_is_like_what_it_is_cut_from() {
    let is_like = |excerpt: &str, value: &str| is_like(&excerpt.into(), &value.into());
    for (excerpt, value) in [
        ("a", "a"),
        ("a…", "ab"),
        ("…b", "ab"),
        ("…b…", "abc"),
        ("…", ""),
    ] {
        assert!(is_like(excerpt, value), "{excerpt}: {value}");
    }
    for (excerpt, value) in [("a", "ab"), ("b…", "ab"), ("…c…", "ab"), ("a…a", "a")] {
        assert!(!is_like(excerpt, value), "{excerpt}: {value}");
    }
}
