//! Reads everything back and says what does not fit. Changes nothing; works beside the server.
//!
//! Every byte of an entry and its content is covered by at least one of these:
//!
//! | what | is checked against |
//! |---|---|
//! | positions | each from 0 to the signed size, in `entry` and in `content`, and none besides |
//! | a line | reads; says its own position; not recorded before the one before it |
//! | a line's hash | the tile that holds it; the tree's root in the signed checkpoint |
//! | a person's link | that person's entry before, and the head in `person` |
//! | a version | the version before it of the same resource; the action fits |
//! | a sealed body | the line's hash of it; it opens with its key, for its place, and unpacks; the line's commitment to salt and content |
//! | the content's name | the kind and id (or alias) in the line |
//! | tiles, heads of persons | computed anew; none missing, none besides |
//! | import marks | name entries that exist |
//! | the checkpoint | the log's key, as it lies in `keys/` |
//! | tables and triggers | as this version makes them; SQLite's own integrity check |
//!
//! What an audit cannot find: a ledger that was replaced as a whole by someone
//! who has the keys. For that, keep a checkpoint elsewhere.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use record::time::RecordedAt;
use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};
use tlog::checkpoint::Checkpoint;
use tlog::{Edge, Hash};

use crate::content::{self, Content};
use crate::entry::{Action, Alias, Aliases, Line};
use crate::keys::Keys;
use crate::sealing::{self, Sealing, Unopened};
use crate::store::{self, OpenError};

/// How many faults are listed; of more only the number is said.
const FAULTS_MAX: usize = 1_000;

/// Entries are read in windows as wide as a tile.
const WINDOW: u64 = tlog::TILE_WIDTH as u64;

/// What an audit came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// How many bytes of content they have, unpacked.
    pub bytes: u64,
    /// How many contents do not open because their key was destroyed.
    pub erased: u64,
    /// What does not fit, in the order it was found.
    pub faults: Vec<Fault>,
    /// The signed checkpoint as it is stored.
    pub checkpoint: String,
}

/// One thing that does not fit: a sentence that names the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry it is about, if it is about one.
    pub position: Option<u64>,
    /// The sentence.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Audits a data directory. `progress` is told how many entries are done, and of how many.
///
/// An error means that there is nothing to audit: no ledger, or one of another version.
pub fn audit(
    dir: &Path,
    keys: &Keys,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, OpenError> {
    let db = store::open_to_read(dir)?;
    // One moment: a server may append meanwhile.
    let _moment = db.unchecked_transaction()?;
    let mut audit = Audit {
        db: &db,
        keys,
        sealing: None,
        aliases: None,
        faults: Faults::default(),
        edge: Edge::new(),
        last: None,
        chains: HashMap::new(),
        versions: HashMap::new(),
        entries: 0,
        bytes: 0,
        erased: 0,
    };
    audit.structure();
    let (checkpoint, signed) = audit.signed(dir);
    let size = match &signed {
        Some(checkpoint) => checkpoint.size,
        // Nothing vouches for a size: audit what is there.
        None => db.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))? as u64,
    };
    audit.outside("entry", size);
    audit.outside("content", size);
    for from in (0..size).step_by(WINDOW as usize) {
        audit.window(from, size.min(from + WINDOW));
        progress(size.min(from + WINDOW), size);
    }
    if let Some(signed) = signed
        && audit.edge.root() != signed.root
    {
        audit.faults.say(
            None,
            format!(
                "The {} entries do not give the root that the checkpoint signs",
                signed.size
            ),
        );
    }
    audit.tiles_besides(size);
    audit.heads();
    audit.import_marks(size);
    Ok(Report {
        entries: audit.entries,
        bytes: audit.bytes,
        erased: audit.erased,
        faults: audit.faults.list(),
        checkpoint,
    })
}

#[derive(Default)]
struct Faults {
    said: Vec<Fault>,
    more: usize,
}

impl Faults {
    fn say(&mut self, position: Option<u64>, what: String) {
        match self.said.len() < FAULTS_MAX {
            true => self.said.push(Fault { position, what }),
            false => self.more += 1,
        }
    }

