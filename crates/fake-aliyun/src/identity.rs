//! Identities that call the API.

/// An access key, and the token that goes with it if it is a temporary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `STS.…` if it is temporary.
    pub id: String,
    /// Signs requests.
    pub secret: String,
    /// `None` for a long-lived key.
    pub token: Option<String>,
    /// The account that it belongs to.
    pub account: String,
}

/// An identity as the service knows it.
pub(crate) struct Known {
    pub(crate) identity: Identity,
    /// When it ends, in milliseconds since 1970.
    pub(crate) ends_ms: Option<u64>,
}

impl Identity {
    /// Makes the identity of this number. Real tokens are several hundred characters long and hold
    /// characters that need encoding elsewhere.
    pub(crate) fn new(number: usize, account: &str, is_temporary: bool) -> Identity {
        let start = if is_temporary { "STS.NV" } else { "LTAI5t" };
        let token = || format!("CAIS{number:04}{}==", "fakeToken+9/Zz".repeat(40));
        Identity {
            id: format!("{start}{number:04}FakeKeyIdQx7"),
            secret: format!("fAkEsEcReT{number:04}wVuTsRqPoNmL"),
            token: is_temporary.then(token),
            account: account.to_owned(),
        }
    }
}
