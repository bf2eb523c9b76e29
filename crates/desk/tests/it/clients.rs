//! API clients and their tokens.

use desk::Desk;

use crate::{Dir, HOUR, NOW, chance};

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
