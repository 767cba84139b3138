//! The commands: arguments → one of serve, check, preview, send, history, and exit codes.

mod check;
mod history;
mod live;
mod preview;
mod send;

use crate::app::Function;
use crate::config::Config;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::{Read, Write};
use std::process::ExitCode;

const NAME: &str = "ecs-dingtalk-notifier";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit code: done; a filtered event is done.
const DONE: u8 = 0;
/// Exit code: not delivered, or not valid.
const FAILED: u8 = 1;
/// Exit code: wrong usage, an unreadable file, an unusable port.
const USAGE: u8 = 2;

const HELP: &str = "\
Sends ECS system events to groups in DingTalk, Lark, WeCom or Slack.

Usage:
  ecs-dingtalk-notifier                  serve Function Compute (custom runtime)
  ecs-dingtalk-notifier check            check the configuration and print the routes
  ecs-dingtalk-notifier check --live     check the way to the chatbots and to the ECS API, without
                                         a message
  ecs-dingtalk-notifier preview FILE...  show each event's decision and the message, offline
  ecs-dingtalk-notifier send [--rest REST] FILE...
                                         deliver the events of the files for real, each once; write
                                         what was not delivered to REST, which send takes again
  ecs-dingtalk-notifier history [--json] FILE...
                                         tell from the function's log what was not shown
  ecs-dingtalk-notifier --help | --version

FILE holds events as EventBridge sends them or a queue gives them back: JSON, one or more values;
XML of a queue; lines of Base64; all of these mixed. For history it is a log as Simple Log Service or
s logs gives it. - is standard input.
The configuration is taken from environment variables (DINGTALK_*, LARK_*, WECOM_* or SLACK_*;
EVENT_*, MESSAGE_*, RESOURCE_*).
Exit codes: 0 done, 1 not delivered, never shown or not valid, 2 usage or an unreadable file.
";

/// The name of a file and the payload in it.
type Payload = (String, Vec<u8>);

/// Runs the command that the arguments (without the program's name) ask for. File names may be any
/// bytes.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let code = match words.as_slice() {
        [] => serve(),
        ["--help" | "-h", ..] | [_, "--help" | "-h", ..] => print(HELP),
        ["--version" | "-V", ..] => print(&format!("{NAME} {VERSION}\n")),
        ["check"] => with_config(|config| print(&check::describe(&config))),
        ["check", "--live"] => with_config(|config| live::run(&config)),
        ["check", extra, ..] => usage(&format!(
            "check takes --live or no argument, but got {extra:?}"
        )),
        ["history", ..] => history::run(&arguments[1..]),
        ["preview", ..] => preview::run(&arguments[1..]),
        ["send", ..] => send::run(&arguments[1..]),
        [other, ..] => usage(&format!("there is no command or option {other:?}")),
    };
    ExitCode::from(code)
}

fn serve() -> u8 {
    // The port comes first: if it is not usable, its line is the only one.
    let server = match fc_runtime::bind() {
        Ok(server) => server,
        Err(error) => return refuse(error),
    };
    let function = Function::from_env();
    match &function.0 {
        Ok(notifier) => {
            let names: Vec<&str> = notifier.routes.iter().map(|r| r.name.as_str()).collect();
            let noun = if names.len() == 1 { "route" } else { "routes" };
            let names = names.join(", ");
            print_error(format!("{NAME} {VERSION} with the {noun} {names}"));
        }
        Err(errors) => {
            print_error(format!(
                "{NAME} {VERSION} with a configuration that is not valid; every invocation will fail:"
            ));
            errors.iter().for_each(print_error);
        }
    }
    server.serve(function);
    DONE
}

/// Reads all files before anything is done with one of them.
fn read_files<'a>(files: impl IntoIterator<Item = &'a OsString>) -> Result<Vec<Payload>, String> {
    let read = |file: &'a OsString| match read(file) {
        Ok(payload) => Ok((file.to_string_lossy().into_owned(), payload)),
        Err(error) => Err(format!("cannot read {file:?}: {error}")),
    };
    files.into_iter().map(read).collect()
}

/// Runs `command` with the environment's configuration, or prints every fault in it.
fn with_config(command: impl FnOnce(Config) -> u8) -> u8 {
    match Config::from_env() {
        Ok(config) => command(config),
        Err(errors) => {
            errors.iter().for_each(print_error);
            FAILED
        }
    }
}

/// Returns true for a word that is an option and no file; `-` is standard input.
fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-") && word != "-"
}

fn read(file: &OsStr) -> std::io::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file);
    }
    let mut payload = Vec::new();
    std::io::stdin().read_to_end(&mut payload).map(|_| payload)
}

/// Prints to standard output. A closed one is ignored.
fn print(text: &str) -> u8 {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    DONE
}

/// Prints a line to standard error in one piece. A closed one is ignored.
fn print_error(line: impl Display) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Prints why nothing was done.
fn refuse(problem: impl Display) -> u8 {
    print_error(format!("{NAME}: {problem}"));
    USAGE
}

fn usage(problem: &str) -> u8 {
    refuse(format!("{problem}; see --help"))
}
