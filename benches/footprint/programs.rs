//! The programs: the deployed binary, its time-lapse build, and the peers of `benches/peers/`.

use crate::sink::Sink;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The secret of the notifier and of the peers that sign.
pub const SECRET: &str = "SEC0000000000000000000000000000000000000000000000000000000000000000";

/// The kind of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `target/package/bootstrap`, byte for byte as it is deployed.
    Notifier,
    /// The notifier with a clock that skips the waits of the rate limit.
    TimeLapse,
    /// A lower bound: posts the payload and answers, without reading it.
    Forwarder,
    Go,
    Node,
    Python,
}

/// A program that can be started.
#[derive(Debug, Clone)]
pub struct Program {
    pub kind: Kind,
    command: Vec<OsString>,
    /// The size of the binary in bytes; `None` for scripts.
    pub binary: Option<u64>,
    /// The size of the deployed zip in bytes.
    pub zip: Option<u64>,
    /// The version of the language, shown below the table.
    pub version: String,
}

/// The certificate authorities that a program trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// As deployed: those of the machine or the compiled-in ones, and the webhook's.
    Usual,
    /// The webhook's authority alone.
    One,
}

impl Program {
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Notifier => "notifier",
            Kind::TimeLapse => "notifier, time-lapse",
            Kind::Forwarder => "C forwarder",
            Kind::Go => "Go",
            Kind::Node => "Node",
            Kind::Python => "Python",
        }
    }

    /// Returns true if the program reads events, signs and speaks TLS.
    pub fn does_the_job(&self) -> bool {
        self.kind != Kind::Forwarder
    }

    /// Returns the command that starts the program. Without a webhook the forwarder posts nothing.
    pub fn command(&self, port: u16, webhook: Option<&str>, sink: &Sink, roots: Roots) -> Command {
        let [program, arguments @ ..] = self.command.as_slice() else {
            unreachable!("a program has a command");
        };
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.env("FC_SERVER_PORT", port.to_string());
        command.envs(webhook.map(|url| ("DINGTALK_WEBHOOK", url)));
        if self.does_the_job() {
            command.env("DINGTALK_SECRET", SECRET);
        }
        if self.kind == Kind::TimeLapse {
            // The limit that its clock is made for.
            command.env("DINGTALK_RATE_LIMIT", "20");
        }
        if webhook.is_some_and(|url| url.starts_with("https:")) {
            match self.kind {
                Kind::Notifier | Kind::TimeLapse => command.env("SSL_CERT_FILE", &sink.ca),
                Kind::Node => command.env("NODE_EXTRA_CA_CERTS", &sink.ca),
                Kind::Forwarder => &mut command,
                Kind::Go | Kind::Python => {
                    let file = match roots {
                        Roots::Usual => &sink.bundle,
                        Roots::One => &sink.ca,
                    };
                    // Go would read the folder of certificates, too.
                    command
                        .env("SSL_CERT_FILE", file)
                        .env("SSL_CERT_DIR", "/nonexistent")
                }
            };
        }
        command
    }
}

/// All programs to measure.
pub struct Programs {
    pub all: Vec<Program>,
    /// The program that times work inside a process, built like the function.
    pub inside: PathBuf,
    /// Peers that cannot be built, with the reason.
    pub left_out: Vec<String>,
}

impl Programs {
    pub fn find(&self, kind: Kind) -> Option<&Program> {
        self.all.iter().find(|program| program.kind == kind)
    }

    /// Builds the function and its peers. Peers without their tools are left out.
    pub fn build(root: &Path, folder: &Path) -> Result<Programs, Box<dyn Error>> {
        xtask(root, &["package"])?;
        let own = |kind, path: PathBuf, zip| -> Result<Program, Box<dyn Error>> {
            Ok(Program {
                kind,
                binary: Some(std::fs::metadata(&path)?.len()),
                command: vec![path.into()],
                zip,
                version: String::new(),
            })
        };
        let zip = std::fs::metadata(root.join("target/bootstrap.zip"))?.len();
        let bootstrap = root.join("target/package/bootstrap");
        let lapse = xtask(root, &["static", "benches", "timelapse"])?;
        let mut programs = Programs {
            all: vec![
                own(Kind::Notifier, bootstrap, Some(zip))?,
                own(Kind::TimeLapse, lapse.into(), None)?,
            ],
            inside: xtask(root, &["static", "benches", "inside"])?.into(),
            left_out: Vec::new(),
        };
        let peers = root.join("benches/peers");
        for (name, peer) in [
            ("C forwarder", forwarder(&peers, folder)),
            ("Go", go(&peers, folder)),
            ("Node", node(&peers)),
            ("Python", python(&peers)),
        ] {
            match peer {
                Ok(program) => programs.all.push(program),
                Err(problem) => programs.left_out.push(format!("{name}: {problem}")),
            }
        }
        Ok(programs)
    }
}

