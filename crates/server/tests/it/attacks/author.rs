//! Attacks 4 and 10: what was handed in is never entered, and what somebody signed is passed off as another's. What a
//! passkey signed stays signed when the log goes on under another name.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use casework::DAY;
use evidence::signature::{Assertion, Meaning, Proof};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use server::clock::Clock;
use server::programme::{Actor, AsOf, Draft, Expect, RecordedAt, Work};
use server::sign_in::actor_name;
use server::signature::{self, Offered};
use sha2::{Digest, Sha256};

use super::backdating::begun_a_week_ago;
use super::{audit, forger, observation, observation_of, says, verify};
use crate::erasing::{PERSON, World};
use crate::served::{Folder, homecoming_done, log_key};

const SIGNED: &str = "5eepab0000000010";
const UNSIGNED: &str = "5eepab0000000011";
/// Where the caseworker is among the users.
const AUTHOR: usize = 4;

/// The caseworker records a fact about the person.
fn records(world: &World, id: &str) {
    let stored = observation_of(PERSON, id, 6).into_bytes();
    let draft = Draft::stored("Observation", id, Expect::Absent, stored).expect("a draft");
    let work = Work::Ready(vec![draft]);
    let submitted = world.programme.submit(author(world), work);
    world.runtime.block_on(submitted).expect("taken");
}

fn author(world: &World) -> Actor {
    Actor {
        name: actor_name(&world.officers[AUTHOR]),
        purpose: "TREAT".to_owned(),
    }
}

/// What the caseworker would sign as the author.
fn offered(world: &World, id: &str) -> Offered {
    let view = world.programme.view(AsOf::Now);
    let version = view.read("Observation", id).expect("read");
    signature::offer(
        &world.programme,
        &view,
        &world.officers[AUTHOR],
        &version.expect("it is there"),
        Meaning::Authored,
        world.clock.now().0,
    )
    .expect("it may be signed")
}

/// Signs it as a passkey does.
fn signs(world: &World, id: &str) {
    let offered = offered(world, id);
    let key = SigningKey::from_slice(&[7; 32]).expect("a key");
    let client = format!(
        r#"{{"type":"webauthn.get","challenge":"{}","origin":"https://record.example.org"}}"#,
        URL_SAFE_NO_PAD.encode(offered.statement.challenge())
    )
    .into_bytes();
    // Somebody was there, and it was verified who.
    let mut authenticator = Sha256::digest(b"record.example.org").to_vec();
    authenticator.extend_from_slice(&[5, 0, 0, 0, 1]);
    let message = [&authenticator[..], &Sha256::digest(&client)].concat();
    let signature: p256::ecdsa::Signature = key.sign(&message);
    let proof = Proof::Passkey(Assertion {
        algorithm: -7,
        key: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        authenticator,
        client,
        signature: signature.to_der().as_bytes().to_vec(),
    });
    let recorded = signature::record(&world.programme, author(world), &offered, &proof);
    world.runtime.block_on(recorded).expect("recorded");
}

/// The person's export, and what `homecoming verify` says of it.
fn exported(folder: &Folder, data: &str) -> (i32, String) {
    let file = folder.join("export");
    homecoming_done(&["export", "--data", data, "--person", PERSON, "--out", &file]);
    verify(&[&file, "--key", &log_key(data)])
}

/// Says of an entry that somebody else wrote it, and makes everything that the log's key can make fit.
fn passed_off(data: &str, lines: &[String], id: &str, actor: &'static str) {
    let mut changed = 0;
    let forged = forger::rechained(lines, |line, before| {
        if line.id == id && line.actor != actor {
            line.actor = actor;
            changed += 1;
        }
        if line.kind == evidence::heads::KIND && line.id.starts_with('~') {
            let covers = line.position;
            forger::count_again(data, line, before, covers);
        }
    });
    assert_eq!(changed, 1);
    forger::replace(data, &forged);
}

#[test]
fn an_entry_that_was_signed_is_not_passed_off_as_somebody_elses() {
    let folder = Folder::new("attack-10");
    let data = folder.join("data");
    let world = World::new(data.as_ref());
    records(&world, SIGNED);
    signs(&world, SIGNED);
    records(&world, UNSIGNED);
    let author = actor_name(&world.officers[AUTHOR]);
    world.close();
    let (code, said) = exported(&folder, &data);
    assert_eq!(code, 0, "{said}");
    let signed = format!("signed as authored by C. Caseworker ({author})");
    says(&said, &[&signed, "The signature fits it as it is here"]);
    let lines = forger::lines(&data);
    let position = |what: &str| {
        let found = lines.iter().position(|line| line.contains(what));
        found.unwrap_or_else(|| panic!("no {what} in {lines:#?}"))
    };
    let entry = position(&format!(" Observation/{SIGNED}/1 "));
    let signature = position(" Provenance/");
    homecoming_done(&["audit", "--data", &data]);

    // What nobody signed is the server's word alone, and everything fits.
    passed_off(&data, &lines, UNSIGNED, "user/1");
    let (code, said) = exported(&folder, &data);
    assert_eq!(code, 0, "{said}");
    says(&said, &[&signed, "the names are asserted by the server"]);
    // What was signed is not.
    passed_off(&data, &lines, SIGNED, "user/1");
    let (code, said) = exported(&folder, &data);
    assert_eq!(code, 1, "{said}");
    says(
        &said,
        &[
            "NOT VERIFIED",
            &format!("the signature in entry {signature} does not fit entry {entry}"),
            "it is of another entry, or of another version of this one",
            "was forged by whoever holds the log's key",
        ],
    );
    assert!(!said.contains("C. Caseworker"), "{said}");
    says(
        &audit(&data),
        &[&format!(
            "Entry {signature}: the signature in it does not fit entry {entry}"
        )],
    );
}

