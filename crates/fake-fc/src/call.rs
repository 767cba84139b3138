//! A request, before it is sent.

use std::fmt::Write as _;

/// The headers that bring the identity of the function's role.
const IDENTITY: [&str; 3] = [
    "x-fc-access-key-id",
    "x-fc-access-key-secret",
    "x-fc-security-token",
];

/// A request as the platform makes it, and variations of it.
#[derive(Clone)]
pub struct Call {
    pub(crate) method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: Option<usize>,
    /// Bytes of a TCP segment; `None` for all in one.
    pub(crate) segment: Option<usize>,
}

impl Call {
    /// Creates a request without a body.
    pub fn new(method: &str, target: &str) -> Call {
        let headers = [
            ("Host", "127.0.0.1:9000"),
            ("User-Agent", "Go-http-client/1.1"),
            ("Accept-Encoding", "gzip"),
        ];
        Call {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: Vec::new(),
            chunk: None,
            segment: None,
        }
    }

    /// Creates a `POST /invoke` with an event.
    pub fn invoke(body: impl AsRef<[u8]>) -> Call {
        Call::new("POST", "/invoke")
            .header("Content-Type", "application/octet-stream")
            .body(body)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Call {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sets the request's id.
    pub fn request_id(self, id: &str) -> Call {
        self.header("x-fc-request-id", id)
    }

    /// Sets the function's time limit, in seconds.
    pub fn timeout(self, seconds: &str) -> Call {
        self.header("x-fc-function-timeout", seconds)
    }

    /// Adds the temporary identity of the function's role.
    pub fn identity(mut self, id: &str, secret: &str, token: &str) -> Call {
        for (name, value) in IDENTITY.into_iter().zip([id, secret, token]) {
            self = self.header(name, value);
        }
        self
    }

    /// Returns the parts of the identity that the request brings.
    pub(crate) fn identity_parts(&self) -> impl Iterator<Item = &str> {
        let is_part = |name: &str| IDENTITY.iter().any(|part| part.eq_ignore_ascii_case(name));
        let parts = self.headers.iter().filter(move |(name, _)| is_part(name));
        parts.map(|(_, value)| value.as_str())
    }

    /// Adds the platform's headers with empty values, as local emulators do.
    pub fn empty_headers(mut self) -> Call {
        let names = "request-id function-name function-timeout function-memory region account-id qualifier \
                     retry-count control-path access-key-id access-key-secret security-token service-name";
        for name in names.split_whitespace() {
            self = self.header(&format!("x-fc-{name}"), "");
        }
        self
    }

    /// Encodes the body in chunks of this many bytes, each with an extension, and adds a trailer.
    pub fn chunked(mut self, size: usize) -> Call {
        self.chunk = Some(size);
        self
    }

    /// Sends head and body in TCP segments of this many bytes.
    pub fn fragmented(mut self, size: usize) -> Call {
        self.segment = Some(size);
        self
    }

    /// Returns the bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let Some(size) = self.chunk else {
            if !self.body.is_empty() || self.method == "POST" {
                let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
            }
            return [head.as_bytes(), b"\r\n", &self.body].concat();
        };
        let mut bytes = [head.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\n"].concat();
        for chunk in self.body.chunks(size) {
            bytes.extend_from_slice(format!("{:x};name=value\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\nx-checksum: none\r\n\r\n");
        bytes
    }
}
