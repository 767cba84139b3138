//! Signing secrets.

use super::placeholder::is_placeholder;
use std::fmt;

/// A chatbot's signing secret. Its `Debug` output shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// Parses a secret as DingTalk shows it (`SEC…`); blanks around it are ignored.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what to write instead, without the secret itself.
    pub fn parse(text: &str) -> Result<Secret, String> {
        Secret::parse_as(
            text,
            "write the secret that the chatbot's security settings show (SEC…) and nothing else",
        )
    }

    /// Parses a secret of a chat; `how` says what to write instead of a wrong one.
    pub(super) fn parse_as(text: &str, how: &str) -> Result<Secret, String> {
        let text = text.trim();
        let problem = if text.is_empty() {
            "is empty"
        } else if text.contains(char::is_whitespace) {
            "holds a blank or a line break"
        } else if text.contains(['"', '\'', '`']) {
            "holds quotation marks"
        } else if text.contains("://") || text.contains("access_token") {
            "holds the webhook's address in place of the secret"
        } else if text.contains('*') {
            "holds asterisks: it was copied from where it is masked"
        } else if !text.chars().all(|c| c.is_ascii_graphic()) {
            "holds a character that no secret has, perhaps one that does not show"
        } else if text.contains(['<', '>', '{', '}', '$']) || is_placeholder(without_prefix(text)) {
            "is a placeholder"
        } else {
            return Ok(Secret(text.to_owned()));
        };
        Err(format!("{problem}: {how}"))
    }

    /// Returns the secret itself, which must appear in no text.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Returns a secret without its `SEC`, which its placeholders have too. `SEC` alone is not one.
fn without_prefix(text: &str) -> &str {
    match text.strip_prefix("SEC") {
        Some(rest) if !rest.is_empty() => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_word_and_is_not_shown() {
        let secret = Secret::parse(" SECabc\n").unwrap();
        assert_eq!(secret.expose(), "SECabc");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        for (text, expected) in [
            ("", "is empty"),
            (" \t", "is empty"),
            ("SEC abc", "a blank or a line break"),
            ("SEC\nabc", "a blank or a line break"),
            ("SEC\u{3000}abc", "a blank or a line break"),
            ("\"SECabc\"", "quotation marks"),
            ("'SECabc'", "quotation marks"),
            ("SECabc\u{200b}", "one that does not show"),
            ("\u{feff}SECabc", "one that does not show"),
            ("SECabc\u{0}", "one that does not show"),
            ("SECabc…", "a character that no secret has"),
            ("ＳＥＣabc", "a character that no secret has"),
            ("SECabc****", "asterisks"),
            (
                "https://oapi.dingtalk.com/robot/send?access_token=abc",
                "the webhook's address",
            ),
            ("access_token=abc", "the webhook's address"),
            ("<SECabc>", "a placeholder"),
            ("${SECabc}", "a placeholder"),
            ("SECxxxxxxxx", "a placeholder"),
            ("SEC...", "a placeholder"),
            ("your-abc", "a placeholder"),
        ] {
            let fault = Secret::parse(text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
            assert!(fault.contains("SEC…") && !fault.contains("abc"), "{fault}");
        }
        for text in ["SEC", "SECx", "secret", "SEC0000", "no+prefix/=-_"] {
            assert!(Secret::parse(text).is_ok(), "{text}");
        }
    }
}
