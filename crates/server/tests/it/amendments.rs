//! What a programme adds to the policy: tried on what was given out, put in force at once, an entry of the
//! record; and nothing that anybody adds opens what the base forbids.

use std::process::Command;

use crate::people::{PASSWORD, Person};
use crate::permits::Ward;
use crate::served::{HOMECOMING, Served, get, homecoming, homecoming_done, programme};

/// Closes care to prescribers.
const CLOSES: &str = r#"@id("prescribers-on-request")
@because("Here prescribers ask the caseworker.")
forbid (principal == Role::"prescriber", action == Action::"read", resource == Kind::"care");"#;

/// Opens everything, as far as words go.
const OPENS: &str = r#"@id("everything")
@because("Everybody may do everything.")
permit (principal, action, resource);"#;

fn set(ward: &Ward, text: &str, against: &str) -> (u16, String) {
    let form = [
        ("text", text),
        ("against", against),
        ("why", "The board decided so on 2 November."),
    ];
    ward.post("officer", "/policy", &form)
}

#[test]
fn a_policy_is_tried_on_what_was_given_out_and_then_counts_at_once() {
    let ward = Ward::open("amendments");
    let sees = |who: &str| {
        ward.page(who, "/people/a/timelines")
            .1
            .contains("care-of-a")
    };
    assert!(sees("doctor") && sees("hers"));
    // Trying changes nothing, and finds just the disclosure to the prescriber.
    let (status, page) = ward.post("officer", "/policy/try", &[("text", CLOSES)]);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Would have been refused"), "{page}");
    assert!(page.contains("read care for treatment"));
    assert!(page.contains("Here prescribers ask the caseworker."));
    assert!(
        !page.contains("<th scope=\"row\">caseworker</th>"),
        "{page}"
    );
    assert!(sees("doctor"));
    // It is put in force, and counts from the next request on.
    let (status, page) = set(&ward, CLOSES, "0");
    assert_eq!(status, 303, "{page}");
    assert!(!sees("doctor"));
    assert!(sees("hers"));
    let (_, person) = ward.page("doctor", "/people/a");
    assert!(
        person.contains("Here prescribers ask the caseworker."),
        "{person}"
    );
    // Everybody who signs in reads it; it is in the history with what trying it had shown.
    for who in ["herself", "stranger", "officer", "sponsor", "administrator"] {
        let (status, page) = ward.page(who, "/policy");
        assert_eq!(status, 200, "{who}");
        assert!(page.contains("prescribers-on-request"), "{who}");
        assert!(
            page.contains("The board decided so on 2 November."),
            "{who}"
        );
        assert!(page.contains("would have been refused"), "{who}");
        assert_eq!(
            page.contains("action=\"/policy/try\""),
            who == "officer",
            "{who}"
        );
    }
    // Who tried it against what no longer stands tries again.
    let (status, page) = set(&ward, "", "0");
    assert_eq!(status, 412, "{page}");
    assert!(page.contains("Try it again"), "{page}");
    let (status, _) = set(&ward, "", "1");
    assert_eq!(status, 303);
    assert!(sees("doctor"));
    // The past stays what it was.
    let (_, then) = ward.page("officer", "/policy?_asof=size:0");
    assert!(!then.contains("prescribers-on-request"));
}

/// Closes what whole pages are for.
const CLOSES_PAGES: &str = r#"@id("no-sums")
@because("Sums are under review.")
forbid (principal, action == Action::"read", resource == Kind::"aggregate");
@id("no-warrants")
@because("Warrants are under review.")
forbid (principal == Role::"officer", action == Action::"read", resource == Kind::"governance");
@id("no-inspection")
@because("Inspections are suspended.")
forbid (principal == Role::"inspector", action, resource);
@id("no-glass")
@because("Nothing is opened at present.")
forbid (principal, action == Action::"break-glass", resource);
@id("no-names")
@because("Prescribers know nobody at present.")
forbid (principal == Role::"prescriber", action == Action::"know", resource == Kind::"identity");
@id("no-schedule")
@because("The schedule is under review.")
forbid (principal == Role::"caseworker", action in [Action::"know", Action::"read"], resource == Kind::"schedule");"#;

