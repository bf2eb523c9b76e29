//! A participant's export, put together: their chain, where it ends, and what the access log says.

use evidence::content::Sealed;
use evidence::export::{Content, Export, Item, Section};
use evidence::heads::{self, Head, Map, prove_presence};
use rusqlite::Connection;
use tlog::checkpoint::Checkpoint;
use tlog::prove_inclusions;

use super::{Ledger, Moment, ReadError, StoredTiles, checkpoint, damaged, line_at, line_of};
use crate::access::{AccessLog, Disclosed};
use crate::entry::{Alias, Entry};

/// What an export has of the access log.
#[derive(Clone, Copy)]
pub struct Disclosures<'w> {
    /// The log.
    pub log: &'w AccessLog,
    /// Under which of its checkpoints, if not under the newest: the latest that witnesses have cosigned.
    pub cosigned: Option<&'w str>,
    /// Which of its leaves.
    pub wanted: &'w dyn Fn(&Disclosed) -> bool,
}

impl Ledger {
    /// Everything on the record about a person, complete as of the newest map of heads that the
    /// checkpoint covers. `None` if no such map counts an entry about them, or if it names another access log:
    /// the record was restored since, and goes on with another one.
    ///
    /// The checkpoint is `cosigned` if that is given, otherwise the newest there is. With `access`,
    /// what the access log says about the person is added, as far as it is wanted: what a warrant
    /// keeps from the person for a time is left out.
    pub fn export(
        &self,
        patient: &str,
        cosigned: Option<&str>,
        access: Option<Disclosures<'_>>,
    ) -> Result<Option<Export>, ReadError> {
        let person = self.person(patient);
        let note = match cosigned {
            Some(note) => note.to_owned(),
            None => checkpoint(&self.connection())?,
        };
        let size = Checkpoint::open(&note, self.verifier(), self.origin())
            .map_err(|e| damaged(0, &e.to_string()))?
            .size;
        let Some((map_item, map, map_position)) = self.map_below(size)? else {
            return Ok(None);
        };
        if let (Some(told), Some(named)) = (&access, &map.access)
            && named != told.log.verifier()
        {
            return Ok(None);
        }
        let heads = self.heads_at(map.size)?;
        if heads::root(&heads) != Some(map.root) {
            return Err(damaged(
                map_position,
                "the ends of the chains are not those that it says",
            ));
        }
        let Some((head, place)) = prove_presence(&heads, person) else {
            return Ok(None);
        };
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        let mut positions = positions(&db, &head)?;
        let mut items = Vec::with_capacity(positions.len());
        for position in &positions {
            items.push(self.item(&db, *position)?);
        }
        positions.push(map_position);
        let hashes = prove_inclusions(&positions, size, &StoredTiles::new(&db, &self.0.edge))
            .map_err(|e| damaged(map_position, &e.to_string()))?;
        Ok(Some(Export {
            person,
            record: Section {
                key: self.verifier().clone(),
                items,
                hashes,
                checkpoint: note,
            },
            map: map_item,
            place,
            access: access.map(|told| disclosed(told, person)).transpose()?,
        }))
    }

    /// The newest map of heads among the first so many entries, with its position.
    fn map_below(&self, size: u64) -> Result<Option<(Item, Map, u64)>, ReadError> {
        let id = self.id_in_line(heads::KIND, heads::ID);
        let db = self.connection();
        let mut select = db.prepare_cached(
            "SELECT position, line FROM entry WHERE position < ?1 ORDER BY position DESC",
        )?;
        let mut rows = select.query([size as i64])?;
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(0)? as u64;
            let line: Vec<u8> = row.get(1)?;
            let is_map = {
                let line = line_of(position, &line)?;
                line.kind == heads::KIND && line.id == id
            };
            if !is_map {
                continue;
            }
            let (entry, content) = self.version_at(&db, position)?;
            let map = Map::read(&content.stored)
                .ok_or_else(|| damaged(position, "it is no map of the heads"))?;
            return Ok(Some((here(entry, content), map, position)));
        }
        Ok(None)
    }

    fn item(&self, db: &Connection, position: u64) -> Result<Item, ReadError> {
        match self.version_at(db, position) {
            Ok((entry, content)) => Ok(here(entry, content)),
            Err(ReadError::Erased { .. }) => {
                let line = line_at(db, position)?;
                let body: Vec<u8> = db
                    .prepare_cached("SELECT body FROM content WHERE position = ?1")?
                    .query_row([position as i64], |row| row.get(0))?;
                let sealed = Sealed::of(&body)
                    .filter(|sealed| {
                        line_of(position, &line).is_ok_and(|line| line.sealed == sealed.hash())
                    })
                    .ok_or_else(|| damaged(position, "its sealed content is another one"))?;
                Ok(Item {
                    line: String::from_utf8(line)
                        .map_err(|_| damaged(position, "its line is not text"))?,
                    content: Content::Erased(sealed),
                })
            }
            Err(error) => Err(error),
        }
    }
}

fn here(entry: Entry, content: crate::Content) -> Item {
    Item {
        line: entry.line,
        content: Content::Here {
            salt: content.salt,
            stored: content.stored,
        },
    }
}

/// A chain's positions up to a head, the oldest first.
fn positions(db: &Connection, head: &Head) -> Result<Vec<u64>, ReadError> {
    let mut positions = vec![head.position];
    let mut next = head.position;
    loop {
        let line = line_at(db, next)?;
        match line_of(next, &line)?.previous {
            Some(previous) if previous.position < next => {
                next = previous.position;
                positions.push(next);
            }
            Some(_) => return Err(damaged(next, "the entry before it comes after it")),
            None => break,
        }
    }
    positions.reverse();
    Ok(positions)
}

/// What told of several persons stays without its content: that tells of the others as well.
fn disclosed(told: Disclosures<'_>, person: Alias) -> Result<Section, ReadError> {
    let log = told.log;
    let (checkpoint, proven) = log.about_under(person, told.cosigned)?;
    let size = Checkpoint::open(&checkpoint, log.verifier(), log.origin())
        .map_err(|e| damaged(0, &e.to_string()))?
        .size;
    let mut items = Vec::with_capacity(proven.len());
    let mut proofs = Vec::with_capacity(proven.len());
    for leaf in proven
        .into_iter()
        .filter(|one| (told.wanted)(&one.disclosed))
    {
        let is_of_several = matches!(
            leaf.disclosed.leaf.whom,
            evidence::disclosure::Whom::Many(_)
        );
        let content = match leaf.content {
            _ if is_of_several => Content::Withheld,
            Some((salt, stored)) => Content::Here { salt, stored },
            None => Content::Erased(leaf.sealed.ok_or_else(|| {
                damaged(
                    leaf.disclosed.leaf.position,
                    "its sealed content is too short",
                )
            })?),
        };
        proofs.push((leaf.disclosed.leaf.position, leaf.hashes));
        items.push(Item {
            line: leaf.disclosed.leaf.line,
            content,
        });
    }
    let hashes = match proofs.is_empty() {
        true => vec![root_of(&checkpoint)?],
        false => tlog::join_inclusions(&proofs, size)
            .ok_or_else(|| damaged(0, "the access log's proofs do not fit its size"))?,
    };
    Ok(Section {
        key: log.verifier().clone(),
        items,
        hashes,
        checkpoint,
    })
}

/// The proof of no leaves is the root itself.
fn root_of(note: &str) -> Result<tlog::Hash, ReadError> {
    let note = tlog::note::SignedNote::parse(note).map_err(|e| damaged(0, &e.to_string()))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|e| damaged(0, &e.to_string()))?;
    Ok(checkpoint.root)
}
