//! Builds static binaries for Linux on this machine, without its paths in them.

use crate::metadata::{self, Metadata};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";
const GNU: &str = "x86_64-unknown-linux-gnu";
/// The variable that names the C compiler for musl.
const C_COMPILER: &str = "CC_x86_64_unknown_linux_musl";
/// The variable with the C compiler's options, before those for every target.
const C_FLAGS: &str = "CFLAGS_x86_64_unknown_linux_musl";

/// Builds a binary as it is deployed and returns its path.
pub(crate) fn build(root: &Path, package: &str, binary: &str) -> Result<PathBuf, String> {
    Toolchain::find()?.build(root, package, binary)
}

/// How static binaries for Linux are built on this machine.
pub(crate) struct Toolchain {
    /// `rustc`, or `zigbuild` where the machine is not x86_64 Linux.
    verb: &'static str,
    target: &'static str,
    /// Options of the compiler.
    flags: Vec<String>,
    env: Vec<(&'static str, OsString)>,
}

impl Toolchain {
    pub(crate) fn find() -> Result<Toolchain, String> {
        let is_linux = cfg!(all(target_os = "linux", target_arch = "x86_64"));
        let has_musl = has_target(MUSL);
        // The variable that sets our options replaces this one.
        let given = std::env::var("RUSTFLAGS").unwrap_or_default();
        let mut toolchain = Toolchain {
            verb: "rustc",
            target: MUSL,
            flags: given.split_whitespace().map(str::to_owned).collect(),
            env: Vec::new(),
        };
        if is_linux && !has_musl {
            eprintln!("xtask: {MUSL} is not to be had; building a static glibc binary instead");
            toolchain.target = GNU;
            let is_static = ["-C", "target-feature=+crt-static"].map(String::from);
            toolchain.flags.extend(is_static);
            return Ok(toolchain);
        }
        if !has_musl {
            return Err(format!(
                "the target {MUSL} is missing; run: rustup target add {MUSL}"
            ));
        }
        if is_linux {
            // ring has C code. The machine's gcc compiles it if there is no compiler for musl.
            let has_musl_gcc = is_on_path("x86_64-linux-musl-gcc") || is_on_path("musl-gcc");
            let is_set = std::env::var_os(C_COMPILER).is_some();
            if !has_musl_gcc && !is_set {
                toolchain.env.push((C_COMPILER, "gcc".into()));
            }
            return Ok(toolchain);
        }
        if !is_on_path("cargo-zigbuild") {
            return Err(
                "building for Linux on this machine needs zig; run: pip install cargo-zigbuild ziglang"
                    .into(),
            );
        }
        toolchain.verb = "zigbuild";
        Ok(toolchain)
    }

    /// Returns the toolchain of releases, which differs from machine to machine as little as
    /// possible: musl, gcc, no options of the environment. It writes the list of dependencies into
    /// the binary.
    ///
    /// `auditable` is the folder of cargo-auditable.
    pub(crate) fn of_releases(auditable: PathBuf) -> Result<Toolchain, String> {
        let found = Toolchain::find()?;
        if found.target != MUSL || found.verb != "rustc" {
            return Err(format!(
                "a release is built on x86_64 Linux with the target {MUSL}; run: rustup target add {MUSL}"
            ));
        }
        let given = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(auditable).chain(std::env::split_paths(&given));
        let path = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
        Ok(Toolchain {
            flags: Vec::new(),
            env: vec![
                (C_COMPILER, "gcc".into()),
                (C_FLAGS, "".into()),
                ("PATH", path),
                // What `cargo auditable` sets, but without its path: cargo makes the names of symbols
                // from this variable too, and with them their order.
                ("RUSTC_WORKSPACE_WRAPPER", "cargo-auditable".into()),
                (
                    "CARGO_AUDITABLE_ORIG_ARGS",
                    r#"{"offline":false,"locked":true,"frozen":false,"config":[]}"#.into(),
                ),
            ],
            ..found
        })
    }

