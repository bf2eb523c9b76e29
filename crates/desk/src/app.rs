//! What registered clients were allowed, and the short-lived secrets that hang from it.
//!
//! A grant is one decision: a client, perhaps the user who allowed it, perhaps the one person whose record it is
//! about. Codes, access tokens and refresh tokens hang from a grant; taking it back ends all of them. A secret that
//! may be used once stays known after its use, so that a second use is seen for what it is: somebody else has it.
//!
//! Only hashes of secrets are kept. A grant works as long as its client is enabled and its user may sign in, and one
//! that hangs from a session as long as that session lasts. What its user is or signs in with changes: it ends, because
//! nobody knows any more whose decision it was.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::client::{COLUMN_COUNT, COLUMNS, client, draw};
use crate::store::met;
use crate::{Client, Desk, Error, hash};

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant<'a> {
    /// The client.
    pub client: &'a str,
    /// The user who allowed it; nobody for a client that acts for itself.
    pub user: Option<i64>,
    /// What it may do.
    pub scope: &'a str,
    /// The one person whose record it was started on.
    pub patient: Option<&'a str>,
    /// The session in which the user allowed it, which must not have ended.
    pub session: Option<i64>,
    /// Whether it ends with that session.
    pub online: bool,
    /// When the user proved who they are, in microseconds since the Unix epoch.
    pub authenticated_us: i64,
    /// When it ends by itself.
    pub expires_us: i64,
}

/// A grant as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppGrant {
    /// Its number.
    pub id: i64,
    /// The client.
    pub client: Client,
    /// The user who allowed it.
    pub user: Option<i64>,
    /// What it may do.
    pub scope: String,
    /// The one person whose record it was started on.
    pub patient: Option<String>,
    /// When the user proved who they are.
    pub authenticated_us: i64,
    /// When it was given.
    pub created_us: i64,
    /// When it ends by itself.
    pub expires_us: i64,
}

/// What a code was bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The address that it was sent to.
    pub redirect: String,
    /// The challenge that its user must answer (PKCE).
    pub challenge: String,
    /// What the id_token must repeat.
    pub nonce: Option<String>,
}

/// What became of a secret that may be used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent<T> {
    /// It was good, and is now used up.
    Good(T),
    /// It was used before. The grant that it hung from is gone, with all that hung from it.
    Again,
    /// It was never given, or has ended.
    Unknown,
}

/// What an access or refresh token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppToken {
    /// The grant that it hangs from.
    pub grant: AppGrant,
    /// What this token may do: the grant's scope, or less.
    pub scope: String,
    /// `access` or `refresh`.
    pub kind: String,
    /// When it was given.
    pub created_us: i64,
    /// When it ends.
    pub expires_us: i64,
}

/// Who opens an app, on whose record, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The client.
    pub client: String,
    /// The user.
    pub user: i64,
    /// The person.
    pub patient: String,
}

const GRANT_COLUMNS: &str =
    "g.id, g.user, g.scope, g.patient, g.authenticated_us, g.created_us, g.expires_us";

/// What must hold for a grant to be worth anything.
const LIVES: &str = "NOT c.disabled AND g.expires_us > ?2 \
     AND (g.user IS NULL OR EXISTS (SELECT 1 FROM user u WHERE u.id = g.user AND NOT u.disabled)) \
     AND (g.session IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.id = g.session \
     AND min(s.expires_us, s.used_us + s.idle_us) > ?2))";

