//! Organisations' OpenID Connect providers that people may sign in through.

use crate::store::{check_name, met, taken};
use crate::{Desk, Error, Owed, owed};

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What people know it by: "County of Lakeland".
    pub name: String,
    /// Its issuer, exactly as its tokens say it.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What we prove ourselves to it with, sealed; none for a public client.
    pub secret: Option<Vec<u8>>,
    /// When it was added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Desk {
    /// Adds a provider.
    pub fn add_provider(&self, provider: &Provider, owed: Option<&Owed>) -> Result<(), Error> {
        check_name(&provider.name)?;
        let mut db = self.db();
        let tx = db.transaction()?;
        tx.prepare_cached(
            "INSERT INTO provider (name, issuer, client_id, secret, created_us) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            &provider.name,
            &provider.issuer,
            &provider.client_id,
            &provider.secret,
            provider.created_us,
        ))
        .map_err(|e| taken(e, "provider", &provider.name))?;
        owed::keep(&tx, owed)?;
        Ok(tx.commit()?)
    }

    /// All providers, by name.
    pub fn providers(&self) -> Result<Vec<Provider>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT name, issuer, client_id, secret, created_us FROM provider ORDER BY name",
        )?;
        let found = statement.query_map([], |row| {
            Ok(Provider {
                name: row.get(0)?,
                issuer: row.get(1)?,
                client_id: row.get(2)?,
                secret: row.get(3)?,
                created_us: row.get(4)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Removes a provider. Accounts there stay linked, for when it comes back, and open nothing till then.
    pub fn remove_provider(&self, name: &str, owed: Option<&Owed>) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached("DELETE FROM provider WHERE name = ?1")?
            .execute([name])?;
        met(rows, "provider", name)?;
        owed::keep(&tx, owed)?;
        Ok(tx.commit()?)
    }
}
