//! Browser sessions: a secret in a cookie, here only its hash.

use rusqlite::OptionalExtension;

use crate::user::{COLUMNS, user};
use crate::{Desk, Error, User, hash};

impl Desk {
    /// Begins a session of a user; `secret` is 32 random bytes in some text form. Sessions that have ended are forgotten.
    pub fn begin_session(
        &self,
        secret: &str,
        user: i64,
        now_us: i64,
        expires_us: i64,
    ) -> Result<(), Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM session WHERE expires_us <= ?1")?
            .execute([now_us])?;
        // A user who is not there has no row to select.
        let rows = db
            .prepare_cached(
                "INSERT INTO session (hash, user, created_us, expires_us) \
                 SELECT ?1, id, ?3, ?4 FROM user WHERE id = ?2 AND NOT disabled",
            )?
            .execute((&hash(secret)[..], user, now_us, expires_us))?;
        crate::store::met(rows, "user", &user.to_string())
    }

    /// Who is signed in with this secret; nobody once the session has ended or the user is disabled.
    pub fn session_user(&self, secret: &str, now_us: i64) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user JOIN session ON session.user = user.id \
             WHERE session.hash = ?1 AND session.expires_us > ?2 AND NOT disabled"
        ))?;
        Ok(statement
            .query_row((&hash(secret)[..], now_us), user)
            .optional()?)
    }

    /// Ends a session; one that has ended already is no error.
    pub fn end_session(&self, secret: &str) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM session WHERE hash = ?1")?
            .execute([&hash(secret)[..]])?;
        Ok(())
    }
}
