//! TLS to the chatbot.
//!
//! The HTTP library has a TLS layer of its own, but that one trusts either the compiled-in authorities or other ones,
//! and brings along what a client with certificates of its own needs: a twentieth of the whole binary.

use super::options::certificates;
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::client::Resumption;
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};
use ureq::Error;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};
use webpki::ring as algorithm;

/// Servers whose last session is remembered, to be taken up again by the next connection: one instance talks to few.
const SESSIONS: usize = 16;

/// Makes a connection a TLS connection where the URL is https.
pub(super) struct Tls {
    /// Authorities that are trusted besides the compiled-in ones.
    extra: Vec<CertificateDer<'static>>,
    /// Made when it is needed first: nobody waits for it at the start.
    config: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

impl Tls {
    /// Trusts the compiled-in authorities and those of `pem`.
    ///
    /// # Errors
    ///
    /// What is wrong with the PEM.
    pub(super) fn new(pem: Option<&[u8]>) -> Result<Tls, String> {
        Ok(Tls {
            extra: pem.map_or(Ok(Vec::new()), certificates)?,
            config: OnceLock::new(),
        })
    }

    fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let config = self.config.get_or_init(|| config(&self.extra));
        config.clone().map_err(io::Error::other)
    }
}

/// The compiled-in authorities and these.
fn roots(extra: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    roots.add_parsable_certificates(extra.iter().cloned());
    roots
}

fn config(extra: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(crypto()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(Arc::new(config))
}

/// As the TLS library's own choice, less what signs (we have no certificate and no key) and less ChaCha20, which is for
/// machines without AES instructions: every TLS 1.3 server has AES-GCM (RFC 8446, section 9.1), and 1.2 servers do. AES of
/// 128 bits comes first: it breaks no sooner, and with it goes SHA-256, for which CPUs have instructions.
fn crypto() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Random,
        key_provider: &NoKeys,
    }
}

/// Signatures that are accepted: in certificates, and by scheme in handshakes. With TLS 1.2 a scheme does not tell the
/// curve, hence two for one.
const SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        algorithm::ECDSA_P256_SHA256,
        algorithm::ECDSA_P256_SHA384,
        algorithm::ECDSA_P384_SHA256,
        algorithm::ECDSA_P384_SHA384,
        algorithm::ED25519,
        algorithm::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        algorithm::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        algorithm::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        algorithm::RSA_PKCS1_2048_8192_SHA256,
        algorithm::RSA_PKCS1_2048_8192_SHA384,
        algorithm::RSA_PKCS1_2048_8192_SHA512,
        algorithm::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        algorithm::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        algorithm::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[algorithm::ECDSA_P384_SHA384, algorithm::ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[algorithm::ECDSA_P256_SHA256, algorithm::ECDSA_P384_SHA256],
        ),
        (SignatureScheme::ED25519, &[algorithm::ED25519]),
        (
            SignatureScheme::RSA_PSS_SHA512,
            &[algorithm::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            &[algorithm::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA256,
            &[algorithm::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            &[algorithm::RSA_PKCS1_2048_8192_SHA512],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA384,
            &[algorithm::RSA_PKCS1_2048_8192_SHA384],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            &[algorithm::RSA_PKCS1_2048_8192_SHA256],
        ),
    ],
};

/// The system's random numbers.
#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        let without = "this client has no key".to_owned();
        Err(rustls::Error::General(without))
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Box<dyn Transport>>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        // A tunnel through a proxy comes as plain, whatever there is between us and the proxy.
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Box::new(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_matches(['[', ']']))
            .map_err(|_| Error::Tls("the host's name cannot stand in a certificate"))?
            .to_owned();
        let mut connection =
            ClientConnection::new(self.config()?, name).map_err(io::Error::other)?;
        let mut socket =
            TransportAdapter::new(Box::new(transport) as _, Arc::clone(&details.current_time));
        socket.set_timeout(left_of(details));
        connection.complete_io(&mut socket)?;
        Ok(Some(Box::new(Encrypted {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: rustls::StreamOwned::new(connection, socket),
        })))
    }
}

/// The handshake is part of connecting: it has what is left of that time.
fn left_of(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(begun), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        let spent = now.saturating_duration_since(begun);
        timeout.after = Duration::Exact(limit.saturating_sub(spent));
    }
    timeout
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A connection after its handshake.
struct Encrypted {
    buffers: LazyBuffers,
    stream: rustls::StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output();
        let output = output.get(..amount).unwrap_or(output);
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted")
            .field("socket", self.stream.sock.inner())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_named_is_trusted_besides_those_that_are_compiled_in() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let tls = Tls::new(Some(pem.as_bytes())).unwrap();
        let compiled_in = webpki_roots::TLS_SERVER_ROOTS.len();
        assert!(compiled_in > 100);
        assert_eq!(roots(&tls.extra).len(), compiled_in + 1);
        assert_eq!(roots(&Tls::new(None).unwrap().extra).len(), compiled_in);
    }

    #[test]
    fn signatures_and_groups_are_those_of_the_library() {
        let theirs = rustls::crypto::ring::default_provider();
        let ours = crypto();
        let names = |groups: &[&dyn rustls::crypto::SupportedKxGroup]| -> Vec<_> {
            groups.iter().map(|group| group.name()).collect()
        };
        assert_eq!(names(&ours.kx_groups), names(&theirs.kx_groups));
        let (ours, theirs) = (SIGNATURES, theirs.signature_verification_algorithms);
        assert_eq!(ours.all.len(), theirs.all.len());
        assert_eq!(ours.supported_schemes(), theirs.supported_schemes());
        for (ours, theirs) in ours.mapping.iter().zip(theirs.mapping) {
            let ids = |list: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm]| -> Vec<_> {
                let id = |a: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
                    (a.public_key_alg_id(), a.signature_alg_id())
                };
                list.iter().map(id).collect()
            };
            assert_eq!((ours.0, ids(ours.1)), (theirs.0, ids(theirs.1)));
        }
    }
}
