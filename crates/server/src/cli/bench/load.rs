//! A load generator for one server on this machine: keep-alive HTTP/1.1 over plain sockets, one
//! thread a client, the next request when the last one is answered.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};

use crate::clock::Stopwatch;

/// One answer.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What a loop measured.
pub struct Figures {
    pub requests: u64,
    pub failed: u64,
    pub bytes: u64,
    pub per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub server_cpu_ms: f64,
}

/// One request on a connection of its own.
pub fn get_once(address: SocketAddr, path: &str, token: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let mut buffer = Vec::new();
    exchange(&mut stream, &request(path, token), &mut buffer)
}

/// A `GET`, as it goes over the wire.
pub fn request(path: &str, token: &str) -> Vec<u8> {
    let authorization = authorization(token);
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n{authorization}\r\n"
    )
    .into_bytes()
}

/// A `POST` of a resource; `prefer` says what is to be returned.
pub fn post(path: &str, token: &str, body: &str, prefer: &str) -> Vec<u8> {
    let authorization = authorization(token);
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\n\
         Content-Length: {length}\r\nPrefer: return={prefer}\r\n{authorization}\r\n{body}"
    )
    .into_bytes()
}

fn authorization(token: &str) -> String {
    match token.is_empty() {
        true => String::new(),
        false => format!("Authorization: Bearer {token}\r\n"),
    }
}

/// Sends one request and reads its answer; `buffer` keeps what came early.
pub fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<Answer> {
    stream.write_all(request)?;
    let mut chunk = [0u8; 65_536];
    let mut more = |buffer: &mut Vec<u8>| -> Result<()> {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                "the server closed the connection",
            ));
        }
        buffer.extend_from_slice(&chunk[..read]);
        Ok(())
    };
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        more(buffer)?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    buffer.drain(..head_end + 4);
    let status = head
        .get(9..12)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut answer = Answer {
        status,
        head,
        body: Vec::new(),
    };
    if let Some(length) = answer
        .header("content-length")
        .and_then(|text| text.parse().ok())
    {
        while buffer.len() < length {
            more(buffer)?;
        }
        answer.body = buffer.drain(..length).collect();
        return Ok(answer);
    }
    // Chunked.
    loop {
        let line_end = loop {
            if let Some(at) = buffer.windows(2).position(|two| two == b"\r\n") {
                break at;
            }
            more(buffer)?;
        };
        let size = usize::from_str_radix(String::from_utf8_lossy(&buffer[..line_end]).trim(), 16)
            .map_err(|_| Error::new(ErrorKind::InvalidData, "a chunk without a size"))?;
        while buffer.len() < line_end + 2 + size + 2 {
            more(buffer)?;
        }
        answer
            .body
            .extend_from_slice(&buffer[line_end + 2..line_end + 2 + size]);
        buffer.drain(..line_end + 2 + size + 2);
        if size == 0 {
            return Ok(answer);
        }
    }
}

/// Runs `clients` closed loops over `paths` for `seconds`, after a short warm-up.
pub fn run(
    address: SocketAddr,
    token: &str,
    paths: &[String],
    clients: usize,
    seconds: f64,
    server_cpu_seconds: impl Fn() -> f64,
) -> Result<Figures> {
    let requests: Vec<Vec<u8>> = paths.iter().map(|path| request(path, token)).collect();
    all(address, &requests, clients, seconds.min(1.0))?;
    let cpu_before = server_cpu_seconds();
    let watch = Stopwatch::start();
    let (mut times, failed, bytes) = all(address, &requests, clients, seconds)?;
    let wall = watch.seconds();
    let cpu = server_cpu_seconds() - cpu_before;
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        times
            .get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
            * 1e3
    };
    let count = times.len() as f64;
    Ok(Figures {
        requests: times.len() as u64,
        failed,
        bytes,
        per_s: count / wall,
        p50_ms: at(0.50),
        p99_ms: at(0.99),
        server_cpu_ms: cpu * 1e3 / count.max(1.0),
    })
}

fn all(
    address: SocketAddr,
    requests: &[Vec<u8>],
    clients: usize,
    seconds: f64,
) -> Result<(Vec<f64>, u64, u64)> {
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || -> Result<(Vec<f64>, u64, u64)> {
                    let mut stream = TcpStream::connect(address)?;
                    stream.set_nodelay(true)?;
                    let mut buffer = Vec::with_capacity(1 << 17);
                    let (mut times, mut failed, mut bytes) = (Vec::new(), 0, 0);
                    let watch = Stopwatch::start();
                    // Each client starts elsewhere, so that they do not walk in step.
                    let mut at = client * requests.len() / clients.max(1);
                    while watch.seconds() < seconds {
                        let one = Stopwatch::start();
                        let answer =
                            exchange(&mut stream, &requests[at % requests.len()], &mut buffer)?;
                        times.push(one.seconds());
                        failed += u64::from(answer.status != 200);
                        bytes += answer.body.len() as u64;
                        at += 1;
                    }
                    Ok((times, failed, bytes))
                })
            })
            .collect();
        let (mut times, mut failed, mut bytes) = (Vec::new(), 0, 0);
        for handle in handles {
            let (more, bad, read) = handle
                .join()
                .map_err(|_| Error::other("a client's thread ended badly"))??;
            times.extend(more);
            failed += bad;
            bytes += read;
        }
        Ok((times, failed, bytes))
    })
}
