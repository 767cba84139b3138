//! What cargo tells of the workspace and its dependencies.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The answer of `cargo metadata` for one target.
pub(crate) struct Metadata(pub(crate) Value);

impl Metadata {
    /// Asks cargo, which downloads the dependencies where they are missing.
    pub(crate) fn read(root: &Path, target: &str) -> Result<Metadata, String> {
        let out = Command::new(cargo())
            .current_dir(root)
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(["--filter-platform", target])
            .output()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !out.status.success() {
            let reason = String::from_utf8_lossy(&out.stderr);
            return Err(format!("cargo metadata failed: {}", reason.trim()));
        }
        serde_json::from_slice(&out.stdout)
            .map(Metadata)
            .map_err(|error| format!("cargo metadata: {error}"))
    }

    /// Returns the folder of the workspace as the compiler sees it.
    pub(crate) fn workspace(&self) -> Result<PathBuf, String> {
        let root = self.0["workspace_root"].as_str();
        root.map(PathBuf::from)
            .ok_or_else(|| "cargo metadata names no workspace".into())
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }

    /// Returns the version of a package of the workspace.
    pub(crate) fn version(&self, package: &str) -> Result<String, String> {
        self.packages()
            .find(|found| found["name"] == package && found["source"].is_null())
            .and_then(|found| found["version"].as_str())
            .map(str::to_owned)
            .ok_or_else(|| format!("the workspace has no package {package}"))
    }

    /// Returns the folders in which dependencies from elsewhere are: of a registry, or vendored.
    pub(crate) fn folders_of_dependencies(&self) -> BTreeSet<PathBuf> {
        self.packages()
            .filter(|package| !package["source"].is_null())
            .filter_map(|package| {
                Path::new(package["manifest_path"].as_str()?)
                    .parent()?
                    .parent()
            })
            .map(Path::to_owned)
            .collect()
    }
}

/// Returns the cargo that runs this task.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
