//! Tasks for the deployed binary:
//!
//! ```text
//! cargo xtask package                 builds the package: a static x86_64 Linux binary `bootstrap`
//! cargo xtask release [OPTIONS]       builds the files of a release in target/release-assets
//! cargo xtask static PACKAGE BINARY   builds another binary in the same way and prints its path
//! cargo xtask instructions            compares instruction counts with the committed ones
//!                                     (UPDATE=1 writes them)
//! ```

#![forbid(unsafe_code)]

mod archive;
mod elf;
mod instructions;
mod metadata;
mod package;
mod release;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const BINARY: &str = "ecs-dingtalk-notifier";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [task] if task == "package" => package::package(&root()),
        [task, options @ ..] if task == "release" => release::release(&root(), options),
        [task, package, binary] if task == "static" => {
            toolchain::build(&root(), package, binary).map(|built| println!("{}", built.display()))
        }
        [task] if task == "instructions" => instructions::check(&root()),
        _ => Err(
            "the tasks are: package, release [OPTIONS], static PACKAGE BINARY, instructions".into(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
