//! Tests of the playground's real binary: over plain HTTP here, in a real browser in `page`.

mod browser;
mod chat_page;
mod chats;
mod page;
mod time;

use crate::platform::{Instance, PATIENCE};
use crate::samples::{REBOOT, STOPPED, sample};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

/// A running playground. Dropping it kills the process.
pub struct Playground {
    /// Killed when dropped.
    _process: Instance,
    /// `http://127.0.0.1:…`, without a trailing slash.
    pub url: String,
}

impl Playground {
    /// Starts the playground and waits until it has sent its first samples.
    pub fn start(env: &[(&str, &str)]) -> Playground {
        let mut command = Command::new(example());
        command.env_clear().envs(env.iter().copied());
        let process = Instance::spawn_command(command);
        let first = process.wait_for_stdout_line(0, PATIENCE);
        let url = first.strip_prefix("See the group on a page at   ");
        let url = url.unwrap_or_else(|| panic!("no address of a page: {first}"));
        let mut line = 0;
        while !process
            .wait_for_stdout_line(line, PATIENCE)
            .contains("Your turn")
        {
            line += 1;
        }
        Playground {
            url: url.trim_end_matches('/').to_owned(),
            _process: process,
        }
    }

    /// Returns host and port.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Sends a request on a new connection. Returns status, head and body of the response.
    fn request(&self, head: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = head.replace('\n', "\r\n");
        let length = body.len();
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    /// Posts JSON as the page does.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let host = self.host();
        let head = format!(
            "POST {path} HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nSec-Fetch-Site: same-origin\nContent-Type: application/json"
        );
        let (status, _, body) = self.request(&head, &body.to_string());
        (status, serde_json::from_str(&body).unwrap())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let (status, _, body) =
            self.request(&format!("GET {path} HTTP/1.1\nHost: {}", self.host()), "");
        (status, serde_json::from_str(&body).unwrap())
    }

    /// Opens the event stream from its first entry.
    fn events(&self) -> EventStream {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = self.host();
        write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        EventStream(BufReader::new(stream))
    }
}

struct EventStream(BufReader<TcpStream>);

impl EventStream {
    /// Waits for an entry of this type for which `is_it` holds.
    fn next(&mut self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut line = String::new();
        while Instant::now() < end {
            line.clear();
            self.0.read_line(&mut line).expect("an entry in time");
            let entry = line.strip_prefix("data: ").map(serde_json::from_str);
            if let Some(Ok::<Value, _>(entry)) = entry
                && entry["type"] == kind
                && is_it(&entry)
            {
                return entry;
            }
        }
        panic!("no {kind} in time");
    }
}

/// Returns the example's binary. `cargo test --test it` does not build it, so this does.
fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        // …/target/debug/deps/it-0123456789abcdef
        let this = std::env::current_exe().unwrap();
        let profile = this.parent().and_then(Path::parent).unwrap();
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("CARGO_TARGET_DIR", profile.parent().unwrap())
            .args(["build", "--quiet", "--locked", "--example", "playground"]);
        // Remove the variables that cargo sets for a test: build scripts would run again for them.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let prefixes = [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
            ];
            if text == "OUT_DIR" || prefixes.iter().any(|prefix| text.starts_with(prefix)) {
                build.env_remove(&name);
            }
        }
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let status = build.status().expect("cargo runs");
        assert!(status.success(), "the example `playground` does not build");
        profile.join("examples/playground")
    })
}

#[test]
fn requests_from_other_hosts_and_origins_are_refused() {
    let playground = Playground::start(&[]);
    let host = playground.host();
    let port = host.split(':').nth(1).unwrap();
    for (name, status) in [
        (host, 200),
        (&format!("localhost:{port}"), 200),
        (&format!("evil.example:{port}"), 403),
        ("127.0.0.1", 403),
        ("", 403),
    ] {
        for path in ["/", "/about", "/page.js"] {
            let head = format!("GET {path} HTTP/1.1\nHost: {name}");
            assert_eq!(playground.request(&head, "").0, status, "{name} {path}");
        }
    }
    let (_, head, _) = playground.request(&format!("GET / HTTP/1.1\nHost: {host}"), "");
    for part in [
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';",
        "X-Content-Type-Options: nosniff",
        "Cross-Origin-Resource-Policy: same-origin",
    ] {
        assert!(head.contains(part), "{head}");
    }

    let json = "Content-Type: application/json";
    for (headers, status) in [
        (json.to_owned(), 202),
        (format!("{json}\nOrigin: http://{host}"), 202),
        (format!("{json}\nOrigin: http://evil.example"), 403),
        (format!("{json}\nOrigin: http://127.0.0.1:1"), 403),
        (format!("{json}\nOrigin: https://{host}"), 403),
        (format!("{json}\nOrigin: null"), 403),
        (format!("{json}\nSec-Fetch-Site: cross-site"), 403),
        ("Content-Type: text/plain".to_owned(), 403),
        ("Accept: */*".to_owned(), 403),
    ] {
        let head = format!("POST /repeat HTTP/1.1\nHost: {host}\n{headers}");
        assert_eq!(playground.request(&head, "{}").0, status, "{headers}");
    }
    // The server does not listen on other addresses of this machine.
    let elsewhere = format!("127.0.0.2:{port}");
    assert!(TcpStream::connect(elsewhere).is_err());
}

