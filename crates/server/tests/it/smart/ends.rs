//! What ends what an app was allowed: whatever takes away what its user signs in with or is, signing out, and what an
//! officer takes out of its registration.

use super::apps::{World, location, page, sign_in, through};
use super::*;

const OFFLINE: &str = "patient/*.rs offline_access";
const ONLINE: &str = "patient/*.rs online_access";

/// What the app got, with a new sign-in: access and refresh token.
fn allowed(world: &World, cookie: &str, scope: &str) -> (String, String) {
    let said = through(&world.served, cookie, "chart", scope, &world.person);
    let said = said.unwrap_or_else(|why| panic!("{scope}: {why}"));
    let token = |name: &str| text(&said, name).to_owned();
    (token("access_token"), token("refresh_token"))
}

fn post(world: &World, cookie: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = agent()
        .post(world.served.url(path))
        .header("Cookie", cookie)
        .send_form(fields.iter().copied())
        .expect("the server answers");
    let status = answer.status().as_u16();
    assert!(status < 400, "{path}: {status}");
    location(&answer)
}

#[test]
fn what_an_app_was_allowed_ends_with_what_its_user_was() {
    let world = World::new("app-ends");
    let officer = sign_in(&world.served, "demo-officer-1");
    let (name, id) = {
        let desk = desk::Desk::open(std::path::Path::new(&world.data)).expect("the desk");
        let people = std::fs::read_to_string(format!("{}/programme.json", world.data));
        let people: Json = serde_json::from_str(&people.expect("it is there")).expect("JSON");
        let mut people = people["demo"].as_array().expect("people").iter();
        let one = people.find(|one| one["code"] == "demo-caseworker-1");
        let name = text(one.expect("a caseworker"), "name").to_owned();
        let user = desk.user_named(&name).expect("the desk").expect("a user");
        (name, user.id)
    };
    let place = format!("/users/{id}/place");
    let (disable, enable) = (
        format!("/users/{id}/disable"),
        format!("/users/{id}/enable"),
    );
    let path = format!("/fhir/Patient/{}", world.person);
    for how in ["everywhere", "role", "disabled", "recovered"] {
        let cookie = sign_in(&world.served, "demo-caseworker-1");
        let (access, refresh) = allowed(&world, &cookie, OFFLINE);
        assert_eq!(world.read(&path, &access), 200, "{how}");
        let mut at_once = true;
        match how {
            "everywhere" => {
                post(&world, &cookie, "/account/sessions", &[("session", "all")]);
            }
            "role" => {
                let user = {
                    let desk = desk::Desk::open(std::path::Path::new(&world.data));
                    desk.expect("the desk").user(id).expect("the desk")
                };
                let practitioner = user.and_then(|user| user.practitioner).expect("an id");
                for role in ["prescriber", "caseworker"] {
                    let fields = [("role", role), ("practitioner", practitioner.as_str())];
                    post(&world, &officer, &place, &fields);
                }
            }
            "disabled" => {
                post(&world, &officer, &disable, &[]);
                post(&world, &officer, &enable, &[]);
            }
            _ => {
                // By the command line: another process.
                homecoming_done(&["user", "code", &name, "--data", &world.data, "--instead"]);
                at_once = false;
            }
        }
        let (status, said) = world.refresh(&refresh, None);
        assert_eq!(
            (status, &said["error"]),
            (400, &json!("invalid_grant")),
            "{how}: {said}"
        );
        if at_once {
            assert_eq!(world.read(&path, &access), 401, "{how}");
        }
    }
}

#[test]
fn what_goes_on_while_somebody_is_signed_in_ends_with_that_session() {
    let world = World::new("app-online");
    let path = format!("/fhir/Patient/{}", world.person);
    let (other, this) = (
        sign_in(&world.served, "demo-caseworker-1"),
        sign_in(&world.served, "demo-caseworker-1"),
    );
    let (_, refresh) = allowed(&world, &this, ONLINE);
    let (status, said) = world.refresh(&refresh, None);
    assert_eq!(status, 200, "{said}");
    let (access, refresh) = (text(&said, "access_token"), text(&said, "refresh_token"));
    let (_, offline) = allowed(&world, &this, OFFLINE);
    post(&world, &this, "/sign-out", &[]);
    assert_eq!(page(&world.served, &other, "/caseload").0, 200, "the other");
    assert_eq!(world.read(&path, access), 401);
    let (status, said) = world.refresh(refresh, None);
    assert_eq!((status, &said["error"]), (400, &json!("invalid_grant")));
    assert_eq!(
        world.refresh(&offline, None).0,
        200,
        "that is what it is for"
    );
}

#[test]
fn what_goes_on_for_months_is_allowed_by_whoever_just_signed_in_and_they_are_told() {
    let world = World::new("app-fresh");
    allowed(&world, &world.caseworker, OFFLINE);
    let (_, account) = page(&world.served, &world.caseworker, "/account");
    assert!(
        account.contains("to go on when you have signed out"),
        "{account}"
    );
    // Eleven minutes later.
    let desk = rusqlite::Connection::open(format!("{}/desk.sqlite", world.data)).expect("the desk");
    desk.execute(
        "UPDATE session SET authenticated_us = authenticated_us - 660000000",
        [],
    )
    .expect("it is written");
    let to = |scope: &str| {
        through(
            &world.served,
            &world.caseworker,
            "chart",
            scope,
            &world.person,
        )
    };
    let why = to(OFFLINE).expect_err("it is not fresh");
    assert!(
        why.contains("/account/again?next=%2Foauth%2Fauthorize%3F"),
        "{why}"
    );
    assert!(
        why.contains(&world.person),
        "and back to the same decision: {why}"
    );
    assert!(to(ONLINE).is_ok());
}

#[test]
fn what_is_taken_out_of_a_registration_ends_what_it_kept_going() {
    let world = World::new("app-narrowed");
    let (_, offline) = allowed(&world, &world.caseworker, OFFLINE);
    let (_, online) = allowed(&world, &world.caseworker, ONLINE);
    let scope = "launch/patient patient/*.rs online_access";
    homecoming_done(&[
        "client",
        "change",
        "chart",
        "--data",
        &world.data,
        "--scope",
        scope,
    ]);
    let (status, said) = world.refresh(&offline, None);
    assert_eq!(
        (status, &said["error"]),
        (400, &json!("invalid_grant")),
        "{said}"
    );
    let (status, said) = world.refresh(&online, None);
    assert_eq!(status, 200, "{said}");
}
