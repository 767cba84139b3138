//! The catalog as static tables.
//!
//! All texts stand in one, once each. A text is told by where it begins and ends there, a list by where it begins and
//! ends in the table of its kind.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The tables as they grow.
#[derive(Default)]
struct Tables {
    words: String,
    places: HashMap<String, String>,
    entries: Vec<String>,
    statuses: Vec<String>,
    advice: Vec<String>,
    levels: Vec<String>,
    faults: Vec<String>,
}

/// The tables as Rust items, and the text that they refer to.
///
/// # Panics
/// When the data make no sense, with every fault.
pub fn tables(json: &str) -> (String, String) {
    let mut entries: Vec<Value> =
        serde_json::from_str(json).expect("data/ecs-events.json is a JSON array");
    entries.sort_by_key(|entry| text(entry, "name").to_owned());
    let mut tables = Tables::default();
    let mut names = BTreeSet::new();
    for entry in &entries {
        let name = text(entry, "name");
        if name.is_empty() || !names.insert(name) {
            tables.fault(name, "the name is missing or stands there twice");
        }
        tables.entry(name, entry);
    }
    assert!(
        u16::try_from(tables.words.len()).is_ok(),
        "the catalog's texts have {} bytes, and places are told in 16 bits",
        tables.words.len()
    );
    assert!(
        tables.faults.is_empty(),
        "data/ecs-events.json:\n{}",
        tables.faults.join("\n")
    );
    let item = |name: &str, kind: &str, rows: &[String]| {
        let (count, rows) = (rows.len(), rows.join(",\n"));
        format!("static {name}: [{kind}; {count}] = [\n{rows}\n];\n")
    };
    let items = [
        item("ENTRIES", "Entry", &tables.entries),
        item("STATUSES", "Place", &tables.statuses),
        item("ADVICE", "(Place, Words)", &tables.advice),
        item("LEVELS", "(Place, Level)", &tables.levels),
    ];
    (items.concat(), tables.words)
}

impl Tables {
    fn fault(&mut self, name: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{name:?}: {what}"));
    }

    fn entry(&mut self, name: &str, entry: &Value) {
        for key in ["product", "title_en", "title_zh", "advice_en", "advice_zh"] {
            if text(entry, key).is_empty() {
                self.fault(name, format!("{key} is missing"));
            }
        }
        let suggested = entry["suggested_level"].as_str();
        let row = format!(
            "Entry {{ name: {}, product: {}, eventbridge_type: {}, title: {}, statuses: {}, advice: {}, advice_by_status: {}, levels: {}, suggested: {}, by_field: {} }}",
            self.place(name),
            self.place(text(entry, "product")),
            self.place(text(entry, "eventbridge_type")),
            self.words(text(entry, "title_zh"), text(entry, "title_en")),
            self.statuses(entry),
            self.words(text(entry, "advice_zh"), text(entry, "advice_en")),
            self.advice_by_status(name, entry),
            self.levels(name, entry),
            suggested.map_or("None".into(), |level| format!(
                "Some({})",
                self.level(name, level)
            )),
            self.by_field(name, entry),
        );
        self.entries.push(row);
    }

    /// Where a text stands.
    fn place(&mut self, text: &str) -> String {
        if let Some(place) = self.places.get(text) {
            return place.clone();
        }
        let begin = self.words.len();
        self.words.push_str(text);
        let place = format!("Place({begin}, {})", self.words.len());
        self.places.insert(text.to_owned(), place.clone());
        place
    }

    fn words(&mut self, zh: &str, en: &str) -> String {
        let (zh, en) = (self.place(zh), self.place(en));
        format!("Words {{ zh: {zh}, en: {en} }}")
    }

    fn statuses(&mut self, entry: &Value) -> String {
        let statuses = strings(&entry["statuses"]);
        let rows: Vec<String> = statuses.iter().map(|status| self.place(status)).collect();
        list(&mut self.statuses, rows)
    }

    fn advice_by_status(&mut self, name: &str, entry: &Value) -> String {
        let mut rows = Vec::new();
        for (status, advice) in entry["advice_by_status"].as_object().into_iter().flatten() {
            let (zh, en) = (text(advice, "zh"), text(advice, "en"));
            if zh.is_empty() || en.is_empty() {
                let what = format!("the advice for {status} is not there in both languages");
                self.fault(name, what);
            }
            rows.push(format!("({}, {})", self.place(status), self.words(zh, en)));
        }
        list(&mut self.advice, rows)
    }

    fn levels(&mut self, name: &str, entry: &Value) -> String {
        match &entry["levels"] {
            Value::Null => "Levels::Undocumented".into(),
            Value::String(one) => format!("Levels::Always({})", self.level(name, one)),
            Value::Object(map) => {
                for status in strings(&entry["statuses"]) {
                    if !map.contains_key(status) {
                        self.fault(name, format!("the status {status} has no level"));
                    }
                }
                format!("Levels::ByStatus({})", self.level_list(name, map))
            }
            other => {
                self.fault(name, format!("levels is {other}"));
                "Levels::Undocumented".into()
            }
        }
    }

    fn by_field(&mut self, name: &str, entry: &Value) -> String {
        let Some(rule) = entry["levels_by_field"].as_object() else {
            return "None".into();
        };
        let field = rule["field"].as_str().unwrap_or_default();
        let values = rule["values"].as_object().cloned().unwrap_or_default();
        if field.is_empty() || values.is_empty() {
            self.fault(name, "levels_by_field needs field and values");
        }
        let (field, values) = (self.place(field), self.level_list(name, &values));
        format!("Some(({field}, {values}))")
    }

    fn level_list(&mut self, name: &str, map: &serde_json::Map<String, Value>) -> String {
        let mut rows = Vec::new();
        for (key, level) in map {
            let level = self.level(name, level.as_str().unwrap_or_default());
            rows.push(format!("({}, {level})", self.place(key)));
        }
        list(&mut self.levels, rows)
    }

    fn level(&mut self, name: &str, text: &str) -> &'static str {
        match text {
            "CRITICAL" => "Level::Critical",
            "WARN" => "Level::Warn",
            "INFO" => "Level::Info",
            other => {
                self.fault(name, format!("{other:?} is no level"));
                "Level::Info"
            }
        }
    }
}

/// Appends a list to the table of its kind and tells where it is.
fn list(table: &mut Vec<String>, rows: Vec<String>) -> String {
    let begin = table.len();
    table.extend(rows);
    format!("List({begin}, {})", table.len())
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}