#[test]
fn a_fired_event_appears_as_invocation_call_and_message() {
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    let mut events = playground.events();
    assert_eq!(playground.post("/fire", &json!({"file": STOPPED})).0, 202);
    let is_new = |invocation: &Value| invocation["number"] == 7 && invocation["status"] == 200;
    let invocation = events.next("invocation", is_new);
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    assert_eq!(invocation["rules"], json!(["EVENT_INCLUDE"]));
    let uuid = invocation["uuids"][0].as_str().unwrap();
    let mut events = playground.events();
    let message = events.next("message", |message| message["uuid"] == uuid);
    assert_eq!(
        message["title"],
        "🔵 Instance status changed · Stopped · test-host-01"
    );

    let (_, detail) = playground.get("/invocation?number=7");
    assert!(detail["request"].as_str().unwrap().contains("\"Stopped\""));
    assert_eq!(detail["answer"]["status"], 200);
    assert_eq!(detail["log"][0]["requestId"], detail["requestId"]);
    assert_eq!(detail["calls"][0]["bytes"], message["bytes"]);
    assert!(message["bytes"].as_u64().unwrap() > 500);

    // A repeat is a duplicate; firing the same sample again is a new event.
    playground.post("/repeat", &json!({}));
    let repeat = events.next("invocation", |i| i["number"] == 8 && i["status"] == 200);
    assert_eq!(repeat["outcomes"], json!(["duplicate"]));
    playground.post("/fire", &json!({"file": STOPPED}));
    let again = events.next("invocation", |i| i["number"] == 9 && i["status"] == 200);
    assert_eq!(again["outcomes"], json!(["delivered"]));

    // Invocations of other callers are shown, too.
    let (_, about) = playground.get("/about");
    let answer = ureq::post(about["invokeUrl"].as_str().unwrap())
        .send(sample(STOPPED))
        .unwrap();
    assert_eq!(answer.status(), 200);
    let guest = events.next("invocation", |i| i["ours"] == false && i["status"] == 200);
    assert_eq!(guest["outcomes"], json!(["delivered"]));

    for (path, body, status) in [
        ("/fire", json!({"file": "../Cargo.toml"}), 404),
        ("/break", json!({"fault": "everything"}), 404),
        ("/burst", json!({"count": 0, "seconds": 1}), 409),
        ("/burst", json!({"count": 1001, "seconds": 1}), 409),
        ("/burst", json!({"count": 5}), 409),
        ("/nothing", json!({}), 404),
    ] {
        assert_eq!(playground.post(path, &body).0, status, "{path} {body}");
    }
}

