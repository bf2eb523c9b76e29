//! What an app does not get past: the kinds and the purpose that it is registered for.

use super::apps::{register, settled, through};
use super::*;
use crate::permits::Ward;

/// The token of an app that somebody allowed all of these.
fn allowed(ward: &Ward, who: &str, client: &str, scope: &str, person: &str) -> String {
    let said = through(&ward.served, ward.cookie(who), client, scope, person);
    let said = said.unwrap_or_else(|why| panic!("{who} {client} {scope}: {why}"));
    assert_eq!(said["scope"], scope);
    text(&said, "access_token").to_owned()
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
    let sees = |name: &str, sees: Option<&str>| {
        let more: Vec<&str> = sees.iter().flat_map(|kinds| ["--sees", *kinds]).collect();
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
    let (all, _) = sees("all", None);
    assert_eq!(all[0], 200);
    assert!(
        all[1..].contains(&200),
        "whoever allows it sees something of it: {all:?}"
    );
    let (none, token) = sees("none", Some("nothing"));
    assert_eq!(none, [200, 404, 404, 404]);
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},"#;
    let plain = observation("by-none", "a", "final");
    let labelled = plain.replacen('{', &format!("{{{label}"), 1);
    let put = |body: &str| ask(&ward, &token, "PUT", "/Observation/by-none", &[], body);
    let (status, body) = put(&labelled);
    assert_eq!(status, 403, "{body}");
    let (status, body) = put(&plain);
    assert_eq!(status, 201, "{body}");
    let (some, _) = sees("some", Some("restricted"));
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
