//! The head of a request, and the length of the body that follows it.

use crate::error::RequestError;

/// Most headers of one request. The platform sends about thirty.
const MAX_HEADERS: usize = 100;

/// Headers with credentials of the function's role. They are dropped, so they cannot leak.
const CREDENTIALS: [&str; 3] = [
    "x-fc-access-key-id",
    "x-fc-access-key-secret",
    "x-fc-security-token",
];

/// The parts of a request's head that this runtime uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, verbatim: `POST`.
    pub method: String,
    /// The request target, verbatim: `/invoke`, `/invoke?x`, `http://host/invoke`.
    pub target: String,
    /// True if the peer wants the connection to stay open.
    pub keep_alive: bool,
    /// True if the peer waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Names and values of the `x-fc-*` headers, without empty ones and without credentials.
    pub headers: Vec<(String, String)>,
}

impl RequestHead {
    /// Returns the value of an `x-fc-*` header; of several, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the target's path, without scheme, host and query.
    pub fn path(&self) -> &str {
        let target = match self.target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => {
                rest.find('/').map_or("/", |at| &rest[at..])
            }
            _ => &self.target,
        };
        target.split(['?', '#']).next().unwrap_or_default()
    }
}

/// How a request announces the end of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// `Content-Length`, or 0 if there is no header about the body.
    Bytes(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Parses the head at the start of `bytes`. Returns it, the length of its body and the number of
/// bytes that the head takes; `None` if the head is not complete.
pub(crate) fn parse(
    bytes: &[u8],
    max_body: usize,
) -> Result<Option<(RequestHead, BodyLength, usize)>, RequestError> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut slots);
    let size = match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(RequestError::HeadTooLarge),
        Err(httparse::Error::Version) if names_a_version(bytes) => {
            return Err(RequestError::Version);
        }
        Err(_) => {
            return Err(RequestError::Malformed(
                "the request's head is not well-formed HTTP",
            ));
        }
    };
    let mut headers = Headers::default();
    for header in request.headers.iter() {
        headers.take(header.name, header.value)?;
    }
    let http_1_1 = request.version == Some(1);
    if http_1_1 && headers.hosts != 1 {
        return Err(RequestError::Malformed(
            "an HTTP/1.1 request needs exactly one Host field",
        ));
    }
    let length = headers.body_length(http_1_1, max_body)?;
    let head = RequestHead {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        keep_alive: !headers.close && (http_1_1 || headers.keep_alive),
        expects_continue: http_1_1 && headers.expects_continue()?,
        headers: headers.kept,
    };
    Ok(Some((head, length, size)))
}

/// Returns true if the first line ends in some version of HTTP, be it an unsupported one.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let word = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    word.starts_with(b"HTTP/")
}

/// The headers that matter, collected one by one.
#[derive(Default)]
struct Headers {
    hosts: usize,
    content_length: Option<Vec<u8>>,
    transfer_encoding: Option<Vec<u8>>,
    expect: Option<Vec<u8>>,
    close: bool,
    keep_alive: bool,
    kept: Vec<(String, String)>,
}

