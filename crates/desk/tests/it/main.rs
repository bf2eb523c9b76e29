//! The desk from outside.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use desk::{Desk, Error};

const NOW: i64 = 1_767_225_600_000_000;
const HOUR: i64 = 3_600_000_000;

struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("desk-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Counts up: every draw is another.
fn chance() -> impl FnMut(&mut [u8]) {
    let mut next = 0u64;
    move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            next = next
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[test]
fn a_user_signs_in_with_their_code_alone() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let check = |code: &str, expect: Option<&str>| {
        let name = desk.user_by_code(code).unwrap().map(|user| user.name);
        assert_eq!(name.as_deref(), expect, "{code}");
    };
    let id = desk
        .add_user(
            "Dana Whitfield",
            "caseworker",
            Some("0123456789abcdef"),
            "ab12c-de34f",
            NOW,
        )
        .unwrap();
    let other = desk
        .add_user("R. Osei", "officer", None, "zz99-zz99", NOW)
        .unwrap();
    assert_ne!(id, other);
    let dana = desk.user(id).unwrap().unwrap();
    assert_eq!(dana.role, "caseworker");
    assert_eq!(dana.practitioner.as_deref(), Some("0123456789abcdef"));
    check("ab12c-de34f", Some("Dana Whitfield"));
    check(" AB12C DE34F ", Some("Dana Whitfield"));
    check("zz99zz99", Some("R. Osei"));
    check("ab12c-de34g", None);
    check("", None);
    desk.set_code("Dana Whitfield", "other").unwrap();
    check("ab12c-de34f", None);
    check("other", Some("Dana Whitfield"));
    desk.disable_user("Dana Whitfield", true).unwrap();
    check("other", None);
    desk.disable_user("Dana Whitfield", false).unwrap();
    check("other", Some("Dana Whitfield"));
    let said = |outcome: Result<(), Error>| outcome.unwrap_err().to_string();
    let refused = "this sign-in code cannot be used; choose another";
    assert_eq!(said(desk.set_code("R. Osei", "Other")), refused);
    assert_eq!(
        said(desk.set_code("Nobody", "n")),
        "there is no user named Nobody"
    );
    let again = desk
        .add_user("R. Osei", "officer", None, "new", NOW)
        .map(|_| ());
    assert_eq!(said(again), "there is a user named R. Osei already");
    assert_eq!(desk.users().unwrap().len(), 2);
}

#[test]
fn a_session_lasts_until_it_ends() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let id = desk
        .add_user("Dana Whitfield", "caseworker", None, "code", NOW)
        .unwrap();
    for secret in ["one", "two", "three"] {
        desk.begin_session(secret, id, NOW, NOW + HOUR).unwrap();
    }
    let who = |secret: &str, now| {
        let user = desk.session_user(secret, now).unwrap();
        user.map(|user| user.name)
    };
    assert_eq!(who("one", NOW).as_deref(), Some("Dana Whitfield"));
    assert_eq!(
        who("one", NOW + HOUR - 1).as_deref(),
        Some("Dana Whitfield")
    );
    assert_eq!(who("one", NOW + HOUR), None);
    assert_eq!(who("", NOW), None);
    desk.end_session("one").unwrap();
    desk.end_session("one").unwrap();
    assert_eq!(who("one", NOW), None);
    assert!(who("two", NOW).is_some());
    desk.set_code("Dana Whitfield", "another").unwrap();
    assert_eq!(
        who("two", NOW),
        None,
        "a new code ends the sessions of the old one"
    );
    assert_eq!(who("three", NOW), None);
    desk.begin_session("four", id, NOW, NOW + HOUR).unwrap();
    desk.disable_user("Dana Whitfield", true).unwrap();
    assert_eq!(who("four", NOW), None);
    let refused = desk.begin_session("five", id, NOW, NOW + HOUR);
    assert!(matches!(refused, Err(Error::Unknown { what: "user", .. })));
}

#[test]
fn a_token_stands_for_its_client_until_it_is_revoked() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let mut chance = chance();
    desk.add_client("lab", "system/*.cruds", NOW).unwrap();
    let long = desk
        .new_token("lab", NOW, NOW + 1_000 * HOUR, &mut chance)
        .unwrap();
    let short = desk.new_token("lab", NOW, NOW + HOUR, &mut chance).unwrap();
    assert!(long.starts_with("hc_") && long.len() == 46, "{long}");
    let scope = |token: &str, now| desk.token(token, now).unwrap().map(|token| token.scope);
    assert_eq!(
        scope(&long, NOW + 1_000 * HOUR - 1).as_deref(),
        Some("system/*.cruds")
    );
    assert_eq!(
        scope(&short, NOW + HOUR - 1).as_deref(),
        Some("system/*.cruds")
    );
    assert_eq!(scope(&short, NOW + HOUR), None);
    assert_eq!(scope("hc_", NOW), None);
    assert_eq!(scope(&long[3..], NOW), None);
    desk.set_scope("lab", "system/Observation.rs", "user/1", 2)
        .unwrap();
    assert_eq!(scope(&long, NOW).as_deref(), Some("system/Observation.rs"));
    assert!(desk.revoke_token(&short).unwrap());
    assert!(!desk.revoke_token(&short).unwrap());
    assert_eq!(scope(&short, NOW), None);
    desk.remove_client("lab", "user/1", 3).unwrap();
    assert_eq!(scope(&long, NOW), None);
}

#[test]
fn names_print_and_are_taken_once() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let check = |name: &str, expect: &str| {
        let outcome = desk.add_client(name, "", NOW).err().map(|e| e.to_string());
        assert_eq!(outcome.unwrap_or_default(), expect);
    };
    check("lab", "");
    check("lab", "there is a client named lab already");
    let refused = "cannot be a name: it is empty, too long, or has characters that do not print";
    check("", &format!("\"\" {refused}"));
    check(" a", &format!("\" a\" {refused}"));
    check("a\u{7}", &format!("\"a\\u{{7}}\" {refused}"));
    let long = "n".repeat(101);
    check(&long, &format!("\"{long}\" {refused}"));
    let unknown = desk
        .new_token("x-ray", NOW, NOW + HOUR, &mut chance())
        .unwrap_err();
    assert_eq!(unknown.to_string(), "there is no client named x-ray");
}

#[test]
fn two_processes_may_have_the_desk_open() {
    let dir = Dir::new();
    let server = Desk::open(dir.path()).unwrap();
    let command_line = Desk::open(dir.path()).unwrap();
    command_line.add_client("lab", "system/*.rs", NOW).unwrap();
    let token = command_line
        .new_token("lab", NOW, NOW + HOUR, &mut chance())
        .unwrap();
    assert_eq!(server.token(&token, NOW).unwrap().unwrap().client, "lab");
    assert_eq!(server.clients().unwrap().len(), 1);
}

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
        "`desk.sqlite` has schema 9; this version of Homecoming knows schemas up to 1. \
         Use the newer version that wrote it; nothing was changed",
    );
    let dir = Dir::new();
    std::fs::write(dir.path().join("desk.sqlite"), "x".repeat(9000)).unwrap();
    assert_eq!(Desk::open(dir.path()).unwrap_err().to_string(), foreign);
}
