//! How to reach the network: proxy and additional certificates.

use super::webhook::{Webhook, host_of};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use ureq::{Proxy, ProxyProtocol};

/// What a [`super::Client`] needs to know about the network that it is in.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Certificates in PEM that are trusted besides the compiled-in roots, for editions behind a CA of their own.
    pub extra_roots_pem: Option<Vec<u8>>,
    /// The proxy, and who is reached without it.
    pub proxy: ProxyChoice,
}

/// Through which proxy to go. The default is none.
#[derive(Clone, Default)]
pub struct ProxyChoice {
    proxy: Option<Proxy>,
    bypass: Vec<String>,
}

impl Options {
    /// Reads `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` (or in lower case) and `SSL_CERT_FILE` by way of `lookup`.
    /// Blank values count as unset. `HTTP_PROXY` is not for https and is not read.
    ///
    /// # Errors
    ///
    /// Every fault, each with the variable's name and what to write instead; never a proxy's password.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Options, Vec<String>> {
        let mut options = Options::default();
        let mut faults = Vec::new();

        if let Some((name, url)) =
            either_case(&lookup, "HTTPS_PROXY").or_else(|| either_case(&lookup, "ALL_PROXY"))
        {
            let bypass = either_case(&lookup, "NO_PROXY").map(|(_, list)| list);
            match ProxyChoice::new(&url, bypass.as_deref().unwrap_or_default()) {
                Ok(choice) => options.proxy = choice,
                Err(fault) => faults.push(format!("{name} {fault}")),
            }
        }

        let file = lookup("SSL_CERT_FILE").filter(|path| !path.trim().is_empty());
        if let Some(path) = file {
            match std::fs::read(path.trim()) {
                Ok(pem) => match certificates(&pem) {
                    Ok(_) => options.extra_roots_pem = Some(pem),
                    Err(fault) => faults.push(format!("SSL_CERT_FILE names a file that {fault}")),
                },
                Err(error) => faults.push(format!(
                    "SSL_CERT_FILE names a file that cannot be read ({}): name a file of CA certificates in PEM, or leave the variable out",
                    error.kind()
                )),
            }
        }

        if faults.is_empty() {
            Ok(options)
        } else {
            Err(faults)
        }
    }
}

/// A variable and its value, under its name or that name in lower case.
fn either_case(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_ascii_lowercase()]
        .into_iter()
        .find_map(|name| {
            let value = lookup(&name)?.trim().to_owned();
            (!value.is_empty()).then_some((name, value))
        })
}

/// The certificates of a PEM file.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "is no valid PEM: name a file of CA certificates in PEM")?;
    if found.is_empty() {
        return Err("holds no certificate: name a file of CA certificates in PEM".into());
    }
    Ok(found)
}

impl ProxyChoice {
    /// Goes through the proxy at `url` (`http://[user:password@]host:port`), but not to the hosts of `bypass`: names or
    /// addresses separated by commas, each for itself and what is under it, with or without a port; `*` is everybody.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL and what to write instead, without the URL.
    pub fn new(url: &str, bypass: &str) -> Result<ProxyChoice, String> {
        let proxy = Proxy::new(url).ok().filter(|proxy| {
            // The library takes any text for a port.
            let authority = proxy.uri().authority().map_or("", |place| place.as_str());
            host_of(authority.rsplit('@').next().unwrap_or_default()).is_some()
        });
        let Some(proxy) = proxy else {
            return Err(
                "is no proxy's URL: write http://host:port or http://user:password@host:port"
                    .into(),
            );
        };
        if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err("names a SOCKS proxy, which is not supported: write the URL of an HTTP proxy, http://host:port".into());
        }
        let bypass = bypass
            .split(',')
            .map(|entry| entry.trim().to_ascii_lowercase())
            .filter(|entry| !entry.is_empty())
            .collect();
        Ok(ProxyChoice {
            proxy: Some(proxy),
            bypass,
        })
    }

    /// The proxy for this webhook. Loopback addresses never have one.
    pub(super) fn proxy_for(&self, webhook: &Webhook) -> Option<&Proxy> {
        let proxy = self.proxy.as_ref()?;
        let direct = webhook.is_loopback()
            || self
                .bypass
                .iter()
                .any(|entry| covers(entry, webhook.host(), webhook.authority()));
        (!direct).then_some(proxy)
    }
}