    fn at(&mut self, position: u64, what: impl fmt::Display) {
        self.say(Some(position), format!("Entry {position}: {what}"));
    }

    fn list(mut self) -> Vec<Fault> {
        if self.more > 0 {
            self.said.push(Fault {
                position: None,
                what: format!("{} more faults are not listed", self.more),
            });
        }
        self.said
    }
}

struct Audit<'d> {
    db: &'d Connection,
    keys: &'d Keys,
    /// Unless the ledger does not say what its contents are sealed for.
    sealing: Option<Sealing>,
    /// Without the key, aliases are not checked.
    aliases: Option<Aliases>,
    faults: Faults,
    /// The tree as the lines give it.
    edge: Edge,
    last: Option<RecordedAt>,
    /// Persons' chains: how many entries, and the last of them.
    chains: HashMap<Alias, (u64, u64, Hash)>,
    /// Latest version of each resource, and whether it is a deletion; by half a hash of kind and id.
    versions: HashMap<[u8; 16], (u32, bool)>,
    entries: u64,
    bytes: u64,
    erased: u64,
}

/// A row of `content`.
struct Kept {
    format: i64,
    class: i64,
    slot: i64,
    body: Vec<u8>,
}

impl Audit<'_> {
    /// The file as SQLite sees it, and the tables and triggers as this version makes them.
    fn structure(&mut self) {
        let check = |sql: &str| -> rusqlite::Result<Vec<String>> {
            let mut statement = self.db.prepare(sql)?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        match check("PRAGMA integrity_check(100)") {
            Ok(said) => {
                for what in said.into_iter().filter(|what| what != "ok") {
                    self.faults
                        .say(None, format!("The file is damaged: {what}"));
                }
            }
            Err(e) => self.faults.say(None, format!("The file is damaged: {e}")),
        }
        let expected = match store::schema() {
            Ok(expected) => expected,
            Err(e) => {
                return self
                    .faults
                    .say(None, format!("The tables cannot be compared: {e}"));
            }
        };
        let found = store::schema_of(self.db).unwrap_or_default();
        for (name, sql) in &expected {
            match found.get(name) {
                None => self.faults.say(None, format!("`{name}` is missing in the file: without it the record can be changed unnoticed")),
                Some(found) if found != sql => {
                    self.faults.say(None, format!("`{name}` in the file is not as this version makes it"));
                }
                Some(_) => {}
            }
        }
        for name in found.keys().filter(|name| !expected.contains_key(*name)) {
            self.faults
                .say(None, format!("`{name}` in the file is not the ledger's"));
        }
    }

    /// The stored checkpoint, and what it says if the log's key signed it.
    fn signed(&mut self, dir: &Path) -> (String, Option<Checkpoint>) {
        let text = store::state(self.db, "checkpoint")
            .ok()
            .flatten()
            .unwrap_or_default();
        let identity = match store::identity(self.db) {
            Ok(identity) => identity,
            Err(e) => {
                self.faults.say(None, sentence(&e.to_string()));
                return (text, None);
            }
        };
        // The key on disk is what the ledger's own word is held against.
        if let Err(e) = store::signing_key(dir, &identity) {
            self.faults.say(None, sentence(&e.to_string()));
        }
        self.sealing = Some(Sealing::new(identity.programme.clone(), self.keys.clone()));
        match store::aliases(dir, self.db) {
            Ok(aliases) => self.aliases = Some(aliases),
            Err(e) => self.faults.say(None, sentence(&e.to_string())),
        }
        let known = store::STATE_KEYS.map(|key| format!("'{key}'")).join(", ");
        let sql = format!("SELECT count(*) FROM state WHERE key NOT IN ({known})");
        if self.db.query_row(&sql, [], |row| row.get::<_, i64>(0)) != Ok(0) {
            self.faults.say(
                None,
                "`state` has rows that are not the ledger's".to_owned(),
            );
        }
        match Checkpoint::open(&text, &identity.verifier, &identity.origin) {
            Ok(checkpoint) => (text, Some(checkpoint)),
            Err(e) => {
                self.faults
                    .say(None, format!("The signed checkpoint is refused: {e}"));
                (text, None)
            }
        }
    }

    /// Rows that lie beyond what is signed, or before the first.
    fn outside(&mut self, table: &str, size: u64) {
        let sql =
            format!("SELECT position FROM {table} WHERE position < 0 OR position >= ?1 LIMIT 100");
        let positions = self.db.prepare(&sql).and_then(|mut statement| {
            let rows = statement.query_map([size as i64], |row| row.get::<_, i64>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        match positions {
            Ok(positions) => {
                for position in positions {
                    let what = format!(
                        "`{table}` has a row at position {position}, but the ledger has {size} entries"
                    );
                    self.faults.say(u64::try_from(position).ok(), what);
                }
            }
            Err(e) => self
                .faults
                .say(None, format!("`{table}` cannot be read: {e}")),
        }
    }

    /// A window of entries and contents, and the tiles that it completes.
    fn window(&mut self, from: u64, to: u64) {
        let line = |row: &Row<'_>| row.get::<_, Vec<u8>>(1);
        let lines = self.rows("SELECT position, line FROM entry", from, to, line);
        let kept = |row: &Row<'_>| {
            Ok(Kept {
                format: row.get(1)?,
                class: row.get(2)?,
                slot: row.get(3)?,
                body: row.get(4)?,
            })
        };
        let contents = self.rows(
            "SELECT position, format, class, slot, body FROM content",
            from,
            to,
            kept,
        );
        let tile = self
            .tile(0, from / WINDOW)
            .filter(|tile| tile.len() == tlog::TILE_BYTES);
        let mut full: Vec<(u8, u64, Vec<u8>)> = Vec::new();
        for (at, (line, content)) in lines.into_iter().zip(contents).enumerate() {
            let position = from + at as u64;
            let hash = match &line {
                Some(line) => tlog::leaf_hash(line),
                // Go on with the hash that was stored, so that the fault stays in its place.
                None => tile.as_ref().map_or([0; 32], |tile| tile.as_chunks().0[at]),
            };
            self.edge.push(hash, |tile| {
                full.push((tile.level, tile.index, tile.hashes.to_vec()))
            });
            self.position(position, line.as_deref(), content.as_ref(), hash);
        }
        for (level, index, hashes) in full {
            self.full_tile(level, index, &hashes);
        }
    }

    /// Rows by position, each where it belongs; what cannot be read is said once.
    fn rows<T>(
        &mut self,
        select: &str,
        from: u64,
        to: u64,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<Option<T>> {
        let mut found: Vec<Option<T>> = Vec::new();
        found.resize_with((to - from) as usize, || None);
        let sql = format!("{select} WHERE position >= ?1 AND position < ?2 ORDER BY position");
        let mut fill = || -> rusqlite::Result<()> {
            let mut statement = self.db.prepare_cached(&sql)?;
            let mut rows = statement.query((from as i64, to as i64))?;
            while let Some(row) = rows.next()? {
                let position = row.get::<_, i64>(0)? as u64;
                match read(row) {
                    Ok(value) => found[(position - from) as usize] = Some(value),
                    Err(e) => self
                        .faults
                        .at(position, format_args!("a column has the wrong type: {e}")),
                }
            }
            Ok(())
        };
        if let Err(e) = fill() {
            let what = format!("Entries {from} to {} cannot all be read: {e}", to - 1);
            self.faults.say(Some(from), what);
        }
        found
    }

    /// One position: its line, its content, and what they say of each other.
    fn position(&mut self, position: u64, line: Option<&[u8]>, content: Option<&Kept>, hash: Hash) {
        if content.is_none() {
            self.faults.at(position, "its content is missing");
        }
        let Some(bytes) = line else {
            return self.faults.at(position, "its line is missing");
        };
        self.entries += 1;
        let line = match Line::parse(bytes) {
            Ok(line) => line,
            Err(e) => return self.faults.at(position, e),
        };
        if line.position != position {
            self.faults.at(
                position,
                format_args!("its line says position {}", line.position),
            );
        }
        if let Some(last) = self.last.filter(|last| line.recorded_at < *last) {
            let what = format!(
                "it says it was recorded at {}, before the entry before it, at {last}",
                line.recorded_at
            );
            self.faults.at(position, what);
        }
        self.last = Some(line.recorded_at);
        self.chain(position, &line, hash);
        self.version(position, &line);
        if let Some(kept) = content {
            self.sealed(position, &line, kept);
        }
    }

    fn sealed(&mut self, position: u64, line: &Line<'_>, kept: &Kept) {
        if content::sealed(&kept.body) != line.sealed {
            self.faults.at(
                position,
                "its sealed content is not the one that its line covers",
            );
        }
        let Some(sealing) = &self.sealing else {
            return;
        };
        let row = sealing::Row {
            format: kept.format,
            class: kept.class,
            slot: kept.slot,
            body: &kept.body,
        };
        match sealing.open(line, row) {
            Ok(content) => {
                self.bytes += content.stored.len() as u64;
                self.committed(position, line, &content);
            }
            Err(Unopened::Erased) => self.erased += 1,
            Err(Unopened::Damaged(what)) => self.faults.at(position, what),
        }
    }

    fn committed(&mut self, position: u64, line: &Line<'_>, content: &Content) {
        let stored = &content.stored;
        if content::commitment(&content.salt, stored) != line.commitment {
            self.faults.at(
                position,
                "its content or salt is not what its line commits to",
            );
        }
        let named = match (content::name(stored), &self.aliases) {
            (None, _) => false,
            (Some((kind, id)), Some(aliases)) => {
                kind == line.kind && aliases.id_in_line(kind, id) == line.id
            }
            (Some((kind, id)), None) => {
                kind == line.kind && (id == line.id || line.id.starts_with('~'))
            }
        };
        if !named {
            self.faults.at(
                position,
                format_args!("its content is not of {}/{}", line.kind, line.id),
            );
        }
    }

    fn chain(&mut self, position: u64, line: &Line<'_>, hash: Hash) {
        let Some(person) = line.person else {
            if line.previous.is_some() {
                self.faults
                    .at(position, "it is about nobody, but names an entry before it");
            }
            return;
        };
        let before = self.chains.get(&person).copied();
        let named = line
            .previous
            .map(|previous| (previous.number, previous.position, previous.hash));
        if named != before {
            let what = match before {
                None => "it names an entry before it, but is the first about its person".to_owned(),
                Some((_, before, _)) => format!(
                    "it does not name entry {before} as it stands, which is the one before it about its person"
                ),
            };
            self.faults.at(position, what);
        }
        let count = before.map_or(0, |(count, ..)| count) + 1;
        self.chains.insert(person, (count, position, hash));
    }

    fn version(&mut self, position: u64, line: &Line<'_>) {
        let mut name = Sha256::new();
        name.update(line.kind);
        name.update(b"/");
        name.update(line.id);
        let name: Hash = name.finalize().into();
        let name: [u8; 16] = *name.first_chunk().expect("a hash has 32 bytes");
        let deleted = line.action == Action::Delete;
        let before = self.versions.insert(name, (line.version, deleted));
        let expected = before.map_or(1, |(version, _)| version.saturating_add(1));
        if line.version != expected {
            let what = format!(
                "it is version {} of {}/{}, but version {expected} comes next",
                line.version, line.kind, line.id
            );
            self.faults.at(position, what);
        }
        let current = before.is_some_and(|(_, deleted)| !deleted);
        if current != (line.action != Action::Create) {
            let what = format!(
                "it says {} of {}/{}, which {} at that point",
                line.action.as_str(),
                line.kind,
                line.id,
                if current {
                    "was there"
                } else {
                    "was not there"
                }
            );
            self.faults.at(position, what);
        }
    }

    fn tile(&mut self, level: u8, index: u64) -> Option<Vec<u8>> {
        let sql = "SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2";
        let read = |statement: &mut rusqlite::CachedStatement<'_>| {
            let mut rows = statement.query((level, index as i64))?;
            rows.next()?.map(|row| row.get(0)).transpose()
        };
        match self
            .db
            .prepare_cached(sql)
            .and_then(|mut statement| read(&mut statement))
        {
            Ok(tile) => tile,
            Err(e) => {
                self.faults.say(
                    None,
                    format!("Tile {index} of level {level} cannot be read: {e}"),
                );
                None
            }
        }
    }

    fn full_tile(&mut self, level: u8, index: u64, hashes: &[u8]) {
        let Some(stored) = self.tile(level, index) else {
            return self
                .faults
                .say(None, format!("Tile {index} of level {level} is missing"));
        };
        if stored.len() != hashes.len() {
            let what = format!(
                "Tile {index} of level {level} has {} bytes, not {}",
                stored.len(),
                hashes.len()
            );
            return self.faults.say(None, what);
        }
        let (stored, hashes) = (stored.as_chunks::<32>().0, hashes.as_chunks::<32>().0);
        for at in (0..hashes.len()).filter(|at| stored[*at] != hashes[*at]) {
            match level {
                0 => self.faults.at(index * WINDOW + at as u64, "its line does not have the hash that the log's tile has for it"),
                _ => self.faults.say(None, format!("Hash {at} of tile {index} of level {level} does not follow from the tile below it")),
            }
        }
    }

    /// Tiles that a ledger of this size does not have.
    fn tiles_besides(&mut self, size: u64) {
        let tiles = self
            .db
            .prepare("SELECT level, idx FROM tile")
            .and_then(|mut statement| {
                let rows = statement
                    .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            });
        match tiles {
            Ok(tiles) => {
                for (level, index) in tiles {
                    let width = match (u8::try_from(level), u64::try_from(index)) {
                        (Ok(level), Ok(index)) => tlog::width(level, index, size),
                        _ => 0,
                    };
                    if width != tlog::TILE_WIDTH {
                        let what = format!(
                            "Tile {index} of level {level} is stored, but is not full in a ledger of {size} entries"
                        );
                        self.faults.say(None, what);
                    }
                }
            }
            Err(e) => self.faults.say(None, format!("`tile` cannot be read: {e}")),
        }
    }

    /// The heads of the persons' chains, as stored and as the lines give them.
    fn heads(&mut self) {
        let stored = self
            .db
            .prepare("SELECT person, count, position, hash FROM person")
            .and_then(|mut statement| {
                let rows = statement.query_map([], |row| {
                    let head = (
                        row.get::<_, i64>(1)? as u64,
                        row.get::<_, i64>(2)? as u64,
                        row.get::<_, Vec<u8>>(3)?,
                    );
                    Ok((row.get::<_, Vec<u8>>(0)?, head))
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            });
        let stored = match stored {
            Ok(stored) => stored,
            Err(e) => {
                return self
                    .faults
                    .say(None, format!("`person` cannot be read: {e}"));
            }
        };
        let mut missing = std::mem::take(&mut self.chains);
        for (person, (count, position, hash)) in stored {
            let alias = <[u8; 16]>::try_from(person).ok().map(Alias);
            let Some(alias) = alias else {
                self.faults.say(
                    None,
                    "`person` has a row whose person is not an alias".to_owned(),
                );
                continue;
            };
            let what = match missing.remove(&alias) {
                None => format!("`person` has a head for p{alias}, about whom there is no entry"),
                Some(chain) if chain == (count, position, hash.try_into().unwrap_or_default()) => {
                    continue;
                }
                Some((count, position, _)) => format!(
                    "The head of p{alias} in `person` is not the one that the lines give: {count} entries, the last at {position}"
                ),
            };
            self.faults.say(None, what);
        }
        for (alias, (count, position, _)) in missing {
            let what = format!(
                "`person` has no head for p{alias}, about whom there are {count} entries, the last at {position}"
            );
            self.faults.say(Some(position), what);
        }
    }

    fn import_marks(&mut self, size: u64) {
        let sql = "SELECT count(*) FROM import_source WHERE position < 0 OR position > ?1";
        match self
            .db
            .query_row(sql, [size as i64], |row| row.get::<_, i64>(0))
        {
            Ok(0) => {}
            Ok(count) => self.faults.say(
                None,
                format!("{count} marks of imports name entries that there are not"),
            ),
            Err(e) => self
                .faults
                .say(None, format!("`import_source` cannot be read: {e}")),
        }
    }
}

/// A sentence begins with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
