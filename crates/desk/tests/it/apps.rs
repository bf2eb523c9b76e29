//! What apps were allowed, and the secrets that hang from it.

use desk::{Bound, ClientState, Desk, Launch, NewGrant, NewSession, NewUser, Spent};

use crate::{Dir, HOUR, NOW, chance};

fn state(scope: &str) -> ClientState<'_> {
    ClientState {
        scope,
        document: "{}",
        disabled: false,
        reproves: false,
    }
}

/// A desk with a client, a user, and a grant that lasts ten hours.
fn desk(dir: &Dir) -> (Desk, i64, i64) {
    let desk = Desk::open(dir.path()).unwrap();
    desk.register_client("chart", &state("patient/*.rs"), None, "user/1", NOW)
        .unwrap();
    let user = NewUser {
        name: "R. Osei",
        role: "caseworker",
        ..NewUser::default()
    };
    let user = desk.add_user(&user, NOW, |_| None).unwrap();
    let grant = desk
        .allow(
            &NewGrant {
                client: "chart",
                user: Some(user),
                scope: "patient/*.rs",
                patient: Some("p"),
                session: None,
                online: false,
                authenticated_us: NOW,
                expires_us: NOW + 10 * HOUR,
            },
            NOW,
        )
        .unwrap();
    (desk, user, grant)
}

fn bound() -> Bound {
    Bound {
        redirect: "https://app.example/back".into(),
        challenge: "c".into(),
        nonce: None,
    }
}

#[test]
fn each_change_of_a_client_is_owed_to_the_record_until_it_is_paid() {
    let dir = Dir::new();
    let desk = Desk::open(dir.path()).unwrap();
    desk.add_client("lab", "system/*.rs", NOW).unwrap();
    desk.change_client("lab", &state("system/Patient.r"), "user/2", NOW + 1)
        .unwrap();
    let owed = desk.client_changes().unwrap();
    let said: Vec<(i64, &str, &str)> = owed
        .iter()
        .map(|one| (one.revision, one.scope.as_str(), one.actor.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (1, "system/*.rs", "homecoming"),
            (2, "system/Patient.r", "user/2")
        ]
    );
    let is_recorded = || desk.client("lab").unwrap().unwrap().is_recorded();
    desk.client_recorded(&owed[0]).unwrap();
    assert!(!is_recorded());
    desk.client_recorded(&owed[1]).unwrap();
    assert!(is_recorded());
    assert!(desk.client_changes().unwrap().is_empty());
    // Removed and added anew before the record knows of either: the name does not count from the beginning.
    desk.remove_client("lab", "user/2", NOW + 2).unwrap();
    desk.add_client("lab", "system/*.rs", NOW + 3).unwrap();
    for change in desk.client_changes().unwrap() {
        assert!(!is_recorded());
        desk.client_recorded(&change).unwrap();
    }
    assert!(is_recorded());
}

#[test]
fn a_code_is_good_once_and_its_second_use_ends_everything() {
    let dir = Dir::new();
    let (desk, _, grant) = desk(&dir);
    let mut chance = chance();
    let code = desk
        .new_code(grant, &bound(), NOW + HOUR, &mut chance)
        .unwrap();
    assert_eq!(
        desk.spend_code(&code, NOW, &|_, _| false).unwrap(),
        Spent::Unknown
    );
    assert_eq!(
        desk.spend_code(&code, NOW + HOUR, &|_, _| true).unwrap(),
        Spent::Unknown
    );
    assert_eq!(
        desk.spend_code("other", NOW, &|_, _| true).unwrap(),
        Spent::Unknown
    );
    let Spent::Good((given, seen)) = desk.spend_code(&code, NOW, &|_, _| true).unwrap() else {
        panic!("it is good");
    };
    assert_eq!((given.id, seen), (grant, bound()));
    let token = desk
        .new_app_token(
            grant,
            "access",
            "patient/*.rs",
            NOW,
            NOW + HOUR,
            &mut chance,
        )
        .unwrap();
    assert!(desk.app_token(&token, NOW).unwrap().is_some());
    assert_eq!(
        desk.spend_code(&code, NOW, &|_, _| true).unwrap(),
        Spent::Again
    );
    assert!(desk.app_token(&token, NOW).unwrap().is_none());
}

