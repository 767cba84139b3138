//! The measurements, one program at a time. Each tells samples; who is measured when, and what comes of
//! the samples, is decided elsewhere.

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

/// Messages that may leave at once at the default pace of a chatbot (a third of 18).
const BURST: usize = 6;
/// Filtered invocations before anything is timed that is called warm.
const WARM_UP: usize = 100;

/// What all measurements need.
pub struct Bench {
    pub sink: Sink,
    pub starter: Starter,
}

/// One start.
pub struct Start {
    /// From fork and exec to the first connection, in µs.
    pub open: f64,
    /// To the first answered invocation, its message delivered, in µs.
    pub answered: f64,
    /// Memory then, in KiB.
    pub rss: f64,
}

/// A number that no event and no chatbot had before.
fn fresh() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn delivered() -> Vec<u8> {
    invocation(&numbered(REBOOT, fresh()))
}

fn filtered() -> Vec<u8> {
    invocation(&numbered(RUNNING, fresh()))
}

fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000.0
}

impl Bench {
    /// Starts a program for a chatbot of its own. Whoever measures is on its own CPU meanwhile.
    fn begin(
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

    /// Checks that a program does what it is measured for: posts what is to be sent, signed, posts
    /// nothing else, and says so.
    pub fn check(&self, program: &Program) -> Result<()> {
        for tls in [false, true] {
            if tls && !program.does_the_job() {
                continue;
            }
            let (_running, stream, ..) = self.begin(program, tls, Roots::Usual)?;
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

    /// Starts a program, has it deliver one event, and ends it.
    pub fn start(&self, program: &Program, tls: bool, roots: Roots) -> Result<Start> {
        let request = delivered();
        let (running, stream, begun, open) = self.begin(program, tls, roots)?;
        let mut caller = Caller::new(stream)?;
        if self.starter.cpus.are_two() {
            caller = caller.restless()?;
        }
        caller.call(&request)?;
        Ok(Start {
            open: us(open),
            answered: us(begun.elapsed()),
            rss: running.rss_kib()?,
        })
    }

    /// A fresh process that is called on one connection, warm but for what only time brings: as many
    /// deliveries as a chatbot takes at once, less the first. Everybody on one CPU. In µs each.
    pub fn burst(&self, program: &Program) -> Result<Vec<f64>> {
        let (_running, stream, ..) = self.begin(program, false, Roots::Usual)?;
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

    /// As [`Bench::burst`], but for so many deliveries to one chatbot, which only programs that keep no
    /// pace can make: the peers, and the time-lapse build.
    pub fn steady(&self, program: &Program, deliveries: usize) -> Result<Vec<f64>> {
        let (_running, stream, ..) = self.begin(program, false, Roots::Usual)?;
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

    /// The webhook alone: a request like the notifier's, answered, without anything in between. In µs each.
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

    /// Memory after the first delivery over TLS and after so many invocations, on one connection, in
    /// KiB. `all` delivers every one; else all but what a chatbot takes at once are filtered.
    pub fn memory(&self, program: &Program, invocations: usize, all: bool) -> Result<(f64, f64)> {
        let (running, stream, ..) = self.begin(program, true, Roots::Usual)?;
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

    /// Filtered invocations a second over so many connections, every one busy all the time. Everybody on
    /// one CPU: between two, it is waking each other up that takes the time.
    pub fn throughput(&self, program: &Program, connections: usize, time: Duration) -> Result<f64> {
        pinned(self.starter.cpus.own);
        let port = free_port()?;
        // The floor would post; without a webhook it just answers.
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

    /// Nanoseconds for one event of work inside a process that is built as the function is.
    pub fn inside(&self, program: &Path, work: &str, events: usize, time: Duration) -> Result<f64> {
        pinned(self.starter.cpus.work);
        let mut command = Command::new(program);
        command.args([work, &events.to_string(), &time.as_millis().to_string()]);
        let out = command.stderr(std::process::Stdio::inherit()).output()?;
        Ok(String::from_utf8(out.stdout)?.trim().parse()?)
    }
}

/// Whether a request carries a valid signature and a message.
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

/// Whether a program takes part in what only programs without a pace can do.
pub fn keeps_no_pace(program: &Program) -> bool {
    program.kind != Kind::Notifier
}
