//! The workflows in `.github/workflows`.

use super::{file, yaml};
use serde_json::{Value, json};

const CI: &str = ".github/workflows/ci.yml";
const RELEASE: &str = ".github/workflows/release.yml";

/// Returns the commands and actions of a job, in order.
fn steps(job: &Value) -> Vec<String> {
    let steps = job["steps"].as_array().unwrap();
    let text = |step: &Value| {
        step["run"]
            .as_str()
            .or(step["uses"].as_str())
            .unwrap()
            .to_owned()
    };
    steps.iter().map(text).collect()
}

#[test]
fn actions_are_pinned_to_a_commit_and_name_their_version() {
    for name in [CI, RELEASE] {
        let text = file(name);
        let used = text.lines().filter_map(|line| line.split_once("uses: "));
        for (_, used) in used.filter(|(_, used)| !used.starts_with("./")) {
            let (_, pin) = used.split_once('@').unwrap();
            let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{used}"));
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{used}");
            assert_eq!(version.split('.').count(), 3, "{used}");
        }
    }
}

#[test]
fn only_the_job_that_compiles_nothing_may_write() {
    for name in [CI, RELEASE] {
        let workflow = yaml(name);
        assert_eq!(workflow["permissions"], json!({}), "{name}");
        for (job, content) in workflow["jobs"].as_object().unwrap() {
            let may_write = content["permissions"].to_string().contains("write");
            assert_eq!(may_write, job == "publish", "{name}: {job}");
            let compiles = content.to_string().contains("cargo");
            assert!(!(may_write && compiles), "{name}: {job}");
        }
    }
}

#[test]
fn ci_runs_what_runs_by_hand() {
    let ci = yaml(CI);
    assert!(steps(&ci["jobs"]["check"]).contains(&"bash .ci/run".to_owned()));
    let release = yaml(RELEASE);
    assert_eq!(release["jobs"]["check"]["uses"], format!("./{CI}"));
    assert_eq!(release["jobs"]["build"]["needs"], "check");
    // The compiler that checked is the one that builds.
    let container = &ci["jobs"]["check"]["container"];
    assert_eq!(release["jobs"]["build"]["container"], *container);
}

#[test]
fn a_release_is_a_draft_until_all_is_attached() {
    let release = yaml(RELEASE);
    assert_eq!(release["on"], json!({"push": {"tags": ["v*"]}}));
    let build = steps(&release["jobs"]["build"]);
    assert!(
        build
            .iter()
            .any(|step| step.starts_with("cargo xtask release --tag \"$TAG\""))
    );
    assert_eq!(release["jobs"]["publish"]["needs"], "build");
    let publish = steps(&release["jobs"]["publish"]);
    let at = |part: &str| {
        let found = publish.iter().position(|step| step.contains(part));
        found.unwrap_or_else(|| panic!("{part}"))
    };
    assert!(at("sha256sum --check") < at("gh release create"));
    assert!(publish[at("gh release create")].contains("--draft"));
    assert!(at("gh release create") < at("gh release upload"));
    assert!(at("gh release upload") < at("--draft=false"));
    assert_eq!(at("--draft=false"), publish.len() - 1);
}
