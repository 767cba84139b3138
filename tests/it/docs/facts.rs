//! What the first page says of the program is true: its variables and their defaults, the fields of
//! the log, the commands, and numbers that the repository has elsewhere too.

use super::markdown::Cell;
use super::{page, root};
use crate::platform::run;
use ecs_dingtalk_notifier::config::{Config, KNOWN};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "README.md";

fn table(heading: &str) -> Vec<Vec<Cell>> {
    let mut page = page(PAGE);
    let section = page.sections.iter_mut().find(|s| s.heading == heading);
    section.unwrap().tables.remove(0)
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_table_of_variables_has_each_with_its_default() {
    let mut defaults: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let page = page(PAGE);
    let tables = page.sections.iter().flat_map(|section| &section.tables);
    let tables = tables.filter(|table| table[0][0].text == "Variable");
    for row in tables.flat_map(|table| &table[1..]) {
        for name in &row[0].spans {
            assert!(!defaults.contains_key(name), "{name} is there twice");
            defaults.insert(name.clone(), row[1].spans.clone());
        }
    }
    // Those of other chats have a table of their own.
    let is_here = |name: &&str| {
        let others = ["LARK_", "WECOM_", "SLACK_"];
        !others.iter().any(|prefix| name.starts_with(prefix))
    };
    let known: BTreeSet<&str> = KNOWN.into_iter().filter(is_here).collect();
    let found: BTreeSet<&str> = defaults.keys().map(String::as_str).collect();
    assert_eq!(found, known);
    // A default that is written out is the same as none.
    let webhook = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
    let base = [
        ("DINGTALK_WEBHOOK", webhook),
        ("EVENT_QUIET_HOURS", "22:00-08:00"),
    ];
    let config = |more: Option<(&str, &str)>| {
        let vars = base.iter().copied().chain(more);
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        format!("{:?}", Config::from_vars(vars).unwrap())
    };
    let mut written = 0;
    for (name, default) in &defaults {
        let [default] = &default[..] else { continue };
        assert_eq!(config(Some((name, default))), config(None), "{name}");
        written += 1;
    }
    assert!(written > 8, "{written}");
}

#[test]
fn the_table_of_the_chats_variables_says_who_has_which() {
    let mut page = page(PAGE);
    let section = page
        .sections
        .iter_mut()
        .find(|s| s.heading == "Other chats");
    let table = section.unwrap().tables.remove(1);
    let prefixes: Vec<&str> = table[0][1..].iter().map(|cell| &*cell.spans[0]).collect();
    assert_eq!(prefixes, ["DINGTALK_", "LARK_", "WECOM_", "SLACK_"]);
    let mut told = BTreeSet::new();
    for row in &table[1..] {
        for name in row[0]
            .spans
            .iter()
            .filter_map(|name| name.strip_prefix('…'))
        {
            let has = prefixes
                .iter()
                .zip(&row[1..])
                .filter(|(_, cell)| cell.text != "–");
            told.extend(has.map(|(prefix, _)| format!("{}{}", prefix, &name[1..])));
        }
    }
    // The address that everything hangs on is in the table before.
    told.extend(prefixes.iter().map(|prefix| format!("{prefix}WEBHOOK")));
    let of_chats = |name: &&str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let known: BTreeSet<String> = KNOWN
        .into_iter()
        .filter(of_chats)
        .map(String::from)
        .collect();
    assert_eq!(told, known);
}

#[test]
fn the_fields_of_the_log_are_those_of_a_line() {
    let section = page(PAGE);
    let section = section.section("Logs and answers");
    let fields = section.blocks_in("text").concat().replace('\n', " ");
    let fields: BTreeSet<&str> = fields.split(',').map(str::trim).collect();
    let source = file("src/log.rs");
    let line = source.split("pub struct Line").nth(1).unwrap();
    let line = line.split("\n}").next().unwrap();
    let names = line.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(':')?;
        Some(camel_case(name))
    });
    let names: BTreeSet<String> = names.collect();
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(fields, names);
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| {
        name + &word[..1].to_uppercase() + &word[1..]
    })
}

#[test]
fn the_table_of_commands_is_the_programs_usage() {
    let usage = String::from_utf8(run(&["--help"], &[], "").stdout).unwrap();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let rows = table("Commands");
    for name in rows[1..].iter().flat_map(|row| &row[0].spans) {
        let words: Vec<&str> = name.split(' ').collect();
        assert!(words.iter().all(|word| usage.contains(word)), "{name}");
        told.insert(words[0]);
    }
    for line in usage.lines() {
        let Some(command) = line.trim().strip_prefix("ecs-dingtalk-notifier ") else {
            continue;
        };
        let name = command.split_whitespace().next().unwrap();
        assert!(told.contains(name) || name == "serve", "{command}");
    }
}

#[test]
fn numbers_of_the_page_are_those_of_the_repository() {
    let page = file(PAGE);
    let manifest = file("Cargo.toml");
    let rust = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let rust = rust.unwrap().trim_matches('"');
    for path in ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"] {
        let found =
            file(path).contains(&format!("(https://www.rust-lang.org/tools/install) {rust}"));
        assert!(found, "{path}: Rust {rust}");
    }
    let catalog: serde_json::Value = serde_json::from_str(&file("data/ecs-events.json")).unwrap();
    // Without what the function says by itself.
    let events = catalog.as_array().unwrap().iter();
    let events = events.filter(|event| !event["name"].as_str().unwrap().starts_with("Notifier:"));
    let events = events.count();
    assert!(
        page.contains(&format!("for {events} event types")),
        "{events}"
    );
}
