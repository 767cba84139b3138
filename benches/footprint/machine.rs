//! Describes the machine and the tools of a run.

use crate::pin::Cpus;
use crate::programs::{Kind, Programs};
use std::process::Command;

/// Returns CPU, system, compiler and the peers' versions.
pub fn described(programs: &Programs, peers: &[Kind], cpus: Cpus) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let models: Vec<&str> = info
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("--version")
        .output();
    let mut parts = vec![
        format!(
            "{} × {}",
            models.len(),
            models.first().unwrap_or(&"unknown CPU")
        ),
        format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        rustc.map_or_else(
            |_| "rustc unknown".into(),
            |out| String::from_utf8_lossy(&out.stdout).trim().to_owned(),
        ),
    ];
    for peer in peers {
        parts.extend(
            programs
                .find(*peer)
                .map(|p| format!("{} {}", p.name(), p.version)),
        );
    }
    if !cpus.are_separate() {
        parts.push("ONE CPU ONLY: callers take time from what they call".into());
    }
    format!("{}.", parts.join(", "))
}
