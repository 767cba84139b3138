//! The parameters of a call, as the signature wants them.

/// Returns the query of these parameters: sorted by the bytes of their names, which puts `.10`
/// before `.2`, and percent-encoded.
pub fn query<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    let mut sorted: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    sorted.sort_unstable();
    let mut query = String::new();
    for (name, value) in sorted {
        if !query.is_empty() {
            query.push('&');
        }
        encode(name, &mut query);
        query.push('=');
        encode(value, &mut query);
    }
    query
}

/// Appends `text` percent-encoded: all bytes but `A-Z a-z 0-9 - _ . ~`, in upper-case digits. Forms
/// are encoded otherwise (`+`, `*`, `%7E`), so nothing for forms serves here.
fn encode(text: &str, into: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(DIGITS[usize::from(byte >> 4)]);
            into.push(DIGITS[usize::from(byte & 15)]);
        }
    }
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
