//! Warrants, break-glass and delegation against a real server: they open what they say, while they
//! last, and nothing beside it, whatever somebody tries.

use std::path::Path;

use ledger::access::AccessLog;
use serde_json::json;

use crate::disclosures::keys;
use crate::permits::Ward;
use crate::served::{homecoming_done, log_key};

/// SHA-256 of a paper that nobody has.
const PAPER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Posts a form; status, and where it leads or what it says.
fn post(ward: &Ward, who: &str, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    let cookie = ward.cookies.iter().find(|(called, _)| *called == who);
    let (_, cookie) = cookie.expect("somebody who signs in");
    let mut answer = ward
        .agent
        .post(ward.served.url(path))
        .header("Cookie", cookie)
        .send_form(form.iter().copied())
        .expect("the server answers");
    let status = answer.status().as_u16();
    let to = answer.headers().get("location").cloned();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    match to {
        Some(to) => (status, to.to_str().expect("text").to_owned()),
        None => (status, text),
    }
}

/// A refusal that says something.
fn refused(outcome: (u16, String), status: u16, says: &str) {
    let (found, text) = outcome;
    let plain = text.replace("&#39;", "'");
    assert!(
        found == status && plain.contains(says),
        "{found} instead of {status}, or it does not say \u{201c}{says}\u{201d}: {plain}"
    );
}

/// The value of the only option of a select that is a user, by name.
fn option(page: &str, name: &str) -> String {
    let end = page
        .find(&format!("\">{name}</option>"))
        .unwrap_or_else(|| panic!("no option {name} in {page}"));
    let start = page[..end].rfind('"').expect("a value") + 1;
    page[start..end].to_owned()
}

/// The form of a warrant over the first person's care and schedule, this year.
fn form<'f>(inspector: &'f str, to: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![
        ("inspector", inspector),
        ("issuer", "Inspector General, regional office"),
        ("number", "IG-117"),
        ("whose", "named"),
        ("persons", "a"),
        ("kind", "care"),
        ("kind", "schedule"),
        ("from", "2020-01-01"),
        ("to", to),
        ("notice", "at-once"),
        ("sha256", PAPER),
    ]
}

fn with<'f>(form: &[(&'f str, &'f str)], name: &str, value: &'f str) -> Vec<(&'f str, &'f str)> {
    let mut form = form.to_vec();
    let field = form.iter_mut().find(|(given, _)| *given == name);
    match field {
        Some(field) => field.1 = value,
        None => panic!("no field {name}"),
    }
    form
}

/// Today, and a day so many days later, as forms take them.
fn day(later: i64) -> String {
    let now = server::clock::Clock::System.now().0;
    server::web::when::iso_day(now + later * casework::DAY)
}

/// The first person releases scores to a hospital, for a hundred days; the Consent's id.
fn release(ward: &Ward) -> String {
    let until = day(100);
    let form = [
        ("about", "release"),
        ("recipient", "County Hospital"),
        ("address", "1 Main Street"),
        ("purpose", "COC"),
        ("part", "identity"),
        ("part", "scores"),
        ("part", "substance"),
        ("until", until.as_str()),
        ("name", "A. Okafor"),
    ];
    let (status, text) = post(ward, "herself", "/people/a/consents", &form);
    assert_eq!(status, 303, "{text}");
    let (_, found) = ward.fhir("GET", "/fhir/Consent?patient=a", "");
    let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    let id = &found["entry"][0]["resource"]["id"];
    id.as_str().expect("an id").to_owned()
}

