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
mod tests;
