use super::*;
use serde_json::{Value, json};

fn release_with(repository: Option<&str>) -> Release {
    Release {
        tag: "v1.2.3".into(),
        repository: repository.map(str::to_owned),
    }
}

fn repository_file(name: &str) -> String {
    read(&crate::root(), name).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

#[test]
fn options_are_read_and_others_refused() {
    let parse = |line: &str| {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments)
    };
    assert_eq!(parse(""), Ok(Options::default()));
    let both = parse("--tag v1.0.0 --repository https://github.com/o/n/").unwrap();
    assert_eq!(both.tag.as_deref(), Some("v1.0.0"));
    assert_eq!(both.repository.as_deref(), Some("https://github.com/o/n"));
    for wrong in ["--tag", "--tags v1", "--repository git@host:o/n", "v1.0.0"] {
        assert!(parse(wrong).unwrap_err().contains(USAGE), "{wrong}");
    }
}

#[test]
fn a_tag_that_is_not_the_version_is_refused() {
    let problem = check_tag(&crate::root(), "v9.9.9", "v0.1.0").unwrap_err();
    assert!(problem.contains("v9.9.9") && problem.contains("v0.1.0"));
}

#[test]
fn the_released_files_name_the_tag() {
    let release = release_with(Some("https://github.com/o/n"));
    let s = manifests::s_yaml(&repository_file("s.yaml"), &release).unwrap();
    let notifier = &yaml(&s)["resources"]["notifier"];
    let zip = "https://github.com/o/n/releases/download/v1.2.3/bootstrap.zip";
    assert_eq!(
        notifier["props"]["code"],
        format!("${{env('CODE', '{zip}')}}")
    );
    assert_eq!(notifier["actions"], Value::Null);
    assert!(s.lines().next().unwrap().contains("v1.2.3"));

    let alone = manifests::s_yaml(&repository_file("s.yaml"), &release_with(None)).unwrap();
    let code = &yaml(&alone)["resources"]["notifier"]["props"]["code"];
    assert_eq!(code, "${env('CODE', './bootstrap.zip')}");

    let template = manifests::template(&repository_file("template.yml"), &release).unwrap();
    let parameters = &yaml(&template)["Parameters"];
    assert_eq!(parameters["CodeObject"]["Default"], "bootstrap-v1.2.3.zip");
    assert!(!template.contains("cargo"), "nobody builds it");
}

#[test]
fn a_changed_file_is_an_error_and_no_silent_loss() {
    let release = release_with(None);
    let changed = repository_file("s.yaml").replace("access: default", "access: mine");
    let problem = manifests::app_s_yaml(&changed, &release).unwrap_err();
    assert!(problem.contains("access: default"), "{problem}");
    assert!(manifests::template("Parameters: {}", &release).is_err());
}

#[test]
fn the_application_has_what_s_init_needs() {
    let zipped = app(&crate::root(), &release_with(None), b"binary", "- Changed").unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zipped)).unwrap();
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index).unwrap();
        names.push(file.name().unwrap().to_string());
        let is_program = file.name().unwrap() == "src/code/bootstrap";
        let mode = file.unix_mode().unwrap() & 0o777;
        assert_eq!(mode, if is_program { 0o755 } else { 0o644 });
    }
    let expected = [
        "publish.yaml",
        "readme.md",
        "readme_en.md",
        "src/.env.example",
        "src/.gitignore",
        "src/LICENSE",
        "src/README.md",
        "src/README.zh-CN.md",
        "src/code/bootstrap",
        "src/s.yaml",
        "version.md",
    ];
    assert_eq!(names, expected);
}

/// Two crates that are linked, a macro and a test's dependency, as cargo tells of them.
fn metadata() -> Metadata {
    let package = |name: &str, source: Value, kind: &str| {
        json!({
            "id": format!("path+file:///home/user/{name}"), "name": name, "version": "1.0.0",
            "source": source, "license": "MIT/Apache-2.0", "targets": [{"kind": [kind]}],
            "manifest_path": format!("/home/user/registry/{name}/Cargo.toml"),
        })
    };
    let registry = json!("registry+https://github.com/rust-lang/crates.io-index");
    let needs = |name: &str, kind: Value| json!({"pkg": format!("path+file:///home/user/{name}"), "dep_kinds": [{"kind": kind}]});
    let node = |name: &str, deps: Value| json!({"id": format!("path+file:///home/user/{name}"), "deps": deps});
    Metadata(json!({
        "workspace_root": "/home/user/project",
        "packages": [
            package(BINARY, Value::Null, "bin"),
            package("ring", registry.clone(), "lib"),
            package("derive", registry.clone(), "proc-macro"),
            package("insta", registry, "lib"),
        ],
        "resolve": {"nodes": [
            node(BINARY, json!([
                needs("ring", Value::Null), needs("derive", Value::Null), needs("insta", json!("dev")),
            ])),
            node("ring", json!([])),
            node("derive", json!([])),
            node("insta", json!([])),
        ]},
    }))
}

#[test]
fn the_bill_names_what_is_linked_and_no_path() {
    let lock = "[[package]]\nname = \"ring\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
    let build = sbom::Build {
        compilers: vec![("rustc", "rustc 1".into())],
        commit: Some("c0ffee".into()),
    };
    let text = sbom::bill(&metadata(), lock, &build).unwrap();
    assert!(!text.contains("/home"), "{text}");
    let bill: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        bill["components"],
        json!([{
            "type": "library", "bom-ref": "pkg:cargo/ring@1.0.0", "name": "ring", "version": "1.0.0",
            "licenses": [{"expression": "MIT OR Apache-2.0"}], "purl": "pkg:cargo/ring@1.0.0",
            "hashes": [{"alg": "SHA-256", "content": "abc"}],
        }])
    );
    let program = &bill["metadata"]["component"];
    assert_eq!(
        json!([program["type"], program["name"]]),
        json!(["application", BINARY])
    );
    assert_eq!(
        bill["dependencies"][0]["dependsOn"],
        json!(["pkg:cargo/ring@1.0.0"])
    );
    assert_eq!(bill["metadata"]["properties"][2]["value"], "c0ffee");
}

#[test]
fn folders_of_this_machine_are_known() {
    let folders = metadata().folders_of_dependencies();
    assert_eq!(
        folders.into_iter().collect::<Vec<_>>(),
        [PathBuf::from("/home/user/registry")]
    );
}
