//! Function Compute as a function meets it: it starts the process, probes the port, and calls over raw connections
//! that stay open.

// A kit for several test modules, none of which needs all of it.
#![allow(dead_code)]

use crate::secrets::Watch;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything that must happen is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running process of the function. Killed when dropped; then all that it has said, to whomever, is searched for the
/// secrets of its environment.
pub struct Instance {
    child: Child,
    watch: Arc<Watch>,
    port: u16,
    stdout: Lines,
    stderr: Lines,
}

impl Instance {
    /// Starts the function's binary with these environment variables, a free port, and nothing else in its
    /// environment, and waits until it accepts connections.
    pub fn start(env: &[(&str, &str)]) -> Instance {
        Instance::start_command(|port| {
            let mut command = binary(env);
            command.env("FC_SERVER_PORT", port.to_string());
            command
        })
    }

    /// Starts whatever `command` builds for a free port, and waits until it accepts connections.
    pub fn start_command(command: impl Fn(u16) -> Command) -> Instance {
        for _ in 0..20 {
            let port = free_port();
            let mut instance = Instance::spawn_command(command(port));
            instance.port = port;
            if instance.wait_until_ready() {
                return instance;
            }
            instance.stderr.wait_for_end();
            let error = instance.stderr_text();
            // Somebody else may have taken the port meanwhile.
            assert!(
                error.contains("in use"),
                "the process ended before it was ready: {error}"
            );
        }
        panic!("no free port to be had");
    }

    /// Starts the function's binary with exactly these environment variables and waits for nothing.
    pub fn spawn(env: &[(&str, &str)]) -> Instance {
        Instance::spawn_command(binary(env))
    }

    /// Starts a command and waits for nothing.
    pub fn spawn_command(mut command: Command) -> Instance {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Instance::spawn_as_it_is(command)
    }

    /// Starts the function's binary with its output going where `command` says, and waits until it accepts connections.
    /// Output that goes elsewhere is neither gathered here nor searched for secrets.
    pub fn start_as_it_is(env: &[(&str, &str)], direct: impl Fn(&mut Command)) -> Instance {
        let mut instance = Instance::spawn_as_it_is({
            let mut command = binary(env);
            direct(&mut command);
            command
        });
        let port = env.iter().find(|(name, _)| *name == "FC_SERVER_PORT");
        instance.port = port
            .and_then(|(_, port)| port.parse().ok())
            .expect("a port");
        assert!(instance.wait_until_ready(), "the port was taken meanwhile");
        instance
    }

    fn spawn_as_it_is(mut command: Command) -> Instance {
        command.stdin(Stdio::null());
        let watch = Arc::new(Watch::over(&command));
        let mut child = command.spawn().expect("the process starts");
        let stdout = child.stdout.take().map(Lines::of).unwrap_or_default();
        let stderr = child.stderr.take().map(Lines::of).unwrap_or_default();
        Instance {
            child,
            watch,
            port: 0,
            stdout,
            stderr,
        }
    }

    /// Probes as the platform and its local emulator do: connect, and close without a byte. False when the process
    /// ends first.
    fn wait_until_ready(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address()).is_err() {
            if self
                .child
                .try_wait()
                .expect("the process can be waited for")
                .is_some()
            {
                return false;
            }
            assert!(
                Instant::now() < end,
                "not ready in time: {}",
                self.stderr_text()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A new connection to it.
    pub fn caller(&self) -> Caller {
        Caller {
            watch: Some(Arc::clone(&self.watch)),
            ..Caller::connect(self.address())
        }
    }

    /// Number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines on stdout so far.
    pub fn stdout_lines(&self) -> Vec<String> {
        self.stdout.so_far()
    }

    /// All of stderr so far.
    pub fn stderr_text(&self) -> String {
        self.stderr.so_far().join("\n")
    }

    /// Waits for the line number `n` (from 0) on stdout.
    pub fn wait_for_stdout_line(&self, n: usize, timeout: Duration) -> String {
        self.stdout.wait_for(n, timeout).unwrap_or_else(|| {
            panic!(
                "no line {n} on stdout: {:?}; stderr: {}",
                self.stdout_lines(),
                self.stderr_text()
            )
        })
    }

    /// Asks the process to end.
    pub fn sigterm(&self) {
        self.signal("TERM");
    }

    /// Sends the process a signal: `TERM`, `STOP`, `CONT`, `KILL`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .expect("sh runs")
                .success()
        );
    }

