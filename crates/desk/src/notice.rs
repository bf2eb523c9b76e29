//! What somebody should be told about their own account the next time they are here.

use crate::{Desk, Error};

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// What happened, in sentences.
    pub words: String,
    /// When, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Desk {
    /// Leaves a notice for a user.
    pub fn tell(&self, user: i64, words: &str, now_us: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached("INSERT INTO notice (user, words, created_us) VALUES (?1, ?2, ?3)")?
            .execute((user, words, now_us))?;
        Ok(())
    }

    /// What a user has not put away yet, the newest first.
    pub fn notices(&self, user: i64) -> Result<Vec<Notice>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, words, created_us FROM notice WHERE user = ?1 ORDER BY id DESC",
        )?;
        let found = statement.query_map([user], |row| {
            Ok(Notice {
                id: row.get(0)?,
                words: row.get(1)?,
                created_us: row.get(2)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// How many notices a user has not seen yet.
    pub fn notices_unseen(&self, user: i64) -> Result<u64, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached("SELECT count(*) FROM notice WHERE user = ?1 AND NOT seen")?;
        let count: i64 = statement.query_row([user], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Notes that a user has seen their notices, up to this one. They stay until they are put away.
    pub fn notices_seen(&self, user: i64, upto: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached("UPDATE notice SET seen = 1 WHERE user = ?1 AND id <= ?2 AND NOT seen")?
            .execute((user, upto))?;
        Ok(())
    }

    /// Puts a user's notices away, up to this one.
    pub fn put_away(&self, user: i64, upto: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM notice WHERE user = ?1 AND id <= ?2")?
            .execute((user, upto))?;
        Ok(())
    }
}
