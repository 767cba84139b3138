//! An identity that calls the API, and where it came from.

use std::fmt;

/// An access key, and the token that goes with it if it is a temporary one. Its `Debug` output
/// shows where it came from and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    id: String,
    secret: String,
    /// Empty for a long-lived key, which has none.
    token: String,
    source: Source,
}

/// Where an identity came from, and so who can mend it. All of its parts come from one source: the
/// API refuses a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The function's role, by the headers of an invocation. Fresh in each one.
    Invocation,
    /// The three variables. They age with the instance, whose identity ends after 36 hours.
    Environment,
    /// The role of another account, which was assumed.
    AssumedRole,
}

const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

impl Credentials {
    /// Creates a temporary identity of its three parts. Returns `None` if one of them is empty, as
    /// local emulators send them, or cannot stand in a header: the API refuses a role's identity
    /// without its token.
    pub fn temporary(id: &str, secret: &str, token: &str, source: Source) -> Option<Credentials> {
        (!token.is_empty()).then(|| Credentials::new(id, secret, token, source))?
    }

    /// Takes the identity from the variables `ALIBABA_CLOUD_ACCESS_KEY_ID`, `_SECRET` and
    /// `ALIBABA_CLOUD_SECURITY_TOKEN`, of which a long-lived key has no token. Blank variables
    /// count as unset. Returns `None` without id or secret.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
        let [id, secret, token] = [ID, SECRET, TOKEN].map(|name| lookup(name).unwrap_or_default());
        Credentials::new(id.trim(), secret.trim(), token.trim(), Source::Environment)
    }

    fn new(id: &str, secret: &str, token: &str, source: Source) -> Option<Credentials> {
        let is_part = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_whole = !id.is_empty() && !secret.is_empty();
        (is_whole && [id, secret, token].into_iter().all(is_part)).then(|| Credentials {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: token.to_owned(),
            source,
        })
    }

    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns id, secret and token, which must appear in no text. The token may be empty.
    pub(super) fn parts(&self) -> [&str; 3] {
        [&self.id, &self.secret, &self.token]
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, …)", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Option<Credentials> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Credentials::from_environment(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_temporary_identity_is_whole_or_none() {
        let whole = Credentials::temporary("id", "secret", "token", Source::Invocation).unwrap();
        assert_eq!(whole.parts(), ["id", "secret", "token"]);
        for (id, secret, token) in [
            ("", "", ""),
            ("", "secret", "token"),
            ("id", "", "token"),
            ("id", "secret", ""),
            ("id", "secret", "to\nken"),
            ("i d", "secret", "token"),
            ("id", "sécret", "token"),
        ] {
            let found = Credentials::temporary(id, secret, token, Source::Invocation);
            assert_eq!(found, None, "{id}, {secret}, {token}");
        }
    }

    #[test]
    fn the_environment_may_hold_a_key_without_a_token() {
        let key = environment(&[(ID, " id\n"), (SECRET, "secret")]).unwrap();
        assert_eq!(key.parts(), ["id", "secret", ""]);
        assert_eq!(key.source(), Source::Environment);
        let blank = environment(&[(ID, "id"), (SECRET, "secret"), (TOKEN, " ")]).unwrap();
        assert_eq!(blank.parts(), ["id", "secret", ""]);
        let temporary = environment(&[(ID, "id"), (SECRET, "secret"), (TOKEN, "token")]).unwrap();
        assert_eq!(temporary.parts(), ["id", "secret", "token"]);
        assert_eq!(environment(&[]), None);
        assert_eq!(environment(&[(ID, "id"), (TOKEN, "token")]), None);
        assert_eq!(environment(&[(ID, ""), (SECRET, "secret")]), None);
    }

    #[test]
    fn an_identity_is_not_shown() {
        let whole = Credentials::temporary("id-1", "secret-1", "token-1", Source::AssumedRole);
        let text = format!("{whole:?}");
        assert_eq!(text, "Some(Credentials(AssumedRole, …))");
    }
}
