//! The playground: the example's real binary, its page over plain HTTP, and (in `page`) in a real browser.

mod browser;
mod page;

use crate::platform::{Instance, PATIENCE};
use crate::samples::{STOPPED, sample};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

/// A running playground. Ends when dropped.
pub struct Playground {
    /// Killed when dropped.
    _process: Instance,
    /// `http://127.0.0.1:…`, without a slash behind.
    pub url: String,
}

impl Playground {
    /// Starts one, and waits until it has sent its first samples.
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

    /// The address without scheme.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Sends a request on a connection of its own; gives status, head and body of the answer.
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

    /// The stream of news, from the beginning.
    fn news(&self) -> News {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = self.host();
        write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        News(BufReader::new(stream))
    }
}

struct News(BufReader<TcpStream>);

impl News {
    /// The next entry of this type for which `is_it` holds.
    fn next(&mut self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut line = String::new();
        while Instant::now() < end {
            line.clear();
            self.0.read_line(&mut line).expect("news in time");
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

/// The example's binary. A test of this target alone does not have it built, so it is built here.
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
        // What cargo tells a test of its package would be news to build scripts, which would run again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let told = [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
            ];
            if text == "OUT_DIR" || told.iter().any(|prefix| text.starts_with(prefix)) {
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
fn the_page_is_for_this_machine_and_its_own_origin_only() {
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
    // Not on other addresses of this machine either.
    let elsewhere = format!("127.0.0.2:{port}");
    assert!(TcpStream::connect(elsewhere).is_err());
}

#[test]
fn what_is_fired_comes_back_as_invocation_call_and_message() {
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    let mut news = playground.news();
    assert_eq!(playground.post("/fire", &json!({"file": STOPPED})).0, 202);
    let is_new = |invocation: &Value| invocation["number"] == 7 && invocation["status"] == 200;
    let invocation = news.next("invocation", is_new);
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    assert_eq!(invocation["rules"], json!(["EVENT_INCLUDE"]));
    let uuid = invocation["uuids"][0].as_str().unwrap();
    let mut news = playground.news();
    let message = news.next("message", |message| message["uuid"] == uuid);
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

    // The same again costs no message; a new one by click does, though the sample is the same.
    playground.post("/repeat", &json!({}));
    let repeat = news.next("invocation", |i| i["number"] == 8 && i["status"] == 200);
    assert_eq!(repeat["outcomes"], json!(["duplicate"]));
    playground.post("/fire", &json!({"file": STOPPED}));
    let again = news.next("invocation", |i| i["number"] == 9 && i["status"] == 200);
    assert_eq!(again["outcomes"], json!(["delivered"]));

    // Somebody else's call to the function is seen as well.
    let (_, about) = playground.get("/about");
    let answer = ureq::post(about["invokeUrl"].as_str().unwrap())
        .send(sample(STOPPED))
        .unwrap();
    assert_eq!(answer.status(), 200);
    let guest = news.next("invocation", |i| i["ours"] == false && i["status"] == 200);
    assert_eq!(guest["outcomes"], json!(["delivered"]));

    for (path, body, status) in [
        ("/fire", json!({"file": "../Cargo.toml"}), 404),
        ("/break", json!({"mischief": "everything"}), 404),
        ("/burst", json!({"count": 0, "seconds": 1}), 409),
        ("/burst", json!({"count": 1001, "seconds": 1}), 409),
        ("/burst", json!({"count": 5}), 409),
        ("/nothing", json!({}), 404),
    ] {
        assert_eq!(playground.post(path, &body).0, status, "{path} {body}");
    }
}

#[test]
fn settings_are_read_by_the_functions_own_reader_and_stay_in_this_group() {
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

    let vars = json!({"EVENT_LEVELS": "INFO", "MESSAGE_TIME_ZONE": "Europe/Berlin"});
    assert_eq!(configure(vars, ""), (200, String::new()));
    let mut news = playground.news();
    let state = news.next("state", |_| true);
    assert_eq!(
        state["env"],
        "DINGTALK_WEBHOOK='https://oapi.dingtalk.com/robot/send?access_token='\nDINGTALK_SECRET='SEC'\nEVENT_LEVELS='INFO'\nMESSAGE_TIME_ZONE='Europe/Berlin'\n"
    );
    playground.post("/fire", &json!({"file": STOPPED}));
    let invocation = news.next("invocation", |i| i["number"] == 7 && i["status"] == 200);
    assert_eq!(invocation["rules"], json!(["EVENT_LEVELS"]));
}

/// Every fault goes its way through the real function and ends in a remedy, and all is well afterwards.
#[test]
fn each_way_to_break_the_group_ends_in_its_own_remedy() {
    let playground = Playground::start(&[]);
    let mut news = playground.news();
    let mut number = 6;
    let mut fire = |news: &mut News| {
        number += 1;
        playground.post("/fire", &json!({"file": STOPPED}));
        news.next("invocation", |i| {
            i["number"] == number && !i["status"].is_null()
        })
    };
    for (mischief, error_type, remedy) in [
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
        let (status, _) = playground.post("/break", &json!({"mischief": mischief}));
        assert_eq!(status, 200, "{mischief}");
        let invocation = fire(&mut news);
        assert_eq!(invocation["errorType"], error_type, "{mischief}");
        let told = invocation["remedies"][0].as_str().unwrap();
        assert!(told.contains(remedy), "{mischief}: {told}");
        // The function's own pace is not what is tested here.
        playground.post("/restart", &json!({}));
    }
    // An answer that is lost is no message that is shown twice.
    playground.post("/break", &json!({"mischief": "lost"}));
    let invocation = fire(&mut news);
    assert_eq!(invocation["outcomes"], json!(["delivered"]));
    let detail = format!("/invocation?number={}", invocation["number"]);
    let calls = playground.get(&detail).1["calls"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 2, "{calls}");
    assert_eq!(calls[1]["duplicate"], true);

    // After a throttle the function keeps its chatbot closed, and the page says so until a restart.
    playground.post("/break", &json!({"mischief": "throttled"}));
    assert_eq!(fire(&mut news)["errorType"], "Throttled");
    playground.post("/break", &json!({"mischief": "none"}));
    let state = news.next("state", |state| state["mischief"] == "none");
    assert!(state["closedUntil"].is_u64(), "{state}");
    assert_eq!(fire(&mut news)["errorType"], "Throttled");
    playground.post("/restart", &json!({}));
    news.next("state", |state| state["closedUntil"].is_null());
    assert_eq!(fire(&mut news)["outcomes"], json!(["delivered"]));
}

/// What `check` reports of these variables.
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
