//! How often signing in failed lately, so that guessing gets slow.
//!
//! A key is whatever is counted (an account from an address, an address, a known browser); the
//! server makes it and says how long the wait is. Counts fall to nothing after a day without failure.

use rusqlite::OptionalExtension;

use crate::{Desk, Error, hash};

/// Failures are forgotten after this long without another.
const FORGOTTEN_US: i64 = 24 * 3_600_000_000;

impl Desk {
    /// How often something failed, and when last.
    pub fn failures(&self, key: &str, now_us: i64) -> Result<(u32, i64), Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT failures, last_us FROM attempt WHERE key = ?1 AND last_us > ?2",
        )?;
        let found = statement.query_row((&hash(key)[..], now_us - FORGOTTEN_US), |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Counts one more failure.
    pub fn failed(&self, key: &str, now_us: i64) -> Result<(), Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM attempt WHERE last_us <= ?1")?
            .execute([now_us - FORGOTTEN_US])?;
        db.prepare_cached(
            "INSERT INTO attempt (key, failures, last_us) VALUES (?1, 1, ?2) \
             ON CONFLICT (key) DO UPDATE SET failures = failures + 1, last_us = excluded.last_us",
        )?
        .execute((&hash(key)[..], now_us))?;
        Ok(())
    }

    /// Forgets failures, because it went well.
    pub fn succeeded(&self, key: &str) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM attempt WHERE key = ?1")?
            .execute([&hash(key)[..]])?;
        Ok(())
    }

    /// Remembers a browser in which a user signed in; `secret` is 32 random bytes in some text form.
    pub fn remember_device(&self, user: i64, secret: &str, now_us: i64) -> Result<(), Error> {
        self.db()
            .prepare_cached(
                "INSERT INTO device (hash, user, created_us, used_us) VALUES (?1, ?2, ?3, ?3) \
                 ON CONFLICT (hash) DO UPDATE SET user = excluded.user, used_us = excluded.used_us",
            )?
            .execute((&hash(secret)[..], user, now_us))?;
        Ok(())
    }

    /// Whether a user has signed in with any browser that is remembered.
    pub fn has_devices(&self, user: i64) -> Result<bool, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached("SELECT 1 FROM device WHERE user = ?1")?;
        Ok(statement.exists([user])?)
    }

    /// Whether a user signed in with this browser before, not longer than `within_us` ago.
    pub fn knows_device(
        &self,
        user: i64,
        secret: &str,
        now_us: i64,
        within_us: i64,
    ) -> Result<bool, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT 1 FROM device WHERE hash = ?1 AND user = ?2 AND used_us > ?3",
        )?;
        Ok(statement.exists((&hash(secret)[..], user, now_us - within_us))?)
    }
}
