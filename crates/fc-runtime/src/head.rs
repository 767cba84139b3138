//! The head of a request, and the length of the body that follows it.

use crate::Credentials;
use crate::error::RequestError;
use httparse::Header;

/// Most headers of one request. The platform sends about thirty.
const MAX_HEADERS: usize = 100;

/// The refusal of a head that cannot be parsed.
pub(crate) const NOT_HTTP: RequestError =
    RequestError::Malformed("the request's head is not well-formed HTTP");

/// Headers with the temporary identity of the function's role. They are not among
/// [`RequestHead::headers`], so they cannot leak from there.
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
        target
            .split(['?', '#'])
            .next()
            .expect("split gives one part at least")
    }
}

/// A head and what else its bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedHead {
    pub(crate) head: RequestHead,
    pub(crate) body_length: BodyLength,
    /// Apart from the head, which is kept and compared: only the context of an invocation gets
    /// them.
    pub(crate) credentials: Option<Credentials>,
    /// The number of bytes that the head takes.
    pub(crate) size: usize,
}

/// How a request announces the end of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// `Content-Length`, or 0 if there is no header about the body.
    Bytes(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// Parses the head at the start of `bytes`. Returns `None` if the head is not complete.
pub(crate) fn parse(bytes: &[u8], max_body: usize) -> Result<Option<ParsedHead>, RequestError> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut slots);
    let size = match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(RequestError::HeadTooLarge),
        Err(httparse::Error::Version) if names_a_version(bytes) => {
            return Err(RequestError::Version);
        }
        Err(_) => return Err(NOT_HTTP),
    };
    let headers = &*request.headers;
    let length = at_most_one(headers, "content-length", "more than one Content-Length")?;
    let coding = at_most_one(
        headers,
        "transfer-encoding",
        "more than one Transfer-Encoding",
    )?;
    let http_1_1 = request.version == Some(1);
    if http_1_1 && values(headers, "host").count() != 1 {
        return Err(RequestError::Malformed(
            "an HTTP/1.1 request needs exactly one Host field",
        ));
    }
    let body_length = body_length(length, coding, http_1_1, max_body)?;
    // HTTP/1.0 does not know expectations.
    let expectation = values(headers, "expect").last().filter(|_| http_1_1);
    if expectation.is_some_and(|value| !value.eq_ignore_ascii_case(b"100-continue")) {
        return Err(RequestError::Expectation);
    }
    let connection = |option: &[u8]| {
        values(headers, "connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|found| found.trim_ascii().eq_ignore_ascii_case(option))
    };
    let head = RequestHead {
        method: request
            .method
            .expect("a complete head has a method")
            .to_owned(),
        target: request
            .path
            .expect("a complete head has a target")
            .to_owned(),
        keep_alive: !connection(b"close") && (http_1_1 || connection(b"keep-alive")),
        expects_continue: expectation.is_some(),
        headers: headers.iter().filter_map(kept).collect(),
    };
    Ok(Some(ParsedHead {
        head,
        body_length,
        credentials: credentials(headers),
        size,
    }))
}

/// Returns true if the first line ends in some version of HTTP, be it an unsupported one.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next();
    let version = line.and_then(|line| line.rsplit(|byte| *byte == b' ').next());
    version.is_some_and(|version| version.starts_with(b"HTTP/"))
}

fn values<'a>(headers: &'a [Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}

/// Returns the value of a header that may not be repeated.
fn at_most_one<'a>(
    headers: &'a [Header<'a>],
    name: &str,
    fault: &'static str,
) -> Result<Option<&'a [u8]>, RequestError> {
    let mut values = values(headers, name);
    let value = values.next();
    match values.next() {
        Some(_) => Err(RequestError::Malformed(fault)),
        None => Ok(value),
    }
}

