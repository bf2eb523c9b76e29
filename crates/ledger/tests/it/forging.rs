//! Whoever runs the server rewrites the record consistently: with the log's key, the content keys and knowledge of the
//! format. What witnesses have signed, the map of heads and the places that contents are sealed for find it.

use std::collections::HashMap;

use evidence::heads;
use ledger::entry::{Alias, Line, Previous};
use ledger::witnessed::{LogName, Witnessed};
use ledger::{Action, Expect, RecordedAt};
use rusqlite::Connection;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};

use crate::damage::intruder;
use crate::world::{START_US, World, transaction, write};

const ORIGIN: &str = "test.example/log";

/// Three persons, thirty entries, a map of heads at the end; at rest. What is behind is 31 entries.
fn ward() -> World {
    let mut world = World::new(29);
    for number in 0..30 {
        let person = ["anna", "omar", "lena"][number % 3];
        world.accept(transaction(vec![write(
            Action::Create,
            &format!("Observation/{:016}", number / 6 * 3 + number % 3),
            Expect::Any,
            Some(person),
            &format!("score {number}"),
        )]));
    }
    world.record_heads(None);
    at_rest(&mut world);
    assert_eq!(world.audit().faults, []);
    world
}

fn at_rest(world: &mut World) {
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
}

fn witness() -> CosignerKey {
    CosignerKey::from_seed("witness.example/w", Algorithm::Ed25519, &[8; 32]).unwrap()
}

/// A witness signs for the ledger as it stands, at this time, and it is noted.
fn cosign(world: &World, at_us: i64) {
    let text = world.reader().checkpoint().unwrap();
    let mut note = SignedNote::parse(&text).unwrap();
    let size = Checkpoint::parse(note.text()).unwrap().size;
    let seconds = u64::try_from(at_us / 1_000_000).unwrap();
    let signature = witness().cosign(&note, seconds).unwrap();
    note.put(signature).unwrap();
    let witnessed = Witnessed::open(world.dir.path()).unwrap();
    witnessed
        .add(LogName::Record, size, &note.to_string(), at_us)
        .unwrap();
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        world.reader().verifier(),
        witness().witness()
    );
    std::fs::write(world.dir.path().join("witness.policy"), policy).unwrap();
}

/// Rewrites every line as `change` wants it, and then everything that depends on it, so that all fits
/// together again: links of the chains, heads, root, the log's signature.
fn forge(world: &World, db: &Connection, change: impl Fn(&mut Line<'_>)) {
    let lines: Vec<Vec<u8>> = db
        .prepare("SELECT line FROM entry ORDER BY position")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut chains: HashMap<Alias, Previous> = HashMap::new();
    let mut tree = tlog::Frontier::new();
    for bytes in &lines {
        let mut line = Line::parse(bytes).unwrap();
        change(&mut line);
        line.previous = line.person.and_then(|person| chains.get(&person).copied());
        let mut forged = Vec::new();
        line.write(&mut forged);
        let hash = tlog::leaf_hash(&forged);
        tree.push(hash);
        if let Some(person) = line.person {
            let end = Previous {
                number: line.previous.map_or(0, |previous| previous.number) + 1,
                position: line.position,
                hash,
            };
            chains.insert(person, end);
        }
        db.execute(
            "UPDATE entry SET line = ?1 WHERE position = ?2",
            (&forged, line.position as i64),
        )
        .unwrap();
    }
    db.execute("DELETE FROM person", []).unwrap();
    for (person, end) in &chains {
        db.execute(
            "INSERT INTO person (person, count, position, hash) VALUES (?1, ?2, ?3, ?4)",
            (
                &person.0[..],
                end.number as i64,
                end.position as i64,
                &end.hash[..],
            ),
        )
        .unwrap();
    }
    let secret = std::fs::read_to_string(world.dir.path().join("keys/log.key")).unwrap();
    let key = SigningKey::parse(secret.trim_end()).unwrap();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
        extensions: Vec::new(),
    };
    db.execute(
        "UPDATE state SET value = ?1 WHERE key = 'checkpoint'",
        [checkpoint.sign(&key).unwrap()],
    )
    .unwrap();
}

/// What an audit finds besides the triggers, which had to go.
fn faults(world: &World) -> Vec<String> {
    let report = world.audit();
    let faults = report.faults.iter().map(ToString::to_string);
    faults
        .filter(|fault| !fault.contains("is missing in the file"))
        .collect()
}

#[track_caller]
fn found(world: &World, expect: &[&str]) {
    let faults = faults(world);
    assert!(!expect.is_empty());
    for what in expect {
        assert!(
            faults.iter().any(|fault| fault.contains(what)),
            "not found: {what}\nfound: {faults:#?}"
        );
    }
}

