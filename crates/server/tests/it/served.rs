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

/// A new programme with one API client, and that client's token.
pub fn programme(folder: &Folder) -> (String, String) {
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "Test programme"]);
    homecoming_done(&[
        "client",
        "add",
        "tests",
        "--data",
        &data,
        "--scope",
        "system/*.cruds",
    ]);
    let token = homecoming_done(&["token", "--data", &data, "--client", "tests"]);
    (data, token.trim().to_owned())
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
