//! What an app does not get past: the kinds and the purpose that it is registered for, and each scope with its own
//! verbs and query.

use super::apps::{register, settled, through};
use super::*;
use crate::permits::Ward;
use crate::served::get;

/// The token of an app that somebody allowed all of these.
fn allowed(ward: &Ward, who: &str, client: &str, scope: &str, person: &str) -> String {
    let said = through(&ward.served, ward.cookie(who), client, scope, person);
    let said = said.unwrap_or_else(|why| panic!("{who} {client} {scope}: {why}"));
    assert_eq!(said["scope"], scope);
    text(&said, "access_token").to_owned()
}

/// The token of a new program that acts for itself.
fn program(ward: &Ward, name: &str, scope: &str) -> String {
    let data = ward.data();
    homecoming_done(&["client", "add", name, "--data", &data, "--scope", scope]);
    let token = homecoming_done(&["token", "--data", &data, "--client", name]);
    token.trim().to_owned()
}

/// A request with a token and more headers; status and body.
fn ask(
    ward: &Ward,
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(ward.served.url(&format!("/fhir{path}")))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        "" => agent().run(request.body(()).expect("a request")),
        body => agent().run(request.body(body.to_owned()).expect("a request")),
    };
    let mut answer = answer.expect("the server answers");
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    (answer.status().as_u16(), text)
}

/// An Observation as text.
fn observation(id: &str, person: &str, status: &str) -> String {
    let mut resource = json!({ "resourceType": "Observation", "id": id, "status": status,
        "code": { "text": "by an app" }, "subject": { "reference": format!("Patient/{person}") } });
    if id.is_empty() {
        resource.as_object_mut().expect("an object").remove("id");
    }
    resource.to_string()
}

#[test]
fn an_app_for_a_person_sees_the_kinds_that_it_is_registered_for() {
    let ward = Ward::open("app-sees");
    let kinds = [
        "Observation/care-of-a",
        "DocumentReference/notes-of-a",
        "Condition/sud-of-a",
        "Observation/restricted-of-a",
    ];
    let sees = |name: &str, sees: &str| {
        let more = ["--sees", sees];
        register(&ward.served, &ward.data(), name, "user/*.cruds", &more);
        let token = allowed(&ward, "hers", name, "user/*.cruds", "");
        let read = kinds.map(|path| ask(&ward, &token, "GET", &format!("/{path}"), &[], "").0);
        // What it does not see it does not find either.
        let found = ["Observation", "DocumentReference", "Condition"].map(|kind| {
            let (status, body) = ask(&ward, &token, "GET", &format!("/{kind}?patient=a"), &[], "");
            assert_eq!(status, 200, "{body}");
            body
        });
        for (path, status) in kinds.iter().zip(read) {
            let (_, id) = path.split_once('/').expect("an id");
            let is_found = found.iter().any(|body| body.contains(&format!("\"{id}\"")));
            assert_eq!(is_found, status == 200, "{name}: {path}");
        }
        (read, token)
    };
    let (all, _) = sees("all", "notes,sud,restricted");
    assert_eq!(all[0], 200);
    assert!(
        all[1..].contains(&200),
        "whoever allows it sees something of it: {all:?}"
    );
    let (none, token) = sees("none", "nothing");
    assert_eq!(none, [200, 404, 404, 404]);
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},"#;
    let plain = observation("by-none", "a", "final");
    let labelled = plain.replacen('{', &format!("{{{label}"), 1);
    let put = |body: &str| ask(&ward, &token, "PUT", "/Observation/by-none", &[], body);
    let (status, body) = put(&labelled);
    assert_eq!(status, 403, "{body}");
    let (status, body) = put(&plain);
    assert_eq!(status, 201, "{body}");
    let (some, _) = sees("some", "restricted");
    assert_eq!(some, [200, 404, 404, all[3]]);
}

