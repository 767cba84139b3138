//! What to do about a request without a whole response.

use super::{Chat, Variables};
use crate::http::{self, Cause, Phase};

/// Returns the remedy for a request without a whole response.
pub(super) fn remedy(error: &http::Error, chat: Chat, variables: &Variables) -> Option<String> {
    let (webhook, name) = (&variables.webhook, chat.name());
    Some(match (error.cause, error.phase) {
        (Cause::NotHttp, _) => not_the_chat(chat, variables),
        (Cause::AuthorityAsServer, _) => "the server shows a certificate authority's certificate as its own, which is not accepted, not even from SSL_CERT_FILE: give the server a certificate of its own (basicConstraints CA:FALSE), signed by that authority".into(),
        (Cause::UntrustedCertificate { has_own_roots: false }, _) => format!("the server's certificate is not trusted: check the host in {webhook}; if the server has a CA of its own, name that CA's certificate file (PEM) in SSL_CERT_FILE"),
        (Cause::UntrustedCertificate { has_own_roots: true }, _) => format!("the server's certificate is not trusted: check the host in {webhook}; SSL_CERT_FILE replaces the compiled-in authorities: name a file (PEM) with the certificate of the server's CA, or leave the variable out if that CA is a public one"),
        (Cause::Other, Phase::Resolve) if error.proxied => "the proxy's name was not found: check HTTPS_PROXY or ALL_PROXY".into(),
        (Cause::Other, Phase::Resolve) => format!("the host's name was not found: check the host in {webhook}; a function in a VPC needs internet access (a NAT gateway, or internet access allowed)"),
        (Cause::Other, Phase::Connect) if error.proxied => format!("there is no connection through the proxy: check HTTPS_PROXY, ALL_PROXY and NO_PROXY, and that the proxy allows CONNECT to {name}"),
        (Cause::Other, Phase::Connect) => format!("the host does not take the connection: check the host and port in {webhook}; a function in a VPC needs internet access (a NAT gateway, or internet access allowed)"),
        (Cause::Other, Phase::Tls) => format!("the TLS handshake failed: check the host and port in {webhook}, and look for a gateway in between"),
        (Cause::Other, Phase::Send | Phase::Receive | Phase::Answer) => format!("the connection broke or was too slow: nothing is to be changed if it passes; if it lasts, look at the network between the function and {name}"),
        (Cause::Other, Phase::Start) => return None,
    })
}

/// Returns the remedy for an answer that is not the chat's.
pub(super) fn not_the_chat(chat: Chat, variables: &Variables) -> String {
    let (webhook, name) = (&variables.webhook, chat.name());
    format!(
        "the answer is not {name}'s: check that {webhook} is the chatbot's URL, and look for a gateway that answers in {name}'s place"
    )
}
