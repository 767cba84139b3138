//! The bill of materials: what is linked into the binary, as CycloneDX 1.5
//! (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! Only what cargo knows: no time, no serial number and no path, so that it is the same each time.

use crate::BINARY;
use crate::metadata::Metadata;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a binary was built with, and of.
pub(crate) struct Build {
    /// Name and version of each compiler.
    pub(crate) compilers: Vec<(&'static str, String)>,
    /// The commit, if known.
    pub(crate) commit: Option<String>,
}

/// Returns the bill of the deployed binary. `lock` is the text of `Cargo.lock`.
pub(crate) fn bill(metadata: &Metadata, lock: &str, build: &Build) -> Result<String, String> {
    let packages: BTreeMap<&str, &Value> = metadata
        .packages()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let linked = linked(metadata, &packages)?;
    let sums = checksums(lock);
    let (mut components, mut dependencies, mut program) = (Vec::new(), Vec::new(), Value::Null);
    for (id, needs) in &linked {
        let package = packages.get(id).ok_or("cargo metadata lacks a package")?;
        let component = component(package, &sums);
        let needs: BTreeSet<String> = needs
            .iter()
            .filter_map(|id| packages.get(id).map(|package| reference(package)))
            .collect();
        dependencies.push(json!({"ref": reference(package), "dependsOn": needs}));
        if package["name"] == BINARY {
            program = component;
        } else {
            components.push(component);
        }
    }
    program["type"] = "application".into();
    components.sort_by_key(|component| component["bom-ref"].to_string());
    dependencies.sort_by_key(|dependency| dependency["ref"].to_string());
    let mut properties: Vec<Value> = build
        .compilers
        .iter()
        .map(|(name, version)| json!({"name": format!("build:{name}"), "value": version}))
        .collect();
    let target = json!({"name": "build:target", "value": crate::toolchain::MUSL});
    properties.push(target);
    let commit = build.commit.iter();
    properties.extend(commit.map(|commit| json!({"name": "build:commit", "value": commit})));
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program, "properties": properties},
        "components": components,
        "dependencies": dependencies,
    });
    let text = serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// Returns the ids of the packages that are linked into the binary, each with those that it needs.
/// What only runs while building is none of them.
fn linked<'a>(
    metadata: &'a Metadata,
    packages: &BTreeMap<&'a str, &'a Value>,
) -> Result<BTreeMap<&'a str, Vec<&'a str>>, String> {
    let nodes = metadata.0["resolve"]["nodes"].as_array();
    let nodes: BTreeMap<&str, &Value> = nodes
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let program = packages
        .iter()
        .find(|(_, package)| package["name"] == BINARY && package["source"].is_null())
        .ok_or_else(|| format!("the workspace has no package {BINARY}"))?;
    let mut linked = BTreeMap::new();
    let mut open = vec![*program.0];
    while let Some(id) = open.pop() {
        if linked.contains_key(id) {
            continue;
        }
        let node = nodes.get(id).ok_or("cargo metadata lacks a package")?;
        let needs: Vec<&str> = node["deps"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|needed| is_normal(needed))
            .filter_map(|needed| needed["pkg"].as_str())
            .filter(|id| packages.get(id).is_some_and(|package| !is_macro(package)))
            .collect();
        open.extend(&needs);
        linked.insert(id, needs);
    }
    Ok(linked)
}

/// Returns true if a dependency is one of the program rather than of its tests or its building.
fn is_normal(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array();
    kinds
        .into_iter()
        .flatten()
        .any(|kind| kind["kind"].is_null())
}

/// Returns true if a package runs in the compiler.
fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array();
    let mut kinds = targets.into_iter().flatten().map(|target| &target["kind"]);
    kinds.any(|kind| kind[0] == "proc-macro")
}

fn component(package: &Value, sums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (&package["name"], &package["version"]);
    let mut component = json!({
        "type": "library", "bom-ref": reference(package), "name": name, "version": version,
    });
    if let Some(license) = package["license"].as_str() {
        // Older packages write a slash.
        let expression = license.replace('/', " OR ");
        component["licenses"] = json!([{"expression": expression}]);
    }
    if !package["source"].is_null() {
        component["purl"] = reference(package).into();
    }
    let key = [name, version].map(|part| part.as_str().unwrap_or_default().to_owned());
    if let Some(sum) = sums.get(&key.into()) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

/// Returns the name of a package within the bill: its package URL, if a registry has it.
fn reference(package: &Value) -> String {
    let part = |name| package[name].as_str().unwrap_or_default();
    let scheme = if package["source"].is_null() {
        ""
    } else {
        "pkg:cargo/"
    };
    format!("{scheme}{}@{}", part("name"), part("version"))
}

/// Returns the checksum of each package in `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut sums = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |name: &str| {
            let line = package
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
            Some(line.trim_end_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(sum)) =
            (value("name"), value("version"), value("checksum"))
        {
            sums.insert((name, version), sum);
        }
    }
    sums
}
