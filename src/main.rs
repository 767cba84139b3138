//! The binary: without an argument the function that Function Compute starts, with one a command.

#![forbid(unsafe_code)]

use ecs_dingtalk_notifier::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1).collect())
}
