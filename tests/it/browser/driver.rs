//! Controls headless Chromium over WebDriver, with a minimal HTTP client that needs no dependency.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with one window, which closes when the value is dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Its own temporary profile.
    _profile: TempDir,
}

/// Maximum number of attempts when waiting for a condition, 50 ms apart.
const MAX_ATTEMPTS: u32 = 400;

impl Browser {
    pub(super) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory can be created");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port is free")
            .port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be started: .ci/run installs it");
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        wait("the driver to listen", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1360,1000",
        ];
        let mut arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let response = browser.call(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }}}),
        );
        browser.session =
            format!("/session/{}", response["sessionId"].as_str().expect("the driver created a session"));
        // Leaves the start page of the browser, which loads resources.
        browser.post("url", &json!({"url": "about:blank"}));
        browser
    }

    /// Sends a request to the driver and returns the value of its response.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("the driver accepts a request");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("the driver responds");
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a content length is a number");
            }
        }
        let mut response = vec![0; length];
        reader.read_exact(&mut response).expect("the response is complete");
        let mut response: Value = serde_json::from_slice(&response).expect("a response is JSON");
        let value = response["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.call("POST", &format!("{}/{command}", self.session), body)
    }

    pub(super) fn open(&self, file: &Path) {
        self.post("url", &json!({"url": format!("file://{}", file.display())}));
    }

    /// The value of an expression in the page.
    pub(super) fn value(&self, expression: &str) -> Value {
        self.post("execute/sync", &json!({"script": format!("return ({expression});"), "args": []}))
    }

    /// Executes a script in the page.
    pub(super) fn run(&self, script: &str) {
        self.post("execute/sync", &json!({"script": script, "args": []}));
    }

    /// Waits until an expression in the page is truthy.
    pub(super) fn until(&self, expression: &str) {
        wait(expression, || self.value(&format!("!!({expression})")) == Value::Bool(true));
    }

    /// Moves the pointer to a point of the window, and drags it from there to `to`, if given.
    pub(super) fn point(&self, (x, y): (i64, i64), to: Option<(i64, i64)>) {
        let at = |(x, y): (i64, i64)| json!({"type": "pointerMove", "duration": 50, "x": x, "y": y});
        let mut actions = vec![at((x - 3, y - 2)), at((x, y))];
        if let Some(to) = to {
            let middle = (i64::midpoint(x, to.0), to.1);
            actions.push(json!({"type": "pointerDown", "button": 0}));
            actions.extend([at(middle), at(to)]);
            actions.push(json!({"type": "pointerUp", "button": 0}));
        }
        self.post("actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}));
    }

    /// Presses and releases a key, given by its WebDriver code.
    pub(super) fn key(&self, key: char) {
        let actions = json!([{"type": "keyDown", "value": key.to_string()}, {"type": "keyUp", "value": key.to_string()}]);
        self.post("actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}));
    }

    /// The log entries since the last call.
    pub(super) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("se/log", &json!({"type": kind}));
        entries.as_array().expect("a log is a list of entries").clone()
    }

    /// Sends a command to the developer tools of the browser.
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Sets the size of the viewport.
    pub(super) fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Saves a screenshot of the whole page.
    pub(super) fn screenshot(&self, file: &Path) {
        let shot =
            self.devtools("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true}));
        std::fs::write(file, decoded(shot["data"].as_str().expect("a screenshot is text in Base64")))
            .expect("a file can be written");
    }

    /// Prints the page to a PDF file.
    pub(super) fn print(&self, file: &Path) {
        let paper = json!({"printBackground": true, "preferCSSPageSize": true});
        let pdf = self.devtools("Page.printToPDF", &paper);
        std::fs::write(file, decoded(pdf["data"].as_str().expect("a PDF is text in Base64")))
            .expect("a file can be written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &self.session, &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            // Does not wait for a response: a test that failed must not panic again.
            let request =
                format!("DELETE {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
            drop(stream.write_all(request.as_bytes()));
            std::thread::sleep(Duration::from_millis(500));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn wait(condition: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..MAX_ATTEMPTS {
        if is_true() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("timeout while waiting for: {condition}");
}

/// Decodes Base64, in which WebDriver sends binary data.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for four in digits.chunks(4) {
        let word = four.iter().fold(0, |word, digit| word << 6 | u32::from(*digit)) << (6 * (4 - four.len()));
        out.extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    out
}
