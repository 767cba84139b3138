//! The files of a release, built in `target/release-assets`. The same commit gives the same bytes in
//! any folder, with the same compilers.

mod changelog;
mod manifests;
mod sbom;

use crate::archive::{self, File};
use crate::metadata::{self, Metadata};
use crate::toolchain::{self, MUSL, Toolchain};
use crate::{BINARY, elf, package};
use manifests::Release;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the list of dependencies into the binary. Another version may write other bytes.
const AUDITABLE: &str = "0.7.7";

const USAGE: &str = "\
cargo xtask release [--tag TAG] [--repository ADDRESS]
  --tag TAG             the tag that is released; fails unless version, CHANGELOG.md and git agree.
                        Without it: a rehearsal with v and the version of Cargo.toml
  --repository ADDRESS  such as https://github.com/OWNER/NAME, where the files will be found.
                        Without it, s.yaml takes bootstrap.zip from its own folder";

/// Builds all files of a release.
pub(crate) fn release(root: &Path, options: &[String]) -> Result<(), String> {
    let options = Options::parse(options)?;
    let metadata = Metadata::read(root, MUSL)?;
    let version = metadata.version(BINARY)?;
    let release = Release {
        tag: format!("v{version}"),
        repository: options.repository,
    };
    let changes = read(root, "CHANGELOG.md")?;
    let notes = match options.tag {
        Some(tag) => {
            check_tag(root, &tag, &release.tag)?;
            changelog::section(&changes, &version).ok_or_else(|| {
                format!(
                    "CHANGELOG.md has no section; give the changes a heading: ## [{version}] - DATE"
                )
            })?
        }
        None => changelog::section(&changes, &version)
            .or_else(|| changelog::section(&changes, "Unreleased"))
            .unwrap_or_default(),
    };

    let built = Toolchain::of_releases(auditable(root)?)?.build(root, BINARY, BINARY)?;
    let binary = package::read_checked(&built)?;
    elf::check_auditable(&binary)?;
    elf::check_paths(&binary, &local_paths(&metadata)?)?;

    let made_of = sbom::Build {
        compilers: vec![
            ("rustc", toolchain::rustc(&["--version"])?),
            ("gcc", first_line_of("gcc", &["--version"])),
            ("cargo-auditable", AUDITABLE.to_owned()),
        ],
        commit: git(root, &["rev-parse", "HEAD"]).ok(),
    };
    let lock = read(root, "Cargo.lock")?;
    let template = read(root, "template.yml")?;
    let assets = [
        ("app.zip", app(root, &release, &binary, &notes)?),
        ("bootstrap.zip", package::zip(&binary)?),
        ("forwarder.yml", read(root, "deploy/forwarder.yml")?.into()),
        ("hub.yml", read(root, "deploy/hub.yml")?.into()),
        (
            "s.yaml",
            manifests::s_yaml(&read(root, "s.yaml")?, &release)?.into(),
        ),
        (
            "sbom.cdx.json",
            sbom::bill(&metadata, &lock, &made_of)?.into(),
        ),
        (
            "template.yml",
            manifests::template(&template, &release)?.into(),
        ),
    ];
    write(root, &assets)?;
    let file = root.join("target/release-notes.md");
    fs::write(&file, notes).map_err(|error| format!("{}: {error}", file.display()))
}

