//! What an operator with root and all keys can do to a ledger so that it fits together again.

use std::collections::HashMap;
use std::path::Path;

use ledger::Entry;
use rusqlite::Connection;
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

/// Puts these lines in the place of the ledger's, as many or fewer, and makes everything fit: chains, tiles,
/// checkpoint, triggers. The contents stay.
pub fn replace(data: &str, lines: &[String]) {
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
    let size = lines.len() as i64;
    for table in ["entry", "content"] {
        tx.execute(&format!("DELETE FROM {table} WHERE position >= ?1"), [size])
            .expect("cut off");
    }
    assert!(lines.len() < 256, "full tiles would have to be made, too");
    tx.execute("DELETE FROM tile", []).expect("cut off");
    tx.execute("DELETE FROM person", []).expect("emptied");
    let mut chains: HashMap<[u8; 16], (i64, i64, [u8; 32])> = HashMap::new();
    for (position, line) in lines.iter().enumerate() {
        tx.execute(
            "UPDATE entry SET line = ?2 WHERE position = ?1",
            (position as i64, line.as_bytes()),
        )
        .expect("replaced");
        let entry = Entry::parse(line.as_bytes()).expect("a line");
        if let Some(person) = entry.person {
            let count = chains.get(&person.0).map_or(0, |chain| chain.0) + 1;
            chains.insert(
                person.0,
                (count, position as i64, leaf_hash(line.as_bytes())),
            );
        }
    }
    for (person, (count, position, hash)) in &chains {
        tx.execute(
            "INSERT INTO person (person, count, position, hash) VALUES (?1, ?2, ?3, ?4)",
            (&person[..], count, position, &hash[..]),
        )
        .expect("chained");
    }
    tx.execute(
        "UPDATE state SET value = ?1 WHERE key = 'checkpoint'",
        [checkpoint(&key(data), lines)],
    )
    .expect("signed");
    for (_, sql) in &triggers {
        tx.execute(sql, []).expect("put back");
    }
    tx.commit().expect("committed");
}

/// Forgets what was noted of the witnesses.
pub fn forget_witnesses(data: &str) {
    for end in ["", "-wal", "-shm"] {
        let file = Path::new(data).join(format!("witnessed.sqlite{end}"));
        let _ = std::fs::remove_file(file);
    }
}
