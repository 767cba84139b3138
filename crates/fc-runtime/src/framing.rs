//! HTTP/1.x framing without sockets: bytes in, requests out.
//!
//! Strict where leniency is dangerous, bounded in memory, and indifferent to how the bytes are cut: any split of the
//! same bytes gives the same requests and, where there is one, the same refusal.

use super::Limits;
use super::chunked::Chunked;
pub use super::head::Head;
use super::head::{self, BodyLength};

/// Buffers greater than this are given back after use, so that one large event does not occupy memory for ever.
const KEPT_CAPACITY: usize = 64 * 1024;

/// A whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its head.
    pub head: Head,
    /// Its body, freed of any transfer coding.
    pub body: Vec<u8>,
}

/// Why a request cannot be served. The connection cannot be used any further: where the next request would begin is
/// not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// Not HTTP, or not unambiguously so; the text says what.
    Malformed(&'static str),
    /// The head (or the trailer section) is over its limit.
    HeadTooLarge,
    /// The body is, or is announced to be, over its limit.
    BodyTooLarge,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version,
    /// There was no memory for so large a body, because others hold it. (Never the decoder's word.)
    Busy,
    /// The request did not arrive in time. (Never the decoder's word: it knows no time.)
    Timeout,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing new: feed more.
    NeedMore,
    /// The peer waits for `100 Continue` before it sends the body.
    Continue,
    /// A whole request.
    Request(Request),
}

/// Where in a request the bytes so far have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Between two requests: no byte of the next one is there.
    Between,
    /// Within a head.
    Head,
    /// Within a body.
    Body,
}

/// Turns bytes into requests: [`feed`](Decoder::feed) bytes, then call [`step`](Decoder::step) until it needs more.
#[derive(Debug)]
pub struct Decoder {
    max_head: usize,
    max_body: usize,
    /// Bytes that came in; those before `start` are done with.
    pending: Vec<u8>,
    start: usize,
    /// How many bytes from `start` have been searched for line ends, so that a slow head is not read again at each byte.
    searched: usize,
    state: State,
    /// An empty body to use again.
    spare: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Head,
    Body {
        head: Head,
        rest: Rest,
        body: Vec<u8>,
    },
    Rejected(Reject),
}

/// What is still to come of a body.
#[derive(Debug)]
enum Rest {
    Bytes(usize),
    Chunked(Chunked),
}

impl Decoder {
    /// A decoder at the start of a connection, with the limits on head and body.
    pub fn new(limits: &Limits) -> Decoder {
        Decoder {
            max_head: limits.max_head,
            max_body: limits.max_body,
            pending: Vec::new(),
            start: 0,
            searched: 0,
            state: State::Head,
            spare: Vec::new(),
        }
    }

    /// Takes bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Goes one step on.
    ///
    /// # Errors
    ///
    /// [`Reject`] when the bytes are no acceptable request; every further step says the same.
    pub fn step(&mut self) -> Result<Step, Reject> {
        let step = self.advance();
        match &step {
            Ok(Step::NeedMore) => self.compact(),
            Err(reject) => {
                self.state = State::Rejected(*reject);
                self.pending.clear();
                self.start = 0;
            }
            Ok(_) => {}
        }
        step
    }

