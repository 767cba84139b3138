//! How to reach the network, as values. `config::network` reads them from the environment.

use super::Proxy;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// What a [`Client`](super::Client) needs to know about the network that it is in. The default is
/// a direct connection and the compiled-in authorities (Mozilla's list).
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// The authorities to trust in place of the compiled-in ones, for servers behind a CA of their
    /// own. They replace the compiled-in authorities, as `SSL_CERT_FILE` does in OpenSSL, curl and
    /// Go.
    pub root_certificates: Option<RootCertificates>,
    pub proxy: Proxy,
}

/// Certificates of authorities, at least one.
#[derive(Debug, Clone)]
pub struct RootCertificates(pub(super) RootCerts);

impl RootCertificates {
    /// Reads the certificates of a PEM file; its other sections are ignored.
    ///
    /// # Errors
    ///
    /// What is wrong with the file and what to name instead: `is no valid PEM: …`.
    pub fn from_pem(pem: &[u8]) -> Result<RootCertificates, String> {
        let mut certificates: Vec<Certificate> = Vec::new();
        for item in parse_pem(pem) {
            let item =
                item.map_err(|_| "is no valid PEM: name a file of CA certificates in PEM")?;
            if let PemItem::Certificate(certificate) = item {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() {
            return Err("holds no certificate: name a file of CA certificates in PEM".into());
        }
        Ok(RootCertificates(RootCerts::from(certificates)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_a_fault() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, expected) in [
            (&b""[..], "holds no certificate"),
            (b"hello", "holds no certificate"),
            (key, "holds no certificate"),
            (b"-----BEGIN CERTIFICATE-----\n!!", "is no valid PEM"),
        ] {
            let problem = RootCertificates::from_pem(pem).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