#[test]
fn what_is_added_closes_every_page_that_is_not_about_one_person() {
    let ward = Ward::open("amendments-pages");
    let now = server::clock::Clock::System.now().0;
    let day = |days: i64| server::web::when::iso_day(now + days * casework::DAY);
    let (from, to) = (day(0), day(100));
    let (_, page) = ward.page("officer", "/warrants/new");
    let end = page.find("\">inspector</option>").expect("an inspector");
    let inspector = page[..end].rsplit('"').next().expect("a value");
    let warrant = [
        ("inspector", inspector),
        ("issuer", "Inspector General, regional office"),
        ("number", "IG-117"),
        ("whose", "named"),
        ("persons", "a"),
        ("kind", "care"),
        ("from", &from),
        ("to", &to),
        ("notice", "at-once"),
        (
            "sha256",
            "0000000000000000000000000000000000000000000000000000000000000001",
        ),
    ];
    let (status, text) = ward.post("officer", "/warrants", &warrant);
    assert_eq!(status, 303, "{text}");
    let open = [
        ("need", "emergency"),
        ("why", "Called from the bridge, colleague not reachable"),
        ("minutes", "60"),
    ];
    let glass = "/people/b/break-glass";
    let (status, text) = ward.post("doctor", glass, &open);
    assert_eq!(status, 303, "{text}");

    let status = |who: &str, path: &str| ward.page(who, path).0;
    let names = |who: &str, path: &str, name: &str| {
        let (status, page) = ward.page(who, path);
        (status, page.contains(name))
    };
    for who in ["sponsor", "supervisor", "officer"] {
        assert_eq!(status(who, "/figures"), 200, "{who}");
    }
    for path in ["/warrants", "/warrants/new", "/break-glass"] {
        assert_eq!(status("officer", path), 200, "{path}");
    }
    assert_eq!(
        names("inspector", "/inspection", "identity-of-a"),
        (200, true)
    );
    assert_eq!(
        names("doctor", "/break-glass", "identity-of-b"),
        (200, true)
    );
    assert_eq!(names("stranger", glass, "identity-of-b"), (200, true));
    assert_eq!(
        ward.speaks_of("hers", "/caseload"),
        "200 a:identity a:schedule"
    );

    let (status_of_set, page) = set(&ward, CLOSES_PAGES, "0");
    assert_eq!(status_of_set, 303, "{page}");
    for who in ["sponsor", "supervisor", "officer"] {
        assert_eq!(status(who, "/figures"), 403, "{who}");
    }
    for path in ["/warrants", "/warrants/new", "/break-glass"] {
        assert_eq!(status("officer", path), 403, "{path}");
    }
    assert!(!names("inspector", "/inspection", "identity-of-a").1);
    let list = names("doctor", "/break-glass", "Called from the bridge");
    assert_eq!(list, (200, false));
    assert_eq!(names("stranger", glass, "identity-of-b"), (403, false));
    let (status, text) = ward.post("stranger", glass, &open);
    assert!(
        status == 403 && text.contains("Nothing is opened"),
        "{text}"
    );
    assert_eq!(ward.speaks_of("hers", "/caseload"), "200 a:identity");
}