    /// Where the bytes have come to, after a step that needs more.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Head if self.unread().is_empty() => Phase::Between,
            State::Head => Phase::Head,
            State::Body { .. } | State::Rejected(_) => Phase::Body,
        }
    }

    /// Bytes of the present request's body: announced, or so far where the end is not known.
    pub(super) fn body_size(&self) -> usize {
        match &self.state {
            State::Body {
                rest: Rest::Bytes(left),
                body,
                ..
            } => body.len() + left,
            State::Body { body, .. } => body.len() + self.unread().len(),
            State::Head | State::Rejected(_) => 0,
        }
    }

    /// The head of the request whose body is under way, and whether it tells the body's length.
    pub(super) fn head(&self) -> Option<(&Head, bool)> {
        match &self.state {
            State::Body { head, rest, .. } => Some((head, matches!(rest, Rest::Bytes(_)))),
            State::Head | State::Rejected(_) => None,
        }
    }

    /// Makes room for the whole of a body of which the length is told: to grow into it would take twice as much.
    pub(super) fn reserve_body(&mut self) {
        if let State::Body {
            rest: Rest::Bytes(left),
            body,
            ..
        } = &mut self.state
        {
            body.reserve_exact(*left);
        }
    }

    /// Takes back the body of a request that is done, to use its memory again.
    pub fn recycle(&mut self, mut body: Vec<u8>) {
        if body.capacity() <= KEPT_CAPACITY {
            body.clear();
            self.spare = body;
        }
    }

    fn unread(&self) -> &[u8] {
        self.pending.get(self.start..).unwrap_or_default()
    }

    fn advance(&mut self) -> Result<Step, Reject> {
        if let State::Rejected(reject) = self.state {
            return Err(reject);
        }
        if matches!(self.state, State::Head) {
            let Some((head, length)) = self.take_head()? else {
                return Ok(Step::NeedMore);
            };
            let awaited =
                head.expects_continue && length != BodyLength::Bytes(0) && self.unread().is_empty();
            let rest = match length {
                BodyLength::Bytes(bytes) => Rest::Bytes(bytes),
                BodyLength::Chunked => Rest::Chunked(Chunked::new()),
            };
            self.state = State::Body {
                head,
                rest,
                body: std::mem::take(&mut self.spare),
            };
            if awaited {
                return Ok(Step::Continue);
            }
        }
        self.take_body()
    }

    fn take_head(&mut self) -> Result<Option<(Head, BodyLength)>, Reject> {
        // Empty lines before a request are to be ignored (RFC 9112, section 2.2). They do not begin one, or the stray
        // CRLF that some clients send after a body would put a time limit on an idle connection.
        while let [b'\r', b'\n', ..] | [b'\n', ..] = self.unread() {
            self.start += if self.unread().starts_with(b"\r") {
                2
            } else {
                1
            };
            self.searched = 0;
        }
        let unread = self.pending.get(self.start..).unwrap_or_default();
        let window = &unread[..unread.len().min(self.max_head)];
        // Only whole lines are looked at, and only when there is a new one. Lines are few: fields are limited in number.
        let new_line = window[self.searched..]
            .iter()
            .rposition(|byte| *byte == b'\n');
        let lines = new_line.map(|at| &window[..=self.searched + at]);
        self.searched = window.len();
        if let Some((head, length, size)) =
            lines.map_or(Ok(None), |lines| head::parse(lines, self.max_body))?
        {
            self.start += size;
            self.searched = 0;
            return Ok(Some((head, length)));
        }
        if unread.len() > self.max_head {
            Err(Reject::HeadTooLarge)
        } else {
            Ok(None)
        }
    }

    fn take_body(&mut self) -> Result<Step, Reject> {
        let State::Body { rest, body, .. } = &mut self.state else {
            return Ok(Step::NeedMore);
        };
        let unread = self.pending.get(self.start..).unwrap_or_default();
        let done = match rest {
            Rest::Bytes(left) => {
                let here = &unread[..unread.len().min(*left)];
                body.extend_from_slice(here);
                self.start += here.len();
                *left -= here.len();
                *left == 0
            }
            Rest::Chunked(chunked) => {
                self.start += chunked.take(unread, body, self.max_body, self.max_head)?;
                chunked.is_done()
            }
        };
        if !done {
            return Ok(Step::NeedMore);
        }
        match std::mem::replace(&mut self.state, State::Head) {
            State::Body { head, body, .. } => Ok(Step::Request(Request { head, body })),
            _ => Ok(Step::NeedMore),
        }
    }

    fn compact(&mut self) {
        self.pending.drain(..self.start);
        self.start = 0;
        if self.pending.capacity() > KEPT_CAPACITY {
            self.pending.shrink_to(KEPT_CAPACITY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> Limits {
        Limits {
            max_head: 200,
            max_body: 64,
            ..Limits::default()
        }
    }

    /// Everything that a decoder makes of `segments`; 100-continue is left out, for it depends on the split by right.
    fn decode<'a>(
        segments: impl IntoIterator<Item = &'a [u8]>,
        limits: &Limits,
    ) -> (Vec<Request>, Result<Phase, Reject>) {
        let mut decoder = Decoder::new(limits);
        let mut requests = Vec::new();
        for segment in segments {
            decoder.feed(segment);
            loop {
                match decoder.step() {
                    Ok(Step::NeedMore) => break,
                    Ok(Step::Continue) => {}
                    Ok(Step::Request(request)) => requests.push(request),
                    Err(reject) => return (requests, Err(reject)),
                }
                assert!(decoder.pending.len() <= limits.max_head + 64 + segment.len());
            }
        }
        (requests, Ok(decoder.phase()))
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

    /// Bytes that go deep into the decoder: pieces of requests in any order, and noise.
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
        fn any_split_gives_the_same_requests_and_the_same_refusal(
            bytes in pieces(),
            sizes in proptest::collection::vec(0..20usize, 0..60),
        ) {
            let whole = decode([bytes.as_slice()], &small());
            prop_assert_eq!(&decode(split(&bytes, &sizes), &small()), &whole);
            prop_assert_eq!(&decode(bytes.chunks(1), &small()), &whole);
        }

        #[test]
        fn any_bytes_are_read_without_panic_in_bounded_memory(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(bytes.chunks(7), &small());
        }

        #[test]
        fn requests_come_out_as_they_were_put_in(
            bodies in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..=64), any::<bool>()), 0..5),
            sizes in proptest::collection::vec(1..20usize, 0..60),
        ) {
            let encode = |(body, is_chunked): &(Vec<u8>, bool)| if *is_chunked { chunked(body, &sizes) } else { sized(body) };
            let bytes = bodies.iter().map(encode).collect::<Vec<_>>().concat();
            let (requests, end) = decode(split(&bytes, &sizes), &small());
            prop_assert_eq!(end, Ok(Phase::Between));
            prop_assert!(requests.iter().map(|request| &request.body).eq(bodies.iter().map(|(body, _)| body)));
            prop_assert!(requests.iter().all(|request| request.head.path() == "/invoke" && request.head.keep_alive));
        }
    }

    #[test]
    fn a_peer_that_expects_it_is_asked_to_go_on_once_and_only_while_it_waits() {
        let head =
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        let mut decoder = Decoder::new(&small());
        decoder.feed(head);
        assert_eq!(decoder.step(), Ok(Step::Continue));
        assert_eq!(decoder.step(), Ok(Step::NeedMore));
        assert_eq!(decoder.phase(), Phase::Body);
        decoder.feed(b"ab");
        assert!(matches!(decoder.step(), Ok(Step::Request(_))));

        decoder.feed(&[head.as_slice(), b"ab"].concat());
        assert!(
            matches!(decoder.step(), Ok(Step::Request(_))),
            "the body is there already"
        );
    }

    #[test]
    fn a_body_over_the_cap_is_refused_at_the_head_without_asking_for_it() {
        let head =
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 65\r\n\r\n";
        assert_eq!(
            decode([head.as_slice()], &small()),
            (vec![], Err(Reject::BodyTooLarge))
        );
    }

    #[test]
    fn a_head_may_be_as_long_as_its_limit_and_no_longer() {
        let head = |length: usize| {
            let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
            frame.replace("X: ", &format!("X: {}", "x".repeat(length - frame.len())))
        };
        assert_eq!(decode([head(200).as_bytes()], &small()).0.len(), 1);
        assert_eq!(
            decode([head(201).as_bytes()], &small()),
            (vec![], Err(Reject::HeadTooLarge))
        );
    }

    #[test]
    fn too_many_fields_are_a_head_too_large() {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "a: b\r\n".repeat(200)
        );
        assert_eq!(
            decode([head.as_bytes()], &Limits::default()),
            (vec![], Err(Reject::HeadTooLarge))
        );
    }

    #[test]
    fn stray_line_ends_between_requests_do_not_begin_one() {
        let bytes = [
            sized(b"a"),
            b"\r\n\r\n\n".to_vec(),
            sized(b"b"),
            b"\r\n".to_vec(),
        ]
        .concat();
        let (requests, end) = decode(bytes.chunks(1), &small());
        assert_eq!((requests.len(), end), (2, Ok(Phase::Between)));
    }

    #[test]
    fn large_buffers_are_given_back() {
        let mut decoder = Decoder::new(&Limits::default());
        decoder.recycle(Vec::with_capacity(KEPT_CAPACITY + 1));
        assert_eq!(decoder.spare.capacity(), 0);
        decoder.recycle(Vec::with_capacity(100));
        assert!(decoder.spare.capacity() >= 100);
        decoder.feed(&sized(&vec![0; 4 * KEPT_CAPACITY]));
        assert!(matches!(decoder.step(), Ok(Step::Request(_))));
        assert_eq!(decoder.step(), Ok(Step::NeedMore));
        assert!(decoder.pending.capacity() <= KEPT_CAPACITY);
    }
}
