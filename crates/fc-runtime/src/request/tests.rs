use super::*;
use proptest::prelude::*;
use std::io;

fn small() -> Limits {
    Limits {
        max_head: 200,
        max_body: 64,
        ..Limits::default()
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

/// How a stream ends: between two requests, within one, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Between,
    Within,
    Refused(RequestError),
}

/// Reads all requests from a stream that arrives in these segments.
fn read_all<'a>(
    segments: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Vec<Request>, End) {
    let mut reader = RequestReader::new(Segments(&[], segments.into_iter()), limits);
    let mut requests = Vec::new();
    loop {
        let result = reader.read_request();
        assert_eq!(reader.source.capacity(), BUFFER_SIZE);
        match result {
            Ok(Some(request)) => {
                // The capacity of a chunked body doubles as it grows.
                assert!(request.body.capacity() <= (2 * limits.max_body).max(64));
                requests.push(request);
            }
            Ok(None) => return (requests, End::Between),
            Err(ReadError::Refused(error)) => return (requests, End::Refused(error)),
            Err(ReadError::Io(error)) => {
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                return (requests, End::Within);
            }
        }
    }
}

fn split<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut segments = Vec::new();
    for size in sizes {
        let (segment, rest) = bytes.split_at((*size).min(bytes.len()));
        segments.push(segment);
        bytes = rest;
    }
    segments.push(bytes);
    segments
}

fn chunked(body: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut bytes =
        b"POST /invoke HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n".to_vec();
    for segment in split(body, sizes)
        .into_iter()
        .filter(|segment| !segment.is_empty())
    {
        bytes.extend_from_slice(format!("{:X};x=\"y\"\r\n", segment.len()).as_bytes());
        bytes.extend_from_slice(segment);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    bytes
}

fn sized(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /invoke HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Generates bytes that go deep into the parser: pieces of requests in any order, and noise.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST /invoke HTTP/1.1\r\n",
            "GET / HTTP/1.0\r\n",
            "GET / HTTP/3\r\n",
            "Host: a\r\n",
            "\r\n",
            "\n",
            "\r",
            "Content-Length: 3\r\n",
            "Content-Length: 65\r\n",
            "Transfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n",
            "3;x",
            "0\r\n",
            "0\r\n\r\n",
            "abc",
            "Expect: 100-continue\r\n",
            "Connection: close\r\n",
            " ",
            ":",
            "ffffffffffffffff",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
        (0..300usize).prop_map(|length| vec![b'x'; length]),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_requests_and_refusal(
        bytes in pieces(),
        sizes in proptest::collection::vec(0..20usize, 0..60),
    ) {
        let whole = read_all([bytes.as_slice()], &small());
        prop_assert_eq!(&read_all(split(&bytes, &sizes), &small()), &whole);
        prop_assert_eq!(&read_all(bytes.chunks(1), &small()), &whole);
    }

    #[test]
    fn any_bytes_are_read_without_panic_in_bounded_memory(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read_all(bytes.chunks(7), &small());
    }

    #[test]
    fn requests_are_read_as_they_were_written(
        bodies in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..=64), any::<bool>()), 0..5),
        sizes in proptest::collection::vec(1..20usize, 0..60),
    ) {
        let encode = |(body, is_chunked): &(Vec<u8>, bool)| if *is_chunked { chunked(body, &sizes) } else { sized(body) };
        let bytes = bodies.iter().map(encode).collect::<Vec<_>>().concat();
        let (requests, end) = read_all(split(&bytes, &sizes), &small());
        prop_assert_eq!(end, End::Between);
        prop_assert!(requests.iter().map(|request| &request.body).eq(bodies.iter().map(|(body, _)| body)));
        prop_assert!(requests.iter().all(|request| request.head.path() == "/invoke" && request.head.keep_alive));
    }
}

#[test]
fn when_the_body_is_too_large_the_head_is_refused() {
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 65\r\n\r\n";
    assert_eq!(
        read_all([head.as_slice()], &small()),
        (vec![], End::Refused(RequestError::BodyTooLarge))
    );
}

#[test]
fn a_head_may_be_as_long_as_its_limit_and_no_longer() {
    let head = |length: usize| {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
        frame.replace("X: ", &format!("X: {}", "x".repeat(length - frame.len())))
    };
    assert_eq!(read_all([head(200).as_bytes()], &small()).0.len(), 1);
    assert_eq!(
        read_all([head(201).as_bytes()], &small()),
        (vec![], End::Refused(RequestError::HeadTooLarge))
    );
}

#[test]
fn too_many_headers_are_a_head_too_large() {
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "a: b\r\n".repeat(200)
    );
    assert_eq!(
        read_all([head.as_bytes()], &Limits::default()),
        (vec![], End::Refused(RequestError::HeadTooLarge))
    );
}

#[test]
fn empty_lines_between_requests_do_not_begin_one() {
    let bytes = [
        sized(b"a"),
        b"\r\n\r\n\n".to_vec(),
        sized(b"b"),
        b"\r\n".to_vec(),
    ]
    .concat();
    let (requests, end) = read_all(bytes.chunks(1), &small());
    assert_eq!((requests.len(), end), (2, End::Between));
}

#[test]
fn a_half_empty_line_does_not_begin_a_request() {
    let mut reader = RequestReader::new(&b"\r"[..], &small());
    assert!(!reader.source.fill_buf().unwrap().is_empty());
    assert!(!reader.has_begun());
    assert!(reader.read_request().unwrap().is_none());
}

#[test]
fn a_lone_carriage_return_before_a_request_is_refused() {
    for bytes in [b"\rGET / HTTP/1.1\r\n".as_slice(), b"\r\r\n", b"\r\n\rG"] {
        let (requests, end) = read_all(bytes.chunks(1), &small());
        assert_eq!((requests, end), (vec![], End::Refused(head::NOT_HTTP)));
    }
}

#[test]
fn a_refusal_is_repeated_on_every_further_call() {
    let bytes = [
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".as_slice(),
        &sized(b"a"),
    ]
    .concat();
    let mut reader = RequestReader::new(bytes.as_slice(), &small());
    for _ in 0..2 {
        let error = reader.read_request().unwrap_err();
        assert!(
            matches!(error, ReadError::Refused(RequestError::Malformed(_))),
            "{error:?}"
        );
    }
}

#[test]
fn a_large_body_takes_exactly_its_length_and_no_large_buffer() {
    let bytes = sized(&vec![b'x'; 1_000_000]);
    let mut reader = RequestReader::new(bytes.as_slice(), &Limits::default());
    let body = reader.read_request().unwrap().unwrap().body;
    assert_eq!((body.len(), body.capacity()), (1_000_000, 1_000_000));
    assert_eq!(reader.source.capacity(), BUFFER_SIZE);
}

#[test]
fn a_small_request_is_read_in_one_read() {
    struct Counted(Vec<u8>, usize);
    impl Read for Counted {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            let size = self.0.as_slice().read(target)?;
            self.0.drain(..size);
            Ok(size)
        }
    }
    for bytes in [
        sized(&[b'x'; 3_000]),
        chunked(&[b'x'; 3_000], &[1_000, 1_000]),
    ] {
        let mut reader = RequestReader::new(Counted(bytes, 0), &Limits::default());
        assert_eq!(reader.read_request().unwrap().unwrap().body.len(), 3_000);
        assert_eq!(reader.source.get_ref().1, 1);
    }
}
