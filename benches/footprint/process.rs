//! Starts a program as the platform does and calls it over one connection.

use crate::pin::{Cpus, pinned};
use crate::sink::length;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The timeout of every wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts programs from a thread on the work CPU, so that the measuring thread can stay on its own.
pub struct Starter {
    orders: Sender<Command>,
    started: Receiver<std::io::Result<(Instant, Child)>>,
    pub cpus: Cpus,
}

impl Starter {
    pub fn new(cpus: Cpus) -> Starter {
        let (orders, to_start) = channel::<Command>();
        let (tell, started) = channel();
        std::thread::spawn(move || {
            pinned(cpus.work);
            for mut command in to_start {
                let begun = Instant::now();
                let child = command.spawn().map(|child| (begun, child));
                if tell.send(child).is_err() {
                    return;
                }
            }
        });
        Starter {
            orders,
            started,
            cpus,
        }
    }

    /// Starts a program and connects to `port` until it accepts. Returns the moment of the start
    /// and the time that it took.
    pub fn start(
        &self,
        mut command: Command,
        port: u16,
    ) -> Result<(Running, TcpStream, Instant, Duration), Box<dyn Error>> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.orders.send(command)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let end = Instant::now() + PATIENCE;
        let stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() > end => break Err("the port was not opened in time")?,
                // On one CPU, polling would take time from the program.
                Err(_) if !self.cpus.are_separate() => {
                    std::thread::sleep(Duration::from_micros(50))
                }
                Err(_) => std::hint::spin_loop(),
            }
        };
        let open = Instant::now();
        let (begun, child) = self.started.recv()??;
        stream.set_nodelay(true)?;
        let took = open.saturating_duration_since(begun);
        Ok((Running { child }, stream, begun, took))
    }
}

/// A running program. Dropping it kills the process.
pub struct Running {
    child: Child,
}

impl Running {
    /// Returns resident memory in KiB, from smaps_rollup, which is exact.
    pub fn rss_kib(&self) -> Result<f64, Box<dyn Error>> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        let number = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        Ok(number.ok_or("smaps_rollup has no Rss")?.trim().parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a free port outside the ephemeral ports: a probe from the port that it probes would
/// connect to itself.
pub fn free_port() -> Result<u16, Box<dyn Error>> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..5_000 {
        let port = 21_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 8_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port between 21000 and 29000".into())
}

/// Returns the platform's request to invoke a function. The timeout is a day, because the clock of
/// the time-lapse build runs ahead.
pub fn invocation(event: &str) -> Vec<u8> {
    format!(
        "POST /invoke HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\n\
         Accept-Encoding: gzip\r\nContent-Type: application/octet-stream\r\nx-fc-control-path: /invoke\r\n\
         x-fc-function-name: ecs-dingtalk-notifier\r\nx-fc-function-timeout: 86400\r\nx-fc-region: cn-hangzhou\r\n\
         x-fc-request-id: 1-67a59f35-150c1267-f381ba1c085c\r\n\r\n{event}",
        event.len()
    )
    .into_bytes()
}

/// One connection to a program.
pub struct Caller {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    pub fn new(stream: TcpStream) -> Result<Caller, Box<dyn Error>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Caller {
            stream,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Polls instead of sleeping while it waits, on another CPU than the program's: waking up takes
    /// longer than some of the measured times.
    pub fn busy_polling(self) -> Result<Caller, Box<dyn Error>> {
        self.stream.set_nonblocking(true)?;
        Ok(self)
    }

    /// Sends a request and receives its response. Fails unless the platform would count a success.
    pub fn call(&mut self, request: &[u8]) -> Result<(), Box<dyn Error>> {
        self.send(request)?;
        self.receive()
    }

    pub fn send(&mut self, request: &[u8]) -> Result<(), Box<dyn Error>> {
        Ok(self.stream.write_all(request)?)
    }

    pub fn receive(&mut self) -> Result<(), Box<dyn Error>> {
        let end = Instant::now() + PATIENCE;
        let mut filled = 0;
        loop {
            match self.stream.read(&mut self.buffer[filled..]) {
                Ok(0) => return Err("the connection was closed".into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < end => {
                    std::hint::spin_loop();
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let received = &self.buffer[..filled];
            if length(received).is_some_and(|length| filled >= length) {
                return if is_success(received) {
                    Ok(())
                } else {
                    Err(format!("not a success: {}", String::from_utf8_lossy(received)).into())
                };
            }
        }
    }
}

/// Returns true if the platform would count the response as a success.
fn is_success(answer: &[u8]) -> bool {
    const FIELD: &[u8] = b"\nx-fc-status: 200\r";
    answer.starts_with(b"HTTP/1.1 200")
        && answer
            .windows(FIELD.len())
            .any(|bytes| bytes.eq_ignore_ascii_case(FIELD))
}