    /// Waits for the process to end and for the rest of its output; gives its exit code (-1 when a signal ended it).
    pub fn wait_exit(&mut self, timeout: Duration) -> i32 {
        let end = Instant::now() + timeout;
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("the process can be waited for")
            {
                self.stdout.wait_for_end();
                self.stderr.wait_for_end();
                return status.code().unwrap_or(-1);
            }
            assert!(
                Instant::now() < end,
                "still running: {}",
                self.stderr_text()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Memory that the process holds at present, in KiB.
    pub fn rss_kb(&self) -> u64 {
        rss_kb(&self.child.id().to_string())
    }

    /// The most memory that the process ever held, in KiB.
    pub fn peak_kb(&self) -> u64 {
        memory_kb(&self.child.id().to_string(), "VmHWM:")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            return;
        }
        for pipe in [&self.stdout, &self.stderr] {
            pipe.wait_for_end();
            self.watch.heard(pipe.so_far().join("\n").as_bytes());
        }
        self.watch.assert_no_secret();
    }
}

/// Runs a command of the binary to its end, with exactly these environment variables; nothing that it says may hold a
/// secret of theirs.
pub fn run(arguments: &[&str], env: &[(&str, &str)], input: &str) -> Output {
    let mut command = binary(env);
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let watch = Watch::over(&command);
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    watch.heard(&output.stdout);
    watch.heard(&output.stderr);
    watch.assert_no_secret();
    output
}

/// The binary under test with nothing but this environment: the one that cargo built, or the one
/// that `NOTIFIER_BINARY` names.
pub fn binary(env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(
        std::env::var_os("NOTIFIER_BINARY")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_ecs-dingtalk-notifier").into()),
    );
    command.env_clear().envs(env.iter().copied());
    command
}

/// A port that nobody in this process was told before, below those that the system gives to whoever asks for any.
/// Whether it is free is not tried: to listen there, if only for a moment, is to answer the probe of whoever waits for
/// another process to do so.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static TOLD: AtomicU32 = AtomicU32::new(0);
    // Other processes that run these tests begin elsewhere.
    let begin = std::process::id().wrapping_mul(97);
    let next = begin.wrapping_add(TOLD.fetch_add(1, Ordering::Relaxed));
    (FIRST + next % COUNT) as u16
}

/// Memory that a process (`self`, or its number) holds at present, in KiB.
pub fn rss_kb(process: &str) -> u64 {
    memory_kb(process, "VmRSS:")
}

fn memory_kb(process: &str, field: &str) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process lives");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("a process has memory");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number of KiB")
}

/// The lines that a pipe brings, gathered by a thread.
#[derive(Default)]
struct Lines(Arc<(Mutex<Gathered>, Condvar)>);

#[derive(Default)]
struct Gathered {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Lines {
        let shared = Arc::<(Mutex<Gathered>, Condvar)>::default();
        let gathering = Arc::clone(&shared);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                gathering.0.lock().unwrap().lines.push(line);
                gathering.1.notify_all();
            }
            gathering.0.lock().unwrap().ended = true;
            gathering.1.notify_all();
        });
        Lines(shared)
    }

    fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    fn wait_for(&self, n: usize, timeout: Duration) -> Option<String> {
        let enough = |gathered: &mut Gathered| gathered.lines.len() <= n && !gathered.ended;
        let gathered = self
            .0
            .1
            .wait_timeout_while(self.0.0.lock().unwrap(), timeout, enough)
            .unwrap()
            .0;
        gathered.lines.get(n).cloned()
    }

    fn wait_for_end(&self) {
        // Nobody gathers where there is no pipe.
        let open = |gathered: &mut Gathered| !gathered.ended && Arc::strong_count(&self.0) > 1;
        drop(
            self.0
                .1
                .wait_timeout_while(self.0.0.lock().unwrap(), PATIENCE, open)
                .unwrap(),
        );
    }
}

/// A call, before it goes out. As the platform makes it, unless told otherwise.
#[derive(Clone)]
pub struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: Option<usize>,
    segment: Option<usize>,
}

impl Call {
    /// Any method and target, without a body.
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

    /// `POST /invoke` with an event.
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

    /// Tells the request's id.
    pub fn request_id(self, id: &str) -> Call {
        self.header("x-fc-request-id", id)
    }