#[test]
fn an_inspector_reads_what_the_warrant_names_and_nothing_else() {
    let ward = Ward::open("warrants");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until) = (day(0), day(200));
    let base = with(&form(&inspector, &until), "from", &today);

    // Before there is one: nobody, by any way.
    let nobody = ward.page("inspector", "/people/nobody");
    for path in ["/people/a", "/people/a/timelines"] {
        assert_eq!(ward.page("inspector", path).0, 404, "{path}");
    }
    assert_eq!(ward.page("inspector", "/people/a"), nobody);

    // Only officers enter one, and only what the rules allow.
    for who in [
        "inspector",
        "supervisor",
        "hers",
        "herself",
        "administrator",
        "sponsor",
    ] {
        refused(post(&ward, who, "/warrants", &base), 403, "");
    }
    for (name, value, says) in [
        ("issuer", " ", "who issued it"),
        ("number", "", "the number that the issuer gave it"),
        ("persons", "", "it names nobody"),
        ("persons", "nobody-at-all", "nobody's here"),
        ("to", "2020-01-01", "end"),
        ("to", "2199-01-01", "longer than"),
        ("to", "soon", "is no day"),
        ("sha256", "123", "The paper is missing"),
        ("inspector", "user/1", "sign in here as an inspector"),
        ("inspector", "", "choose the inspector"),
        ("kind", "notes", "by a court's order alone"),
        (
            "issuer",
            "The court in Okafor v. Programme",
            "names a person",
        ),
    ] {
        let outcome = post(&ward, "officer", "/warrants", &with(&base, name, value));
        let (status, text) = outcome;
        let text = text.replace("&#39;", "'").to_lowercase();
        assert!(
            (400..500).contains(&status) && text.contains(&says.to_lowercase()),
            "{name}={value}: {status} {text}"
        );
    }

    let (status, at) = post(&ward, "officer", "/warrants", &base);
    assert_eq!(status, 303, "{at}");
    refused(
        post(&ward, "officer", "/warrants", &base),
        422,
        "on the same paper",
    );

    // What it opens.
    for (path, expected) in [
        ("/people/a/timelines", "200 a:care a:identity a:schedule"),
        ("/people/b/timelines", "404 "),
        ("/find?q=okafor", "200 a:identity"),
        ("/find?q=lindqvist", "200 "),
    ] {
        assert_eq!(ward.speaks_of("inspector", path), expected, "{path}");
    }
    // Identity, schedule and care of the first person, and then what is protected.
    let positions = ward.positions();
    for (place, position) in positions.iter().enumerate() {
        let (status, _) = ward.page("inspector", &format!("/entries/{position}"));
        assert_eq!(status, if place < 3 { 200 } else { 404 }, "{place}");
    }
    let care = format!("/entries/{}", positions[2]);
    // The inspector's own page names whom, and until when; nobody else's business.
    let (status, page) = ward.page("inspector", "/inspection");
    assert!(status == 200 && page.contains("identity-of-a") && page.contains("IG-117"));
    assert_eq!(ward.page("officer", "/inspection").0, 403);
    for who in ["supervisor", "hers", "herself", "sponsor"] {
        assert_eq!(ward.page(who, &at).0, 404, "{who}");
        assert_eq!(ward.page(who, "/warrants").0, 403, "{who}");
    }

    // The person was told at once, in their chain; what was read under it is on the warrant's page.
    let (_, page) = ward.page("officer", &at);
    assert!(
        page.contains("told ") && !page.contains("not told yet"),
        "{page}"
    );
    assert!(page.contains("the two timelines"), "{page}");
    let (status, page) = ward.page("herself", "/people/a/access");
    assert!(status == 200 && page.contains("an investigation"), "{page}");

    // Nothing is written by an inspector; nor is the warrant by a client.
    let id = at.rsplit('/').next().expect("an id").to_owned();
    let code = json!({ "coding": [{ "system": "urn:homecoming:governance", "code": "warrant" }] });
    let mut forged = json!({ "resourceType": "Task", "id": id, "status": "accepted", "intent": "order",
        "code": code.clone(), "owner": { "identifier": { "system": "urn:homecoming:actor", "value": inspector } } });
    let (status, text) = ward.fhir("PUT", &format!("/fhir/Task/{id}"), &forged.to_string());
    assert_eq!(status, 403, "{text}");
    forged["code"] = json!({ "text": "no longer a warrant" });
    let (status, text) = ward.fhir("PUT", &format!("/fhir/Task/{id}"), &forged.to_string());
    assert_eq!(status, 403, "{text}");
    forged["code"] = code;
    forged["id"] = "made-up".into();
    let (status, text) = ward.fhir("PUT", "/fhir/Task/made-up", &forged.to_string());
    assert_eq!(status, 403, "{text}");

    // Revoked: it opens nothing from that moment on, and stays where it is.
    refused(
        post(
            &ward,
            "inspector",
            &format!("{at}/revoke"),
            &[("why", "I am done")],
        ),
        403,
        "",
    );
    refused(
        post(&ward, "officer", &format!("{at}/revoke"), &[("why", " ")]),
        422,
        "why it is revoked",
    );
    let (status, _) = post(
        &ward,
        "officer",
        &format!("{at}/revoke"),
        &[("why", "Set aside on appeal")],
    );
    assert_eq!(status, 303);
    assert_eq!(ward.page("inspector", "/people/a"), nobody);
    assert_eq!(ward.page("inspector", &care).0, 404);
    let (_, page) = ward.page("inspector", "/inspection");
    assert!(page.contains("Revoked on") && !page.contains("identity-of-a"));
    let (_, page) = ward.page("inspector", &at);
    assert!(
        page.contains("Revoked on") && !page.contains("identity-of-a"),
        "{page}"
    );
}

