//! Generates a certificate authority and a server certificate, valid or with a fault.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

/// The configuration of a TLS server, and the authority that its clients must trust.
pub struct Identity {
    /// The server's side.
    pub config: Arc<ServerConfig>,
    /// The authority in PEM.
    pub ca_pem: String,
}

/// The certificate of a stand-in that serves TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For `localhost` and `127.0.0.1`, signed by the authority [`Identity::ca_pem`].
    Good,
    /// For this name, signed by the same authority.
    For(&'static str),
    /// Valid until 2001.
    Expired,
    /// Valid from 2199 on.
    NotYetValid,
    /// Signed with its own key instead of the authority's.
    SelfSigned,
}

/// Generates an authority and a certificate of this kind.
///
/// # Errors
/// If the certificates cannot be made.
pub fn identity(kind: Certificate) -> io::Result<Identity> {
    let fail = |error: rcgen::Error| io::Error::other(error.to_string());
    let mut authority = CertificateParams::new(Vec::<String>::new()).map_err(fail)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(fail)?)
        .map_err(fail)?;
    let key = KeyPair::generate().map_err(fail)?;
    let names = match kind {
        Certificate::For(name) => vec![name.to_owned()],
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut params = CertificateParams::new(names).map_err(fail)?;
    match kind {
        Certificate::Expired => params.not_after = date_time_ymd(2001, 1, 1),
        Certificate::NotYetValid => params.not_before = date_time_ymd(2199, 1, 1),
        _ => {}
    }
    let leaf = match kind {
        Certificate::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, &authority),
    };
    let leaf = leaf.map_err(fail)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .map_err(io::Error::other)?;
    Ok(Identity {
        config: Arc::new(config),
        ca_pem: authority.pem(),
    })
}

/// Accepts a TLS connection, up to the end of the handshake.
///
/// # Errors
/// If the connection breaks or the client does not trust the certificate.
pub fn accept(
    config: &Arc<ServerConfig>,
    stream: TcpStream,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut tls = StreamOwned::new(session, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}
