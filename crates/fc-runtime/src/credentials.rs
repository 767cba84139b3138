//! The temporary identity of the function's role.

use std::fmt;

/// A temporary identity of the function's role, for calling other services: it comes with each
/// invocation and ends after 36 hours. Its `Debug` output shows nothing of it.
///
/// ```
/// use fc_runtime::Credentials;
///
/// let credentials = Credentials::new("STS.id", "secret", "token").expect("all three parts");
/// assert_eq!(credentials.access_key_id(), "STS.id");
/// assert_eq!(format!("{credentials:?}"), "Credentials(…)");
/// assert_eq!(Credentials::new("STS.id", "secret", ""), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
}

impl Credentials {
    /// Creates an identity of its three parts. Returns `None` if one of them is empty, since no
    /// service accepts it then, or if one holds anything but visible ASCII, which no header takes.
    pub fn new(id: &str, secret: &str, token: &str) -> Option<Credentials> {
        let is_part = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        [id, secret, token]
            .into_iter()
            .all(is_part)
            .then(|| Credentials {
                access_key_id: id.to_owned(),
                access_key_secret: secret.to_owned(),
                security_token: token.to_owned(),
            })
    }

    /// The access key's id (`x-fc-access-key-id`): `STS.…`.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The access key's secret (`x-fc-access-key-secret`), with which requests are signed.
    pub fn access_key_secret(&self) -> &str {
        &self.access_key_secret
    }

    /// The token (`x-fc-security-token`) that goes with each request.
    pub fn security_token(&self) -> &str {
        &self.security_token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_parts_are_needed() {
        assert!(Credentials::new("id", "secret", "to+/ken==").is_some());
        for (id, secret, token) in [
            ("", "secret", "token"),
            ("id", "", "token"),
            ("id", "secret", ""),
            ("i d", "secret", "token"),
            ("id", "secret\r\n", "token"),
            ("id", "secret", "töken"),
        ] {
            assert_eq!(Credentials::new(id, secret, token), None);
        }
    }
}
