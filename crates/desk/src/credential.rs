//! What people sign in with: passkeys, a password together with one-time passwords, and accounts at
//! an organisation's provider.
//!
//! Of a passkey there is only the public half here. A password is kept as its argon2id hash. The
//! secret of one-time passwords must be read again, so it is kept sealed.

use rusqlite::{OptionalExtension, Row};

use crate::store::{is_taken, met};
use crate::user::{COLUMNS, user};
use crate::{Desk, Error, User};

/// The public half of a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The credential's id, which the authenticator gave.
    pub id: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// Public key, counter and flags, as the ceremonies' library writes them.
    pub body: String,
    /// When it was added, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When somebody last signed in with it.
    pub used_us: Option<i64>,
}

/// A password, with the one-time passwords beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// The argon2id hash, in PHC's text form.
    pub hash: String,
    /// The secret of the one-time passwords, sealed.
    pub secret: Vec<u8>,
    /// The last time step that was used up.
    pub step: i64,
    /// When both were set, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// An account at a provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The provider's issuer.
    pub issuer: String,
    /// When it was linked, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// In how many ways the user `?1` can sign in. Whoever takes one away asks in the same statement, so that two who take
/// the last two at once leave one.
const WAYS_IN: &str = "(SELECT count(*) FROM passkey WHERE user = ?1) \
    + (SELECT count(*) FROM password WHERE user = ?1) + (SELECT count(*) FROM account WHERE user = ?1)";

impl Desk {
    /// The handle that a user's passkeys carry: given once, the same ever after.
    pub fn handle(&self, user: i64, chance: &mut dyn FnMut(&mut [u8])) -> Result<[u8; 16], Error> {
        let mut drawn = [0; 16];
        chance(&mut drawn);
        let db = self.db();
        db.prepare_cached("UPDATE user SET handle = ?2 WHERE id = ?1 AND handle IS NULL")?
            .execute((user, &drawn[..]))?;
        let mut statement = db.prepare_cached("SELECT handle FROM user WHERE id = ?1")?;
        statement
            .query_row([user], |row| row.get(0))
            .optional()?
            .ok_or_else(|| Error::Unknown {
                what: "user",
                name: user.to_string(),
            })
    }