#[test]
fn breaking_the_glass_names_nobody_whose_name_is_restricted() {
    let ward = Ward::open("glass-names");
    let glass = "/people/b/break-glass";
    assert!(ward.page("stranger", glass).1.contains("Lindqvist"));
    ward.put(serde_json::json!({ "resourceType": "Patient", "id": "b",
        "meta": { "security": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V" }] },
        "name": [{ "family": "Lindqvist", "given": ["identity-of-b"] }],
        "generalPractitioner": [{ "reference": "Practitioner/w2" }] }));
    let (status, page) = ward.page("stranger", glass);
    assert!(status == 200 && !page.contains("Lindqvist"), "{page}");
    assert!(!page.contains("name-of-w2"), "{page}");
}

#[test]
fn what_the_base_forbids_stays_closed_whatever_is_added() {
    let ward = Ward::open("amendments-open");
    let (status, page) = set(&ward, OPENS, "0");
    assert_eq!(status, 303, "{page}");
    for who in ["inspector", "sponsor", "administrator", "evaluator"] {
        let note = format!("/entries/{}", ward.position("DocumentReference/notes-of-a"));
        for path in ["/people/a", "/people/a/timelines", &note] {
            let (_, page) = ward.page(who, path);
            for kind in ["notes", "sud"] {
                assert!(!page.contains(&format!("{kind}-of-a")), "{who} {path}");
            }
        }
    }
    // It did open what the base only does not permit.
    let (_, page) = ward.page("stranger", "/people/a/timelines");
    assert!(
        page.contains("care-of-a") && !page.contains("notes-of-a") && !page.contains("sud-of-a")
    );
}

#[test]
fn who_may_change_it_and_what_is_not_taken() {
    let ward = Ward::open("amendments-refused");
    for who in [
        "hers",
        "doctor",
        "supervisor",
        "herself",
        "inspector",
        "evaluator",
        "sponsor",
        "administrator",
    ] {
        for path in ["/policy/try", "/policy/edit", "/policy"] {
            let form = [("text", CLOSES), ("against", "0"), ("why", "Because.")];
            let (status, page) = ward.post(who, path, &form);
            assert_eq!(status, 403, "{who} {path}: {page}");
        }
    }
    let refused = |text: &str, words: &str| {
        let (status, page) = ward.post("officer", "/policy/try", &[("text", text)]);
        assert_eq!(status, 200, "{text}");
        assert!(page.contains("The text was not tried"), "{text}: {page}");
        assert!(page.contains(words), "{text}: {page}");
        assert_eq!(set(&ward, text, "0").0, 422, "{text}");
    };
    refused("permit (", "does not read as a policy");
    refused("permit (principal, action, resource);", "@id");
    refused(
        r#"@id("x") @because("x") permit (principal == Role::"dog", action, resource);"#,
        "which there is not",
    );
    refused(
        r#"@id("out") @because("Nobody.") forbid (principal, action, resource);"#,
        "lock officers out",
    );
    let (status, _) = ward.post(
        "officer",
        "/policy",
        &[("text", CLOSES), ("against", "0"), ("why", " ")],
    );
    assert_eq!(status, 422, "a policy without a why");
    // No client writes it.
    let (status, body) = {
        let url = ward.served.url("/fhir/Basic/policy");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut answer = agent
            .put(url)
            .header("Authorization", format!("Bearer {}", ward.token))
            .header("Content-Type", "application/fhir+json")
            .send(r#"{"resourceType":"Basic","id":"policy","code":{"coding":[{"system":"urn:homecoming:governance","code":"policy"}]}}"#)
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap_or_default(),
        )
    };
    assert_eq!(status, 403, "{body}");
}

#[test]
fn the_command_line_shows_tries_and_sets_and_the_next_start_has_it() {
    let folder = crate::served::Folder::new("amendments-cli");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let officer = Person::added(&served, &data, "Officer", "officer");
    let carer = Person::added(&served, &data, "Carer", "caseworker");
    let acts = |person: &Person| format!("{}\n{PASSWORD}\n{}\n", person.name, person.code());
    let (file, code_file) = (folder.join("policy.cedar"), folder.join("code"));
    let rule = r#"@id("no-programs") @because("No program reads here.")
        forbid (principal == Role::"client", action == Action::"read", resource == Kind::"identity");"#;
    std::fs::write(&file, rule).expect("a file");
    let patient = served.url("/fhir/Patient");
    assert_eq!(get(&patient, Some(&token)).0, 200);
    drop(served);

    let shown = homecoming_done(&["policy", "show", "--data", &data]);
    assert!(shown.contains("base policy alone"), "{shown}");
    let base = homecoming_done(&["policy", "show", "--base", "--data", &data]);
    assert!(base.contains("@id(\"notes-never-evaluator\")"));
    let tried = Command::new(HOMECOMING)
        .args(["policy", "try", &file, "--data", &data, "--json"])
        .output()
        .expect("it runs");
    assert_eq!(tried.status.code(), Some(1), "something would change");
    let tried: serde_json::Value = serde_json::from_slice(&tried.stdout).expect("JSON");
    assert!(
        tried["changes"]
            .as_array()
            .is_some_and(|changes| !changes.is_empty())
    );
    std::fs::write(&code_file, acts(&officer)).expect("a file");
    let said = homecoming_done(&[
        "policy",
        "set",
        &file,
        "--data",
        &data,
        "--why",
        "Decided.",
        "--code-file",
        &code_file,
    ]);
    assert!(said.contains("It is in force."), "{said}");
    let shown = homecoming_done(&["policy", "show", "--data", &data]);
    assert!(
        shown.contains("no-programs") && shown.contains("Decided."),
        "{shown}"
    );
    // Somebody who is no officer puts nothing in force.
    std::fs::write(&code_file, acts(&carer)).expect("a file");
    let refused = homecoming(&[
        "policy",
        "set",
        &file,
        "--data",
        &data,
        "--why",
        "Mine.",
        "--code-file",
        &code_file,
    ]);
    assert_eq!(refused.status.code(), Some(3));

    let served = Served::start(&data);
    let created = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build();
    let agent: ureq::Agent = created.into();
    let answer = agent
        .put(served.url("/fhir/Patient/p"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(r#"{"resourceType":"Patient","id":"p"}"#)
        .expect("an answer");
    assert_eq!(answer.status().as_u16(), 201);
    assert_eq!(get(&served.url("/fhir/Patient/p"), Some(&token)).0, 404);
    drop(served);
    assert!(homecoming(&["audit", "--data", &data]).status.success());
}
