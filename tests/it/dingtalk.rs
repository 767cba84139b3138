//! Requests to a chatbot against servers that behave badly, over real sockets.

use ecs_dingtalk_notifier::channel::dingtalk::{
    DingTalk, Endpoint, Secret, Variables, Webhook, sign,
};
use ecs_dingtalk_notifier::channel::{
    Attempt, Ban, Channel, Chat, Class, Code, Phase, Recovery, SendOptions,
};
use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::http::{
    Cause, Client, HttpConfig, Method, Proxy, Request, RootCertificates,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const TOKEN: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
const SECRET: &str = "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68";
/// The time of a published signature of `SECRET`, and that signature as it must stand in the URL.
const SIGNED_AT: u64 = 1_582_163_555_000;
const SIGN: &str = "BQKsG%2BQOCl%2BbYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY%3D";

const MESSAGE: &[u8] = br#"{"msgtype":"text","text":{"content":"hello"}}"#;
const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// Time enough for any attempt.
const LONG: Duration = Duration::from_secs(30);

/// Sends requests at a time that stands still: [`SIGNED_AT`].
struct Sender {
    http: Arc<Client>,
    clock: Arc<ManualClock>,
}

fn sender() -> Sender {
    sender_with(HttpConfig::default())
}

fn sender_with(network: HttpConfig) -> Sender {
    let clock = ManualClock::frozen_at(SystemTime::UNIX_EPOCH + Duration::from_millis(SIGNED_AT));
    Sender {
        http: Arc::new(Client::new(clock.clone(), network)),
        clock,
    }
}

impl Sender {
    fn send(&self, url: &str) -> Attempt {
        self.attempt(url, MESSAGE, LONG)
    }

    fn send_on_new_connection(&self, url: &str) -> Attempt {
        let options = SendOptions {
            new_connection: true,
            ..SendOptions::default()
        };
        self.attempt_with(url, MESSAGE, LONG, options)
    }

    fn attempt(&self, url: &str, body: &[u8], within: Duration) -> Attempt {
        self.attempt_with(url, body, within, SendOptions::default())
    }

    /// Makes one attempt, of which no text may hold a secret, however it ends.
    fn attempt_with(
        &self,
        url: &str,
        body: &[u8],
        within: Duration,
        options: SendOptions,
    ) -> Attempt {
        let secret = Secret::parse(SECRET).unwrap();
        let endpoint = Endpoint {
            webhook: Webhook::parse(url).unwrap(),
            secrets: vec![Secret::parse("SECold").unwrap(), secret.clone()],
            keyword: None,
            rate_limit: 18,
            variables: Variables::new(Chat::DingTalk, "__ONCALL", false),
        };
        let options = SendOptions {
            // The second of two secrets.
            secret: 1,
            ..options
        };
        let channel = DingTalk::new(endpoint, Arc::clone(&self.http), self.clock.clone());
        let attempt = channel.send(body, options, self.clock.now() + within);
        let text = format!("{attempt:?}");
        let signature = sign(SIGNED_AT, &secret);
        for secret in [TOKEN, SECRET, SIGN, &signature] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(attempt.detail.chars().count() <= 300);
        assert!(!attempt.detail.is_empty());
        attempt
    }
}

fn remedy(attempt: &Attempt) -> &str {
    attempt.remedy.as_deref().unwrap()
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A server on loopback that handles each connection in a thread of its own.
struct Server {
    port: u16,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `handle` gets each connection and its number, counted from 0.
    fn raw(handle: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            port: listener.local_addr().unwrap().port(),
            accepted: Arc::default(),
            requests: Arc::default(),
        };
        let accepted = server.accepted.clone();
        let handle = Arc::new(handle);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = accepted.fetch_add(1, Ordering::SeqCst);
                let handle = handle.clone();
                thread::spawn(move || handle(number, stream.unwrap()));
            }
        });
        server
    }

    /// Answers every request with what `answer` makes of it, and keeps the connection.
    fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        let server = Server::raw(move |_, mut stream| {
            while let Some(request) = read_request(&mut stream) {
                seen.lock().unwrap().push(request.clone());
                if stream.write_all(answer(&request).as_bytes()).is_err() {
                    return;
                }
            }
        });
        Server { requests, ..server }
    }

    fn url(&self) -> String {
        format!(
            "http://127.0.0.1:{}/robot/send?access_token={TOKEN}",
            self.port
        )
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a head and a body of `Content-Length` bytes. `None` at the end of the connection.
fn read_request(stream: &mut dyn Stream) -> Option<String> {
    let mut request = read_head(stream)?;
    let mut body = vec![0; content_length(&request)];
    stream.read_exact(&mut body).ok()?;
    request.push_str(&String::from_utf8(body).unwrap());
    Some(request)
}

fn read_head(stream: &mut dyn Stream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}

fn content_length(head: &str) -> usize {
    head.to_lowercase()
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse().ok())
        .unwrap_or(0)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn ok() -> String {
    http("200 OK", "Content-Type: application/json\r\n", OK)
}

#[test]
fn a_request_is_signed_and_has_its_headers_once() {
    let server = Server::answering(|_| ok());
    let attempt = sender().send(&format!("{}&tenant=7", server.url()));

    assert_eq!(attempt.class, Class::Delivered);
    assert_eq!(
        (attempt.errcode, attempt.phase),
        (Some(Code::Number(0)), Phase::Answer)
    );
    assert_eq!((attempt.remedy, attempt.by_deadline), (None, false));
    let request = &server.requests()[0];
    let line = format!(
        "POST /robot/send?access_token={TOKEN}&tenant=7&timestamp={SIGNED_AT}&sign={SIGN} HTTP/1.1\r\n"
    );
    assert!(request.starts_with(&line), "{request}");
    assert!(request.ends_with(std::str::from_utf8(MESSAGE).unwrap()));
    let lower = request.to_lowercase();
    for header in [
        "content-type: application/json; charset=utf-8\r\n",
        "accept-encoding: identity\r\n",
        concat!(
            "user-agent: ecs-dingtalk-notifier/",
            env!("CARGO_PKG_VERSION"),
            "\r\n"
        ),
    ] {
        assert_eq!(lower.matches(header).count(), 1, "{request}");
    }
}

#[test]
fn connections_are_reused_unless_a_new_one_is_asked_for() {
    let server = Server::answering(|_| ok());
    let sender = sender();
    for _ in 0..3 {
        assert_eq!(sender.send(&server.url()).class, Class::Delivered);
    }
    assert_eq!(server.accepted(), 1);
    let second = sender.send_on_new_connection(&server.url());
    assert_eq!(second.class, Class::Delivered);
    assert_eq!(server.accepted(), 2);
    sender.send(&server.url());
    assert_eq!((server.accepted(), server.requests().len()), (2, 5));
}

#[test]
fn after_a_jump_of_the_wall_clock_no_connection_is_reused() {
    let server = Server::answering(|_| ok());
    let sender = sender();
    for (shift_ms, connections) in [
        (0, 1),
        (5_000, 1),
        (10_001, 2),
        (10_000, 3),
        (10_000, 3),
        (-3_600_000, 4),
    ] {
        sender.clock.shift_wall(shift_ms);
        assert_eq!(sender.send(&server.url()).class, Class::Delivered);
        assert_eq!(server.accepted(), connections, "at {shift_ms} ms");
    }
}

#[test]
fn a_pooled_connection_that_was_closed_costs_no_attempt() {
    let (closed, was_closed) = channel();
    let server = Server::raw(move |_, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(ok().as_bytes()).unwrap();
        drop(stream);
        closed.send(()).unwrap();
    });
    let sender = sender();
    for connections in 1..4 {
        assert_eq!(sender.send(&server.url()).class, Class::Delivered);
        was_closed.recv().unwrap();
        assert_eq!(server.accepted(), connections);
    }
}

