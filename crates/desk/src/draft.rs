//! Forms that came after a session had ended, kept for whoever wrote them.

use rusqlite::{OptionalExtension, Row, TransactionBehavior};

use crate::{Desk, Error};

/// Drafts are thrown away after this long.
const KEPT_US: i64 = 7 * 24 * 3_600_000_000;

/// How many are kept for one user.
const KEPT: i64 = 20;

/// A form that was not taken, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its number.
    pub id: i64,
    /// Where it was sent.
    pub path: String,
    /// Its fields, sealed.
    pub body: Vec<u8>,
    /// When it came, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Desk {
    /// Keeps a form for a user. The oldest go when there are too many; none is kept for ever.
    pub fn keep_draft(
        &self,
        user: i64,
        path: &str,
        body: &[u8],
        now_us: i64,
    ) -> Result<i64, Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        tx.prepare_cached("DELETE FROM draft WHERE created_us <= ?1")?
            .execute([now_us - KEPT_US])?;
        tx.prepare_cached(
            "INSERT INTO draft (user, path, body, created_us) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((user, path, body, now_us))?;
        let id = tx.last_insert_rowid();
        tx.prepare_cached(
            "DELETE FROM draft WHERE user = ?1 AND id NOT IN \
             (SELECT id FROM draft WHERE user = ?1 ORDER BY id DESC LIMIT ?2)",
        )?
        .execute((user, KEPT))?;
        tx.commit()?;
        Ok(id)
    }

    /// A user's drafts, the newest first.
    pub fn drafts(&self, user: i64) -> Result<Vec<Draft>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, path, body, created_us FROM draft WHERE user = ?1 ORDER BY id DESC",
        )?;
        let found = statement.query_map([user], draft)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// One of a user's drafts.
    pub fn draft(&self, user: i64, id: i64) -> Result<Option<Draft>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, path, body, created_us FROM draft WHERE user = ?1 AND id = ?2",
        )?;
        Ok(statement.query_row((user, id), draft).optional()?)
    }

    /// Throws a draft away; whether there was one is the answer.
    pub fn drop_draft(&self, user: i64, id: i64) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM draft WHERE user = ?1 AND id = ?2")?
            .execute((user, id))?;
        Ok(rows > 0)
    }

    /// Throws away everybody's drafts that are too old and those that `goes` says of, which is told each draft's
    /// user. No byte of them stays in the file or its write-ahead log. How many went is the answer.
    pub fn forget_drafts(
        &self,
        now_us: i64,
        goes: &mut dyn FnMut(i64, &Draft) -> bool,
    ) -> Result<u64, Error> {
        let mut db = self.db();
        // Freed pages are overwritten with zeros.
        db.pragma_update(None, "secure_delete", true)?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut gone = Vec::new();
        {
            let mut each =
                tx.prepare_cached("SELECT id, path, body, created_us, user FROM draft")?;
            let mut rows = each.query([])?;
            while let Some(row) = rows.next()? {
                let found = draft(row)?;
                if found.created_us <= now_us - KEPT_US || goes(row.get(4)?, &found) {
                    gone.push(found.id);
                }
            }
        }
        for id in &gone {
            tx.prepare_cached("DELETE FROM draft WHERE id = ?1")?
                .execute([id])?;
        }
        tx.commit()?;
        // Even if none went now: some may have before, and their bytes are where they were.
        db.execute_batch("VACUUM")?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(gone.len() as u64)
    }
}

fn draft(row: &Row<'_>) -> rusqlite::Result<Draft> {
    Ok(Draft {
        id: row.get(0)?,
        path: row.get(1)?,
        body: row.get(2)?,
        created_us: row.get(3)?,
    })
}
