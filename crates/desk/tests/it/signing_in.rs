//! Credentials, sessions, attempts, ceremonies, drafts.

use desk::{ENROLMENT, Error, NewSession};

use crate::{Dir, HOUR, NOW, chance, desk};

fn new(secret: &str, user: i64) -> NewSession<'_> {
    NewSession {
        secret,
        user,
        how: "passkey",
        agent: "Firefox on Linux",
        place: "192.0.2.0/24",
        authenticated_us: NOW,
        idle_us: HOUR,
        expires_us: NOW + 3 * HOUR,
    }
}

#[test]
fn a_session_ends_when_it_is_not_used_and_at_its_limit() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let id = desk.begin_session(&new("one", dana), NOW).unwrap();
    let ends = |now| {
        desk.session("one", now)
            .unwrap()
            .map(|session| session.ends_us())
    };
    let owner = |now| desk.ended_session("one", now).unwrap();
    assert_eq!(ends(NOW), Some(NOW + HOUR));
    assert_eq!(ends(NOW + HOUR - 1), Some(NOW + HOUR));
    assert_eq!(ends(NOW + HOUR), None);
    assert_eq!(owner(NOW), None, "it has not ended");
    assert_eq!(owner(NOW + HOUR), Some(dana));
    assert_eq!(owner(NOW + 26 * HOUR), None, "that is too long ago");
    for hours in [1, 2] {
        desk.session_used(id, NOW + hours * HOUR - 1).unwrap();
    }
    desk.session_used(id, NOW).unwrap();
    assert_eq!(
        ends(NOW + 2 * HOUR),
        Some(NOW + 3 * HOUR - 1),
        "uses do not run backwards"
    );
    desk.session_used(id, NOW + 3 * HOUR - 2).unwrap();
    assert_eq!(
        ends(NOW + 3 * HOUR - 1),
        Some(NOW + 3 * HOUR),
        "not beyond the limit"
    );
    assert_eq!(ends(NOW + 3 * HOUR), None);
    assert_eq!(desk.session("", NOW).unwrap(), None);
    let session = desk.session("one", NOW).unwrap().unwrap();
    assert_eq!((session.user.id, &*session.how), (dana, "passkey"));
    desk.set_session_purpose(id, Some("COC")).unwrap();
    desk.renew_session(id, "renewed", NOW + 5).unwrap();
    assert_eq!(
        desk.session("one", NOW + 6).unwrap(),
        None,
        "another secret"
    );
    let session = desk.session("renewed", NOW + 6).unwrap().unwrap();
    assert_eq!(
        (session.purpose.as_deref(), session.authenticated_us),
        (Some("COC"), NOW + 5)
    );
    desk.end_session("renewed").unwrap();
    desk.end_session("renewed").unwrap();
    let forgotten = desk.ended_session("renewed", NOW + 2 * HOUR).unwrap();
    assert_eq!(forgotten, None, "signing out forgets it");
    for secret in ["two", "three", "four"] {
        desk.begin_session(&new(secret, dana), NOW).unwrap();
    }
    let other = desk.begin_session(&new("other", osei), NOW).unwrap();
    let mine = desk.sessions(dana, NOW).unwrap();
    assert_eq!(mine.len(), 3);
    assert!(
        !desk.end_session_of(dana, other).unwrap(),
        "that is somebody else's"
    );
    assert!(desk.end_session_of(dana, mine[0].id).unwrap());
    assert_eq!(desk.end_sessions(dana, Some(mine[1].id)).unwrap(), 1);
    assert_eq!(desk.sessions(dana, NOW).unwrap()[0].id, mine[1].id);
    desk.disable_user(dana, true, None).unwrap();
    assert!(desk.sessions(dana, NOW).unwrap().is_empty());
    let refused = desk.begin_session(&new("five", dana), NOW);
    assert!(matches!(refused, Err(Error::Unknown { what: "user", .. })));
    assert!(desk.session("other", NOW).unwrap().is_some());
}

#[test]
fn a_new_code_ends_what_was_begun_with_the_one_before() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let begin = |secret, user, how| {
        let new = NewSession {
            how,
            ..new(secret, user)
        };
        desk.begin_session(&new, NOW).unwrap();
    };
    begin("thief", dana, ENROLMENT);
    begin("signed in", dana, "passkey");
    begin("somebody else", osei, ENROLMENT);
    desk.give_code(dana, "ab12c-de34f", NOW, NOW + HOUR, None)
        .unwrap();
    let lives = |secret| desk.session(secret, NOW).unwrap().is_some();
    assert!(!lives("thief"));
    assert!(lives("signed in") && lives("somebody else"));
}

#[test]
fn what_is_taken_once_is_not_there_a_second_time() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    desk.set_password(dana, "hash", b"sealed", 10, NOW).unwrap();
    assert!(!desk.use_step(dana, 10).unwrap());
    assert!(desk.use_step(dana, 11).unwrap());
    assert!(!desk.use_step(dana, 11).unwrap(), "a step is used once");
    assert!(!desk.use_step(dana, 9).unwrap(), "nor one before it");
    assert!(!desk.use_step(osei, 12).unwrap());
    desk.begin_ceremony("s", "passkey", b"state", NOW, NOW + HOUR)
        .unwrap();
    let take = |kind, now| desk.take_ceremony("s", kind, now).unwrap();
    assert_eq!(take("provider", NOW), None, "of another kind");
    assert_eq!(take("passkey", NOW + HOUR), None, "it has ended");
    assert_eq!(take("passkey", NOW).as_deref(), Some(&b"state"[..]));
    assert_eq!(take("passkey", NOW), None);
}