/// Nobody opens records or changes the policy at a desk that somebody else left; what they wrote is kept.
#[test]
fn a_warrant_and_a_policy_take_a_session_that_has_shown_lately_whose_it_is() {
    let ward = Ward::open("ordered-fresh");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until) = (day(0), day(200));
    let warrant = with(&form(&inspector, &until), "from", &today);
    let policy = [
        ("text", ""),
        ("against", "0"),
        ("why", "The board said so."),
    ];
    let desk =
        rusqlite::Connection::open(format!("{}/desk.sqlite", ward.data())).expect("the desk");
    let age = |by: i64| {
        desk.execute(
            "UPDATE session SET authenticated_us = authenticated_us - ?1",
            [by],
        )
        .expect("the sessions are older");
    };
    age(660_000_000);
    let again = "/account/again?next=%2Fdrafts";
    assert_eq!(
        post(&ward, "officer", "/warrants", &warrant),
        (303, again.to_owned())
    );
    assert_eq!(
        post(&ward, "officer", "/policy", &policy),
        (303, again.to_owned())
    );
    assert_eq!(ward.page("officer", "/warrants/new").0, 303);
    let (status, kept) = ward.page("officer", "/drafts");
    assert!(
        status == 200 && kept.contains("IG-117") && kept.contains("The board said so."),
        "{kept}"
    );
    // Whatever it says that it is.
    let cookie = ward.cookies.iter().find(|(called, _)| *called == "officer");
    let mut answer = ward
        .agent
        .post(ward.served.url("/policy"))
        .header("Cookie", &cookie.expect("signed in").1)
        .header("Content-Type", "text/plain")
        .send("text=&against=0&why=The+board+said+so.")
        .expect("an answer");
    let text = answer.body_mut().read_to_string().expect("a page");
    assert!(
        answer.status() == 403 && text.contains("in the last ten minutes"),
        "{text}"
    );
    age(-660_000_000);
    let (status, at) = post(&ward, "officer", "/warrants", &warrant);
    assert!(
        status == 303 && at.starts_with("/warrants/"),
        "{status} {at}"
    );
}

