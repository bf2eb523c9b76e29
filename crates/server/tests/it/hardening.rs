//! What hostile clients send to the real binary, and what they must not get: more than their share, a fault of the
//! server, or anything that was not for them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

mod bombs;
mod limits;
mod paths;
mod said;

/// What came back to bytes that were sent as they are.
pub struct Raw {
    /// The status; 0 if the connection was closed without an answer.
    pub status: u16,
    /// Head and body.
    pub text: String,
}

impl Raw {
    /// The first header of that name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(seen, _)| seen.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// Sends bytes on a connection of their own and reads to its end.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Raw {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    // The server may have answered and gone before all of it was taken.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let text = String::from_utf8_lossy(&all).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Raw {
        status: status.unwrap_or_default(),
        text,
    }
}

/// A request without a body.
pub fn request(method: &str, target: &str, headers: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n")
}

/// How much memory a process has at this moment, in MB.
pub fn memory_mb(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("it has a size");
    let kb: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number");
    kb / 1024
}
