//! Users: who may sign in, in which role, and as whom they act.
//!
//! A sign-in code is for the time until the real sign-in exists. After five wrong
//! codes in a row each further try has to wait, twice as long each time.

use rusqlite::{OptionalExtension, Row};

use crate::store::{check_name, met, taken};
use crate::{Chance, Desk, DeskError, secret};

/// Wrong codes in a row before waiting begins.
const FREE_FAILURES: u32 = 5;

/// The first wait, in microseconds: 15 seconds. The longest is 64 times as long, 16 minutes.
const FIRST_WAIT_US: i64 = 15_000_000;
const DOUBLINGS_MAX: u32 = 6;

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they sign in with, and what entries name as actor.
    pub name: String,
    /// What pages call them.
    pub full_name: String,
    /// What they are in the programme, as `caseworker`.
    pub role: String,
    /// The id of their Practitioner resource.
    pub practitioner: Option<String>,
    /// Disabled users keep their name but cannot sign in.
    pub disabled: bool,
    /// When they were added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// Somebody to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// What they sign in with: one word.
    pub name: &'a str,
    /// What pages call them.
    pub full_name: &'a str,
    /// What they are in the programme.
    pub role: &'a str,
    /// The id of their Practitioner resource.
    pub practitioner: Option<&'a str>,
}

/// What came of a try to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// It is them.
    Welcome(User),
    /// Name or code is wrong, or the user is disabled; which of these is not said.
    Refused,
    /// Too many wrong codes: none is looked at before this instant.
    Wait {
        /// In microseconds since the Unix epoch.
        until_us: i64,
    },
}

impl Desk {
    /// Adds a user, without a code: they cannot sign in yet.
    pub fn add_user(&self, user: NewUser<'_>, now_us: i64) -> Result<(), DeskError> {
        check_name(user.name)?;
        self.db()
            .prepare_cached(
                "INSERT INTO user (name, full_name, role, practitioner, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((user.name, user.full_name, user.role, user.practitioner, now_us))
            .map(|_| ())
            .map_err(|e| taken(e, "user", user.name))
    }

    /// One user.
    pub fn user(&self, name: &str) -> Result<Option<User>, DeskError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT name, full_name, role, practitioner, disabled, created_us FROM user WHERE name = ?1",
        )?;
        Ok(statement.query_row([name], user).optional()?)
    }

    /// All users, by name.
    pub fn users(&self) -> Result<Vec<User>, DeskError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT name, full_name, role, practitioner, disabled, created_us FROM user ORDER BY name",
        )?;
        let users = statement.query_map([], user)?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// Gives a user a new sign-in code, drawn by lot, and returns it. The old code and the user's sessions end.
    pub fn new_code(&self, name: &str, chance: Chance) -> Result<String, DeskError> {
        let code = secret::draw_code(chance);
        self.set_code(name, &code, chance)?;
        Ok(code)
    }

    /// Gives a user this sign-in code. The old code and the user's sessions end.
    pub fn set_code(&self, name: &str, code: &str, chance: Chance) -> Result<(), DeskError> {
        let mut salt = [0; 16];
        chance(&mut salt);
        let hash = secret::hash_code(code, &salt, secret::ROUNDS);
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached(
                "UPDATE user SET code_salt = ?2, code_rounds = ?3, code_hash = ?4, failures = 0, wait_until_us = 0 \
                 WHERE name = ?1",
            )?
            .execute((name, &salt[..], secret::ROUNDS, &hash[..]))?;
        met(rows, "user", name)?;
        tx.prepare_cached("DELETE FROM session WHERE user = ?1")?
            .execute([name])?;
        Ok(tx.commit()?)
    }

    /// Disables a user, or enables them again. Disabling ends their sessions.
    pub fn disable_user(&self, name: &str, disabled: bool) -> Result<(), DeskError> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached("UPDATE user SET disabled = ?2 WHERE name = ?1")?
            .execute((name, disabled))?;
        met(rows, "user", name)?;
        if disabled {
            tx.prepare_cached("DELETE FROM session WHERE user = ?1")?
                .execute([name])?;
        }
        Ok(tx.commit()?)
    }

    /// Tries to sign in. Takes some 10 ms, whether the name is known or not.
    pub fn sign_in(&self, name: &str, code: &str, now_us: i64) -> Result<SignIn, DeskError> {
        let Some(kept) = self.kept_code(name)? else {
            secret::hash_code(code, &[0; 16], secret::ROUNDS);
            return Ok(SignIn::Refused);
        };
        if now_us < kept.wait_until_us {
            return Ok(SignIn::Wait {
                until_us: kept.wait_until_us,
            });
        }
        // Hashed without holding the connection.
        if secret::hash_code(code, &kept.salt, kept.rounds)[..] != kept.hash[..] {
            let failures = kept.failures + 1;
            let wait_until_us = match failures.checked_sub(FREE_FAILURES) {
                Some(doublings) => now_us + (FIRST_WAIT_US << doublings.min(DOUBLINGS_MAX)),
                None => 0,
            };
            self.db()
                .prepare_cached(
                    "UPDATE user SET failures = ?2, wait_until_us = ?3 WHERE name = ?1",
                )?
                .execute((name, failures, wait_until_us))?;
            return Ok(SignIn::Refused);
        }
        if kept.failures > 0 {
            self.db()
                .prepare_cached("UPDATE user SET failures = 0, wait_until_us = 0 WHERE name = ?1")?
                .execute([name])?;
        }
        let user = self.user(name)?.filter(|user| !user.disabled);
        Ok(user.map_or(SignIn::Refused, SignIn::Welcome))
    }

    fn kept_code(&self, name: &str) -> Result<Option<KeptCode>, DeskError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT code_salt, code_rounds, code_hash, failures, wait_until_us FROM user \
             WHERE name = ?1 AND code_hash IS NOT NULL",
        )?;
        let kept = statement.query_row([name], |row| {
            Ok(KeptCode {
                salt: row.get(0)?,
                rounds: row.get(1)?,
                hash: row.get(2)?,
                failures: row.get(3)?,
                wait_until_us: row.get(4)?,
            })
        });
        Ok(kept.optional()?)
    }
}

struct KeptCode {
    salt: Vec<u8>,
    rounds: u32,
    hash: Vec<u8>,
    failures: u32,
    wait_until_us: i64,
}

pub(crate) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        name: row.get(0)?,
        full_name: row.get(1)?,
        role: row.get(2)?,
        practitioner: row.get(3)?,
        disabled: row.get(4)?,
        created_us: row.get(5)?,
    })
}
