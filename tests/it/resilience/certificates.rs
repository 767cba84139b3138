//! Certificates that must not be trusted: nothing is sent, and the failure has a remedy.

use super::network::TempFile;
use super::{event, start_with};
use crate::platform::Call;
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{Certificate, Group, Robot};

fn group(certificate: Certificate) -> Group {
    Group::builder()
        .robot(Robot::new(TOKEN).secret(SECRET))
        .certificate(certificate)
        .start()
        .unwrap()
}

/// With a remedy, whatever is wrong with it.
#[test]
fn when_a_certificate_is_not_trusted_nothing_is_sent() {
    let stranger = group(Certificate::Good);
    let unknown_ca = |_: &Group| None;
    let own_ca = |group: &Group| group.ca_pem().map(str::to_owned);
    let another_ca = |_: &Group| stranger.ca_pem().map(str::to_owned);
    type Trusted<'a> = &'a dyn Fn(&Group) -> Option<String>;
    let cases: [(&str, Certificate, Trusted, &str); 6] = [
        (
            "unknown CA",
            Certificate::Good,
            &unknown_ca,
            "UnknownIssuer",
        ),
        (
            "another CA",
            Certificate::Good,
            &another_ca,
            "invalid peer certificate",
        ),
        (
            "another name",
            Certificate::For("oapi.dingtalk.com"),
            &own_ca,
            "not valid for name",
        ),
        ("expired", Certificate::Expired, &own_ca, "expired"),
        (
            "not yet valid",
            Certificate::NotYetValid,
            &own_ca,
            "not valid yet",
        ),
        (
            "self-signed",
            Certificate::SelfSigned,
            &own_ca,
            "invalid peer certificate",
        ),
    ];
    for (name, certificate, trusted, cause) in cases {
        let group = group(certificate);
        let file = trusted(&group).map(|pem| TempFile::with(&pem));
        let path = file.as_ref().map_or("", TempFile::path);
        let instance = start_with(&group.webhook(TOKEN), &[("SSL_CERT_FILE", path)]);
        let answer = instance
            .caller()
            .call(&Call::invoke(event(1).to_string()).timeout("9"));
        assert_eq!(answer.failure(404), "Unreachable", "{name}");
        let body = answer.json();
        let message = body["errorMessage"].as_str().unwrap();
        for words in [
            "the server's certificate is not trusted",
            "DINGTALK_WEBHOOK",
            "SSL_CERT_FILE",
            cause,
        ] {
            assert!(message.contains(words), "{name}: {words} in {message}");
        }
        assert_eq!(
            body["outcome"]["events"][0]["routes"][0]["class"], "not sent",
            "{name}"
        );
        assert!(group.calls().is_empty(), "{name}");
    }
}
