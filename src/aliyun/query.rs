//! The parameters of a call, as the signature wants them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All bytes but `A-Z a-z 0-9 - _ . ~`. Forms are encoded otherwise (`+`, `*`, `%7E`), so nothing
/// for forms serves here.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Returns the query of these parameters: sorted by the bytes of their names, which puts `.10`
/// before `.2`, and percent-encoded.
pub fn query<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    let mut sorted: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    sorted.sort_unstable();
    let encode = |text| utf8_percent_encode(text, RESERVED);
    let pairs = sorted
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_bytes() {
        let parameters = [
            ("T.2", "b"),
            ("a", "d"),
            ("T.10", "a"),
            ("T.1.Key", "c"),
            ("Z", ""),
        ];
        assert_eq!(query(&parameters), "T.1.Key=c&T.10=a&T.2=b&Z=&a=d");
        assert_eq!(query::<&str, &str>(&[]), "");
    }

    #[test]
    fn all_but_the_unreserved_is_encoded() {
        for (text, encoded) in [
            ("azAZ09-_.~", "azAZ09-_.~"),
            ("a b+c*d/e", "a%20b%2Bc%2Ad%2Fe"),
            ("[\"i-1\",\"i-2\"]", "%5B%22i-1%22%2C%22i-2%22%5D"),
            ("团队", "%E5%9B%A2%E9%98%9F"),
            ("%41&=\u{0}\u{7f}", "%2541%26%3D%00%7F"),
        ] {
            assert_eq!(query(&[("x", text)]), format!("x={encoded}"));
            assert_eq!(query(&[(text, "x")]), format!("{encoded}=x"));
        }
    }
}
