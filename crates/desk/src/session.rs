//! Browser sessions: a secret in a cookie, here only its hash.
//!
//! A session ends at its absolute limit, or when it was not used for a while, whichever comes first.
//! It is remembered for a day after that, so that a form which comes too late finds its writer
//! ([`Desk::ended_session`]); signing out forgets it at once.

use rusqlite::{OptionalExtension, Row};

use crate::store::met;
use crate::user::{COLUMN_COUNT, COLUMNS, user};
use crate::{Desk, Error, User, app, hash};

/// How a session began that opens nothing but the pages for setting up how one signs in.
pub const ENROLMENT: &str = "enrolment";

/// How long a session that ended by itself is remembered.
const REMEMBERED_US: i64 = 24 * 3_600_000_000;

/// What is said about a session when it begins.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// 32 random bytes in some text form.
    pub secret: &'a str,
    /// Whose it is.
    pub user: i64,
    /// How they signed in, as `passkey`.
    pub how: &'a str,
    /// What they use, roughly: "Firefox on Linux".
    pub agent: &'a str,
    /// Where from, roughly.
    pub place: &'a str,
    /// When they showed that it is them, in microseconds since the Unix epoch.
    pub authenticated_us: i64,
    /// Ends after this long without use, in microseconds.
    pub idle_us: i64,
    /// Ends then in any case.
    pub expires_us: i64,
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it in lists; opens nothing.
    pub id: i64,
    /// Whose it is.
    pub user: User,
    /// How they signed in.
    pub how: String,
    /// What they use, roughly.
    pub agent: String,
    /// Where from, roughly.
    pub place: String,
    /// The purpose of use that they chose, if they did.
    pub purpose: Option<String>,
    /// When it began, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was last used, to the minute.
    pub used_us: i64,
    /// When they last showed that it is them.
    pub authenticated_us: i64,
    /// Ends after this long without use.
    pub idle_us: i64,
    /// Ends then in any case.
    pub expires_us: i64,
}

impl Session {
    /// When it ends if it is not used any more.
    pub fn ends_us(&self) -> i64 {
        self.expires_us.min(self.used_us + self.idle_us)
    }
}

impl Desk {
    /// Begins a session of a user. Sessions that ended more than a day ago are forgotten.
    pub fn begin_session(&self, new: &NewSession<'_>, now_us: i64) -> Result<i64, Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM session WHERE min(expires_us, used_us + idle_us) <= ?1")?
            .execute([now_us - REMEMBERED_US])?;
        // A user who is not there has no row to select.
        let rows = db
            .prepare_cached(
                "INSERT INTO session (hash, user, how, agent, place, created_us, used_us, \
                 authenticated_us, idle_us, expires_us) \
                 SELECT ?1, id, ?3, ?4, ?5, ?6, ?6, ?9, ?7, ?8 FROM user WHERE id = ?2 AND NOT disabled",
            )?
            .execute((
                &hash(new.secret)[..],
                new.user,
                new.how,
                new.agent,
                new.place,
                now_us,
                new.idle_us,
                new.expires_us,
                new.authenticated_us,
            ))?;
        met(rows, "user", &new.user.to_string())?;
        Ok(db.last_insert_rowid())
    }

    /// The session with this secret; none once it has ended or the user is disabled.
    pub fn session(&self, secret: &str, now_us: i64) -> Result<Option<Session>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS}, {SESSION} FROM user JOIN session ON session.user = user.id \
             WHERE session.hash = ?1 AND min(expires_us, used_us + idle_us) > ?2 AND NOT disabled"
        ))?;
        Ok(statement
            .query_row((&hash(secret)[..], now_us), session)
            .optional()?)
    }

    /// Whose session this was, if it ended by itself within the last day.
    pub fn ended_session(&self, secret: &str, now_us: i64) -> Result<Option<i64>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT user FROM session JOIN user ON user.id = session.user WHERE hash = ?1 \
             AND min(expires_us, used_us + idle_us) BETWEEN ?2 AND ?3 AND NOT disabled",
        )?;
        Ok(statement
            .query_row((&hash(secret)[..], now_us - REMEMBERED_US, now_us), |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// A user's sessions that have not ended, the last used first.
    pub fn sessions(&self, user: i64, now_us: i64) -> Result<Vec<Session>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS}, {SESSION} FROM user JOIN session ON session.user = user.id \
             WHERE user.id = ?1 AND min(expires_us, used_us + idle_us) > ?2 \
             ORDER BY used_us DESC, session.id DESC"
        ))?;
        let sessions = statement.query_map((user, now_us), session)?;
        Ok(sessions.collect::<Result<_, _>>()?)
    }

    /// Notes that a session was used.
    pub fn session_used(&self, id: i64, now_us: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached("UPDATE session SET used_us = ?2 WHERE id = ?1 AND used_us < ?2")?
            .execute((id, now_us))?;
        Ok(())
    }

    /// Gives a session another secret, because whoever is in it has shown again that it is them.
    pub fn renew_session(&self, id: i64, secret: &str, now_us: i64) -> Result<(), Error> {
        let rows = self
            .db()
            .prepare_cached(
                "UPDATE session SET hash = ?2, authenticated_us = ?3, used_us = ?3 WHERE id = ?1",
            )?
            .execute((id, &hash(secret)[..], now_us))?;
        met(rows, "session", &id.to_string())
    }

    /// Notes the purpose of use that was chosen for a session, or that none is any more.
    pub fn set_session_purpose(&self, id: i64, purpose: Option<&str>) -> Result<(), Error> {
        self.db()
            .prepare_cached("UPDATE session SET purpose = ?2 WHERE id = ?1")?
            .execute((id, purpose))?;
        Ok(())
    }

    /// Ends a session; one that has ended already is no error.
    pub fn end_session(&self, secret: &str) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM session WHERE hash = ?1")?
            .execute([&hash(secret)[..]])?;
        self.took_back();
        Ok(())
    }

    /// Ends one of a user's sessions by its number; whether there was one is the answer.
    pub fn end_session_of(&self, user: i64, id: i64) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM session WHERE user = ?1 AND id = ?2")?
            .execute((user, id))?;
        self.took_back();
        Ok(rows > 0)
    }

    /// Ends all sessions of a user but one, or all; with all of them what the user allowed apps, too.
    pub fn end_sessions(&self, user: i64, but: Option<i64>) -> Result<usize, Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached("DELETE FROM session WHERE user = ?1 AND id IS NOT ?2")?
            .execute((user, but))?;
        if but.is_none() {
            app::end_of_user(&tx, user)?;
        }
        tx.commit()?;
        self.took_back();
        Ok(rows)
    }
}

/// The columns that [`session`] reads besides the user's.
const SESSION: &str = "session.id, how, agent, place, purpose, session.created_us, used_us, \
     authenticated_us, idle_us, expires_us";

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let column = |number: usize| COLUMN_COUNT + number;
    Ok(Session {
        user: user(row)?,
        id: row.get(column(0))?,
        how: row.get(column(1))?,
        agent: row.get(column(2))?,
        place: row.get(column(3))?,
        purpose: row.get(column(4))?,
        created_us: row.get(column(5))?,
        used_us: row.get(column(6))?,
        authenticated_us: row.get(column(7))?,
        idle_us: row.get(column(8))?,
        expires_us: row.get(column(9))?,
    })
}
