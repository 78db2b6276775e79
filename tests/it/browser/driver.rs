//! A browser in our hands: headless Chromium, spoken to over WebDriver in HTTP of our own, so that no crate has to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with one window. It ends with this value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Its profile, new for each.
    _profile: TempDir,
}

/// Looks at something that is to come before it is given up, a twentieth of a second apart.
const PATIENCE: u32 = 400;

impl Browser {
    pub(super) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be started: .ci/run installs it");
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        wait("the driver", || TcpStream::connect(("127.0.0.1", port)).is_ok());
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
        let answer = browser.call(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }}}),
        );
        browser.session = format!("/session/{}", answer["sessionId"].as_str().expect("a session"));
        // Away from the page that a new window shows, which loads things of its own.
        browser.post("url", &json!({"url": "about:blank"}));
        browser
    }

    /// What the driver answers to a request.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time can be set");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("the driver reads");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("the driver answers");
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).expect("the whole answer");
        let mut answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        self.call("POST", &format!("{}/{what}", self.session), body)
    }

    pub(super) fn open(&self, file: &Path) {
        self.post("url", &json!({"url": format!("file://{}", file.display())}));
    }

    /// The value of an expression in the page.
    pub(super) fn value(&self, expression: &str) -> Value {
        self.post("execute/sync", &json!({"script": format!("return ({expression});"), "args": []}))
    }

    /// Does something in the page.
    pub(super) fn run(&self, script: &str) {
        self.post("execute/sync", &json!({"script": script, "args": []}));
    }

    /// Waits until an expression in the page is true.
    pub(super) fn until(&self, expression: &str) {
        wait(expression, || self.value(&format!("!!({expression})")) == Value::Bool(true));
    }

    /// Moves the pointer to a point of the window, and with `to` drags from there.
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

    /// Strikes a key, by its name of WebDriver.
    pub(super) fn key(&self, key: char) {
        let actions = json!([{"type": "keyDown", "value": key.to_string()}, {"type": "keyUp", "value": key.to_string()}]);
        self.post("actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}));
    }

    /// What was logged since the last look.
    pub(super) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("se/log", &json!({"type": kind}));
        entries.as_array().expect("a list of entries").clone()
    }

    /// Speaks to the browser itself.
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Makes the window so wide and high, as a phone is.
    pub(super) fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A picture of the whole page.
    pub(super) fn screenshot(&self, file: &Path) {
        let shot =
            self.devtools("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true}));
        std::fs::write(file, decoded(shot["data"].as_str().expect("a picture")))
            .expect("a file can be written");
    }

    /// The page on paper.
    pub(super) fn print(&self, file: &Path) {
        let paper = json!({"printBackground": true, "preferCSSPageSize": true});
        let pdf = self.devtools("Page.printToPDF", &paper);
        std::fs::write(file, decoded(pdf["data"].as_str().expect("a document")))
            .expect("a file can be written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &self.session, &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            // Told but not waited for: a test that failed must not fail again.
            let request =
                format!("DELETE {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
            drop(stream.write_all(request.as_bytes()));
            std::thread::sleep(Duration::from_millis(500));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn wait(what: &str, mut came: impl FnMut() -> bool) {
    for _ in 0..PATIENCE {
        if came() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came: {what}");
}

/// Base64, as WebDriver sends what is no text.
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
