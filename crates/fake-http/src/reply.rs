//! Responses, and the ways in which a server can fail to send one.

use crate::http;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A response, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Headers beside `Content-Type` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// How a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// With a response.
    Whole(Response),
    /// With a response of which one byte is sent at a time, and this time between two bytes.
    Drip(Response, Duration),
    /// With a response that ends in the middle of its body: the connection closes.
    Half(Response),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Leaves the connection open.
    Never,
}

impl Response {
    /// Returns a response without further headers.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Returns a response of this JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response::new(status, "application/json", body)
    }

    /// Returns a page or a text that browsers take for a page.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response::new(status, "text/html", body)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn encode(&self) -> Vec<u8> {
        http::encode(self.status, self.content_type, &self.headers, &self.body)
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply::Whole(response)
    }
}

impl Reply {
    /// Answers on a connection. Returns false if the connection must end. `goes_on` waits, and
    /// returns false once the server stops.
    pub(crate) fn write(
        self,
        stream: &mut impl Write,
        socket: &TcpStream,
        goes_on: impl Fn(Duration) -> bool,
    ) -> io::Result<bool> {
        match self {
            Reply::Whole(response) => {
                stream.write_all(&response.encode())?;
                stream.flush()?;
                let is_last = response.headers.iter().any(|(name, value)| {
                    name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
                });
                Ok(!is_last)
            }
            Reply::Drip(response, interval) => {
                for byte in response.encode() {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    if !goes_on(interval) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Reply::Half(response) => {
                let bytes = response.encode();
                let kept = bytes.len() - response.body.len().div_ceil(2);
                stream.write_all(bytes.get(..kept).unwrap_or_default())?;
                stream.flush()?;
                Ok(false)
            }
            Reply::Close => Ok(false),
            Reply::Reset => reset(socket).map(|()| false),
            Reply::Never => {
                goes_on(Duration::MAX);
                Ok(false)
            }
        }
    }
}

/// Makes the connection end with a reset when its last handle is dropped.
pub(crate) fn reset(socket: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Closes the connection in order: reads what the peer sent, because unread bytes cause a reset.
pub(crate) fn close(socket: &TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let _ = io::copy(&mut socket.take(1 << 20), &mut io::sink());
    Ok(())
}
