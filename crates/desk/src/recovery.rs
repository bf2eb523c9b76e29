//! A new way in for somebody who has lost theirs: one officer asks, another approves.

use rusqlite::{OptionalExtension, Row};

use crate::store::met;
use crate::{Desk, Error, Owed, app, owed};

/// Where a recovery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryState {
    /// One officer has asked.
    Asked,
    /// Another has approved: the old ways in are gone, and there is a new code.
    Done,
    /// An officer has refused it, or whoever asked has taken it back.
    Refused,
}

impl RecoveryState {
    fn as_str(self) -> &'static str {
        match self {
            RecoveryState::Asked => "asked",
            RecoveryState::Done => "done",
            RecoveryState::Refused => "refused",
        }
    }

    fn parse(text: &str) -> RecoveryState {
        match text {
            "done" => RecoveryState::Done,
            "refused" => RecoveryState::Refused,
            _ => RecoveryState::Asked,
        }
    }
}

/// One recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Its number.
    pub id: i64,
    /// Who gets a new way in.
    pub user: i64,
    /// Why, in words.
    pub why: String,
    /// The officer who asked.
    pub asked_by: i64,
    /// When, in microseconds since the Unix epoch.
    pub asked_us: i64,
    /// The officer who approved or refused.
    pub closed_by: Option<i64>,
    /// When.
    pub closed_us: Option<i64>,
    /// Where it stands.
    pub state: RecoveryState,
}

impl Desk {
    /// Asks for a recovery; its number is the answer. One at a time for each user.
    pub fn ask_recovery(
        &self,
        user: i64,
        why: &str,
        by: i64,
        now_us: i64,
        owed: Option<&Owed>,
    ) -> Result<i64, Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let open = tx
            .prepare_cached("SELECT 1 FROM recovery WHERE user = ?1 AND state = 'asked'")?
            .exists([user])?;
        if open {
            return Err(Error::NotNow(
                "a recovery is asked for already; approve or refuse that one",
            ));
        }
        tx.prepare_cached(
            "INSERT INTO recovery (user, why, asked_by, asked_us, state) VALUES (?1, ?2, ?3, ?4, 'asked')",
        )?
        .execute((user, why, by, now_us))?;
        let id = tx.last_insert_rowid();
        owed::keep(&tx, owed)?;
        tx.commit()?;
        Ok(id)
    }

    /// All recoveries, the newest first.
    pub fn recoveries(&self) -> Result<Vec<Recovery>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM recovery ORDER BY id DESC"))?;
        let found = statement.query_map([], recovery)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// One recovery.
    pub fn recovery(&self, id: i64) -> Result<Option<Recovery>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM recovery WHERE id = ?1"))?;
        Ok(statement.query_row([id], recovery).optional()?)
    }

    /// Takes away everything that a user signs in with, and what they allowed apps: for whoever has the machine.
    pub fn forget_ways_in(&self, user: i64, owed: Option<&Owed>) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        forget(&tx, user)?;
        owed::keep(&tx, owed)?;
        tx.commit()?;
        self.took_back();
        Ok(())
    }

    /// Refuses a recovery.
    pub fn refuse_recovery(
        &self,
        id: i64,
        by: i64,
        now_us: i64,
        owed: Option<&Owed>,
    ) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        close(&tx, id, by, now_us, RecoveryState::Refused)?;
        owed::keep(&tx, owed)?;
        Ok(tx.commit()?)
    }

    /// Approves a recovery: whatever the user signed in with ends, their sessions, known browsers and
    /// what they allowed apps too, and the code of this hash is their new way in. All of it or nothing.
    #[expect(clippy::too_many_arguments, reason = "one step, with all that it sets")]
    pub fn approve_recovery(
        &self,
        id: i64,
        by: i64,
        code: &str,
        now_us: i64,
        code_expires_us: i64,
        notice: &str,
        owed: Option<&Owed>,
    ) -> Result<(), Error> {
        let user = {
            let mut db = self.db();
            let tx = db.transaction()?;
            close(&tx, id, by, now_us, RecoveryState::Done)?;
            let user: i64 =
                tx.query_row("SELECT user FROM recovery WHERE id = ?1", [id], |row| {
                    row.get(0)
                })?;
            forget(&tx, user)?;
            tx.prepare_cached("INSERT INTO notice (user, words, created_us) VALUES (?1, ?2, ?3)")?
                .execute((user, notice, now_us))?;
            owed::keep(&tx, owed)?;
            tx.commit()?;
            self.took_back();
            user
        };
        // Without a code they only need another one; with the old ways still open it would be worse.
        self.give_code(user, code, now_us, code_expires_us, None)
    }
}

/// Takes away everything that a user signs in with, where they are signed in, and what was allowed in their name:
/// who lost it may not have been the one who allowed it.
fn forget(db: &rusqlite::Connection, user: i64) -> Result<(), Error> {
    for sql in [
        "DELETE FROM passkey WHERE user = ?1",
        "DELETE FROM password WHERE user = ?1",
        "DELETE FROM account WHERE user = ?1",
        "DELETE FROM session WHERE user = ?1",
        "DELETE FROM device WHERE user = ?1",
        "DELETE FROM code WHERE user = ?1",
    ] {
        db.prepare_cached(sql)?.execute([user])?;
    }
    Ok(app::end_of_user(db, user)?)
}

fn close(
    db: &rusqlite::Connection,
    id: i64,
    by: i64,
    now_us: i64,
    state: RecoveryState,
) -> Result<(), Error> {
    let rows = db
        .prepare_cached(
            "UPDATE recovery SET state = ?2, closed_by = ?3, closed_us = ?4 \
             WHERE id = ?1 AND state = 'asked'",
        )?
        .execute((id, state.as_str(), by, now_us))?;
    met(rows, "open recovery", &id.to_string())
}

const COLUMNS: &str = "id, user, why, asked_by, asked_us, closed_by, closed_us, state";

fn recovery(row: &Row<'_>) -> rusqlite::Result<Recovery> {
    let state: String = row.get(7)?;
    Ok(Recovery {
        id: row.get(0)?,
        user: row.get(1)?,
        why: row.get(2)?,
        asked_by: row.get(3)?,
        asked_us: row.get(4)?,
        closed_by: row.get(5)?,
        closed_us: row.get(6)?,
        state: RecoveryState::parse(&state),
    })
}
