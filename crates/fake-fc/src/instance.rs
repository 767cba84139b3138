//! A process of a function.

use crate::{Caller, PATIENCE, Transcript};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A running process of a function. Killed on drop.
pub struct Instance {
    child: Child,
    transcript: Transcript,
    port: u16,
    stdout: Lines,
    stderr: Lines,
}

impl Instance {
    /// Starts the command for a free port and waits until it accepts connections.
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
            // Another process may have taken the port meanwhile.
            assert!(
                error.contains("in use"),
                "the process ended before it was ready: {error}"
            );
        }
        panic!("no free port to be had");
    }

    /// Starts a command and does not wait.
    pub fn spawn_command(mut command: Command) -> Instance {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Instance::spawn(command)
    }

    /// Starts a command that listens on `port`, with its output redirected by the caller, and waits
    /// until it accepts connections. Redirected output is not recorded.
    pub fn start_redirected(command: Command, port: u16) -> Instance {
        let mut instance = Instance::spawn(command);
        instance.port = port;
        assert!(instance.wait_until_ready(), "the port was taken meanwhile");
        instance
    }

    fn spawn(mut command: Command) -> Instance {
        command.stdin(Stdio::null());
        let mut child = command.spawn().expect("the process starts");
        let stdout = child.stdout.take().map_or_else(Lines::none, Lines::of);
        let stderr = child.stderr.take().map_or_else(Lines::none, Lines::of);
        Instance {
            child,
            transcript: Transcript::default(),
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

    /// Returns the address where the process listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Opens a connection to the process.
    pub fn caller(&self) -> Caller {
        Caller::recorded(self.address(), self.transcript.clone())
    }

    /// Returns the lines on stdout so far.
    pub fn stdout_lines(&self) -> Vec<String> {
        self.stdout.so_far()
    }

    /// Returns everything on stderr so far.
    pub fn stderr_text(&self) -> String {
        self.stderr.so_far().join("\n")
    }

    /// Waits for line `n` on stdout, counted from 0.
    pub fn wait_for_stdout_line(&self, n: usize, timeout: Duration) -> String {
        self.stdout.wait_for(n, timeout).unwrap_or_else(|| {
            panic!(
                "no line {n} on stdout: {:?}; stderr: {}",
                self.stdout_lines(),
                self.stderr_text()
            )
        })
    }

    /// Waits until stderr holds `text` within a line.
    pub fn wait_for_stderr(&self, text: &str) {
        let holds = |lines: &[String]| lines.iter().any(|line| line.contains(text));
        self.stderr
            .wait_while(PATIENCE, |gathered| !holds(&gathered.lines));
        let stderr = self.stderr_text();
        assert!(stderr.contains(text), "{text:?} is not in {stderr}");
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

    /// Waits for the end of the process and of its output. Returns the exit code, or -1 if a signal
    /// ended the process.
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

    /// Kills the process and returns everything that it has written: output and responses.
    pub fn end(&mut self) -> Vec<u8> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut all = self.transcript.received();
        for pipe in [&self.stdout, &self.stderr] {
            pipe.wait_for_end();
            all.extend_from_slice(b"\n");
            all.extend_from_slice(pipe.so_far().join("\n").as_bytes());
        }
        all
    }

    /// Returns the parts of all identities that calls brought to the process, which must not show
    /// them.
    pub fn identities(&self) -> impl Iterator<Item = String> {
        self.transcript.identities().into_iter()
    }

    /// Returns the present memory of the process in KiB.
    pub fn rss_kb(&self) -> u64 {
        rss_kb(&self.child.id().to_string())
    }

    /// Returns the peak memory of the process in KiB.
    pub fn peak_kb(&self) -> u64 {
        memory_kb(&self.child.id().to_string(), "VmHWM:")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a port that this process has not used, below the range from which the system assigns
/// ports.
///
/// Does not try to listen on it: that could answer the probe of a test that waits for its own
/// process.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static USED: AtomicU32 = AtomicU32::new(0);
    // Other test processes begin elsewhere.
    let begin = std::process::id().wrapping_mul(97);
    let next = begin.wrapping_add(USED.fetch_add(1, Ordering::Relaxed));
    (FIRST + next % COUNT) as u16
}

/// Returns the present memory of a process (`self`, or its id) in KiB.
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

/// The lines of a pipe, read by a thread.
struct Lines(Arc<Shared>);

struct Shared {
    gathered: Mutex<Gathered>,
    changed: Condvar,
}

struct Gathered {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Lines {
        let lines = Lines::new(false);
        let shared = Arc::clone(&lines.0);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                shared.gathered.lock().unwrap().lines.push(line);
                shared.changed.notify_all();
            }
            shared.gathered.lock().unwrap().ended = true;
            shared.changed.notify_all();
        });
        lines
    }

    /// The lines of an output that the caller has redirected.
    fn none() -> Lines {
        Lines::new(true)
    }

    fn new(ended: bool) -> Lines {
        let lines = Vec::new();
        Lines(Arc::new(Shared {
            gathered: Mutex::new(Gathered { lines, ended }),
            changed: Condvar::new(),
        }))
    }

    fn so_far(&self) -> Vec<String> {
        self.0.gathered.lock().unwrap().lines.clone()
    }

    fn wait_for(&self, n: usize, timeout: Duration) -> Option<String> {
        self.wait_while(timeout, |gathered| gathered.lines.len() <= n);
        self.0.gathered.lock().unwrap().lines.get(n).cloned()
    }

    fn wait_for_end(&self) {
        self.wait_while(PATIENCE, |_| true);
    }

    /// Waits while the pipe is open and the condition holds, at most for `timeout`.
    fn wait_while(&self, timeout: Duration, condition: impl Fn(&Gathered) -> bool) {
        let waits = |gathered: &mut Gathered| !gathered.ended && condition(gathered);
        let gathered = self.0.gathered.lock().unwrap();
        let result = self.0.changed.wait_timeout_while(gathered, timeout, waits);
        drop(result.unwrap());
    }
}
