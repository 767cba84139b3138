//! A request's head: what it says, and how long the body is that follows it.

use super::framing::Reject;

/// Header fields of one request. The platform sends about thirty.
const MAX_FIELDS: usize = 100;

/// Credentials of the function's role. What is not kept cannot leak.
const CREDENTIALS: [&str; 3] = [
    "x-fc-access-key-id",
    "x-fc-access-key-secret",
    "x-fc-security-token",
];

/// What a request's head says, as far as this runtime wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The method, as it came: `POST`.
    pub method: String,
    /// The request target, as it came: `/invoke`, `/invoke?x`, `http://host/invoke`.
    pub target: String,
    /// Whether the peer wants the connection to stay open.
    pub keep_alive: bool,
    /// Whether the peer waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The `x-fc-*` fields that have a value, without the credentials.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The value of an `x-fc-*` field; the first, should there be several.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self
            .fields
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The target's path, without scheme, host and query.
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

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Bytes(usize),
    Chunked,
}

/// Reads a head from the start of `bytes`: the head, its body's length and the bytes that it takes; `None` when there
/// is no whole head yet.
pub(super) fn parse(
    bytes: &[u8],
    max_body: usize,
) -> Result<Option<(Head, BodyLength, usize)>, Reject> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut slots);
    let size = match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Reject::HeadTooLarge),
        Err(httparse::Error::Version) if names_a_version(bytes) => return Err(Reject::Version),
        Err(_) => {
            return Err(Reject::Malformed(
                "the request's head is not well-formed HTTP",
            ));
        }
    };
    let mut fields = Fields::default();
    for header in request.headers.iter() {
        fields.take(header.name, header.value)?;
    }
    let http_1_1 = request.version == Some(1);
    if http_1_1 && fields.hosts != 1 {
        return Err(Reject::Malformed(
            "an HTTP/1.1 request needs exactly one Host field",
        ));
    }
    let length = fields.body_length(http_1_1, max_body)?;
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        keep_alive: !fields.close && (http_1_1 || fields.keep_alive),
        expects_continue: http_1_1 && fields.expects_continue()?,
        fields: fields.kept,
    };
    Ok(Some((head, length, size)))
}

/// Whether the first line ends in a version of HTTP at all, if not in one that is spoken here.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let word = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    word.starts_with(b"HTTP/")
}

/// What the header fields say, gathered one by one.
#[derive(Default)]
struct Fields {
    hosts: usize,
    content_length: Option<Vec<u8>>,
    transfer_encoding: Option<Vec<u8>>,
    expect: Option<Vec<u8>>,
    close: bool,
    keep_alive: bool,
    kept: Vec<(String, String)>,
}

impl Fields {
    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), Reject> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.hosts += 1;
        } else if is("content-length") {
            if self.content_length.replace(value.to_vec()).is_some() {
                return Err(Reject::Malformed("more than one Content-Length"));
            }
        } else if is("transfer-encoding") {
            if self.transfer_encoding.replace(value.to_vec()).is_some() {
                return Err(Reject::Malformed("more than one Transfer-Encoding"));
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

    /// Strict, because two readers who disagree on where a request ends see different requests.
    fn body_length(&self, http_1_1: bool, max_body: usize) -> Result<BodyLength, Reject> {
        let length = match (&self.content_length, &self.transfer_encoding) {
            (Some(_), Some(_)) => {
                return Err(Reject::Malformed(
                    "both Content-Length and Transfer-Encoding",
                ));
            }
            (None, Some(coding)) if http_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
                return Ok(BodyLength::Chunked);
            }
            (None, Some(_)) => {
                return Err(Reject::Malformed("a Transfer-Encoding other than chunked"));
            }
            (None, None) => return Ok(BodyLength::Bytes(0)),
            (Some(length), None) => length,
        };
        if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(Reject::Malformed("Content-Length is not a number"));
        }
        // A number too great for the machine is over the cap like any other great number.
        let digits = str::from_utf8(length).unwrap_or_default();
        match digits.parse::<usize>() {
            Ok(bytes) if bytes <= max_body => Ok(BodyLength::Bytes(bytes)),
            _ => Err(Reject::BodyTooLarge),
        }
    }

    fn expects_continue(&self) -> Result<bool, Reject> {
        match &self.expect {
            None => Ok(false),
            Some(expectation) if expectation.eq_ignore_ascii_case(b"100-continue") => Ok(true),
            Some(_) => Err(Reject::Expectation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Head, BodyLength), Reject> {
        let (head, length, size) = parse(text.as_bytes(), 100)?.expect("a whole head");
        assert_eq!(size, text.len());
        Ok((head, length))
    }

    fn path(target: &str) -> String {
        Head {
            target: target.to_owned(),
            ..Head::default()
        }
        .path()
        .to_owned()
    }

    #[test]
    fn the_path_is_the_target_without_scheme_host_and_query() {
        assert_eq!(path("/invoke"), "/invoke");
        assert_eq!(path("/invoke?to=http://x/y"), "/invoke");
        assert_eq!(path("http://127.0.0.1:9000/invoke?a=/b"), "/invoke");
        assert_eq!(path("http://host"), "/");
        assert_eq!(path("*"), "*");
        assert_eq!(path("/a://b"), "/a://b");
    }

    #[test]
    fn credentials_and_foreign_fields_are_not_kept() {
        let (head, _) = read(
            "POST /invoke HTTP/1.1\r\nhost:\r\nX-FC-Access-Key-Id: a\r\nx-fc-access-key-secret: b\r\n\
             X-Fc-Security-Token: c\r\nAuthorization: d\r\nX-Fc-Request-Id: 1\r\nx-fc-qualifier:\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            head.fields,
            [("X-Fc-Request-Id".to_owned(), "1".to_owned())]
        );
        assert_eq!(head.field("x-fc-request-id"), Some("1"));
    }

    #[test]
    fn heads_that_leave_the_end_of_the_body_open_to_doubt_are_refused() {
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
                matches!(result, Err(Reject::Malformed(_))),
                "{fields:?}: {result:?}"
            );
        }
        let old = read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(matches!(old, Err(Reject::Malformed(_))), "{old:?}");
    }

    #[test]
    fn a_length_over_the_cap_is_refused_before_the_body() {
        for (length, expected) in [
            ("100", Ok(BodyLength::Bytes(100))),
            ("101", Err(Reject::BodyTooLarge)),
            ("99999999999999999999999", Err(Reject::BodyTooLarge)),
        ] {
            let result = read(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
            ));
            assert_eq!(result.map(|(_, length)| length), expected);
        }
    }

    #[test]
    fn the_connection_stays_open_as_version_and_field_say() {
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
            Err(Reject::Version)
        );
        assert_eq!(
            read("GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n"),
            Err(Reject::Expectation)
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
            Err(Reject::Malformed(_))
        ));
    }
}