/// Whether an entry of `NO_PROXY` covers a host: by its name, by the end of its name, with its port, or by `*`.
fn covers(entry: &str, host: &str, authority: &str) -> bool {
    let name = entry.trim_start_matches('*').trim_start_matches('.');
    if name.is_empty() {
        return entry == "*";
    }
    [host, authority].into_iter().any(|candidate| {
        candidate
            .strip_suffix(name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's URL may hold a password.
        let place = self
            .proxy
            .as_ref()
            .map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        f.debug_struct("ProxyChoice")
            .field("proxy", &place)
            .field("bypass", &self.bypass)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Options, Vec<String>> {
        Options::from_env(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy(options: &Options, url: &str) -> Option<String> {
        let webhook = Webhook::parse(url).unwrap();
        let proxy = options.proxy.proxy_for(&webhook)?;
        Some(format!("{}:{}", proxy.host(), proxy.port()))
    }

    const DINGTALK: &str = "https://oapi.dingtalk.com/robot/send?access_token=abcdefgh";

    #[test]
    fn the_proxy_is_that_for_https_else_that_for_all() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTP_PROXY", "http://a:1")], None),
            (&[("HTTPS_PROXY", " ")], None),
            (
                &[
                    ("ALL_PROXY", "http://a:1"),
                    ("HTTPS_PROXY", "http://u:p%40w@b:2"),
                ],
                Some("b:2"),
            ),
            (&[("https_proxy", "c:3")], Some("c:3")),
            (&[("all_proxy", "https://d:4")], Some("d:4")),
        ] {
            let options = from(variables).unwrap();
            assert_eq!(proxy(&options, DINGTALK).as_deref(), expected);
        }
    }

    #[test]
    fn who_is_named_in_no_proxy_is_reached_directly() {
        for (list, direct) in [
            ("", false),
            ("*", true),
            ("example.com, oapi.dingtalk.com", true),
            ("DingTalk.com", true),
            (".dingtalk.com", true),
            ("*.dingtalk.com", true),
            ("talk.com", false),
            ("api.dingtalk.com", false),
            ("oapi.dingtalk.com:8443", false),
            ("*.", false),
            (",,", false),
        ] {
            let options = from(&[("HTTPS_PROXY", "http://p:1"), ("no_proxy", list)]).unwrap();
            assert_eq!(proxy(&options, DINGTALK).is_none(), direct, "{list}");
        }
        let options = from(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "h.cn:8443")]).unwrap();
        assert_eq!(proxy(&options, "https://h.cn:8443/?access_token=a"), None);
        assert!(proxy(&options, "https://h.cn/?access_token=a").is_some());
    }

    #[test]
    fn loopback_never_goes_through_a_proxy() {
        let options = from(&[("HTTPS_PROXY", "http://p:1")]).unwrap();
        for host in ["http://127.9.9.9:1", "https://localhost", "http://[::1]:2"] {
            assert_eq!(proxy(&options, &format!("{host}/?access_token=a")), None);
        }
    }

    #[test]
    fn faults_name_the_variable_and_hold_no_password() {
        let faults = from(&[
            ("https_proxy", "http://user:PassWord1@h:port"),
            ("SSL_CERT_FILE", "/nonexistent/ca.pem"),
        ])
        .unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("https_proxy is no proxy's URL"));
        assert!(faults[1].starts_with("SSL_CERT_FILE names a file that cannot be read"));
        let socks = from(&[("ALL_PROXY", "socks5://user:PassWord1@h:1080")]).unwrap_err();
        assert!(socks[0].starts_with("ALL_PROXY names a SOCKS proxy"));
        let good = from(&[("ALL_PROXY", "http://user:PassWord1@h:1080")]).unwrap();
        let all = format!("{faults:?}{socks:?}{good:?}");
        assert!(!all.contains("PassWord1"), "{all}");
        assert!(all.contains("h:1080"));
    }

    #[test]
    fn a_file_without_certificates_is_a_fault() {
        let keys = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, fault) in [
            (&b""[..], "holds no certificate"),
            (b"hello", "holds no certificate"),
            (keys, "holds no certificate"),
            (b"-----BEGIN CERTIFICATE-----\n!!", "is no valid PEM"),
        ] {
            let found = certificates(pem).map(|found| found.len()).unwrap_err();
            assert!(found.starts_with(fault), "{found}");
        }
    }
}
