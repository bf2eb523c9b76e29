//! Attack 16: whoever has a way into one programme reads another, or puts one programme's files into another's.

use super::{audit, copy, export, forger, observation, put, recorded, refused, says, verify};
use crate::people::{Browser, Person};
use crate::served::{Folder, Served, get, homecoming, homecoming_done, log_key};

/// Two programmes of one operator, each with the same people, and their tokens.
struct Two {
    here: (Folder, String, String),
    there: (Folder, String, String),
}

impl Two {
    fn new(name: &str) -> Two {
        let [here, there] = ["here", "there"].map(|which| {
            let folder = Folder::new(&format!("{name}-{which}"));
            let (data, token) = recorded(&folder);
            (folder, data, token)
        });
        Two { here, there }
    }
}

#[test]
fn a_token_and_a_session_of_one_programme_open_nothing_of_another() {
    let two = Two::new("across-token");
    let (_, here, token_here) = &two.here;
    let (_, there, token_there) = &two.there;
    let (at_here, at_there) = (Served::start(here), Served::start(there));
    for path in [
        "/fhir/Patient/anna",
        "/fhir/Observation?patient=anna",
        "/fhir/Patient/anna/$receipt",
        "/log/test-programme/entries/0",
    ] {
        let (status, _) = get(&at_here.url(path), Some(token_here));
        let (other, said) = get(&at_there.url(path), Some(token_here));
        assert_eq!(other, 401, "{path}: {said}");
        assert!(status != 401, "{path}: {status}");
        assert!(!said.contains("Reyes"), "{said}");
    }
    let (status, _) = get(&at_there.url("/fhir/Patient/anna"), Some(token_there));
    assert_eq!(status, 200);
    let said = homecoming_done(&[
        "user",
        "add",
        "C. Worker",
        "--data",
        here,
        "--role",
        "caseworker",
    ]);
    let code = said.lines().last().expect("a code");
    let person = Person::enrol(&at_here, "C. Worker", code);
    assert_eq!(person.browser.get("/account").status, 200);
    // The same cookies, shown to the other programme.
    let elsewhere = Browser::new(&at_there);
    for pair in person.browser.cookies().split("; ") {
        let (name, value) = pair.split_once('=').expect("a cookie");
        elsewhere.set_cookie(name, Some(value));
    }
    for path in ["/account", "/people/anna"] {
        let answer = elsewhere.get(path);
        assert!(
            matches!(answer.status, 303 | 401),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.body.contains("Reyes"), "{}", answer.body);
    }
}

#[test]
fn keys_and_logs_of_another_programme_are_refused_at_the_start() {
    let two = Two::new("across-keys");
    let (_, here, _) = &two.here;
    let (folder, there, _) = &two.there;
    let sound = folder.join("sound");
    copy(there, &sound);
    for (files, says_so) in [
        (
            &["keys/ledger.keyring"][..],
            &["keys/ledger.keyring", "wrapped under another wrapping key"][..],
        ),
        (
            &["keys/programme.key"],
            &["wrapped with another provider.key"],
        ),
        (
            &["keys/log.key"],
            &["keys/log.key", "belongs to another ledger"],
        ),
        (&["keys/access.key"], &["belongs to another access log"]),
        (&["keys/alias.key"], &["keys/alias.key"]),
        (
            // Well wrapped, and of a programme of the same name.
            &[
                "keys/provider.key",
                "keys/programme.key",
                "keys/ledger.keyring",
                "keys/access.keyring",
            ],
            &["keys/ledger.keyring", "belongs to another ledger"],
        ),
        (&["ledger.sqlite"], &["belongs to another ledger"]),
        (&["access.sqlite"], &["another"]),
    ] {
        for file in files {
            std::fs::copy(format!("{here}/{file}"), format!("{there}/{file}")).expect("put in");
        }
        says(&refused(there), says_so);
        for file in files {
            std::fs::copy(format!("{sound}/{file}"), format!("{there}/{file}")).expect("put back");
        }
    }
    homecoming_done(&["audit", "--data", there]);
}

/// The sealed text of a person, at the same place of both logs, under the same id and alias key.
#[test]
fn a_content_of_another_programme_is_not_shown_and_is_found() {
    let two = Two::new("across-content");
    let (_, here, _) = &two.here;
    let (_, there, token) = &two.there;
    let served = Served::start(there);
    let lines = forger::lines(there);
    let at = lines
        .iter()
        .position(|line| line.contains("Observation/5eepab0000000002/1"))
        .expect("it is there") as i64;
    let source = format!("ATTACH '{here}/ledger.sqlite' AS other");
    let db = rusqlite::Connection::open(format!("{there}/ledger.sqlite")).expect("the ledger");
    db.execute_batch(&source).expect("attached");
    db.execute_batch("DROP TRIGGER content_stays")
        .expect("dropped");
    db.execute(
        "UPDATE content SET (class, slot, body) = (SELECT class, slot, body FROM other.content WHERE position = ?1) WHERE position = ?1",
        [at],
    )
    .expect("put in");
    drop(db);
    let (status, said) = get(
        &served.url("/fhir/Observation/5eepab0000000002"),
        Some(token),
    );
    assert_eq!(status, 500, "{said}");
    assert!(!said.contains("valueQuantity"), "{said}");
    says(
        &audit(there),
        &[
            &format!("Entry {at}: its sealed content is not the one that its line covers"),
            &format!("Entry {at}: its content is sealed under another key, or for another place"),
        ],
    );
}

#[test]
fn evidence_of_one_programme_does_not_pass_for_anothers() {
    let two = Two::new("across-evidence");
    let (folder, here, _) = &two.here;
    let (_, there, token) = &two.there;
    // As a participant of the other programme would check it.
    let key = log_key(there);
    let file = export(folder, here, "export");
    let (code, said) = verify(&[&file, "--key", &key]);
    assert_eq!(code, 1, "{said}");
    says(&said, &["was made by the log of", "you trust"]);
    let served = Served::start(there);
    put(
        &served,
        token,
        "Observation/5eepab0000000004",
        &observation("5eepab0000000004", 2),
    );
    let address = served.url("/fhir/Observation/5eepab0000000004/$receipt");
    let receipt = folder.join("receipt");
    std::fs::write(&receipt, get(&address, Some(token)).1).expect("written");
    assert_eq!(verify(&[&receipt, "--key", &key]).0, 0);
    assert_eq!(verify(&[&receipt, "--key", &log_key(here)]).0, 1);
    // And an audit with the other one's keys opens nothing.
    let output = homecoming(&["audit", "--data", there, "--keys-from", here]);
    assert_ne!(output.status.code(), Some(0));
}
