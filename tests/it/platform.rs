//! Calls the function as Function Compute does: starts the process, probes the port, and invokes
//! over raw connections that stay open.

// Shared by several test modules, none of which uses all of it.
#![allow(dead_code)]

use crate::secrets::SecretScanner;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The timeout of every wait for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running process of the function. Dropping it kills the process and searches its output and
/// responses for the secrets of its environment.
pub struct Instance {
    child: Child,
    scanner: Arc<SecretScanner>,
    port: u16,
    stdout: Lines,
    stderr: Lines,
}

impl Instance {
    /// Starts the function's binary with only these environment variables and a free port, and
    /// waits until it accepts connections.
    pub fn start(env: &[(&str, &str)]) -> Instance {
        Instance::start_command(|port| {
            let mut command = binary(env);
            command.env("FC_SERVER_PORT", port.to_string());
            command
        })
    }

    /// Starts the command that `command` builds for a free port, and waits until it accepts
    /// connections.
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
            // Try another port if a different process has taken this one.
            assert!(
                error.contains("in use"),
                "the process ended before it was ready: {error}"
            );
        }
        panic!("no free port to be had");
    }

    /// Starts the function's binary with only these environment variables and does not wait.
    pub fn spawn(env: &[(&str, &str)]) -> Instance {
        Instance::spawn_command(binary(env))
    }

    /// Starts a command and does not wait.
    pub fn spawn_command(mut command: Command) -> Instance {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Instance::spawn_with_output(command)
    }

    /// Starts the function's binary with output as `redirect` sets it, and waits until it accepts
    /// connections. Redirected output is neither collected nor searched for secrets.
    pub fn start_with_output(env: &[(&str, &str)], redirect: impl Fn(&mut Command)) -> Instance {
        let mut instance = Instance::spawn_with_output({
            let mut command = binary(env);
            redirect(&mut command);
            command
        });
        let port = env.iter().find(|(name, _)| *name == "FC_SERVER_PORT");
        instance.port = port
            .and_then(|(_, port)| port.parse().ok())
            .expect("a port");
        assert!(instance.wait_until_ready(), "the port was taken meanwhile");
        instance
    }

    fn spawn_with_output(mut command: Command) -> Instance {
        command.stdin(Stdio::null());
        let scanner = Arc::new(SecretScanner::for_command(&command));
        let mut child = command.spawn().expect("the process starts");
        let stdout = child.stdout.take().map(Lines::of).unwrap_or_default();
        let stderr = child.stderr.take().map(Lines::of).unwrap_or_default();
        Instance {
            child,
            scanner,
            port: 0,
            stdout,
            stderr,
        }
    }

    /// Probes as the platform and its local emulator do: connects and closes without a byte.
    /// Returns false if the process ends first.
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

    /// Returns the address that the process listens at.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Opens a connection to the process.
    pub fn caller(&self) -> Caller {
        Caller {
            scanner: Some(Arc::clone(&self.scanner)),
            ..Caller::connect(self.address())
        }
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the lines on stdout so far.
    pub fn stdout_lines(&self) -> Vec<String> {
        self.stdout.so_far()
    }

    /// Returns all of stderr so far.
    pub fn stderr_text(&self) -> String {
        self.stderr.so_far().join("\n")
    }

    /// Waits for line number `n` (from 0) on stdout.
    pub fn wait_for_stdout_line(&self, n: usize, timeout: Duration) -> String {
        self.stdout.wait_for(n, timeout).unwrap_or_else(|| {
            panic!(
                "no line {n} on stdout: {:?}; stderr: {}",
                self.stdout_lines(),
                self.stderr_text()
            )
        })
    }

    /// Sends SIGTERM.
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

    /// Waits for the process to end and for the rest of its output. Returns its exit code, or -1 if
    /// a signal ended it.
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

    /// Returns the resident memory of the process in KiB.
    pub fn rss_kb(&self) -> u64 {
        rss_kb(&self.child.id().to_string())
    }

    /// Returns the peak of the resident memory in KiB.
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
            self.scanner.record(pipe.so_far().join("\n").as_bytes());
        }
        self.scanner.assert_no_secret();
    }
}

/// Runs a command of the binary to its end with only these environment variables. Fails if its
/// output holds one of their secrets.
pub fn run<S: AsRef<std::ffi::OsStr>>(
    arguments: &[S],
    env: &[(&str, &str)],
    input: &str,
) -> Output {
    let mut command = binary(env);
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let scanner = SecretScanner::for_command(&command);
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    scanner.record(&output.stdout);
    scanner.record(&output.stderr);
    scanner.assert_no_secret();
    output
}

/// Returns a command for the binary under test with only this environment: the binary that
/// `NOTIFIER_BINARY` names, or the one that cargo built.
pub fn binary(env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(
        std::env::var_os("NOTIFIER_BINARY")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_ecs-dingtalk-notifier").into()),
    );
    command.env_clear().envs(env.iter().copied());
    command
}

