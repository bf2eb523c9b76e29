//! What one officer, or the administrator, cannot do with users alone.

use super::people::{Answer, Browser, Person};
use super::served::{Folder, Served, begun, homecoming, homecoming_done};

/// A new programme that is served, with its first officer.
fn world(name: &str) -> (Folder, String, Served, Person) {
    let folder = Folder::new(name);
    let (data, code) = begun(&folder);
    let served = Served::start(&data);
    let officer = Person::enrol(&served, "First officer", &code);
    (folder, data, served, officer)
}

fn add(who: &Person, name: &str, role: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("name", name), ("role", role)];
    all.extend(fields);
    who.browser.post("/users", &all)
}

/// The code that a page shows, if it does.
fn code_on(answer: &Answer) -> Option<String> {
    let shown = answer.body.split("<p class=\"big\"><code>").nth(1)?;
    Some(shown.split('<').next().expect("its end").to_owned())
}

#[test]
fn an_administrator_makes_nobody_who_reads_or_governs_records() {
    let (_folder, data, served, officer) = world("administrator-alone");
    let blum = Person::added(&served, &data, "Teodor Blum", "administrator");
    for role in server::sign_in::ROLES {
        let patient: &[(&str, &str)] = match role {
            "participant" => &[("patient", "p1")],
            _ => &[],
        };
        let added = add(&blum, &format!("A new {role}"), role, patient);
        match role {
            "sponsor" | "administrator" => assert!(code_on(&added).is_some(), "{role}"),
            _ => {
                assert_eq!(added.status, 403, "{role}: {}", added.body);
                assert!(added.body.contains("Only an officer"), "{}", added.body);
            }
        }
    }
    // Users 1 and 2 are the officer and Blum, 3 the sponsor.
    let page = blum.browser.get("/users/3").body;
    assert!(page.contains("A new sponsor"), "{page}");
    let reader = [("role", "participant"), ("patient", "p1")];
    let placed = blum.browser.post("/users/3/place", &reader);
    assert_eq!(placed.status, 403, "{}", placed.body);
    let other = blum.browser.post("/users/3/place", &[("role", "officer")]);
    assert_eq!(other.status, 403, "{}", other.body);
    let own = blum
        .browser
        .post("/users/3/place", &[("role", "administrator")]);
    assert_eq!(own.status, 303, "{}", own.body);
    // Whoever reads records is let in by an officer, and kept out by anybody who administers.
    homecoming_done(&[
        "user",
        "add",
        "Dana Whitfield",
        "--data",
        &data,
        "--role",
        "caseworker",
    ]);
    let dana = "/users/5";
    assert!(officer.browser.get(dana).body.contains("Dana Whitfield"));
    assert_eq!(blum.browser.post(&format!("{dana}/code"), &[]).status, 403);
    let placed = blum
        .browser
        .post(&format!("{dana}/place"), &[("role", "sponsor")]);
    assert_eq!(placed.status, 403);
    let step = |step: &str| blum.browser.post(&format!("{dana}/{step}"), &[]).status;
    assert_eq!(step("disable"), 303);
    assert_eq!(step("enable"), 403);
    assert_eq!(
        officer.browser.post(&format!("{dana}/enable"), &[]).status,
        303
    );
}

#[test]
fn one_officer_makes_no_second_one_who_would_approve_what_they_ask_for() {
    let (_folder, data, served, alone) = world("officer-alone");
    let dana = Person::added(&served, &data, "Dana Whitfield", "caseworker");
    let post = |who: &Person, path: &str, fields: &[(&str, &str)]| who.browser.post(path, fields);
    // They add an officer, and get no code for it by any step.
    let added = add(&alone, "Sock Puppet", "officer", &[]);
    assert_eq!(
        (added.status, &*added.location),
        (303, "/users/3"),
        "{}",
        added.body
    );
    assert_eq!(post(&alone, "/users/3/approve", &[]).status, 403);
    assert_eq!(post(&alone, "/users/3/code", &[]).status, 422);
    // Nor does somebody whose code they have become one.
    let helper = add(&alone, "Another", "caseworker", &[]);
    let code = code_on(&helper).expect("a code");
    let became = post(&alone, "/users/4/place", &[("role", "officer")]);
    assert_eq!(became.status, 422, "{}", became.body);
    let puppet = Person::enrol(&served, "Another", &code);
    let why = [("why", "lost the phone; called back on our number")];
    assert_eq!(post(&alone, "/users/2/recover", &why).status, 303);
    assert_eq!(
        post(&puppet, "/users/2/approve", &[]).status,
        403,
        "a lone officer's recovery is approved by their own creature"
    );
    assert_eq!(dana.browser.get("/account").status, 200);

    // Another officer, whom the operator added, approves both.
    let other = Person::added(&served, &data, "Other officer", "officer");
    assert!(other.browser.get("/users").body.contains("Sock Puppet"));
    let approved = post(&other, "/users/3/approve", &[]);
    let code = code_on(&approved).expect("a code");
    let third = Person::enrol(&served, "Sock Puppet", &code);
    assert_eq!(third.browser.get("/users").status, 200);
    let account = third.browser.get("/account").body;
    assert!(
        account.contains("First officer asked for it and Other officer approved it"),
        "{account}"
    );
    assert!(!account.contains("was taken away"), "{account}");
    assert!(code_on(&post(&other, "/users/2/approve", &[])).is_some());
}

