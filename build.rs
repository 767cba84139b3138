//! Turns `data/ecs-events.json` and the time zone database into static tables, and refuses data that makes no sense.

#[path = "build/zones.rs"]
mod zones;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=data/ecs-events.json");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/zones.rs");
    compact_relocations();
    let text =
        std::fs::read_to_string("data/ecs-events.json").expect("data/ecs-events.json can be read");
    let entries: Vec<Value> =
        serde_json::from_str(&text).expect("data/ecs-events.json is a JSON array");
    let mut faults = Vec::new();
    let table = table(&entries, &mut faults);
    assert!(
        faults.is_empty(),
        "data/ecs-events.json:\n{}",
        faults.join("\n")
    );
    let (rules, names) = zones::tables();
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, content: &[u8]| {
        std::fs::write(Path::new(&out).join(name), content).expect("OUT_DIR can be written");
    };
    write("catalogue.rs", table.as_bytes());
    write("zones.rs", names.as_bytes());
    write("zones.tzif", &rules);
}

/// Has the linker write the binary's 4,700 relocations as a bit map: 100 KB less to unpack and to read at start. musl
/// knows them so since 1.2.4; a linker that does not leaves them as they are. Zig's (on other machines than Linux) takes
/// no such option.
fn compact_relocations() {
    let is_musl = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl");
    if is_musl && cfg!(target_os = "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn table(entries: &[Value], faults: &mut Vec<String>) -> String {
    let mut names = BTreeSet::new();
    let mut sorted: Vec<&Value> = entries.iter().collect();
    sorted.sort_by_key(|entry| text(entry, "name"));
    let mut out = String::from("&[\n");
    for entry in sorted {
        let name = text(entry, "name");
        if name.is_empty() || !names.insert(name) {
            faults.push(format!(
                "{name:?}: the name is missing or stands there twice"
            ));
        }
        for key in ["product", "title_en", "title_zh", "advice_en", "advice_zh"] {
            if text(entry, key).is_empty() {
                faults.push(format!("{name}: {key} is missing"));
            }
        }
        let statuses = strings(&entry["statuses"]);
        writeln!(
            out,
            "Entry {{ name: {name:?}, product: {:?}, eventbridge_type: {}, title: {}, advice: {}, advice_by_status: &[{}], levels: {}, suggested: {}, by_field: {}, statuses: &{statuses:?} }},",
            text(entry, "product"),
            option(entry["eventbridge_type"].as_str()),
            words(text(entry, "title_zh"), text(entry, "title_en")),
            words(text(entry, "advice_zh"), text(entry, "advice_en")),
            advice_by_status(entry, name, faults),
            levels(entry, name, &statuses, faults),
            entry["suggested_level"].as_str().map_or("None".into(), |l| format!("Some({})", level(l, name, faults))),
            by_field(entry, name, faults),
        )
        .expect("a String takes everything");
    }
    out.push(']');
    out
}

fn levels(entry: &Value, name: &str, statuses: &[&str], faults: &mut Vec<String>) -> String {
    match &entry["levels"] {
        Value::Null => "Levels::Undocumented".into(),
        Value::String(one) => format!("Levels::Always({})", level(one, name, faults)),
        Value::Object(map) => {
            for status in statuses {
                if !map.contains_key(*status) {
                    faults.push(format!("{name}: the status {status} has no level"));
                }
            }
            let pairs: Vec<String> = map
                .iter()
                .map(|(status, l)| {
                    format!(
                        "({status:?}, {})",
                        level(l.as_str().unwrap_or(""), name, faults)
                    )
                })
                .collect();
            format!("Levels::ByStatus(&[{}])", pairs.join(", "))
        }
        other => {
            faults.push(format!("{name}: levels is {other}"));
            "Levels::Undocumented".into()
        }
    }
}

fn by_field(entry: &Value, name: &str, faults: &mut Vec<String>) -> String {
    let Some(rule) = entry["levels_by_field"].as_object() else {
        return "None".into();
    };
    let field = rule["field"].as_str().unwrap_or_default();
    let values: Vec<String> = rule["values"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(value, l)| {
            format!(
                "({value:?}, {})",
                level(l.as_str().unwrap_or(""), name, faults)
            )
        })
        .collect();
    if field.is_empty() || values.is_empty() {
        faults.push(format!("{name}: levels_by_field needs field and values"));
    }
    format!("Some(({field:?}, &[{}]))", values.join(", "))
}

fn advice_by_status(entry: &Value, name: &str, faults: &mut Vec<String>) -> String {
    let pairs = entry["advice_by_status"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, advice)| {
            let (zh, en) = (text(advice, "zh"), text(advice, "en"));
            if zh.is_empty() || en.is_empty() {
                faults.push(format!(
                    "{name}: the advice for {status} is not there in both languages"
                ));
            }
            format!("({status:?}, {})", words(zh, en))
        });
    pairs.collect::<Vec<_>>().join(", ")
}

fn level(text: &str, name: &str, faults: &mut Vec<String>) -> &'static str {
    match text {
        "CRITICAL" => "Level::Critical",
        "WARN" => "Level::Warn",
        "INFO" => "Level::Info",
        other => {
            faults.push(format!("{name}: {other:?} is no level"));
            "Level::Info"
        }
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn words(zh: &str, en: &str) -> String {
    format!("Text {{ zh: {zh:?}, en: {en:?} }}")
}

fn option(text: Option<&str>) -> String {
    text.map_or("None".into(), |text| format!("Some({text:?})"))
}
