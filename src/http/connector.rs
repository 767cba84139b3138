//! Makes connections, and marks errors that come before the first byte of the request.

use super::Phase;
use std::fmt;
use std::io::ErrorKind;
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, Transport};

/// An error before the first byte of the request: the server cannot have received it. Wrapped in
/// [`Error::Other`], which the library itself does not make.
#[derive(Debug)]
pub(super) struct Unsent(pub(super) Phase, pub(super) Error);

impl Unsent {
    pub(super) fn wrap(phase: Phase, error: Error) -> Error {
        Error::Other(Box::new(Unsent(phase, error)))
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.fmt(f)
    }
}

impl std::error::Error for Unsent {}

/// The library's own connector, its errors marked as [`Unsent`].
#[derive(Debug, Default)]
pub(super) struct MarkingConnector(DefaultConnector);

impl Connector<()> for MarkingConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Box<dyn Transport>>, Error> {
        let result = self.0.connect(&at_agent_level(details), chained);
        result.map_err(|error| match error {
            // Marked already: by the DNS cache, or for the connection to a proxy, which comes
            // through here by itself before the one to the host behind it.
            Error::Other(_) => error,
            error => Unsent::wrap(phase_of(&error, details.needs_tls()), error),
        })
    }
}

/// ureq 3.5 keeps its TLS settings, and with them the sessions to resume, only for connections
/// made with the agent's own settings. Our requests differ from those in timeouts and proxy alone.
/// Without this copy every new connection takes a full handshake (0.47 ms in place of 0.26 ms,
/// both ends on one machine, and one round trip more with TLS 1.2).
fn at_agent_level<'a>(details: &ConnectionDetails<'a>) -> ConnectionDetails<'a> {
    ConnectionDetails {
        addrs: details.addrs.clone(),
        request_level: false,
        uri: details.uri,
        config: details.config,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

fn phase_of(error: &Error, is_tls: bool) -> Phase {
    match error {
        Error::Tls(_) | Error::Rustls(_) => Phase::Tls,
        // A connection that breaks after TCP took it breaks in the handshake.
        Error::Io(error) if is_tls => match error.kind() {
            ErrorKind::InvalidData
            | ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe => Phase::Tls,
            _ => Phase::Connect,
        },
        _ => Phase::Connect,
    }
}
