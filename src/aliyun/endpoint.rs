//! Where the API is: an address for each region.

use crate::http::{Uri, host_of, is_loopback};
use std::fmt;

const REGION: &str = "{region}";

/// An address with `{region}` in its host, or one address for all regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: &'static str,
    /// The host and the port, if it is not that of the scheme; may hold `{region}` once.
    authority: String,
}

/// Regions whose addresses are not made as the others are: the usual address, region, host.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (ECS, "cn-hangzhou-finance", "ecs.aliyuncs.com"),
    (STS, "cn-hangzhou-finance", "sts.aliyuncs.com"),
    (STS, "cn-shenzhen-finance-1", "sts.aliyuncs.com"),
];

const ECS: &str = "ecs.{region}.aliyuncs.com";
const STS: &str = "sts.{region}.aliyuncs.com";

impl Endpoint {
    /// The public address of the ECS API.
    pub fn ecs() -> Endpoint {
        Endpoint::https(ECS)
    }

    /// The public address of the STS API, where roles are assumed.
    pub fn sts() -> Endpoint {
        Endpoint::https(STS)
    }

    fn https(authority: &str) -> Endpoint {
        Endpoint {
            scheme: "https",
            authority: authority.to_owned(),
        }
    }

    /// Parses an address: `https://ecs-vpc.{region}.aliyuncs.com`. Blanks around it are ignored,
    /// and so is a `/` at its end.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what to write instead, without the address.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        const HOW: &str = "write https:// and a host, with {region} in it where each region has \
                           its own, for example https://ecs-vpc.{region}.aliyuncs.com";
        let fault = |problem: &str| Err(format!("{problem}: {HOW}"));
        let text = text.trim();
        let (scheme, default_port, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", ":443", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", ":80", rest),
            _ => return fault("does not begin with https://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        if rest.contains(['/', '?', '#', '\\']) {
            return fault("holds more than a host");
        }
        if rest.contains('@') {
            return fault("holds a user's name");
        }
        let authority = rest.strip_suffix(default_port).unwrap_or(&rest);
        if authority.matches(REGION).count() > 1 {
            return fault("holds {region} more than once");
        }
        // As any region would do.
        let sample = authority.replace(REGION, "cn-hangzhou");
        if sample.contains(['{', '}']) {
            return fault("holds braces around something else than region");
        }
        let Some(host) = host_of(&sample).filter(|host| is_host(host)) else {
            return fault("holds no valid host");
        };
        if sample.parse::<Uri>().is_err() {
            return fault("holds no valid host");
        }
        // Or the region, which comes from events, would decide whose host it is.
        let last_label = host_of(authority).unwrap_or(authority).rsplit('.').next();
        if last_label.is_some_and(|label| label.contains(REGION)) {
            return fault("holds {region} at the host's end");
        }
        let is_domain = |label: &str| label.bytes().any(|byte| byte.is_ascii_alphabetic());
        if authority.contains(REGION) && !last_label.is_some_and(is_domain) {
            return fault("holds {region} in an IP address");
        }
        if scheme == "http" && !is_loopback(host) {
            return fault("is not encrypted, which only loopback addresses need not be");
        }
        Ok(Endpoint {
            scheme,
            authority: authority.to_owned(),
        })
    }

    /// Returns the address for this region, without a path: `https://ecs.cn-hangzhou.aliyuncs.com`.
    /// `None` if `region` is no region's id, even where the address does not depend on it.
    pub fn url(&self, region: &str) -> Option<String> {
        Some(format!("{}://{}", self.scheme, self.host(region)?))
    }

    /// Returns the value of the header `host`.
    pub(super) fn host(&self, region: &str) -> Option<String> {
        if !is_region(region) {
            return None;
        }
        let exception = EXCEPTIONS
            .iter()
            .find(|(usual, own, _)| *usual == self.authority && *own == region);
        Some(match exception {
            Some((_, _, host)) => (*host).to_owned(),
            None => self.authority.replace(REGION, region),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Returns true for what looks like a region's id: letters, digits and inner hyphens. Anything else
/// from an event could name a host of its writer's choice.
pub(crate) fn is_region(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && (text.bytes()).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns true for an IPv6 address in brackets and for names of letters, digits, `-` and `.`.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && (label.bytes()).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.starts_with('[') || host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_address() {
        let url = |text: &str, region| Endpoint::parse(text).unwrap().url(region).unwrap();
        let ecs = "https://ecs.{region}.aliyuncs.com";
        let sts = "https://sts.{region}.aliyuncs.com";
        for (endpoint, region, expected) in [
            (ecs, "cn-hangzhou", "https://ecs.cn-hangzhou.aliyuncs.com"),
            (ecs, "cn-hangzhou-finance", "https://ecs.aliyuncs.com"),
            (sts, "cn-hangzhou-finance", "https://sts.aliyuncs.com"),
            (sts, "cn-shenzhen-finance-1", "https://sts.aliyuncs.com"),
            (
                ecs,
                "cn-shenzhen-finance-1",
                "https://ecs.cn-shenzhen-finance-1.aliyuncs.com",
            ),
            (
                " HTTPS://ecs-vpc.{Region}.Aliyuncs.com:443/ ",
                "cn-hangzhou-finance",
                "https://ecs-vpc.cn-hangzhou-finance.aliyuncs.com",
            ),
            ("https://api.corp:8443", "cn-x", "https://api.corp:8443"),
            ("http://127.0.0.1:9001/", "cn-x", "http://127.0.0.1:9001"),
            ("http://localhost:80", "cn-x", "http://localhost"),
            ("http://[::1]:9001", "cn-x", "http://[::1]:9001"),
        ] {
            assert_eq!(url(endpoint, region), expected);
        }
        assert_eq!(Endpoint::parse(ecs), Ok(Endpoint::ecs()));
        assert_eq!(Endpoint::parse(sts), Ok(Endpoint::sts()));
        assert_eq!(Endpoint::ecs().to_string(), ecs);
    }

    #[test]
    fn what_is_no_region_has_no_address() {
        let long = "a".repeat(65);
        for endpoint in [
            Endpoint::ecs(),
            Endpoint::parse("https://api.corp").unwrap(),
        ] {
            for region in [
                "",
                "a",
                "../",
                "evil.example/",
                "cn hangzhou",
                "cn-hangzhou.evil",
                "-cn",
                "cn-",
                "cn_hangzhou",
                "a@b",
                "a:1",
                "a#",
                "杭州",
                "cn-\r\nx",
                "{region}",
                &long,
            ] {
                assert_eq!(endpoint.url(region), None, "{region}");
            }
            assert!(endpoint.url(&long[1..]).is_some());
        }
    }

    #[test]
    fn faults_say_what_to_write() {
        for (text, expected) in [
            ("", "does not begin with https://"),
            ("ecs.{region}.aliyuncs.com", "does not begin with https://"),
            ("ftp://x.example", "does not begin with https://"),
            ("https://", "no valid host"),
            ("https://:443", "no valid host"),
            ("https://x.example:0", "no valid host"),
            ("https://x.example:port", "no valid host"),
            ("https://a b.example", "no valid host"),
            ("https://a..example", "no valid host"),
            ("https://x.example/api", "more than a host"),
            ("https://x.example/{region}", "more than a host"),
            ("https://x.example?a=b", "more than a host"),
            ("https://x.example\\@y", "more than a host"),
            ("https://u:p@x.example", "a user's name"),
            ("https://{region}.{region}.example", "more than once"),
            ("https://{zone}.example", "braces"),
            ("https://{region", "braces"),
            ("https://{region}", "at the host's end"),
            ("https://ecs.{region}:8443", "at the host's end"),
            ("https://x.y-{region}", "at the host's end"),
            ("https://{region}.0.0.1", "in an IP address"),
            ("http://ecs.{region}.aliyuncs.com", "not encrypted"),
            ("http://10.0.0.1", "not encrypted"),
        ] {
            let fault = Endpoint::parse(text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
            assert!(fault.contains("write https://"), "{fault}");
        }
    }
}