#[test]
fn an_app_for_a_person_reads_for_what_it_is_registered_for() {
    let ward = Ward::open("app-purpose");
    let data = ward.data();
    let add = |name: &str, purpose: &str| {
        let more = ["--purpose", purpose];
        register(&ward.served, &data, name, "user/*.rs patient/*.rs", &more);
    };
    add("care", "TREAT");
    add("own", "PATRQT");
    let token = allowed(&ward, "hers", "care", "user/*.rs", "");
    for (stated, status) in [("", 200), ("TREAT", 200), ("HOPERAT", 403), ("ETREAT", 403)] {
        let headers = [("Purpose-Of-Use", stated)];
        let headers = &headers[..usize::from(!stated.is_empty())];
        let (seen, body) = ask(&ward, &token, "GET", "/Patient/a", headers, "");
        assert_eq!(seen, status, "{stated}: {body}");
        if status == 403 {
            assert!(body.contains("registered for treatment"), "{body}");
        }
    }
    // A participant reads for themself and for nothing else.
    let refused = through(
        &ward.served,
        ward.cookie("herself"),
        "care",
        "patient/*.rs",
        "",
    );
    let why = refused.expect_err("it is for treatment");
    assert!(why.contains("error=access_denied"), "{why}");
    assert!(!why.contains("code="), "{why}");
    let token = allowed(&ward, "herself", "own", "patient/*.rs", "");
    assert_eq!(ask(&ward, &token, "GET", "/Patient/a", &[], "").0, 200);
    // Registered for something else since: what it was given under the old purpose opens nothing.
    homecoming_done(&[
        "client",
        "change",
        "own",
        "--data",
        &data,
        "--purpose",
        "TREAT",
    ]);
    settled(&ward.served, "own");
    let is_refused = || ask(&ward, &token, "GET", "/Patient/a", &[], "").0 == 401;
    let soon = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        is_refused()
    });
    assert!(soon, "the server believes a grant for five seconds");
}

#[test]
fn each_scope_allows_its_own_verbs() {
    let ward = Ward::open("app-verbs");
    let there = |id: &str| {
        let path = format!("/fhir/Observation/{id}");
        get(&ward.served.url(&path), Some(&ward.token)).0
    };
    let put = |id: &str, status: &str| {
        ward.put(serde_json::from_str(&observation(id, "a", status)).expect("JSON"));
    };

    // Creates everything, deletes what is preliminary.
    let token = program(
        &ward,
        "lab",
        "system/Observation.crs system/Observation.d?status=preliminary",
    );
    put("draft", "preliminary");
    put("done", "final");
    let (status, body) = ask(&ward, &token, "DELETE", "/Observation/done", &[], "");
    assert_eq!(status, 403, "{body}");
    let entry = |kind: &str| {
        json!({ "resourceType": "Bundle", "type": kind,
            "entry": [{ "request": { "method": "DELETE", "url": "Observation/done" } }] })
        .to_string()
    };
    assert_eq!(
        ask(&ward, &token, "POST", "", &[], &entry("transaction")).0,
        403
    );
    let (status, body) = ask(&ward, &token, "POST", "", &[], &entry("batch"));
    assert!(status == 200 && body.contains("403"), "{status} {body}");
    let (status, body) = ask(
        &ward,
        &token,
        "DELETE",
        "/Observation?code=x&status=final",
        &[],
        "",
    );
    assert!(
        status == 204 || status == 403 || status == 412,
        "{status} {body}"
    );
    assert_eq!(there("done"), 200);
    let (status, body) = ask(&ward, &token, "DELETE", "/Observation/draft", &[], "");
    assert_eq!((status, there("draft")), (204, 410), "{body}");
    // Deletes what it may not read: what it may delete is gone, and of the other it learns nothing.
    put("blind", "preliminary");
    let token = program(&ward, "sweeper", "system/Observation.d?status=preliminary");
    for (id, left) in [("blind", 410), ("done", 200)] {
        let (status, body) = ask(
            &ward,
            &token,
            "DELETE",
            &format!("/Observation/{id}"),
            &[],
            "",
        );
        assert_eq!((status, there(id)), (204, left), "{id}: {body}");
    }
    // Creates what is preliminary, changes everything; a PUT is an update even of what is not there.
    let token = program(
        &ward,
        "writer",
        "system/Observation.c?status=preliminary system/Observation.u",
    );
    for (status, expected) in [("preliminary", 201), ("final", 403)] {
        let made = ask(
            &ward,
            &token,
            "POST",
            "/Observation",
            &[],
            &observation("", "a", status),
        );
        assert_eq!(made.0, expected, "{status}: {}", made.1);
    }
    let body = observation("upserted", "a", "final");
    assert_eq!(
        ask(&ward, &token, "PUT", "/Observation/upserted", &[], &body).0,
        201
    );
    assert_eq!(
        ask(&ward, &token, "PUT", "/Observation/upserted", &[], &body).0,
        200
    );

    // For a person: adds for everybody, changes of the one whom it was started on.
    let scopes = "user/Observation.c patient/Observation.u user/Observation.r patient/Observation.s \
                  user/Encounter.s patient/Encounter.r";
    register(&ward.served, &ward.data(), "chart", scopes, &[]);
    let writes = "user/Observation.c patient/Observation.u";
    let token = allowed(&ward, "supervisor", "chart", writes, "a");
    for (person, changed) in [("a", 200), ("b", 403)] {
        let new = observation("", person, "final");
        let (status, body) = ask(&ward, &token, "POST", "/Observation", &[], &new);
        assert_eq!(status, 201, "{person}: {body}");
        let id = format!("care-of-{person}");
        // Not by taking it to the other one's record either.
        for subject in [person, "a"] {
            let body = observation(&id, subject, "final");
            let path = format!("/Observation/{id}");
            let (status, body) = ask(&ward, &token, "PUT", &path, &[], &body);
            assert_eq!(status, changed, "{person} {subject}: {body}");
        }
    }
    // Reads of everybody, searches of the one; and the other way round.
    let reads = "user/Observation.r patient/Observation.s user/Encounter.s patient/Encounter.r";
    let token = allowed(&ward, "supervisor", "chart", reads, "a");
    for (kind, name, read_b, found_b) in [
        ("Observation", "care", 200, false),
        ("Encounter", "schedule", 404, true),
    ] {
        let read = |person: &str| {
            let path = format!("/{kind}/{name}-of-{person}");
            ask(&ward, &token, "GET", &path, &[], "").0
        };
        assert_eq!((read("a"), read("b")), (200, read_b), "{kind}");
        let (status, body) = ask(&ward, &token, "GET", &format!("/{kind}"), &[], "");
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("Patient/a"), "{kind}: {body}");
        assert_eq!(body.contains("Patient/b"), found_b, "{kind}: {body}");
    }
}