#[test]
fn a_connection_that_ends_after_the_request_is_unclear() {
    let ends: [fn(TcpStream); 4] = [
        // Everything read, then closed.
        |mut stream| drop(read_request(&mut stream)),
        // One byte left unread: closing resets.
        |mut stream| {
            let head = read_head(&mut stream).unwrap();
            let mut rest = vec![0; content_length(&head) - 1];
            stream.read_exact(&mut rest).unwrap();
        },
        // Closed in the middle of the answer's head.
        |mut stream| {
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-").unwrap();
        },
        // Closed in the middle of an answer that so far says yes.
        |mut stream| {
            read_request(&mut stream);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{OK}");
            stream.write_all(answer.as_bytes()).unwrap();
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let server = Server::raw(move |_, stream| end(stream));
        let attempt = sender().send(&server.url());
        assert_eq!(attempt.class, Class::Unclear, "end {number}: {attempt:?}");
        assert_eq!(attempt.phase, Phase::Receive, "end {number}");
        assert!(attempt.remedy.is_some() && !attempt.by_deadline);
    }
}

/// Reads the head of a request, ends its own side, and closes with the rest unread: the next write
/// of the client meets a broken pipe.
fn hang_up_in_body(mut stream: TcpStream) {
    read_head(&mut stream);
    stream.shutdown(Shutdown::Write).unwrap();
    // Closed by a reset, because there is unread data.
}

/// More than the buffers of a connection hold, so that the rest must meet the end of it.
fn large_body() -> Vec<u8> {
    vec![b' '; 32 << 20]
}

#[test]
fn a_request_that_could_not_be_written_is_not_sent() {
    let server = Server::raw(|_, stream| hang_up_in_body(stream));
    let attempt = sender().attempt(&server.url(), &large_body(), LONG);
    assert_eq!(attempt.class, Class::NotSent, "{attempt:?}");
    assert_eq!(attempt.phase, Phase::Send);
}

/// A reset looks the same before and after the end of the request.
#[test]
fn a_reset_in_the_middle_of_a_request_is_never_delivered() {
    let ends: [fn(TcpStream); 2] = [drop, |mut stream| drop(read_head(&mut stream))];
    for end in ends {
        let server = Server::raw(move |_, stream| end(stream));
        for body in [MESSAGE, &large_body()] {
            let attempt = sender().attempt(&server.url(), body, LONG);
            assert!(
                matches!(attempt.class, Class::NotSent | Class::Unclear),
                "{attempt:?}"
            );
            assert!(attempt.remedy.is_some());
        }
    }
}

#[test]
fn a_pooled_connection_that_dies_in_the_body_is_not_sent() {
    let server = Server::raw(move |number, mut stream| {
        read_request(&mut stream).unwrap();
        stream.write_all(ok().as_bytes()).unwrap();
        if number == 0 {
            hang_up_in_body(stream);
        }
    });
    let sender = sender();
    assert_eq!(sender.send(&server.url()).class, Class::Delivered);
    let second = sender.attempt(&server.url(), &large_body(), LONG);
    assert_eq!((second.class, server.accepted()), (Class::NotSent, 1));
    let third = sender.send_on_new_connection(&server.url());
    assert_eq!((third.class, server.accepted()), (Class::Delivered, 2));
}

/// A server that keeps its connections open until the test is over, however little it says.
fn holding(say: &'static str) -> (Server, Receiver<TcpStream>) {
    let (keep, kept) = channel();
    let server = Server::raw(move |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(say.as_bytes()).unwrap();
        let _ = keep.send(stream);
    });
    (server, kept)
}