/// Attack 5, with every hash, head and signature made anew: only somebody outside can tell.
#[test]
fn an_edit_with_everything_rehashed_is_not_what_the_witnesses_signed() {
    let world = ward();
    cosign(&world, START_US + 60_000_000);
    forge(&world, &intruder(&world), |line| {
        if line.position == 17 {
            line.actor = "user/other";
        }
    });
    assert_eq!(
        faults(&world),
        ["The first 31 entries are not those that witnesses have signed for"]
            .into_iter()
            .chain(["Entry 30: its map of heads is not the one that the first 30 entries give: somebody's entries are withheld from it, or added"])
            .collect::<Vec<_>>()
    );
}

/// Attack 3: an entry is taken out of a person's chain and given to nobody, and the chain is closed over the gap.
#[test]
fn an_entry_that_is_withheld_from_a_chain_is_missing_in_the_map_of_heads() {
    let world = ward();
    let lena = world.reader().person("lena");
    let before = world.reader().heads_at(30).unwrap();
    let count = |heads: &[heads::Head]| {
        heads
            .iter()
            .find(|head| head.person == lena)
            .map(|head| head.count)
    };
    assert_eq!(count(&before), Some(10));
    forge(&world, &intruder(&world), |line| {
        if line.position == 20 {
            line.person = None;
        }
    });
    // The chain that is shown has no gap, so it alone proves nothing.
    let shown = world.reader().heads_at(30).unwrap();
    assert_eq!(count(&shown), Some(9));
    // But it is not the one that the map commits to, which names one entry more.
    assert_ne!(heads::root(&before), heads::root(&shown));
    found(
        &world,
        &[
            "Entry 30: its map of heads is not the one that the first 30 entries give: somebody's entries are withheld",
            "Entry 20: it is about nobody, but its content is sealed under somebody's key",
        ],
    );
}

/// Attack 7: of two versions of one resource, under one key, each stands in the other's place.
#[test]
fn versions_that_were_swapped_do_not_open_in_each_others_place() {
    let world = ward();
    let db = intruder(&world);
    let swap = "CREATE TEMP TABLE t AS SELECT * FROM content WHERE position IN (6, 9);
         UPDATE content SET (body, slot) = (SELECT body, slot FROM t WHERE position = 15 - content.position)
         WHERE position IN (6, 9)";
    let sealed = |position: u64| {
        let body: Vec<u8> = db
            .query_row(
                "SELECT body FROM content WHERE position = ?1",
                [position as i64],
                |row| row.get(0),
            )
            .unwrap();
        evidence::content::sealed(&body)
    };
    let line = |position: u64| world.reader().entry(position).unwrap().unwrap();
    assert_eq!(
        (line(6).id.clone(), line(6).version),
        (line(9).id.clone(), line(9).version - 1)
    );
    db.execute_batch(swap).unwrap();
    found(
        &world,
        &[
            "Entry 6: its sealed content is not the one that its line covers",
            "Entry 9: its sealed content is not the one that its line covers",
        ],
    );
    // Whoever makes the lines fit the bodies again still cannot make them open there.
    let (six, nine) = (sealed(6), sealed(9));
    forge(&world, &db, |line| match line.position {
        6 => line.sealed = six,
        9 => line.sealed = nine,
        _ => {}
    });
    found(
        &world,
        &[
            "Entry 6: its content is sealed under another key, or for another place",
            "Entry 9: its content is sealed under another key, or for another place",
        ],
    );
    assert!(world.reader().version(6).is_err());
}

/// Attack 7, replay: an old version is put where the newest is, line and body, as if the correction had never been.
#[test]
fn an_old_version_does_not_pass_for_the_newest() {
    let world = ward();
    let db = intruder(&world);
    db.execute_batch(
        "UPDATE content SET (body, slot) = (SELECT body, slot FROM content WHERE position = 6) WHERE position = 9;
         UPDATE entry SET line = (SELECT line FROM entry WHERE position = 6) WHERE position = 9",
    )
    .unwrap();
    found(
        &world,
        &[
            "Entry 9: its line says position 6",
            "Entry 9: it is version 1 of",
            "The 31 entries do not give the root that the checkpoint signs",
        ],
    );
}

/// Attack 8: a week after the last entry, one is recorded as if it had been there for five days.
#[test]
fn an_entry_is_not_older_than_the_signature_that_does_not_cover_it() {
    const DAY_US: i64 = 86_400_000_000;
    let mut world = ward();
    cosign(&world, START_US + 7 * DAY_US);
    assert_eq!(faults(&world), [""; 0]);
    world.reopen();
    world.now_us.set(START_US + 2 * DAY_US);
    let backdated = transaction(vec![write(
        Action::Create,
        "Observation/ffffffffffffff11",
        Expect::Any,
        Some("anna"),
        "consent was given",
    )]);
    world.accept(backdated.clone());
    at_rest(&mut world);
    let report = world.audit();
    let said: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let expect = format!(
        "Entry 31: it says it was recorded at {}, but was not there yet when a witness signed at {}: it is backdated",
        RecordedAt(START_US + 2 * DAY_US + 1_000_000),
        RecordedAt(START_US + 7 * DAY_US),
    );
    assert_eq!(said, [expect]);
}

