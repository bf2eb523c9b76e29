//! The desk from outside.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use desk::{Desk, DeskError, NewUser, SignIn};

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

fn dana(desk: &Desk) {
    let user = NewUser {
        name: "dana",
        full_name: "Dana Whitfield",
        role: "caseworker",
        practitioner: Some("0123456789abcdef"),
    };
    desk.add_user(user, NOW).unwrap();
}

#[test]
fn a_user_signs_in_with_their_code_alone() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let mut chance = chance();
    dana(&desk);
    let check = |name: &str, code: &str, welcome: bool| {
        let outcome = desk.sign_in(name, code, NOW).unwrap();
        assert_eq!(
            matches!(outcome, SignIn::Welcome(_)),
            welcome,
            "{name} {code}: {outcome:?}"
        );
    };
    check("dana", "", false);
    let first = desk.new_code("dana", &mut chance).unwrap();
    check("dana", &first, true);
    check("dana", &first.to_uppercase().replace('-', " "), true);
    check("dana", "", false);
    check("omar", &first, false);
    let second = desk.new_code("dana", &mut chance).unwrap();
    check("dana", &first, false);
    check("dana", &second, true);
    desk.disable_user("dana", true).unwrap();
    check("dana", &second, false);
    desk.disable_user("dana", false).unwrap();
    check("dana", &second, true);
    desk.set_code("dana", "welcome home", &mut chance).unwrap();
    check("dana", "welcome home", true);
}

#[test]
fn whoever_guesses_waits_longer_each_time() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    dana(&desk);
    let code = desk.new_code("dana", &mut chance()).unwrap();
    for _ in 0..5 {
        assert_eq!(desk.sign_in("dana", "wrong", NOW).unwrap(), SignIn::Refused);
    }
    let first = NOW + 15_000_000;
    // Not even the right code is looked at.
    assert_eq!(
        desk.sign_in("dana", &code, first - 1).unwrap(),
        SignIn::Wait { until_us: first }
    );
    assert_eq!(
        desk.sign_in("dana", "wrong", first).unwrap(),
        SignIn::Refused
    );
    let second = first + 30_000_000;
    assert_eq!(
        desk.sign_in("dana", &code, first).unwrap(),
        SignIn::Wait { until_us: second }
    );
    assert!(matches!(
        desk.sign_in("dana", &code, second).unwrap(),
        SignIn::Welcome(_)
    ));
    // Being right once clears the slate.
    assert_eq!(
        desk.sign_in("dana", "wrong", second).unwrap(),
        SignIn::Refused
    );
    assert!(matches!(
        desk.sign_in("dana", &code, second).unwrap(),
        SignIn::Welcome(_)
    ));
}

#[test]
fn a_session_lasts_until_it_ends() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let mut chance = chance();
    dana(&desk);
    let mut begin = || {
        desk.begin_session("dana", NOW, NOW + HOUR, &mut chance)
            .unwrap()
    };
    let (one, two, three) = (begin(), begin(), begin());
    let who = |secret: &str, now| {
        desk.session(secret, now)
            .unwrap()
            .map(|session| session.user.full_name)
    };
    assert_eq!(who(&one, NOW).as_deref(), Some("Dana Whitfield"));
    assert_eq!(who(&one, NOW + HOUR - 1).as_deref(), Some("Dana Whitfield"));
    assert_eq!(who(&one, NOW + HOUR), None);
    assert_eq!(who("", NOW), None);
    assert_eq!(who(&one[1..], NOW), None);
    desk.end_session(&one).unwrap();
    desk.end_session(&one).unwrap();
    assert_eq!(who(&one, NOW), None);
    assert!(who(&two, NOW).is_some());
    desk.set_code("dana", "another", &mut |bytes| bytes.fill(1))
        .unwrap();
    assert_eq!(
        who(&two, NOW),
        None,
        "a new code ends the sessions of the old one"
    );
    assert_eq!(who(&three, NOW), None);
    let four = desk
        .begin_session("dana", NOW, NOW + HOUR, &mut |bytes| bytes.fill(2))
        .unwrap();
    desk.disable_user("dana", true).unwrap();
    assert_eq!(who(&four, NOW), None);
    let refused = desk.begin_session("dana", NOW, NOW + HOUR, &mut |bytes| bytes.fill(3));
    assert!(matches!(
        refused,
        Err(DeskError::Unknown { what: "user", .. })
    ));
}

#[test]
fn a_token_stands_for_its_client_until_it_is_revoked() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let mut chance = chance();
    desk.add_client("lab", "system/*.cruds", NOW).unwrap();
    let forever = desk.new_token("lab", NOW, None, &mut chance).unwrap();
    let short = desk
        .new_token("lab", NOW, Some(NOW + HOUR), &mut chance)
        .unwrap();
    assert!(
        forever.starts_with("hc_") && forever.len() == 46,
        "{forever}"
    );
    let scope = |token: &str, now| desk.token(token, now).unwrap().map(|token| token.scope);
    assert_eq!(
        scope(&forever, NOW + 1_000 * HOUR).as_deref(),
        Some("system/*.cruds")
    );
    assert_eq!(
        scope(&short, NOW + HOUR - 1).as_deref(),
        Some("system/*.cruds")
    );
    assert_eq!(scope(&short, NOW + HOUR), None);
    assert_eq!(scope("hc_", NOW), None);
    assert_eq!(scope(&forever[3..], NOW), None);
    desk.set_scope("lab", "system/Observation.rs").unwrap();
    assert_eq!(
        scope(&forever, NOW).as_deref(),
        Some("system/Observation.rs")
    );
    assert!(desk.revoke_token(&short).unwrap());
    assert!(!desk.revoke_token(&short).unwrap());
    assert_eq!(scope(&short, NOW), None);
    desk.remove_client("lab").unwrap();
    assert_eq!(scope(&forever, NOW), None);
}

#[test]
fn names_are_words_and_taken_once() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    let check = |name: &str, expect: &str| {
        let outcome = desk.add_client(name, "", NOW).err().map(|e| e.to_string());
        assert_eq!(outcome.unwrap_or_default(), expect);
    };
    check("lab", "");
    check("lab", "there is a client named lab already");
    check(
        "",
        "\"\" cannot be a name: use 1 to 64 letters, digits and . _ @ -",
    );
    check(
        "a b",
        "\"a b\" cannot be a name: use 1 to 64 letters, digits and . _ @ -",
    );
    check(
        "-x",
        "\"-x\" cannot be a name: use 1 to 64 letters, digits and . _ @ -",
    );
    let unknown = desk
        .new_token("x-ray", NOW, None, &mut chance())
        .unwrap_err();
    assert_eq!(unknown.to_string(), "there is no client named x-ray");
    let unknown = desk.new_code("nobody", &mut chance()).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no user named nobody");
}

#[test]
fn two_processes_may_have_the_desk_open() {
    let dir = Dir::new();
    let server = Desk::open(dir.path()).unwrap();
    let command_line = Desk::open(dir.path()).unwrap();
    command_line.add_client("lab", "system/*.rs", NOW).unwrap();
    let token = command_line
        .new_token("lab", NOW, None, &mut chance())
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
