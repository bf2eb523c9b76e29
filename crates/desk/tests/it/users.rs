//! Users, their codes, what the record is owed about them, and recovery.

use desk::{Desk, Error, NewSession, NewUser, Owed, RecoveryState};

use crate::{Dir, HOUR, NOW, desk};

fn owed(id: &str) -> Owed {
    Owed {
        id: id.to_owned(),
        actor: "user/2".to_owned(),
        person: None,
        body: "{}".to_owned(),
        created_us: NOW,
    }
}

fn said<T>(outcome: Result<T, Error>) -> String {
    outcome.err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn a_code_is_good_once_until_its_date() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let give = |user, code| desk.give_code(user, code, NOW, NOW + HOUR, None);
    let take = |code, now| desk.take_code(code, now).unwrap().map(|user| user.id);
    give(dana, "ab12c-de34f").unwrap();
    assert_eq!(desk.code_expires(dana, NOW).unwrap(), Some(NOW + HOUR));
    assert_eq!(take("ab12c-de34g", NOW), None);
    assert_eq!(take("", NOW), None);
    assert_eq!(take(" AB12C DE34F ", NOW + HOUR - 1), Some(dana));
    assert_eq!(take("ab12c-de34f", NOW), None, "it is used up");
    give(dana, "second").unwrap();
    assert_eq!(take("second", NOW + HOUR), None, "it has ended");
    give(dana, "third").unwrap();
    give(dana, "fourth").unwrap();
    assert_eq!(take("third", NOW), None, "another took its place");
    let refused = "this code cannot be used; another one is needed";
    assert_eq!(said(give(osei, "Fourth")), refused);
    assert_eq!(said(give(99, "fifth")), "there is no user named 99");
    desk.disable_user(dana, true, None).unwrap();
    assert_eq!(take("fourth", NOW), None);
    assert_eq!(
        said(give(dana, "sixth")),
        format!("there is no user named {dana}")
    );
    desk.disable_user(dana, false, None).unwrap();
    assert_eq!(
        take("fourth", NOW),
        None,
        "it ended when they were disabled"
    );
}

#[test]
fn users_are_changed_together_with_what_the_record_is_owed() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let new = NewUser {
        name: "Samir",
        role: "participant",
        patient: Some("0h8k2m4q6s8v0x2z"),
        supervisor: Some(osei),
        organisation: Some("Elsewhere"),
        practitioner: None,
    };
    let id = desk
        .add_user(&new, NOW, |id| Some(owed(&format!("of-{id}"))))
        .unwrap();
    assert_eq!(desk.owed().unwrap(), [owed(&format!("of-{id}"))]);
    let again = desk.add_user(&new, NOW, |id| Some(owed(&format!("of-{id}"))));
    assert_eq!(said(again), "there is a user named Samir already");
    assert_eq!(
        desk.owed().unwrap().len(),
        1,
        "what was refused is owed no entry"
    );
    let samir = desk.user(id).unwrap().unwrap();
    assert_eq!(samir.patient.as_deref(), Some("0h8k2m4q6s8v0x2z"));
    assert_eq!(samir.organisation.as_deref(), Some("Elsewhere"));
    assert_eq!(desk.user_named("Samir").unwrap(), Some(samir));
    let staff = desk.staff_of(osei).unwrap();
    assert_eq!(staff.iter().map(|user| user.id).collect::<Vec<_>>(), [id]);
    let other = NewUser {
        role: "supervisor",
        ..NewUser::default()
    };
    desk.change_user(dana, &other, Some(&owed("changed")))
        .unwrap();
    assert_eq!(desk.user(dana).unwrap().unwrap().role, "supervisor");
    assert_eq!(desk.user(dana).unwrap().unwrap().name, "Dana Whitfield");
    assert_eq!(
        said(desk.change_user(99, &other, Some(&owed("none")))),
        "there is no user named 99"
    );
    // Another process finds it owed; what is settled is gone.
    let other_process = Desk::open(dir.path()).unwrap();
    assert_eq!(other_process.owed().unwrap().len(), 2);
    other_process.settled("changed").unwrap();
    other_process.settled("changed").unwrap();
    assert_eq!(desk.owed().unwrap(), [owed(&format!("of-{id}"))]);
}

