//! What the server remembers between two requests of one sign-in: challenges, nonces, verifiers.
//!
//! It is kept here and not in the browser, sealed, under a secret that only that browser has, and
//! taken once.

use rusqlite::OptionalExtension;

use crate::{Desk, Error, hash};

impl Desk {
    /// Remembers the state of a ceremony. Those that have ended are forgotten.
    pub fn begin_ceremony(
        &self,
        secret: &str,
        kind: &str,
        state: &[u8],
        now_us: i64,
        expires_us: i64,
    ) -> Result<(), Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM ceremony WHERE expires_us <= ?1")?
            .execute([now_us])?;
        db.prepare_cached(
            "INSERT OR REPLACE INTO ceremony (hash, kind, state, expires_us) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((&hash(secret)[..], kind, state, expires_us))?;
        Ok(())
    }

    /// Takes the state of a ceremony: there is none a second time, and none of another kind.
    pub fn take_ceremony(
        &self,
        secret: &str,
        kind: &str,
        now_us: i64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "DELETE FROM ceremony WHERE hash = ?1 AND kind = ?2 AND expires_us > ?3 RETURNING state",
        )?;
        Ok(statement
            .query_row((&hash(secret)[..], kind, now_us), |row| row.get(0))
            .optional()?)
    }
}
