//! Every command on a page is run here as it is written, or stands in a list with the place where it
//! is run, or with the reason why it is not.

use super::markdown::{Page, without_comment};
use super::sandbox::Sandbox;
use super::{PAGES, page, root};
use std::collections::BTreeSet;

/// Where a command is run.
enum Run {
    /// Here, by the binary or by the shell.
    Here,
    /// By `.ci/run`, in a line that begins so.
    Ci(&'static str),
    /// By the test of this name in this file.
    Test(&'static str, &'static str),
    /// Nowhere, for this reason.
    Not(&'static str),
}
use Run::{Ci, Here, Not, Test};

const CLOUD: Run = Not("needs an account");
const NETWORK: Run = Not("needs the network");
const EXTERNAL: Run = Not("a tool of others, installed for other uses");

/// The commands by their beginnings. The first that fits counts.
const KNOWN: [(&str, Run); 50] = [
    ("cargo run --quiet --", Here),
    ("code/bootstrap", Here),
    ("set -a", Here),
    ("cd ecs-events", Here),
    ("cp .env.example .env", Here),
    ("printf ", Here),
    ("chmod +x code/bootstrap", Here),
    ("sha256sum --check --ignore-missing SHA256SUMS", Here),
    ("s logs >log.txt", Here),
    ("date -u", Here),
    // By cargo, at other places.
    (
        "cargo run --example playground -- --once",
        Ci("cargo run --locked --quiet --example playground -- --once"),
    ),
    (
        "cargo run --example playground",
        Test(
            "tests/it/playground/mod.rs",
            "a_fired_event_appears_as_invocation_call_and_message",
        ),
    ),
    (
        "cargo test --lib simulation -- --nocapture",
        Ci("PLAYGROUND_BROWSER=required cargo test --locked"),
    ),
    (
        "cargo test --test it docs",
        Ci("PLAYGROUND_BROWSER=required cargo test --locked"),
    ),
    (
        "cargo test",
        Ci("PLAYGROUND_BROWSER=required cargo test --locked"),
    ),
    ("cargo fmt --all --check", Ci("cargo fmt --all --check")),
    (
        "cargo clippy --workspace --all-targets --locked -- -D warnings",
        Ci("cargo clippy --workspace --all-targets --locked -- -D warnings"),
    ),
    ("cargo xtask package", Ci("cargo xtask package")),
    ("cargo xtask release", Ci("cargo xtask release")),
    ("cargo xtask instructions", Ci("cargo xtask instructions")),
    (
        "cargo bench --package benches",
        Not("takes minutes; .ci/run tests the package benches"),
    ),
    (
        "cargo tree --package ecs-dingtalk-notifier --edges normal --depth 1",
        Not("prints what the table beside it says; Cargo.toml counts"),
    ),
    (
        "cargo run -p fc-runtime --example hello",
        Not("waits for calls; .ci/run compiles it with all targets"),
    ),
    (
        "curl -i -d",
        Not("calls the example; crates/fc-runtime/tests/it makes such calls"),
    ),
    (
        "cargo audit bin bootstrap",
        Not("asks for advisories, by a tool of others"),
    ),
    (
        "cargo doc -p fc-runtime --open",
        Ci("RUSTDOCFLAGS=\"-D warnings\" cargo doc --locked --no-deps --workspace"),
    ),
    (
        "cargo update --manifest-path fuzz/Cargo.toml --workspace",
        Not("changes a lock file; .ci/run builds the targets with the committed one"),
    ),
    ("cargo fuzz", EXTERNAL),
    ("cargo install", NETWORK),
    (
        ".ci/run",
        Test("tests/it/deploy/workflows.rs", "ci_runs_what_runs_by_hand"),
    ),
    ("fuzz/run short", Ci("fuzz/run short")),
    ("fuzz/run", Not("runs for minutes; .ci/run does it short")),
    (
        "docs/screenshots.sh",
        Not("writes pictures; its test is tests/it/playground/page.rs"),
    ),
    // Tools of the cloud.
    ("s init", CLOUD),
    ("s config add", CLOUD),
    ("s deploy", CLOUD),
    ("s invoke", CLOUD),
    ("s logs", CLOUD),
    ("s info", CLOUD),
    ("s remove", CLOUD),
    ("s registry publish", CLOUD),
    ("aliyun ", CLOUD),
    ("ossutil cp", CLOUD),
    // Tools of others.
    ("gh attestation verify", NETWORK),
    ("npm install --global @serverless-devs/s", NETWORK),
    ("pip install", NETWORK),
    ("rustup target add", NETWORK),
    ("apt-get install", NETWORK),
    ("git tag", Not("makes a release")),
    ("git push", Not("makes a release")),
];

/// The first words of what is a command, in the middle of a text too.
const TOOLS: [&str; 16] = [
    "cargo",
    "code/bootstrap",
    "s",
    "aliyun",
    "ossutil",
    "gh",
    "npm",
    "pip",
    "rustup",
    "apt-get",
    "git",
    ".ci/run",
    "fuzz/run",
    "docs/screenshots.sh",
    "curl",
    "docker",
];

/// The command without the variables that are set for it alone.
fn bare(command: &str) -> &str {
    let mut rest = command;
    while let Some((first, more)) = rest.split_once(' ') {
        let name = first.split_once('=').map(|(name, _)| name);
        let is_variable = name.is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
        if !is_variable {
            break;
        }
        rest = more;
    }
    rest
}

fn is_command(span: &str) -> bool {
    let command = bare(span);
    let first = command.split(' ').next().unwrap_or_default();
    let is_tool = TOOLS.contains(&first);
    is_tool && (command.contains(' ') || first.contains('/'))
}

/// Every command of a page: of its blocks, and within its text.
fn commands(page: &Page) -> Vec<String> {
    let mut found = Vec::new();
    for section in &page.sections {
        found.extend(section.commands());
        let sessions = section.blocks_in("console");
        let lines = sessions.iter().flat_map(|text| text.lines());
        let typed = lines.filter_map(|line| line.strip_prefix("$ "));
        found.extend(typed.map(str::to_owned));
        let spans = section.spans.iter().filter(|span| is_command(span));
        found.extend(spans.map(|span| without_comment(span).to_owned()));
    }
    found
}

#[test]
fn every_command_is_run_or_stands_in_the_list_with_its_reason() {
    let (mut used, mut unknown) = (BTreeSet::new(), Vec::new());
    let pages = PAGES.iter().chain(&["app/readme.md", "app/readme_en.md"]);
    for path in pages {
        for command in commands(&page(path)) {
            let known = |(known, _): &(&str, Run)| bare(&command).starts_with(known);
            match KNOWN.iter().position(known) {
                Some(number) => _ = used.insert(number),
                None => unknown.push(format!("{path}: {command}")),
            }
        }
    }
    assert!(unknown.is_empty(), "nobody runs\n{}", unknown.join("\n"));
    let known = KNOWN.iter().enumerate();
    let unused = known.filter(|(number, _)| !used.contains(number));
    let unused: Vec<&str> = unused.map(|(_, (known, _))| *known).collect();
    assert!(unused.is_empty(), "no page has {unused:?}");
}

#[test]
fn the_list_tells_the_truth() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let ci = read(".ci/run");
    for (command, run) in &KNOWN {
        match run {
            Ci(line) => assert!(
                ci.lines().any(|known| known.starts_with(line)),
                "`{command}`: .ci/run has no line {line}"
            ),
            Test(file, name) => assert!(
                read(file).contains(&format!("fn {name}()")),
                "`{command}`: {file} has no test {name}"
            ),
            Not(reason) => assert!(!reason.is_empty()),
            Here => {}
        }
    }
}

/// Returns true for a command of the program within a text, with what it is to do.
fn is_cheap(span: &str) -> bool {
    let programs = ["cargo run --quiet -- ", "code/bootstrap "];
    programs.iter().any(|program| span.starts_with(program))
}

/// Commands that end with 1 where all is well, because they tell of something that is not.
const TELLING: [&str; 1] = ["cargo run --quiet -- history "];

/// The pages whose blocks are run from top to bottom, a chapter in one shell. `docs/operations.md` is
/// run by tests of its own.
#[test]
fn the_commands_of_the_first_page_run_as_written() {
    for path in ["README.md", "app/readme_en.md"] {
        let page = page(path);
        for section in &page.sections {
            let mut commands = section.commands();
            let spans = section.spans.iter();
            commands.extend(spans.filter(|span| is_cheap(span)).cloned());
            if commands.is_empty() {
                continue;
            }
            let sandbox = Sandbox::new(&format!("{path} {}", section.heading));
            letters(&sandbox);
            // Who is here has come from "Check it", with the settings in the shell.
            let settings = ["set -a && . ./.env && set +a".to_owned()];
            for done in sandbox.run(&[&settings[..], &commands].concat()) {
                let tells = TELLING.iter().any(|known| done.command.starts_with(known));
                let place = format!("{path}, {}: {done:?}", section.heading);
                assert!(done.code == 0 || (tells && done.code == 1), "{place}");
            }
        }
    }
}

/// What a person has at hand: an event in FILE, a release that was downloaded.
fn letters(sandbox: &Sandbox) {
    sandbox.file("FILE", &crate::samples::sample(crate::samples::REBOOT));
    sandbox.file("bootstrap.zip", "");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    sandbox.file("SHA256SUMS", &format!("{empty}  bootstrap.zip\n"));
}