    /// Who has a handle, unless disabled.
    pub fn user_by_handle(&self, handle: &[u8]) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user WHERE handle = ?1 AND NOT disabled"
        ))?;
        Ok(statement.query_row([handle], user).optional()?)
    }

    /// Adds a passkey to a user.
    pub fn add_passkey(
        &self,
        user: i64,
        id: &[u8],
        name: &str,
        body: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        self.db()
            .prepare_cached(
                "INSERT INTO passkey (id, user, name, body, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((id, user, name, body, now_us))
            .map(|_| ())
            .map_err(|error| match is_taken(&error) {
                true => Error::Taken { what: "passkey" },
                false => error.into(),
            })
    }

    /// A user's passkeys, the oldest first.
    pub fn passkeys(&self, user: i64) -> Result<Vec<Passkey>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, name, body, created_us, used_us FROM passkey WHERE user = ?1 \
             ORDER BY created_us, id",
        )?;
        let found = statement.query_map([user], passkey)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Notes that a passkey was used, and its counter.
    pub fn passkey_used(&self, id: &[u8], body: &str, now_us: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached("UPDATE passkey SET body = ?2, used_us = ?3 WHERE id = ?1")?
            .execute((id, body, now_us))?;
        Ok(())
    }

    /// Takes a passkey from a user, unless it is the last way in; whether it was taken is the answer.
    pub fn remove_passkey(&self, user: i64, id: &[u8]) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached(&format!(
                "DELETE FROM passkey WHERE user = ?1 AND id = ?2 AND ({WAYS_IN}) > 1"
            ))?
            .execute((user, id))?;
        Ok(rows > 0)
    }

    /// Sets a user's password and the secret of their one-time passwords; earlier ones end.
    pub fn set_password(
        &self,
        user: i64,
        hash: &str,
        secret: &[u8],
        step: i64,
        now_us: i64,
    ) -> Result<(), Error> {
        self.db()
            .prepare_cached(
                "INSERT INTO password (user, hash, secret, step, created_us) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (user) DO UPDATE SET hash = excluded.hash, secret = excluded.secret, \
                 step = excluded.step, created_us = excluded.created_us",
            )?
            .execute((user, hash, secret, step, now_us))?;
        Ok(())
    }

    /// A user's password.
    pub fn password(&self, user: i64) -> Result<Option<Password>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT hash, secret, step, created_us FROM password WHERE user = ?1",
        )?;
        let found = statement.query_row([user], |row| {
            Ok(Password {
                hash: row.get(0)?,
                secret: row.get(1)?,
                step: row.get(2)?,
                created_us: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Uses a time step up: `false` if it, or a later one, was used before.
    pub fn use_step(&self, user: i64, step: i64) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("UPDATE password SET step = ?2 WHERE user = ?1 AND step < ?2")?
            .execute((user, step))?;
        Ok(rows > 0)
    }

    /// Takes a user's password away, unless it is the last way in; whether it was taken is the answer.
    pub fn remove_password(&self, user: i64) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached(&format!(
                "DELETE FROM password WHERE user = ?1 AND ({WAYS_IN}) > 1"
            ))?
            .execute([user])?;
        Ok(rows > 0)
    }

    /// Links an account at a provider to whoever is in a session; refused once it has ended, whatever ended
    /// it, or they are disabled.
    pub fn link_account(
        &self,
        session: i64,
        issuer: &str,
        subject: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        let rows = self
            .db()
            .prepare_cached(
                "INSERT INTO account (issuer, subject, user, created_us) \
                 SELECT ?1, ?2, user.id, ?4 FROM session JOIN user ON user.id = session.user \
                 WHERE session.id = ?3 AND min(expires_us, used_us + idle_us) > ?4 AND NOT disabled",
            )?
            .execute((issuer, subject, session, now_us))
            .map_err(|error| match is_taken(&error) {
                true => Error::Taken { what: "account" },
                false => error.into(),
            })?;
        met(rows, "session", &session.to_string())
    }

    /// Takes a user's account at a provider away, by when it was linked, unless it is the last way in; whether it was
    /// taken is the answer.
    pub fn remove_account(&self, user: i64, issuer: &str, created_us: i64) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached(&format!(
                "DELETE FROM account WHERE user = ?1 AND issuer = ?2 AND created_us = ?3 AND ({WAYS_IN}) > 1"
            ))?
            .execute((user, issuer, created_us))?;
        Ok(rows > 0)
    }

    /// Whose account this is, unless they are disabled; notes that it was used.
    pub fn user_by_account(
        &self,
        issuer: &str,
        subject: &str,
        now_us: i64,
    ) -> Result<Option<User>, Error> {
        let db = self.db();
        db.prepare_cached("UPDATE account SET used_us = ?3 WHERE issuer = ?1 AND subject = ?2")?
            .execute((issuer, subject, now_us))?;
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user JOIN account ON account.user = user.id \
             WHERE issuer = ?1 AND subject = ?2 AND NOT disabled"
        ))?;
        Ok(statement.query_row((issuer, subject), user).optional()?)
    }

    /// A user's accounts at providers, by issuer.
    pub fn accounts(&self, user: i64) -> Result<Vec<Account>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT issuer, created_us FROM account WHERE user = ?1 ORDER BY issuer, created_us",
        )?;
        let found = statement.query_map([user], |row| {
            Ok(Account {
                issuer: row.get(0)?,
                created_us: row.get(1)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// In how many ways a user can sign in.
    pub fn ways_in(&self, user: i64) -> Result<u64, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!("SELECT {WAYS_IN}"))?;
        let count: i64 = statement.query_row([user], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

fn passkey(row: &Row<'_>) -> rusqlite::Result<Passkey> {
    Ok(Passkey {
        id: row.get(0)?,
        name: row.get(1)?,
        body: row.get(2)?,
        created_us: row.get(3)?,
        used_us: row.get(4)?,
    })
}
