//! Clients that want the same thing at the same moment: one of them gets it.

use std::collections::HashSet;

use server::chance::Chance;
use server::clock::Clock;
use server::error::ErrorKind;
use server::programme::{self, About, Actor, Draft, Expect, Programme, Work};

use crate::scripts::{Reply, Server, send};
use crate::served::Folder;

/// Sends the same request from many threads at once.
fn at_once(server: &Server, clients: usize, line: &str, headers: &str, body: &str) -> Vec<Reply> {
    let address = server.address;
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer all\r\n\
         Content-Type: application/fhir+json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..clients)
            .map(|_| scope.spawn(|| send(address, &request)))
            .collect();
        all.into_iter()
            .map(|one| one.join().expect("a client"))
            .collect()
    })
}

fn with_status(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}

fn total(server: &Server, search: &str) -> String {
    let request = format!(
        "GET /fhir/{search} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Authorization: Bearer all\r\n\r\n",
        server.address
    );
    let body = send(server.address, &request).body;
    let (_, rest) = body.split_once("\"total\":").expect("a total");
    rest.chars().take_while(char::is_ascii_digit).collect()
}

const PATIENT: &str =
    r#"{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}"#;

#[test]
fn of_many_conditional_creates_one_creates() {
    let server = Server::start("race-create");
    let replies = at_once(
        &server,
        24,
        "POST /fhir/Patient",
        "If-None-Exist: identifier=urn:mrn|1\r\n",
        PATIENT,
    );
    assert_eq!(
        (with_status(&replies, 201), with_status(&replies, 200)),
        (1, 23)
    );
    let locations: HashSet<_> = replies
        .iter()
        .map(|reply| reply.header("location").to_owned())
        .collect();
    assert_eq!(locations.len(), 1);
    assert_eq!(total(&server, "Patient?_summary=count"), "1");
}

#[test]
fn of_many_conditional_updates_one_creates_and_all_others_update() {
    let server = Server::start("race-update");
    let replies = at_once(
        &server,
        24,
        "PUT /fhir/Patient?identifier=urn:mrn|1",
        "",
        PATIENT,
    );
    assert_eq!(
        (with_status(&replies, 201), with_status(&replies, 200)),
        (1, 23)
    );
    assert_eq!(total(&server, "Patient?_summary=count"), "1");
}

#[test]
fn of_many_transactions_under_one_condition_one_creates() {
    let server = Server::start("race-transaction");
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[
        {{"fullUrl":"urn:uuid:1","resource":{PATIENT},"request":{{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:mrn|1"}}}},
        {{"resource":{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"urn:uuid:1"}}}},"request":{{"method":"POST","url":"Observation"}}}}]}}"#
    );
    let replies = at_once(&server, 16, "POST /fhir", "", &bundle);
    assert_eq!(with_status(&replies, 200), 16);
    assert_eq!(total(&server, "Patient?_summary=count"), "1");
    assert_eq!(total(&server, "Observation?_summary=count"), "16");
    // Every observation refers to the one patient, whichever transaction created it.
    let patient = replies
        .iter()
        .find_map(|reply| {
            let (_, rest) = reply.body.split_once("\"location\":\"Patient/")?;
            rest.split('/').next()
        })
        .expect("the patient's id");
    assert_eq!(
        total(
            &server,
            &format!("Observation?subject=Patient/{patient}&_summary=count")
        ),
        "16"
    );
}

#[test]
fn a_transaction_that_finds_all_it_would_create_writes_nothing() {
    let server = Server::start("race-nothing");
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{PATIENT},"request":{{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:mrn|1"}}}}]}}"#
    );
    let replies = at_once(&server, 24, "POST /fhir", "", &bundle);
    assert_eq!(with_status(&replies, 200), 24);
    let created = replies
        .iter()
        .filter(|reply| reply.body.contains("201 Created"))
        .count();
    assert_eq!(created, 1);
    assert_eq!(total(&server, "Patient?_summary=count"), "1");
}

#[test]
fn of_many_updates_of_one_version_one_succeeds() {
    let server = Server::start("race-version");
    let body = r#"{"resourceType":"Patient","id":"one"}"#;
    assert_eq!(
        with_status(&at_once(&server, 1, "PUT /fhir/Patient/one", "", body), 201),
        1
    );
    let replies = at_once(
        &server,
        24,
        "PUT /fhir/Patient/one",
        "If-Match: W/\"1\"\r\n",
        body,
    );
    assert_eq!(
        (with_status(&replies, 200), with_status(&replies, 412)),
        (1, 23)
    );
}

/// What a client can make a decision do must not end the writer, on whom everyone depends.
#[test]
fn a_decision_that_panics_fails_alone() {
    let folder = Folder::new("panic");
    let data = folder.path().join("data");
    let about = About {
        name: "Panic".to_owned(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    let chance = Chance::seeded(7);
    let keys = programme::create(&data, &about, None, &chance).expect("a new programme");
    let clock = Clock::standing_at(1_772_352_000_000_000);
    let on_fatal = Box::new(|_: &dyn std::fmt::Display| ());
    let programme =
        Programme::open(&data, keys, clock, chance, &mut |_, _| {}, on_fatal).expect("it opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let submit = |work| {
        let actor = Actor {
            name: "client/tests".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        runtime
            .block_on(programme.submit(actor, work))
            .map_err(|error| error.kind)
    };
    let panics = submit(Work::Deferred(Box::new(|_| panic!("on purpose"))));
    assert_eq!(panics.expect_err("it panicked"), ErrorKind::Internal);
    let stored = br#"{"resourceType":"Patient","id":"a"}"#.to_vec();
    let draft = Draft::stored("Patient", "a", Expect::Absent, stored).expect("a draft");
    assert_eq!(
        submit(Work::Ready(vec![draft]))
            .expect("the writer goes on")
            .writes
            .len(),
        1
    );
}
