//! Someone edits the SQLite file behind the server's back: the audit names the place.

use ledger::audit::{How, audit};
use ledger::{Action, Expect};
use rusqlite::Connection;

use crate::world::{World, delete, put, stored, transaction, write};

/// 600 entries: persons, versions, a deletion and a new beginning, two full tiles.
pub fn world_of_600() -> World {
    let mut world = World::new(7);
    let persons = ["anna", "omar", "0123456789abcdef"];
    for person in persons {
        let name = format!("Patient/{person}");
        world.accept(transaction(vec![write(
            Action::Create,
            &name,
            Expect::Absent,
            Some(person),
            person,
        )]));
    }
    for i in 0..198 {
        let person = persons[i % 3];
        let name = format!("Observation/{:016}", i);
        world.accept(transaction(vec![
            write(Action::Create, &name, Expect::Absent, Some(person), "first"),
            write(
                Action::Update,
                &name,
                Expect::Version(1),
                Some(person),
                "second",
            ),
            put(&format!("Location/l{i}"), Expect::Absent),
        ]));
    }
    world.accept(transaction(vec![delete("Location/l7", Expect::Present)]));
    world.accept(transaction(vec![put("Location/l7", Expect::Any)]));
    world.accept(transaction(vec![put("Location/l7", Expect::Any)]));
    assert_eq!(world.appender().size(), 600);
    world
}

fn faults(world: &World) -> Vec<String> {
    let report = world.audit();
    report.faults.iter().map(ToString::to_string).collect()
}

/// A connection that is allowed everything, as someone with the file has it.
pub fn intruder(world: &World) -> Connection {
    let db = Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
    let triggers: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        db.execute_batch(&format!("DROP TRIGGER {trigger}"))
            .unwrap();
    }
    db
}

/// Edits the file, audits, and puts the schema and the row back by rolling everything back.
#[track_caller]
fn check(world: &World, sql: &str, expect: &[&str]) {
    let before = std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap();
    let db = intruder(world);
    db.execute_batch(sql).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(db);
    let found = faults(world);
    for what in expect {
        assert!(
            found.iter().any(|fault| fault == what),
            "{sql}\nnot found: {what}\nfound: {found:#?}"
        );
    }
    // Besides what was done, only the triggers that had to go are missing.
    let others = found
        .iter()
        .filter(|fault| !fault.contains("is missing in the file"))
        .count();
    assert!(!expect.is_empty() || others == 0, "{sql}: {found:#?}");
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(world.dir.path().join(format!("ledger.sqlite{end}")));
    }
    std::fs::write(world.dir.path().join("ledger.sqlite"), before).unwrap();
}

/// The writer folds everything into the file and lets it go.
fn at_rest(world: &mut World) {
    world.appender().checkpoint_truncate().unwrap();
    world.appender = None;
}