#[test]
fn settings_are_checked_like_the_functions_configuration() {
    let playground = Playground::start(&[]);
    let configure = |vars: Value, more: &str| {
        let form = json!({"vars": vars, "signing": true, "fallback": false, "more": more});
        let (status, answer) = playground.post("/configure", &form);
        (
            status,
            answer["problem"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let vars = json!({"EVENT_LEVELS": "SEVERE", "DINGTALK_RATE_LIMIT": "99"});
    let (status, problem) = configure(vars, "EVENT_LEVEL=INFO");
    assert_eq!(status, 422);
    assert_eq!(
        problem,
        checked(&[
            ("EVENT_LEVELS", "SEVERE"),
            ("DINGTALK_RATE_LIMIT", "99"),
            ("EVENT_LEVEL", "INFO")
        ])
    );
    assert_eq!(problem.lines().count(), 3, "{problem}");

    let (status, problem) = configure(
        json!({}),
        "DINGTALK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef'",
    );
    assert_eq!(status, 422);
    assert!(problem.contains("is not in this group"), "{problem}");
    assert!(!problem.contains("0123456789abcdef"), "{problem}");
    assert_eq!(configure(json!({}), "no assignment").0, 422);
    for name in ["RESOURCE_ENDPOINT", "RESOURCE_STS_ENDPOINT"] {
        let (status, problem) = configure(json!({}), &format!("{name}=https://api.example"));
        assert_eq!(status, 422, "{name}");
        assert!(
            problem.contains("is not this playground's API"),
            "{problem}"
        );
    }

    let vars = json!({"EVENT_LEVELS": "INFO", "MESSAGE_TIME_ZONE": "Europe/Berlin"});
    assert_eq!(configure(vars, ""), (200, String::new()));
    let mut events = playground.events();
    let state = events.next("state", |_| true);
    assert_eq!(
        state["env"],
        "DINGTALK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token='\nDINGTALK_SECRET='SEC'\nEVENT_LEVELS='INFO'\nMESSAGE_TIME_ZONE='Europe/Berlin'\n"
    );
    playground.post("/fire", &json!({"file": STOPPED}));
    let invocation = events.next("invocation", |i| i["number"] == 7 && i["status"] == 200);
    assert_eq!(invocation["rules"], json!(["EVENT_LEVELS"]));
}

/// The faults pass through the real function, and it delivers again after each.
#[test]
fn each_fault_of_the_group_has_its_own_remedy() {
    let playground = Playground::start(&[]);
    let mut events = playground.events();
    let mut number = 6;
    let mut fire = |events: &mut EventStream| {
        number += 1;
        playground.post("/fire", &json!({"file": STOPPED}));
        events.next("invocation", |i| {
            i["number"] == number && !i["status"].is_null()
        })
    };
    for (fault, error_type, remedy) in [
        ("keyword", "Refused", "DINGTALK_KEYWORD"),
        ("secret", "Refused", "DINGTALK_SECRET"),
        ("clock", "Refused", "clock"),
        ("token", "Refused", "no such access_token"),
        ("stopped", "Refused", "the chatbot is disabled"),
        ("removed", "Refused", "no longer in the group"),
        ("dissolved", "Refused", "the group was dissolved"),
        ("address", "Refused", "listed addresses"),
        ("policy", "Refused", "content policy"),
    ] {
        let (status, _) = playground.post("/break", &json!({"fault": fault}));
        assert_eq!(status, 200, "{fault}");
        let invocation = fire(&mut events);
        assert_eq!(invocation["errorType"], error_type, "{fault}");
        let text = invocation["remedies"][0].as_str().unwrap();
        assert!(text.contains(remedy), "{fault}: {text}");
        // Reset the rate limit.
        playground.post("/restart", &json!({}));
    }
    // When an answer is lost, the retry does not show the message again.
    playground.post("/break", &json!({"fault": "lost"}));
    let invocation = fire(&mut events);
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    let detail = format!("/invocation?number={}", invocation["number"]);
    let calls = playground.get(&detail).1["calls"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 2, "{calls}");
    assert_eq!(calls[1]["duplicate"], true);

    // After a ban the function sends nothing, and the page says so until a restart.
    playground.post("/break", &json!({"fault": "throttled"}));
    assert_eq!(fire(&mut events)["errorType"], "Throttled");
    playground.post("/break", &json!({"fault": "none"}));
    events.next("state", |state| {
        state["fault"] == "none" && state["bannedUntil"].is_u64()
    });
    assert_eq!(fire(&mut events)["errorType"], "Throttled");
    playground.post("/restart", &json!({}));
    events.next("state", |state| state["bannedUntil"].is_null());
    assert_eq!(fire(&mut events)["outcomes"], json!(["delivered"]));
}

/// Fires a sample as invocation `number`. Returns the invocation and its message, if there is one.
fn fire(playground: &Playground, file: &str, number: u64) -> (Value, Option<Value>) {
    let mut events = playground.events();
    playground.post("/fire", &json!({ "file": file }));
    let is_answered = |i: &Value| i["number"] == number && !i["status"].is_null();
    let invocation = events.next("invocation", is_answered);
    let uuid = invocation["uuids"][0].clone();
    let message = uuid.is_string().then(|| {
        let mut events = playground.events();
        events.next("message", |message| message["uuid"] == uuid)
    });
    (invocation, message)
}

#[test]
fn messages_name_resource_and_owner_if_the_role_may_ask() {
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    let (invocation, message) = fire(&playground, REBOOT, 7);
    assert_eq!(invocation["lookups"], json!(["found"]));
    assert_eq!(invocation["apiCalls"], 1);
    assert_eq!(invocation["remarks"], json!([]));
    let message = message.unwrap();
    assert_eq!(message["mentioned"], 1);
    let html = message["html"].as_str().unwrap();
    for part in [
        "test-host-01",
        "10.20.0.14",
        "203.0.113.14",
        "<strong>team</strong>: shop",
        "<strong>env</strong>: prod",
        "@13800000000",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("owner"), "{html}");
    let (invocation, _) = fire(&playground, REBOOT, 8);
    assert_eq!(invocation["lookups"], json!(["cached"]));
    assert_eq!(invocation["apiCalls"], 0);

    let mut number = 8;
    for (access, lookups, code, remedy) in [
        ("none", json!([]), json!(null), None),
        (
            "denied",
            json!(["denied"]),
            json!("Forbidden.RAM"),
            Some("allow the function's role ecs:DescribeInstances"),
        ),
        (
            "throttled",
            json!(["throttled"]),
            json!("Throttling.User"),
            Some("Quota Center"),
        ),
        (
            "hangs",
            json!(["unreachable"]),
            json!(null),
            Some("let the function reach the internet"),
        ),
        (
            "unreachable",
            json!(["unreachable"]),
            json!(null),
            Some("let the function reach the internet"),
        ),
    ] {
        let (status, _) = playground.post("/access", &json!({ "access": access }));
        assert_eq!(status, 200, "{access}");
        number += 1;
        let (invocation, message) = fire(&playground, REBOOT, number);
        assert_eq!(invocation["outcomes"], json!(["delivered"]), "{access}");
        assert_eq!(invocation["lookups"], lookups, "{access}");
        let message = message.unwrap();
        assert_eq!(message["mentioned"], 0, "{access}");
        let html = message["html"].as_str().unwrap();
        assert!(html.contains("i-bp1ecr4x7k2m9q5go2go"), "{html}");
        assert!(!html.contains("test-host-01"), "{html}");

        let path = format!("/invocation?number={number}");
        let detail = playground.get(&path).1;
        assert_eq!(detail["apiCalls"][0]["code"], code, "{access}");
        let count = detail["apiCalls"].as_array().map(Vec::len);
        assert_eq!(count, remedy.map(|_| 1), "{access}");
        let remarks = detail["remarks"].as_array().unwrap();
        match remedy {
            Some(remedy) => {
                let line = remarks[0].as_str().unwrap();
                let start = format!("request playground-{number}: look-up: ");
                assert!(line.starts_with(&start), "{line}");
                assert!(line.contains(remedy), "{line}");
            }
            None => assert_eq!(remarks.len(), 0, "{access}"),
        }
    }
    playground.post("/access", &json!({"access": "role"}));
    let (invocation, _) = fire(&playground, REBOOT, number + 1);
    assert_eq!(invocation["lookups"], json!(["found"]));
    let other = playground.post("/access", &json!({"access": "root"}));
    assert_eq!(other.0, 404);
}

#[test]
fn the_form_filters_by_tags_that_are_looked_up() {
    let playground = Playground::start(&[]);
    let configure = |vars: Value| {
        let form = json!({"vars": vars, "signing": true, "fallback": false, "more": ""});
        playground.post("/configure", &form)
    };
    assert_eq!(configure(json!({"EVENT_TAGS": "team=search"})).0, 200);
    let (invocation, message) = fire(&playground, REBOOT, 7);
    assert_eq!(invocation["rules"], json!(["EVENT_TAGS"]));
    assert_eq!(message, None);
    let spot = "eventbridge/Instance-PreemptibleInstanceInterruption.json";
    assert!(fire(&playground, spot, 8).1.is_some());
    // What is not known hides no event.
    playground.post("/access", &json!({"access": "none"}));
    assert!(fire(&playground, REBOOT, 9).1.is_some());

    let vars = json!({"RESOURCE_LOOKUP": "off", "MESSAGE_TAGS": "team"});
    let (status, answer) = configure(vars);
    assert_eq!(status, 422);
    assert_eq!(answer["variables"], json!(["MESSAGE_TAGS"]));
}

#[test]
fn instances_of_a_burst_are_known_to_the_api() {
    let playground = Playground::start(&[]);
    let burst = json!({"count": 3, "seconds": 0, "mixed": false});
    assert_eq!(playground.post("/burst", &burst).0, 202);
    let mut events = playground.events();
    let is_of_burst = |i: &Value| !i["burst"].is_null() && i["status"] == 200;
    let invocation = events.next("invocation", is_of_burst);
    assert_eq!(invocation["lookups"], json!(["found"]));
    let mut events = playground.events();
    let uuid = &invocation["uuids"][0];
    let message = events.next("message", |message| message["uuid"] == *uuid);
    let html = message["html"].as_str().unwrap();
    assert!(html.contains("web-00"), "{html}");
}

/// Returns the output of `check` for these variables.
fn checked(vars: &[(&str, &str)]) -> String {
    let webhook = "http://127.0.0.1:1/robot/send?access_token=0123456789abcdef";
    let mut command = crate::platform::binary(&[("DINGTALK_WEBHOOK", webhook)]);
    let output = command
        .arg("check")
        .envs(vars.iter().copied())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    stderr.trim_end().to_owned()
}
