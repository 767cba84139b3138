//! Bodies of unknown length: `Transfer-Encoding: chunked` (RFC 9112, section 7.1).

use super::framing::Reject;

/// Bytes of a line that tells a chunk's size, extensions included. Extensions mean nothing here.
const MAX_SIZE_LINE: usize = 4096;

/// Takes chunked bytes as they come. Any split of the bytes gives the same body.
#[derive(Debug)]
pub(super) struct Chunked {
    next: Part,
    trailer_bytes: usize,
}

#[derive(Debug)]
enum Part {
    Size,
    Data(usize),
    DataEnd,
    Trailer,
    Done,
}

impl Chunked {
    pub(super) fn new() -> Chunked {
        Chunked {
            next: Part::Size,
            trailer_bytes: 0,
        }
    }

    /// Whether the body has ended; bytes after it belong to the next request.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.next, Part::Done)
    }

    /// Moves what it can from `input` to `body`; returns how many bytes of `input` it took.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        body: &mut Vec<u8>,
        max_body: usize,
        max_trailer: usize,
    ) -> Result<usize, Reject> {
        let mut taken = 0;
        loop {
            let rest = input.get(taken..).unwrap_or_default();
            match self.next {
                Part::Size => {
                    let Some(line) = line(
                        rest,
                        MAX_SIZE_LINE,
                        Reject::Malformed("a chunk's size line is too long"),
                    )?
                    else {
                        return Ok(taken);
                    };
                    let size = chunk_size(line)?;
                    if size > (max_body - body.len()) as u64 {
                        return Err(Reject::BodyTooLarge);
                    }
                    taken += line.len() + 2;
                    self.next = if size == 0 {
                        Part::Trailer
                    } else {
                        Part::Data(size as usize)
                    };
                }
                Part::Data(left) => {
                    let here = &rest[..left.min(rest.len())];
                    body.extend_from_slice(here);
                    taken += here.len();
                    if here.len() < left {
                        self.next = Part::Data(left - here.len());
                        return Ok(taken);
                    }
                    self.next = Part::DataEnd;
                }
                Part::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        taken += 2;
                        self.next = Part::Size;
                    }
                    [] | [b'\r'] => return Ok(taken),
                    _ => return Err(Reject::Malformed("a chunk is longer than its size")),
                },
                Part::Trailer => {
                    let Some(line) =
                        line(rest, max_trailer - self.trailer_bytes, Reject::HeadTooLarge)?
                    else {
                        return Ok(taken);
                    };
                    taken += line.len() + 2;
                    self.trailer_bytes += line.len() + 2;
                    if line.is_empty() {
                        self.next = Part::Done;
                    } else if !is_field(line) {
                        return Err(Reject::Malformed("a trailer field is malformed"));
                    }
                }
                Part::Done => return Ok(taken),
            }
        }
    }
}

/// The line at the start of `input`, without its CRLF; `None` when it is not whole. `max` counts the CRLF.
fn line(input: &[u8], max: usize, too_long: Reject) -> Result<Option<&[u8]>, Reject> {
    let window = &input[..input.len().min(max)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(at) => match window[..at].strip_suffix(b"\r") {
            Some(line) => Ok(Some(line)),
            None => Err(Reject::Malformed(
                "a line of the chunked body ends in a bare line feed",
            )),
        },
        None if input.len() >= max => Err(too_long),
        None => Ok(None),
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, Reject> {
    let malformed = Err(Reject::Malformed(
        "a chunk's size is not a hexadecimal number",
    ));
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (number, extension) = line.split_at(digits);
    let extension = extension.trim_ascii_start();
    if !extension.is_empty() && !extension.starts_with(b";")
        || extension.iter().any(|byte| is_control(*byte))
    {
        return malformed;
    }
    match u64::from_str_radix(str::from_utf8(number).unwrap_or_default(), 16) {
        Ok(size) if digits <= 16 => Ok(size),
        _ => malformed,
    }
}

fn is_field(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let (name, value) = line.split_at(colon);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_token) && !value.iter().any(|byte| is_control(*byte))
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<(Vec<u8>, usize, bool), Reject> {
        let mut chunked = Chunked::new();
        let mut body = Vec::new();
        let taken = chunked.take(input, &mut body, 100, 64)?;
        Ok((body, taken, chunked.is_done()))
    }

    #[test]
    fn chunks_extensions_and_trailers_make_one_body_and_leave_what_follows() {
        let input =
            b"3\r\nabc\r\n00a ;name=\"value\"\r\n0123456789\r\n0;last\r\nChecksum: 1\r\n\r\nPOST";
        let (body, taken, done) = read(input).unwrap();
        assert_eq!(body, b"abc0123456789");
        assert_eq!((&input[taken..], done), (&b"POST"[..], true));
    }

    #[test]
    fn an_empty_body_is_one_last_chunk() {
        assert_eq!(read(b"0\r\n\r\n").unwrap(), (Vec::new(), 5, true));
        assert_eq!(read(b"0\r\n\r").unwrap(), (Vec::new(), 3, false));
    }

    #[test]
    fn what_is_not_chunked_coding_is_refused() {
        for input in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"+1\r\n",
            b"0x1\r\n",
            b" 1\r\n",
            b"1 1\r\n",
            b"1\n",
            b"1;a\rb\r\n",
            b"00000000000000001\r\na\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"0\r\nno field\r\n\r\n",
            b"0\r\n folded: x\r\n\r\n",
            b"0\r\n: x\r\n\r\n",
        ] {
            assert!(
                matches!(read(input), Err(Reject::Malformed(_))),
                "{:?}",
                String::from_utf8_lossy(input)
            );
        }
    }

    #[test]
    fn a_body_that_grows_over_the_cap_is_refused_by_its_size_line() {
        assert_eq!(read(b"65\r\n"), Err(Reject::BodyTooLarge));
        assert_eq!(read(b"ffffffffffffffff\r\n"), Err(Reject::BodyTooLarge));
        let two = [b"60\r\n", vec![b'x'; 0x60].as_slice(), b"\r\n5\r\n"].concat();
        assert_eq!(read(&two), Err(Reject::BodyTooLarge));
    }

    #[test]
    fn size_lines_and_trailers_are_bounded() {
        assert!(matches!(
            read(&[b"1;", vec![b'x'; MAX_SIZE_LINE].as_slice()].concat()),
            Err(Reject::Malformed(_))
        ));
        assert_eq!(
            read(&[b"0\r\n", vec![b'x'; 64].as_slice()].concat()),
            Err(Reject::HeadTooLarge)
        );
        assert_eq!(
            read(&[b"0\r\n", b"a: b\r\n".repeat(20).as_slice()].concat()),
            Err(Reject::HeadTooLarge)
        );
    }
}