#[test]
fn a_sound_ledger_has_no_faults() {
    let mut world = world_of_600();
    let mut last = (0, 0);
    let report = audit(world.dir.path(), &How::with(&world.keys), &mut |progress| {
        last = (progress.reached, progress.size)
    })
    .unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.entries, last), (600, (600, 600)));
    assert_eq!(report.checkpoint, world.appender().checkpoint());
    at_rest(&mut world);
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn whatever_is_edited_is_found_and_its_place_is_named() {
    let mut world = world_of_600();
    at_rest(&mut world);
    let world = &world;
    check(
        world,
        "",
        &["`entry_stays` is missing in the file: without it the record can be changed unnoticed"],
    );
    // Lines.
    check(
        world,
        "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), 'treatment', 'teartment') AS BLOB) WHERE position = 17",
        &["Entry 17: its line does not have the hash that the log's tile has for it"],
    );
    check(
        world,
        "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), 'treatment', 'teartment') AS BLOB) WHERE position = 598",
        &["The 600 entries do not give the root that the checkpoint signs"],
    );
    check(
        world,
        "UPDATE entry SET line = x'00' WHERE position = 300",
        &["Entry 300: the format of the line does not read"],
    );
    check(
        world,
        "UPDATE entry SET line = (SELECT line FROM entry WHERE position = 20) WHERE position = 21",
        &["Entry 21: its line says position 20"],
    );
    check(
        world,
        "DELETE FROM entry WHERE position = 40",
        &["Entry 40: its line is missing"],
    );
    check(
        world,
        "DELETE FROM entry WHERE position = 599",
        &["Entry 599: its line is missing"],
    );
    check(
        world,
        "INSERT INTO entry VALUES (600, x'00')",
        &["`entry` has a row at position 600, but the ledger has 600 entries"],
    );
    check(
        world,
        "INSERT INTO entry VALUES (-1, x'00')",
        &["`entry` has a row at position -1, but the ledger has 600 entries"],
    );
    check(
        world,
        "UPDATE entry SET position = 9223372036854775807 WHERE position = 5",
        &[
            "Entry 5: its line is missing",
            "`entry` has a row at position 9223372036854775807, but the ledger has 600 entries",
        ],
    );
    // Contents.
    check(
        world,
        "DELETE FROM content WHERE position = 41",
        &["Entry 41: its content is missing"],
    );
    check(
        world,
        "INSERT INTO content VALUES (601, 2, 1, 0, x'00')",
        &["`content` has a row at position 601, but the ledger has 600 entries"],
    );
    check(
        world,
        "UPDATE content SET format = 4 WHERE position = 9",
        &["Entry 9: content of format 4 is not known here"],
    );
    check(
        world,
        "UPDATE content SET class = 2 WHERE position = 9",
        &["Entry 9: its content is sealed under another key, or for another place"],
    );
    check(
        world,
        "UPDATE content SET class = 5 WHERE position = 9",
        &["Entry 9: its content is of a class that is not known here"],
    );
    check(
        world,
        "UPDATE content SET slot = slot + 1 WHERE position = 9",
        &["Entry 9: its content is sealed under another key, or for another place"],
    );
    check(
        world,
        "UPDATE content SET slot = -1 WHERE position = 9",
        &["Entry 9: its content names a key that cannot be"],
    );
    check(
        world,
        "UPDATE content SET slot = 1000000 WHERE position = 9",
        &["Entry 9: the keyring has no slot 1000000: it is older than what refers to it"],
    );
    check(
        world,
        "UPDATE content SET body = CAST(body || x'00' AS BLOB) WHERE position = 9",
        &[
            "Entry 9: its sealed content is not the one that its line covers",
            "Entry 9: its sealed content was changed",
        ],
    );
    check(
        world,
        "UPDATE content SET body = CAST(substr(body, 1, 70) AS BLOB) WHERE position = 9",
        &["Entry 9: its sealed content is too short"],
    );
    check(
        world,
        "CREATE TEMP TABLE t AS SELECT * FROM content WHERE position IN (10, 11);
         UPDATE content SET (class, slot, body) = (SELECT class, slot, body FROM t WHERE position = 21 - content.position)
         WHERE position IN (10, 11)",
        &[
            "Entry 10: its sealed content is not the one that its line covers",
            "Entry 10: its content is sealed under another key, or for another place",
            "Entry 11: its content is sealed under another key, or for another place",
        ],
    );
    // Tiles.
    check(
        world,
        "UPDATE tile SET hashes = CAST(substr(hashes, 1, 320) || zeroblob(32) || substr(hashes, 353) AS BLOB) WHERE idx = 1",
        &["Entry 266: its line does not have the hash that the log's tile has for it"],
    );
    check(
        world,
        "UPDATE tile SET hashes = x'00' WHERE idx = 0",
        &["Tile 0 of level 0 has 1 bytes, not 8192"],
    );
    check(
        world,
        "DELETE FROM tile WHERE idx = 0",
        &["Tile 0 of level 0 is missing"],
    );
    check(
        world,
        "INSERT INTO tile VALUES (0, 2, zeroblob(8192)), (1, 0, zeroblob(8192)), (-1, 0, x'00')",
        &[
            "Tile 2 of level 0 is stored, but is not full in a ledger of 600 entries",
            "Tile 0 of level 1 is stored, but is not full in a ledger of 600 entries",
            "Tile 0 of level -1 is stored, but is not full in a ledger of 600 entries",
        ],
    );
    // What is derived.
    let anna = world.reader().person("anna");
    check(
        world,
        "UPDATE person SET count = count + 1",
        &[&format!(
            "The head of p{anna} in `person` is not the one that the lines give: 133 entries, the last at 589"
        )],
    );
    check(
        world,
        "DELETE FROM person",
        &[&format!(
            "`person` has no head for p{anna}, about whom there are 133 entries, the last at 589"
        )],
    );
    check(
        world,
        "INSERT INTO person VALUES (zeroblob(16), 1, 1, zeroblob(32)), (x'01', 1, 1, zeroblob(32))",
        &[
            "`person` has a head for pAAAAAAAAAAAAAAAAAAAAAA, about whom there is no entry",
            "`person` has a row whose person is not an alias",
        ],
    );
    check(
        world,
        "INSERT INTO import_source VALUES (x'01', 1, 601)",
        &["1 marks of imports name entries that there are not"],
    );
    // What the ledger says of itself.
    check(
        world,
        "UPDATE state SET value = replace(value, '600', '599') WHERE key = 'checkpoint'",
        &[
            "The signed checkpoint is refused: the signature by the key test.example/log+b9fccfda does not fit the note's text",
        ],
    );
    check(
        world,
        "DELETE FROM state WHERE key = 'checkpoint'",
        &[
            "The signed checkpoint is refused: no blank line parts the note's text from its signatures",
        ],
    );
    check(
        world,
        "UPDATE state SET value = 'other' WHERE key = 'origin'",
        &[
            "The signed checkpoint is refused: the checkpoint is of the log test.example/log, not of other",
        ],
    );
    let other = tlog::note::SigningKey::from_seed("test.example/log", &[5; 32]).unwrap();
    check(
        world,
        &format!(
            "UPDATE state SET value = '{}' WHERE key = 'verifier'",
            other.verifier()
        ),
        &["The key `keys/log.key` belongs to another ledger"],
    );
    check(
        world,
        "DELETE FROM state WHERE key = 'verifier'",
        &[
            "The ledger is damaged: its public key does not read. Run `homecoming audit`, and restore a backup",
        ],
    );
    check(
        world,
        "UPDATE state SET value = 'x' WHERE key = 'alias'",
        &["The key `keys/alias.key` belongs to another ledger"],
    );
    check(
        world,
        "INSERT INTO state VALUES ('more', 'x')",
        &["`state` has rows that are not the ledger's"],
    );
    check(
        world,
        "CREATE TABLE more (x)",
        &["`more` in the file is not the ledger's"],
    );
}

