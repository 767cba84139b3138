//! Turns `data/ecs-events.json` and the time zone database into static tables, and refuses data that makes no sense.
//!
//! The tables hold numbers and no references: a reference is a place in memory that the start of the process has to
//! correct, and every page that holds some takes microseconds.

#[path = "build/catalog.rs"]
mod catalog;
#[path = "build/zones.rs"]
mod zones;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=data/ecs-events.json");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/catalog.rs");
    println!("cargo::rerun-if-changed=build/zones.rs");
    let text =
        std::fs::read_to_string("data/ecs-events.json").expect("data/ecs-events.json can be read");
    let (tables, words) = catalog::tables(&text);
    let (rules, names, places) = zones::tables();
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, content: &[u8]| {
        std::fs::write(Path::new(&out).join(name), content).expect("OUT_DIR can be written");
    };
    write("catalog.rs", tables.as_bytes());
    write("catalog.txt", words.as_bytes());
    write("zones.txt", names.as_bytes());
    write("zones.rs", places.as_bytes());
    write("zones.tzif", &rules);
}