#[test]
fn only_one_of_those_who_can_sign_in_is_anybody() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    let is = |name, practitioner, patient| NewUser {
        name,
        role: "caseworker",
        practitioner,
        patient,
        ..NewUser::default()
    };
    let refused = "somebody else who can sign in is this Practitioner or Patient already; disable that \
                   account first, or leave the field empty";
    let add = |new: NewUser<'_>| desk.add_user(&new, NOW, |_| Some(owed("added")));
    desk.change_user(dana, &is("", Some("w1"), None), None)
        .unwrap();
    let change =
        |user, new: NewUser<'_>| said(desk.change_user(user, &new, Some(&owed("changed"))));
    assert_eq!(said(add(is("Second", Some("w1"), None))), refused);
    assert_eq!(change(osei, is("", Some("w1"), None)), refused);
    assert!(desk.owed().unwrap().is_empty(), "nothing is owed of it");
    assert_eq!(change(dana, is("", Some("w1"), None)), "", "her own");
    assert_eq!(
        said(add(is("Dana Whitfield", Some("w1"), None))),
        "there is a user named Dana Whitfield already"
    );
    desk.disable_user(dana, true, None).unwrap();
    desk.settled("changed").unwrap();
    let second = add(is("Second", Some("w1"), None)).unwrap();
    assert_eq!(said(desk.disable_user(dana, false, None)), refused);
    desk.disable_user(second, true, None).unwrap();
    desk.disable_user(dana, false, None).unwrap();
    desk.change_user(osei, &is("", None, Some("p1")), None)
        .unwrap();
    desk.settled("added").unwrap();
    assert_eq!(said(add(is("Third", None, Some("p1")))), refused);
}

#[test]
fn a_recovery_takes_every_old_way_in_and_gives_one_code() {
    let dir = Dir::new();
    let (desk, dana, osei) = desk(&dir);
    desk.add_passkey(dana, b"key", "phone", "{}", NOW).unwrap();
    desk.set_password(dana, "hash", b"sealed", 0, NOW).unwrap();
    let session = NewSession {
        secret: "hers",
        user: dana,
        how: "passkey",
        agent: "",
        place: "",
        authenticated_us: NOW,
        idle_us: HOUR,
        expires_us: NOW + HOUR,
    };
    let session = desk.begin_session(&session, NOW).unwrap();
    desk.link_account(session, "https://id.example", "sub", NOW)
        .unwrap();
    desk.remember_device(dana, "browser", NOW).unwrap();
    assert_eq!(desk.ways_in(dana).unwrap(), 3);
    let id = desk
        .ask_recovery(dana, "lost phone", osei, NOW, Some(&owed("ask")))
        .unwrap();
    assert_eq!(
        said(desk.ask_recovery(dana, "again", osei, NOW, None)),
        "a recovery is asked for already; approve or refuse that one"
    );
    assert_eq!(desk.ways_in(dana).unwrap(), 3, "asking changes nothing");
    let approve = || desk.approve_recovery(id, dana, "new code", NOW, NOW + HOUR, "told", None);
    approve().unwrap();
    assert_eq!(desk.ways_in(dana).unwrap(), 0);
    assert!(!desk.knows_device(dana, "browser", NOW, HOUR).unwrap());
    assert_eq!(desk.notices(dana).unwrap()[0].words, "told");
    assert_eq!(desk.take_code("newcode", NOW).unwrap().unwrap().id, dana);
    assert_eq!(
        said(approve()),
        format!("there is no open recovery named {id}")
    );
    let found = desk.recovery(id).unwrap().unwrap();
    assert_eq!(
        (found.state, found.closed_by),
        (RecoveryState::Done, Some(dana))
    );
    let second = desk.ask_recovery(dana, "again", osei, NOW, None).unwrap();
    desk.refuse_recovery(second, osei, NOW, None).unwrap();
    assert_eq!(desk.recoveries().unwrap()[0].state, RecoveryState::Refused);
}