#[test]
fn a_warrant_that_is_to_come_or_names_a_time_opens_no_more_than_that() {
    let ward = Ward::open("warrant-times");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until, later) = (day(0), day(100), day(130));
    let to_come = with(&form(&inspector, &later), "from", &until);
    let (status, _) = post(&ward, "officer", "/warrants", &to_come);
    assert_eq!(status, 303);
    assert_eq!(ward.page("inspector", "/people/a").0, 404);

    // One that names a time opens what is known to have happened within it.
    for (id, at) in [("within", "2026-02-10"), ("before", "2026-01-10")] {
        ward.put(
            json!({ "resourceType": "Observation", "id": id, "status": "final",
            "code": { "text": format!("it-happened-{id}") }, "effectiveDateTime": at,
            "subject": { "reference": "Patient/a" } }),
        );
    }
    let mut in_time = with(&form(&inspector, &until), "from", &today);
    in_time = with(
        &in_time,
        "sha256",
        "0000000000000000000000000000000000000000000000000000000000000001",
    );
    in_time.extend([
        ("happened-from", "2026-02-01"),
        ("happened-to", "2026-02-28"),
    ]);
    let (status, at) = post(&ward, "officer", "/warrants", &in_time);
    assert_eq!(status, 303, "{at}");
    let (status, page) = ward.page("inspector", "/people/a/timelines");
    assert_eq!(status, 200);
    assert!(page.contains("it-happened-within"), "{page}");
    assert!(!page.contains("it-happened-before") && !page.contains("care-of-a"));
}

#[test]
fn whoever_is_not_to_know_yet_sees_neither_the_warrant_nor_what_was_read_under_it() {
    let ward = Ward::open("sealed-warrant");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until) = (day(0), day(200));
    let mut sealed = with(&form(&inspector, &until), "from", &today);
    sealed = with(&sealed, "notice", "at-the-end");
    refused(post(&ward, "officer", "/warrants", &sealed), 422, "");
    sealed.push(("notice-why", "Paragraph 4 of the order"));
    let (status, at) = post(&ward, "officer", "/warrants", &sealed);
    assert_eq!(status, 303, "{at}");
    // That officers looked at the warrant is kept from them, too.
    assert_eq!(ward.page("officer", &at).0, 200);
    let before = ward.page("herself", "/people/a/access").1;
    assert!(!before.contains("warrant"), "{before}");
    assert_eq!(ward.page("inspector", "/people/a/timelines").0, 200);
    for who in ["herself", "hers", "supervisor"] {
        let (status, page) = ward.page(who, "/people/a/access");
        assert_eq!(status, 200, "{who}");
        assert!(!page.contains("an investigation"), "{who}: {page}");
    }
    assert!(!before.contains("an investigation"));
    // Neither does the accounting of disclosures name who read, nor count it among what is left out.
    for at in ["/people/a/accounting", "/people/a/accounting?what=all"] {
        for who in ["herself", "hers", "supervisor"] {
            let (status, page) = ward.page(who, at);
            assert_eq!(status, 200, "{who}");
            assert!(!page.contains("an investigation"), "{who} {at}: {page}");
        }
        let (_, page) = ward.page("officer", at);
        assert!(page.contains("an investigation"), "{at}: {page}");
    }
    let file = "/people/a/accounting.csv?what=all";
    for who in ["herself", "hers", "supervisor"] {
        let (status, text) = ward.page(who, file);
        assert!(
            status == 200 && !text.contains("an investigation"),
            "{who}: {text}"
        );
    }
    let export = ward.page("herself", "/people/a/export");
    assert!(
        export.0 == 200 && !export.1.contains(" INVEST "),
        "{}",
        export.0
    );
    verifies(&ward, &export.1);

    // It is over: they are told with its revocation, and see everything.
    let (status, _) = post(
        &ward,
        "officer",
        &format!("{at}/revoke"),
        &[("why", "The case is closed")],
    );
    assert_eq!(status, 303);
    let (_, page) = ward.page("herself", "/people/a/access");
    assert!(page.contains("an investigation"), "{page}");
    let (_, page) = ward.page("herself", "/people/a/accounting");
    assert!(page.contains("an investigation"), "{page}");
    let export = ward.page("herself", "/people/a/export");
    assert!(export.1.contains(" INVEST ") && export.1.contains("An inspector may read"));
    verifies(&ward, &export.1);
}

