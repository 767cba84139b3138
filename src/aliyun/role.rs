//! Roles of other accounts.

/// The account's place in a role.
const ACCOUNT: &str = "{account}";

/// A role of the same name in each account: `acs:ram::{account}:role/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role(String);

impl Role {
    /// Parses a role with `{account}` in it.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what to write instead.
    pub fn parse(text: &str) -> Result<Role, String> {
        const HOW: &str =
            "write acs:ram::{account}:role/ and the role's name, with {account} as it is";
        let is_template = text.matches(ACCOUNT).count() == 1;
        if is_template && is_arn(&text.replace(ACCOUNT, "1")) && text.starts_with("acs:ram::{") {
            return Ok(Role(text.to_owned()));
        }
        Err(match is_arn(text) {
            true => format!("is the role of one account: {HOW}"),
            false => format!("is no role: {HOW}"),
        })
    }

    /// Returns the role in this account.
    pub fn arn(&self, account: &str) -> String {
        self.0.replace(ACCOUNT, account)
    }

    /// Returns the role with `{account}` in it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns true for `acs:ram::<account>:role/<name>`. The account may come from an event.
pub(super) fn is_arn(arn: &str) -> bool {
    let rest = arn.strip_prefix("acs:ram::");
    let Some((account, name)) = rest.and_then(|rest| rest.split_once(":role/")) else {
        return false;
    };
    let is_name = |c: u8| c.is_ascii_alphanumeric() || b".-_@".contains(&c);
    (1..=32).contains(&account.len())
        && account.bytes().all(|c| c.is_ascii_digit())
        && (1..=64).contains(&name.len())
        && name.bytes().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_an_account_and_a_name() {
        for (arn, expected) in [
            ("acs:ram::1234567890123456:role/ecs-notifier-read", true),
            ("acs:ram::1:role/a.b_c-d", true),
            ("acs:ram::{account}:role/x", false),
            ("acs:ram:::role/x", false),
            ("acs:ram::1234:role/", false),
            ("acs:ram::1234:role/a/b", false),
            ("acs:ram::12 34:role/x", false),
            ("acs:ram::1234:user/x", false),
            ("", false),
        ] {
            assert_eq!(is_arn(arn), expected, "{arn}");
        }
    }

    #[test]
    fn a_role_for_all_accounts_has_a_place_for_theirs() {
        let role = Role::parse("acs:ram::{account}:role/reader").unwrap();
        assert_eq!(role.arn("12"), "acs:ram::12:role/reader");
        for (text, expected) in [
            ("acs:ram::12:role/reader", "is the role of one account"),
            ("reader", "is no role"),
            ("acs:ram::{account}:user/x", "is no role"),
            ("acs:ram::{account}{account}:role/x", "is no role"),
            ("acs:ram::1{account}:role/x", "is no role"),
            ("acs:ram::1:role/{account}", "is no role"),
            ("acs:ram::{account}:role/", "is no role"),
        ] {
            let problem = Role::parse(text).unwrap_err();
            assert!(problem.starts_with(expected), "{text}: {problem}");
            assert!(problem.contains("acs:ram::{account}:role/"));
        }
    }
}
