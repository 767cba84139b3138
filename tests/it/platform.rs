//! Function Compute as the function meets it, with a watch for leaked secrets.

// A kit for several test modules, none of which needs all of it.
#![allow(dead_code, unused_imports)]

use crate::secrets::SecretScanner;
pub use fake_fc::{Call, Caller, PATIENCE, Response, free_port, rss_kb};
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::process::{Command, Output, Stdio};

/// A running process of the function. On drop, everything that it has written is searched for the
/// secrets of its environment and of the identities that calls brought.
pub struct Instance {
    process: fake_fc::Instance,
    scanner: SecretScanner,
}

impl Instance {
    /// Starts the function's binary with only these environment variables and a free port. Waits
    /// until it accepts connections.
    pub fn start(env: &[(&str, &str)]) -> Instance {
        Instance::start_command(|port| {
            let mut command = binary(env);
            command.env("FC_SERVER_PORT", port.to_string());
            command
        })
    }

    /// Starts the command for a free port and waits until it accepts connections.
    pub fn start_command(command: impl Fn(u16) -> Command) -> Instance {
        Instance {
            scanner: SecretScanner::for_command(&command(0)),
            process: fake_fc::Instance::start_command(command),
        }
    }

    /// Starts the function's binary with exactly these environment variables and does not wait.
    pub fn spawn(env: &[(&str, &str)]) -> Instance {
        Instance::spawn_command(binary(env))
    }

    /// Starts a command and does not wait.
    pub fn spawn_command(command: Command) -> Instance {
        Instance {
            scanner: SecretScanner::for_command(&command),
            process: fake_fc::Instance::spawn_command(command),
        }
    }

    /// Starts the function's binary with its output redirected by `redirect`, and waits until it
    /// accepts connections. Redirected output is not searched for secrets.
    pub fn start_redirected(env: &[(&str, &str)], redirect: impl Fn(&mut Command)) -> Instance {
        let mut command = binary(env);
        redirect(&mut command);
        let port = env.iter().find(|(name, _)| *name == "FC_SERVER_PORT");
        let port = port.and_then(|(_, port)| port.parse().ok());
        Instance {
            scanner: SecretScanner::for_command(&command),
            process: fake_fc::Instance::start_redirected(command, port.expect("a port")),
        }
    }
}

impl Deref for Instance {
    type Target = fake_fc::Instance;

    fn deref(&self) -> &fake_fc::Instance {
        &self.process
    }
}

impl DerefMut for Instance {
    fn deref_mut(&mut self) -> &mut fake_fc::Instance {
        &mut self.process
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.scanner.record(&self.process.end());
            for part in self.process.identities() {
                self.scanner.add(&part);
            }
            self.scanner.assert_no_secret();
        }
    }
}

/// Runs a command of the binary to its end, with exactly these environment variables. Panics if its
/// output contains a secret of theirs.
pub fn run<S: AsRef<std::ffi::OsStr>>(
    arguments: &[S],
    env: &[(&str, &str)],
    input: &str,
) -> Output {
    let mut command = binary(env);
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let scanner = SecretScanner::for_command(&command);
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    scanner.record(&output.stdout);
    scanner.record(&output.stderr);
    scanner.assert_no_secret();
    output
}

/// Returns a command for the binary under test with only these environment variables: the one that
/// cargo built, or the one that `NOTIFIER_BINARY` names.
pub fn binary(env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(
        std::env::var_os("NOTIFIER_BINARY")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_ecs-dingtalk-notifier").into()),
    );
    command.env_clear().envs(env.iter().copied());
    command
}