#[test]
fn scopes_are_about_leaves_of_the_access_log_as_about_all_else() {
    let ward = Ward::open("app-leaves");
    for person in ["a", "b"] {
        let path = format!("/fhir/Patient/{person}");
        assert_eq!(get(&ward.served.url(&path), Some(&ward.token)).0, 200);
    }
    let leaves = |token: &str| -> Vec<Json> {
        let (status, body) = ask(&ward, token, "GET", "/AuditEvent?_count=100", &[], "");
        assert_eq!(status, 200, "{body}");
        let bundle: Json = serde_json::from_str(&body).expect("JSON");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|one| one["resource"].clone()).collect()
    };
    let of =
        |leaf: &Json, person: &str| leaf.to_string().contains(&format!("\"Patient/{person}\""));
    let all = leaves(&ward.token);
    let of_b = all.iter().find(|leaf| of(leaf, "b") && !of(leaf, "a"));
    let of_b = format!("/AuditEvent/{}", text(of_b.expect("a leaf of b"), "id"));
    let of_a = all.iter().find(|leaf| of(leaf, "a") && !of(leaf, "b"));
    let of_a = format!("/AuditEvent/{}", text(of_a.expect("a leaf of a"), "id"));
    for (name, scope, read_b, found_b) in [
        ("both", "system/AuditEvent.rs", 200, true),
        ("one", "system/AuditEvent.rs?patient=Patient/a", 404, false),
        (
            "found",
            "system/AuditEvent.r system/AuditEvent.s?patient=Patient/a",
            200,
            false,
        ),
        (
            "read",
            "system/AuditEvent.r?patient=Patient/a system/AuditEvent.s",
            404,
            true,
        ),
    ] {
        let token = program(&ward, name, scope);
        let status = |path: &str| ask(&ward, &token, "GET", path, &[], "").0;
        assert_eq!((status(&of_a), status(&of_b)), (200, read_b), "{scope}");
        let found = leaves(&token);
        assert!(found.iter().any(|leaf| of(leaf, "a")), "{scope}");
        let tells_of_b = found.iter().any(|leaf| of(leaf, "b") && !of(leaf, "a"));
        assert_eq!(tells_of_b, found_b, "{scope}");
    }
}