    /// Builds a binary and returns its path.
    pub(crate) fn build(
        &self,
        root: &Path,
        package: &str,
        binary: &str,
    ) -> Result<PathBuf, String> {
        let mut arguments = vec!["--release", "--package", package, "--bin", binary];
        // Relocations as a bit map: 100 KB less to read at start. musl knows it since 1.2.4, a linker
        // that does not ignores it. Zig's linker, on other machines than Linux, rejects the option.
        if self.verb == "rustc" && self.target == MUSL {
            arguments.extend(["--", "-C", "link-arg=-Wl,-z,pack-relative-relocs"]);
        }
        self.cargo(root, self.verb, &arguments)?;
        let folder = root.join("target").join(self.target);
        Ok(folder.join("release").join(binary))
    }

    /// Runs cargo with these arguments for the target.
    pub(crate) fn cargo(&self, root: &Path, verb: &str, arguments: &[&str]) -> Result<(), String> {
        let mut flags = self.flags.clone();
        flags.extend(remapped(&Metadata::read(root, self.target)?)?);
        let status = Command::new(metadata::cargo())
            .current_dir(root)
            .args([verb, "--locked", "--target", self.target])
            .arg("--target-dir")
            .arg(root.join("target"))
            .args(arguments)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
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

/// Returns the compiler's options that write the same paths into the binary on every machine.
fn remapped(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut pairs = vec![(metadata.workspace()?, "/build".to_owned())];
    for folder in metadata.folders_of_dependencies() {
        pairs.push((folder, "/crates".to_owned()));
    }
    // With the component rust-src, rustc names the standard library's files where they are.
    let library = PathBuf::from(rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    pairs.push((library, format!("/rustc/{}", commit_of_rustc()?)));
    let option =
        |(from, to): (PathBuf, String)| format!("--remap-path-prefix={}={to}", from.display());
    Ok(pairs.into_iter().map(option).collect())
}

fn commit_of_rustc() -> Result<String, String> {
    rustc(&["-vV"])?
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: ").map(str::to_owned))
        .ok_or_else(|| "rustc -vV names no commit".into())
}

/// Returns what rustc prints.
pub(crate) fn rustc(arguments: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let out = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("rustc cannot be started: {error}"))?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Returns true if rustc has the target, after trying to add it.
fn has_target(target: &str) -> bool {
    let is_there = || {
        rustc(&["--print", "target-libdir", "--target", target])
            .is_ok_and(|path| !path.is_empty() && Path::new(&path).is_dir())
    };
    is_there() || {
        // Without rustup, or if it fails, the target stays missing.
        let _ = Command::new("rustup")
            .args(["target", "add", target])
            .status();
        is_there()
    }
}

pub(crate) fn is_on_path(program: &str) -> bool {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The release's check of the binary sees no path that a build on another machine would add.
    #[test]
    fn workspace_dependencies_and_library_have_fixed_paths() {
        let metadata = Metadata(serde_json::json!({
            "workspace_root": "/home/user/a project",
            "packages": [
                {"source": null, "manifest_path": "/home/user/a project/crates/x/Cargo.toml"},
                {"source": "registry", "manifest_path": "/home/user/.cargo/src/y-1.0.0/Cargo.toml"},
                {"source": "registry", "manifest_path": "/home/user/.cargo/src/z-1.0.0/Cargo.toml"},
            ],
        }));
        let options = remapped(&metadata).unwrap();
        let [own, others, library] = options.as_slice() else {
            panic!("{options:?}")
        };
        assert_eq!(own, "--remap-path-prefix=/home/user/a project=/build");
        assert_eq!(others, "--remap-path-prefix=/home/user/.cargo/src=/crates");
        assert!(
            library.contains("/lib/rustlib/src/rust=/rustc/"),
            "{library}"
        );
    }
}
