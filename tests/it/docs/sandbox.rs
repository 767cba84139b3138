//! A folder in which the commands of a page run as they are written.
//!
//! `cargo run --quiet --` and `code/bootstrap` are the binary under test. The tools of the cloud are
//! functions of the shell that write down how they were called. Nothing else can be started than the
//! few tools that are named here, and no secret may be printed.

use super::root;
use crate::platform::binary;
use crate::secrets::SecretScanner;
use crate::support::{FALLBACK_TOKEN, SECRET, TOKEN, group};
use fake_dingtalk::Group;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What commands of a page may start.
const TOOLS: [&str; 6] = ["cat", "chmod", "cp", "date", "mkdir", "sha256sum"];

/// What stands in for the tools that need a cloud or a network.
const STAND_INS: &str = r#"
called() { printf '%s\n' "$*" >>"$CALLED"; }
cargo() { case "$1 $2 $3" in 'run --quiet --') shift 3; "$BOOTSTRAP" "$@";; *) called cargo "$@";; esac; }
s() {
  called s "$@"
  case $1 in
    init) mkdir -p ecs-events/code; cp .env.example ecs-events/; cp code/bootstrap ecs-events/code/;;
    logs) [ "${2-}" = --tail ] || cat function.log;;
  esac
}
cp() { command cp "$@" && { [ "$2" != .env ] || cat "$SETTINGS" >>.env; }; }
npm() { called npm "$@"; }
aliyun() { called aliyun "$@"; }
ossutil() { called ossutil "$@"; }
gh() { called gh "$@"; }
exec 2>&1
"#;

/// Between the output of a command and its exit code, and after it.
const MARK: char = '\u{1e}';

/// A command that ran to its end.
#[derive(Debug)]
pub struct Done {
    pub command: String,
    pub output: String,
    pub code: i32,
}

pub struct Sandbox {
    pub group: Group,
    pub folder: PathBuf,
    /// The lines of `.env`.
    settings: Vec<(String, String)>,
}

impl Sandbox {
    /// A clone of the repository with a `.env` for a chatbot of a stand-in.
    pub fn new(name: &str) -> Sandbox {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
        let folder = folder.join(name.replace(|c: char| !c.is_alphanumeric(), "-"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("code")).unwrap();
        fs::create_dir_all(folder.join("bin")).unwrap();
        let group = group();
        let webhook = group.webhook(TOKEN);
        let sandbox = Sandbox {
            group,
            settings: Vec::new(),
            folder,
        };
        let sandbox = sandbox
            .set("DINGTALK_WEBHOOK", &webhook)
            .set("DINGTALK_SECRET", SECRET)
            .set("MESSAGE_LANGUAGE", "en")
            .set("RESOURCE_LOOKUP", "off");
        for name in ["tests", "data", "docs", "s.yaml", ".env.example"] {
            symlink(root().join(name), sandbox.folder.join(name)).unwrap();
        }
        for tool in TOOLS {
            let path = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            let path = path.iter().find(|path| path.exists());
            let path = path.unwrap_or_else(|| panic!("{tool} is not installed"));
            symlink(path, sandbox.folder.join("bin").join(tool)).unwrap();
        }
        let bootstrap = binary(&[]).get_program().to_owned();
        symlink(bootstrap, sandbox.folder.join("code/bootstrap")).unwrap();
        sandbox.file("function.log", "");
        sandbox
    }

    /// Sets a variable in `.env`, as a person does with an editor.
    pub fn set(mut self, name: &str, value: &str) -> Sandbox {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        let lines = self.settings.iter();
        let lines: String = lines.map(|(n, v)| format!("{n}='{v}'\n")).collect();
        self.file(".env", &lines);
        self.file("settings", &lines);
        self
    }

    pub fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// What the tools of the cloud were called with.
    pub fn called(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("called")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Runs the commands one after the other in one shell, also after one that fails.
    pub fn run(&self, commands: &[String]) -> Vec<Done> {
        let mut script = STAND_INS.to_owned();
        for command in commands {
            script.push_str(&format!("{command}\nprintf '\\036%s\\036' \"$?\"\n"));
        }
        let mut shell = Command::new("/bin/sh");
        shell
            .arg("-c")
            .arg(&script)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", self.folder.join("bin"))
            .env("BOOTSTRAP", self.folder.join("code/bootstrap"))
            .env("CALLED", self.folder.join("called"))
            .env("SETTINGS", self.folder.join("settings"))
            .stdin(Stdio::null());
        let output = shell.output().unwrap();
        let mut secrets = binary(&[]);
        secrets.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let scanner = SecretScanner::for_command(&secrets);
        scanner.record(&output.stdout);
        scanner.assert_no_secret();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut parts = text.split(MARK);
        let done = commands.iter().map(|command| Done {
            output: parts.next().expect("the output").to_owned(),
            code: parts.next().expect("the exit code").parse().unwrap(),
            command: command.clone(),
        });
        done.collect()
    }

    /// The webhook of the second chatbot of the group.
    pub fn fallback(&self) -> String {
        self.group.webhook(FALLBACK_TOKEN)
    }

    /// The variables of `.env`, for a function in this process.
    pub fn vars(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter();
        settings.map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }
}

#[test]
fn commands_run_one_after_the_other_and_nothing_unknown_does() {
    let sandbox = Sandbox::new("itself");
    let commands = [
        "A=1",
        "printf '%s' \"$A\"",
        "curl https://example.com",
        "s deploy -y",
    ];
    let done = sandbox.run(&commands.map(str::to_owned));
    assert_eq!((done[1].output.as_str(), done[1].code), ("1", 0));
    assert_eq!(done[2].code, 127, "{done:?}");
    assert_eq!(sandbox.called(), ["s deploy -y"]);
}
