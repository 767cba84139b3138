//! A program under measurement: started as the platform starts it, and called over one connection.

use crate::pin::{Cpus, pinned};
use crate::sink::length;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// How long anything that must happen is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts programs from a thread that stays on the work CPU, so that whoever measures need not go there.
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

    /// Starts a program that listens at `port` and calls on it until it accepts. Tells how long that took.
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
                // Whoever measures must not take the time of what is measured.
                Err(_) if !self.cpus.are_two() => std::thread::sleep(Duration::from_micros(50)),
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

/// A running program. Killed when dropped.
pub struct Running {
    child: Child,
}

impl Running {
    /// Memory that it holds at present, in KiB, as exactly as the system knows.
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

/// A port that is free now, outside the range from which the system takes ports for those who
/// connect: a probe that is given the very port it probes connects to itself.
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

/// The request that invokes a function, as the platform sends it. The time limit is a day, because the
/// clock of the time-lapse build runs ahead.
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

    /// Reads without ever sleeping, from another CPU than the program's: to be woken takes longer than
    /// some of what is measured.
    pub fn restless(self) -> Result<Caller, Box<dyn Error>> {
        self.stream.set_nonblocking(true)?;
        Ok(self)
    }

    /// Sends a request and takes its answer; an error where it is no success in the platform's terms.
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

/// Whether an answer is a success in the platform's terms.
fn is_success(answer: &[u8]) -> bool {
    const FIELD: &[u8] = b"\nx-fc-status: 200\r";
    answer.starts_with(b"HTTP/1.1 200")
        && answer
            .windows(FIELD.len())
            .any(|bytes| bytes.eq_ignore_ascii_case(FIELD))
}
