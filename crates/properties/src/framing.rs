//! The HTTP parser: any split of the same bytes gives the same requests and the same refusal.

use fc_runtime::Limits;
use fc_runtime::request::{ReadError, Request, RequestError, RequestReader};
use std::io::{self, ErrorKind, Read};

/// How the bytes of a connection end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Between two requests.
    Between,
    /// Within a request.
    Within,
    /// The request is refused.
    Refused(RequestError),
}

/// Checks the bytes of a connection. The first two bytes decide how the rest is split.
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
        let (requests, end) = read_all([bytes], &limits);
        assert_eq!(
            read_all(segments(bytes, seed), &limits),
            (requests.clone(), end),
            "split by {seed}"
        );
        assert_eq!(
            read_all(bytes.chunks(1), &limits),
            (requests.clone(), end),
            "byte by byte"
        );
        for request in &requests {
            well_formed(request, &limits);
        }
        let bodies: usize = requests.iter().map(|request| request.body.len()).sum();
        assert!(bodies <= bytes.len(), "bodies come from the bytes");
        no_credentials(&requests);
        if has_ambiguous_length(bytes) {
            assert!(requests.is_empty(), "a proxy may see its end elsewhere");
        }
    }
}

/// Returns true if the first head announces its body's length more than once: two readers may then
/// see different requests.
fn has_ambiguous_length(bytes: &[u8]) -> bool {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .skip_while(|line| line.is_empty());
    let lengths = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .filter(|line| {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            name.eq_ignore_ascii_case(b"content-length")
                || name.eq_ignore_ascii_case(b"transfer-encoding")
        })
        .count();
    lengths > 1
}

fn well_formed(request: &Request, limits: &Limits) {
    let Request { head, body } = request;
    assert!(!head.method.is_empty() && head.method.bytes().all(|byte| byte.is_ascii_graphic()));
    let unsafe_in_target = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    assert!(!head.target.is_empty() && !head.target.bytes().any(unsafe_in_target));
    assert!(body.len() <= limits.max_body);
    assert!(!head.path().contains(['?', '#']));
    let kept: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    // A byte that is not UTF-8 becomes a replacement character of three bytes.
    assert!(kept <= 3 * limits.max_head);
}

/// Checks that a request holds nothing of the platform's temporary credentials: only the context of
/// an invocation does.
fn no_credentials(requests: &[Request]) {
    for (name, value) in requests.iter().flat_map(|request| &request.head.headers) {
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

/// Reads all requests from a connection whose bytes arrive in these segments.
pub(crate) fn read_all<'a>(
    segments: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Vec<Request>, End) {
    let mut reader = RequestReader::new(Segments(&[], segments.into_iter()), limits);
    let mut requests = Vec::new();
    loop {
        match reader.read_request() {
            Ok(Some(request)) => requests.push(request),
            Ok(None) => return (requests, End::Between),
            Err(ReadError::Io(error)) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                return (requests, End::Within);
            }
            Err(ReadError::Refused(refusal)) => {
                let again = reader.read_request();
                assert!(
                    matches!(again, Err(ReadError::Refused(error)) if error == refusal),
                    "a refusal stands"
                );
                return (requests, End::Refused(refusal));
            }
        }
    }
}

/// A stream of which each read gives the next segment, or what fits of it.
struct Segments<'a, I>(&'a [u8], I);

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Segments<'a, I> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while self.0.is_empty() {
            let Some(segment) = self.1.next() else {
                return Ok(0);
            };
            self.0 = segment;
        }
        self.0.read(target)
    }
}

/// Splits `bytes` into segments of pseudo-random lengths.
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
