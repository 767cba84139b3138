//! What a failed request means.
//!
//! The HTTP library's own error texts are used only where it is known that they hold no URL.

use super::{Attempt, Class, Phase, remedy};
use std::io::ErrorKind;
use ureq::Error;

/// The attempt that was not begun, because the caller's deadline is over.
pub(super) fn too_late() -> Attempt {
    Attempt {
        class: Class::NotSent,
        errcode: None,
        http_status: None,
        phase: Phase::Start,
        detail: "the deadline came before the attempt could begin".into(),
        remedy: None,
        by_deadline: true,
    }
}

/// An attempt that ended with `error`.
pub(super) fn attempt(
    class: Class,
    phase: Phase,
    error: &Error,
    proxied: bool,
    by_deadline: bool,
) -> Attempt {
    let remedy = match error {
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) | Error::Protocol(_) => {
            Some(remedy::NOT_DINGTALK)
        }
        _ if is_certificate(error) && describe(error).contains("CaUsedAsEndEntity") => {
            Some(remedy::CA_AS_SERVER)
        }
        _ if is_certificate(error) => Some(remedy::CERTIFICATE),
        _ => remedy::unreachable(phase, proxied),
    };
    let cause = if by_deadline {
        "the deadline came".to_owned()
    } else {
        describe(error)
    };
    Attempt {
        class,
        errcode: None,
        http_status: None,
        phase,
        detail: format!("{}: {cause}", doing(phase)),
        remedy: remedy.map(str::to_owned),
        by_deadline,
    }
}

/// How far a request came that ended with `error`, after it was seen in phase `seen`.
pub(super) fn phase(error: &Error, seen: Phase, https: bool) -> Phase {
    match (seen, error) {
        // A proxy's name is looked up while connecting.
        (_, Error::HostNotFound) => Phase::Resolve,
        (Phase::Connect, Error::Tls(_)) => Phase::Tls,
        // What breaks off after TCP took the connection breaks off in the handshake.
        (Phase::Connect, Error::Io(error)) if https => match error.kind() {
            ErrorKind::InvalidData
            | ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe => Phase::Tls,
            _ => Phase::Connect,
        },
        _ => seen,
    }
}

/// Whether the server's certificate was not accepted. The TLS library's error comes wrapped in the connection's.
fn is_certificate(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::InvalidData
        && error.to_string().contains("invalid peer certificate"))
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Start => "before the attempt",
        Phase::Resolve => "looking up the host's name",
        Phase::Connect => "connecting",
        Phase::Tls => "in the TLS handshake",
        Phase::Send => "writing the request",
        Phase::Receive | Phase::Answer => "waiting for the answer",
    }
}

fn describe(error: &Error) -> String {
    match error {
        Error::Timeout(_) => "timeout".into(),
        Error::HostNotFound => "there is no such name, or no name server to ask".into(),
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        Error::Io(error) => error.to_string(),
        Error::Tls(words) => (*words).to_owned(),
        Error::ConnectProxyFailed(words) => words.clone(),
        Error::Protocol(_) => "what came is not HTTP".into(),
        Error::LargeResponseHeader(..) => "the head of the answer is over 8 KiB".into(),
        Error::BodyExceedsLimit(_) => "the answer is over 64 KiB".into(),
        _ => "the request could not be made".into(),
    }
}
