//! What an operator with root and all keys can do to a ledger so that it fits together again.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use evidence::entry::{Line, Previous};
use evidence::heads::{self, Head, Map};
use ledger::{Alias, Class, Entry};
use rusqlite::Connection;
use seal::Bound;
use tlog::checkpoint::Checkpoint;
use tlog::note::SigningKey;
use tlog::{Tree, leaf_hash, root_at};

/// The log's own key.
pub fn key(data: &str) -> SigningKey {
    let text = std::fs::read_to_string(Path::new(data).join("keys/log.key")).expect("the key");
    SigningKey::parse(text.trim_end()).expect("a signing key")
}

/// All lines, in order.
pub fn lines(data: &str) -> Vec<String> {
    let db = Connection::open(Path::new(data).join("ledger.sqlite")).expect("the ledger");
    let mut statement = db
        .prepare("SELECT line FROM entry ORDER BY position")
        .expect("prepared");
    let lines = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .expect("read");
    lines
        .map(|line| String::from_utf8(line.expect("a line")).expect("text"))
        .collect()
}

/// A tree over lines.
pub fn tree<'l>(lines: impl IntoIterator<Item = &'l String>) -> Tree {
    lines
        .into_iter()
        .map(|line| leaf_hash(line.as_bytes()))
        .collect()
}

/// A checkpoint over lines, signed with the log's own key.
pub fn checkpoint(key: &SigningKey, lines: &[String]) -> String {
    let tree = tree(lines);
    Checkpoint {
        origin: key.name().to_owned(),
        size: tree.size(),
        root: root_at(tree.size(), &tree).expect("a root"),
        extensions: Vec::new(),
    }
    .sign(key)
    .expect("signed")
}

/// Changes the ledger's file with its triggers out of the way; they are as before afterwards. A server may have it
/// open.
pub fn without_triggers(data: &str, change: impl FnOnce(&Connection)) {
    let mut db = Connection::open(Path::new(data).join("ledger.sqlite")).expect("the ledger");
    let tx = db.transaction().expect("a transaction");
    let triggers: Vec<(String, String)> = {
        let mut statement = tx
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .expect("prepared");
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("read");
        rows.collect::<Result<_, _>>().expect("read")
    };
    for (name, _) in &triggers {
        tx.execute(&format!("DROP TRIGGER {name}"), [])
            .expect("dropped");
    }
    change(&tx);
    for (_, sql) in &triggers {
        tx.execute(sql, []).expect("put back");
    }
    tx.commit().expect("committed");
}

/// Puts these lines in the place of the ledger's, as many or fewer, and makes everything fit: heads of chains, tiles,
/// checkpoint, triggers. The contents stay.
pub fn replace(data: &str, lines: &[String]) {
    assert!(lines.len() < 256, "full tiles would have to be made, too");
    let checkpoint = checkpoint(&key(data), lines);
    without_triggers(data, |db| {
        let size = lines.len() as i64;
        for table in ["entry", "content"] {
            db.execute(&format!("DELETE FROM {table} WHERE position >= ?1"), [size])
                .expect("cut off");
        }
        db.execute("DELETE FROM tile", []).expect("cut off");
        db.execute("DELETE FROM person", []).expect("emptied");
        for (position, line) in lines.iter().enumerate() {
            db.execute(
                "UPDATE entry SET line = ?2 WHERE position = ?1",
                (position as i64, line.as_bytes()),
            )
            .expect("replaced");
        }
        for head in heads(lines) {
            db.execute(
                "INSERT INTO person (person, count, position, hash) VALUES (?1, ?2, ?3, ?4)",
                (
                    &head.person.0[..],
                    head.count as i64,
                    head.position as i64,
                    &head.hash[..],
                ),
            )
            .expect("chained");
        }
        db.execute(
            "UPDATE state SET value = ?1 WHERE key = 'checkpoint'",
            [checkpoint],
        )
        .expect("signed");
    });
}

/// Where the chains of these lines end, sorted by person.
pub fn heads(lines: &[String]) -> Vec<Head> {
    let mut chains: BTreeMap<Alias, Head> = BTreeMap::new();
    for line in lines {
        let entry = Entry::parse(line.as_bytes()).expect("a line");
        if let Some(person) = entry.person {
            let head = Head {
                person,
                count: chains.get(&person).map_or(0, |chain| chain.count) + 1,
                position: entry.position,
                hash: leaf_hash(line.as_bytes()),
            };
            chains.insert(person, head);
        }
    }
    chains.into_values().collect()
}

/// The lines as `change` wants them, and every link of every chain made to fit. What is changed sees the lines
/// before it as they are by then.
pub fn rechained(
    lines: &[String],
    mut change: impl FnMut(&mut Line<'_>, &[String]),
) -> Vec<String> {
    let mut chains: HashMap<Alias, Previous> = HashMap::new();
    let mut forged: Vec<String> = Vec::new();
    for text in lines {
        let mut line = Line::parse(text.as_bytes()).expect("a line");
        change(&mut line, &forged);
        line.previous = line.person.and_then(|person| chains.get(&person).copied());
        let mut written = Vec::new();
        line.write(&mut written);
        if let Some(person) = line.person {
            let end = Previous {
                number: line.previous.map_or(0, |previous| previous.number) + 1,
                position: line.position,
                hash: leaf_hash(&written),
            };
            chains.insert(person, end);
        }
        forged.push(String::from_utf8(written).expect("text"));
    }
    forged
}

/// Which class and slot a content is sealed under.
pub fn sealed_under(data: &str, position: u64) -> (i64, i64) {
    let db = Connection::open(Path::new(data).join("ledger.sqlite")).expect("the ledger");
    db.query_row(
        "SELECT class, slot FROM content WHERE position = ?1",
        [position as i64],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .expect("its row")
}

/// Seals another text in the place of a content, for that place and with the programme's own key, and makes the line
/// say so.
pub fn reseal(data: &str, line: &mut Line<'_>, stored: &[u8]) {
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let (class, slot) = sealed_under(data, line.position);
    let key = keys.ledger().key(slot as u32).expect("its key");
    let bound = Bound {
        log: keys.programme(),
        class: Class::from_number(class as u8).expect("a class"),
        person: line.person.as_ref().map(|alias| &alias.0),
        kind: line.kind,
        id: line.id,
        version: line.version,
        position: line.position,
    };
    let salt = [9; 16];
    let packed = ledger::content::compress(stored);
    let body = seal::seal(&key, [8; 12], &bound, &salt, &packed);
    line.commitment = evidence::content::commitment(&salt, stored);
    line.sealed = evidence::content::sealed(&body);
    let position = line.position as i64;
    without_triggers(data, |db| {
        db.execute(
            "UPDATE content SET body = ?2 WHERE position = ?1",
            (position, &body),
        )
        .expect("resealed");
    });
}

/// Makes a map of heads what the lines before it give, as the programme itself would.
pub fn count_again(data: &str, line: &mut Line<'_>, before: &[String], covers: u64) {
    let ends = heads(&before[..covers as usize]);
    let map = Map {
        size: covers,
        persons: ends.len() as u64,
        root: heads::root(&ends).expect("sorted"),
        access: ledger::access::name_and_key(data.as_ref())
            .ok()
            .map(|(_, key)| key),
    };
    reseal(data, line, &map.stored());
}

/// Forgets what was noted of the witnesses.
pub fn forget_witnesses(data: &str) {
    for end in ["", "-wal", "-shm"] {
        let file = Path::new(data).join(format!("witnessed.sqlite{end}"));
        let _ = std::fs::remove_file(file);
    }
}