#[derive(Debug, Default, PartialEq)]
struct Options {
    tag: Option<String>,
    repository: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().cloned();
            match (name.as_str(), value) {
                ("--tag", Some(value)) => options.tag = Some(value),
                ("--repository", Some(value)) if value.starts_with("https://") => {
                    options.repository = Some(value.trim_end_matches('/').to_owned());
                }
                _ => return Err(format!("{name} was not understood\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

/// Checks that the tag is that of the version, and that nothing but the commit is built.
fn check_tag(root: &Path, tag: &str, expected: &str) -> Result<(), String> {
    if tag != expected {
        return Err(format!(
            "the tag is {tag}, but the version in Cargo.toml asks for {expected}"
        ));
    }
    let changed = git(root, &["status", "--porcelain"])?;
    if !changed.is_empty() {
        return Err(format!("commit first; these files differ:\n{changed}"));
    }
    Ok(())
}

/// Returns the application for `s init`: what the registry reads, and in `src/` what the user gets.
fn app(root: &Path, release: &Release, binary: &[u8], notes: &str) -> Result<Vec<u8>, String> {
    let publish = manifests::app_publish(&read(root, "app/publish.yaml")?, release)?;
    let s_yaml = manifests::app_s_yaml(&read(root, "s.yaml")?, release)?;
    let example = manifests::app_env_example(&read(root, ".env.example")?)?;
    let chinese = read(root, "app/readme.md")?;
    let english = read(root, "app/readme_en.md")?;
    let license = read(root, "LICENSE")?;
    let mut files: Vec<File> = [
        ("publish.yaml", publish.as_str()),
        ("readme.md", &chinese),
        ("readme_en.md", &english),
        ("version.md", notes),
        ("src/s.yaml", &s_yaml),
        ("src/.env.example", &example),
        ("src/.gitignore", ".env\n.s/\n"),
        ("src/README.md", &english),
        ("src/README.zh-CN.md", &chinese),
        ("src/LICENSE", &license),
    ]
    .map(|(path, text)| File {
        path,
        content: text.as_bytes(),
        is_executable: false,
    })
    .into();
    files.push(File {
        path: "src/code/bootstrap",
        content: binary,
        is_executable: true,
    });
    archive::zip(&mut files)
}

/// Writes the files and their sums to a folder of their own, and prints both.
fn write(root: &Path, assets: &[(&str, Vec<u8>)]) -> Result<(), String> {
    let folder = root.join("target/release-assets");
    let fail = |error: std::io::Error| format!("target/release-assets: {error}");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(fail)?;
    }
    fs::create_dir_all(&folder).map_err(fail)?;
    let mut sums = String::new();
    for (name, content) in assets {
        let sum = hex(&Sha256::digest(content));
        println!("{sum}  {:>8} bytes  {name}", content.len());
        sums.push_str(&format!("{sum}  {name}\n"));
        fs::write(folder.join(name), content).map_err(fail)?;
    }
    fs::write(folder.join("SHA256SUMS"), sums).map_err(fail)?;
    println!("in target/release-assets, with SHA256SUMS");
    Ok(())
}

/// Returns the folder of cargo-auditable, which is installed where it is missing.
fn auditable(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join(format!("target/tools/cargo-auditable-{AUDITABLE}"));
    let programs = folder.join("bin");
    if programs.join("cargo-auditable").is_file() {
        return Ok(programs);
    }
    let status = Command::new(metadata::cargo())
        .args(["install", "--quiet", "--locked", "--version", AUDITABLE])
        .arg("--target-dir")
        .arg(folder.join("build"))
        .arg("--root")
        .arg(&folder)
        .arg("cargo-auditable")
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(programs);
    }
    Err(format!(
        "cargo-auditable {AUDITABLE} could not be installed; run: cargo install --locked --version {AUDITABLE} --root {} cargo-auditable",
        folder.display()
    ))
}

/// Returns the folders of this machine that no file of a release may name.
fn local_paths(metadata: &Metadata) -> Result<Vec<PathBuf>, String> {
    let mut paths: Vec<PathBuf> = metadata.folders_of_dependencies().into_iter().collect();
    paths.push(metadata.workspace()?);
    paths.push(toolchain::rustc(&["--print", "sysroot"])?.into());
    Ok(paths)
}

fn read(root: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let out = Command::new("git")
        .current_dir(root)
        .args(arguments)
        .output()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    if !out.status.success() {
        let reason = String::from_utf8_lossy(&out.stderr);
        return Err(format!("git {}: {}", arguments.join(" "), reason.trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Returns the first line that a program prints, empty if it cannot be run.
fn first_line_of(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output();
    let text = out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
