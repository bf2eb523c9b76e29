//! API clients, what they may do, and their bearer tokens.
//!
//! A client is registered: who it is, how it proves that, what it may do. The registration's document is text
//! that this crate does not read. Each change of it is owed to the record, and says so until whoever writes the
//! record has paid ([`Desk::client_changes`], [`Desk::client_recorded`]): a registration that the record does
//! not have yet is shown as such, and nobody should act by it.
//!
//! A token is `hc_` and 43 characters of base64url. Only its hash is kept, so a
//! token that was lost is replaced, not looked up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{OptionalExtension, Row, Transaction};

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
    /// The rest of its registration, as text.
    pub document: String,
    /// SHA-256 of its secret, if it has one.
    pub secret: Option<[u8; 32]>,
    /// Nothing that it sends is answered.
    pub disabled: bool,
    /// Counts the changes.
    pub revision: i64,
    /// The newest revision that the record has.
    pub recorded: i64,
    /// When it was added, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Client {
    /// Whether the record has it as it is.
    pub fn is_recorded(&self) -> bool {
        self.revision == self.recorded
    }
}

/// What is to be known of a client from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientState<'a> {
    /// What it may do.
    pub scope: &'a str,
    /// The rest of its registration.
    pub document: &'a str,
    /// Nothing that it sends is answered.
    pub disabled: bool,
    /// It proves who it is in another way since, so what it was given before ends.
    pub reproves: bool,
}

/// A change that the record does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientChange {
    /// Its number, ascending.
    pub id: i64,
    /// The client's name.
    pub client: String,
    /// Which revision it made.
    pub revision: i64,
    /// What the client may do since.
    pub scope: String,
    /// Its registration since.
    pub document: String,
    /// Whether it is disabled since.
    pub disabled: bool,
    /// Whether it is gone.
    pub removed: bool,
    /// Who changed it, as entries name people.
    pub actor: String,
    /// When, in microseconds since the Unix epoch.
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
    /// Adds a client that has tokens alone, made by whoever has the machine.
    pub fn add_client(&self, name: &str, scope: &str, now_us: i64) -> Result<(), Error> {
        let state = ClientState {
            scope,
            document: "{}",
            disabled: false,
            reproves: false,
        };
        self.register_client(name, &state, None, "homecoming", now_us)
    }

    /// Adds a client; `secret` is the hash of its secret, `actor` who adds it.
    pub fn register_client(
        &self,
        name: &str,
        state: &ClientState<'_>,
        secret: Option<&[u8; 32]>,
        actor: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        check_name(name)?;
        let mut db = self.db();
        let tx = db.transaction()?;
        // A name that was used before goes on counting where the record stopped.
        let before: Option<i64> = tx
            .prepare_cached("SELECT max(revision) FROM client_change WHERE client = ?1")?
            .query_row([name], |row| row.get(0))?;
        let revision = before.unwrap_or(0) + 1;
        tx.prepare_cached(
            "INSERT INTO client (name, scope, document, secret, disabled, revision, created_us) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            name,
            state.scope,
            state.document,
            secret.map(|secret| &secret[..]),
            state.disabled,
            revision,
            now_us,
        ))
        .map_err(|e| taken(e, "client", name))?;
        owe(&tx, name, revision, state, false, actor, now_us)?;
        Ok(tx.commit()?)
    }

    /// Changes a client. What it was allowed before stays only as far as it still is; a client that is disabled, or
    /// proves who it is in another way, loses everything that it was given.
    pub fn change_client(
        &self,
        name: &str,
        state: &ClientState<'_>,
        actor: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached(
                "UPDATE client SET scope = ?2, document = ?3, disabled = ?4, revision = revision + 1 \
                 WHERE name = ?1",
            )?
            .execute((name, state.scope, state.document, state.disabled))?;
        met(rows, "client", name)?;
        let revision: i64 = tx
            .prepare_cached("SELECT revision FROM client WHERE name = ?1")?
            .query_row([name], |row| row.get(0))?;
        owe(&tx, name, revision, state, false, actor, now_us)?;
        if state.disabled || state.reproves {
            tx.prepare_cached("DELETE FROM app_grant WHERE client = ?1")?
                .execute([name])?;
            tx.prepare_cached("DELETE FROM token WHERE client = ?1")?
                .execute([name])?;
        }
        tx.commit()?;
        self.took_back();
        Ok(())
    }

    /// Gives a client another secret, of which this is the hash, or none. What it was given under the old one ends.
    pub fn set_client_secret(
        &self,
        name: &str,
        secret: Option<&[u8; 32]>,
        actor: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        let Some(client) = self.client(name)? else {
            return met(0, "client", name);
        };
        let state = ClientState {
            scope: &client.scope,
            document: &client.document,
            disabled: client.disabled,
            reproves: false,
        };
        self.change_client(name, &state, actor, now_us)?;
        let mut db = self.db();
        let tx = db.transaction()?;
        let rows = tx
            .prepare_cached("UPDATE client SET secret = ?2 WHERE name = ?1")?
            .execute((name, secret.map(|secret| &secret[..])))?;
        met(rows, "client", name)?;
        tx.prepare_cached("DELETE FROM app_grant WHERE client = ?1")?
            .execute([name])?;
        tx.commit()?;
        self.took_back();
        Ok(())
    }

    /// One client.
    pub fn client(&self, name: &str) -> Result<Option<Client>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM client c WHERE c.name = ?1"))?;
        Ok(statement
            .query_row([name], |row| client(row, 0))
            .optional()?)
    }

    /// All clients, by name.
    pub fn clients(&self) -> Result<Vec<Client>, Error> {
        let db = self.db();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM client c ORDER BY c.name"))?;
        let clients = statement.query_map([], |row| client(row, 0))?;
        Ok(clients.collect::<Result<_, _>>()?)
    }

    /// Gives a client another scope; its tokens have it at once.
    pub fn set_scope(
        &self,
        name: &str,
        scope: &str,
        actor: &str,
        now_us: i64,
    ) -> Result<(), Error> {
        let Some(client) = self.client(name)? else {
            return met(0, "client", name);
        };
        let state = ClientState {
            scope,
            document: &client.document,
            disabled: client.disabled,
            reproves: false,
        };
        self.change_client(name, &state, actor, now_us)
    }

    /// Removes a client with its tokens.
    pub fn remove_client(&self, name: &str, actor: &str, now_us: i64) -> Result<(), Error> {
        let Some(client) = self.client(name)? else {
            return met(0, "client", name);
        };
        let mut db = self.db();
        let tx = db.transaction()?;
        let state = ClientState {
            scope: &client.scope,
            document: &client.document,
            disabled: true,
            reproves: false,
        };
        owe(&tx, name, client.revision + 1, &state, true, actor, now_us)?;
        let rows = tx
            .prepare_cached("DELETE FROM client WHERE name = ?1")?
            .execute([name])?;
        met(rows, "client", name)?;
        tx.commit()?;
        self.took_back();
        Ok(())
    }

    /// What the record is still owed about clients, oldest first.
    pub fn client_changes(&self) -> Result<Vec<ClientChange>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT id, client, revision, scope, document, disabled, removed, actor, created_us \
             FROM client_change ORDER BY id",
        )?;
        let changes = statement.query_map([], |row| {
            Ok(ClientChange {
                id: row.get(0)?,
                client: row.get(1)?,
                revision: row.get(2)?,
                scope: row.get(3)?,
                document: row.get(4)?,
                disabled: row.get(5)?,
                removed: row.get(6)?,
                actor: row.get(7)?,
                created_us: row.get(8)?,
            })
        })?;
        Ok(changes.collect::<Result<_, _>>()?)
    }

    /// Says that the record has a change.
    pub fn client_recorded(&self, change: &ClientChange) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        tx.prepare_cached("DELETE FROM client_change WHERE id = ?1")?
            .execute([change.id])?;
        tx.prepare_cached("UPDATE client SET recorded = ?2 WHERE name = ?1 AND recorded < ?2")?
            .execute((&change.client, change.revision))?;
        Ok(tx.commit()?)
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
        // A client that is not there, or may do nothing, has no row to select.
        let rows = db
            .prepare_cached(
                "INSERT INTO token (hash, client, created_us, expires_us) \
                 SELECT ?1, name, ?3, ?4 FROM client WHERE name = ?2 AND NOT disabled",
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
             WHERE t.hash = ?1 AND t.expires_us > ?2 AND NOT c.disabled",
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
        self.took_back();
        Ok(rows > 0)
    }
}

