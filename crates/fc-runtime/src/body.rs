//! Request bodies: of announced length, and chunked (RFC 9112, section 7.1).

use crate::error::{ReadError, RequestError};
use httparse::{EMPTY_HEADER, Status};
use std::io::{BufRead, ErrorKind, Read};

/// Longest line with a chunk's size in bytes, with extensions and CRLF. Extensions are ignored.
const MAX_SIZE_LINE: usize = 4096;

/// Reads a body of `length` bytes into memory that is reserved at once: growing would take twice
/// it.
pub(crate) fn read_sized(source: &mut impl BufRead, length: usize) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::with_capacity(length);
    append(source, length, &mut body)?;
    Ok(body)
}

/// Reads a chunked body of at most `max_body` bytes, with trailers of at most `max_trailer` bytes.
///
/// Calls `before_growth` with the body's next size before the body grows to it. Trailers are
/// checked and dropped.
pub(crate) fn read_chunked(
    source: &mut impl BufRead,
    max_body: usize,
    max_trailer: usize,
    mut before_growth: impl FnMut(usize) -> Result<(), RequestError>,
) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    loop {
        let too_long = RequestError::Malformed("a chunk's size line is too long");
        let size = chunk_size(&read_line(source, MAX_SIZE_LINE, too_long)?)?;
        if size == 0 {
            break;
        }
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size <= max_body - body.len())
            .ok_or(RequestError::BodyTooLarge)?;
        before_growth(body.len() + size)?;
        append(source, size, &mut body)?;
        let mut end = [0; 2];
        source.read_exact(&mut end)?;
        if end != *b"\r\n" {
            return Err(RequestError::Malformed("a chunk is longer than its size").into());
        }
    }
    read_trailers(source, max_trailer)?;
    Ok(body)
}

/// Reads a line that ends in CRLF and returns it with the CRLF. `max` counts the CRLF.
fn read_line(
    source: &mut impl BufRead,
    max: usize,
    too_long: RequestError,
) -> Result<Vec<u8>, ReadError> {
    let mut line = Vec::new();
    source.take(max as u64).read_until(b'\n', &mut line)?;
    match line.as_slice() {
        [.., b'\r', b'\n'] => Ok(line),
        [.., b'\n'] => {
            let fault = "a line of the chunked body ends in a bare line feed";
            Err(RequestError::Malformed(fault).into())
        }
        _ if line.len() == max => Err(too_long.into()),
        _ => Err(ReadError::Io(ErrorKind::UnexpectedEof.into())),
    }
}