#[test]
fn a_refresh_token_is_good_once_and_its_second_use_ends_everything() {
    let dir = Dir::new();
    let (desk, _, grant) = desk(&dir);
    let mut chance = chance();
    let mut new = |kind: &str| {
        desk.new_app_token(grant, kind, "patient/*.rs", NOW, NOW + HOUR, &mut chance)
            .unwrap()
    };
    let (access, first, second) = (new("access"), new("refresh"), new("refresh"));
    assert_eq!(
        desk.spend_refresh(&access, NOW, &|_| true).unwrap(),
        Spent::Unknown
    );
    assert!(matches!(
        desk.spend_refresh(&first, NOW, &|_| true).unwrap(),
        Spent::Good(_)
    ));
    assert!(
        desk.app_token(&first, NOW).unwrap().is_none(),
        "it is used up"
    );
    assert!(desk.app_token(&second, NOW).unwrap().is_some());
    assert_eq!(
        desk.spend_refresh(&first, NOW, &|_| true).unwrap(),
        Spent::Again
    );
    for token in [&access, &second] {
        assert!(desk.app_token(token, NOW).unwrap().is_none());
    }
}

#[test]
fn a_grant_ends_with_its_client_its_user_and_its_time() {
    for how in [
        "client",
        "another proof",
        "user",
        "another role",
        "recovered",
        "signed out everywhere",
        "time",
        "taken back",
    ] {
        let dir = Dir::new();
        let (desk, user, grant) = desk(&dir);
        let token = desk
            .new_app_token(
                grant,
                "access",
                "patient/*.rs",
                NOW,
                NOW + 20 * HOUR,
                &mut chance(),
            )
            .unwrap();
        let launch = Launch {
            client: "chart".into(),
            user,
            patient: "p".into(),
        };
        let launch = desk
            .new_launch(&launch, NOW, NOW + HOUR, &mut |bytes| bytes.fill(9))
            .unwrap();
        assert_eq!(desk.grants_of(user, NOW).unwrap().len(), 1);
        let taken_back = desk.taken_back();
        let mut now = NOW;
        match how {
            "client" => {
                let disabled = ClientState {
                    disabled: true,
                    ..state("patient/*.rs")
                };
                desk.change_client("chart", &disabled, "user/1", NOW)
                    .unwrap();
            }
            "another proof" => {
                let proven = ClientState {
                    reproves: true,
                    ..state("patient/*.rs")
                };
                desk.change_client("chart", &proven, "user/1", NOW).unwrap();
            }
            "user" => {
                desk.disable_user(user, true, None).unwrap();
                desk.disable_user(user, false, None).unwrap();
            }
            "another role" => {
                let new = NewUser {
                    role: "prescriber",
                    ..NewUser::default()
                };
                desk.change_user(user, &new, None).unwrap();
            }
            "recovered" => desk.forget_ways_in(user, None).unwrap(),
            "signed out everywhere" => {
                desk.end_sessions(user, Some(7)).unwrap();
                assert!(desk.app_token(&token, now).unwrap().is_some(), "but here");
                desk.end_sessions(user, None).unwrap();
            }
            "time" => now = NOW + 10 * HOUR,
            _ => {
                assert!(
                    !desk.end_grant(grant, Some(user + 1)).unwrap(),
                    "not theirs"
                );
                assert!(desk.end_grant(grant, Some(user)).unwrap());
            }
        }
        assert!(desk.app_token(&token, now).unwrap().is_none(), "{how}");
        assert!(desk.grants_of(user, now).unwrap().is_empty(), "{how}");
        let is_of_user =
            ["user", "another role", "recovered", "signed out everywhere"].contains(&how);
        assert_eq!(
            desk.launch(&launch, NOW).unwrap().is_none(),
            is_of_user,
            "{how}"
        );
        assert_eq!(desk.taken_back() > taken_back, how != "time", "{how}");
    }
}

