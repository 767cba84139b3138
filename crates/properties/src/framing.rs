//! The decoder of the HTTP side: any split of the same bytes gives the same requests, in bounded space.

use fc_runtime::Limits;
use fc_runtime::framing::{Decoder, Phase, Reject, Request, Step};

/// Checks bytes as they might come on a connection. The first two bytes decide how the rest is split.
pub fn check(input: &[u8]) {
    let (seed, bytes) = match input {
        [a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]), rest),
        _ => (0, input),
    };
    for limits in [
        Limits::default(),
        Limits {
            max_head: 200,
            max_body: 64,
            ..Limits::default()
        },
    ] {
        let (requests, end) = decode([bytes], &limits);
        assert_eq!(
            decode(segments(bytes, seed), &limits),
            (requests.clone(), end),
            "split by {seed}"
        );
        assert_eq!(
            decode(bytes.chunks(1), &limits),
            (requests.clone(), end),
            "byte by byte"
        );
        for request in &requests {
            well_formed(request, &limits);
        }
        let bodies: usize = requests.iter().map(|request| request.body.len()).sum();
        assert!(bodies <= bytes.len(), "bodies come from the bytes");
        no_credentials(&requests);
        if has_doubtful_length(bytes) {
            assert!(
                requests.is_empty(),
                "whoever is on the way may see its end elsewhere"
            );
        }
    }
}

/// Whether the first head tells its body's length more than once: two readers may then see different requests.
fn has_doubtful_length(bytes: &[u8]) -> bool {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .skip_while(|line| line.is_empty());
    let told = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .filter(|line| {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            name.eq_ignore_ascii_case(b"content-length")
                || name.eq_ignore_ascii_case(b"transfer-encoding")
        })
        .count();
    told > 1
}

fn well_formed(request: &Request, limits: &Limits) {
    let Request { head, body } = request;
    assert!(!head.method.is_empty() && head.method.bytes().all(|byte| byte.is_ascii_graphic()));
    let unsafe_in_target = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    assert!(!head.target.is_empty() && !head.target.bytes().any(unsafe_in_target));
    assert!(body.len() <= limits.max_body);
    assert!(!head.path().contains(['?', '#']));
    let kept: usize = head
        .fields
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    // A byte that is no UTF-8 becomes a replacement character of three.
    assert!(kept <= 3 * limits.max_head);
}

/// The platform's temporary credentials are not kept.
fn no_credentials(requests: &[Request]) {
    for (name, value) in requests.iter().flat_map(|request| &request.head.fields) {
        let name = name.to_ascii_lowercase();
        assert!(name.starts_with("x-fc-") && !value.is_empty());
        assert!(
            ![
                "x-fc-access-key-id",
                "x-fc-access-key-secret",
                "x-fc-security-token"
            ]
            .contains(&name.as_str())
        );
    }
}

/// Everything that a decoder makes of `segments`; 100-continue is left out, for it depends on the split by right.
pub(crate) fn decode<'a>(
    segments: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Vec<Request>, Result<Phase, Reject>) {
    let mut decoder = Decoder::new(limits);
    let mut requests = Vec::new();
    for segment in segments {
        decoder.feed(segment);
        // Each step but the last takes bytes or asks to go on.
        let mut steps = 2 * segment.len() + 2;
        loop {
            steps = steps.checked_sub(1).expect("a decoder comes to an end");
            match decoder.step() {
                Ok(Step::NeedMore) => break,
                Ok(Step::Continue) => {}
                Ok(Step::Request(request)) => {
                    decoder.recycle(request.body.clone());
                    requests.push(request);
                }
                Err(reject) => {
                    assert_eq!(decoder.step(), Err(reject), "a refusal stands");
                    return (requests, Err(reject));
                }
            }
        }
    }
    (requests, Ok(decoder.phase()))
}

/// `bytes` in pieces whose lengths a small generator makes of `seed`.
pub(crate) fn segments(mut bytes: &[u8], seed: u16) -> Vec<&[u8]> {
    let mut state = u32::from(seed).wrapping_mul(2_654_435_761) | 1;
    let longest = 1 + u32::from(seed) % 97;
    let mut segments = Vec::new();
    while !bytes.is_empty() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let length = usize::try_from(state % longest + 1)
            .unwrap_or(1)
            .min(bytes.len());
        let (segment, rest) = bytes.split_at(length);
        segments.push(segment);
        bytes = rest;
    }
    segments
}
