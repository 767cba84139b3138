//! Serves the page and its endpoints over HTTP/1.1 on loopback.
//!
//! Every program on this machine may use it, but no other page in a browser: a host name that
//! resolves to loopback is refused by `Host`, a request of another origin by `Origin` and content
//! type.

use crate::burst::{Bursts, Plan};
use crate::chats;
use crate::clock::{self, Goal};
use crate::cloud::Access;
use crate::faults::GroupFault;
use crate::lab::Lab;
use crate::samples::fresh;
use crate::settings::{Problem, Settings};
use fake_dingtalk::http::{self, Request};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The preferred port; a free one is used if it is taken.
const PORT: u16 = 9010;
/// In bytes.
const MAX_BODY: usize = 1 << 20;
/// The timeout of a read or write.
const IO_TIMEOUT: Duration = Duration::from_secs(60);
/// A stream without entries sends a comment after this time, to detect a closed connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Allows files of this server only, nothing inline, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page's files: path, content type, content.
const FILES: [(&str, &str, &str); 5] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("page/page.html"),
    ),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page/page.css"),
    ),
    (
        "/page.js",
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    ),
    (
        "/words.js",
        "text/javascript; charset=utf-8",
        include_str!("page/words.js"),
    ),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// Serves the page in the background. Returns its URL.
///
/// # Errors
/// If there is no port to listen on.
pub fn serve(lab: Arc<Lab>) -> io::Result<String> {
    let listener =
        TcpListener::bind(("127.0.0.1", PORT)).or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let site = Arc::new(Site {
        lab,
        bursts: Arc::default(),
        address,
    });
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let site = Arc::clone(&site);
            // A broken connection has no effect on others.
            std::thread::spawn(move || site.connection(stream));
        }
    });
    Ok(format!("http://{address}/"))
}

struct Site {
    lab: Arc<Lab>,
    bursts: Arc<Bursts>,
    address: SocketAddr,
}

/// An HTTP status and a JSON body.
type Answer = (u16, Value);

