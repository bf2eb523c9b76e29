//! Users: who may sign in, in which role, and as whom they act.
//!
//! A user signs in with a code alone, drawn by lot with at least 80 bits of
//! chance: it cannot be guessed, so it needs no name beside it and no limit on
//! tries. This is for the time until the real sign-in exists.

use rusqlite::{OptionalExtension, Row};

use crate::store::{check_name, met, taken};
use crate::{Desk, Error, hash};

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Stands for them in the ledger and never for anybody else.
    pub id: i64,
    /// The name that colleagues see.
    pub name: String,
    /// What they are in the programme, as `caseworker`.
    pub role: String,
    /// The id of their Practitioner resource.
    pub practitioner: Option<String>,
    /// Disabled users stay known but cannot sign in.
    pub disabled: bool,
    /// When they were added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Desk {
    /// Adds a user who signs in with `code`; their id is the answer.
    pub fn add_user(
        &self,
        name: &str,
        role: &str,
        practitioner: Option<&str>,
        code: &str,
        now_us: i64,
    ) -> Result<i64, Error> {
        check_name(name)?;
        let code = code_hash(code);
        self.check_code_is_free(&code)?;
        let db = self.db();
        db.prepare_cached(
            "INSERT INTO user (name, role, practitioner, code_hash, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((name, role, practitioner, &code[..], now_us))
        .map_err(|e| taken(e, "user", name))?;
        Ok(db.last_insert_rowid())
    }

    /// All users, in the order they were added.
    pub fn users(&self) -> Result<Vec<User>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM user ORDER BY id"))?;
        let users = statement.query_map([], user)?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// One user, by the id that the ledger names.
    pub fn user(&self, id: i64) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM user WHERE id = ?1"))?;
        Ok(statement.query_row([id], user).optional()?)
    }

    /// The user who signs in with this code, unless disabled. Case, spaces and hyphens do not count.
    pub fn user_by_code(&self, code: &str) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user WHERE code_hash = ?1 AND NOT disabled"
        ))?;
        Ok(statement
            .query_row([&code_hash(code)[..]], user)
            .optional()?)
    }

    /// Gives a user another sign-in code. The old one and the user's sessions end.
    pub fn set_code(&self, name: &str, code: &str) -> Result<(), Error> {
        let code = code_hash(code);
        self.check_code_is_free(&code)?;
        self.change(
            name,
            "UPDATE user SET code_hash = ?2 WHERE name = ?1",
            &code[..],
        )
    }

    /// Disables a user, or enables them again. Their sessions end.
    pub fn disable_user(&self, name: &str, disabled: bool) -> Result<(), Error> {
        self.change(
            name,
            "UPDATE user SET disabled = ?2 WHERE name = ?1",
            disabled,
        )
    }

    /// Changes a user and ends their sessions.
    fn change(&self, name: &str, sql: &str, value: impl rusqlite::ToSql) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx.prepare_cached(sql)?.execute((name, value))?;
        met(rows, "user", name)?;
        tx.prepare_cached(
            "DELETE FROM session WHERE user = (SELECT id FROM user WHERE name = ?1)",
        )?
        .execute([name])?;
        Ok(tx.commit()?)
    }

    fn check_code_is_free(&self, code: &[u8; 32]) -> Result<(), Error> {
        let db = self.db();
        let mut statement = db.prepare_cached("SELECT 1 FROM user WHERE code_hash = ?1")?;
        match statement.exists([&code[..]])? {
            true => Err(Error::Code),
            false => Ok(()),
        }
    }
}

/// The columns that [`user`] reads.
pub(crate) const COLUMNS: &str = "user.id, name, role, practitioner, disabled, user.created_us";

pub(crate) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        practitioner: row.get(3)?,
        disabled: row.get(4)?,
        created_us: row.get(5)?,
    })
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