/// Attack 8, the other way round: what a witness has signed for cannot be dated after that.
#[test]
fn an_entry_is_not_younger_than_the_signature_that_covers_it() {
    let world = ward();
    cosign(&world, START_US - 600_000_000);
    found(
        &world,
        &[
            "Entry 30: it says it was recorded at 2026-01-01T00:00:31.000000Z, but a witness had signed for it at 2025-12-31T23:50:00.000000Z",
        ],
    );
}

/// The end is cut off, with everything made to fit.
#[test]
fn a_log_that_was_cut_off_is_behind_its_witnesses() {
    let world = ward();
    cosign(&world, START_US + 60_000_000);
    let db = intruder(&world);
    db.execute_batch(
        "DELETE FROM entry WHERE position >= 28; DELETE FROM content WHERE position >= 28;
         DELETE FROM key_use WHERE slot NOT IN (SELECT slot FROM content)",
    )
    .unwrap();
    forge(&world, &db, |_| {});
    assert_eq!(
        faults(&world),
        [
            "The first 31 entries are not those that witnesses have signed for (31 entries, of which only 28 are there)"
        ]
    );
}

/// immudb #2063 and #2091: a stored value was edited, the hashes beside it were not, and the audit read only these.
#[test]
fn an_audit_reads_the_values_and_not_only_their_hashes() {
    let world = ward();
    let db = intruder(&world);
    let tables = "SELECT group_concat(hex(line)) FROM entry";
    let before: String = db.query_row(tables, [], |row| row.get(0)).unwrap();
    let checkpoint = world.reader().checkpoint().unwrap();
    db.execute_batch("UPDATE content SET body = CAST(substr(body, 1, 70) || x'2a' || substr(body, 72) AS BLOB) WHERE position = 11")
        .unwrap();
    let after: String = db.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(
        (before, checkpoint),
        (after, world.reader().checkpoint().unwrap())
    );
    found(
        &world,
        &[
            "Entry 11: its sealed content is not the one that its line covers",
            "Entry 11: its sealed content was changed",
        ],
    );
    assert!(world.reader().version(11).is_err(), "nor is it shown");
}

/// immudb CVE-2022-39199: a server that gave itself another identity was taken for a new one, and its past forgotten.
#[test]
fn a_log_that_renames_itself_is_held_against_what_it_was() {
    let world = ward();
    cosign(&world, START_US + 60_000_000);
    let db = intruder(&world);
    let other = SigningKey::from_seed("test.example/other", &[9; 32]).unwrap();
    let begun = Checkpoint {
        origin: "test.example/other".to_owned(),
        ..Checkpoint::parse(
            SignedNote::parse(&world.reader().checkpoint().unwrap())
                .unwrap()
                .text(),
        )
        .unwrap()
    };
    for (key, value) in [
        ("origin", begun.origin.clone()),
        ("verifier", other.verifier().to_string()),
        ("checkpoint", begun.sign(&other).unwrap()),
    ] {
        db.execute("UPDATE state SET value = ?2 WHERE key = ?1", (key, value))
            .unwrap();
    }
    let secret = format!("{}\n", other.secret_text());
    std::fs::write(world.dir.path().join("keys/log.key"), secret).unwrap();
    found(
        &world,
        &[
            "A cosigned checkpoint of 31 entries in `witnessed.sqlite` is refused: the checkpoint is of the log test.example/log, not of test.example/other",
        ],
    );
}

/// immudb GHSA-672p-m5jq-mrh8: a proof that the server made up was believed. A receipt is verified against a root
/// that was signed, with the size that was signed, for the line that is shown.
#[test]
fn a_receipt_that_was_made_up_is_not_believed() {
    let world = ward();
    let reader = world.reader();
    let sound = reader.receipt(7).unwrap();
    let key = reader.verifier().clone();
    assert!(ledger::receipt::verify(sound.as_bytes(), Some(&key)).is_ok());
    let another = reader.receipt(8).unwrap();
    // Parts of two sound receipts put together: another leaf's path, another's checkpoint, another's line.
    let lines: Vec<&str> = sound.lines().collect();
    let others: Vec<&str> = another.lines().collect();
    let mut refused = 0;
    for at in 0..lines.len().min(others.len()) {
        if lines[at] == others[at] {
            continue;
        }
        let mut mixed = lines.clone();
        mixed[at] = others[at];
        let text = format!("{}\n", mixed.join("\n"));
        assert!(
            ledger::receipt::verify(text.as_bytes(), Some(&key)).is_err(),
            "line {at} of another receipt was believed"
        );
        refused += 1;
    }
    assert!(refused > 2, "{sound}");
}
