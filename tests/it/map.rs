//! The maps of the code in `src/lib.rs` and in that of the crate of events.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Reads the files that the first cells of the table in a folder's `lib.rs` name. One without a
/// folder is in the folder of the one before it.
fn mapped(folder: &Path) -> BTreeSet<String> {
    let source = fs::read_to_string(folder.join("lib.rs")).unwrap();
    let cells = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split(" | ").next());
    let mut files = BTreeSet::new();
    for cell in cells {
        let mut folder = "";
        for name in cell.split('`').filter(|name| name.ends_with(".rs")) {
            let path = match name.rsplit_once('/') {
                Some((own, _)) => {
                    folder = own;
                    name.to_owned()
                }
                None if folder.is_empty() => name.to_owned(),
                None => format!("{folder}/{name}"),
            };
            assert!(files.insert(path), "{name} stands there twice");
        }
    }
    files
}

/// Adds the files in a folder to those found, as paths below `root`.
fn files(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            files(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let path = path.strip_prefix(root).unwrap();
            found.insert(path.to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn the_maps_name_every_file_and_no_other() {
    for folder in ["src", "crates/ecs-event/src"].map(Path::new) {
        let mut found = BTreeSet::new();
        files(folder, folder, &mut found);
        // The map itself, and what only tests use.
        found.retain(|path| !["lib.rs", "testing.rs"].contains(&path.as_str()));
        found.retain(|path| !path.ends_with("tests.rs"));
        assert_eq!(mapped(folder), found, "{}", folder.display());
    }
}
