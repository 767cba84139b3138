//! The package that `s.yaml` and the ROS template deploy.

use crate::archive::{self, File};
use crate::{BINARY, elf, toolchain};
use std::fs;
use std::path::Path;

/// Builds and checks the binary, and writes it to the folder that `s.yaml` deploys and to a zip for
/// ROS.
pub(crate) fn package(root: &Path) -> Result<(), String> {
    let built = toolchain::build(root, BINARY, BINARY)?;
    let binary = read_checked(&built)?;

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

/// Reads a binary that was built to be deployed, and checks it.
pub(crate) fn read_checked(built: &Path) -> Result<Vec<u8>, String> {
    let binary = fs::read(built).map_err(|error| format!("{}: {error}", built.display()))?;
    elf::check_static(&binary)?;
    elf::check_memcpy(&binary)?;
    Ok(binary)
}

/// Returns an archive with the binary as its only, executable file.
pub(crate) fn zip(binary: &[u8]) -> Result<Vec<u8>, String> {
    archive::zip(&mut [File {
        path: "bootstrap",
        content: binary,
        is_executable: true,
    }])
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
