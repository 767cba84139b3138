//! The measurements of one program. Each returns samples; `main` selects the order, `report`
//! evaluates the samples.

use crate::pin::pinned;
use crate::process::{Caller, Running, Starter, free_port, invocation};
use crate::programs::{Kind, Program, Roots, SECRET};
use crate::sink::{Sink, direct, length};
use benches::work::{REBOOT, RUNNING, numbered};
use ecs_dingtalk_notifier::channel::dingtalk::{Secret, sign};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The burst that the default rate limit allows: a third of 18.
const BURST: usize = 6;
/// Filtered invocations before a warm measurement.
const WARM_UP: usize = 100;

/// The parts that all measurements share.
pub struct Bench {
    pub sink: Sink,
    pub starter: Starter,
}

/// The samples of one start.
pub struct Start {
    /// From fork and exec to the first connection, in µs.
    pub open: f64,
    /// From fork and exec to the answer of the first invocation, which delivers, in µs.
    pub answered: f64,
    /// Resident memory afterwards, in KiB.
    pub rss: f64,
}

/// Returns a new number for an event or a chatbot.
fn fresh() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Returns an invocation with an event that is delivered.
fn delivered() -> Vec<u8> {
    invocation(&numbered(REBOOT, fresh()))
}

/// Returns an invocation with an event that is filtered.
fn filtered() -> Vec<u8> {
    invocation(&numbered(RUNNING, fresh()))
}

fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000.0
}

impl Bench {
    /// Starts a program for a new chatbot, with this thread on its own CPU.
    fn launch(
        &self,
        program: &Program,
        tls: bool,
        roots: Roots,
    ) -> Result<(Running, TcpStream, Instant, Duration)> {
        pinned(self.starter.cpus.own);
        let port = free_port()?;
        let webhook = self.sink.webhook(tls, fresh());
        self.starter.start(
            program.command(port, Some(&webhook), &self.sink, roots),
            port,
        )
    }

    /// Checks that a program does its job: posts events that are not filtered, signed, and nothing
    /// else, and answers with success.
    pub fn check(&self, program: &Program) -> Result<()> {
        for tls in [false, true] {
            if tls && !program.does_the_job() {
                continue;
            }
            let (_running, stream, ..) = self.launch(program, tls, Roots::Usual)?;
            let mut caller = Caller::new(stream)?;
            self.sink.record(true);
            let before = self.sink.posts();
            caller.call(&delivered())?;
            if program.does_the_job() {
                caller.call(&filtered())?;
                is_signed(&self.sink.last())?;
            }
            self.sink.record(false);
            self.expect_posts(program, before, 1)?;
        }
        Ok(())
    }

    fn expect_posts(&self, program: &Program, before: usize, expected: usize) -> Result<()> {
        match self.sink.posts() - before {
            posts if posts == expected => Ok(()),
            posts => Err(format!(
                "{} posted {posts} messages instead of {expected}",
                program.name()
            )
            .into()),
        }
    }

    /// Starts a program, delivers one event, and ends the program.
    pub fn start(&self, program: &Program, tls: bool, roots: Roots) -> Result<Start> {
        let request = delivered();
        let (running, stream, begun, open) = self.launch(program, tls, roots)?;
        let mut caller = Caller::new(stream)?;
        if self.starter.cpus.are_separate() {
            caller = caller.busy_polling()?;
        }
        caller.call(&request)?;
        Ok(Start {
            open: us(open),
            answered: us(begun.elapsed()),
            rss: running.rss_kib()?,
        })
    }

    /// Times the deliveries of one burst but the first, in a warmed-up process over one connection,
    /// all on one CPU. In µs each.
    pub fn burst(&self, program: &Program) -> Result<Vec<f64>> {
        let (_running, stream, ..) = self.launch(program, false, Roots::Usual)?;
        let mut caller = Caller::new(stream)?;
        pinned(self.starter.cpus.work);
        if program.does_the_job() {
            self.repeat(&mut caller, WARM_UP, filtered)?;
        }
        let before = self.sink.posts();
        let samples = self.repeat(&mut caller, BURST, delivered)?;
        self.expect_posts(program, before, BURST)?;
        Ok(samples.into_iter().skip(1).collect())
    }

    /// Times many deliveries to one chatbot. Only programs without a rate limit can make them: the
    /// peers, and the time-lapse build.
    pub fn steady(&self, program: &Program, deliveries: usize) -> Result<Vec<f64>> {
        let (_running, stream, ..) = self.launch(program, false, Roots::Usual)?;
        let mut caller = Caller::new(stream)?;
        pinned(self.starter.cpus.work);
        let before = self.sink.posts();
        let samples = self.repeat(&mut caller, WARM_UP + deliveries, delivered)?;
        self.expect_posts(program, before, WARM_UP + deliveries)?;
        Ok(samples.into_iter().skip(WARM_UP).collect())
    }