/// The file from a person's page is one that anybody checks, with what was kept from them and without.
fn verifies(ward: &Ward, export: &str) {
    let (file, key) = (format!("{}.export", ward.data()), log_key(&ward.data()));
    std::fs::write(&file, export).expect("written");
    let said = homecoming_done(&["verify", &file, "--key", &key]);
    for part in [
        "VERIFIED",
        "are all that the log",
        "disclosures as they are here",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// The access log of a ward, read beside its server.
fn log_of(ward: &Ward) -> AccessLog {
    let data = ward.data();
    AccessLog::open(Path::new(&data), keys(&data)).expect("the access log")
}

#[test]
fn who_looked_at_what_is_kept_back_is_kept_back_too() {
    let ward = Ward::open("sealed-leaves");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until) = (day(0), day(200));
    let mut sealed = with(&form(&inspector, &until), "from", &today);
    sealed = with(&sealed, "notice", "at-the-end");
    sealed.push(("notice-why", "Paragraph 4 of the order"));
    let (status, at) = post(&ward, "officer", "/warrants", &sealed);
    assert_eq!(status, 303, "{at}");
    let log = log_of(&ward);
    let hidden = log.size().expect("it reads");
    assert_eq!(ward.page("inspector", "/people/a/timelines").0, 200);
    let looks = [
        format!("/access/{hidden}"),
        format!("/access/{hidden}/receipt"),
        format!("/access/{hidden}/seen"),
        "/people/a/access".to_owned(),
        "/access".to_owned(),
        // And at who looked at it.
        format!("/access/{}", hidden + 1),
    ];
    for path in &looks {
        assert_eq!(ward.page("officer", path).0, 200, "{path}");
    }
    let end = log.size().expect("it reads");
    assert_eq!(end, hidden + 1 + looks.len() as u64);
    let named = format!("/access/{hidden}");
    let sees = || {
        let seen = (hidden..end).map(|leaf| ward.page("herself", &format!("/access/{leaf}")).0);
        let seen: Vec<u16> = seen.collect();
        let list = ward.page("herself", "/people/a/access").1;
        let export = ward.page("herself", "/people/a/export").1;
        (seen, list.contains(&named), export.contains(&named))
    };
    assert_eq!(sees(), (vec![404; looks.len() + 1], false, false));
    // It is over.
    let why = [("why", "The case is closed")];
    let (status, _) = post(&ward, "officer", &format!("{at}/revoke"), &why);
    assert_eq!(status, 303);
    assert_eq!(sees(), (vec![200; looks.len() + 1], true, true));
}

#[test]
fn a_leaf_names_the_warrant_that_opened_what_was_given_whatever_the_inspector_is_called() {
    let mut ward = Ward::open("two-warrants");
    let (_, page) = ward.page("officer", "/warrants/new");
    let inspector = option(&page, "inspector");
    let (today, until) = (day(0), day(200));
    let enter = |form: &[(&str, &str)]| {
        let (status, at) = post(&ward, "officer", "/warrants", form);
        assert_eq!(status, 303, "{at}");
        at.rsplit('/').next().expect("an id").to_owned()
    };
    // A court's order over notes, of which the person is not told yet; and one over the rest, of which
    // they are. The newer one comes first.
    let mut court = with(&form(&inspector, &until), "from", &today);
    court.retain(|(name, _)| *name != "kind");
    court = with(&court, "notice", "at-the-end");
    court = with(&court, "number", "C-9");
    court = with(
        &court,
        "sha256",
        "0000000000000000000000000000000000000000000000000000000000000002",
    );
    court.extend([
        ("notice-why", "Paragraph 4 of the order"),
        ("court", "yes"),
        ("kind", "notes"),
    ]);
    let court = enter(&court);
    let plain = enter(&with(&form(&inspector, &until), "from", &today));
    let log = log_of(&ward);
    let reads = |ward: &Ward, reference: &str| {
        let path = format!("/entries/{}", ward.position(reference));
        let leaf = log.size().expect("it reads");
        assert_eq!(ward.page("inspector", &path).0, 200, "{path}");
        let one = log_of(ward).leaf(leaf).expect("it reads").expect("a leaf");
        let basis = one.told.expect("nobody is erased").basis;
        let under = |id: &str| {
            let mut tasks = basis.warrant.split(", ");
            tasks.any(|task| task == format!("Task/{id}"))
        };
        (leaf, one.leaf.actor, under(&court), under(&plain))
    };
    let is_told =
        |ward: &Ward, leaf: u64| ward.page("herself", &format!("/access/{leaf}")).0 == 200;
    let (care, actor, by_court, by_plain) = reads(&ward, "Observation/care-of-a");
    assert_eq!(
        (actor.as_str(), by_court, by_plain),
        (inspector.as_str(), false, true)
    );
    let (notes, _, by_court, _) = reads(&ward, "DocumentReference/notes-of-a");
    assert!(by_court, "what the court opened was read under its order");
    assert!(is_told(&ward, care) && !is_told(&ward, notes));

    // Somebody gives the inspector a place among the staff: the warrants go on, and so does what they say
    // of who is told.
    let id = inspector.strip_prefix("user/").expect("a user");
    let place = [("role", "inspector"), ("practitioner", "i1")];
    let (status, page) = post(&ward, "officer", &format!("/users/{id}/place"), &place);
    assert!(status < 400, "{status} {page}");
    ward.sign_in_again("inspector");
    let (care, actor, by_court, by_plain) = reads(&ward, "Observation/care-of-a");
    assert_eq!(
        (actor.as_str(), by_court, by_plain),
        ("Practitioner/i1", false, true)
    );
    let (notes, _, by_court, _) = reads(&ward, "DocumentReference/notes-of-a");
    assert!(by_court);
    assert!(is_told(&ward, care) && !is_told(&ward, notes));
    // The warrant's own page lists what was read under it, by either name.
    let (_, page) = ward.page("officer", &format!("/warrants/{court}"));
    assert!(page.contains(&format!("/access/{notes}")), "{page}");
    assert!(!page.contains(&format!("/access/{care}")), "{page}");
}

#[test]
fn breaking_the_glass_opens_one_record_for_a_short_time_and_out_loud() {
    let ward = Ward::open("glass");
    let why = "Called from the bridge, colleague not reachable";
    let open = [("need", "emergency"), ("why", why), ("minutes", "60")];
    let at = "/people/a/break-glass";

    // Not for those who judge or pay, and not without a reason.
    for who in [
        "evaluator",
        "sponsor",
        "inspector",
        "officer",
        "administrator",
        "herself",
    ] {
        refused(post(&ward, who, at, &open), 403, "");
        assert_eq!(ward.page(who, at).0, 403, "{who}");
    }
    for (name, value, says) in [
        ("why", "urgent", "in at least"),
        (
            "why",
            "Mrs Okafor called from the bridge",
            "names the person",
        ),
        ("minutes", "600", "It must last between"),
        ("need", "curious", "must be chosen"),
    ] {
        let mut form = open.to_vec();
        form.iter_mut()
            .filter(|(given, _)| *given == name)
            .for_each(|field| field.1 = value);
        let (status, text) = post(&ward, "stranger", at, &form);
        assert!(
            (400..500).contains(&status) && text.contains(says),
            "{value}: {status} {text}"
        );
    }
    assert_eq!(
        ward.speaks_of("stranger", "/people/a/timelines"),
        "200 a:identity"
    );
    let packet = format!("/people/a/consents/{}/packet", release(&ward));
    let (status, page) = ward.page("stranger", at);
    assert!(status == 200 && page.contains("name-of-w1"), "{page}");

    let (status, to) = post(&ward, "stranger", at, &open);
    assert_eq!((status, to.as_str()), (303, "/people/a"));
    // Everything but therapy notes and what is very restricted; of one person, for one reader.
    let seen = ward.speaks_of("stranger", "/people/a/timelines");
    assert_eq!(seen, "200 a:care a:identity a:restricted a:schedule a:sud");
    assert_eq!(
        ward.speaks_of("stranger", "/people/b/timelines"),
        // The banner over every page names whose record is open.
        "200 a:identity b:identity"
    );
    assert_eq!(
        ward.speaks_of("his", "/people/a/timelines"),
        "200 a:identity"
    );
    // Every page says so, and what is read is read for an emergency.
    for path in ["/caseload", "/find", "/people/b"] {
        let (_, page) = ward.page("stranger", path);
        assert!(
            page.contains("You have opened a record that is closed to you"),
            "{path}"
        );
    }
    let (_, page) = ward.page("stranger", "/people/a");
    assert!(
        page.contains("You are reading for <strong>an emergency</strong>"),
        "{page}"
    );
    // Nothing is taken away: no file, no receipt, and no packet of what the person released.
    let receipt = format!("/entries/{}/receipt", ward.positions()[2]);
    for path in ["/people/a/export", "/people/a/access", receipt.as_str()] {
        assert_eq!(ward.page("stranger", path).0, 403, "{path}");
    }
    for kind in ["bundle", "page"] {
        refused(
            post(&ward, "stranger", &packet, &[("as", kind)]),
            403,
            "read and not taken away",
        );
        assert_eq!(post(&ward, "hers", &packet, &[("as", kind)]).0, 200);
    }
    assert_eq!(ward.page("hers", &receipt).0, 200);
    refused(
        post(&ward, "stranger", at, &open),
        422,
        "You have opened this record already",
    );

    // The person sees who, when and why; the caseworker too; a stranger does not.
    let (_, list) = ward.page("officer", "/break-glass");
    let id = list
        .split("href=\"/break-glass/")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let one = format!("/break-glass/{}", id.expect("one"));
    let (_, page) = ward.page("herself", "/people/a/access");
    assert!(page.contains("an emergency"), "{page}");
    let (_, export) = ward.page("herself", "/people/a/export");
    assert!(export.contains(why));
    for who in ["his", "doctor", "herself", "inspector", "sponsor"] {
        assert_eq!(ward.page(who, &one).0, 404, "{who}");
    }

    // Not while it lasts, and never by whoever opened it.
    let review = [("outcome", "justified"), ("why", "It could not wait")];
    let step = format!("{one}/review");
    refused(
        post(&ward, "stranger", &step, &review),
        403,
        "Nobody reviews their own break-glass",
    );
    refused(post(&ward, "officer", &step, &review), 422, "end it first");
    refused(post(&ward, "his", &format!("{one}/end"), &[]), 403, "");
    let (status, _) = post(&ward, "stranger", &format!("{one}/end"), &[]);
    assert_eq!(status, 303);
    assert_eq!(
        ward.speaks_of("stranger", "/people/a/timelines"),
        "200 a:identity"
    );
    refused(
        post(&ward, "stranger", &step, &review),
        403,
        "Nobody reviews their own break-glass",
    );
    refused(
        post(&ward, "supervisor", &step, &review),
        403,
        "It is reviewed by the supervisor",
    );
    // The stranger answers to nobody, so an officer reviews it.
    let (status, _) = post(&ward, "officer", &step, &review);
    assert_eq!(status, 303);
    let (_, page) = ward.page("stranger", &one);
    assert!(
        page.contains("It could not wait") && page.contains("Justified"),
        "{page}"
    );
    refused(
        post(&ward, "officer", &step, &review),
        422,
        "reviewed already",
    );
}

#[test]
fn what_is_opened_to_care_for_somebody_leaves_what_is_protected_closed() {
    let ward = Ward::open("glass-care");
    let open = [
        ("need", "care"),
        ("why", "She stands at the door and her caseworker is ill"),
        ("minutes", "30"),
    ];
    let (status, _) = post(&ward, "his", "/people/a/break-glass", &open);
    assert_eq!(status, 303);
    assert_eq!(
        ward.speaks_of("his", "/people/a/timelines"),
        "200 a:care a:identity a:schedule"
    );
    // His supervisor reviews it, when it is over; hers does not come into it.
    let (_, list) = ward.page("supervisor", "/break-glass");
    assert!(list.contains("She stands at the door"), "{list}");
}

#[test]
fn whoever_covers_does_what_the_owner_does_and_hands_nothing_on() {
    let ward = Ward::open("cover");
    let (today, until) = (day(0), day(30));
    let (_, page) = ward.page("hers", "/cover");
    let (hers, his) = (option(&page, "hers"), option(&page, "his"));
    let stranger = option(&page, "stranger");
    let form = |owner: &str, delegate: &str, whose: &str, persons: &str| {
        [
            ("owner", owner.to_owned()),
            ("delegate", delegate.to_owned()),
            ("from", today.clone()),
            ("to", until.clone()),
            ("whose", whose.to_owned()),
            ("persons", persons.to_owned()),
            ("why", "Annual leave".to_owned()),
        ]
    };
    let hand = |who: &str, form: &[(&str, String)]| {
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        post(&ward, who, "/cover", &form)
    };
    // Somebody else's people, and those who care for nobody.
    refused(
        hand("stranger", &form(&hers, &stranger, "all", "")),
        403,
        "handed over by whoever",
    );
    refused(hand("sponsor", &form(&hers, &stranger, "all", "")), 403, "");
    refused(
        hand("hers", &form(&hers, "user/99", "all", "")),
        422,
        "can cover",
    );
    refused(
        hand("hers", &form(&hers, &his, "named", "b")),
        403,
        "cannot be passed on",
    );

    assert_eq!(
        ward.speaks_of("his", "/people/a/timelines"),
        "200 a:identity"
    );
    let (status, _) = hand("hers", &form(&hers, &his, "all", ""));
    assert_eq!(status, 303);
    let all_of_a = "200 a:care a:identity a:notes a:restricted a:schedule a:sud";
    assert_eq!(ward.speaks_of("his", "/people/a/timelines"), all_of_a);
    // He hands all of his own on, and names hers: neither opens hers to anybody.
    refused(
        hand("his", &form(&his, &stranger, "named", "a")),
        403,
        "cannot be passed on",
    );
    let (status, _) = hand("his", &form(&his, &stranger, "all", ""));
    assert_eq!(status, 303);
    assert_eq!(
        ward.speaks_of("stranger", "/people/a/timelines"),
        "200 a:identity"
    );
    assert!(
        ward.speaks_of("stranger", "/people/b/timelines")
            .contains("b:care")
    );

    // It is ended, and closes at once.
    let (_, page) = ward.page("hers", "/cover");
    let id = page
        .split("action=\"/cover/")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let end = format!("/cover/{}/end", id.expect("one that she can end"));
    refused(post(&ward, "stranger", &end, &[]), 403, "It is ended by");
    assert_eq!(post(&ward, "hers", &end, &[]).0, 303);
    assert_eq!(
        ward.speaks_of("his", "/people/a/timelines"),
        "200 a:identity"
    );
}

#[test]
fn a_sponsor_sees_sums_and_nobody() {
    let ward = Ward::open("figures");
    let (status, page) = ward.page("sponsor", "/figures");
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains("Okafor") && !page.contains("/people/"));
    for who in ["hers", "inspector", "evaluator", "herself", "administrator"] {
        assert_eq!(ward.page(who, "/figures").0, 403, "{who}");
    }
    // That it was looked at is on the access log.
    let (_, page) = ward.page("officer", "/access");
    assert!(page.contains("sums over everybody"), "{page}");
}