/// Runs a task. Returns the last line of its output.
fn xtask(root: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["run", "--quiet", "--locked", "--package", "xtask", "--"]);
    Ok(last_line(command.args(arguments))?)
}

/// Runs a command to its end. Returns the last line of its output.
fn last_line(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.stderr(std::process::Stdio::inherit()).output();
    let out = out.map_err(|error| format!("{program} cannot be started ({})", error.kind()))?;
    let text = String::from_utf8_lossy(&out.stdout);
    if !out.status.success() {
        return Err(format!("{program} failed"));
    }
    Ok(text
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned())
}

fn forwarder(peers: &Path, folder: &Path) -> Result<Program, String> {
    let built = folder.join("forwarder");
    let mut failure = String::new();
    for compiler in ["musl-gcc", "x86_64-linux-musl-gcc", "gcc"] {
        let mut command = Command::new(compiler);
        command.args(["-O2", "-static", "-s", "-pthread", "-o"]);
        match last_line(command.arg(&built).arg(peers.join("forwarder.c"))) {
            Ok(_) if compiler == "gcc" => {
                return binary(
                    Kind::Forwarder,
                    built,
                    "static glibc: starts later than with musl-gcc",
                );
            }
            Ok(_) => return binary(Kind::Forwarder, built, "musl"),
            Err(problem) => failure = problem,
        }
    }
    Err(format!("{failure}; on Debian: apt-get install musl-tools"))
}

fn go(peers: &Path, folder: &Path) -> Result<Program, String> {
    let version = last_line(Command::new("go").arg("version"))
        .map_err(|problem| format!("{problem}; on Debian: apt-get install golang-go"))?;
    let built = folder.join("notifier-go");
    let mut command = Command::new("go");
    command.env("CGO_ENABLED", "0");
    command.args(["build", "-trimpath", "-ldflags", "-s -w", "-o"]);
    last_line(command.arg(&built).arg(peers.join("notifier.go")))?;
    let number = version.split(' ').find_map(|word| word.strip_prefix("go1"));
    binary(Kind::Go, built, &format!("1{}", number.unwrap_or_default()))
}

fn binary(kind: Kind, path: PathBuf, version: &str) -> Result<Program, String> {
    let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
    Ok(Program {
        kind,
        command: vec![path.into()],
        binary: Some(bytes.len() as u64),
        zip: Some(zipped(&[("bootstrap".into(), bytes)])?),
        version: version.to_owned(),
    })
}

fn node(peers: &Path) -> Result<Program, String> {
    // Find the program itself, not a version manager's wrapper.
    let line = last_line(
        Command::new("node").args(["-p", "process.execPath + ' ' + process.versions.node"]),
    )?;
    let (program, version) = line.rsplit_once(' ').ok_or("node tells no version")?;
    script(
        Kind::Node,
        program,
        version,
        &peers.join("notifier.js"),
        Vec::new(),
    )
}

fn python(peers: &Path) -> Result<Program, String> {
    let ask = "import os, sys, urllib3; print(sys.executable, os.path.dirname(urllib3.__file__), \
               '%d.%d.%d' % sys.version_info[:3] + ', urllib3 ' + urllib3.__version__, sep='\\t')";
    let line = last_line(Command::new("python3").args(["-c", ask]))
        .map_err(|problem| format!("{problem}; it needs urllib3: pip install urllib3"))?;
    let [program, package, version] = line.split('\t').collect::<Vec<_>>()[..] else {
        return Err("python3 tells no version".into());
    };
    let mut files = Vec::new();
    sources(Path::new(package), "urllib3", &mut files).map_err(|error| error.to_string())?;
    script(
        Kind::Python,
        program,
        version,
        &peers.join("notifier.py"),
        files,
    )
}

/// Returns a script for an interpreter of the runtime image, with its packages.
fn script(
    kind: Kind,
    interpreter: &str,
    version: &str,
    file: &Path,
    mut packages: Vec<(String, Vec<u8>)>,
) -> Result<Program, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    packages.push(("script".into(), bytes));
    Ok(Program {
        kind,
        command: vec![interpreter.into(), file.into()],
        binary: None,
        zip: Some(zipped(&packages)?),
        version: version.to_owned(),
    })
}

/// Collects the sources of a Python package.
fn sources(folder: &Path, name: &str, files: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let inner = format!("{name}/{file}");
        if path.is_dir() {
            sources(&path, &inner, files)?;
        } else if file.ends_with(".py") {
            files.push((inner.clone(), std::fs::read(&path)?));
        }
    }
    Ok(())
}

/// Returns the size of a zip of these files, compressed like the function's.
fn zipped(files: &[(String, Vec<u8>)]) -> Result<u64, String> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9));
    for (name, bytes) in files {
        archive
            .start_file(name.as_str(), options)
            .map_err(|error| error.to_string())?;
        archive
            .write_all(bytes)
            .map_err(|error| error.to_string())?;
    }
    let made = archive.finish().map_err(|error| error.to_string())?;
    Ok(made.into_inner().len() as u64)
}