fn grant(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<AppGrant> {
    let own = at + COLUMN_COUNT;
    Ok(AppGrant {
        client: client(row, at)?,
        id: row.get(own)?,
        user: row.get(own + 1)?,
        scope: row.get(own + 2)?,
        patient: row.get(own + 3)?,
        authenticated_us: row.get(own + 4)?,
        created_us: row.get(own + 5)?,
        expires_us: row.get(own + 6)?,
    })
}

impl Desk {
    /// Allows a client something; the answer is the grant's number. Grants that have ended are forgotten.
    pub fn allow(&self, new: &NewGrant<'_>, now_us: i64) -> Result<i64, Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM app_grant WHERE expires_us <= ?1")?
            .execute([now_us])?;
        let rows = db
            .prepare_cached(
                "INSERT INTO app_grant (client, user, scope, patient, authenticated_us, created_us, expires_us, session) \
                 SELECT name, ?2, ?3, ?4, ?5, ?6, ?7, iif(?9, ?8, NULL) FROM client WHERE name = ?1 AND NOT disabled \
                 AND (?8 IS NULL OR EXISTS (SELECT 1 FROM session WHERE id = ?8))",
            )?
            .execute((
                new.client,
                new.user,
                new.scope,
                new.patient,
                new.authenticated_us,
                now_us,
                new.expires_us,
                new.session,
                new.online,
            ))?;
        if rows == 0
            && let Some(session) = new.session
            && !db
                .prepare_cached("SELECT 1 FROM session WHERE id = ?1")?
                .exists([session])?
        {
            return Err(Error::NotNow(
                "the session in which it was allowed has ended; sign in again",
            ));
        }
        met(rows, "client", new.client)?;
        Ok(db.last_insert_rowid())
    }

    /// A code for a grant, to be used once.
    pub fn new_code(
        &self,
        grant: i64,
        bound: &Bound,
        expires_us: i64,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<String, Error> {
        let code = draw(chance);
        self.db()
            .prepare_cached(
                "INSERT INTO app_code (hash, app_grant, redirect, challenge, nonce, expires_us) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                &hash(&code)[..],
                grant,
                &bound.redirect,
                &bound.challenge,
                &bound.nonce,
                expires_us,
            ))?;
        Ok(code)
    }

    /// Uses a code up. `fits` says whether whoever brings it may: if not it is as if it had not been brought,
    /// so that nobody can spoil another's.
    pub fn spend_code(
        &self,
        code: &str,
        now_us: i64,
        fits: &dyn Fn(&AppGrant, &Bound) -> bool,
    ) -> Result<Spent<(AppGrant, Bound)>, Error> {
        let hash = hash(code);
        let mut db = self.db();
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let found = tx
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, {GRANT_COLUMNS}, k.redirect, k.challenge, k.nonce, k.used, k.expires_us \
                 FROM app_code k JOIN app_grant g ON g.id = k.app_grant JOIN client c ON c.name = g.client \
                 WHERE k.hash = ?1 AND {LIVES}"
            ))?
            .query_row((&hash[..], now_us), |row| {
                let at = COLUMN_COUNT + 7;
                let bound = Bound {
                    redirect: row.get(at)?,
                    challenge: row.get(at + 1)?,
                    nonce: row.get(at + 2)?,
                };
                Ok((grant(row, 0)?, bound, row.get::<_, bool>(at + 3)?, row.get::<_, i64>(at + 4)?))
            })
            .optional()?;
        let Some((grant, bound, used, expires_us)) = found else {
            return Ok(Spent::Unknown);
        };
        if used {
            end(&tx, grant.id)?;
            tx.commit()?;
            self.took_back();
            return Ok(Spent::Again);
        }
        if expires_us <= now_us || !fits(&grant, &bound) {
            return Ok(Spent::Unknown);
        }
        tx.prepare_cached("UPDATE app_code SET used = 1 WHERE hash = ?1")?
            .execute([&hash[..]])?;
        tx.commit()?;
        Ok(Spent::Good((grant, bound)))
    }

    /// An access or refresh token for a grant. Those of it that have ended are forgotten, but for refresh tokens that
    /// were used: their second use must be seen.
    pub fn new_app_token(
        &self,
        grant: i64,
        kind: &str,
        scope: &str,
        now_us: i64,
        expires_us: i64,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<String, Error> {
        let token = draw(chance);
        let db = self.db();
        db.prepare_cached("DELETE FROM app_token WHERE app_grant = ?1 AND expires_us <= ?2")?
            .execute((grant, now_us))?;
        db.prepare_cached(
            "INSERT INTO app_token (hash, app_grant, kind, scope, created_us, expires_us) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((&hash(&token)[..], grant, kind, scope, now_us, expires_us))?;
        Ok(token)
    }

    /// What an access or refresh token stands for; `None` if it was never given, was taken back, was used up or
    /// has ended.
    pub fn app_token(&self, token: &str, now_us: i64) -> Result<Option<AppToken>, Error> {
        self.app_token_of_hash(&hash(token), now_us)
    }

    /// The same for whoever kept only the token's SHA-256.
    pub fn app_token_of_hash(
        &self,
        hash: &[u8; 32],
        now_us: i64,
    ) -> Result<Option<AppToken>, Error> {
        let db = self.db();
        let found = read_token(&db, hash, now_us)?;
        Ok(found.filter(|(_, used)| !used).map(|(token, _)| token))
    }

    /// Uses a refresh token up. `fits` as with codes.
    pub fn spend_refresh(
        &self,
        token: &str,
        now_us: i64,
        fits: &dyn Fn(&AppToken) -> bool,
    ) -> Result<Spent<AppToken>, Error> {
        let hash = hash(token);
        let mut db = self.db();
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let found = read_token(&tx, &hash, now_us)?;
        let Some((token, used)) = found.filter(|(token, _)| token.kind == "refresh") else {
            return Ok(Spent::Unknown);
        };
        if used {
            end(&tx, token.grant.id)?;
            tx.commit()?;
            self.took_back();
            return Ok(Spent::Again);
        }
        if !fits(&token) {
            return Ok(Spent::Unknown);
        }
        tx.prepare_cached("UPDATE app_token SET used = 1 WHERE hash = ?1")?
            .execute([&hash[..]])?;
        tx.commit()?;
        Ok(Spent::Good(token))
    }

    /// Takes one access token back.
    pub fn revoke_app_token(&self, token: &str) -> Result<(), Error> {
        self.db()
            .prepare_cached("DELETE FROM app_token WHERE hash = ?1")?
            .execute([&hash(token)[..]])?;
        self.took_back();
        Ok(())
    }

    /// Takes a grant back, with all that hangs from it; one that is gone already is no error. With a user: only if it
    /// is theirs.
    pub fn end_grant(&self, id: i64, user: Option<i64>) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM app_grant WHERE id = ?1 AND (?2 IS NULL OR user = ?2)")?
            .execute((id, user))?;
        self.took_back();
        Ok(rows > 0)
    }

    /// What a user allowed, the newest first.
    pub fn grants_of(&self, user: i64, now_us: i64) -> Result<Vec<AppGrant>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS}, {GRANT_COLUMNS} FROM app_grant g JOIN client c ON c.name = g.client \
             WHERE g.user = ?1 AND {LIVES} AND EXISTS (SELECT 1 FROM app_token t WHERE t.app_grant = g.id \
             AND t.expires_us > ?2 AND NOT t.used) ORDER BY g.id DESC"
        ))?;
        let grants = statement.query_map((user, now_us), |row| grant(row, 0))?;
        Ok(grants.collect::<Result<_, _>>()?)
    }

    /// Remembers that a client has used an assertion until it ends; whether it is new is the answer. Those that
    /// have ended are forgotten.
    pub fn first_use(
        &self,
        client: &str,
        jti: &str,
        now_us: i64,
        expires_us: i64,
    ) -> Result<bool, Error> {
        let db = self.db();
        db.prepare_cached("DELETE FROM assertion WHERE expires_us <= ?1")?
            .execute([now_us])?;
        let rows = db
            .prepare_cached(
                "INSERT INTO assertion (client, jti, expires_us) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute((client, &hash(jti)[..], expires_us))?;
        Ok(rows > 0)
    }

    /// A secret that says who opens an app, on whose record. Those that have ended are forgotten.
    pub fn new_launch(
        &self,
        launch: &Launch,
        now_us: i64,
        expires_us: i64,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<String, Error> {
        let secret = draw(chance);
        let db = self.db();
        db.prepare_cached("DELETE FROM launch WHERE expires_us <= ?1")?
            .execute([now_us])?;
        db.prepare_cached(
            "INSERT INTO launch (hash, client, user, patient, expires_us) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            &hash(&secret)[..],
            &launch.client,
            launch.user,
            &launch.patient,
            expires_us,
        ))?;
        Ok(secret)
    }

    /// Who opens an app with this secret.
    pub fn launch(&self, secret: &str, now_us: i64) -> Result<Option<Launch>, Error> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT client, user, patient FROM launch WHERE hash = ?1 AND expires_us > ?2",
        )?;
        let launch = statement.query_row((&hash(secret)[..], now_us), |row| {
            Ok(Launch {
                client: row.get(0)?,
                user: row.get(1)?,
                patient: row.get(2)?,
            })
        });
        Ok(launch.optional()?)
    }

    /// Ends a launch; whether it was still good is the answer.
    pub fn end_launch(&self, secret: &str) -> Result<bool, Error> {
        let rows = self
            .db()
            .prepare_cached("DELETE FROM launch WHERE hash = ?1")?
            .execute([&hash(secret)[..]])?;
        Ok(rows > 0)
    }
}