#[test]
fn a_token_of_a_client_ends_when_it_proves_itself_in_another_way() {
    let dir = Dir::new();
    let (desk, ..) = desk(&dir);
    let token = desk
        .new_token("chart", NOW, NOW + HOUR, &mut chance())
        .unwrap();
    for (reproves, is_good) in [(false, true), (true, false)] {
        let new = ClientState {
            reproves,
            ..state("patient/*.rs")
        };
        desk.change_client("chart", &new, "user/1", NOW).unwrap();
        assert_eq!(desk.token(&token, NOW).unwrap().is_some(), is_good);
    }
}

#[test]
fn what_hangs_from_a_session_ends_with_it() {
    for how in [
        "signed out",
        "not used",
        "one of several",
        "gone before it was allowed",
    ] {
        let dir = Dir::new();
        let (desk, user, _) = desk(&dir);
        let session = |secret: &str| {
            let new = NewSession {
                secret,
                user,
                how: "passkey",
                agent: "",
                place: "",
                idle_us: HOUR,
                expires_us: NOW + 9 * HOUR,
                authenticated_us: NOW,
            };
            desk.begin_session(&new, NOW).unwrap()
        };
        let (own, other) = (session("own"), session("other"));
        let mut chance = chance();
        let mut allow = |online: bool| {
            let new = NewGrant {
                client: "chart",
                user: Some(user),
                scope: "patient/*.rs",
                patient: None,
                session: Some(own),
                online,
                authenticated_us: NOW,
                expires_us: NOW + 10 * HOUR,
            };
            let grant = desk.allow(&new, NOW)?;
            desk.new_app_token(grant, "refresh", "", NOW, NOW + 10 * HOUR, &mut chance)
        };
        if how == "gone before it was allowed" {
            desk.end_session("own").unwrap();
            assert!(matches!(allow(false), Err(desk::Error::NotNow(_))));
            continue;
        }
        let (online, offline) = (allow(true).unwrap(), allow(false).unwrap());
        let mut now = NOW;
        match how {
            "signed out" => desk.end_session("own").unwrap(),
            "not used" => {
                now = NOW + HOUR;
                desk.session_used(other, now - 1).unwrap();
            }
            _ => assert!(desk.end_session_of(user, own).unwrap()),
        }
        assert!(desk.app_token(&online, now).unwrap().is_none(), "{how}");
        assert!(desk.app_token(&offline, now).unwrap().is_some(), "{how}");
    }
}

#[test]
fn an_assertion_is_new_once() {
    let dir = Dir::new();
    let (desk, ..) = desk(&dir);
    for (client, jti, now, is_new) in [
        ("a", "1", NOW, true),
        ("a", "1", NOW, false),
        ("b", "1", NOW, true),
        ("a", "2", NOW, true),
        ("a", "1", NOW + HOUR - 1, false),
        // What has ended could not be used anyway.
        ("a", "1", NOW + HOUR, true),
    ] {
        let seen = desk.first_use(client, jti, now, NOW + HOUR).unwrap();
        assert_eq!(seen, is_new, "{client} {jti} {now}");
    }
    assert!(desk.first_use("a", "3", NOW, NOW + HOUR).unwrap());
    drop(desk);
    let desk = Desk::open(dir.path()).unwrap();
    assert!(
        !desk.first_use("a", "3", NOW, NOW + HOUR).unwrap(),
        "another process"
    );
}

#[test]
fn a_launch_is_good_until_it_is_used_or_ends() {
    let dir = Dir::new();
    let (desk, user, _) = desk(&dir);
    let launch = Launch {
        client: "chart".into(),
        user,
        patient: "p".into(),
    };
    let secret = desk
        .new_launch(&launch, NOW, NOW + HOUR, &mut chance())
        .unwrap();
    assert_eq!(desk.launch(&secret, NOW).unwrap(), Some(launch));
    assert_eq!(desk.launch(&secret, NOW + HOUR).unwrap(), None);
    assert!(desk.end_launch(&secret).unwrap());
    assert!(!desk.end_launch(&secret).unwrap());
    assert_eq!(desk.launch(&secret, NOW).unwrap(), None);
}
