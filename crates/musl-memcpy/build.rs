//! Compiles `src/copy.c` on x86_64: under the names of libc's functions for musl, which they
//! replace, and under others elsewhere, for the tests.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/copy.c");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_{name}")).unwrap_or_default();
    if target("TARGET_ARCH") != "x86_64" || target("TARGET_FAMILY") != "unix" {
        return;
    }
    let (memcpy, memmove) = match target("TARGET_ENV").as_str() {
        "musl" => ("memcpy", "memmove"),
        _ => ("musl_memcpy", "musl_memmove"),
    };
    cc::Build::new()
        .file("src/copy.c")
        .define("MEMCPY", memcpy)
        .define("MEMMOVE", memmove)
        // The same code for the tests as for the release.
        .opt_level(2)
        .debug(false)
        .std("c11")
        // Keeps the compiler from replacing a loop by a call of memcpy: a call of itself.
        .flag("-ffreestanding")
        .flag("-fno-builtin")
        .flag_if_supported("-fno-tree-loop-distribute-patterns")
        // Links the functions even if libc's were found first. Two definitions fail the build.
        .link_lib_modifier("+whole-archive")
        .compile("musl_memcpy");
}
