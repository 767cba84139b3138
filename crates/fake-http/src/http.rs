//! A small HTTP/1.1 server side for stand-ins and for the playground's page.

use std::io::{self, Read, Write};

/// In bytes.
const MAX_BODY: usize = 16 << 20;

/// In bytes.
const MAX_HEAD: usize = 64 << 10;

/// A request that was received whole.
#[derive(Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    /// Names and values in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The body; of a chunked one, the content of its chunks.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the query, not decoded; empty if there is none.
    pub fn query_string(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Returns the first value of a query parameter, not decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_string()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }

    /// Returns the first header of this name, ignoring letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads the next request. Returns `None` if the peer closed the connection before one.
/// `left` keeps bytes of the following request between calls.
///
/// # Errors
/// If the connection breaks, or the request is malformed or too long.
pub fn read(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        let malformed = |_| io::Error::from(io::ErrorKind::InvalidData);
        if let httparse::Status::Complete(length) = head.parse(left).map_err(malformed)? {
            let mut request = Request {
                method: head.method.unwrap_or_default().to_owned(),
                target: head.path.unwrap_or_default().to_owned(),
                headers: head
                    .headers
                    .iter()
                    .map(|h| {
                        (
                            h.name.to_owned(),
                            String::from_utf8_lossy(h.value).into_owned(),
                        )
                    })
                    .collect(),
                body: Vec::new(),
            };
            left.drain(..length);
            request.body = read_body(stream, left, &request)?;
            return Ok(Some(request));
        }
        if left.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if !read_more(stream, left)? {
            return if left.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

fn read_body(stream: &mut impl Read, left: &mut Vec<u8>, request: &Request) -> io::Result<Vec<u8>> {
    if request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        let mut body = Vec::new();
        loop {
            let line = read_line(stream, left)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            let mut chunk = read_exactly(stream, left, size)?;
            body.append(&mut chunk);
            if size == 0 {
                // Skip the trailers up to the empty line.
                while !read_line(stream, left)?.is_empty() {}
                return Ok(body);
            }
            // The line break after the chunk.
            read_line(stream, left)?;
        }
    }
    let length = request
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    read_exactly(stream, left, length)
}

fn read_line(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = left.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = left.drain(..end + 2).take(end).collect();
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        if !read_more(stream, left)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn read_exactly(stream: &mut impl Read, left: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    while left.len() < length {
        if !read_more(stream, left)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(left.drain(..length).collect())
}

/// Reads once. Returns false at the end of the stream.
fn read_more(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let count = stream.read(&mut buffer)?;
    left.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(count > 0)
}

/// Decodes a form value once: `%XX`, and `+` as a space. Other bytes stay unchanged.
pub fn decode_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a whole response.
///
/// # Errors
/// If the connection breaks.
pub fn write(
    stream: &mut impl Write,
    status: u16,
    content_type: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    stream.write_all(&encode(status, content_type, headers, body))?;
    stream.flush()
}

/// Returns the bytes of a whole response.
pub fn encode(
    status: u16,
    content_type: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
        if status == 200 { "OK" } else { "Status" },
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_value_is_decoded_once() {
        assert_eq!(decode_once("a%2Bb+c%253D%zz%"), "a+b c%3D%zz%");
    }
}
