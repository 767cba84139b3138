//! `cargo xtask instructions`: counts instructions of the deployed target under callgrind and
//! compares them with `benches/instructions.json`.
//!
//! The counts are exact for one compiler, so a growth of more than 5 % is caused by the change. It
//! fails unless the change updates the counts: `UPDATE=1 cargo xtask instructions`. With another
//! compiler than the one in the file, counts are printed and not compared.

use crate::toolchain::{Toolchain, is_on_path};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The growth that is accepted, in percent.
const TOLERATED: u64 = 5;
/// The version of gungraun in benches/Cargo.toml. Its runner must have the same version.
const GUNGRAUN: &str = "0.20.0";
/// The benchmarks of the growth table: their names in benches/instructions.rs and titles.
const GROWTH: [(&str, &str); 3] = [
    ("pure", "parse, decide, render"),
    ("whole", "whole invocation"),
    ("waiting", "queued and sent"),
];

/// Instructions by benchmark.
type Counts = BTreeMap<String, u64>;

/// Counts instructions, compares and prints them, and writes them to the file if `UPDATE` is set.
///
/// # Errors
/// If a count grew by more than 5 %, is missing on either side, or a tool is missing.
pub fn check(root: &Path) -> Result<(), String> {
    let file = root.join("benches/instructions.json");
    let compiler = version("rustc", "--version")?;
    let valgrind = version("valgrind", "--version")
        .map_err(|problem| format!("{problem}; on Debian: apt-get install valgrind libc6-dbg"))?;
    if !is_on_path("gungraun-runner") {
        return Err(format!(
            "gungraun-runner is not there; run: cargo install gungraun-runner --version {GUNGRAUN} --locked"
        ));
    }
    let counts = count(root)?;
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let known = Known::parse(&text)?;
    println!("{}", table(&counts, &known.counts));
    println!("{}", growth(&counts));
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        let written = json!({ "rustc": compiler, "valgrind": valgrind, "instructions": counts });
        let text = serde_json::to_string_pretty(&written).unwrap_or_default() + "\n";
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("Written to benches/instructions.json.");
        return Ok(());
    }
    if known.compiler != compiler {
        println!(
            "NOT JUDGED: the committed counts belong to {}, this is {compiler}. With this compiler write them anew: UPDATE=1 cargo xtask instructions",
            known.compiler
        );
        return Ok(());
    }
    let faults = faults(&counts, &known.counts);
    if faults.is_empty() {
        println!("No count grew by more than {TOLERATED} %.");
        return Ok(());
    }
    Err(format!(
        "instruction counts are not as written down:\n  {}\nIf it is meant, write them down with the change: UPDATE=1 cargo xtask instructions",
        faults.join("\n  ")
    ))
}

/// The committed counts.
#[derive(Debug, Default, PartialEq)]
struct Known {
    compiler: String,
    counts: Counts,
}

impl Known {
    /// Parses the file. An empty text is a file that does not exist yet.
    fn parse(text: &str) -> Result<Known, String> {
        if text.is_empty() {
            return Ok(Known::default());
        }
        let wrong = || "benches/instructions.json is not as UPDATE=1 writes it".to_owned();
        let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
        let counts = value["instructions"].as_object().ok_or_else(wrong)?;
        Ok(Known {
            compiler: value["rustc"].as_str().ok_or_else(wrong)?.to_owned(),
            counts: counts
                .iter()
                .map(|(name, count)| Some((name.clone(), count.as_u64()?)))
                .collect::<Option<_>>()
                .ok_or_else(wrong)?,
        })
    }
}

/// Returns the first line of a program's version.
fn version(program: &str, option: &str) -> Result<String, String> {
    let name = match program {
        "rustc" => std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        other => other.into(),
    };
    let out = Command::new(name)
        .arg(option)
        .output()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&out.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Runs the benchmarks and reads their counts.
fn count(root: &Path) -> Result<Counts, String> {
    let home = root.join("target/instructions");
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(|error| format!("target/instructions: {error}"))?;
    }
    let option = format!("--home={}", home.display());
    let arguments = [
        "--package",
        "benches",
        "--bench",
        "instructions",
        "--profile",
        "counted",
        "--",
        "--save-summary=json",
        &option,
    ];
    Toolchain::find()?.cargo(root, "bench", &arguments)?;
    let mut counts = Counts::new();
    collect(&home, &mut counts)?;
    if counts.is_empty() {
        return Err(format!("no summary.json in {}", home.display()));
    }
    Ok(counts)
}

/// Reads the counts from every `summary.json` under a folder.
fn collect(folder: &Path, counts: &mut Counts) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            collect(&path, counts)?;
        } else if path.file_name().is_some_and(|name| name == "summary.json") {
            let text = std::fs::read_to_string(&path).map_err(fail)?;
            let (name, count) = read(&text)
                .ok_or_else(|| format!("{} has no instructions in it", path.display()))?;
            counts.insert(name, count);
        }
    }
    Ok(())
}

