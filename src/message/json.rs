//! How long a text is as JSON, without writing it.

/// The most bytes that one byte of text takes: `\u001f`.
pub(super) const MAX_ESCAPED: usize = 6;

/// What each byte takes beyond itself, escaped as serde_json does it.
const EXTRA: [u8; 256] = {
    let mut extra = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        extra[control] = 5;
        control += 1;
    }
    let mut short = 0;
    while short < SHORT.len() {
        extra[SHORT[short] as usize] = 1;
        short += 1;
    }
    extra
};

/// Bytes that a backslash and one letter stand for.
const SHORT: &[u8] = b"\"\\\x08\t\n\x0c\r";

/// Bytes of `text` inside a JSON string.
pub(super) fn escaped_len(text: &str) -> usize {
    let extra = |byte: u8| usize::from(EXTRA[usize::from(byte)]);
    text.len() + text.bytes().map(extra).sum::<usize>()
}

/// Bytes of a JSON list of these texts, without its brackets.
pub(super) fn list_len(texts: &[String]) -> usize {
    let strings: usize = texts.iter().map(|text| escaped_len(text) + 2).sum();
    strings + texts.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::{At, Message};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lengths_are_those_of_what_serde_json_writes(
            texts in proptest::collection::vec("(?s).{0,40}|[\\x00-\\x22\\\\\\x7f-\\u{9f}实🔴]{0,40}", 6),
            mobiles in 0_usize..3,
            user_ids in 0_usize..3,
            is_at_all: bool,
        ) {
            for text in &texts {
                prop_assert_eq!(escaped_len(text) + 2, serde_json::to_string(text).unwrap().len());
            }
            let message = Message {
                title: texts[4].clone(),
                text: texts[5].clone(),
                at: At { at_mobiles: texts[..mobiles].to_vec(), at_user_ids: texts[2..2 + user_ids].to_vec(), is_at_all },
            };
            let body = message.body("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
            prop_assert_eq!(message.size(), body.len());
        }
    }
}
