//! The pages: README, CONTRIBUTING and what is in `docs`. Both languages say the same, every link and
//! path leads somewhere, and every command works as written.

mod commands;
mod facts;
mod languages;
mod markdown;
mod operations;
mod paths;
mod sandbox;
mod seen;

use markdown::Page;

/// The pages whose paths and commands are checked. Those of `app` are of the folder that `s init`
/// makes, so their paths are not of this repository.
const PAGES: [&str; 10] = [
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    "RELIABILITY.md",
    "SECURITY.md",
    "docs/operations.md",
    "docs/operations.zh-CN.md",
    "benches/README.md",
    "fuzz/README.md",
    "crates/fc-runtime/README.md",
];

/// The same page in English and in Chinese.
const PAIRS: [[&str; 2]; 3] = [
    ["README.md", "README.zh-CN.md"],
    ["docs/operations.md", "docs/operations.zh-CN.md"],
    ["app/readme_en.md", "app/readme.md"],
];

fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path));
    Page::read(
        path,
        &text.unwrap_or_else(|error| panic!("{path}: {error}")),
    )
}

#[test]
fn every_page_in_two_languages_is_a_pair() {
    for folder in ["", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            let path = path.trim_start_matches('/');
            let is_page = path.ends_with(".md") && path != "CHANGELOG.md";
            assert!(!is_page || PAGES.contains(&path), "{path} is not checked");
            let is_chinese = path.ends_with(".zh-CN.md");
            assert!(!is_chinese || PAIRS.iter().any(|[_, zh]| *zh == path));
        }
    }
}
