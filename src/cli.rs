//! The commands: arguments → one of serve, check, preview, send, and exit codes.

mod check;
mod history;
mod live;
mod preview;

use crate::app::{self, Function};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::log::Log;
use crate::report::left_out;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "ecs-dingtalk-notifier";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit code: done; a filtered event is done.
const DONE: u8 = 0;
/// Exit code: not delivered, or not valid.
const FAILED: u8 = 1;
/// Exit code: wrong usage, an unreadable file, an unusable port.
const USAGE: u8 = 2;

/// The longest time that `send` takes: that of a function with the timeout of `s.yaml`.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

const HELP: &str = "\
Sends ECS system events to groups in DingTalk, Lark, WeCom or Slack.

Usage:
  ecs-dingtalk-notifier                  serve Function Compute (custom runtime)
  ecs-dingtalk-notifier check            check the configuration and print the routes
  ecs-dingtalk-notifier check --live     check the way to the chatbots and to the ECS API, without
                                         a message
  ecs-dingtalk-notifier preview FILE...  show each event's decision and the message, offline
  ecs-dingtalk-notifier send FILE...     deliver the events of the files for real
  ecs-dingtalk-notifier history [--json] FILE...
                                         tell from the function's log what was not shown
  ecs-dingtalk-notifier --help | --version

FILE is a payload as EventBridge sends it, for history a log as Simple Log Service or s logs gives
it; - is standard input.
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
        [command @ ("preview" | "send"), ..] => with_files(command, &arguments[1..]),
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
fn with_files(command: &str, files: &[OsString]) -> u8 {
    if files.is_empty() {
        return usage(&format!("{command} needs a FILE (- is standard input)"));
    }
    if let Some(option) = files.iter().find(|word| is_option(word)) {
        return usage(&format!("{command} has no option {option:?}"));
    }
    let mut payloads = Vec::new();
    for file in files {
        match read(file) {
            Ok(payload) => payloads.push((file.to_string_lossy().into_owned(), payload)),
            Err(error) => return refuse(format!("cannot read {file:?}: {error}")),
        }
    }
    with_config(|config| match command {
        "preview" => preview::run(&config, &payloads),
        _ => send(config, &payloads),
    })
}

/// Delivers every event for real.
fn send(config: Config, payloads: &[Payload]) -> u8 {
    let notifier = app::notifier(config, Arc::new(SystemClock), Log::stdout());
    let notifier = app::with_environment(notifier);
    let mut code = DONE;
    for (file, payload) in payloads {
        let context = fc_runtime::Context::for_command(SEND_TIMEOUT);
        let report = notifier.process(payload, &context);
        if let Some(problem) = &report.problem {
            print_error(format!("{NAME}: {file}: look-up: {problem}"));
        }
        if let Some(timers) = left_out(&report.parsed) {
            print_error(format!("{NAME}: {file}: {timers}"));
        }
        if let Err(failure) = report.into_result() {
            let (name, message) = (failure.error_type, failure.error_message);
            print_error(format!("{NAME}: {file}: {name}: {message}"));
            code = FAILED;
        }
    }
    code
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
