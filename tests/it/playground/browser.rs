//! Drives headless Chromium through chromedriver with the WebDriver protocol.

use crate::platform::PATIENCE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The value `required` makes a missing browser a failure. Otherwise the tests are skipped.
const SWITCH: &str = "PLAYGROUND_BROWSER";
/// Turn off network access in the background, and the sandbox, which needs privileges.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];
/// The key of an element's id in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The Tab key in WebDriver's encoding.
pub const TAB: &str = "\u{e004}";
/// The Enter key in WebDriver's encoding.
pub const ENTER: &str = "\u{e007}";

/// A browser with one page. Dropping it ends the browser.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    profile: PathBuf,
}

/// Starts a browser with a window of this size. Prints a note and returns `None` if no browser is
/// installed.
pub fn browser(width: u32, height: u32) -> Option<Browser> {
    let found = |names: &[&str]| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        names.iter().find_map(|name| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|file| file.is_file())
        })
    };
    let chromium = found(&["chromium", "chromium-browser", "google-chrome"]);
    let driver = found(&["chromedriver"]);
    if let (Some(chromium), Some(driver)) = (chromium, driver) {
        return Some(Browser::start(chromium, driver, width, height));
    }
    let why = "chromium and chromedriver are not on PATH (Debian: chromium, chromium-driver)";
    assert!(
        std::env::var(SWITCH).as_deref() != Ok("required"),
        "{why}, but {SWITCH} says that they are required"
    );
    // The test runner captures `eprintln!`.
    let _ = writeln!(
        std::io::stderr(),
        "\nSKIPPED a test of the playground in a browser: {why}"
    );
    None
}

/// Starts chromedriver on a free port. Returns `None` if it ends at once: it takes the same port
/// for both families of addresses, and the other one may be in use.
fn start_driver(path: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(path)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.split_once("started successfully on port ")?.1;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        let _ = driver.wait();
        return None;
    };
    // Read the rest of its output, so that the pipe does not fill.
    std::thread::spawn(move || lines.count());
    Some((driver, port))
}

impl Browser {
    fn start(chromium: PathBuf, driver: PathBuf, width: u32, height: u32) -> Browser {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "playground-browser-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::SeqCst)
        );
        let profile = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&profile).unwrap();
        let (driver, port) = (0..3)
            .find_map(|_| start_driver(&driver))
            .expect("chromedriver prints its port");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(2 * PATIENCE))
            .proxy(None)
            .build()
            .into();
        let mut browser = Browser {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            agent,
            profile: profile.clone(),
        };
        let mut args: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        args.push(format!("--user-data-dir={}", profile.display()));
        // Emulate the screen, because a window is at least 500 pixels wide.
        let screen = json!({"width": width, "height": height, "pixelRatio": 1, "touch": false, "mobile": false});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {
                "binary": chromium, "args": args, "mobileEmulation": {"deviceMetrics": screen},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.call("POST", "", &wanted);
        let id = session["sessionId"].as_str().expect("a session");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// Sends a command of the protocol. Returns its value.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let answer = match method {
            "POST" => self
                .agent
                .post(&url)
                .content_type("application/json")
                .send(body.to_string()),
            "DELETE" => self.agent.delete(&url).call(),
            _ => self.agent.get(&url).call(),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .unwrap();
        let mut body: Value = serde_json::from_str(&body).unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {body}");
        body["value"].take()
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    /// Runs the body of a function in the page with these arguments. Returns its value.
    pub fn run(&self, script: &str, arguments: Value) -> Value {
        self.call(
            "POST",
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// Returns the value of an expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"), json!([]))
    }

    /// Returns the visible text of an element; empty if there is no such element.
    pub fn text(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        let text = self.run(script, json!([selector]));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression in the page is true.
    pub fn wait(&self, expression: &str) {
        self.wait_for(expression, PATIENCE);
    }

    /// Waits with another timeout.
    pub fn wait_for(&self, expression: &str, timeout: Duration) {
        let end = Instant::now() + timeout;
        while self.value(expression) != json!(true) {
            assert!(
                Instant::now() < end,
                "not in time: {expression}\n{}\n{:?}",
                self.text("body"),
                self.console_messages()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn element(&self, selector: &str) -> String {
        let by = json!({"using": "css selector", "value": selector});
        let element = self.call("POST", "/element", &by);
        element[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Clicks an element. Fails if another element covers it.
    pub fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector));
        self.call("POST", &path, &json!({}));
    }

    /// Replaces the content of a field by typing.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/clear"), &json!({}));
        let typed = json!({ "text": text });
        self.call("POST", &format!("/element/{element}/value"), &typed);
    }

    /// Presses a key; the focused element receives it.
    pub fn press(&self, key: &str) {
        let actions = json!([
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
        ]);
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.call("POST", "/actions", &keyboard);
    }

    /// Returns the warnings and errors in the browser's console since the last call.
    pub fn console_messages(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().into_iter().flatten();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// Returns a picture of the window as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let picture = self.call("GET", "/screenshot", &Value::Null);
        base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap())
            .unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.call("DELETE", "", &Value::Null);
        } else {
            let _ = self.agent.delete(&self.session).call();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
