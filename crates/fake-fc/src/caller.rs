//! A connection to a function, and the responses on it.

use crate::{Call, PATIENCE, Transcript};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to a function. It stays open between calls.
pub struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
    transcript: Transcript,
}

impl Caller {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Caller {
        Caller::recorded(address, Transcript::default())
    }

    /// Connects, and notes in a transcript what is sent and what arrives.
    pub(crate) fn recorded(address: SocketAddr, transcript: Transcript) -> Caller {
        let stream = TcpStream::connect(address).expect("the function listens");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option");
        Caller {
            stream,
            received: Vec::new(),
            transcript,
        }
    }

    /// Sends an event and waits for the response.
    pub fn invoke(&mut self, body: impl AsRef<[u8]>) -> Response {
        self.call(&Call::invoke(body))
    }

    /// Sends a request and waits for the response.
    pub fn call(&mut self, call: &Call) -> Response {
        self.send_call(call);
        self.receive_after(&call.method)
    }

    /// Sends a request and does not wait.
    pub fn send_call(&mut self, call: &Call) {
        self.transcript.send(call);
        let bytes = call.encode();
        for segment in bytes.chunks(call.segment.unwrap_or(bytes.len())) {
            self.send(segment);
        }
    }

    /// Sends raw bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the function reads");
    }

    /// Sends raw bytes until the function closes the connection. Returns how many it took.
    pub fn send_while_taken(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(size) => sent += size,
                Err(_) => break,
            }
        }
        sent
    }

    /// Waits for a response. Returns `None` if the connection ends before its first byte.
    pub fn try_receive(&mut self) -> Option<Response> {
        if self.received.is_empty() && !self.fill() {
            return None;
        }
        Some(self.receive())
    }

    /// Waits for the response to a request that was not a `HEAD`.
    pub fn receive(&mut self) -> Response {
        self.receive_after("POST")
    }

    /// Waits for the response to a request of this method: a response to `HEAD` has no body.
    fn receive_after(&mut self, method: &str) -> Response {
        let head_end = loop {
            if let Some(at) = self
                .received
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            assert!(
                self.fill(),
                "closed without a whole response: {:?}",
                String::from_utf8_lossy(&self.received)
            );
        };
        let head =
            String::from_utf8(self.received.drain(..head_end).collect()).expect("a head is text");
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status line");
        assert!(status_line.starts_with("HTTP/1.1 "), "{status_line}");
        let headers = lines.map(|line| line.split_once(": ").expect("a header line"));
        let headers = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        if status >= 200 && method != "HEAD" {
            let length = response
                .header("content-length")
                .expect("every response has its length");
            let length: usize = length.parse().expect("a number");
            while self.received.len() < length {
                assert!(self.fill(), "closed within a response's body");
            }
            response.body = self.received.drain(..length).collect();
        }
        response
    }

    /// Returns true if bytes or the end of the connection arrive within this time.
    pub fn hears_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("an option");
        let result = self.stream.peek(&mut [0]);
        self.stream
            .set_read_timeout(Some(PATIENCE))
            .expect("an option");
        !matches!(result, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Waits for the function to close the connection. Panics if it sends anything before, or
    /// resets.
    pub fn expect_closed(&mut self) {
        let end = self.stream.read_to_end(&mut self.received);
        assert!(
            matches!(end, Ok(0)) && self.received.is_empty(),
            "{end:?} {:?}",
            String::from_utf8_lossy(&self.received)
        );
    }

    /// Ends the sending side. Responses can still be received.
    pub fn finish_sending(&self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("the connection is open");
    }

    /// Ends the connection by a reset. Needs unread bytes from the function: closing then resets.
    pub fn reset(self) {
        assert!(
            self.stream.peek(&mut [0]).is_ok_and(|size| size == 1),
            "nothing unread"
        );
    }

    /// Reads more bytes. Returns false at the end of the connection, also if it was reset.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(size) => {
                self.received.extend_from_slice(&buffer[..size]);
                self.transcript.receive(&buffer[..size]);
                size > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // A machine that resumes from a suspension interrupts blocking calls.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("no response: {error}"),
        }
    }
}

/// A response, verbatim.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header. The name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Parses the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Returns the body of a success. Panics unless the status and `x-fc-status` are 200.
    pub fn success(&self) -> Value {
        assert_eq!(
            (self.status, self.header("x-fc-status")),
            (200, Some("200")),
            "{self:?}"
        );
        self.json()
    }

    /// Returns the `errorType` of a failure. Panics unless the response has this status and the
    /// form of a failure.
    pub fn failure(&self, status: u16) -> String {
        assert_eq!(
            (self.status, self.header("x-fc-status")),
            (status, Some("404")),
            "{self:?}"
        );
        let body = self.json();
        assert!(
            body["errorMessage"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{body}"
        );
        assert!(body["stackTrace"].is_array(), "{body}");
        body["errorType"].as_str().expect("an errorType").to_owned()
    }

    /// Returns true if the response announces the end of the connection.
    pub fn closes(&self) -> bool {
        self.header("connection") == Some("close")
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:?} {}",
            self.status,
            self.headers,
            String::from_utf8_lossy(&self.body)
        )
    }
}