#[test]
fn nobody_has_a_second_account_for_a_colleague() {
    let (_folder, data, served, officer) = world("colleague");
    let who = [("practitioner", "w1")];
    let first = add(&officer, "Dana Whitfield", "caseworker", &who);
    let dana = Person::enrol(&served, "Dana Whitfield", &code_on(&first).expect("a code"));
    let refused = |answer: Answer, words: &str| {
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        assert_eq!(code_on(&answer), None);
    };
    const TAKEN: &str = "Somebody else who can sign in is this Practitioner or Patient already";
    refused(add(&officer, "Second", "caseworker", &who), TAKEN);
    let by_operator = homecoming(&[
        "user",
        "add",
        "Second",
        "--data",
        &data,
        "--role",
        "supervisor",
        "--practitioner",
        "w1",
    ]);
    assert_eq!(by_operator.status.code(), Some(2));
    // Another account is not moved there, nor hers away from it to make room.
    let other = add(&officer, "Other", "caseworker", &[("practitioner", "w2")]);
    assert!(code_on(&other).is_some());
    let place = |user: &str, practitioner: &str| {
        let fields = [("role", "caseworker"), ("practitioner", practitioner)];
        officer
            .browser
            .post(&format!("/users/{user}/place"), &fields)
    };
    let moved = place("3", "w1");
    assert_eq!(moved.status, 422, "{}", moved.body);
    refused(place("2", "w9"), "Whom somebody acts as stays");
    refused(place("2", ""), "Whom somebody acts as stays");
    assert_eq!(dana.browser.get("/account").status, 200);
    // When hers is disabled, a new one for the same Practitioner takes a second officer.
    let step = |user: &str, step: &str| officer.browser.post(&format!("/users/{user}/{step}"), &[]);
    assert_eq!(step("2", "disable").status, 303);
    refused(place("3", "w1"), "had an account for this Practitioner");
    let second = add(&officer, "Second", "caseworker", &who);
    assert_eq!(
        (second.status, &*second.location),
        (303, "/users/4"),
        "{}",
        second.body
    );
    refused(step("4", "code"), "Two officers see to this account");
    assert_eq!(step("4", "approve").status, 403);
    refused(step("2", "enable"), TAKEN);
}

#[test]
fn whoever_entered_a_code_that_was_not_theirs_sets_nothing_up_once_there_is_another() {
    let (_folder, _data, served, officer) = world("intercepted");
    let added = add(&officer, "Dana Whitfield", "caseworker", &[]);
    let code = code_on(&added).expect("a code");
    let thief = Browser::new(&served);
    assert_eq!(thief.post("/enrol", &[("code", &code)]).status, 303);
    assert!(thief.get("/enrol").body.contains("Dana Whitfield"));
    // Dana cannot enrol, and says so.
    let late = Browser::new(&served);
    assert_eq!(late.post("/enrol", &[("code", &code)]).status, 403);
    let given = officer.browser.post("/users/2/code", &[]);
    let code = code_on(&given).expect("another code");
    let page = thief.get("/enrol").body;
    assert!(!page.contains("Dana Whitfield"), "{page}");
    let fields = [
        ("password", super::people::PASSWORD),
        ("again", super::people::PASSWORD),
        ("one-time", "123456"),
    ];
    assert_eq!(thief.post("/enrol/password", &fields).status, 401);
    Person::enrol(&served, "Dana Whitfield", &code);
}
