//! Entries that the record is owed about the desk.
//!
//! The desk and the ledger are two files, so a change of the desk and its entry cannot be one
//! transaction. The change keeps the entry here, in the desk's own transaction; whoever writes the
//! record writes it there under the same id, and only then takes it away here. Stopped in between,
//! the entry is written again under an id that is there already, which is refused and settles it.

use rusqlite::Connection;

use crate::{Desk, Error};

/// One entry that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The resource's id, drawn by lot.
    pub id: String,
    /// Who did it, as lines name actors.
    pub actor: String,
    /// The Patient whom it is about, if it is about a participant.
    pub person: Option<String>,
    /// The resource, as JSON.
    pub body: String,
    /// When it was done, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// Keeps an entry in the transaction of what it tells of.
pub(crate) fn keep(db: &Connection, owed: Option<&Owed>) -> Result<(), Error> {
    let Some(owed) = owed else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO owed (id, actor, person, body, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        &owed.id,
        &owed.actor,
        &owed.person,
        &owed.body,
        owed.created_us,
    ))?;
    Ok(())
}

impl Desk {
    /// Keeps an entry about something that changes nothing else here.
    pub fn owe(&self, owed: &Owed) -> Result<(), Error> {
        keep(&self.db(), Some(owed))
    }

    /// What is owed, the oldest first.
    pub fn owed(&self) -> Result<Vec<Owed>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, actor, person, body, created_us FROM owed ORDER BY created_us, id",
        )?;
        let owed = statement.query_map([], |row| {
            Ok(Owed {
                id: row.get(0)?,
                actor: row.get(1)?,
                person: row.get(2)?,
                body: row.get(3)?,
                created_us: row.get(4)?,
            })
        })?;
        Ok(owed.collect::<Result<_, _>>()?)
    }

    /// Takes an entry away that is on the record.
    pub fn settled(&self, id: &str) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM owed WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }
}
