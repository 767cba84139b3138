//! Start and end of the process: port, signals, panics.

use super::{Handler, Limits, Shutdown, serve};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::{fmt, io};

/// The port where the platform expects a custom runtime unless the function is configured otherwise.
pub const DEFAULT_PORT: u16 = 9000;
/// Variables that tell the port, the first that is set wins. Emulators and the official helpers know the first, the
/// platform documents the second.
const PORT_VARIABLES: [&str; 2] = ["FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT"];

/// Why the server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The variable that tells the port holds something else.
    Port {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The port cannot be listened on.
    Bind {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// SIGTERM and SIGINT cannot be received.
    Signals(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Port { variable, value } => {
                let value: String = value.chars().take(40).collect();
                write!(
                    f,
                    "{variable} is {value:?}: it must be a port number from 1 to 65535, or unset for {DEFAULT_PORT}"
                )
            }
            RunError::Bind { port, source } => {
                write!(f, "cannot listen on 0.0.0.0:{port}: {source}")
            }
            RunError::Signals(source) => write!(f, "cannot receive signals: {source}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RunError::Port { .. } => None,
            RunError::Bind { source, .. } | RunError::Signals(source) => Some(source),
        }
    }
}

/// The port to listen on: `FC_SERVER_PORT`, else `FC_CUSTOM_LISTEN_PORT`, else 9000. A blank value counts as unset.
///
/// # Errors
///
/// [`RunError::Port`] when the value that counts is no number from 1 to 65535.
pub fn port_from(variable: impl Fn(&str) -> Option<String>) -> Result<u16, RunError> {
    for name in PORT_VARIABLES {
        let Some(value) = variable(name) else {
            continue;
        };
        let digits = value.trim();
        if digits.is_empty() {
            continue;
        }
        return match digits.parse() {
            Ok(port @ 1..) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
            _ => Err(RunError::Port {
                variable: name,
                value,
            }),
        };
    }
    Ok(DEFAULT_PORT)
}

/// A port that is listened on, while nothing is served there yet: what connects waits.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    shutdown: Shutdown,
}

/// Listens on `0.0.0.0` at the port that the environment tells. For a handler that takes time to make, or has something
/// to say at the start: the platform sees the port at once.
///
/// # Errors
///
/// When that cannot be done; each [`RunError`] says in one line what to mend.
pub fn bind() -> Result<Bound, RunError> {
    let port =
        port_from(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))?;
    let shutdown = Shutdown::new().map_err(RunError::Signals)?;
    shutdown
        .on_signals(&[SIGTERM, SIGINT])
        .map_err(RunError::Signals)?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .map_err(|source| RunError::Bind { port, source })?;
    Ok(Bound { listener, shutdown })
}

impl Bound {
    /// Serves `handler` to Function Compute, until SIGTERM or SIGINT comes and the requests under way have been answered.
    ///
    /// Replaces the process's panic hook: a panic is told on stderr by its place only, because its message may hold what
    /// must stay secret. Beyond that nothing is written to stdout or stderr.
    pub fn serve(self, handler: impl Handler + 'static) {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(io::stderr(), "panic at {place}");
        }));
        let handler = Arc::new(handler);
        serve(self.listener, handler, self.shutdown, Limits::default());
    }
}

/// [`bind`] and [`Bound::serve`] in one.
///
/// # Errors
///
/// When the server cannot be started; each [`RunError`] says in one line what to mend.
pub fn run(handler: impl Handler + 'static) -> Result<(), RunError> {
    bind()?.serve(handler);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(set: &[(&str, &str)]) -> Result<u16, String> {
        let lookup = |name: &str| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_string())
        };
        port_from(lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn the_port_is_the_first_that_is_set_and_9000_when_none_is() {
        assert_eq!(port(&[]), Ok(9000));
        assert_eq!(port(&[("FC_CUSTOM_LISTEN_PORT", "9001")]), Ok(9001));
        assert_eq!(
            port(&[
                ("FC_CUSTOM_LISTEN_PORT", "9001"),
                ("FC_SERVER_PORT", " 8080\n")
            ]),
            Ok(8080)
        );
        assert_eq!(
            port(&[("FC_CUSTOM_LISTEN_PORT", "9001"), ("FC_SERVER_PORT", " ")]),
            Ok(9001)
        );
    }

    #[test]
    fn a_bad_port_is_told_in_one_line_with_the_variable_and_what_it_may_be() {
        for value in ["0", "65536", "-1", "+80", "80a", "9000,", "0x50", "9\n0"] {
            let error =
                port(&[("FC_SERVER_PORT", value), ("FC_CUSTOM_LISTEN_PORT", "9001")]).unwrap_err();
            assert!(error.starts_with("FC_SERVER_PORT is "), "{error}");
            assert!(
                error.contains("from 1 to 65535") && !error.contains('\n'),
                "{error}"
            );
        }
        assert!(
            port(&[("FC_CUSTOM_LISTEN_PORT", "x")])
                .unwrap_err()
                .starts_with("FC_CUSTOM_LISTEN_PORT")
        );
    }
}