/// Has the record be owed what a client is from now on.
fn owe(
    tx: &Transaction<'_>,
    client: &str,
    revision: i64,
    state: &ClientState<'_>,
    removed: bool,
    actor: &str,
    now_us: i64,
) -> Result<(), Error> {
    tx.prepare_cached(
        "INSERT INTO client_change (client, revision, scope, document, disabled, removed, actor, created_us) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        client,
        revision,
        state.scope,
        state.document,
        state.disabled,
        removed,
        actor,
        now_us,
    ))?;
    Ok(())
}

/// A token of 32 random bytes.
pub(crate) fn draw(chance: &mut dyn FnMut(&mut [u8])) -> String {
    let mut bytes = [0; 32];
    chance(&mut bytes);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The columns that [`client`] reads.
pub(crate) const COLUMNS: &str =
    "c.name, c.scope, c.document, c.secret, c.disabled, c.revision, c.recorded, c.created_us";

/// How many there are.
pub(crate) const COLUMN_COUNT: usize = 8;

/// A client from a row whose columns begin at a place.
pub(crate) fn client(row: &Row<'_>, at: usize) -> rusqlite::Result<Client> {
    let secret: Option<Vec<u8>> = row.get(at + 3)?;
    Ok(Client {
        name: row.get(at)?,
        scope: row.get(at + 1)?,
        document: row.get(at + 2)?,
        secret: secret.and_then(|secret| secret.try_into().ok()),
        disabled: row.get(at + 4)?,
        revision: row.get(at + 5)?,
        recorded: row.get(at + 6)?,
        created_us: row.get(at + 7)?,
    })
}
