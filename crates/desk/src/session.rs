//! Browser sessions: a secret in a cookie, here only its hash.

use rusqlite::OptionalExtension;

use crate::user::user;
use crate::{Chance, Desk, DeskError, User, secret};

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub user: User,
    /// When they signed in, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it ends by itself.
    pub expires_us: i64,
}

impl Desk {
    /// Begins a session and returns its secret, 43 characters of base64url. Those that have ended are forgotten.
    pub fn begin_session(
        &self,
        user: &str,
        now_us: i64,
        expires_us: i64,
        chance: Chance,
    ) -> Result<String, DeskError> {
        let secret = secret::draw("", chance);
        let db = self.db();
        db.prepare_cached("DELETE FROM session WHERE expires_us <= ?1")?
            .execute([now_us])?;
        // A user who is not there has no row to select.
        let rows = db
            .prepare_cached(
                "INSERT INTO session (hash, user, created_us, expires_us) \
                 SELECT ?1, name, ?3, ?4 FROM user WHERE name = ?2 AND NOT disabled",
            )?
            .execute((&secret::hash(&secret)[..], user, now_us, expires_us))?;
        crate::store::met(rows, "user", user)?;
        Ok(secret)
    }

    /// The session of a secret, unless it has ended or its user is disabled.
    pub fn session(&self, secret: &str, now_us: i64) -> Result<Option<Session>, DeskError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT u.name, u.full_name, u.role, u.practitioner, u.disabled, u.created_us, s.created_us, s.expires_us \
             FROM session s JOIN user u ON u.name = s.user \
             WHERE s.hash = ?1 AND s.expires_us > ?2 AND NOT u.disabled",
        )?;
        let session = statement.query_row((&secret::hash(secret)[..], now_us), |row| {
            Ok(Session {
                user: user(row)?,
                created_us: row.get(6)?,
                expires_us: row.get(7)?,
            })
        });
        Ok(session.optional()?)
    }

    /// Ends a session; one that has ended already is no error.
    pub fn end_session(&self, secret: &str) -> Result<(), DeskError> {
        self.db()
            .prepare_cached("DELETE FROM session WHERE hash = ?1")?
            .execute([&secret::hash(secret)[..]])?;
        Ok(())
    }
}
