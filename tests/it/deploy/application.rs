//! The application for `s init` and the files of a release: made from `s.yaml`, and no other than
//! it but for what they name.

// The build task makes them with these functions.
#[path = "../../../xtask/src/release/manifests.rs"]
mod manifests;

use super::{file, keys, yaml};
use ecs_dingtalk_notifier::config::Config;
use manifests::Release;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn release() -> Release {
    Release {
        tag: "v1.2.3".into(),
        repository: Some("https://github.com/o/n".into()),
    }
}

fn parse(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

fn application() -> String {
    manifests::app_s_yaml(&file("s.yaml"), &release()).unwrap()
}

/// Returns the questions of `s init`, by name.
fn questions() -> serde_json::Map<String, Value> {
    let publish = manifests::app_publish(&file("app/publish.yaml"), &release()).unwrap();
    let publish = parse(&publish);
    assert_eq!(publish["Version"], "1.2.3");
    publish["Parameters"]["properties"]
        .as_object()
        .unwrap()
        .clone()
}

/// Returns `s.yaml` without what builds and names the package.
fn without_package(text: &str) -> Value {
    let mut s = parse(text);
    let notifier = &mut s["resources"]["notifier"];
    notifier.as_object_mut().unwrap().remove("actions");
    notifier["props"]["code"] = Value::Null;
    s
}

#[test]
fn s_deploy_builds_what_it_deploys_unless_a_package_is_named() {
    let notifier = &yaml("s.yaml")["resources"]["notifier"];
    let run = r#"test -n "${env('CODE', '')}" || cargo xtask package"#;
    let step = json!([{"run": run, "path": "./"}]);
    assert_eq!(notifier["actions"]["pre-deploy"], step);
    assert_eq!(
        notifier["props"]["code"],
        "${env('CODE', './target/package')}"
    );
}

#[cfg(unix)]
#[test]
fn the_build_step_runs_only_without_a_package() {
    let step = &yaml("s.yaml")["resources"]["notifier"]["actions"]["pre-deploy"][0];
    for (code, built) in [
        ("", true),
        ("./a folder/x.zip", false),
        ("https://h/b.zip", false),
    ] {
        let run = step["run"].as_str().unwrap();
        let run = run.replace("${env('CODE', '')}", code);
        let run = run.replace("cargo xtask package", "exit 7");
        let status = std::process::Command::new("sh")
            .args(["-c", &run])
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(if built { 7 } else { 0 }), "{code}");
    }
}

#[test]
fn the_application_is_s_yaml_with_answers() {
    let mut text = application();
    for (name, question) in questions() {
        let place = format!("{{{{ {name} }}}}");
        assert_eq!(text.matches(&place).count(), 1, "{name}");
        text = text.replace(&place, question["default"].as_str().unwrap());
    }
    assert_eq!(text.matches("'{{ access }}'").count(), 1);
    text = text.replace("'{{ access }}'", "default");
    assert!(!text.contains("{{"), "{text}");
    assert_eq!(without_package(&text), without_package(&file("s.yaml")));
    let notifier = &parse(&text)["resources"]["notifier"];
    assert_eq!(notifier["actions"], Value::Null);
    assert_eq!(notifier["props"]["code"], "${env('CODE', './code')}");
    assert!(!text.contains("cargo"));
}

#[test]
fn the_released_s_yaml_is_s_yaml_with_the_released_package() {
    let text = manifests::s_yaml(&file("s.yaml"), &release()).unwrap();
    assert_eq!(without_package(&text), without_package(&file("s.yaml")));
    let zip = "https://github.com/o/n/releases/download/v1.2.3/bootstrap.zip";
    let notifier = &parse(&text)["resources"]["notifier"];
    assert_eq!(
        notifier["props"]["code"],
        format!("${{env('CODE', '{zip}')}}")
    );
    assert_eq!(notifier["actions"], Value::Null);
}

#[test]
fn the_released_template_takes_the_zip_of_its_version() {
    let text = manifests::template(&file("template.yml"), &release()).unwrap();
    let (mut made, mut own) = (parse(&text), yaml("template.yml"));
    let object = |template: &mut Value| template["Parameters"]["CodeObject"]["Default"].take();
    assert_eq!(object(&mut made), release().object());
    assert_eq!(object(&mut own), "bootstrap.zip");
    assert_eq!(made, own);
}

#[test]
fn the_questions_are_in_both_languages_and_ask_for_no_secret() {
    let asked: BTreeSet<String> = questions().keys().cloned().collect();
    assert_eq!(asked, super::names(&["region", "functionName", "levels"]));
    for (name, question) in questions() {
        // A default of another type is rendered as the word undefined, and numbers are never asked
        // for.
        assert_eq!(question["type"], "string", "{name}");
        assert!(question["default"].is_string(), "{name}");
        for text in [&question["title"], &question["description"]] {
            let text = text.as_str().unwrap();
            let (chinese, english) = text.split_once(" / ").unwrap_or_else(|| panic!("{text}"));
            assert!(chinese.chars().any(|c| c as u32 >= 0x4e00), "{text}");
            assert!(english.is_ascii(), "{text}");
        }
    }
}

#[test]
fn every_answer_is_one_that_the_program_takes() {
    let webhook = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
    let levels = questions()["levels"]["enum"].clone();
    assert!(
        levels
            .as_array()
            .unwrap()
            .contains(&questions()["levels"]["default"])
    );
    for level in levels.as_array().unwrap() {
        let given = [
            ("DINGTALK_WEBHOOK", webhook),
            ("EVENT_LEVELS", level.as_str().unwrap()),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(Config::from_vars(given).is_ok(), "{level}");
    }
}

// A value there would win over the answer.
#[test]
fn the_applications_env_example_leaves_the_answers_alone() {
    let example = manifests::app_env_example(&file(".env.example")).unwrap();
    let values: Vec<(&str, &str)> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    for name in ["REGION", "EVENT_LEVELS", "CODE"] {
        assert!(values.contains(&(name, "")), "{name}");
    }
    let named: BTreeSet<&str> = values.iter().map(|(name, _)| *name).collect();
    let own = file(".env.example");
    let own = own.lines().filter(|line| !line.starts_with('#'));
    let own: BTreeSet<&str> = own
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert_eq!(named, own);
}

#[test]
fn publish_yaml_has_what_the_registry_asks_for() {
    let publish = yaml("app/publish.yaml");
    let required = [
        "Edition",
        "Type",
        "Name",
        "Version",
        "Provider",
        "Description",
        "Category",
        "Service",
        "Effective",
        "Parameters",
    ];
    for name in required {
        assert!(keys(&publish).contains(name), "{name}");
    }
    assert_eq!(publish["Parameters"]["additionalProperties"], false);
    let required = publish["Parameters"]["required"].as_array().unwrap();
    assert_eq!(required.len(), questions().len());
}
