//! API clients, what they may do, and their bearer tokens.
//!
//! A token is `hc_` and 43 characters of base64url. Only its hash is kept, so a
//! token that was lost is replaced, not looked up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{OptionalExtension, Row};

use crate::store::{check_name, met, taken};
use crate::{Desk, Error, hash};

/// The beginning of every token, so that one is recognised where it does not belong.
const PREFIX: &str = "hc_";

/// A program that uses the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// What it may do, as SMART writes scopes: `system/*.cruds`. Kept as text; policy reads it.
    pub scope: String,
    /// When it was added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// What a bearer token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The client it was given to.
    pub client: String,
    /// What that client may do now.
    pub scope: String,
    /// When it was given, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it ends by itself.
    pub expires_us: i64,
}

impl Desk {
    /// Adds a client.
    pub fn add_client(&self, name: &str, scope: &str, now_us: i64) -> Result<(), Error> {
        check_name(name)?;
        self.db()
            .prepare_cached("INSERT INTO client (name, scope, created_us) VALUES (?1, ?2, ?3)")?
            .execute((name, scope, now_us))
            .map(|_| ())
            .map_err(|e| taken(e, "client", name))
    }

    /// One client.
    pub fn client(&self, name: &str) -> Result<Option<Client>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached("SELECT name, scope, created_us FROM client WHERE name = ?1")?;
        Ok(statement.query_row([name], client).optional()?)
    }

    /// All clients, by name.
    pub fn clients(&self) -> Result<Vec<Client>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached("SELECT name, scope, created_us FROM client ORDER BY name")?;
        let clients = statement.query_map([], client)?;
        Ok(clients.collect::<Result<_, _>>()?)
    }

    /// Gives a client another scope; its tokens have it at once.
    pub fn set_scope(&self, name: &str, scope: &str) -> Result<(), Error> {
        let rows = self
            .db()
            .prepare_cached("UPDATE client SET scope = ?2 WHERE name = ?1")?
            .execute((name, scope))?;
        met(rows, "client", name)
    }

    /// Removes a client with its tokens.
    pub fn remove_client(&self, name: &str) -> Result<(), Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM client WHERE name = ?1")?
            .execute([name])?;
        met(rows, "client", name)
    }

    /// Gives a client a new token and returns it; its other tokens stay. Those that have ended are forgotten.
    pub fn new_token(
        &self,
        client: &str,
        now_us: i64,
        expires_us: i64,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<String, Error> {
        let token = draw(chance);
        let db = self.db();
        db.prepare_cached("DELETE FROM token WHERE expires_us <= ?1")?
            .execute([now_us])?;
        // A client that is not there has no row to select.
        let rows = db
            .prepare_cached(
                "INSERT INTO token (hash, client, created_us, expires_us) \
                 SELECT ?1, name, ?3, ?4 FROM client WHERE name = ?2",
            )?
            .execute((&hash(&token)[..], client, now_us, expires_us))?;
        met(rows, "client", client)?;
        Ok(token)
    }

    /// What a bearer token stands for; `None` if it was never given, was revoked or has ended.
    pub fn token(&self, token: &str, now_us: i64) -> Result<Option<Token>, Error> {
        self.token_of_hash(&hash(token), now_us)
    }

    /// The same for whoever kept only the token's SHA-256.
    pub fn token_of_hash(&self, hash: &[u8; 32], now_us: i64) -> Result<Option<Token>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT c.name, c.scope, t.created_us, t.expires_us \
             FROM token t JOIN client c ON c.name = t.client \
             WHERE t.hash = ?1 AND t.expires_us > ?2",
        )?;
        let token = statement.query_row((&hash[..], now_us), |row| {
            Ok(Token {
                client: row.get(0)?,
                scope: row.get(1)?,
                created_us: row.get(2)?,
                expires_us: row.get(3)?,
            })
        });
        Ok(token.optional()?)
    }

    /// Revokes one token; whether it was valid is the answer.
    pub fn revoke_token(&self, token: &str) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM token WHERE hash = ?1")?
            .execute([&hash(token)[..]])?;
        Ok(rows > 0)
    }
}

/// A token of 32 random bytes.
fn draw(chance: &mut dyn FnMut(&mut [u8])) -> String {
    let mut bytes = [0; 32];
    chance(&mut bytes);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn client(row: &Row<'_>) -> rusqlite::Result<Client> {
    Ok(Client {
        name: row.get(0)?,
        scope: row.get(1)?,
        created_us: row.get(2)?,
    })
}
