//! Users: who may sign in, in which role, and as whom they act.
//!
//! Everything that changes a user takes the entry that the record is owed about it, and keeps both in
//! one transaction ([`crate::Owed`]): who may sign in is never changed without a trace.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::store::{check_name, is_taken, met};
use crate::{Desk, Error, Owed, app, owed};

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
    /// Of a participant: the id of their Patient resource.
    pub patient: Option<String>,
    /// For whom they work, if not for the programme: "Office of the Inspector General".
    pub organisation: Option<String>,
    /// The user whom they answer to.
    pub supervisor: Option<i64>,
    /// Disabled users stay known but cannot sign in.
    pub disabled: bool,
    /// When they were added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// What is said about somebody when they are added.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewUser<'a> {
    /// The name that colleagues see.
    pub name: &'a str,
    /// What they are in the programme.
    pub role: &'a str,
    /// The id of their Practitioner resource.
    pub practitioner: Option<&'a str>,
    /// Of a participant: the id of their Patient resource.
    pub patient: Option<&'a str>,
    /// For whom they work, if not for the programme.
    pub organisation: Option<&'a str>,
    /// The user whom they answer to.
    pub supervisor: Option<i64>,
}

/// Why somebody cannot be who they are said to be.
const SOMEBODY_ELSE: Error = Error::NotNow(
    "somebody else who can sign in is this Practitioner or Patient already; disable that account first, \
     or leave the field empty",
);

impl Desk {
    /// Adds a user; their id is the answer. They cannot sign in until they have a code
    /// ([`Desk::give_code`]). `owed` makes the entry about it, once the id is known.
    pub fn add_user(
        &self,
        new: &NewUser<'_>,
        now_us: i64,
        owed: impl FnOnce(i64) -> Option<Owed>,
    ) -> Result<i64, Error> {
        check_name(new.name)?;
        let mut db = self.db();
        let tx = db.transaction()?;
        tx.prepare_cached(
            "INSERT INTO user (name, role, practitioner, patient, organisation, supervisor, created_us) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            new.name,
            new.role,
            new.practitioner,
            new.patient,
            new.organisation,
            new.supervisor,
            now_us,
        ))
        .map_err(|error| refused(&tx, error, new.name))?;
        let id = tx.last_insert_rowid();
        owed::keep(&tx, owed(id).as_ref())?;
        tx.commit()?;
        Ok(id)
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

    /// One user, by the name that colleagues see.
    pub fn user_named(&self, name: &str) -> Result<Option<User>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM user WHERE name = ?1"))?;
        Ok(statement.query_row([name], user).optional()?)
    }

    /// Those who answer to a user.
    pub fn staff_of(&self, supervisor: i64) -> Result<Vec<User>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM user WHERE supervisor = ?1 ORDER BY id"
        ))?;
        let users = statement.query_map([supervisor], user)?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// Gives a user another role, and what belongs to it. Their sessions end, and what they allowed apps:
    /// nobody goes on under a role that they no longer have.
    pub fn change_user(
        &self,
        id: i64,
        new: &NewUser<'_>,
        owed: Option<&Owed>,
    ) -> Result<(), Error> {
        self.changed(id, owed, |db| {
            db.prepare_cached(
                "UPDATE user SET role = ?2, practitioner = ?3, patient = ?4, organisation = ?5, \
                 supervisor = ?6 WHERE id = ?1",
            )?
            .execute((
                id,
                new.role,
                new.practitioner,
                new.patient,
                new.organisation,
                new.supervisor,
            ))
        })
    }

    /// Disables a user, or enables them again. Their sessions, an unused code and what they allowed apps end.
    pub fn disable_user(&self, id: i64, disabled: bool, owed: Option<&Owed>) -> Result<(), Error> {
        self.changed(id, owed, |db| {
            db.execute("DELETE FROM code WHERE user = ?1", [id])?;
            db.prepare_cached("UPDATE user SET disabled = ?2 WHERE id = ?1")?
                .execute((id, disabled))
        })
    }

    /// Changes a user, ends their sessions and what they allowed apps, and keeps what is owed about it: all or nothing.
    pub(crate) fn changed(
        &self,
        id: i64,
        owed: Option<&Owed>,
        change: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        // No change gives a name, so what is taken is whom somebody acts as.
        let rows = change(&tx).map_err(|error| match is_taken(&error) {
            true => SOMEBODY_ELSE,
            false => error.into(),
        })?;
        met(rows, "user", &id.to_string())?;
        tx.prepare_cached("DELETE FROM session WHERE user = ?1")?
            .execute([id])?;
        app::end_of_user(&tx, id)?;
        owed::keep(&tx, owed)?;
        tx.commit()?;
        self.took_back();
        Ok(())
    }
}

/// Why a user was not added: their name is taken, or whom they act as.
fn refused(db: &Connection, error: rusqlite::Error, name: &str) -> Error {
    if !is_taken(&error) {
        return error.into();
    }
    let named = db
        .prepare_cached("SELECT 1 FROM user WHERE name = ?1")
        .and_then(|mut statement| statement.exists([name]));
    match named {
        Ok(true) => Error::Exists {
            what: "user",
            name: name.to_owned(),
        },
        Ok(false) => SOMEBODY_ELSE,
        Err(error) => error.into(),
    }
}

/// The columns that [`user`] reads.
pub(crate) const COLUMNS: &str = "user.id, user.name, role, practitioner, patient, organisation, \
     supervisor, disabled, user.created_us";

/// How many they are.
pub(crate) const COLUMN_COUNT: usize = 9;

pub(crate) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        practitioner: row.get(3)?,
        patient: row.get(4)?,
        organisation: row.get(5)?,
        supervisor: row.get(6)?,
        disabled: row.get(7)?,
        created_us: row.get(8)?,
    })
}
