//! What the FHIR side answers is FHIR itself, whatever it was asked.

use record::json::Doc;

use crate::scripts::{Reply, Server, send};

fn ask(server: &Server, line: &str, body: &str) -> Reply {
    let address = server.address;
    let content = match body.is_empty() {
        true => String::new(),
        false => format!(
            "Content-Type: application/fhir+json\r\nContent-Length: {}\r\n",
            body.len()
        ),
    };
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer all\r\n{content}\r\n{body}"
    );
    send(address, &request)
}

/// The resource in an answer, judged by the same rules as what comes in.
fn is_valid(reply: &Reply, line: &str) {
    let doc = Doc::parse(reply.body.as_bytes())
        .unwrap_or_else(|problem| panic!("{line}: {problem}\n{}", reply.body));
    let findings: Vec<_> = record::validate::validate(doc.root())
        .into_iter()
        .filter(|finding| finding.is_error())
        .collect();
    assert!(findings.is_empty(), "{line}: {findings:#?}\n{}", reply.body);
}

const TRANSACTION: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
  {"fullUrl":"urn:uuid:0b3b4a3e-5e0b-4b6c-8a51-000000000001","resource":{"resourceType":"Patient","id":"p","name":[{"family":"Castro"}]},"request":{"method":"PUT","url":"Patient/p"}},
  {"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"urn:uuid:0b3b4a3e-5e0b-4b6c-8a51-000000000001"},"valueQuantity":{"value":1.50}},"request":{"method":"POST","url":"Observation","ifNoneExist":"code=8867-4"}},
  {"request":{"method":"GET","url":"Patient/p"}}]}"#;

#[test]
fn every_answer_is_valid_fhir() {
    let server = Server::start("valid");
    let reply = ask(&server, "POST /fhir", TRANSACTION);
    assert_eq!(reply.status, 200, "{}", reply.body);
    is_valid(&reply, "the transaction");
    for line in [
        "GET /fhir/metadata",
        "GET /fhir/Patient/p",
        "GET /fhir/Patient/p?_elements=name",
        "GET /fhir/Patient/p/_history",
        "GET /fhir/Patient/p/_history/1",
        "GET /fhir/Patient?_revinclude=Observation:subject&rank=x",
        "GET /fhir/Observation?_include=Observation:subject&_total=accurate&_asof=2100-01-01",
        "GET /fhir/Observation?_summary=count",
        "GET /fhir/Observation?status=none",
        "GET /fhir/Patient/q",
        "GET /fhir/Soldier/q",
        "GET /fhir/Patient?birthdate=x",
    ] {
        is_valid(&ask(&server, line, ""), line);
    }
    let batch = TRANSACTION.replace("transaction", "batch");
    is_valid(&ask(&server, "POST /fhir", &batch), "the batch");
    let invalid = r#"{"resourceType":"Patient","rank":"x","birthDate":5}"#;
    is_valid(
        &ask(&server, "POST /fhir/Patient", invalid),
        "an invalid resource",
    );
    is_valid(
        &ask(&server, "POST /fhir/Patient/$validate", invalid),
        "a validation",
    );
}

/// A pseudo-random sequence (SplitMix64): the seed replays it.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

#[test]
fn damaged_bundles_are_refused_or_taken_but_never_break_the_server() {
    const BYTES: &[u8] = b"{}[]\",:0-9eE.\\ntfulx \t\n";
    let server = Server::start("damaged");
    let mut seeded = Seeded(0x5eed);
    for round in 0..400 {
        let mut bytes = TRANSACTION.as_bytes().to_vec();
        for _ in 0..=seeded.below(3) {
            let at = seeded.below(bytes.len());
            match seeded.below(4) {
                0 => bytes[at] = BYTES[seeded.below(BYTES.len())],
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, BYTES[seeded.below(BYTES.len())]),
                _ => {
                    let end = (at + seeded.below(80)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = seeded.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        let body = String::from_utf8(bytes).expect("the transaction is ASCII");
        let reply = ask(&server, "POST /fhir", &body);
        assert!(
            (200..500).contains(&reply.status),
            "round {round}: {body}\n{}",
            reply.body
        );
        is_valid(&reply, &format!("round {round}: {body}"));
    }
    assert_eq!(
        ask(&server, "GET /fhir/Patient?_summary=count", "").status,
        200
    );
}

#[test]
fn damaged_addresses_are_refused_or_answered_but_never_break_the_server() {
    const PIECES: [&str; 24] = [
        "/fhir",
        "/Patient",
        "/p",
        "/_history",
        "/1",
        "?",
        "&",
        "=",
        "_count=",
        "_sort=",
        "-date",
        "name:exact=",
        "%20",
        "%",
        "%zz",
        "%ff",
        "_include=",
        "Patient:*",
        "_asof=",
        "size:1",
        "_cursor=",
        "1-0",
        "birthdate=ge",
        "$receipt",
    ];
    let server = Server::start("addresses");
    assert_eq!(ask(&server, "POST /fhir", TRANSACTION).status, 200);
    let mut seeded = Seeded(0xadd);
    for round in 0..600 {
        let mut path = "/fhir/Patient".to_owned();
        for _ in 0..seeded.below(7) {
            path.push_str(PIECES[seeded.below(PIECES.len())]);
        }
        let reply = ask(&server, &format!("GET {path}"), "");
        assert!(
            (200..500).contains(&reply.status),
            "round {round}: {path}\n{}",
            reply.body
        );
        if reply.header("content-type") == "application/fhir+json" {
            is_valid(&reply, &format!("round {round}: {path}"));
        }
    }
}

/// A short request may not ask for work without end.
#[test]
fn what_comes_along_and_what_a_batch_reads_has_an_end() {
    let server = Server::start("ends");
    let form = |line: &str, media: &str, body: &str| {
        let address = server.address;
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer all\r\n\
             Content-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        send(address, &request)
    };
    let media = "application/x-www-form-urlencoded";
    let kinds = (0..=u8::MAX).filter_map(record::definitions::kind_name);
    let many: Vec<String> = kinds
        .map(|kind| format!("_include=Observation:subject:{kind}"))
        .collect();
    let reply = form("POST /fhir/Observation/_search", media, &many.join("&"));
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(
        reply.body.contains("things are asked to come along"),
        "{}",
        reply.body
    );
    let same = vec!["_include=Observation:subject"; 1000].join("&");
    assert_eq!(
        form("POST /fhir/Observation/_search", media, &same).status,
        200
    );

    let text = "x".repeat(60_000);
    let body = format!(r#"{{"resourceType":"Basic","id":"a","code":{{"text":"{text}"}}}}"#);
    assert_eq!(ask(&server, "PUT /fhir/Basic/a", &body).status, 201);
    let read = r#"{"request":{"method":"GET","url":"Basic/a"}}"#;
    for kind in ["batch", "transaction"] {
        let entries = vec![read; 2_000].join(",");
        let body = format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#);
        let reply = ask(&server, "POST /fhir", &body);
        assert_eq!(reply.status, 200);
        assert!(
            reply.body.len() < 80 << 20,
            "{kind}: {} bytes",
            reply.body.len()
        );
        assert!(reply.body.contains("413 Payload Too Large"), "{kind}");
    }
}