    /// Tells the function's time limit, in seconds.
    pub fn timeout(self, seconds: &str) -> Call {
        self.header("x-fc-function-timeout", seconds)
    }

    /// Sends the platform's headers with empty values, as emulators do.
    pub fn empty_headers(mut self) -> Call {
        let names = "request-id function-name function-timeout function-memory region account-id qualifier \
                     retry-count control-path access-key-id access-key-secret security-token service-name";
        for name in names.split_whitespace() {
            self = self.header(&format!("x-fc-{name}"), "");
        }
        self
    }

    /// Sends the body in chunks of this many bytes, with a chunk extension each and a trailer, instead of telling its
    /// length.
    pub fn chunked(mut self, size: usize) -> Call {
        self.chunk = Some(size);
        self
    }

    /// Sends head and body in TCP segments of this many bytes.
    pub fn fragmented(mut self, size: usize) -> Call {
        self.segment = Some(size);
        self
    }

    /// The bytes on the wire.
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

/// A connection to a function that stays open between calls.
pub struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
    /// Who is told all that comes.
    watch: Option<Arc<Watch>>,
}

impl Caller {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Caller {
        let stream = TcpStream::connect(address).expect("the function listens");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option");
        Caller {
            stream,
            received: Vec::new(),
            watch: None,
        }
    }

    /// Sends an event and waits for the answer.
    pub fn invoke(&mut self, body: impl AsRef<[u8]>) -> Response {
        self.call(&Call::invoke(body))
    }

    /// Sends a call and waits for the answer.
    pub fn call(&mut self, call: &Call) -> Response {
        self.send_call(call);
        self.receive_after(&call.method)
    }

    /// Sends a call and does not wait.
    pub fn send_call(&mut self, call: &Call) {
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

    /// Sends raw bytes to a function that may close meanwhile; tells how many it took.
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

    /// Waits for an answer; `None` when the connection ends without a byte of one.
    pub fn try_receive(&mut self) -> Option<Response> {
        if self.received.is_empty() && !self.fill() {
            return None;
        }
        Some(self.receive())
    }

    /// Waits for an answer.
    pub fn receive(&mut self) -> Response {
        self.receive_after("POST")
    }

    /// Waits for the answer to a request of this method: an answer to `HEAD` has no body.
    pub fn receive_after(&mut self, method: &str) -> Response {
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
                "closed without a whole answer: {:?}",
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
                .expect("every answer tells its length");
            let length: usize = length.parse().expect("a number");
            while self.received.len() < length {
                assert!(self.fill(), "closed within an answer's body");
            }
            response.body = self.received.drain(..length).collect();
        }
        response
    }

    /// Whether something has come within this time, be it the end of the connection.
    pub fn hears_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("an option");
        let result = self.stream.peek(&mut [0]);
        self.stream
            .set_read_timeout(Some(PATIENCE))
            .expect("an option");
        !matches!(result, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Waits for the function to close the connection; fails when it sends anything before, or resets.
    pub fn expect_closed(&mut self) {
        let end = self.stream.read_to_end(&mut self.received);
        assert!(
            matches!(end, Ok(0)) && self.received.is_empty(),
            "{end:?} {:?}",
            String::from_utf8_lossy(&self.received)
        );
    }

    /// Ends the sending side; answers can still be received.
    pub fn finish_sending(&self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("the connection is open");
    }

    /// Ends the connection by a reset. There must be unread bytes from the function: to close then is what resets.
    pub fn reset(self) {
        assert!(
            self.stream.peek(&mut [0]).is_ok_and(|size| size == 1),
            "nothing unread"
        );
    }

    /// False at the end of the connection, also when it was reset.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(size) => {
                self.received.extend_from_slice(&buffer[..size]);
                if let Some(watch) = &self.watch {
                    watch.heard(&buffer[..size]);
                }
                size > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // A machine that was stopped as a whole interrupts calls that would wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// An answer, as it came.
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
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The body of a successful answer: fails unless both HTTP and the platform's own header tell success.
    pub fn success(&self) -> Value {
        assert_eq!(
            (self.status, self.header("x-fc-status")),
            (200, Some("200")),
            "{self:?}"
        );
        self.json()
    }

    /// The `errorType` of a failed answer of this HTTP status, after a look at all that failures have in common.
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

    /// Whether the function says that it closes the connection.
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
