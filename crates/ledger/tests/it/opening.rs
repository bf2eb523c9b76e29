//! Directories that are not there, not ours, of another version, in use, or damaged: a clear sentence, and nothing changed.

use std::path::Path;

use ledger::{Appender, Expect};
use rusqlite::Connection;

use crate::world::{Dir, World, put, transaction};

fn create(dir: &Path, origin: &str) -> Result<(), String> {
    ledger::create(dir, origin, None, &mut |bytes| bytes.fill(7))
        .map(|_| ())
        .map_err(|e| e.to_string())
}

fn sentence(dir: &Path) -> String {
    ledger::open_keys(dir, None)
        .and_then(|keys| Appender::open(dir, keys))
        .map(|_| "opened".to_owned())
        .unwrap_or_else(|e| e.to_string())
}

#[test]
fn a_ledger_is_made_once() {
    let dir = Dir::new();
    let inner = dir.path().join("a/b");
    assert_eq!(
        sentence(&inner),
        "there is no ledger in this directory; make one with `homecoming init`"
    );
    assert_eq!(
        create(&inner, "a b"),
        Err("\"a b\" cannot name a log: a name is one word without `+`".to_owned())
    );
    assert_eq!(create(&inner, "example.org/p"), Ok(()));
    assert_eq!(
        create(&inner, "example.org/p"),
        Err("there is a ledger in this directory already".to_owned())
    );
    assert_eq!(sentence(&inner), "opened");
    #[cfg(unix)]
    for key in ["log.key", "alias.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(inner.join("keys").join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    std::fs::remove_file(inner.join("ledger.sqlite")).unwrap();
    assert!(
        create(&inner, "example.org/p")
            .unwrap_err()
            .starts_with("this directory has keys but no ledger")
    );
}

#[test]
fn a_second_server_is_told_who_has_the_directory() {
    let world = World::new(1);
    let expect = format!(
        "this data directory is in use by another Homecoming (process {}); stop it first",
        std::process::id()
    );
    assert_eq!(sentence(world.dir.path()), expect);
    assert_eq!(create(world.dir.path(), "example.org/p"), Err(expect));
    // Reading is always possible.
    assert_eq!(world.reader().size().unwrap(), 0);
}

/// Edits a sound ledger of two entries, and says what opening it says.
#[track_caller]
fn check(edit: impl FnOnce(&Path), expect: &str) {
    let mut world = World::new(1);
    world.accept(transaction(vec![
        put("Task/t", Expect::Any),
        put("Task/t", Expect::Any),
    ]));
    world.appender = None;
    edit(world.dir.path());
    let before = std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap();
    assert_eq!(sentence(world.dir.path()), expect);
    assert_eq!(
        std::fs::read(world.dir.path().join("ledger.sqlite")).unwrap(),
        before
    );
}

fn sql(text: &str) -> impl FnOnce(&Path) {
    move |dir| {
        Connection::open(dir.join("ledger.sqlite"))
            .unwrap()
            .execute_batch(text)
            .unwrap()
    }
}

#[test]
fn a_directory_that_does_not_fit_is_refused_and_left_alone() {
    let foreign =
        "`ledger.sqlite` in this directory is not a Homecoming ledger; nothing was changed";
    check(sql(""), "opened");
    check(sql("PRAGMA application_id = 7"), foreign);
    check(sql("PRAGMA user_version = 0"), foreign);
    check(
        |dir| std::fs::write(dir.join("ledger.sqlite"), "x".repeat(9_000)).unwrap(),
        foreign,
    );
    check(
        |dir| std::fs::write(dir.join("ledger.sqlite"), "").unwrap(),
        foreign,
    );
    check(
        sql("PRAGMA user_version = 4"),
        "this ledger has format 4; this version of Homecoming knows formats up to 3. \
         Use the newer version that wrote it; nothing was changed",
    );
    check(
        sql("PRAGMA user_version = 1"),
        "this ledger has format 1, from before the first release; this version of Homecoming reads format 3. \
         Make a new one with `homecoming init` and import again; nothing was changed",
    );
    let key = |name: &'static str, bytes: &'static [u8]| {
        move |dir: &Path| std::fs::write(dir.join("keys").join(name), bytes).unwrap()
    };
    let gone = |name: &'static str| {
        move |dir: &Path| std::fs::remove_file(dir.join("keys").join(name)).unwrap()
    };
    check(
        gone("log.key"),
        "the key `keys/log.key` is missing or cannot be read; restore it from a backup",
    );
    check(
        key("log.key", b"x"),
        "the key `keys/log.key` is not a signing key; restore it from a backup",
    );
    check(
        gone("alias.key"),
        "the key `keys/alias.key` is missing or cannot be read; restore it from a backup",
    );
    check(
        key("alias.key", b"x"),
        "the key `keys/alias.key` is not 32 bytes long; restore it from a backup",
    );
    check(
        key("alias.key", &[1; 32]),
        "the key `keys/alias.key` belongs to another ledger",
    );
    check(
        |dir| {
            let key = tlog::note::SigningKey::from_seed("test.example/log", &[1; 32]).unwrap();
            std::fs::write(dir.join("keys/log.key"), key.secret_text()).unwrap();
        },
        "the key `keys/log.key` belongs to another ledger",
    );
}