/// Returns name and instructions of one benchmark.
fn read(text: &str) -> Option<(String, u64)> {
    let summary: Value = serde_json::from_str(text).ok()?;
    let function = summary["function_name"].as_str()?;
    // Sizes of one benchmark differ in the argument of their setup only: add it to the name.
    let name = if summary["id"].as_str()?.starts_with("events") {
        let prepared_by = summary["description"].as_str()?;
        let size: String = prepared_by.chars().filter(char::is_ascii_digit).collect();
        format!("{function} {size}")
    } else {
        function.to_owned()
    };
    let metrics = &summary["profiles"][0]["data"]["total"]["metrics"];
    Some((name, metrics["Ir"]["values"]["new"].as_u64()?))
}

fn growth_in_percent(now: u64, before: u64) -> f64 {
    (now as f64 / before.max(1) as f64 - 1.0) * 100.0
}

/// Returns the counts over the limit, and those without a counterpart.
fn faults(counts: &Counts, known: &Counts) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, now) in counts {
        match known.get(name) {
            None => faults.push(format!("{name} is not written down")),
            Some(before) => {
                let percent = growth_in_percent(*now, *before);
                if *now * 100 > *before * (100 + TOLERATED) {
                    faults.push(format!("{name} grew by {percent:.1} %: {before} -> {now}"));
                }
            }
        }
    }
    for name in known.keys().filter(|name| !counts.contains_key(*name)) {
        faults.push(format!("{name} is written down, but was not counted"));
    }
    faults
}

/// Returns all counts beside the committed ones, as Markdown.
fn table(counts: &Counts, known: &Counts) -> String {
    let mut text =
        String::from("| work | instructions | written down | growth |\n|---|---|---|---|\n");
    for (name, now) in counts {
        let (before, percent) = match known.get(name) {
            Some(before) => (
                grouped(*before),
                format!("{:+.2} %", growth_in_percent(*now, *before)),
            ),
            None => ("none".into(), String::new()),
        };
        text.push_str(&format!(
            "| {name} | {} | {before} | {percent} |\n",
            grouped(*now)
        ));
    }
    text
}

/// Returns the instructions for one event by the number of events in a payload, as Markdown.
fn growth(counts: &Counts) -> String {
    let mut text = format!(
        "Instructions for one event:\n\n| events together | {} |\n|---|{}\n",
        GROWTH.map(|(_, title)| title).join(" | "),
        "---|".repeat(GROWTH.len())
    );
    let mut size = 1;
    while size <= 10_000 {
        let cells = GROWTH.map(|(work, _)| {
            counts
                .get(&format!("{work} {size}"))
                .map_or(String::new(), |count| grouped(count / size))
        });
        text.push_str(&format!("| {} | {} |\n", grouped(size), cells.join(" | ")));
        size *= 10;
    }
    text
}

/// Formats a number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, u64)]) -> Counts {
        pairs
            .iter()
            .map(|(name, count)| (name.to_string(), *count))
            .collect()
    }

    #[test]
    fn growth_over_five_percent_and_missing_counts_fail() {
        let known = counts(&[("parse", 1_000), ("gone", 1)]);
        assert_eq!(
            faults(&counts(&[("parse", 1_050), ("gone", 0)]), &known),
            [""; 0]
        );
        assert_eq!(
            faults(&counts(&[("parse", 1_051), ("new", 7)]), &known),
            [
                "new is not written down",
                "parse grew by 5.1 %: 1000 -> 1051",
                "gone is written down, but was not counted",
            ]
        );
    }

    #[test]
    fn a_summary_of_gungraun_gives_name_and_count() {
        let summary = |id: &str, description: &str| {
            json!({
                "function_name": "whole", "id": id, "description": description,
                "profiles": [{ "data": { "total": { "metrics": { "Ir": { "values": { "new": 42 } } } } } }],
            })
            .to_string()
        };
        let named = |name: &str| Some((name.to_owned(), 42));
        assert_eq!(read(&summary("one", "(1)")), named("whole"));
        assert_eq!(
            read(&summary("events_3", "(Whole :: new(1_000))")),
            named("whole 1000")
        );
        assert_eq!(read("{}"), None);
    }

    #[test]
    fn committed_counts_are_parsed_and_other_json_is_refused() {
        let text = r#"{"rustc": "rustc 1", "instructions": {"parse": 5}}"#;
        let known = Known::parse(text).unwrap();
        assert_eq!(
            (known.compiler.as_str(), known.counts),
            ("rustc 1", counts(&[("parse", 5)]))
        );
        assert_eq!(Known::parse(""), Ok(Known::default()));
        assert!(Known::parse("{}").is_err());
        assert!(Known::parse(r#"{"rustc": "1", "instructions": {"parse": "5"}}"#).is_err());
    }
}
