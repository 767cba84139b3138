//! Through which proxy to go, and which hosts are reached without it.

use super::Uri;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use ureq::ProxyProtocol;

/// Through which proxy to go. The default is none.
#[derive(Clone, Default)]
pub struct Proxy {
    proxy: Option<ureq::Proxy>,
    /// Hosts to reach directly, in lower case.
    no_proxy: Vec<String>,
}

impl Proxy {
    /// Goes through the proxy at `url` (`http://[user:password@]host:port`), but not to the hosts
    /// of `no_proxy`: names or addresses separated by commas, each for itself and its subdomains,
    /// with or without a port; `*` stands for all hosts.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL and what to write instead, without the URL.
    pub fn new(url: &str, no_proxy: &str) -> Result<Proxy, String> {
        let proxy = ureq::Proxy::new(url).ok().filter(|proxy| {
            // The library takes any text for a port.
            let authority = proxy.uri().authority().map_or("", |a| a.as_str());
            host_of(authority.rsplit('@').next().unwrap_or_default()).is_some()
        });
        let proxy = proxy
            .ok_or("is no proxy's URL: write http://host:port or http://user:password@host:port")?;
        if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err("names a SOCKS proxy, which is not supported: write the URL of an HTTP proxy, http://host:port".into());
        }
        let no_proxy = no_proxy
            .split(',')
            .map(|entry| entry.trim().to_ascii_lowercase())
            .filter(|entry| !entry.is_empty())
            .collect();
        Ok(Proxy {
            proxy: Some(proxy),
            no_proxy,
        })
    }

    /// Returns the proxy for this URL. Loopback addresses are always reached directly.
    pub(super) fn for_uri(&self, uri: &Uri) -> Option<&ureq::Proxy> {
        let proxy = self.proxy.as_ref()?;
        let authority = uri.authority()?.as_str().to_ascii_lowercase();
        let host = host_of(&authority)?;
        let mut no_proxy = self.no_proxy.iter();
        let is_direct = is_loopback(host) || no_proxy.any(|entry| covers(entry, host, &authority));
        (!is_direct).then_some(proxy)
    }
}

/// Returns true if an entry of `NO_PROXY` covers a host: by its name, by the end of its name, with
/// its port, or by `*`.
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

/// Returns the host of `host`, `host:port`, `[v6]` or `[v6]:port` if host and port are valid. An
/// IPv6 address keeps its brackets.
pub(crate) fn host_of(authority: &str) -> Option<&str> {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    if host.ends_with(']') {
        let address = host.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<Ipv6Addr>().ok()?;
    }
    if !port.is_empty() {
        port.strip_prefix(':')?.parse::<NonZeroU16>().ok()?;
    }
    (!host.is_empty()).then_some(host)
}

/// Returns true for 127.0.0.0/8, `[::1]` and `localhost`.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's URL may hold a password.
        let place = self
            .proxy
            .as_ref()
            .map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        f.debug_struct("Proxy")
            .field("proxy", &place)
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_proxied(no_proxy: &str, url: &str) -> bool {
        let proxy = Proxy::new("http://p:1", no_proxy).unwrap();
        proxy.for_uri(&url.parse().unwrap()).is_some()
    }

    #[test]
    fn hosts_in_no_proxy_are_reached_directly() {
        for (no_proxy, is_direct) in [
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
            for url in ["https://oapi.dingtalk.com/x", "https://OAPI.DingTalk.com/x"] {
                assert_eq!(!is_proxied(no_proxy, url), is_direct, "{no_proxy}");
            }
        }
        assert!(!is_proxied("h.cn:8443", "https://h.cn:8443/"));
        assert!(is_proxied("h.cn:8443", "https://h.cn/"));
    }

    #[test]
    fn loopback_is_reached_directly() {
        for host in ["http://127.9.9.9:1", "https://localhost", "http://[::1]:2"] {
            assert!(!is_proxied("", &format!("{host}/x")), "{host}");
        }
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let proxy = Proxy::new("http://user:PassWord1@h:1080", "").unwrap();
        let text = format!("{proxy:?}");
        assert!(
            text.contains("h:1080") && !text.contains("PassWord1"),
            "{text}"
        );
    }
}
