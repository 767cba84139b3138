//! Turns `data/ecs-events.json` into the static table of `src/catalog.rs`, and refuses data that
//! make no sense.

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
    /// The project's own choice where no list or page states a level.
    suggested_level: Option<Level>,
    levels_by_field: Option<LevelsByField>,
}

/// As in `catalog.rs`: `{:?}` of it is the Rust expression.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read by Debug")]
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

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
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

/// Read by people too, who look for it at the top of the repository.
const DATA: &str = "../../data/ecs-events.json";

fn main() {
    println!("cargo::rerun-if-changed={DATA}");
    println!("cargo::rerun-if-changed=build.rs");
    let json = std::fs::read_to_string(DATA).expect("data/ecs-events.json can be read");
    let mut entries: Vec<Entry> =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("data/ecs-events.json: {error}"));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for pair in entries.windows(2) {
        assert_ne!(pair[0].name, pair[1].name, "two entries have this name");
    }
    let rows: String = entries.iter().map(row).collect();
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let table = format!("&[\n{rows}]");
    std::fs::write(Path::new(&out).join("catalog.rs"), table).expect("OUT_DIR can be written");
}

/// Returns the Rust expression of one entry.
fn row(entry: &Entry) -> String {
    let name = &entry.name;
    let (level, level_by_status) = levels(entry);
    let level_by_result = entry.levels_by_field.as_ref().map_or("&[]".into(), |by| {
        assert_eq!(
            by.field, "result",
            "{name}: the only field that decides a level is `result`"
        );
        assert!(
            !by.values.is_empty(),
            "{name}: levels_by_field has no values"
        );
        slice(&by.values)
    });
    let row = [
        format!("Entry {{ name: {name:?}"),
        format!("product: {:?}", entry.product),
        format!("eventbridge_type: {:?}", entry.eventbridge_type),
        format!("title: {}", localized(&entry.title_zh, &entry.title_en)),
        format!("statuses: &{:?}", entry.statuses),
        format!("advice: {}", localized(&entry.advice_zh, &entry.advice_en)),
        format!("advice_by_status: {}", slice(&entry.advice_by_status)),
        format!("level: {level:?}"),
        format!("level_by_status: {}", slice(&level_by_status)),
        format!("level_by_result: {level_by_result} }},\n"),
    ]
    .join(", ");
    // Written as Rust, only an empty text has two quotation marks in a row.
    assert!(!row.contains("\"\""), "an empty text in {row}");
    row
}

/// Returns the level for a status that has none of its own, and those of the statuses that have.
fn levels(entry: &Entry) -> (Option<Level>, BTreeMap<String, Level>) {
    let (documented, by_status) = match &entry.levels {
        Levels::Unknown(()) => (None, BTreeMap::new()),
        Levels::Always(level) => (Some(*level), BTreeMap::new()),
        Levels::ByStatus(levels) => {
            for status in &entry.statuses {
                let is_known = levels.contains_key(status);
                assert!(is_known, "{}: the status {status} has no level", entry.name);
            }
            // A status that the list lacks changes nothing where all the others agree.
            let first = levels.values().next().copied();
            let agree = levels.values().all(|level| Some(*level) == first);
            (first.filter(|_| agree), levels.clone())
        }
    };
    (documented.or(entry.suggested_level), by_status)
}

/// Returns a table as a slice of pairs, sorted by key.
fn slice<T: std::fmt::Debug>(table: &BTreeMap<String, T>) -> String {
    format!("&{:?}", table.iter().collect::<Vec<_>>())
}

fn localized(zh: &str, en: &str) -> String {
    format!("LocalizedText {{ zh: {zh:?}, en: {en:?} }}")
}