#[test]
fn the_deadline_ends_an_attempt_without_response() {
    for say in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"errcode\":0",
    ] {
        let (server, _kept) = holding(say);
        let begun = Instant::now();
        let within = Duration::from_millis(300);
        let attempt = sender().attempt(&server.url(), MESSAGE, within);
        let took = begun.elapsed();
        assert_eq!(attempt.class, Class::Unclear, "{attempt:?}");
        assert_eq!((attempt.phase, attempt.by_deadline), (Phase::Receive, true));
        assert!(
            took >= Duration::from_millis(280) && took < Duration::from_secs(3),
            "{took:?}"
        );
    }
}

#[test]
fn a_response_that_drips_ends_at_the_deadline() {
    let server = Server::raw(|_, mut stream| {
        read_request(&mut stream);
        for byte in ok().as_bytes() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    let attempt = sender().attempt(&server.url(), MESSAGE, Duration::from_millis(300));
    assert_eq!((attempt.class, attempt.by_deadline), (Class::Unclear, true));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn an_attempt_has_a_limit_of_its_own() {
    let (server, _kept) = holding("");
    let begun = Instant::now();
    let attempt = sender().send(&server.url());
    assert_eq!(
        (attempt.class, attempt.by_deadline),
        (Class::Unclear, false)
    );
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(8) && took < Duration::from_secs(12),
        "{took:?}"
    );
}

#[test]
fn nothing_is_begun_when_no_time_is_left() {
    let server = Server::answering(|_| ok());
    for within in [Duration::ZERO, Duration::from_millis(5)] {
        let attempt = sender().attempt(&server.url(), MESSAGE, within);
        assert_eq!(
            (attempt.class, attempt.phase),
            (Class::NotSent, Phase::Start)
        );
        assert!(attempt.by_deadline);
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn redirects_are_not_followed() {
    let target = Server::answering(|_| ok());
    let location = target.url();
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let header = format!("Location: {location}\r\n");
        let server = Server::answering(move |_| http(status, &header, OK));
        let attempt = sender().send(&server.url());
        assert_eq!(attempt.class, Class::Refused(Recovery::None), "{status}");
        assert!(remedy(&attempt).contains("redirects"), "{attempt:?}");
    }
    assert_eq!(target.accepted(), 0);
}

#[test]
fn a_response_of_five_megabytes_is_not_read_to_its_end() {
    for (status, class, what) in [
        ("200 OK", Class::Unclear, "not DingTalk's"),
        (
            "404 Not Found",
            Class::Refused(Recovery::None),
            "not a chatbot's",
        ),
    ] {
        let (done, was_done) = channel();
        let server = Server::raw(move |_, mut stream| {
            read_request(&mut stream);
            let body = format!("{OK}{}", " ".repeat(5 << 20));
            let written = stream.write_all(http(status, "", &body).as_bytes());
            done.send(written.is_ok()).unwrap();
        });
        let attempt = sender().send(&server.url());
        assert_eq!(attempt.class, class);
        assert!(attempt.detail.contains("over 64 KiB"), "{attempt:?}");
        assert!(remedy(&attempt).contains(what), "{attempt:?}");
        assert_eq!(attempt.phase, Phase::Receive);
        assert_eq!(was_done.recv(), Ok(false));
    }
}

/// Other callers than DingTalk need headers of their own, no body, and a long response.
#[test]
fn a_caller_sets_headers_and_the_limit_of_the_response() {
    let server = Server::answering(|_| http("200 OK", "X-Trace: 7\r\n", &"x".repeat(4 << 20)));
    let sender = sender();
    let url = format!("{}&Action=DescribeInstances", server.url());
    let url = url.parse().unwrap();
    let send = |max_response_bytes| {
        let request = Request {
            method: Method::Post,
            url: &url,
            headers: &[("x-acs-action", "DescribeInstances"), ("Accept", "*/*")],
            body: b"",
            max_response_bytes,
        };
        let deadline = sender.clock.now() + LONG;
        sender.http.send(&request, deadline, false).unwrap()
    };
    let response = send(4 << 20);
    assert_eq!(
        (response.status, response.header("x-trace")),
        (200, Some("7"))
    );
    assert_eq!(response.body.unwrap().len(), 4 << 20);

    let error = send((4 << 20) - 1).body.unwrap_err();
    assert_eq!((error.phase, error.cause), (Phase::Receive, Cause::NotHttp));
    assert!(error.may_have_arrived() && !format!("{error:?}").contains("127.0.0.1"));
    for request in server.requests() {
        let lower = request.to_lowercase();
        for header in [
            "x-acs-action: describeinstances",
            "content-length: 0",
            "accept: */*",
        ] {
            assert_eq!(
                lower.matches(&format!("\r\n{header}\r\n")).count(),
                1,
                "{request}"
            );
        }
    }
}

#[test]
fn an_endless_head_and_other_protocols_are_unclear() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for answer in [endless, "SSH-2.0-OpenSSH_9.2\r\n\r\n".into()] {
        let server = Server::answering(move |_| answer.clone());
        let attempt = sender().send(&server.url());
        assert_eq!(attempt.class, Class::Unclear, "{attempt:?}");
        assert!(attempt.remedy.is_some());
    }
}

#[test]
fn headers_of_a_response_count() {
    let server = Server::answering(|_| http("429 Too Many Requests", "Retry-After: 30\r\n", ""));
    let throttled = Class::Throttled {
        retry_after: Duration::from_secs(30),
        ban: Ban::Chatbot,
    };
    assert_eq!(sender().send(&server.url()).class, throttled);

    let body = r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#;
    for (date, difference) in [
        ("Date: Thu, 20 Feb 2020 00:52:35 GMT\r\n", "3600 s ahead"),
        ("Date: Thu, 20 Feb 2020 02:53:35 GMT\r\n", "3660 s behind"),
        ("Date: yesterday\r\n", "clock"),
        ("", "clock"),
    ] {
        let server = Server::answering(move |_| http("200 OK", date, body));
        let attempt = sender().send(&server.url());
        assert_eq!(attempt.class, Class::Refused(Recovery::SignAgain));
        assert!(remedy(&attempt).contains(difference), "{attempt:?}");
    }
}

#[test]
fn a_response_that_repeats_the_request_shows_no_secret() {
    let server = Server::answering(|request| {
        let line = request.lines().next().unwrap();
        let body = format!(r#"{{"errcode":310000,"errmsg":"sign not match: {line} {SECRET}"}}"#);
        http("200 OK", "", &body)
    });
    let attempt = sender().send(&server.url());
    assert_eq!(attempt.class, Class::Refused(Recovery::NextSecret));
    assert!(remedy(&attempt).contains("DINGTALK_SECRET__ONCALL"));
    assert!(
        attempt.detail.contains("access_token=…&timestamp"),
        "{attempt:?}"
    );
    assert!(!attempt.detail.contains("c0ffee"));
}

#[test]
fn a_port_without_a_listener_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let attempt = sender().send(&format!("http://localhost:{port}/?access_token={TOKEN}"));
    assert_eq!(
        (attempt.class, attempt.phase),
        (Class::NotSent, Phase::Connect)
    );
    assert!(remedy(&attempt).contains("internet access"));
}

#[test]
fn a_name_that_does_not_exist_is_not_sent() {
    let begun = Instant::now();
    let attempt = sender().send(&format!("https://name.invalid/?access_token={TOKEN}"));
    assert_eq!(
        (attempt.class, attempt.phase),
        (Class::NotSent, Phase::Resolve)
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(remedy(&attempt).contains("name"));
}

/// A CA of its own and a server certificate for `name`.
struct Tls {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

fn tls(name: &str) -> Tls {
    tls_with(name, rustls::DEFAULT_VERSIONS)
}

fn tls_with(name: &str, versions: &[&'static rustls::SupportedProtocolVersion]) -> Tls {
    let provider = rustls::crypto::ring::default_provider();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    Tls {
        ca_pem: ca.pem(),
        config: Arc::new(config),
    }
}

impl Tls {
    fn accept(
        config: &Arc<ServerConfig>,
        stream: TcpStream,
    ) -> StreamOwned<ServerConnection, TcpStream> {
        StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
    }

    /// Trusts this CA and no other.
    fn trusting(&self) -> HttpConfig {
        HttpConfig {
            root_certificates: Some(RootCertificates::from_pem(self.ca_pem.as_bytes()).unwrap()),
            ..HttpConfig::default()
        }
    }
}

fn https_url(server: &Server) -> String {
    format!(
        "https://localhost:{}/robot/send?access_token={TOKEN}",
        server.port
    )
}

/// Answers over TLS, and reports of every request whether the session was a resumed one.
fn tls_server(tls: &Tls) -> (Server, Receiver<bool>) {
    let (resumed, was_resumed) = channel();
    let config = tls.config.clone();
    let server = Server::raw(move |_, stream| {
        let mut stream = Tls::accept(&config, stream);
        while read_request(&mut stream).is_some() {
            let kind = stream.conn.handshake_kind();
            resumed.send(kind == Some(HandshakeKind::Resumed)).unwrap();
            stream.write_all(ok().as_bytes()).unwrap();
        }
    });
    (server, was_resumed)
}

#[test]
fn a_ca_is_trusted_when_it_is_named() {
    let tls = tls("localhost");
    let (server, was_resumed) = tls_server(&tls);

    let attempt = sender().send(&https_url(&server));
    assert_eq!((attempt.class, attempt.phase), (Class::NotSent, Phase::Tls));
    assert!(attempt.detail.contains("UnknownIssuer"), "{attempt:?}");
    assert!(remedy(&attempt).contains("in SSL_CERT_FILE"));
    assert!(was_resumed.try_recv().is_err());

    let sender = sender_with(tls.trusting());
    assert_eq!(sender.send(&https_url(&server)).class, Class::Delivered);
}

/// Named authorities replace the compiled-in ones, so the remedy for a certificate of another CA
/// says so.
#[test]
fn when_another_ca_is_named_the_remedy_says_that_it_replaces() {
    let (server, _was_resumed) = tls_server(&tls("localhost"));
    let attempt = sender_with(tls("localhost").trusting()).send(&https_url(&server));
    assert_eq!((attempt.class, attempt.phase), (Class::NotSent, Phase::Tls));
    let expected = "SSL_CERT_FILE replaces the compiled-in authorities: ";
    assert!(remedy(&attempt).contains(expected), "{attempt:?}");
}

/// The library resumes only what was connected with the agent's own settings; requests have their
/// own time limits.
#[test]
fn a_second_new_connection_resumes_the_tls_session() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let tls = tls_with("localhost", &[version]);
        let (server, was_resumed) = tls_server(&tls);
        let sender = sender_with(tls.trusting());
        for resumed in [false, false] {
            assert_eq!(sender.send(&https_url(&server)).class, Class::Delivered);
            assert_eq!(was_resumed.recv(), Ok(resumed), "{version:?}");
        }
        assert_eq!(server.accepted(), 1);
        let second = sender.send_on_new_connection(&https_url(&server));
        assert_eq!((second.class, server.accepted()), (Class::Delivered, 2));
        assert_eq!(was_resumed.recv(), Ok(true), "{version:?}");
    }
}

#[test]
fn a_certificate_for_another_host_is_not_trusted() {
    let tls = tls("other.example");
    let (server, _was_resumed) = tls_server(&tls);
    let before = server.accepted();
    let attempt = sender_with(tls.trusting()).send(&https_url(&server));
    assert_eq!((attempt.class, attempt.phase), (Class::NotSent, Phase::Tls));
    assert!(remedy(&attempt).contains("certificate"));
    assert_eq!(server.accepted(), before + 1);
}

#[test]
fn a_handshake_that_fails_is_not_sent() {
    let refusing: [fn(TcpStream); 2] = [
        |mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.read(&mut [0; 4096]);
        },
        |stream| {
            let _ = stream.shutdown(Shutdown::Both);
        },
    ];
    for refuse in refusing {
        let server = Server::raw(move |_, stream| refuse(stream));
        let attempt = sender().send(&https_url(&server));
        assert_eq!(
            (attempt.class, attempt.phase),
            (Class::NotSent, Phase::Tls),
            "{attempt:?}"
        );
    }
    let (server, _kept) = holding("");
    let attempt = sender().attempt(&https_url(&server), MESSAGE, Duration::from_millis(300));
    assert_eq!((attempt.class, attempt.by_deadline), (Class::NotSent, true));
}

#[test]
fn a_tls_connection_that_ends_after_the_request_is_unclear() {
    let tls = tls("localhost");
    let config = tls.config.clone();
    let server = Server::raw(move |_, stream| {
        read_request(&mut Tls::accept(&config, stream));
    });
    let attempt = sender_with(tls.trusting()).send(&https_url(&server));
    assert_eq!(
        (attempt.class, attempt.phase),
        (Class::Unclear, Phase::Receive)
    );
}

fn through(proxy: &Server, tls: &Tls) -> Sender {
    let url = format!("http://user:PassWord1@127.0.0.1:{}", proxy.port);
    sender_with(HttpConfig {
        proxy: Proxy::new(&url, "direct.example").unwrap(),
        ..tls.trusting()
    })
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let tls = tls("chatbot.example");
    let config = tls.config.clone();
    let (connect, was_asked) = channel();
    let proxy = Server::raw(move |_, mut stream| {
        connect.send(read_head(&mut stream).unwrap()).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .unwrap();
        let mut stream = Tls::accept(&config, stream);
        while read_request(&mut stream).is_some() {
            stream.write_all(ok().as_bytes()).unwrap();
        }
    });
    let sender = through(&proxy, &tls);
    let url = format!("https://chatbot.example/robot/send?access_token={TOKEN}");
    for _ in 0..2 {
        assert_eq!(sender.send(&url).class, Class::Delivered);
    }
    assert_eq!(proxy.accepted(), 1);
    let head = was_asked.recv().unwrap();
    assert!(head.starts_with("CONNECT chatbot.example:443 HTTP/1.1\r\n"));
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpQYXNzV29yZDE="));
    assert!(!head.contains(TOKEN));

    let direct = Server::answering(|_| ok());
    assert_eq!(sender.send(&direct.url()).class, Class::Delivered);
    assert_eq!((proxy.accepted(), direct.accepted()), (1, 1));
}

#[test]
fn a_proxy_that_refuses_or_breaks_is_not_sent() {
    let tls = tls("chatbot.example");
    let url = format!("https://chatbot.example/robot/send?access_token={TOKEN}");
    for say in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let proxy = Server::raw(move |_, mut stream| {
            read_head(&mut stream).unwrap();
            stream.write_all(say.as_bytes()).unwrap();
        });
        let attempt = through(&proxy, &tls).attempt(&url, b"{}", LONG);
        assert_eq!(attempt.class, Class::NotSent, "{say}: {attempt:?}");
        assert!(matches!(attempt.phase, Phase::Connect | Phase::Tls));
        assert!(attempt.remedy.is_some() && !format!("{attempt:?}").contains("PassWord1"));
    }
}

#[test]
fn the_handshake_has_the_rest_of_the_time_to_connect() {
    let tls = tls("chatbot.example");
    let url = format!("https://chatbot.example/robot/send?access_token={TOKEN}");
    let (keep, _kept) = channel();
    let proxy = Server::raw(move |_, mut stream| {
        read_head(&mut stream).unwrap();
        // Two of the three seconds that there are to connect.
        thread::sleep(Duration::from_secs(2));
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let _ = keep.send(stream);
    });
    let begun = Instant::now();
    let attempt = through(&proxy, &tls).send(&url);
    assert_eq!(attempt.class, Class::NotSent, "{attempt:?}");
    assert!(begun.elapsed() < Duration::from_millis(4500), "{attempt:?}");
}
