//! How to reach the network: proxy and additional certificates.

/// What a [`super::Client`] needs to know about the network that it is in.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Certificates in PEM that are trusted besides the compiled-in roots, for editions behind a CA of their own.
    pub extra_roots_pem: Option<Vec<u8>>,
    /// The proxy, and who is reached without it.
    pub proxy: ProxyChoice,
}

/// Through which proxy to go. The default is none.
#[derive(Debug, Clone, Default)]
pub struct ProxyChoice {}

impl Options {
    /// Reads `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` (or in lower case) and `SSL_CERT_FILE` by way of `lookup`.
    ///
    /// # Errors
    ///
    /// Every fault, each with the variable's name and what to write instead; never a proxy's password.
    pub fn from_env(_lookup: impl Fn(&str) -> Option<String>) -> Result<Options, Vec<String>> {
        todo!()
    }
}
