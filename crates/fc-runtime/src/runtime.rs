//! Starts and ends the process: port, signals, panics.

use crate::{Handler, Limits, Shutdown, serve};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::{fmt, io};

/// Port of a custom runtime unless the function is configured otherwise.
const DEFAULT_PORT: u16 = 9000;
/// Variables with the port; the first that is set applies. Emulators and the official helpers set
/// the first, the platform documents the second.
const PORT_VARIABLES: [&str; 2] = ["FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT"];

/// Why the server could not start.
///
/// `Display` gives one line that says what to correct. So does `Debug`, which Rust uses for an
/// error that `main` returns:
///
/// ```text
/// FC_SERVER_PORT is "70000": it must be a port number from 1 to 65535, or unset for 9000
/// ```
pub struct RunError(String);

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for RunError {}

/// Returns the port to listen on. A blank variable counts as unset.
fn port_from(variable: impl Fn(&str) -> Option<String>) -> Result<u16, RunError> {
    for name in PORT_VARIABLES {
        let value = variable(name).unwrap_or_default();
        let digits = value.trim();
        if digits.is_empty() {
            continue;
        }
        return match digits.parse() {
            // `parse` takes a plus sign too.
            Ok(port @ 1..) if !digits.starts_with('+') => Ok(port),
            _ => {
                let value: String = value.chars().take(40).collect();
                Err(RunError(format!(
                    "{name} is {value:?}: it must be a port number from 1 to 65535, \
                     or unset for {DEFAULT_PORT}"
                )))
            }
        };
    }
    Ok(DEFAULT_PORT)
}

/// A server that listens but does not serve yet: connections wait. Created by [`bind`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    shutdown: Shutdown,
}

/// Listens on `0.0.0.0`, at the port in the environment or 9000.
///
/// Use it instead of [`run`] if the handler is slow to create, or has to report something at the
/// start: the platform sees the port at once.
///
/// ```no_run
/// use fc_runtime::Context;
/// use serde_json::json;
///
/// # fn load_table() -> Vec<u8> { Vec::new() }
/// # fn main() -> Result<(), fc_runtime::RunError> {
/// let server = fc_runtime::bind()?;
/// let table = load_table();
/// server.serve(move |_: &[u8], _: &Context| Ok(json!(table.len())));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns a [`RunError`] if the port is invalid or taken, or signals cannot be received.
pub fn bind() -> Result<Server, RunError> {
    let port =
        port_from(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))?;
    let signals = |error| RunError(format!("cannot receive signals: {error}"));
    let shutdown = Shutdown::new().map_err(signals)?;
    shutdown.on_signals(&[SIGTERM, SIGINT]).map_err(signals)?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .map_err(|error| RunError(format!("cannot listen on 0.0.0.0:{port}: {error}")))?;
    Ok(Server { listener, shutdown })
}

impl Server {
    /// Serves `handler` until SIGTERM or SIGINT arrives and the requests in progress are answered.
    ///
    /// Replaces the process's panic hook: the new one writes only a panic's place to stderr,
    /// because its message may contain a secret. The runtime writes nothing else to stdout or
    /// stderr.
    pub fn serve(self, handler: impl Handler + 'static) {
        std::panic::set_hook(Box::new(|panic| {
            if let Some(place) = panic.location() {
                // A closed stderr is ignored.
                let _ = writeln!(io::stderr(), "panic at {place}");
            }
        }));
        serve(
            self.listener,
            Arc::new(handler),
            self.shutdown,
            Limits::default(),
        );
    }
}

/// Serves `handler` to Function Compute until SIGTERM or SIGINT arrives: [`bind`], then
/// [`Server::serve`].
///
/// ```no_run
/// use fc_runtime::Context;
/// use serde_json::json;
///
/// fn main() -> Result<(), fc_runtime::RunError> {
///     fc_runtime::run(|event: &[u8], _: &Context| Ok(json!({ "bytes": event.len() })))
/// }
/// ```
///
/// # Errors
///
/// Returns a [`RunError`] if the server cannot start.
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
    fn the_first_variable_that_is_set_gives_the_port() {
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
    fn a_bad_port_is_reported_in_one_line_with_its_variable() {
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
