//! The schema, as the steps that lead to it: forward only, each with why.

/// The schema that this version writes.
pub(super) const SCHEMA: i32 = MIGRATIONS.len() as i32;

/// From each schema to the next; the first is from nothing.
pub(super) const MIGRATIONS: [&str; 5] = [
    SCHEMA_1,
    SCHEMA_2,
    super::apps::SCHEMA_APPS,
    SCHEMA_4,
    super::apps::SCHEMA_ONLINE,
];

/// Why: people and programs must be told apart before anything else can be.
const SCHEMA_1: &str = "
CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    practitioner TEXT,
    code_hash BLOB NOT NULL UNIQUE,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE client (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    client TEXT NOT NULL REFERENCES client (name) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Why: a code that signs somebody in for ever is a password that cannot be changed. It becomes what
/// it is good for, a way to set up a real credential once, and it ends. Users get what policy asks
/// about them (whom they answer to, which participant they are, for whom they work); sessions know how
/// and when somebody signed in and end when they are not used. Everybody signs in again.
const SCHEMA_2: &str = "
CREATE TABLE user_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    practitioner TEXT,
    patient TEXT,
    organisation TEXT,
    supervisor INTEGER REFERENCES user (id),
    handle BLOB UNIQUE,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL
) STRICT;
INSERT INTO user_2 (id, name, role, practitioner, disabled, created_us)
    SELECT id, name, role, practitioner, disabled, created_us FROM user;
DELETE FROM sqlite_sequence WHERE name = 'user_2';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'user_2', seq FROM sqlite_sequence WHERE name = 'user';
CREATE TABLE code (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
INSERT INTO code (user, hash, created_us, expires_us)
    SELECT id, code_hash, created_us, created_us + 1209600000000 FROM user;
DROP TABLE session;
DROP TABLE user;
ALTER TABLE user_2 RENAME TO user;
CREATE TABLE passkey (
    id BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    used_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_user ON passkey (user);
CREATE TABLE password (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    secret BLOB NOT NULL,
    step INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE provider (
    name TEXT PRIMARY KEY,
    issuer TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    secret BLOB,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE account (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    used_us INTEGER,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    how TEXT NOT NULL,
    agent TEXT NOT NULL,
    place TEXT NOT NULL,
    purpose TEXT,
    created_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL,
    authenticated_us INTEGER NOT NULL,
    idle_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user);
CREATE TABLE device (
    hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (
    key BLOB PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ceremony (
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    state BLOB NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    why TEXT NOT NULL,
    asked_by INTEGER NOT NULL REFERENCES user (id),
    asked_us INTEGER NOT NULL,
    closed_by INTEGER REFERENCES user (id),
    closed_us INTEGER,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE draft (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    words TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE owed (
    id TEXT PRIMARY KEY,
    actor TEXT NOT NULL,
    person TEXT,
    body TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Why: whoever has a second account for a Practitioner signs as a colleague, and for a Patient reads
/// that person's record; so of those who can sign in only one is anybody. Where there were two, the
/// first stays. And whoever signs in is told that there is something to read, until they have seen it.
const SCHEMA_4: &str = "
UPDATE user SET disabled = 1 WHERE NOT disabled AND EXISTS (
    SELECT 1 FROM user AS other WHERE other.id < user.id AND NOT other.disabled
    AND (other.practitioner = user.practitioner OR other.patient = user.patient));
CREATE UNIQUE INDEX user_practitioner ON user (practitioner) WHERE NOT disabled;
CREATE UNIQUE INDEX user_patient ON user (patient) WHERE NOT disabled;
ALTER TABLE notice ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX notice_user ON notice (user);
";
