//! As much of HTTP/1.1 as the stand-in needs, and whoever shows it on a page.

use std::io::{self, Read, Write};

/// Most bytes of a request that are taken.
const MAX_REQUEST: usize = 16 << 20;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 64 << 10;

/// One request.
#[derive(Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// Names and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body; a chunked one is put together.
    pub body: Vec<u8>,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query_string(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first value of a parameter, as it came.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_string()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }

    /// The first header of this name, in whatever letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads the next request; `None` where the peer is done. `left` keeps what was read too far.
///
/// # Errors
/// If the connection breaks, or brings what is no request or too long a one.
pub fn read(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        let bad = |_| io::Error::from(io::ErrorKind::InvalidData);
        if let httparse::Status::Complete(length) = head.parse(left).map_err(bad)? {
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
            request.body = body(stream, left, &request)?;
            return Ok(Some(request));
        }
        if left.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if !more(stream, left)? {
            return if left.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

fn body(stream: &mut impl Read, left: &mut Vec<u8>, request: &Request) -> io::Result<Vec<u8>> {
    if request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        let mut body = Vec::new();
        loop {
            let line = line(stream, left)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            let mut chunk = exactly(stream, left, size)?;
            body.append(&mut chunk);
            if size == 0 {
                while !self::line(stream, left)?.is_empty() {}
                return Ok(body);
            }
            self::line(stream, left)?;
        }
    }
    let length = request
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    exactly(stream, left, length)
}

fn line(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = left.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = left.drain(..end + 2).take(end).collect();
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        if !more(stream, left)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn exactly(stream: &mut impl Read, left: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    if length > MAX_REQUEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    while left.len() < length {
        if !more(stream, left)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(left.drain(..length).collect())
}

fn more(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let count = stream.read(&mut buffer)?;
    left.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(count > 0)
}

/// Writes a whole answer.
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

pub(crate) fn encode(
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
