//! A real server process over a data directory of its own, for tests that must see what a user
//! sees.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The built binary.
pub const HOMECOMING: &str = env!("CARGO_BIN_EXE_homecoming");

/// A folder that is removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one; `name` only helps whoever finds it after a crash.
    pub fn new(name: &str) -> Folder {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = std::env::temp_dir().join(format!(
            "homecoming-test-{name}-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Folder(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path inside, as text.
    pub fn join(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the command line to its end.
pub fn homecoming(words: &[&str]) -> Output {
    Command::new(HOMECOMING)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts")
}

/// Runs it and expects exit code 0; gives its standard output.
pub fn homecoming_done(words: &[&str]) -> String {
    let output = homecoming(words);
    assert!(
        output.status.success(),
        "{words:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("its words are UTF-8")
}

/// A new programme, and the code that its first officer enrols with.
pub fn begun(folder: &Folder) -> (String, String) {
    let data = folder.join("data");
    let said = homecoming_done(&["init", "--data", &data, "--name", "Test programme"]);
    let link = said.split("/enrol#").nth(1).expect("a link to enrol");
    let code = link.split_whitespace().next().expect("a code").to_owned();
    (data, code)
}

/// A new programme with one API client that is a part of it and sees everything, and that client's token.
pub fn programme(folder: &Folder) -> (String, String) {
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "Test programme"]);
    let token = registered(&data);
    (data, token)
}

/// Registers an API client that is a part of a programme and sees everything; its token.
pub fn registered(data: &str) -> String {
    homecoming_done(&[
        "client",
        "add",
        "tests",
        "--data",
        data,
        "--scope",
        "system/*.cruds",
        "--sees",
        "notes,sud,restricted",
        "--part-of-programme",
    ]);
    let token = homecoming_done(&["token", "--data", data, "--client", "tests"]);
    token.trim().to_owned()
}

/// The public key of a programme's record.
pub fn log_key(data: &str) -> String {
    key_in(data, "ledger.sqlite")
}

/// The public key of a programme's access log.
pub fn access_log_key(data: &str) -> String {
    key_in(data, "access.sqlite")
}

fn key_in(data: &str, file: &str) -> String {
    let db = rusqlite::Connection::open(Path::new(data).join(file)).expect("a log");
    db.query_row(
        "SELECT value FROM state WHERE key = 'verifier'",
        [],
        |row| row.get(0),
    )
    .expect("its key")
}

/// Has a programme ask witnesses, all of them or one, and takes the first quorum word as it stands.
pub fn set_witnesses(data: &str, witnesses: &[&Outside], quorum: &str) {
    let mut policy = String::new();
    let mut names = Vec::new();
    for (number, witness) in witnesses.iter().enumerate() {
        policy += &format!("witness w{number} {} {}\n", witness.key, witness.url);
        names.push(format!("w{number}"));
    }
    policy += &format!("group enough {quorum} {}\nquorum enough\n", names.join(" "));
    std::fs::write(Path::new(data).join("witness.policy"), policy).expect("the policy is written");
}

/// A running witness, a process of its own; killed when dropped.
pub struct Outside {
    child: Child,
    /// Where it is reached, without a slash at the end.
    pub url: String,
    /// Its Ed25519 key.
    pub key: String,
    /// Its ML-DSA-44 key.
    pub ml_dsa_key: String,
}

impl Outside {
    /// Starts the witness of a folder, made if it is not there, which follows these logs, too.
    pub fn start(data: &str, logs: &[&str]) -> Outside {
        Outside::start_at(data, logs, "127.0.0.1:0")
    }

    /// The same at an address.
    pub fn start_at(data: &str, logs: &[&str], address: &str) -> Outside {
        let mut command = Command::new(HOMECOMING);
        command.args(["witness", "--data", data, "--listen", address]);
        command.args(["--name", "outside.example/w"]);
        for log in logs {
            command.args(["--log", log]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the witness starts");
        let said = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut lines = said.lines();
        let mut line = || {
            lines
                .next()
                .expect("it says where it listens")
                .expect("in text")
        };
        let url = line()
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .expect("an address")
            .trim_end_matches('/')
            .to_owned();
        let (key, ml_dsa_key) = (line(), line());
        Outside {
            child,
            url,
            key,
            ml_dsa_key,
        }
    }

    /// The address and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request without a body; status and body, whatever the status is.
pub fn get(url: &str, token: Option<&str>) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("Authorization", &format!("Bearer {token}"));
    }
    let mut answer = request.call().expect("an answer");
    let body = answer.body_mut().read_to_vec().expect("a body");
    (
        answer.status().as_u16(),
        String::from_utf8_lossy(&body).into_owned(),
    )
}

/// A running server; killed when dropped.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    /// Starts one and waits until it says that it is ready.
    pub fn start(data: &str) -> Served {
        Served::start_under(&[], data)
    }

    /// Makes and serves the demo.
    pub fn demo(data: &str) -> Served {
        Served::run(&[], &["demo", "--data", data, "--listen", "127.0.0.1:0"])
    }

    /// The same, run by another command, such as strace.
    pub fn start_under(wrapper: &[&str], data: &str) -> Served {
        Served::run(
            wrapper,
            &["serve", "--data", data, "--listen", "127.0.0.1:0"],
        )
    }

    /// The same with more words for `serve`.
    pub fn start_with(data: &str, more: &[&str]) -> Served {
        let mut words = vec!["serve", "--data", data];
        if !more.contains(&"--listen") {
            words.extend(["--listen", "127.0.0.1:0"]);
        }
        words.extend(more);
        Served::run(&[], &words)
    }

    fn run(wrapper: &[&str], words: &[&str]) -> Served {
        let mut command = match wrapper.split_first() {
            None => Command::new(HOMECOMING),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(HOMECOMING);
                command
            }
        };
        let mut child = command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut first = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("its output is piped"));
        said.read_line(&mut first).expect("its output is text");
        // Read on to the end: a server whose words nobody takes would wait for somebody to.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = first
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the server did not say where it serves: {first:?}"));
        Served { child, address }
    }

    /// The value of a measure at `/metrics`; the name with its labels.
    pub fn measure(&self, name: &str) -> Option<f64> {
        let (_, text) = get(&self.url("/metrics"), None);
        let line = text.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' '))
        })?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until a measure is so.
    pub fn until(&self, name: &str, is_so: impl Fn(f64) -> bool) -> f64 {
        for _ in 0..600 {
            if let Some(value) = self.measure(name).filter(|value| is_so(*value)) {
                return value;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{name} stays at {:?}", self.measure(name));
    }

    /// Waits until so many entries of the record are cosigned.
    pub fn until_cosigned(&self, size: u64) {
        self.until("homecoming_log_cosigned_entries{log=\"record\"}", |value| {
            value >= size as f64
        });
    }

    /// A request of a registered program: status and body.
    pub fn fhir(
        &self,
        agent: &ureq::Agent,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json");
        let answer = match method {
            "GET" => agent.run(request.body(()).expect("a request")),
            _ => {
                let body = body.to_owned();
                agent.run(request.body(body).expect("a request"))
            }
        };
        let mut answer = answer.expect("the server answers");
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    }

    /// `http://ADDRESS` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself; its exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("the server ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
