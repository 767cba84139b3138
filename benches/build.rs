//! Links the helper binaries like the function; see the function's own build script.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_musl = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl");
    if is_musl && cfg!(target_os = "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
