//! Which files are opened, and what becomes of older ones.

use desk::{Desk, NewUser};

use crate::{Dir, HOUR, NOW};

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let check = |sql: &str, expect: &str| {
        let dir = Dir::new();
        let file = dir.path().join("desk.sqlite");
        rusqlite::Connection::open(&file)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let before = std::fs::read(&file).unwrap();
        assert_eq!(Desk::open(dir.path()).unwrap_err().to_string(), expect);
        assert_eq!(std::fs::read(&file).unwrap(), before);
    };
    let foreign = "`desk.sqlite` in this directory is not Homecoming's; nothing was changed";
    check("CREATE TABLE user (x)", foreign);
    check("PRAGMA application_id = 7", foreign);
    check(
        "PRAGMA application_id = 1751336011; PRAGMA user_version = 9",
        "`desk.sqlite` has schema 9; this version of Homecoming knows schemas up to 5. \
         Use the newer version that wrote it; nothing was changed",
    );
    let dir = Dir::new();
    std::fs::write(dir.path().join("desk.sqlite"), "x".repeat(9000)).unwrap();
    assert_eq!(Desk::open(dir.path()).unwrap_err().to_string(), foreign);
}

/// A desk as the first schema had it, with a user, their session, and a client with a token.
const SCHEMA_1: &str = include_str!("schema_1.sql");

#[test]
fn a_desk_of_the_first_schema_goes_on() {
    let dir = Dir::new();
    rusqlite::Connection::open(dir.path().join("desk.sqlite"))
        .unwrap()
        .execute_batch(SCHEMA_1)
        .unwrap();
    for _ in 0..2 {
        let desk = Desk::open(dir.path()).unwrap();
        let users = desk.users().unwrap();
        let names: Vec<(i64, &str)> = users.iter().map(|user| (user.id, &*user.name)).collect();
        assert_eq!(names, [(3, "Dana Whitfield"), (4, "R. Osei")]);
        assert_eq!(users[0].practitioner.as_deref(), Some("0123456789abcdef"));
        assert!(!users[0].disabled && users[1].disabled);
        assert_eq!(desk.clients().unwrap()[0].name, "lab");
        // The code is good for enrolling, for two weeks from when its user was added.
        let soon = NOW + 13 * 24 * HOUR;
        let who = |code, now| desk.user_by_code(code, now).unwrap().map(|user| user.id);
        assert_eq!(who("ab12c-de34f", soon), Some(3));
        assert_eq!(who("ab12c-de34f", soon + 48 * HOUR), None);
        assert_eq!(who("zz99-zz99", soon), None, "who is disabled stays so");
        assert_eq!(desk.session("one", NOW).unwrap(), None);
    }
    // No id is given twice, not even one whose user went before the first schema ended.
    let desk = Desk::open(dir.path()).unwrap();
    let new = NewUser {
        name: "New",
        role: "caseworker",
        ..NewUser::default()
    };
    assert_eq!(desk.add_user(&new, NOW, |_| None).unwrap(), 8);
}

#[test]
fn an_old_desk_brought_forward_and_a_new_one_are_the_same() {
    let tables = |dir: &Dir| {
        let db = rusqlite::Connection::open(dir.path().join("desk.sqlite")).unwrap();
        let mut statement = db
            .prepare("SELECT name, replace(sql, '\"', '') FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
            .unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let (old, new) = (Dir::new(), Dir::new());
    rusqlite::Connection::open(old.path().join("desk.sqlite"))
        .unwrap()
        .execute_batch(SCHEMA_1)
        .unwrap();
    for dir in [&old, &new] {
        Desk::open(dir.path()).unwrap();
    }
    assert_eq!(tables(&old), tables(&new));
    let db = rusqlite::Connection::open(old.path().join("desk.sqlite")).unwrap();
    let mut broken = db.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!broken.exists([]).unwrap(), "a reference leads nowhere");
}
