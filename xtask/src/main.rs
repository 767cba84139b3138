//! Tasks for the deployed binary:
//!
//! ```text
//! cargo xtask package                 builds the package: a static x86_64 Linux binary `bootstrap`
//! cargo xtask static PACKAGE BINARY   builds another binary in the same way and prints its path
//! cargo xtask instructions            compares instruction counts with the committed ones
//!                                     (UPDATE=1 writes them)
//! ```

#![forbid(unsafe_code)]

mod elf;
mod instructions;

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const BINARY: &str = "ecs-dingtalk-notifier";
const MUSL: &str = "x86_64-unknown-linux-musl";
const GNU: &str = "x86_64-unknown-linux-gnu";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [task] if task == "package" => package(),
        [task, package, binary] if task == "static" => {
            build(&root(), package, binary).map(|built| println!("{}", built.display()))
        }
        [task] if task == "instructions" => instructions::check(&root()),
        _ => Err("the tasks are: package, static PACKAGE BINARY, instructions".into()),
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds and checks the binary, and writes it to the folder that `s.yaml` deploys and to a zip for
/// ROS.
fn package() -> Result<(), String> {
    let root = root();
    let built = build(&root, BINARY, BINARY)?;
    let binary = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    elf::check_static(&binary)?;
    elf::check_memcpy(&binary)?;

    let folder = root.join("target/package");
    let in_folder = |error: std::io::Error| format!("target/package: {error}");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(in_folder)?;
    }
    fs::create_dir_all(&folder).map_err(in_folder)?;
    let bootstrap = folder.join("bootstrap");
    fs::write(&bootstrap, &binary).map_err(in_folder)?;
    make_executable(&bootstrap).map_err(in_folder)?;
    let zipped = zip(&binary)?;
    fs::write(root.join("target/bootstrap.zip"), &zipped)
        .map_err(|error| format!("target/bootstrap.zip: {error}"))?;
    println!(
        "target/package/bootstrap  {:>9} bytes, static",
        binary.len()
    );
    println!("target/bootstrap.zip      {:>9} bytes", zipped.len());
    Ok(())
}

/// Builds a binary as it is deployed and returns its path.
fn build(root: &Path, package: &str, binary: &str) -> Result<PathBuf, String> {
    let toolchain = Toolchain::find()?;
    let mut arguments = vec!["--release", "--package", package, "--bin", binary];
    // Relocations as a bit map: 100 KB less to read at start. musl knows it since 1.2.4, a linker
    // that does not ignores it. Zig's linker, on other machines than Linux, rejects the option.
    let compact_relocations = toolchain.verb == "rustc" && toolchain.target == MUSL;
    if compact_relocations {
        arguments.extend(["--", "-C", "link-arg=-Wl,-z,pack-relative-relocs"]);
    }
    toolchain.cargo(root, toolchain.verb, &arguments)?;
    let folder = root.join("target").join(toolchain.target);
    Ok(folder.join("release").join(binary))
}

/// How static binaries for Linux are built on this machine.
struct Toolchain {
    /// `rustc`, or `zigbuild` where the machine is not x86_64 Linux.
    verb: &'static str,
    target: &'static str,
    env: Vec<(&'static str, OsString)>,
}

impl Toolchain {
    fn find() -> Result<Toolchain, String> {
        let is_linux = cfg!(all(target_os = "linux", target_arch = "x86_64"));
        let has_musl = has_target(MUSL);
        let toolchain = |verb, target, env| Ok(Toolchain { verb, target, env });
        if is_linux && !has_musl {
            eprintln!("xtask: {MUSL} is not to be had; building a static glibc binary instead");
            let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
            flags.push_str(" -C target-feature=+crt-static");
            return toolchain("rustc", GNU, vec![("RUSTFLAGS", flags.into())]);
        }
        if !has_musl {
            return Err(format!(
                "the target {MUSL} is missing; run: rustup target add {MUSL}"
            ));
        }
        if is_linux {
            // ring has C code. The machine's gcc compiles it if there is no compiler for musl.
            let variable = "CC_x86_64_unknown_linux_musl";
            let has_musl_gcc = is_on_path("x86_64-linux-musl-gcc") || is_on_path("musl-gcc");
            let is_set = std::env::var_os(variable).is_some();
            let env = if has_musl_gcc || is_set {
                Vec::new()
            } else {
                vec![(variable, "gcc".into())]
            };
            return toolchain("rustc", MUSL, env);
        }
        if !is_on_path("cargo-zigbuild") {
            return Err(
                "building for Linux on this machine needs zig; run: pip install cargo-zigbuild ziglang"
                    .into(),
            );
        }
        toolchain("zigbuild", MUSL, Vec::new())
    }

    /// Runs cargo with these arguments for the target.
    fn cargo(&self, root: &Path, verb: &str, arguments: &[&str]) -> Result<(), String> {
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(root)
            .args([verb, "--locked", "--target", self.target])
            .arg("--target-dir")
            .arg(root.join("target"))
            .args(arguments)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .status()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if status.success() {
            return Ok(());
        }
        Err(format!(
            "cargo {verb} failed; on Linux it needs a C compiler (gcc)"
        ))
    }
}

/// Returns true if rustc has the target, after trying to add it.
fn has_target(target: &str) -> bool {
    let is_there = || {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let out = Command::new(rustc)
            .args(["--print", "target-libdir", "--target", target])
            .output();
        out.is_ok_and(|out| {
            let path = String::from_utf8_lossy(&out.stdout).trim().to_owned();
            out.status.success() && Path::new(&path).is_dir()
        })
    };
    is_there() || {
        // Without rustup, or if it fails, the target stays missing.
        let _ = Command::new("rustup")
            .args(["target", "add", target])
            .status();
        is_there()
    }
}

fn is_on_path(program: &str) -> bool {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Returns an archive with the binary as its only, executable file. The same binary always gives
/// the same bytes.
fn zip(binary: &[u8]) -> Result<Vec<u8>, String> {
    let fail = |error: zip::result::ZipError| format!("the zip cannot be made: {error}");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(24))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    archive.start_file("bootstrap", options).map_err(fail)?;
    archive
        .write_all(binary)
        .map_err(|error| format!("the zip cannot be made: {error}"))?;
    Ok(archive.finish().map_err(fail)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zip_holds_one_executable_file_and_is_the_same_each_time() {
        let made = zip(b"binary").unwrap();
        assert_eq!(made, zip(b"binary").unwrap());
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(made)).unwrap();
        assert_eq!(archive.len(), 1);
        let file = archive.by_index(0).unwrap();
        assert_eq!(file.name().unwrap(), "bootstrap");
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    }
}
