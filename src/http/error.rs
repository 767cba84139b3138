//! Why a request failed.
//!
//! The library's own error texts are used only where they are known to hold no URL.

use super::connector::Unsent;
use std::io::ErrorKind;

/// A request without a whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// How far the request came.
    pub phase: Phase,
    pub cause: Cause,
    /// What was being done and what went wrong, in one line without the URL:
    /// `connecting: timeout`. May hold what a proxy answered.
    pub detail: String,
    /// A proxy was used.
    pub proxied: bool,
    /// The caller's deadline ended the attempt, not a limit of the attempt's own.
    pub by_deadline: bool,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing was begun: no time was left.
    Start,
    /// Looking up the name of the host or of the proxy.
    Resolve,
    /// Connecting, directly or through a proxy.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for the response or reading it. Also where the library does not tell whether the
    /// request was written to its end.
    Receive,
    /// The response was read to its end: no [`Error`] has this phase.
    Answer,
}

/// Causes that call for a remedy of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The server's certificate is not trusted.
    UntrustedCertificate {
        /// The compiled-in authorities are replaced by others.
        has_own_roots: bool,
    },
    /// The server presents the certificate of an authority as its own.
    AuthorityAsServer,
    /// The response is not HTTP, or longer than allowed.
    NotHttp,
    Other,
}

impl Error {
    /// Returns the error of an attempt that was not begun, for want of time before the deadline.
    pub(super) fn too_late() -> Error {
        Error {
            phase: Phase::Start,
            cause: Cause::Other,
            detail: "the deadline came before the attempt could begin".into(),
            proxied: false,
            by_deadline: true,
        }
    }

    /// Returns the error of an attempt that broke off in this phase. `is_over` says that no time
    /// is left before the caller's deadline.
    pub(super) fn new(
        phase: Phase,
        error: &ureq::Error,
        proxied: bool,
        has_own_roots: bool,
        is_over: bool,
    ) -> Error {
        let by_deadline = is_over && matches!(error, ureq::Error::Timeout(_));
        let problem = match by_deadline {
            true => "the deadline came".to_owned(),
            false => describe(error),
        };
        Error {
            phase,
            cause: cause(error, has_own_roots),
            detail: format!("{}: {problem}", phase.describe()),
            proxied,
            by_deadline,
        }
    }

    /// Returns true if the server may have received the whole request. If false, sending again
    /// repeats nothing.
    pub fn may_have_arrived(&self) -> bool {
        self.phase == Phase::Receive
    }
}

/// Returns how far a request came that got no response, and the error without its mark.
pub(super) fn split(error: ureq::Error) -> (Phase, ureq::Error) {
    match error {
        ureq::Error::Other(other) => match other.downcast::<Unsent>() {
            Ok(unsent) => (unsent.0, unsent.1),
            Err(other) => (Phase::Receive, ureq::Error::Other(other)),
        },
        // The library writes head and body separately, so the end of the request was not written.
        // With a reset, which looks the same after the request, that is not known.
        ureq::Error::Io(error) if error.kind() == ErrorKind::BrokenPipe => {
            (Phase::Send, ureq::Error::Io(error))
        }
        error => (Phase::Receive, error),
    }
}

fn cause(error: &ureq::Error, has_own_roots: bool) -> Cause {
    match error {
        ureq::Error::BodyExceedsLimit(_)
        | ureq::Error::LargeResponseHeader(..)
        | ureq::Error::Protocol(_) => Cause::NotHttp,
        // The TLS library's error comes wrapped in the connection's.
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            match error.to_string() {
                text if !text.contains("invalid peer certificate") => Cause::Other,
                text if text.contains("CaUsedAsEndEntity") => Cause::AuthorityAsServer,
                _ => Cause::UntrustedCertificate { has_own_roots },
            }
        }
        _ => Cause::Other,
    }
}

fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "timeout".into(),
        ureq::Error::HostNotFound => "there is no such name, or no name server to ask".into(),
        ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        ureq::Error::Io(error) => error.to_string(),
        // The only one that the library makes with rustls.
        ureq::Error::Tls(_) => "the host's name cannot stand in a certificate".into(),
        ureq::Error::Rustls(error) => error.to_string(),
        ureq::Error::ConnectProxyFailed(text) => text.clone(),
        ureq::Error::Protocol(_) => "what came is not HTTP".into(),
        ureq::Error::LargeResponseHeader(_, limit) => {
            format!("the head of the answer is over {} KiB", limit / 1024)
        }
        ureq::Error::BodyExceedsLimit(limit) => {
            format!("the answer is over {} KiB", limit / 1024)
        }
        _ => "the request could not be made".into(),
    }
}

impl Phase {
    /// Returns what was being done.
    fn describe(self) -> &'static str {
        match self {
            Phase::Resolve => "looking up the host's name",
            Phase::Connect => "connecting",
            Phase::Tls => "in the TLS handshake",
            Phase::Send => "writing the request",
            Phase::Receive => "waiting for the answer",
            Phase::Start | Phase::Answer => unreachable!("the library fails in between"),
        }
    }
}
