//! What slow and greedy clients meet, against a small router.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::routing::{get, post};

use super::*;
use crate::clock::Stopwatch;

/// Serves with these limits; the address, and the runtime that serves.
fn start(limits: Limits, proxies: Proxies) -> (SocketAddr, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/large", get(|| async { "x".repeat(64 << 20) }))
        .route("/refused", post(|| async { "no" }))
        .route(
            "/body",
            post(|body: Body| async {
                match axum::body::to_bytes(body, 1 << 20).await {
                    Ok(body) => format!("{} bytes", body.len()),
                    Err(error) if body::was_too_slow(&error) => "too slow".to_owned(),
                    Err(_) => "broken".to_owned(),
                }
            }),
        )
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "done"
            }),
        );
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let serving = Serving {
        limits,
        proxies,
        tls: None,
    };
    runtime.spawn(serve(listener, router, serving, std::future::pending()));
    (address, runtime)
}

fn short() -> Limits {
    Limits {
        head_max: Duration::from_millis(300),
        grace: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    stream
}

/// All that comes until the connection ends.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let (address, _runtime) = start(short(), Proxies::default());
    let watch = Stopwatch::start();
    let mut stream = connect(address);
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost")
        .expect("it is sent");
    assert!(!rest(stream).contains("200 OK"));
    assert!(watch.seconds() < 5.0, "it was waited for");
    // One that drips is no better.
    let watch = Stopwatch::start();
    let mut stream = connect(address);
    let _ = stream.write_all(b"GET / HTTP/1.1\r\n");
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(50));
        if stream.write_all(b"X: y\r\n").is_err() {
            break;
        }
    }
    assert!(!rest(stream).contains("200 OK"));
    assert!(watch.seconds() < 5.0);
}

#[test]
fn an_idle_connection_ends() {
    let (address, _runtime) = start(short(), Proxies::default());
    let watch = Stopwatch::start();
    let mut stream = connect(address);
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it is sent");
    assert!(rest(stream).contains("here"));
    assert!((0.2..5.0).contains(&watch.seconds()));
}

#[test]
fn a_body_that_drips_is_given_up() {
    let (address, _runtime) = start(short(), Proxies::default());
    let mut stream = connect(address);
    stream
        .write_all(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n")
        .expect("it is sent");
    let mut writer = stream.try_clone().expect("another handle");
    let drip = std::thread::spawn(move || {
        for _ in 0..60 {
            if writer.write_all(b"x").is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    assert!(rest(stream).contains("too slow"));
    drip.join().expect("it ends");
    // One that comes at some pace is taken, however long it takes.
    let mut stream = connect(address);
    stream
        .write_all(
            b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\nConnection: close\r\n\r\n",
        )
        .expect("it is sent");
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(&[b'x'; 1_000]).expect("it is taken");
    }
    assert!(rest(stream).contains("8000 bytes"));
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() {
    let limits = Limits {
        connections_max: 1,
        ..short()
    };
    let (address, _runtime) = start(limits, Proxies::default());
    let mut stream = connect(address);
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it is sent");
    // The only place is held by somebody who reads nothing, and is free again soon.
    let watch = Stopwatch::start();
    let mut other = connect(address);
    other
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("it is sent");
    assert!(rest(other).contains("here"));
    assert!(watch.seconds() < 5.0);
    drop(stream);
}

#[test]
fn a_head_has_a_size() {
    let (address, _runtime) = start(Limits::default(), Proxies::default());
    for head in [
        format!(
            "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
            "x".repeat(HEAD_BYTES_MAX)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
            "x".repeat(HEAD_BYTES_MAX)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
            "X: y\r\n".repeat(HEADERS_MAX + 1)
        ),
    ] {
        let mut stream = connect(address);
        let _ = stream.write_all(head.as_bytes());
        let answer = rest(stream);
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{}", answer.lines().next().unwrap_or_default());
    }
}

#[test]
fn one_address_has_so_many_connections() {
    // Behind a proxy nobody is counted by connection, on the machine itself neither: so count a network that is neither.
    let limits = Limits {
        connections_per_address_max: 2,
        ..Limits::default()
    };
    let (address, _runtime) = start(limits, Proxies::default());
    let all: Vec<TcpStream> = (0..4).map(|_| connect(address)).collect();
    for mut stream in all {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .expect("it is sent");
        assert!(
            rest(stream).contains("here"),
            "the machine itself is not counted"
        );
    }
}

/// One answer of a connection that goes on: its head.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\nno") {
        assert_eq!(stream.read(&mut one).expect("more of it"), 1, "it ended");
        bytes.push(one[0]);
    }
    String::from_utf8_lossy(&bytes).to_lowercase()
}

#[test]
fn a_short_body_that_nobody_read_leaves_the_connection_good() {
    let (address, _runtime) = start(Limits::default(), Proxies::default());
    let mut stream = connect(address);
    for _ in 0..3 {
        stream
            .write_all(b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n")
            .expect("it is sent");
        std::thread::sleep(Duration::from_millis(30));
        stream.write_all(&[b'x'; 3000]).expect("it is sent");
        let answer = answer(&mut stream);
        assert!(!answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn a_long_body_that_nobody_read_ends_the_connection_with_an_answer_that_says_so() {
    let (address, _runtime) = start(Limits::default(), Proxies::default());
    // What is not read away would reset the connection, and the answer be lost with it.
    for length in [1 << 20, 8 << 20] {
        let mut stream = connect(address);
        let head = format!("POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it is sent");
        stream.write_all(&vec![b'x'; length]).expect("all is taken");
        let answer = answer(&mut stream);
        assert!(answer.contains("connection: close"), "{answer}");
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn a_client_that_waits_to_be_asked_for_its_body_is_answered_at_once() {
    let (address, _runtime) = start(Limits::default(), Proxies::default());
    let mut stream = connect(address);
    stream
        .write_all(
            b"POST /refused HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        )
        .expect("it is sent");
    let watch = Stopwatch::start();
    let answer = answer(&mut stream);
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(watch.seconds() < 1.5, "it waited for the body");
}

#[test]
fn stopping_lets_what_is_under_way_finish() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let router = Router::new().route(
        "/slow",
        get(|| async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        }),
    );
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let serving = runtime.spawn(serve(listener, router, Serving::default(), async {
        let _ = told.await;
    }));
    let idle = connect(address);
    let mut stream = connect(address);
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it is sent");
    std::thread::sleep(Duration::from_millis(100));
    let watch = Stopwatch::start();
    tell.send(()).expect("it listens");
    assert!(rest(stream).contains("done"));
    runtime.block_on(serving).expect("it ends");
    assert!(
        watch.seconds() < 5.0,
        "it waited for a connection that is idle"
    );
    drop(idle);
}