#[test]
fn an_end_that_does_not_fit_together_is_refused() {
    let damaged = |what: &str| {
        format!("the ledger is damaged: {what}. Run `homecoming audit`, and restore a backup")
    };
    check(
        sql("DROP TRIGGER entry_remains; DELETE FROM entry WHERE position = 1"),
        &damaged("it has 1 entries, and its checkpoint says 2"),
    );
    check(
        sql("INSERT INTO entry VALUES (2, x'00')"),
        &damaged("it has 3 entries, and its checkpoint says 2"),
    );
    check(
        sql("DROP TRIGGER entry_stays; UPDATE entry SET line = x'00' WHERE position = 1"),
        &damaged("its last entries do not give the root of its checkpoint"),
    );
    check(
        sql("DELETE FROM state WHERE key = 'checkpoint'"),
        &damaged("it has no checkpoint"),
    );
    check(
        sql("UPDATE state SET value = value || 'x' WHERE key = 'checkpoint'"),
        &damaged("its checkpoint is not signed by its key"),
    );
}

#[test]
fn the_tables_refuse_to_be_changed() {
    let mut world = World::new(1);
    world.accept(transaction(
        (0..256).map(|_| put("Task/t", Expect::Any)).collect(),
    ));
    let db = Connection::open(world.dir.path().join("ledger.sqlite")).unwrap();
    let check = |sql: &str, expect: &str| {
        let error = db.execute_batch(sql).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{sql}: {error}");
    };
    check("UPDATE entry SET line = x'00'", "an entry is never changed");
    check("DELETE FROM entry", "an entry is never deleted");
    check(
        "INSERT INTO entry VALUES (257, x'00')",
        "an entry follows the last one",
    );
    check(
        "INSERT OR REPLACE INTO entry VALUES (0, x'00')",
        "an entry follows the last one",
    );
    check(
        "UPDATE content SET body = x'00'",
        "content is never changed",
    );
    check("DELETE FROM content", "content is never deleted");
    check(
        "INSERT OR REPLACE INTO content VALUES (0, 2, 3, 0, x'00')",
        "content follows the last one",
    );
    check(
        "UPDATE key_use SET slot = 9",
        "the use of a key is never changed",
    );
    check("DELETE FROM key_use", "the use of a key is never deleted");
    check(
        "INSERT OR REPLACE INTO key_use VALUES (x'', 3, 1, 9, x'')",
        "a key has one use",
    );
    check(
        "INSERT OR REPLACE INTO key_use VALUES (x'00', 1, 1, 0, x'')",
        "a key has one use",
    );
    check("UPDATE tile SET hashes = x'00'", "a tile is never changed");
    check("DELETE FROM tile", "a tile is never deleted");
    check(
        "INSERT OR REPLACE INTO tile VALUES (0, 0, x'00')",
        "a tile is never changed",
    );
}
