//! Texts that came from outside, made fit for a log line.

/// The longest detail, in characters.
const LIMIT: usize = 300;

/// `text` as one line of at most 300 characters, without `secrets`.
///
/// The secrets go first: cut before, half of one could remain.
pub(super) fn clean(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() <= LIMIT {
        return line;
    }
    let cut: String = line.chars().take(LIMIT - 1).collect();
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_leaves_no_half_of_a_secret() {
        let text = format!("{}abcdefghij", "x".repeat(295));
        let cleaned = clean(&text, &["abcdefghij", ""]);
        assert_eq!(cleaned, format!("{}…", "x".repeat(295)));
    }

    #[test]
    fn breaks_and_control_characters_become_blanks() {
        assert_eq!(clean(" a\r\n b\u{1b}[31mc\u{0}d ", &[]), "a b [31mc d");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_is_one_short_line(text in "(?s).{0,700}", secret in "[a-z]{1,9}") {
            let cleaned = clean(&text, &[&secret]);
            prop_assert!(cleaned.chars().count() <= LIMIT);
            prop_assert!(!cleaned.chars().any(char::is_control));
            prop_assert!(!cleaned.contains(&secret));
        }
    }
}