/// Returns a port that this process has not used before, below the ephemeral ports.
///
/// It does not check that the port is free: to listen there for a moment could answer the probe of
/// another test that waits for its process on that port.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static USED: AtomicU32 = AtomicU32::new(0);
    // Start at another port in each process that runs these tests.
    let start = std::process::id().wrapping_mul(97);
    let next = start.wrapping_add(USED.fetch_add(1, Ordering::Relaxed));
    (FIRST + next % COUNT) as u16
}

/// Returns the resident memory in KiB of a process: `self` or an id.
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

/// The lines of a pipe, collected by a thread.
#[derive(Default)]
struct Lines(Arc<(Mutex<Collected>, Condvar)>);

#[derive(Default)]
struct Collected {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Lines {
        let shared = Arc::<(Mutex<Collected>, Condvar)>::default();
        let collecting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                collecting.0.lock().unwrap().lines.push(line);
                collecting.1.notify_all();
            }
            collecting.0.lock().unwrap().ended = true;
            collecting.1.notify_all();
        });
        Lines(shared)
    }

    fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    fn wait_for(&self, n: usize, timeout: Duration) -> Option<String> {
        let is_missing = |collected: &mut Collected| collected.lines.len() <= n && !collected.ended;
        let collected = self
            .0
            .1
            .wait_timeout_while(self.0.0.lock().unwrap(), timeout, is_missing)
            .unwrap()
            .0;
        collected.lines.get(n).cloned()
    }

    fn wait_for_end(&self) {
        // Without a pipe there is no thread, and no second reference.
        let open = |collected: &mut Collected| !collected.ended && Arc::strong_count(&self.0) > 1;
        drop(
            self.0
                .1
                .wait_timeout_while(self.0.0.lock().unwrap(), PATIENCE, open)
                .unwrap(),
        );
    }
}

/// A call to send. The defaults are those of the platform.
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
    /// Returns a call with this method and target and no body.
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

    /// Returns a `POST /invoke` with this payload.
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

    /// Sets the function's timeout in seconds.
    pub fn timeout(self, seconds: &str) -> Call {
        self.header("x-fc-function-timeout", seconds)
    }

    /// Adds the platform's headers with empty values, as emulators do.
    pub fn empty_headers(mut self) -> Call {
        let names = "request-id function-name function-timeout function-memory region account-id qualifier \
                     retry-count control-path access-key-id access-key-secret security-token service-name";
        for name in names.split_whitespace() {
            self = self.header(&format!("x-fc-{name}"), "");
        }
        self
    }

    /// Sends the body in chunks of this many bytes, each with an extension, and a trailer.
    pub fn chunked(mut self, size: usize) -> Call {
        self.chunk = Some(size);
        self
    }

    /// Sends head and body in TCP segments of this many bytes.
    pub fn fragmented(mut self, size: usize) -> Call {
        self.segment = Some(size);
        self
    }

    /// Returns the bytes to send.
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

/// A connection to the function that stays open between calls.
pub struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
    /// Records everything received.
    scanner: Option<Arc<SecretScanner>>,
}

impl Caller {
    /// Connects to this address.
    pub fn connect(address: SocketAddr) -> Caller {
        let stream = TcpStream::connect(address).expect("the function listens");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option");
        Caller {
            stream,
            received: Vec::new(),
            scanner: None,
        }
    }

    /// Invokes with this payload and waits for the response.
    pub fn invoke(&mut self, body: impl AsRef<[u8]>) -> Response {
        self.call(&Call::invoke(body))
    }

    /// Sends a call and waits for the response.
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

    /// Sends raw bytes to a function that may close the connection. Returns how many it accepted.
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

    /// Waits for a response.
    pub fn receive(&mut self) -> Response {
        self.receive_after("POST")
    }

    /// Waits for the response to a request of this method. A response to `HEAD` has no body.
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
                .expect("every response has a length");
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

    /// Waits for the function to close the connection. Fails if it sends bytes first, or resets.
    pub fn expect_closed(&mut self) {
        let end = self.stream.read_to_end(&mut self.received);
        assert!(
            matches!(end, Ok(0)) && self.received.is_empty(),
            "{end:?} {:?}",
            String::from_utf8_lossy(&self.received)
        );
    }

    /// Closes the sending side. Responses can still be received.
    pub fn finish_sending(&self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("the connection is open");
    }

    /// Resets the connection. There must be unread bytes from the function: closing causes a reset
    /// then.
    pub fn reset(self) {
        assert!(
            self.stream.peek(&mut [0]).is_ok_and(|size| size == 1),
            "nothing unread"
        );
    }

    /// Reads once. Returns false at the end of the connection or after a reset.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(size) => {
                self.received.extend_from_slice(&buffer[..size]);
                if let Some(scanner) = &self.scanner {
                    scanner.record(&buffer[..size]);
                }
                size > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // Happens when the whole machine was suspended.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// A received response.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The content without framing.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Returns the body of a success. Fails unless HTTP and the platform's header say success.
    pub fn success(&self) -> Value {
        assert_eq!(
            (self.status, self.header("x-fc-status")),
            (200, Some("200")),
            "{self:?}"
        );
        self.json()
    }

    /// Returns the `errorType` of a failure with this HTTP status. Fails unless the response is a
    /// complete failure.
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

    /// Returns true if the function announces to close the connection.
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
