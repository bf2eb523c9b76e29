//! Paths and headers that try to be something else, sent as bytes so that no client tidies them.

use super::{raw, request};
use crate::served::{Folder, Served, programme};

#[test]
fn a_path_is_what_it_says() {
    let folder = Folder::new("paths");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for target in [
        "/../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/keys/log.key",
        "/assets/%252e%252e%252fkeys",
        "/assets/..%c0%af..%c0%afetc/passwd",
        "/assets/homecoming.css%00.png",
        "/fhir/Patient/..%2f..%2fkeys",
        "/fhir/../keys/log.key",
        "/fhir/Patient/%00",
        "/fhir/Patient/a%0d%0aSet-Cookie:%20x=y",
        "/fhir/%ff%fe",
        "/fhir/Patient/%E2%80%AE",
        "/fhir//Patient",
        "//evil.example/fhir/metadata",
        "/%2f%2fevil.example",
        "/people/%2e%2e%2fcaseload",
        "/log/test-programme/../../keys/log.key",
        "/log/test-programme/%2e%2e/%2e%2e/keys/log.key",
        "/log/test-programme/tile/0/x/../../../../keys/log.key",
        "/.well-known/../keys/log.key",
        "/apps/..%2fkeys",
        "/oauth/..;/caseload",
        "/fhir/Patient;jsessionid=x",
        "/fhir/Patient/p/_history/%2e%2e",
        "http://evil.example/fhir/Patient/p",
        "*",
    ] {
        let answer = raw(served.address, request("GET", target, &bearer).as_bytes());
        assert!(
            (300..500).contains(&answer.status),
            "{target}: {}",
            answer.text
        );
        assert!(!answer.text.contains("root:"), "{target}");
        assert!(!answer.text.contains("PRIVATE"), "{target}");
        assert_eq!(answer.header("set-cookie"), "", "{target}");
        let to = answer.header("location");
        assert!(
            to.is_empty() || to.starts_with('/') && !to.starts_with("//"),
            "{target}: {to}"
        );
    }
}

#[test]
fn nothing_that_is_sent_becomes_a_header_or_an_address() {
    let folder = Folder::new("injection");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (method, target, headers) in [
        ("GET", "/caseload?next=%0d%0aX-Evil:%20y", String::new()),
        ("GET", "/sign-in?next=https://evil.example/", String::new()),
        ("GET", "/sign-in?next=//evil.example/", String::new()),
        ("GET", "/sign-in?next=/%5cevil.example/", String::new()),
        ("GET", "/sign-in?next=/%09/evil.example/", String::new()),
        ("GET", "/fhir/Patient?_id=%0d%0aX-Evil:%20y", bearer.clone()),
        (
            "GET",
            "/fhir/metadata",
            "X-Request-Id: a\"<b>\r\n".to_owned(),
        ),
        (
            "GET",
            "/fhir/metadata",
            "X-Forwarded-Host: evil.example\r\n".to_owned(),
        ),
        (
            "GET",
            "/fhir/metadata",
            "Forwarded: host=evil.example;proto=https\r\n".to_owned(),
        ),
        (
            "GET",
            "/fhir/metadata",
            "X-Original-URL: /caseload\r\nX-HTTP-Method-Override: DELETE\r\n".to_owned(),
        ),
        ("TRACE", "/fhir/metadata", bearer.clone()),
        ("CONNECT", "evil.example:443", String::new()),
        (
            "GET",
            "/fhir/metadata",
            "Range: bytes=0-0,0-1,0-2\r\n".to_owned(),
        ),
        (
            "GET",
            "/fhir/metadata",
            "Accept-Encoding: gzip;q=999999999999\r\nAccept: ;;;,,,\r\n".to_owned(),
        ),
        (
            "GET",
            "/fhir/metadata",
            "Accept-Datetime: Thu, 99 Foo 99999 99:99:99 GMT\r\n".to_owned(),
        ),
    ] {
        let answer = raw(served.address, request(method, target, &headers).as_bytes());
        assert!(answer.status < 500, "{method} {target}: {}", answer.text);
        assert_eq!(answer.header("x-evil"), "", "{target}");
        let head = answer.text.split("\r\n\r\n").next().unwrap_or_default();
        assert!(
            !head.contains("evil.example"),
            "{method} {target} {headers}: {head}"
        );
        assert!(
            !answer.text.contains("://evil.example/fhir"),
            "{method} {target} {headers}"
        );
        assert!(!answer.header("x-request-id").contains('<'));
    }
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    let folder = Folder::new("smuggling");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let second =
        format!("GET /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    for (what, text) in [
        (
            "two lengths",
            format!(
                "POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n{second}"
            ),
        ),
        (
            "a signed length",
            format!("POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n{second}"),
        ),
        (
            "a bad coding",
            format!(
                "POST /fhir HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n{second}"
            ),
        ),
        (
            "a bad chunk",
            format!(
                "POST /fhir HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{second}"
            ),
        ),
        (
            "a folded header",
            format!(
                "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX: a\r\n b: c\r\nContent-Length : 0\r\n\r\n{second}"
            ),
        ),
        (
            "a bare return",
            "GET /fhir/metadata HTTP/1.1\rHost: x\r\r".to_owned(),
        ),
        (
            "an old version",
            "GET /fhir/metadata HTTP/0.9\r\n\r\n".to_owned(),
        ),
        ("no request", "\0\0\0\0\r\n\r\n".to_owned()),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n".to_owned()),
    ] {
        let answer = raw(served.address, text.as_bytes());
        assert!(
            answer.status == 400 || answer.status == 0 || answer.status == 401,
            "{what}: {}",
            answer.text
        );
        assert!(
            !answer.text.contains("searchset"),
            "{what}: the second request was answered"
        );
    }
    // Both at once: the coding counts, and the connection ends.
    let both = format!(
        "POST /fhir/Patient/_search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}"
    );
    let answer = raw(served.address, both.as_bytes());
    let answers = answer.text.matches("HTTP/1.1 ").count();
    assert!(answers <= 1 || answer.status == 400, "{}", answer.text);
}
