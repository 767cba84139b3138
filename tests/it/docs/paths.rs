//! Every link to a file or a heading leads there, and every path in a text is one of the repository.

use super::{PAGES, page, root};
use std::path::Path;

/// What looks like a path and is none of the repository, and what it is.
const ELSEWHERE: [(&str, &str); 21] = [
    ("RELEASES/download/VERSION/bootstrap.zip", "of a release"),
    ("code/bootstrap", "in the folder that s init makes"),
    ("bootstrap.zip", "of a release"),
    ("app.zip", "of a release"),
    ("sbom.cdx.json", "of a release"),
    ("forwarder.yml", "of a release"),
    ("hub.yml", "of a release"),
    ("tick.json", "made by the command above it"),
    ("target/bootstrap.zip", "built"),
    ("target/package/bootstrap", "built"),
    ("target/release-assets", "built"),
    ("target/tools", "built"),
    ("target/instructions/", "built"),
    ("fuzz/artifacts/TARGET/crash-…", "left by a fuzz target"),
    ("fuzz/target/<host>/release/TARGET", "built"),
    ("fuzz/corpus", "grown by a fuzz target"),
    ("fuzz/seeds/TARGET", "TARGET stands for a name"),
    ("bootstrap-VERSION.zip", "in a bucket"),
    ("code/", "in the folder that s init makes"),
    ("Asia/Shanghai", "a time zone"),
    (".env", "made of .env.example"),
];

/// Returns true for what is written like a path: a file by its ending, or a folder's child.
fn is_path(word: &str) -> bool {
    let endings = [
        ".rs", ".md", ".yml", ".yaml", ".json", ".toml", ".sh", ".svg", ".png", ".zip", ".c",
        ".txt",
    ];
    let letters = |c: char| c.is_ascii_alphanumeric() || "._-/<>…".contains(c);
    let is_file = endings
        .iter()
        .any(|ending| word.ends_with(ending) && word.len() > ending.len());
    let first = word.split('/').next().unwrap_or_default();
    // What begins with an ellipsis is a part of an address.
    let is_child = word.contains('/') && !["", "…"].contains(&first) && !first.contains('.');
    word.chars().all(letters) && (is_file || is_child || word.starts_with(".env"))
}

/// Returns true if the path exists in the repository: below the root, the folder of the page or the
/// sources.
fn exists(path: &str, folder: &Path) -> bool {
    let places = [root(), folder, &root().join("src"), &folder.join("src")];
    places.iter().any(|place| place.join(path).exists())
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for path in PAGES.iter().chain(&["CHANGELOG.md"]) {
        let from = page(path);
        let folder = Path::new(path).parent().unwrap();
        for link in from.sections.iter().flat_map(|section| &section.links) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                (*path).to_owned()
            } else {
                folder.join(file).to_str().unwrap().to_owned()
            };
            assert!(root().join(&target).exists(), "{path} links to {link}");
            if !anchor.is_empty() {
                let anchors = page(&target).anchors();
                let found = anchors.iter().any(|known| known == anchor);
                assert!(found, "{path} links to {link}, of {anchors:?}");
            }
        }
    }
}

#[test]
fn every_path_is_one_of_the_repository() {
    let (mut used, mut missing) = (Vec::new(), Vec::new());
    for path in PAGES {
        let folder = root().join(path);
        let folder = folder.parent().unwrap();
        let from = page(path);
        let spans = from.sections.iter().flat_map(|section| &section.spans);
        // Of a command each word, of a path with a place in it the path.
        let words: Vec<&str> = spans.flat_map(|span| span.split_whitespace()).collect();
        // A file without a folder is in the folder of the one before it.
        let mut last = folder;
        for word in words.into_iter().filter(|word| is_path(word)) {
            if ELSEWHERE.iter().any(|(known, _)| *known == word) {
                used.push(word.to_owned());
                continue;
            }
            if word.contains('/') {
                last = Path::new(word).parent().unwrap();
            }
            if !exists(word, folder) && !root().join(last).join(word).exists() {
                missing.push(format!("{path}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "there is no\n{}", missing.join("\n"));
    let unused = ELSEWHERE.iter().map(|(known, _)| *known);
    let unused: Vec<&str> = unused
        .filter(|known| !used.iter().any(|word| word == known))
        .collect();
    assert!(unused.is_empty(), "no page has {unused:?}");
}

#[test]
fn no_page_leads_to_an_address_that_stands_for_another() {
    for path in PAGES {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        assert!(!text.contains("OWNER/"), "{path}");
    }
}
