//! Patterns with `*` (any text) and `?` (one character); the whole value must match, letter case does not matter.

use std::fmt;

/// One pattern, as a user wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    folded: Vec<char>,
}

impl Glob {
    /// Takes any text: there is no invalid pattern.
    pub fn new(text: &str) -> Glob {
        Glob {
            text: text.to_owned(),
            folded: fold(text),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `value` matches.
    ///
    /// Backtracks to the last `*` only, so the cost is at most pattern × value, whatever stands in them.
    pub fn matches(&self, value: &str) -> bool {
        if value.is_ascii() {
            // As it mostly is; then nothing need be copied.
            let bytes = value.as_bytes();
            return matches(&self.folded, bytes.len(), |at| {
                char::from(bytes[at].to_ascii_lowercase())
            });
        }
        let value = fold(value);
        matches(&self.folded, value.len(), |at| value[at])
    }
}

/// Whether `pattern` takes the whole of a value of this length, whose characters `value` tells.
fn matches(pattern: &[char], length: usize, value: impl Fn(usize) -> char) -> bool {
    let (mut p, mut v) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while v < length {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, v));
                p += 1;
            }
            Some(&c) if c == '?' || c == value(v) => {
                p += 1;
                v += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    v = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_value_must_match_in_any_letter_case() {
        for (pattern, value, expected) in [
            (
                "Instance:StateChange:Stopped",
                "instance:statechange:stopped",
                true,
            ),
            ("Disk:*", "Disk:Stalled:Executing", true),
            ("Disk:*", "MyDisk:Stalled", false),
            (
                "*:Avoided",
                "Instance:SystemMaintenance.Reboot:Avoided",
                true,
            ),
            ("*:Avoided", "Instance:SystemMaintenance.Reboot", false),
            ("web-??", "web-01", true),
            ("web-??", "web-1", false),
            ("web-??", "web-001", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("?", "测", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**a", "ba", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(value),
                expected,
                "{pattern} {value}"
            );
        }
    }

    #[test]
    fn a_hostile_pattern_does_not_explode() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(2_000)));
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_recursive_definition(pattern in "[aä*?]{0,8}", value in "[aäAÄ]{0,8}|[aA]{0,8}") {
            fn plain(p: &[char], v: &[char]) -> bool {
                match (p.first(), v.first()) {
                    (None, None) => true,
                    (Some('*'), _) => plain(&p[1..], v) || (!v.is_empty() && plain(p, &v[1..])),
                    (Some('?'), Some(_)) => plain(&p[1..], &v[1..]),
                    (Some(a), Some(b)) if a == b => plain(&p[1..], &v[1..]),
                    _ => false,
                }
            }
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = plain(&chars(&pattern), &chars(&value.to_lowercase()));
            prop_assert_eq!(Glob::new(&pattern).matches(&value), expected);
        }
    }
}