impl Site {
    fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(IO_TIMEOUT))?;
        stream.set_write_timeout(Some(IO_TIMEOUT))?;
        let mut left = Vec::new();
        while let Some(request) = http::read(&mut stream, &mut left)? {
            if let Some(problem) = self.refusal(&request) {
                let body = json!({ "problem": problem });
                return write(
                    &mut stream,
                    403,
                    "application/json",
                    body.to_string().as_bytes(),
                );
            }
            let path = request.path();
            let file = FILES.iter().find(|(name, ..)| *name == path);
            match (request.method.as_str(), file) {
                ("GET", Some((_, kind, text))) => write(&mut stream, 200, kind, text.as_bytes())?,
                ("GET", None) if path == "/events" => return self.stream(stream, &request),
                (method, _) => {
                    let (status, body) = self.answer(method, &request);
                    let body = body.to_string();
                    write(&mut stream, status, "application/json", body.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Returns the reason if a request may come from another page.
    fn refusal(&self, request: &Request) -> Option<&'static str> {
        let port = self.address.port();
        let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let host = request.header("host").unwrap_or_default();
        if !hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Some("this is the playground, at 127.0.0.1 or localhost only");
        }
        if request.method == "GET" {
            return None;
        }
        let is_own = |origin: &str| {
            let host_of = origin.strip_prefix("http://");
            host_of.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        };
        let site = request.header("sec-fetch-site").unwrap_or("none");
        if request
            .header("origin")
            .is_some_and(|origin| !is_own(origin))
            || !["same-origin", "none"].contains(&site)
        {
            return Some("requests from other pages are refused");
        }
        // Other pages can post forms, but not JSON without a preflight request.
        let kind = request.header("content-type").unwrap_or_default();
        let is_json = kind.split(';').next() == Some("application/json");
        (!is_json).then_some("write Content-Type: application/json")
    }

    fn answer(&self, method: &str, request: &Request) -> Answer {
        if request.body.len() > MAX_BODY {
            return (413, json!({"problem": "too long"}));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let lab = &self.lab;
        match (method, request.path()) {
            ("GET", "/about") => (200, lab.about()),
            ("GET", "/invocation") => {
                let number = request.query("number").and_then(|text| text.parse().ok());
                let detail = number.and_then(|number| lab.invocations.detail(number));
                found_or_404(detail)
            }
            ("GET", "/sample") => {
                let file = request.query("file").unwrap_or_default();
                let sample = lab.samples.iter().find(|sample| sample.file == file);
                found_or_404(
                    sample.map(|sample| json!({"json": fresh(&sample.text, lab.clock.time())})),
                )
            }
            ("POST", "/fire") => {
                let file = body["file"].as_str();
                let sample = lab.samples.iter().find(|s| Some(s.file.as_str()) == file);
                let payload = match (sample, body["json"].as_str()) {
                    (Some(sample), _) => fresh(&sample.text, lab.clock.time()),
                    (None, Some(own)) => own.to_owned(),
                    (None, None) => return found_or_404(None),
                };
                self.fire(payload)
            }
            ("POST", "/repeat") => match lab.last() {
                Some(payload) => self.fire(payload),
                None => (409, json!({"problem": "nothing was sent yet"})),
            },
            ("POST", "/time") => {
                let goal = Goal::parse(body["to"].as_str().unwrap_or_default());
                match goal.and_then(|goal| lab.move_clock(goal)) {
                    Ok(at) if body["tick"] == true => self.fire(clock::tick(at)),
                    other => result_of(other.map(drop)),
                }
            }
            ("POST", "/burst") => {
                let plan = Plan {
                    count: body["count"].as_u64().unwrap_or_default() as usize,
                    seconds: body["seconds"].as_f64().unwrap_or(f64::NAN),
                    mixed: body["mixed"] == true,
                };
                match self.bursts.start(lab, plan) {
                    Ok(()) => (202, json!({})),
                    Err(problem) => (409, json!({ "problem": problem })),
                }
            }
            ("POST", "/burst/stop") => {
                self.bursts.stop();
                (200, json!({}))
            }
            ("POST", "/configure") => {
                result_of(lab.configure(Settings::from_json(&body, lab.chat())))
            }
            ("POST", "/chat") => match body["chat"].as_str().and_then(chats::by_id) {
                Some(chat) => result_of(lab.set_chat(chat)),
                None => found_or_404(None),
            },
            ("POST", "/break") => {
                let fault = body["fault"].as_str();
                match fault.and_then(|name| GroupFault::by_name(lab.chat(), name)) {
                    Some(fault) => result_of(lab.set_fault(fault)),
                    None => found_or_404(None),
                }
            }
            ("POST", "/access") => match body["access"].as_str().and_then(Access::by_name) {
                Some(access) => result_of(lab.set_access(access)),
                None => found_or_404(None),
            },
            ("POST", "/restart") => result_of(lab.restart()),
            _ => found_or_404(None),
        }
    }

    /// Sends a payload in the background. The stream carries the result.
    fn fire(&self, payload: String) -> Answer {
        let lab = Arc::clone(&self.lab);
        std::thread::spawn(move || {
            lab.fire(&payload, None);
        });
        (202, json!({}))
    }

    /// Sends server-sent events: the entries after the page's last one, then new ones.
    fn stream(&self, mut stream: TcpStream, request: &Request) -> io::Result<()> {
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n{}\r\nretry: 500\n\n",
            headers()
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect::<String>()
        )?;
        let run = self.lab.run;
        let last = request.header("last-event-id").unwrap_or_default();
        let mut seen = last
            .strip_prefix(&format!("{run}-"))
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        loop {
            let entries = self.lab.journal.after(seen, HEARTBEAT);
            let mut text = String::new();
            for (number, entry) in &entries {
                seen = *number;
                text.push_str(&format!("id: {run}-{number}\ndata: {entry}\n\n"));
            }
            if text.is_empty() {
                text.push_str(": heartbeat\n\n");
            }
            stream.write_all(text.as_bytes())?;
        }
    }
}

fn found_or_404(value: Option<Value>) -> Answer {
    match value {
        Some(value) => (200, value),
        None => (404, json!({"problem": "not found"})),
    }
}

fn result_of(result: Result<(), Problem>) -> Answer {
    match result {
        Ok(()) => (200, json!({})),
        Err(problem) => {
            let faults = match &problem {
                Problem::Faults(faults) => faults.as_slice(),
                Problem::Playground(_) => &[],
            };
            let variables: Vec<&str> = faults.iter().map(|f| f.variable.as_str()).collect();
            (
                422,
                json!({"problem": problem.text(), "variables": variables}),
            )
        }
    }
}

fn headers() -> Vec<(String, String)> {
    [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn write(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
    http::write(stream, status, kind, &headers(), body)
}
