//! Raw requests, valid and malformed, with their documented answers.

pub const INVOKE: &str = "POST /invoke HTTP/1.1\r\nHost: a\r\n";
pub const READY: &str = "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n";

/// The bytes to send, the expected answers, and whether the connection stays open afterwards.
pub struct Row {
    pub sent: Vec<u8>,
    pub answers: Vec<(u16, &'static str)>,
    pub stays: bool,
}

/// A row that is refused with one answer; the connection closes.
fn refused(status: u16, error: &'static str, sent: impl Into<Vec<u8>>) -> Row {
    Row {
        sent: sent.into(),
        answers: vec![(status, error)],
        stays: false,
    }
}

/// A row that is refused as malformed.
fn bad(sent: impl Into<Vec<u8>>) -> Row {
    refused(400, "BadRequest", sent)
}

/// A row that is answered; the connection stays open. Answers of 200 have no error.
fn served(answers: &[(u16, &'static str)], sent: impl Into<Vec<u8>>) -> Row {
    Row {
        sent: sent.into(),
        answers: answers.to_vec(),
        stays: true,
    }
}

const OK: (u16, &str) = (200, "");
const NOT_FOUND: (u16, &str) = (404, "NotFound");
const NO_EVENT: (u16, &str) = (404, "InvalidEvent");
const WRONG_METHOD: (u16, &str) = (405, "MethodNotAllowed");

/// Returns a `POST /invoke` with these header lines and this body.
pub fn framed(lines: &str, body: &str) -> String {
    format!("{INVOKE}{lines}\r\n\r\n{body}")
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Returns the whole table.
pub fn all() -> Vec<Row> {
    [smuggling(), chunks(), heads(), targets()]
        .into_iter()
        .flatten()
        .collect()
}

fn smuggling() -> Vec<Row> {
    let chunked = "Transfer-Encoding: chunked";
    let hidden = "0\r\n\r\nGET /ready HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut rows: Vec<Row> = [
        format!("Content-Length: 6\r\n{chunked}"),
        format!("{chunked}\r\nContent-Length: 4"),
        format!("Content-Length: 0\r\n{chunked}"),
        format!("{chunked}\r\n{chunked}"),
        format!("{chunked}\r\ntransfer-encoding: identity"),
        format!("Content-Length: 6\r\nX: y\n{chunked}"),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding: chunked, identity".into(),
        "Transfer-Encoding: identity, chunked".into(),
        "Transfer-Encoding: chunked, chunked".into(),
        "Transfer-Encoding: \"chunked\"".into(),
        "Transfer-Encoding: chunked;q=1".into(),
        "Transfer-Encoding:\u{b}chunked".into(),
        "Transfer-Encoding: gzip".into(),
        "Transfer-Encoding:".into(),
        "X: y\r\n Transfer-Encoding: chunked".into(),
        "X: y\r\n\tContent-Length: 6".into(),
        "Content-Length: 6\r\nContent-Length: 6".into(),
        "Content-Length: 6\r\nContent-Length: 0".into(),
        "Content-Length: 6\r\ncontent-length: 60".into(),
        "Content-Length: 6, 6".into(),
        "Content-Length: +6".into(),
        "Content-Length: -6".into(),
        "Content-Length: 0x6".into(),
        "Content-Length: 6 6".into(),
        "Content-Length: 6.0".into(),
        "Content-Length: 6e0".into(),
        "Content-Length: \u{664}".into(),
        "Content-Length:".into(),
        "Content-Length : 6".into(),
        "Content-Length\u{0}: 6".into(),
        "Content-Length: 6\u{0}".into(),
        "Content-Length: 6\rX: y".into(),
    ]
    .iter()
    .map(|lines| bad(framed(lines, hidden)))
    .collect();
    for length in [
        "6291457",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
    ] {
        let lines = format!("Content-Length: {length}");
        rows.push(refused(413, "BodyTooLarge", framed(&lines, "")));
    }
    rows.push(bad(format!(
        "POST /invoke HTTP/1.0\r\n{chunked}\r\n\r\n{hidden}"
    )));
    // The bytes after a body are the next request.
    rows.push(served(
        &[NO_EVENT, OK],
        framed("Content-Length: 2", &format!("{{}}{READY}")),
    ));
    rows.push(served(
        &[OK, OK],
        format!("GET /ready HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{READY}"),
    ));
    rows.push(served(&[NO_EVENT, OK], framed(chunked, hidden)));
    rows.push(served(
        &[NO_EVENT],
        framed("Content-Length: 000000000000000000000000000002", "{}"),
    ));
    rows.push(Row {
        answers: vec![NO_EVENT, (400, "BadRequest")],
        ..bad(framed("Content-Length: 2", "{}{}\r\n\r\n"))
    });
    rows
}

fn chunks() -> Vec<Row> {
    let coded = |body: &str| framed("Transfer-Encoding: chunked", body);
    let long = "x".repeat(5_000);
    let mut rows: Vec<Row> = [
        "two\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}}\r\n0\r\n\r\n",
        "2;\u{0}\r\n{}\r\n0\r\n\r\n",
        "2;a\rb\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "00000000000000002\r\n{}\r\n0\r\n\r\n",
        "10000000000000000\r\n{}",
        "2\r\n{}\r\n0\r\nno field\r\n\r\n",
        "2\r\n{}\r\n0\r\nA : b\r\n\r\n",
        "2\r\n{}\r\n0\r\n A: b\r\n\r\n",
        &format!("2;{long}\r\n{{}}\r\n0\r\n\r\n"),
    ]
    .iter()
    .map(|body| bad(coded(body)))
    .collect();
    for size in ["600001", "7fffffffffffffff", "ffffffffffffffff"] {
        rows.push(refused(
            413,
            "BodyTooLarge",
            coded(&format!("{size}\r\n{{}}")),
        ));
    }
    rows.push(refused(
        431,
        "HeadTooLarge",
        coded(&format!("0\r\n{}\r\n\r\n", "a: b\r\n".repeat(3_000))),
    ));
    // A `Content-Length` among the trailers is ignored.
    rows.push(served(
        &[NO_EVENT, OK],
        coded(&format!(
            "1;a=b\r\n{{\r\n01 ; c=\"d\"\r\n}}\r\n000\r\nContent-Length: 99\r\n\r\n{READY}"
        )),
    ));
    rows
}

fn heads() -> Vec<Row> {
    let field = |line: &[u8]| [INVOKE.as_bytes(), line, b"\r\n\r\n"].concat();
    let mut rows: Vec<Row> = [
        &b"Bad Name: x"[..],
        b": x",
        b"Na(me: x",
        b"N\xc3\xa4me: x",
        b"Name\t: x",
        b"\0: x",
        b"X: a\0b",
        b"X: a\x01b",
        b"X: a\x7fb",
        b"X: a\rb",
        b"X: a\r\r\nY: b",
        b"X: a\r\n folded",
        b"X: a\r\n\tfolded",
        b"no colon",
        b"Host: twice",
    ]
    .iter()
    .map(|line| bad(field(line)))
    .collect();
    for head in [
        "GET /\r\n",
        "GET\r\n\r\n",
        "GET /ready\r\n\r\n",
        "/ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ready HTTP\r\nHost: a\r\n\r\n",
        "GET /ready http/1.1\r\nHost: a\r\n\r\n",
        "GET /ready HTTP/1.1\rHost: a\r\n\r\n",
        "GET /ready HTTP/1.1\r\n\r\n",
        "GET /re\u{0}ady HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\u{0}T /ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/ready\tHTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{feff}GET /ready HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "\u{0}\n",
        "EHLO a\r\n",
    ] {
        rows.push(bad(head));
    }
    // A client that speaks TLS to the plain port; its random bytes hold a line feed.
    rows.push(bad(
        b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03\x0a\x0d\x0a\x00".as_slice(),
    ));
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/11.1"] {
        let head = format!("GET /ready {version}\r\nHost: a\r\n\r\n");
        rows.push(refused(505, "VersionNotSupported", head));
    }
    rows.push(refused(
        505,
        "VersionNotSupported",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ));
    rows.push(refused(
        417,
        "ExpectationFailed",
        framed("Expect: a-miracle\r\nContent-Length: 2", ""),
    ));
    for head in [
        format!("{INVOKE}{}\r\n", "a: b\r\n".repeat(101)),
        format!("{INVOKE}X: {}\r\n\r\n", "x".repeat(20_000)),
        format!("{INVOKE}{}: x\r\n\r\n", "x".repeat(20_000)),
        get(&format!("/{}", "x".repeat(20_000))),
        "x".repeat(20_000),
        format!("{}\r\n\r\n", "A".repeat(20_000)),
    ] {
        rows.push(refused(431, "HeadTooLarge", head));
    }
    rows.push(served(
        &[OK],
        format!(
            "GET /ready HTTP/1.1\r\nhOsT: a\r\n{}\r\n",
            "a: b\r\n".repeat(98)
        ),
    ));
    rows.push(served(
        &[OK],
        "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    ));
    rows.push(served(&[OK], format!("\r\n\r\n\n{READY}\r\n")));
    rows.push(served(&[NO_EVENT], format!("{INVOKE}\r\n")));
    rows
}

fn targets() -> Vec<Row> {
    let mut rows = Vec::new();
    for target in [
        "/ready?",
        "/ready?a=/invoke",
        "http://anywhere/ready",
        "HTTP://ANYWHERE:1/ready?x",
        "https://user@[::1]/ready#top",
        "http://anywhere",
    ] {
        rows.push(served(&[OK], get(target)));
    }
    for target in [
        "//ready",
        "/ready/",
        "/ready/../ready",
        "/%72eady",
        "/ready;x",
        "/READY",
        "ready",
        "*",
        "?",
        "anywhere:443",
        "/\u{e9}",
        "/..%2f..%2fetc/passwd",
        &format!("/{}", "x".repeat(8_000)),
    ] {
        rows.push(served(&[NOT_FOUND], get(target)));
    }
    for head in [
        "OPTIONS * HTTP/1.1",
        "CONNECT anywhere:443 HTTP/1.1",
        "BREW /coffee HTTP/1.1",
    ] {
        rows.push(served(&[NOT_FOUND], format!("{head}\r\nHost: a\r\n\r\n")));
    }
    for head in [
        "TRACE / HTTP/1.1",
        "get /ready HTTP/1.1",
        "OPTIONS /invoke HTTP/1.1",
        "GET http://a/invoke HTTP/1.1",
        "post /invoke HTTP/1.1",
    ] {
        rows.push(served(
            &[WRONG_METHOD],
            format!("{head}\r\nHost: a\r\n\r\n"),
        ));
    }
    rows
}