impl Headers {
    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), RequestError> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.hosts += 1;
        } else if is("content-length") {
            if self.content_length.replace(value.to_vec()).is_some() {
                return Err(RequestError::Malformed("more than one Content-Length"));
            }
        } else if is("transfer-encoding") {
            if self.transfer_encoding.replace(value.to_vec()).is_some() {
                return Err(RequestError::Malformed("more than one Transfer-Encoding"));
            }
        } else if is("expect") {
            self.expect = Some(value.to_vec());
        } else if is("connection") {
            for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if name
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("x-fc-"))
            && !value.is_empty()
            && !CREDENTIALS.iter().any(|secret| is(secret))
        {
            self.kept
                .push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
        }
        Ok(())
    }

    /// Returns how the body's end is announced. Refuses every ambiguity: a proxy that finds another
    /// end in it would see other requests than this server (request smuggling).
    fn body_length(&self, http_1_1: bool, max_body: usize) -> Result<BodyLength, RequestError> {
        let length = match (&self.content_length, &self.transfer_encoding) {
            (Some(_), Some(_)) => {
                return Err(RequestError::Malformed(
                    "both Content-Length and Transfer-Encoding",
                ));
            }
            (None, Some(coding)) if http_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
                return Ok(BodyLength::Chunked);
            }
            (None, Some(_)) => {
                return Err(RequestError::Malformed(
                    "a Transfer-Encoding other than chunked",
                ));
            }
            (None, None) => return Ok(BodyLength::Bytes(0)),
            (Some(length), None) => length,
        };
        if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(RequestError::Malformed("Content-Length is not a number"));
        }
        let digits = str::from_utf8(length).expect("digits are ASCII");
        // A number that overflows exceeds the limit too.
        match digits.parse::<usize>() {
            Ok(bytes) if bytes <= max_body => Ok(BodyLength::Bytes(bytes)),
            _ => Err(RequestError::BodyTooLarge),
        }
    }

    fn expects_continue(&self) -> Result<bool, RequestError> {
        match &self.expect {
            None => Ok(false),
            Some(expectation) if expectation.eq_ignore_ascii_case(b"100-continue") => Ok(true),
            Some(_) => Err(RequestError::Expectation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(RequestHead, BodyLength), RequestError> {
        let (head, length, size) = parse(text.as_bytes(), 100)?.expect("a whole head");
        assert_eq!(size, text.len());
        Ok((head, length))
    }

    fn path(target: &str) -> String {
        RequestHead {
            target: target.to_owned(),
            ..RequestHead::default()
        }
        .path()
        .to_owned()
    }

    #[test]
    fn path_is_the_target_without_scheme_host_and_query() {
        assert_eq!(path("/invoke"), "/invoke");
        assert_eq!(path("/invoke?to=http://x/y"), "/invoke");
        assert_eq!(path("http://127.0.0.1:9000/invoke?a=/b"), "/invoke");
        assert_eq!(path("http://host"), "/");
        assert_eq!(path("*"), "*");
        assert_eq!(path("/a://b"), "/a://b");
    }

    #[test]
    fn credentials_and_other_headers_are_not_kept() {
        let (head, _) = read(
            "POST /invoke HTTP/1.1\r\nhost:\r\nX-FC-Access-Key-Id: a\r\nx-fc-access-key-secret: b\r\n\
             X-Fc-Security-Token: c\r\nAuthorization: d\r\nX-Fc-Request-Id: 1\r\nx-fc-qualifier:\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            head.headers,
            [("X-Fc-Request-Id".to_owned(), "1".to_owned())]
        );
        assert_eq!(head.header("x-fc-request-id"), Some("1"));
    }

    #[test]
    fn when_the_end_of_the_body_is_ambiguous_the_head_is_refused() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Content-Length : 5\r\n",
            "X: a\r\n b\r\n",
            "no colon\r\n",
            "Host: again\r\n",
        ] {
            let result = read(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
            assert!(
                matches!(result, Err(RequestError::Malformed(_))),
                "{fields:?}: {result:?}"
            );
        }
        let old = read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(matches!(old, Err(RequestError::Malformed(_))), "{old:?}");
    }

    #[test]
    fn when_the_length_exceeds_the_limit_the_head_is_refused() {
        for (length, expected) in [
            ("100", Ok(BodyLength::Bytes(100))),
            ("101", Err(RequestError::BodyTooLarge)),
            ("99999999999999999999999", Err(RequestError::BodyTooLarge)),
        ] {
            let result = read(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
            ));
            assert_eq!(result.map(|(_, length)| length), expected);
        }
    }

    #[test]
    fn version_and_connection_header_decide_about_keep_alive() {
        let keeps = |version, fields| {
            read(&format!("GET / {version}\r\nHost: x\r\n{fields}\r\n"))
                .unwrap()
                .0
                .keep_alive
        };
        assert!(keeps("HTTP/1.1", ""));
        assert!(!keeps("HTTP/1.1", "Connection: Close\r\n"));
        assert!(!keeps("HTTP/1.1", "Connection: keep-alive, close\r\n"));
        assert!(!keeps("HTTP/1.0", ""));
        assert!(keeps("HTTP/1.0", "connection: Keep-Alive\r\n"));
    }

    #[test]
    fn versions_expectations_and_hosts_are_checked() {
        assert_eq!(
            read("GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
            Err(RequestError::Version)
        );
        assert_eq!(
            read("GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n"),
            Err(RequestError::Expectation)
        );
        assert!(
            read("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n")
                .unwrap()
                .0
                .expects_continue
        );
        assert!(
            !read("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")
                .unwrap()
                .0
                .expects_continue
        );
        assert!(matches!(
            read("GET / HTTP/1.1\r\n\r\n"),
            Err(RequestError::Malformed(_))
        ));
    }
}