    fn repeat(
        &self,
        caller: &mut Caller,
        times: usize,
        request: fn() -> Vec<u8>,
    ) -> Result<Vec<f64>> {
        let requests: Vec<_> = (0..times).map(|_| request()).collect();
        let mut samples = Vec::with_capacity(times);
        for request in &requests {
            let begun = Instant::now();
            caller.call(request)?;
            samples.push(us(begun.elapsed()));
        }
        Ok(samples)
    }

    /// Times the webhook alone with requests like the notifier's. In µs each.
    pub fn webhook(&self, times: usize) -> Result<Vec<f64>> {
        pinned(self.starter.cpus.work);
        let mut stream = direct(&self.sink)?;
        let body = "x".repeat(1_200);
        let request = format!(
            "POST /robot/send HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut buffer = vec![0; 4_096];
        let mut samples = Vec::new();
        for _ in 0..times {
            let begun = Instant::now();
            stream.write_all(request.as_bytes())?;
            let mut filled = 0;
            while length(&buffer[..filled]).is_none_or(|length| filled < length) {
                match stream.read(&mut buffer[filled..])? {
                    0 => return Err("the webhook closed the connection".into()),
                    read => filled += read,
                }
            }
            samples.push(us(begun.elapsed()));
        }
        Ok(samples)
    }

    /// Returns memory in KiB after the first delivery over TLS and after this many invocations over
    /// one connection. `all` delivers every event; otherwise all but one burst are filtered.
    pub fn memory(&self, program: &Program, invocations: usize, all: bool) -> Result<(f64, f64)> {
        let (running, stream, ..) = self.launch(program, true, Roots::Usual)?;
        let mut caller = Caller::new(stream)?;
        pinned(self.starter.cpus.work);
        let before = self.sink.posts();
        caller.call(&delivered())?;
        let first = running.rss_kib()?;
        let deliveries = if all {
            invocations
        } else {
            BURST.min(invocations)
        };
        for _ in 1..deliveries {
            caller.call(&delivered())?;
        }
        for _ in deliveries..invocations {
            caller.call(&filtered())?;
        }
        self.expect_posts(program, before, deliveries)?;
        Ok((first, running.rss_kib()?))
    }

    /// Returns filtered invocations a second over this many busy connections. All on one CPU: with
    /// two, waking each other would take most of the time.
    pub fn throughput(&self, program: &Program, connections: usize, time: Duration) -> Result<f64> {
        pinned(self.starter.cpus.own);
        let port = free_port()?;
        // The forwarder does not filter. Without a webhook it answers at once.
        let webhook = self.sink.webhook(false, fresh());
        let webhook = program.does_the_job().then_some(webhook.as_str());
        let command = program.command(port, webhook, &self.sink, Roots::Usual);
        let (_running, stream, ..) = self.starter.start(command, port)?;
        let mut callers = vec![Caller::new(stream)?];
        while callers.len() < connections {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            callers.push(Caller::new(stream)?);
        }
        pinned(self.starter.cpus.work);
        let requests: Vec<_> = (0..connections).map(|_| filtered()).collect();
        let before = self.sink.posts();
        let mut answered = 0;
        let mut begun = Instant::now();
        for (caller, request) in callers.iter_mut().zip(&requests) {
            caller.send(request)?;
        }
        let warm = WARM_UP.max(4 * connections);
        while answered < warm || begun.elapsed() < time {
            for (caller, request) in callers.iter_mut().zip(&requests) {
                caller.receive()?;
                caller.send(request)?;
                answered += 1;
                if answered == warm {
                    begun = Instant::now();
                }
            }
        }
        let rate = (answered - warm) as f64 / begun.elapsed().as_secs_f64();
        for caller in &mut callers {
            caller.receive()?;
        }
        self.expect_posts(program, before, 0)?;
        Ok(rate)
    }

    /// Returns nanoseconds for one event of work inside a process that is built like the function.
    pub fn inside(&self, program: &Path, work: &str, events: usize, time: Duration) -> Result<f64> {
        pinned(self.starter.cpus.work);
        let mut command = Command::new(program);
        command.args([work, &events.to_string(), &time.as_millis().to_string()]);
        let out = command.stderr(std::process::Stdio::inherit()).output()?;
        Ok(String::from_utf8(out.stdout)?.trim().parse()?)
    }
}

/// Checks that a request carries a valid signature and a message.
fn is_signed(request: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(request);
    let parameter = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        rest.split(['&', ' ']).next()
    };
    let timestamp = parameter("timestamp=").ok_or("no timestamp")?.parse()?;
    let signature = parameter("sign=").ok_or("no signature")?;
    let signature = signature
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    if signature != sign(timestamp, &Secret::parse(SECRET)?) {
        return Err("the signature is wrong".into());
    }
    let has_message = text.contains("\"msgtype\"") && text.contains("Instance");
    if has_message {
        Ok(())
    } else {
        Err("there is no message in the request".into())
    }
}

/// Returns true if the program can deliver without a rate limit.
pub fn has_no_rate_limit(program: &Program) -> bool {
    program.kind != Kind::Notifier
}