/// A restore that loses entries begins another log. What was signed before stays signed, on pages, in receipts and in
/// exports.
#[test]
fn what_was_signed_stays_signed_when_a_restore_begins_another_log() {
    let folder = Folder::new("signed-restored");
    let data = folder.join("data");
    let world = World::new(data.as_ref());
    records(&world, SIGNED);
    signs(&world, SIGNED);
    let before = offered(&world, SIGNED).statement;
    let now = world.clock.now().0;
    world.close();
    let old = folder.join("old");
    homecoming_done(&["backup", "--data", &data, "--to", &old]);
    let size = |data: &str| {
        let standing = ledger::backup::Standing::of(data.as_ref());
        standing.expect("a ledger").size
    };
    let had = size(&data);
    let world = World::open(data.as_ref(), now);
    for number in 3..6 {
        records(&world, &format!("5eepab000000002{number}"));
    }
    world.close();
    let words = format!(
        "The disk failed; {} entries are lost, and the director decided to go on.",
        size(&data) - had
    );
    homecoming_done(&[
        "restore",
        "--from",
        &old,
        "--data",
        &data,
        "--lose-entries",
        &words,
    ]);

    let world = World::open(data.as_ref(), Clock::System.now().0);
    let ledger = world.programme.ledger();
    assert_eq!(ledger.verifier().name(), "homecoming/erasing.2");
    let view = world.programme.view(AsOf::Now);
    let found = signature::of(&world.programme, &view, "Observation", SIGNED).expect("read");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fits, Ok(()));
    // What is signed from here on is signed as of the same log.
    let after = offered(&world, SIGNED).statement;
    assert_eq!(
        (after.log, after.position, after.line),
        (
            "homecoming/erasing".to_owned(),
            before.position,
            before.line
        )
    );
    let receipt = ledger
        .receipt(found[0].version.position)
        .expect("a receipt");
    let report = evidence::receipt::verify(receipt.as_bytes(), Some(ledger.verifier()));
    let proved = report.expect("it verifies").proved.join("\n");
    says(&proved, &["That key signed just this"]);
    drop((view, found));
    world.close();
    homecoming_done(&["audit", "--data", &data]);
    let (code, said) = exported(&folder, &data);
    assert_eq!(code, 0, "{said}");
    says(
        &said,
        &[
            "signed as authored by C. Caseworker",
            "The signature fits it as it is here",
        ],
    );
}

/// What was handed in, and promised, is never entered. The programme counts the person's entries after that was due,
/// and has signed both.
#[test]
fn a_promise_that_was_not_kept_is_shown_to_be_broken_by_the_programmes_own_export() {
    let folder = Folder::new("attack-4");
    let data = folder.join("data");
    let received = Clock::System.now().0 - 7 * DAY;
    begun_a_week_ago(&data);
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let ledger = ledger::Ledger::open(data.as_ref(), 1, keys).expect("the ledger");
    let promised = |name: &str, handed_in: &str| {
        let promise = ledger::promise(
            data.as_ref(),
            &ledger,
            "anna",
            evidence::promise::fingerprint(handed_in.as_bytes()).expect("an object"),
            RecordedAt(received),
            RecordedAt(received + DAY),
        );
        let file = folder.join(name);
        std::fs::write(&file, promise.expect("signed")).expect("written");
        file
    };
    let kept = promised("kept", &observation("handed-in", 1));
    let broken = promised("broken", &observation("handed-in", 77));
    drop(ledger);
    let key = log_key(&data);
    let (code, said) = verify(&[&broken, "--key", &key]);
    assert_eq!(code, 0, "{said}");
    says(&said, &["That it was kept or broken: it is due."]);

    let export = super::export(&folder, &data, "export");
    let (code, said) = verify(&[&kept, "--with", &export, "--key", &key]);
    assert_eq!(code, 0, "{said}");
    says(&said, &["VERIFIED", "It was kept"]);
    let (code, said) = verify(&[&broken, "--with", &export, "--key", &key]);
    assert_eq!(code, 1, "{said}");
    says(
        &said,
        &[
            "BROKEN",
            "It was broken: the export, complete as of",
            "does not have it",
        ],
    );
}
