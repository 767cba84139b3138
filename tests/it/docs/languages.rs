//! A page in two languages: the same headings, tables, code and commands at the same places.

use super::markdown::{Block, Cell, Section, without_comment};
use super::{PAIRS, page};

/// Code words in any order, because languages put their words in different orders. Words that stand
/// for what a reader writes are translated.
fn sorted(spans: &[String]) -> Vec<&str> {
    let translate = |word| match word {
        "键=值" => "key=value",
        "acs:ram::{account}:role/名称" => "acs:ram::{account}:role/NAME",
        "## [1.2.3] - 日期" => "## [1.2.3] - DATE",
        word => word,
    };
    let mut words: Vec<&str> = spans.iter().map(|span| translate(span.as_str())).collect();
    words.sort_unstable();
    words
}

/// Code words of a cell.
fn codes(cell: &Cell) -> Vec<&str> {
    sorted(&cell.spans)
}

/// Code words of a section, each once.
fn words(section: &Section) -> Vec<&str> {
    let mut words = sorted(&section.spans);
    words.dedup();
    words
}

/// A block without what is translated in it: the comments of shell.
fn code(block: &Block) -> String {
    let lines = block.text.lines();
    let lines = lines.map(|line| match block.language.as_str() {
        "sh" => without_comment(line),
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Notes what differs, not only the first of it.
fn compare(en: &Section, zh: &Section, place: &str, faults: &mut Vec<String>) {
    let mut differ = |what: &str, en: String, zh: String| {
        if en != zh {
            faults.push(format!("{place}: {what}\n  en {en}\n  zh {zh}"));
        }
    };
    differ("level", en.level.to_string(), zh.level.to_string());
    differ(
        "tables",
        en.tables.len().to_string(),
        zh.tables.len().to_string(),
    );
    for (number, (en, zh)) in en.tables.iter().zip(&zh.tables).enumerate() {
        let shape = |table: &Vec<Vec<Cell>>| {
            let rows: Vec<usize> = table.iter().map(Vec::len).collect();
            format!("table {number} has rows of {rows:?}")
        };
        differ("rows and columns", shape(en), shape(zh));
        for (row, (en, zh)) in en.iter().zip(zh).enumerate() {
            for (en, zh) in en.iter().zip(zh) {
                let place = format!("table {number}, row {row}");
                differ(
                    &place,
                    format!("{:?}", codes(en)),
                    format!("{:?}", codes(zh)),
                );
                let empty = |cell: &Cell| format!("is empty: {}", cell.text.is_empty());
                differ(&place, empty(en), empty(zh));
            }
        }
    }
    let code = |section: &Section| -> String {
        let blocks = section.blocks.iter();
        let blocks = blocks.map(|block| format!("{}\n{}", block.language, code(block)));
        blocks.collect()
    };
    differ("blocks", code(en), code(zh));
    differ(
        "code words",
        format!("{:?}", words(en)),
        format!("{:?}", words(zh)),
    );
}

#[test]
fn both_languages_have_the_same_headings_tables_and_commands() {
    let mut faults = Vec::new();
    for [en, zh] in PAIRS {
        let (en, zh) = (page(en), page(zh));
        let levels = |page: &super::Page| -> Vec<usize> {
            page.sections.iter().map(|section| section.level).collect()
        };
        assert_eq!(levels(&en), levels(&zh), "{}", zh.path);
        for (one, other) in en.sections.iter().zip(&zh.sections) {
            let place = format!("{}, {} / {}", en.path, one.heading, other.heading);
            compare(one, other, &place, &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