/// Returns name and value of a header that [`RequestHead::headers`] keeps.
fn kept(header: &Header) -> Option<(String, String)> {
    let is_own = header
        .name
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("x-fc-"));
    let is_credential = |secret: &&str| header.name.eq_ignore_ascii_case(secret);
    if !is_own || header.value.is_empty() || CREDENTIALS.iter().any(is_credential) {
        return None;
    }
    let value = String::from_utf8_lossy(header.value).into_owned();
    Some((header.name.to_owned(), value))
}

/// Returns the identity in the headers if it is whole. Local emulators send its headers empty. One
/// that stands there twice is ambiguous: its parts could belong to two identities.
fn credentials(headers: &[Header]) -> Option<Credentials> {
    let only = |name| {
        let mut found = values(headers, name);
        let value = found.next().filter(|_| found.next().is_none())?;
        str::from_utf8(value).ok()
    };
    let [id, secret, token] = CREDENTIALS.map(only);
    Credentials::new(id?, secret?, token?)
}

/// Returns how the body's end is announced. Refuses every ambiguity: a proxy that finds another end
/// in it would see other requests than this server (request smuggling).
fn body_length(
    length: Option<&[u8]>,
    coding: Option<&[u8]>,
    http_1_1: bool,
    max_body: usize,
) -> Result<BodyLength, RequestError> {
    let fault = match (length, coding) {
        (None, None) => return Ok(BodyLength::Bytes(0)),
        (None, Some(coding)) if http_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
            return Ok(BodyLength::Chunked);
        }
        (Some(length), None) if !length.is_empty() && length.iter().all(u8::is_ascii_digit) => {
            let digits = str::from_utf8(length).expect("digits are ASCII");
            // A number that overflows exceeds the limit too.
            return match digits.parse() {
                Ok(bytes) if bytes <= max_body => Ok(BodyLength::Bytes(bytes)),
                _ => Err(RequestError::BodyTooLarge),
            };
        }
        (Some(_), Some(_)) => "both Content-Length and Transfer-Encoding",
        (None, Some(_)) => "a Transfer-Encoding other than chunked",
        (Some(_), None) => "Content-Length is not a number",
    };
    Err(RequestError::Malformed(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(RequestHead, BodyLength), RequestError> {
        let parsed = parse(text.as_bytes(), 100)?.expect("a whole head");
        assert_eq!(parsed.size, text.len());
        Ok((parsed.head, parsed.body_length))
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
    fn credentials_are_whole_or_none() {
        let [id, secret, token] = CREDENTIALS;
        let find = |fields: &[(&str, &str)]| {
            let fields: String = fields
                .iter()
                .map(|(n, v)| format!("{n}: {v}\r\n"))
                .collect();
            let text = format!("POST /invoke HTTP/1.1\r\nhost:\r\n{fields}\r\n");
            let parsed = parse(text.as_bytes(), 0).unwrap().unwrap();
            assert!(parsed.head.headers.is_empty());
            assert!(!format!("{parsed:?}").contains("SECRET"));
            parsed.credentials
        };
        let whole = [(id, "SECRET-1"), (secret, "SECRET-2"), (token, "SECRET-3")];
        let found = find(&whole).unwrap();
        assert_eq!(found.access_key_id(), "SECRET-1");
        assert_eq!(found.access_key_secret(), "SECRET-2");
        assert_eq!(found.security_token(), "SECRET-3");
        for absent in CREDENTIALS {
            let rest: Vec<_> = whole.into_iter().filter(|(n, _)| *n != absent).collect();
            assert_eq!(find(&rest), None, "without {absent}");
            let empty = |(n, v)| if n == absent { (n, "") } else { (n, v) };
            assert_eq!(find(&whole.map(empty)), None, "empty {absent}");
            let twice = [&whole[..], &[(absent, "SECRET-4")]].concat();
            assert_eq!(find(&twice), None, "two of {absent}");
        }
        assert_eq!(find(&[(id, ""), (secret, ""), (token, "")]), None);
        assert_eq!(find(&[]), None);
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
