//! Small requests that are meant to become large: they are refused with their place, soon, and the server stays small.

use std::time::Duration;

use super::{memory_mb, raw};
use crate::served::{Folder, Served, get, programme};

fn post(served: &Served, token: &str, target: &str, headers: &str, body: &[u8]) -> super::Raw {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/fhir+json\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    raw(served.address, &[head.as_bytes(), body].concat())
}

#[test]
fn json_that_is_meant_to_be_too_much_is_refused_with_its_place() {
    let folder = Folder::new("bombs");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let patient = |inside: &str| format!("{{\"resourceType\":\"Patient\",{inside}}}");
    let quantity = |number: &str| {
        format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueQuantity":{{"value":{number}}}}}"#
        )
    };
    let deep = "[".repeat(100_000);
    let nested = format!(
        "{}1{}",
        "{\"extension\":[".repeat(50_000),
        "]}".repeat(50_000)
    );
    let digits = "9".repeat(3_000_000);
    let long_key = format!("\"{}\":1", "k".repeat(70_000));
    let same = vec!["\"id\":\"a\""; 100_000].join(",");
    let contained = vec![r#"{"resourceType":"Basic","code":{"text":"x"}}"#; 20_000].join(",");
    for (what, target, body, statuses) in [
        ("deep lists", "/fhir/Patient", deep.clone(), &[400][..]),
        ("deep objects", "/fhir/Patient", nested, &[400]),
        (
            "deep in a bundle",
            "/fhir",
            format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{deep}"#),
            &[400],
        ),
        (
            "a long number",
            "/fhir/Observation",
            quantity(&digits),
            &[400],
        ),
        (
            "a large exponent",
            "/fhir/Observation",
            quantity("1e999999999"),
            &[400],
        ),
        (
            "a small exponent",
            "/fhir/Observation",
            quantity("1e-999999999"),
            &[400],
        ),
        ("a key many times", "/fhir/Patient", patient(&same), &[400]),
        ("a long key", "/fhir/Patient", patient(&long_key), &[400]),
        (
            "many contained",
            "/fhir/Patient",
            patient(&format!("\"contained\":[{contained}]")),
            &[201, 400, 413],
        ),
        (
            "half a pair",
            "/fhir/Patient",
            patient(r#""id":"\ud800""#),
            &[400],
        ),
        ("nothing", "/fhir/Patient", String::new(), &[400]),
        (
            "a byte order mark",
            "/fhir/Patient",
            format!("\u{feff}{}", patient("\"active\":true")),
            &[201],
        ),
        (
            "NUL",
            "/fhir/Patient",
            patient("\"active\":true\u{0}"),
            &[400],
        ),
    ] {
        let watch = server::clock::Stopwatch::start();
        let answer = post(&served, &token, target, "", body.as_bytes());
        assert!(
            statuses.contains(&answer.status),
            "{what}: {}",
            &answer.text[..answer.text.len().min(600)]
        );
        assert!(
            watch.elapsed() < Duration::from_secs(20),
            "{what} took {} s",
            watch.seconds()
        );
    }
    assert_eq!(
        get(&served.url("/fhir/Patient?_count=1"), Some(&token)).0,
        200
    );
}

#[test]
fn what_is_compressed_is_not_opened() {
    let folder = Folder::new("zip");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    // A megabyte of zeros in a kilobyte, as zstd and as gzip call it.
    let small = zstd::bulk::compress(&vec![b' '; 1 << 20], 19).expect("it shrinks");
    for encoding in ["zstd", "gzip", "deflate", "br", "gzip, gzip"] {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        let answer = post(&served, &token, "/fhir/Patient", &headers, &small);
        assert_eq!(answer.status, 415, "{encoding}: {}", answer.text);
    }
}

#[test]
fn a_giant_bundle_does_not_make_the_server_giant() {
    let folder = Folder::new("giant");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let before = memory_mb(served.pid());
    let entries = |one: &str, mb: usize| {
        let mut body = br#"{"resourceType":"Bundle","type":"batch","entry":["#.to_vec();
        while body.len() < mb << 20 {
            body.extend_from_slice(one.as_bytes());
            body.push(b',');
        }
        body.pop();
        body.extend_from_slice(b"]}");
        body
    };
    // As many values as fit, and then more than the limit.
    for (what, body, statuses) in [
        ("empty objects", entries("{}", 8), &[200, 400, 413, 422][..]),
        ("empty lists", entries("[]", 8), &[200, 400, 413, 422]),
        (
            "too large",
            entries(r#"{"request":{"method":"GET","url":"Patient"}}"#, 65),
            &[413],
        ),
    ] {
        let watch = server::clock::Stopwatch::start();
        let answer = post(&served, &token, "/fhir", "", &body);
        assert!(
            statuses.contains(&answer.status),
            "{what}: {} {}",
            answer.status,
            &answer.text[..answer.text.len().min(300)]
        );
        assert!(
            watch.elapsed() < Duration::from_secs(60),
            "{what} took {} s",
            watch.seconds()
        );
        let now = memory_mb(served.pid());
        assert!(now < before + 2_500, "{what}: {before} MB became {now} MB");
    }
    let query: String = (0..5_000).map(|n| format!("&_id={n}")).collect();
    let (status, _) = get(
        &served.url(&format!("/fhir/Patient?{}", &query[1..])),
        Some(&token),
    );
    assert!([200, 400, 414].contains(&status), "{status}");
}