#[test]
fn a_line_that_was_forged_with_its_content_is_found() {
    let mut world = world_of_600();
    at_rest(&mut world);
    let reader = world.reader();
    // Someone who understands the format and has the keys writes another content, seals it, and
    // writes a line that covers it.
    let (entry, content) = reader.version(4).unwrap();
    let forged = stored("Observation", &"0".repeat(16), "forged");
    let mut line = ledger::entry::Line::parse(entry.line.as_bytes()).unwrap();
    let bound = seal::Bound {
        log: reader.origin(),
        class: ledger::Class::Record,
        person: line.person.as_ref().map(|alias| &alias.0),
        kind: line.kind,
        id: line.id,
        version: line.version,
        position: 4,
    };
    let slot = reader
        .slots_of("omar")
        .unwrap()
        .into_iter()
        .chain(reader.slots_of("anna").unwrap())
        .map(|found| found.slot)
        .find(|slot| {
            let db = Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
            let sql = "SELECT slot FROM content WHERE position = 4";
            db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() == *slot
        })
        .unwrap();
    let body = seal::seal(
        &world.keys.ledger().key(slot).unwrap(),
        [1; 12],
        &bound,
        &content.salt,
        &ledger::content::compress(&forged),
    );
    line.commitment = ledger::content::commitment(&content.salt, &forged);
    line.sealed = ledger::content::sealed(&body);
    let mut bytes = Vec::new();
    line.write(&mut bytes);
    drop(reader);
    let db = intruder(&world);
    db.execute("UPDATE entry SET line = ?1 WHERE position = 4", [&bytes])
        .unwrap();
    db.execute("UPDATE content SET body = ?1 WHERE position = 4", [&body])
        .unwrap();
    let found = faults(&world);
    assert!(
        found.contains(
            &"Entry 4: its line does not have the hash that the log's tile has for it".to_owned()
        ),
        "{found:#?}"
    );
    // And the next entry about the person no longer follows.
    assert!(
        found.iter().any(|fault| fault.ends_with(
            "does not name entry 4 as it stands, which is the one before it about its person"
        )),
        "{found:#?}"
    );
}

#[test]
fn no_byte_of_a_line_or_a_content_changes_unnoticed() {
    let mut world = World::new(3);
    world.accept(transaction(vec![
        write(
            Action::Create,
            "Patient/anna",
            Expect::Absent,
            Some("anna"),
            "Anna",
        ),
        write(
            Action::Update,
            "Patient/anna",
            Expect::Any,
            Some("anna"),
            "Anna Maria",
        ),
    ]));
    at_rest(&mut world);
    let db = intruder(&world);
    let sound = faults(&world);
    for (table, column) in [("entry", "line"), ("content", "body")] {
        let select = format!("SELECT {column} FROM {table} WHERE position = 1");
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE position = 1");
        let bytes: Vec<u8> = db.query_row(&select, [], |row| row.get(0)).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            db.execute(&update, [&changed]).unwrap();
            assert!(
                faults(&world).len() > sound.len(),
                "{table}.{column}, byte {at}"
            );
        }
        db.execute(&update, [&bytes]).unwrap();
    }
    assert_eq!(faults(&world), sound);
}
