//! Texts from outside, made fit for a log line.

/// The longest text, in characters.
const MAX_CHARS: usize = 300;

/// Returns `text` as one line of at most 300 characters, with `…` in place of each secret.
pub(crate) fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    // Before the text is cut: half of a secret could remain.
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() <= MAX_CHARS {
        return line;
    }
    let cut: String = line.chars().take(MAX_CHARS - 1).collect();
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_leaves_no_half_of_a_secret() {
        let text = format!("{}abcdefghij", "x".repeat(295));
        let redacted = redact(&text, &["abcdefghij", ""]);
        assert_eq!(redacted, format!("{}…", "x".repeat(295)));
    }

    #[test]
    fn breaks_and_control_characters_become_blanks() {
        assert_eq!(redact(" a\r\n b\u{1b}[31mc\u{0}d ", &[]), "a b [31mc d");
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_line(text in "(?s).{0,700}", secret in "[a-z]{1,9}") {
            let redacted = redact(&text, &[&secret]);
            prop_assert!(redacted.chars().count() <= MAX_CHARS);
            prop_assert!(!redacted.chars().any(char::is_control));
            prop_assert!(!redacted.contains(&secret));
        }
    }
}