/// Appends the next `length` bytes to `body`.
fn append(source: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> Result<(), ReadError> {
    let read = source.take(length as u64).read_to_end(body)?;
    if read < length {
        return Err(ReadError::Io(ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

fn read_trailers(source: &mut impl BufRead, max: usize) -> Result<(), ReadError> {
    let mut left = max;
    loop {
        let mut line = read_line(source, left, RequestError::HeadTooLarge)?;
        if line == b"\r\n" {
            return Ok(());
        }
        left -= line.len();
        // The empty line makes one field a whole trailer section.
        line.extend_from_slice(b"\r\n");
        match httparse::parse_headers(&line, &mut [EMPTY_HEADER]) {
            Ok(Status::Complete(_)) => {}
            _ => return Err(RequestError::Malformed("a trailer field is malformed").into()),
        }
    }
}

/// Parses the line in front of a chunk: a hexadecimal number and, after a semicolon, extensions.
fn chunk_size(line: &[u8]) -> Result<u64, RequestError> {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    // httparse takes a line without digits for 0, and control characters in extensions.
    let is_plain = line[0].is_ascii_hexdigit() && !line[..line.len() - 2].iter().any(is_control);
    match httparse::parse_chunk_size(line) {
        Ok(Status::Complete((_, size))) if is_plain => Ok(size),
        _ => Err(RequestError::Malformed(
            "a chunk's size is not a hexadecimal number",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body and the bytes after it.
    type BodyAndRest = (Vec<u8>, Vec<u8>);

    /// Reads a chunked body. Returns `None` if the input ends before it.
    fn read(mut input: &[u8]) -> Result<Option<BodyAndRest>, RequestError> {
        match read_chunked(&mut input, 100, 64, |_| Ok(())) {
            Ok(body) => Ok(Some((body, input.to_vec()))),
            Err(ReadError::Refused(error)) => Err(error),
            Err(ReadError::Io(error)) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                Ok(None)
            }
        }
    }

    #[test]
    fn chunks_make_one_body_and_the_bytes_after_it_stay() {
        let input =
            b"3\r\nabc\r\n00a ;name=\"value\"\r\n0123456789\r\n0;last\r\nChecksum: 1\r\n\r\nPOST";
        let (body, rest) = read(input).unwrap().unwrap();
        assert_eq!(body, b"abc0123456789");
        assert_eq!(rest, b"POST");
    }

    #[test]
    fn an_empty_body_is_one_last_chunk() {
        assert_eq!(read(b"0\r\n\r\n"), Ok(Some((Vec::new(), Vec::new()))));
        assert_eq!(read(b"0\r\n\r"), Ok(None));
    }

    #[test]
    fn malformed_chunks_are_refused() {
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
            b"1\r\r\na\r\n",
            b"1\r;a\r\n",
            b"00000000000000001\r\na\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"0\r\nno field\r\n\r\n",
            b"0\r\n folded: x\r\n\r\n",
            b"0\r\n: x\r\n\r\n",
            b"0\r\nname : x\r\n\r\n",
            b"0\r\nname: a\rb\r\n\r\n",
            b"0\r\nname: a\0\r\n\r\n",
            b"0\r\nname: a\x7f\r\n\r\n",
        ] {
            assert!(
                matches!(read(input), Err(RequestError::Malformed(_))),
                "{:?}",
                String::from_utf8_lossy(input)
            );
        }
    }

    #[test]
    fn when_a_chunk_exceeds_the_limit_its_size_line_is_refused() {
        assert_eq!(read(b"65\r\n"), Err(RequestError::BodyTooLarge));
        assert_eq!(
            read(b"ffffffffffffffff\r\n"),
            Err(RequestError::BodyTooLarge)
        );
        let two = [b"60\r\n", vec![b'x'; 0x60].as_slice(), b"\r\n5\r\n"].concat();
        assert_eq!(read(&two), Err(RequestError::BodyTooLarge));
    }

    #[test]
    fn size_lines_and_trailers_are_bounded() {
        assert!(matches!(
            read(&[b"1;", vec![b'x'; MAX_SIZE_LINE].as_slice()].concat()),
            Err(RequestError::Malformed(_))
        ));
        assert_eq!(
            read(&[b"0\r\n", vec![b'x'; 64].as_slice()].concat()),
            Err(RequestError::HeadTooLarge)
        );
        assert_eq!(
            read(&[b"0\r\n", b"a: b\r\n".repeat(20).as_slice()].concat()),
            Err(RequestError::HeadTooLarge)
        );
    }

    #[test]
    fn growth_is_announced_before_the_chunk_is_read() {
        let mut sizes = Vec::new();
        let mut input = &b"3\r\nabc\r\n5\r\n"[..];
        let result = read_chunked(&mut input, 100, 64, |size| {
            sizes.push(size);
            if size > 3 {
                return Err(RequestError::Busy);
            }
            Ok(())
        });
        assert!(matches!(
            result,
            Err(ReadError::Refused(RequestError::Busy))
        ));
        assert_eq!(sizes, [3, 8]);
    }

    #[test]
    fn a_sized_body_leaves_the_bytes_after_it() {
        let mut input = &b"abcPOST"[..];
        assert_eq!(read_sized(&mut input, 3).unwrap(), b"abc");
        assert_eq!(input, b"POST");
        assert!(matches!(read_sized(&mut input, 5), Err(ReadError::Io(_))));
    }
}
