//! A browser, driven over WebDriver: chromedriver as a child process and plain HTTP to it.
//!
//! Needs Debian's `chromium` and `chromium-driver`, or the paths in `CHROME` and `CHROMEDRIVER`.
//! Where there is none, [`Browser::start`] gives `None`, and the tests that need one say that they
//! were left out; with `HOMECOMING_BROWSER=required` they fail instead.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// One browser window without a screen; ended when dropped.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    profile: std::path::PathBuf,
    /// The path of the authenticator that is not real, once there is one.
    authenticator: std::cell::RefCell<String>,
}

/// How WebDriver names a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Starts chromedriver on a free port, and a browser with a fresh profile.
    pub fn start() -> Option<Browser> {
        let driver = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
        let started = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = started else {
            let required =
                std::env::var("HOMECOMING_BROWSER").is_ok_and(|value| value == "required");
            assert!(
                !required,
                "no chromedriver, and HOMECOMING_BROWSER=required"
            );
            eprintln!("left out: there is no chromedriver here");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().expect("its output is piped")).lines();
        // "ChromeDriver was started successfully on port 43215." Before it, "on port 0".
        let port: u16 = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| {
                line.split("on port ")
                    .nth(1)?
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .find(|port| *port != 0)
            .expect("chromedriver says its port");
        // What else it says is read away, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .into();
        let profile =
            std::env::temp_dir().join(format!("homecoming-browser-{}-{port}", std::process::id()));
        let mut browser = Browser {
            driver,
            session: format!("http://127.0.0.1:{port}"),
            agent,
            profile,
            authenticator: std::cell::RefCell::default(),
        };
        let binary = std::env::var("CHROME").unwrap_or_else(|_| "/usr/bin/chromium".into());
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", browser.profile.display()));
        let options = json!({ "binary": binary, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let made = browser.post("/session", &wanted);
        let id = made["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {made}"));
        browser.session = format!("{}/session/{id}", browser.session);
        Some(browser)
    }

    fn send(&self, request: ureq::http::Request<String>) -> Value {
        let address = request.uri().to_string();
        self.ask(request)
            .unwrap_or_else(|error| panic!("{address}: {} {}", error["error"], error["message"]))
    }

    /// The value that the driver answers with, or its error.
    fn ask(&self, request: ureq::http::Request<String>) -> Result<Value, Value> {
        let address = request.uri().to_string();
        let mut response = self
            .agent
            .run(request)
            .unwrap_or_else(|error| panic!("{address}: {error}"));
        let text = response
            .body_mut()
            .read_to_string()
            .expect("an answer in UTF-8");
        let mut answer: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{address}: {error}: {text}"));
        let value = answer["value"].take();
        if response.status().is_success() {
            Ok(value)
        } else {
            Err(value)
        }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = ureq::http::Request::post(format!("{}{path}", self.session))
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string())
            .expect("a request");
        self.send(request)
    }

    fn get(&self, path: &str) -> ureq::http::Request<String> {
        ureq::http::Request::get(format!("{}{path}", self.session))
            .body(String::new())
            .expect("a request")
    }

    /// Opens a page and waits until it is loaded.
    pub fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs the body of a function in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs the body of a function whose last argument is to be called with the result.
    pub fn wait_for(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The page's title.
    pub fn title(&self) -> String {
        self.send(self.get("/title"))
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// A command of the browser's own protocol.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    /// Sets the window's inner size, in CSS pixels.
    pub fn size(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// Whether the page's own scripts may run.
    pub fn scripts(&self, allowed: bool) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !allowed }),
        );
    }

    /// Emulates forced colours, as Windows' high contrast does.
    pub fn forced_colours(&self, active: bool) {
        let value = if active { "active" } else { "none" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "forced-colors", "value": value }] }),
        );
    }

    /// The first element that a CSS selector finds.
    fn element(&self, css: &str) -> String {
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": css }),
        );
        found[ELEMENT]
            .as_str()
            .unwrap_or_else(|| panic!("no {css}: {found}"))
            .to_owned()
    }

    /// Whether a CSS selector finds anything.
    pub fn has(&self, css: &str) -> bool {
        let found = self.post(
            "/elements",
            &json!({ "using": "css selector", "value": css }),
        );
        found
            .as_array()
            .is_some_and(|elements| !elements.is_empty())
    }

    /// Clicks on what a CSS selector finds.
    pub fn click(&self, css: &str) {
        self.clicked(css);
    }

    fn clicked(&self, css: &str) -> String {
        let element = self.element(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
        element
    }

    /// Clicks on a link or a form's button, and waits until another page is there. The driver alone
    /// waits only where the way to that page has begun by the time the click is answered, which on a
    /// busy machine it has not always.
    pub fn follow(&self, css: &str) {
        let element = self.clicked(css);
        for _ in 0..1200 {
            match self.ask(self.get(&format!("/element/{element}/name"))) {
                Ok(_) => std::thread::sleep(Duration::from_millis(25)),
                Err(error) if error["error"] == "stale element reference" => return,
                Err(error) => panic!("{css}: {error}"),
            }
        }
        panic!("{css} leads nowhere: {}", self.text("main"));
    }

    /// Types into what a CSS selector finds, in place of what was there.
    pub fn write(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    /// The text that a reader sees in what a CSS selector finds.
    pub fn text(&self, css: &str) -> String {
        let element = self.element(css);
        let text = self.get(&format!("/element/{element}/text"));
        self.send(text).as_str().unwrap_or_default().to_owned()
    }

    /// Gives the browser an authenticator that keeps passkeys and does as it is told.
    pub fn authenticator(&self, verifies: bool) {
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": verifies,
        });
        let id = self.post("/webauthn/authenticator", &options);
        let id = id.as_str().expect("the authenticator has an id");
        *self.authenticator.borrow_mut() = format!("/webauthn/authenticator/{id}");
    }

    /// Whether its user proves to be themself.
    pub fn user_verified(&self, verified: bool) {
        let path = format!("{}/uv", self.authenticator.borrow());
        self.post(&path, &json!({ "isUserVerified": verified }));
    }

    /// Presses the tabulator.
    pub fn tabulator(&self) {
        for kind in ["keyDown", "keyUp"] {
            self.devtools(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 }),
            );
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; without it, killing the driver would leave it running.
        if let Ok(request) = ureq::http::Request::delete(&self.session).body(String::new()) {
            let _ = self.agent.run(request);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
