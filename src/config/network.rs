//! How to reach the network: proxy and trusted authorities.

use super::ConfigError;
use crate::http::{HttpConfig, Proxy, RootCertificates};
use std::collections::BTreeMap;

/// Reads `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` (or in lower case) and `SSL_CERT_FILE`, and
/// collects their faults. Blank values count as unset. `HTTP_PROXY` is not for https and is not read.
pub(super) fn http_config(
    vars: &BTreeMap<String, String>,
    faults: &mut Vec<ConfigError>,
) -> HttpConfig {
    let mut config = HttpConfig::default();
    let proxy = either_case(vars, "HTTPS_PROXY").or_else(|| either_case(vars, "ALL_PROXY"));
    if let Some((variable, url)) = proxy {
        let (_, no_proxy) = either_case(vars, "NO_PROXY").unwrap_or_default();
        match Proxy::new(&url, &no_proxy) {
            Ok(proxy) => config.proxy = proxy,
            Err(problem) => faults.push(ConfigError::new(variable, problem)),
        }
    }
    if let Some(path) = value(vars, "SSL_CERT_FILE") {
        match root_certificates(&path) {
            Ok(certificates) => config.root_certificates = Some(certificates),
            Err(problem) => faults.push(ConfigError::new("SSL_CERT_FILE", problem)),
        }
    }
    config
}

fn root_certificates(path: &str) -> Result<RootCertificates, String> {
    let pem = std::fs::read(path).map_err(|error| {
        format!(
            "names a file that cannot be read ({}): name a file of CA certificates in PEM, or leave the variable out",
            error.kind()
        )
    })?;
    RootCertificates::from_pem(&pem).map_err(|problem| format!("names a file that {problem}"))
}

/// Returns the variable of this name or of that name in lower case, and its value.
fn either_case(vars: &BTreeMap<String, String>, name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_ascii_lowercase()]
        .into_iter()
        .find_map(|name| value(vars, &name).map(|value| (name, value)))
}

/// Returns the value of a variable that is not blank.
fn value(vars: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let value = vars.get(name)?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<HttpConfig, Vec<ConfigError>> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut faults = Vec::new();
        let config = http_config(&variables, &mut faults);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }

    #[test]
    fn the_proxy_is_that_for_https_else_that_for_all() {
        for (variables, expected) in [
            (&[][..], "proxy: None"),
            (&[("HTTP_PROXY", "http://a:1")], "proxy: None"),
            (&[("HTTPS_PROXY", " ")], "proxy: None"),
            (
                &[
                    ("ALL_PROXY", "http://a:1"),
                    ("HTTPS_PROXY", "http://u:p%40w@b:2"),
                ],
                r#"proxy: Some("b:2")"#,
            ),
            (&[("https_proxy", "c:3")], r#"proxy: Some("c:3")"#),
            (&[("all_proxy", "https://d:4")], r#"proxy: Some("d:4")"#),
            (
                &[("ALL_PROXY", "e:5"), ("no_proxy", "F.cn, g.cn")],
                r#"no_proxy: ["f.cn", "g.cn"]"#,
            ),
        ] {
            let text = format!("{:?}", read(variables).unwrap());
            assert!(text.contains(expected), "{variables:?}: {text}");
        }
    }

    #[test]
    fn faults_name_their_variable_and_hold_no_password() {
        let faults = read(&[
            ("https_proxy", "http://user:PassWord1@h:port"),
            ("SSL_CERT_FILE", "/nonexistent/ca.pem"),
        ])
        .unwrap_err();
        let socks = read(&[("ALL_PROXY", "socks5://user:PassWord1@h:1080")]).unwrap_err();
        let all: Vec<String> = faults
            .iter()
            .chain(&socks)
            .map(ConfigError::to_string)
            .collect();
        for (fault, expected) in all.iter().zip([
            "https_proxy: is no proxy's URL",
            "SSL_CERT_FILE: names a file that cannot be read",
            "ALL_PROXY: names a SOCKS proxy",
        ]) {
            assert!(fault.starts_with(expected), "{fault}");
        }
        assert_eq!(all.len(), 3);
        assert!(!all.concat().contains("PassWord1"), "{all:?}");
    }
}
