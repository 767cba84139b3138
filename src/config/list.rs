//! Splits lists into their values.

use crate::message::is_invisible;

/// What a list looks like, for faults.
const HOW: &str = "write the values alone, separated by commas or line breaks";

/// Characters that people write between values, and that no list is split at. One of them makes one
/// value of several, which matches nothing and mentions nobody.
const OTHER_SEPARATORS: [char; 7] = [';', '；', '，', '、', '|', '｜', '\\'];
/// Quotation marks, straight and curly.
const QUOTES: [char; 9] = ['"', '\'', '`', '“', '”', '‘', '’', '「', '」'];

/// Splits a list at commas and line breaks. Drops blanks around the values, and empty values.
///
/// # Errors
///
/// What is written around or between the values that does not belong there, and what to write
/// instead. Without the values: they may be secrets.
pub(super) fn split(text: &str) -> Result<Vec<&str>, String> {
    let fault = |what: &str| Err(format!("{what}; {HOW}"));
    let text = text.trim();
    let is_bracketed = text.starts_with('[') && text.ends_with(']');
    if is_bracketed || text.starts_with("[\"") {
        return fault("is written as a list in brackets");
    }
    if let Some(odd) = text.chars().find(|c| is_odd(*c)) {
        return fault(&format!(
            "holds a character that does not show (U+{:04X})",
            u32::from(odd)
        ));
    }
    let parts = text.split([',', '\n', '\r']).map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    for part in &parts {
        if part.starts_with('#') || part.contains(" #") || part.contains("\t#") {
            return fault("holds a comment (#), which counts as part of the value");
        }
        if part.starts_with(QUOTES) || part.ends_with(QUOTES) {
            return fault("holds quotation marks, which count as part of the value");
        }
        if part.starts_with("- ") {
            return fault("is written as a list with hyphens");
        }
        if let Some(separator) = part.chars().find(|c| OTHER_SEPARATORS.contains(c)) {
            return fault(&format!("holds {separator:?}, which separates no values"));
        }
    }
    Ok(parts)
}

/// Returns true for characters that are written by accident: they do not show.
fn is_odd(c: char) -> bool {
    is_invisible(c) || c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_line_breaks_separate() {
        for (text, expected) in [
            ("a", &["a"][..]),
            (" a ,b\n c d \r\n,, e\t", &["a", "b", "c d", "e"]),
            ("a\n", &["a"]),
            ("a-b_c.d@e:f*?+", &["a-b_c.d@e:f*?+"]),
            ("it's, [prod]*, a#b", &["it's", "[prod]*", "a#b"]),
            (", ,", &[]),
            ("", &[]),
        ] {
            assert_eq!(split(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_else_stands_between_values_is_a_fault() {
        for (text, expected) in [
            ("a;b", "holds ';'"),
            ("a；b", "holds '；'"),
            ("a，b", "holds '，'"),
            ("a、b", "holds '、'"),
            ("a|b,c", "holds '|'"),
            ("a\\nb", "holds '\\\\'"),
            (r#"["a","b"]"#, "a list in brackets"),
            (r#"["a","b""#, "a list in brackets"),
            ("[a, b]", "a list in brackets"),
            ("\"a\",b", "quotation marks"),
            ("a,'b'", "quotation marks"),
            ("“a”", "quotation marks"),
            ("a # those", "a comment"),
            ("a\n# those\nb", "a comment"),
            ("- a\n- b", "a list with hyphens"),
            ("a\u{200b}", "U+200B"),
            ("\u{feff}a", "U+FEFF"),
            ("a\u{0}b", "U+0000"),
        ] {
            let fault = split(text).unwrap_err();
            assert!(
                fault.contains(expected) && fault.ends_with(HOW),
                "{text:?}: {fault}"
            );
        }
    }
}
