//! The tables of registered clients and of what they were allowed.

/// Why: what goes on only while somebody is signed in ended when they were signed in nowhere, so one browser that was
/// left open kept an app going that was started in another. It hangs from its own session now. Nobody knows which
/// that was of what was allowed before, so people allow it again.
pub(super) const SCHEMA_ONLINE: &str = "
DELETE FROM app_grant WHERE user IS NOT NULL;
ALTER TABLE app_grant ADD COLUMN session INTEGER REFERENCES session (id) ON DELETE CASCADE;
CREATE INDEX app_grant_session ON app_grant (session);
";

/// Why: a client was a name with a token that worked for a year. Programs that sign in by a key of
/// their own, and apps that people start, need a registration (whose each version is owed to the
/// record before it counts), grants that a person gave, and short-lived secrets that hang from them.
pub(super) const SCHEMA_APPS: &str = "
ALTER TABLE client ADD COLUMN document TEXT NOT NULL DEFAULT '{}';
ALTER TABLE client ADD COLUMN secret BLOB;
ALTER TABLE client ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE client ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
CREATE TABLE client_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    revision INTEGER NOT NULL,
    scope TEXT NOT NULL,
    document TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO client_change (client, revision, scope, document, disabled, removed, actor, created_us)
    SELECT name, 1, scope, '{}', 0, 0, 'homecoming', created_us FROM client ORDER BY created_us;
CREATE TABLE app_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL REFERENCES client (name) ON DELETE CASCADE,
    user INTEGER REFERENCES user (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    patient TEXT,
    authenticated_us INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX app_grant_user ON app_grant (user);
CREATE TABLE app_code (
    hash BLOB PRIMARY KEY,
    app_grant INTEGER NOT NULL REFERENCES app_grant (id) ON DELETE CASCADE,
    redirect TEXT NOT NULL,
    challenge TEXT NOT NULL,
    nonce TEXT,
    expires_us INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE app_token (
    hash BLOB PRIMARY KEY,
    app_grant INTEGER NOT NULL REFERENCES app_grant (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX app_token_grant ON app_token (app_grant);
CREATE TABLE assertion (
    client TEXT NOT NULL,
    jti BLOB NOT NULL,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (client, jti)
) STRICT, WITHOUT ROWID;
CREATE TABLE launch (
    hash BLOB PRIMARY KEY,
    client TEXT NOT NULL REFERENCES client (name) ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    patient TEXT NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";
