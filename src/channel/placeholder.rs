//! Words of instructions that were copied in place of a value.

/// Returns true for words that stand in instructions where the real value belongs: `your_token`,
/// `XXXXXX`, `...`.
pub(super) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 6] = [
        "",
        "TOKEN",
        "ACCESSTOKEN",
        "accesstoken",
        "placeholder",
        "changeme",
    ];
    let word: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    WORDS.contains(&word.as_str())
        || word.to_ascii_lowercase().starts_with("your")
        || word.len() > 2 && word.bytes().all(|b| b.eq_ignore_ascii_case(&b'x'))
}
