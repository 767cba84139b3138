//! The file of what was not delivered: one event a line, as it came.

use crate::cli::{NAME, print_error};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Events may name people and hold secrets: the file is its owner's alone.
const MODE: u32 = 0o600;

/// The file, which exists from the first message on.
pub(super) struct Rest {
    path: PathBuf,
}

/// Returns why a file cannot be the rest, if it exists already: what it holds would be lost.
pub(super) fn refusal(file: &OsStr) -> Option<String> {
    let exists = fs::symlink_metadata(file).is_ok();
    exists.then(|| format!("{file:?} exists; name a file for --rest that does not"))
}

impl Rest {
    /// Creates the file with these events in it.
    ///
    /// # Errors
    /// Why that is not possible, in one line.
    pub(super) fn create<'a>(
        file: &OsStr,
        events: impl Iterator<Item = &'a str>,
    ) -> Result<Rest, String> {
        let mut options = OpenOptions::new();
        let created = options.write(true).create_new(true).mode(MODE).open(file);
        let written = created.and_then(|created| write_lines(created, events));
        written.map_err(|error| format!("cannot write {file:?}: {error}"))?;
        let path = PathBuf::from(file);
        Ok(Rest { path })
    }

    /// Replaces what it holds by these events. If that fails, it goes on to hold more than is
    /// missing, never less.
    pub(super) fn write<'a>(&mut self, events: impl Iterator<Item = &'a str>) {
        if let Err(error) = replace(&self.path, events) {
            print_error(format!(
                "{NAME}: cannot write {self}, which holds what was delivered since too: {error}"
            ));
        }
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// Writes a file beside it first: at no moment is there half of it.
fn replace<'a>(path: &Path, events: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut name = OsString::from(path);
    name.push(".new");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(MODE);
    write_lines(file.open(&name)?, events)?;
    fs::rename(&name, path)
}

fn write_lines<'a>(mut file: File, events: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut text = String::new();
    for event in events {
        text.push_str(event);
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
