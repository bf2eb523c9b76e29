//! Codes for enrolling: drawn by lot with at least 80 bits of chance, so that they cannot be guessed
//! and need no name beside them; good once, until a date. A user has at most one.

use rusqlite::OptionalExtension;

use crate::store::{is_taken, met};
use crate::user::{COLUMNS, user};
use crate::{Desk, Error, Owed, User, hash, owed, session};

impl Desk {
    /// Gives a user a code to enrol with. An earlier one ends, and so does what was begun with it: whoever
    /// entered it and should not have sets nothing up any more. What they sign in with stays.
    pub fn give_code(
        &self,
        user: i64,
        code: &str,
        now_us: i64,
        expires_us: i64,
        owed: Option<&Owed>,
    ) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached(
                "INSERT INTO code (user, hash, created_us, expires_us) \
                 SELECT id, ?2, ?3, ?4 FROM user WHERE id = ?1 AND NOT disabled \
                 ON CONFLICT (user) DO UPDATE SET hash = excluded.hash, \
                 created_us = excluded.created_us, expires_us = excluded.expires_us",
            )?
            .execute((user, &code_hash(code)[..], now_us, expires_us))
            .map_err(|error| match is_taken(&error) {
                true => Error::Taken { what: "code" },
                false => error.into(),
            })?;
        met(rows, "user", &user.to_string())?;
        tx.prepare_cached("DELETE FROM session WHERE user = ?1 AND how = ?2")?
            .execute((user, session::ENROLMENT))?;
        owed::keep(&tx, owed)?;
        Ok(tx.commit()?)
    }

    /// Who has this code, without using it up.
    pub fn user_by_code(&self, code: &str, now_us: i64) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user JOIN code ON code.user = user.id \
             WHERE code.hash = ?1 AND code.expires_us > ?2 AND NOT disabled"
        ))?;
        Ok(statement
            .query_row((&code_hash(code)[..], now_us), user)
            .optional()?)
    }

    /// Uses a code up: whoever had it is the answer, and it opens nothing any more. Case, spaces and
    /// hyphens do not count.
    pub fn take_code(&self, code: &str, now_us: i64) -> Result<Option<User>, Error> {
        let hash = code_hash(code);
        let mut db = self.db();
        let tx = db.transaction()?;
        let found = tx
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM user JOIN code ON code.user = user.id \
                 WHERE code.hash = ?1 AND code.expires_us > ?2 AND NOT disabled"
            ))?
            .query_row((&hash[..], now_us), user)
            .optional()?;
        if found.is_some() {
            tx.prepare_cached("DELETE FROM code WHERE hash = ?1")?
                .execute([&hash[..]])?;
        }
        tx.prepare_cached("DELETE FROM code WHERE expires_us <= ?1")?
            .execute([now_us])?;
        tx.commit()?;
        Ok(found)
    }

    /// Until when a user's unused code is good.
    pub fn code_expires(&self, user: i64, now_us: i64) -> Result<Option<i64>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached("SELECT expires_us FROM code WHERE user = ?1 AND expires_us > ?2")?;
        Ok(statement
            .query_row((user, now_us), |row| row.get(0))
            .optional()?)
    }
}

/// What is kept of a code. It may have come by telephone.
fn code_hash(code: &str) -> [u8; 32] {
    let letters: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .flat_map(char::to_lowercase)
        .collect();
    hash(&letters)
}