fn read_token(
    db: &rusqlite::Connection,
    hash: &[u8; 32],
    now_us: i64,
) -> Result<Option<(AppToken, bool)>, Error> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {GRANT_COLUMNS}, t.scope, t.kind, t.created_us, t.expires_us, t.used \
         FROM app_token t JOIN app_grant g ON g.id = t.app_grant JOIN client c ON c.name = g.client \
         WHERE t.hash = ?1 AND t.expires_us > ?2 AND {LIVES}"
    ))?;
    let found = statement.query_row((&hash[..], now_us), |row| {
        let at = COLUMN_COUNT + 7;
        let token = AppToken {
            grant: grant(row, 0)?,
            scope: row.get(at)?,
            kind: row.get(at + 1)?,
            created_us: row.get(at + 2)?,
            expires_us: row.get(at + 3)?,
        };
        Ok((token, row.get(at + 4)?))
    });
    Ok(found.optional()?)
}

/// Ends all that a user allowed, and the apps that they are about to open.
pub(crate) fn end_of_user(db: &Connection, user: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM app_grant WHERE user = ?1",
        "DELETE FROM launch WHERE user = ?1",
    ] {
        db.prepare_cached(sql)?.execute([user])?;
    }
    Ok(())
}

/// Ends a grant with all that hangs from it.
fn end(tx: &Transaction<'_>, id: i64) -> Result<(), Error> {
    tx.prepare_cached("DELETE FROM app_grant WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