#[test]
fn a_passkey_and_an_account_belong_to_one_user() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let handle = desk.handle(dana, &mut chance()).unwrap();
    assert_eq!(
        desk.handle(dana, &mut |bytes| bytes.fill(9)).unwrap(),
        handle
    );
    assert_eq!(desk.user_by_handle(&handle).unwrap().unwrap().id, dana);
    assert_eq!(desk.user_by_handle(b"x").unwrap(), None);
    desk.add_passkey(dana, b"key", "phone", "{}", NOW).unwrap();
    let said = |outcome: Result<(), Error>| outcome.unwrap_err().to_string();
    assert_eq!(
        said(desk.add_passkey(osei, b"key", "phone", "{}", NOW)),
        "this passkey cannot be used; another one is needed"
    );
    desk.passkey_used(b"key", "{\"counter\":1}", NOW + 1)
        .unwrap();
    let passkeys = desk.passkeys(dana).unwrap();
    assert_eq!(
        (&*passkeys[0].body, passkeys[0].used_us),
        ("{\"counter\":1}", Some(NOW + 1))
    );
    assert!(!desk.remove_passkey(osei, b"key").unwrap());
    assert!(
        !desk.remove_passkey(dana, b"key").unwrap(),
        "the last way in"
    );
    desk.set_password(dana, "hash", b"secret", 0, NOW).unwrap();
    assert!(desk.remove_passkey(dana, b"key").unwrap());
    assert!(!desk.remove_password(dana).unwrap(), "the last way in");
    let begin = |secret, user| desk.begin_session(&new(secret, user), NOW).unwrap();
    let (hers, his) = (begin("hers", dana), begin("his", osei));
    desk.link_account(hers, "https://id.example", "sub", NOW)
        .unwrap();
    assert_eq!(
        said(desk.link_account(his, "https://id.example", "sub", NOW)),
        "this account cannot be used; another one is needed"
    );
    let who = |issuer, subject| {
        let user = desk.user_by_account(issuer, subject, NOW).unwrap();
        user.map(|user| user.id)
    };
    assert_eq!(who("https://id.example", "sub"), Some(dana));
    assert_eq!(who("https://other.example", "sub"), None);
    // Not once the session has ended, by itself or with whoever was in it.
    let link = |session, at| desk.link_account(session, "https://id.example", "other", at);
    assert!(link(hers, NOW + HOUR).is_err());
    assert!(link(his + 1, NOW).is_err());
    let accounts = desk.accounts(dana).unwrap();
    assert_eq!((accounts.len(), accounts[0].created_us), (1, NOW));
    assert!(
        !desk
            .remove_account(osei, "https://id.example", NOW)
            .unwrap()
    );
    assert!(
        !desk
            .remove_account(dana, "https://id.example", NOW + 1)
            .unwrap()
    );
    desk.disable_user(dana, true, None).unwrap();
    assert!(link(hers, NOW).is_err());
    assert_eq!(who("https://id.example", "sub"), None);
    desk.disable_user(dana, false, None).unwrap();
    assert!(
        desk.remove_account(dana, "https://id.example", NOW)
            .unwrap()
    );
    assert_eq!(who("https://id.example", "sub"), None);
    desk.disable_user(dana, true, None).unwrap();
    assert_eq!(desk.user_by_handle(&handle).unwrap(), None);
}

#[test]
fn failures_are_counted_and_forgotten() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    assert_eq!(desk.failures("dana from here", NOW).unwrap(), (0, 0));
    for _ in 0..3 {
        desk.failed("dana from here", NOW).unwrap();
    }
    assert_eq!(desk.failures("dana from here", NOW).unwrap(), (3, NOW));
    assert_eq!(desk.failures("dana from there", NOW).unwrap(), (0, 0));
    assert_eq!(
        desk.failures("dana from here", NOW + 24 * HOUR).unwrap(),
        (0, 0)
    );
    desk.succeeded("dana from here").unwrap();
    assert_eq!(desk.failures("dana from here", NOW).unwrap(), (0, 0));
    desk.remember_device(dana, "browser", NOW).unwrap();
    let knows = |user, now| desk.knows_device(user, "browser", now, HOUR).unwrap();
    assert!(knows(dana, NOW + HOUR - 1));
    assert!(!knows(dana, NOW + HOUR));
    assert!(!knows(osei, NOW));
}

#[test]
fn drafts_are_their_writers_own_and_few() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let id = desk.keep_draft(dana, "/erasures", b"sealed", NOW).unwrap();
    assert_eq!(desk.draft(osei, id).unwrap(), None);
    assert!(!desk.drop_draft(osei, id).unwrap());
    assert_eq!(desk.draft(dana, id).unwrap().unwrap().path, "/erasures");
    for number in 0..20 {
        desk.keep_draft(dana, &format!("/{number}"), b"sealed", NOW)
            .unwrap();
    }
    let paths: Vec<String> = desk
        .drafts(dana)
        .unwrap()
        .into_iter()
        .map(|one| one.path)
        .collect();
    assert_eq!(paths.len(), 20);
    assert_eq!((paths[0].as_str(), paths[19].as_str()), ("/19", "/0"));
    desk.keep_draft(osei, "/late", b"sealed", NOW + 8 * 24 * HOUR)
        .unwrap();
    assert!(
        desk.drafts(dana).unwrap().is_empty(),
        "none is kept for ever"
    );
}
