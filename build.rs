//! Turns `data/ecs-events.json` into the static table of `src/event/catalog.rs`, and refuses data
//! that make no sense.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One entry of the file. Missing fields, wrong types and unknown levels fail the build.
#[derive(Deserialize)]
struct Entry {
    name: String,
    product: String,
    eventbridge_type: Option<String>,
    title_zh: String,
    title_en: String,
    statuses: Vec<String>,
    advice_zh: String,
    advice_en: String,
    #[serde(default)]
    advice_by_status: BTreeMap<String, LocalizedText>,
    levels: Levels,
    suggested_level: Option<Level>,
    levels_by_field: Option<LevelsByField>,
}

/// As in `catalog.rs`: `{:?}` of it is the Rust expression.
#[derive(Debug, Deserialize)]
struct LocalizedText {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Levels {
    Always(Level),
    ByStatus(BTreeMap<String, Level>),
    Unknown(()),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    Critical,
    Warn,
    Info,
}

#[derive(Deserialize)]
struct LevelsByField {
    field: String,
    values: BTreeMap<String, Level>,
}

fn main() {
    println!("cargo::rerun-if-changed=data/ecs-events.json");
    println!("cargo::rerun-if-changed=build.rs");
    compact_relocations();
    let json =
        std::fs::read_to_string("data/ecs-events.json").expect("data/ecs-events.json can be read");
    let mut entries: Vec<Entry> =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("data/ecs-events.json: {error}"));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for pair in entries.windows(2) {
        assert_ne!(pair[0].name, pair[1].name, "the name stands there twice");
    }
    let rows: String = entries.iter().map(row).collect();
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let table = format!("&[\n{rows}]");
    std::fs::write(Path::new(&out).join("catalog.rs"), table).expect("OUT_DIR can be written");
}

/// Returns the Rust expression of one entry.
fn row(entry: &Entry) -> String {
    check(entry);
    let levels = match &entry.levels {
        Levels::Always(level) => format!("Always({level:?})"),
        Levels::ByStatus(levels) => format!("ByStatus({})", slice(levels)),
        Levels::Unknown(()) => "Unknown".to_owned(),
    };
    let by_field = entry.levels_by_field.as_ref().map_or("None".into(), |by| {
        format!("Some(({:?}, {}))", by.field, slice(&by.values))
    });
    let title = localized(&entry.title_zh, &entry.title_en);
    let advice = localized(&entry.advice_zh, &entry.advice_en);
    [
        format!("Entry {{ name: {:?},", entry.name),
        format!("product: {:?},", entry.product),
        format!("eventbridge_type: {:?},", entry.eventbridge_type),
        format!("title: {title},"),
        format!("statuses: &{:?},", entry.statuses),
        format!("advice: {advice},"),
        format!("advice_by_status: {},", slice(&entry.advice_by_status)),
        format!("levels: {levels},"),
        format!("fallback_level: {:?},", entry.suggested_level),
        format!("level_by_field: {by_field} }},"),
    ]
    .join("\n")
        + "\n"
}

/// Panics where an entry lacks what its readers rely on.
fn check(entry: &Entry) {
    let name = &entry.name;
    let texts = [
        ("name", name),
        ("product", &entry.product),
        ("title_zh", &entry.title_zh),
        ("title_en", &entry.title_en),
        ("advice_zh", &entry.advice_zh),
        ("advice_en", &entry.advice_en),
    ];
    for (key, text) in texts {
        assert!(!text.is_empty(), "{name:?}: {key} is empty");
    }
    for (status, advice) in &entry.advice_by_status {
        let is_whole = !advice.zh.is_empty() && !advice.en.is_empty();
        assert!(
            is_whole,
            "{name:?}: the advice for {status} is not there in both languages"
        );
    }
    if let Levels::ByStatus(levels) = &entry.levels {
        for status in &entry.statuses {
            assert!(
                levels.contains_key(status),
                "{name:?}: the status {status} has no level"
            );
        }
    }
    if let Some(by) = &entry.levels_by_field {
        let is_whole = !by.field.is_empty() && !by.values.is_empty();
        assert!(is_whole, "{name:?}: levels_by_field needs field and values");
    }
}

/// Returns a table as a slice of pairs, sorted by key.
fn slice<T: std::fmt::Debug>(table: &BTreeMap<String, T>) -> String {
    format!("&{:?}", table.iter().collect::<Vec<_>>())
}

fn localized(zh: &str, en: &str) -> String {
    format!("LocalizedText {{ zh: {zh:?}, en: {en:?} }}")
}

/// Lets the linker write the binary's relocations as a bit map: 100 KB less to read at start.
///
/// musl reads that format since 1.2.4. A linker that does not know the option ignores it. Zig's
/// linker, used on hosts other than Linux, refuses it.
fn compact_relocations() {
    let is_musl = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl");
    if is_musl && cfg!(target_os = "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
