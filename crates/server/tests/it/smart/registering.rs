//! Registering: on the record, by whom, and refused where it does not fit.

use super::*;
use crate::served::{Folder, get, homecoming, programme};

#[test]
fn each_change_of_a_client_is_a_version_on_the_record() {
    let folder = Folder::new("smart-registering");
    let (data, all) = programme(&folder);
    register_key(&data, "lab", "system/Patient.r", 7);
    let served = Served::start(&data);
    let history = || {
        let (status, body) = get(&served.url("/fhir/Basic/client-lab/_history"), Some(&all));
        assert_eq!(status, 200, "{body}");
        let bundle: Json = serde_json::from_str(&body).expect("JSON");
        bundle["entry"].as_array().expect("entries").len()
    };
    assert_eq!(history(), 1, "at the start");
    homecoming_done(&[
        "client",
        "change",
        "lab",
        "--data",
        &data,
        "--scope",
        "system/Patient.rs",
    ]);
    homecoming_done(&[
        "client",
        "change",
        "lab",
        "--data",
        &data,
        "--title",
        "Laboratory",
    ]);
    // It is written before the client is let in with it.
    let (status, said) = token_by(&served, &assertion("lab", &served, 7), "system/Patient.rs");
    assert_eq!(status, 200, "{said}");
    assert_eq!(said["scope"], "system/Patient.rs");
    assert_eq!(history(), 3);
    let (_, body) = get(&served.url("/fhir/Basic/client-lab"), Some(&all));
    for part in ["Laboratory", "system/Patient.rs", "\"enabled\""] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
    // Nobody writes it but the programme.
    let forged = r#"{"resourceType":"Basic","id":"client-lab","code":{"coding":[{"system":"urn:homecoming:governance","code":"client"}]}}"#;
    let answer = agent()
        .put(served.url("/fhir/Basic/client-lab"))
        .header("Authorization", &format!("Bearer {all}"))
        .header("Content-Type", "application/fhir+json")
        .send(forged)
        .expect("the server answers");
    assert_eq!(answer.status().as_u16(), 403);
}

#[test]
fn what_does_not_fit_together_is_not_registered() {
    let folder = Folder::new("smart-misfits");
    let (data, _) = programme(&folder);
    let add = |words: &[&str]| {
        let mut all = vec!["client", "add", "misfit", "--data", data.as_str()];
        all.extend(words);
        homecoming(&all).status.code()
    };
    for words in [
        &["--scope", "user/*.rs"][..],
        &["--scope", "nonsense"],
        &["--scope", "system/*.rs", "--proof", "public"],
        &[
            "--scope",
            "user/*.rs",
            "--proof",
            "public",
            "--redirect",
            "http://app.example/",
        ],
        &[
            "--scope",
            "user/*.rs",
            "--proof",
            "public",
            "--redirect",
            "javascript:alert(1)",
        ],
        &["--scope", "system/*.rs", "--proof", "key"],
        &[
            "--scope",
            "system/*.rs",
            "--proof",
            "key",
            "--keys-url",
            "file:///etc/passwd",
        ],
    ] {
        assert_eq!(add(words), Some(2), "{words:?}");
    }
    assert_eq!(add(&["--scope", "system/*.rs"]), Some(0));
    assert_eq!(
        add(&["--scope", "system/*.rs"]),
        Some(3),
        "the name is taken"
    );
}

#[test]
fn an_officer_registers_on_a_page_and_nobody_else() {
    let folder = Folder::new("smart-page");
    let data = folder.join("demo");
    let served = Served::demo(&data);
    let cookie = |code: &str| super::apps::sign_in(&served, code);
    let officer = cookie("demo-officer-1");
    let caseworker = cookie("demo-caseworker-1");
    let sent = [
        ("name", "chart"),
        ("title", "Chart"),
        ("scope", "patient/Observation.rs launch/patient"),
        ("purpose", "TREAT"),
        ("proof", "secret"),
        ("redirects", "https://app.example/back\n"),
    ];
    let post = |cookie: &str, path: &str, fields: &[(&str, &str)], origin: Option<&str>| {
        let mut request = agent().post(served.url(path)).header("Cookie", cookie);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let mut answer = request
            .send_form(fields.iter().copied())
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap_or_default(),
        )
    };
    assert_eq!(post(&caseworker, "/apps", &sent, None).0, 403);
    assert_eq!(
        post(&officer, "/apps", &sent, Some("https://evil.example")).0,
        403
    );
    let (status, page) = post(&officer, "/apps", &sent, None);
    assert_eq!(status, 200);
    assert!(page.contains("hcs_"), "the secret is shown once: {page}");
    let (status, page) = post(&officer, "/apps", &sent, None);
    assert_eq!(status, 409);
    assert!(
        page.contains("There is a client named chart already"),
        "{page}"
    );
    let mut wrong = sent;
    wrong[5].1 = "http://app.example/back";
    let (status, page) = post(&officer, "/apps/chart", &wrong, None);
    assert_eq!(status, 422);
    assert!(page.contains("use https"), "{page}");
    assert_eq!(post(&officer, "/apps/chart/disable", &[], None).0, 303);
    let seen = |cookie: &str, path: &str| {
        let mut answer = agent()
            .get(served.url(path))
            .header("Cookie", cookie)
            .call()
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap_or_default(),
        )
    };
    let (status, page) = seen(&officer, "/apps/chart");
    assert_eq!(status, 200);
    assert!(page.contains("It is disabled."), "{page}");
    assert!(!page.contains("hcs_"), "the secret is shown again");
    assert_eq!(seen(&caseworker, "/apps").0, 403);
    assert_eq!(seen(&caseworker, "/apps/mine").0, 200);
}

#[test]
fn a_token_that_was_made_here_ends_with_that_proof() {
    let folder = Folder::new("smart-reproving");
    let (data, all) = programme(&folder);
    homecoming_done(&[
        "client",
        "add",
        "lab",
        "--data",
        &data,
        "--scope",
        "system/Patient.r token.introspect",
    ]);
    let token = homecoming_done(&["token", "--data", &data, "--client", "lab"]);
    let token = token.trim();
    let served = Served::start(&data);
    let status = |token: &str| get(&served.url("/fhir/Patient/nobody"), Some(token)).0;
    assert_eq!((status(token), status(&all)), (404, 404));
    let file = format!("{data}/lab.jwks");
    std::fs::write(&file, json!({ "keys": [jwk(7, "k")] }).to_string()).expect("it is written");
    homecoming_done(&[
        "client", "change", "lab", "--data", &data, "--proof", "key", "--keys", &file,
    ]);
    // By whoever asks the server afresh: a token that it remembers is believed for five seconds.
    let assertion = assertion("lab", &served, 7);
    let (status_of, said) = form(
        &served.url("/oauth/introspect"),
        &[
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
            ("token", token),
        ],
        &[],
    );
    assert_eq!((status_of, &said["active"]), (200, &json!(false)), "{said}");
    let soon = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        status(token) == 401
    });
    assert!(soon, "the old token is believed");
    assert_eq!(status(&all), 404, "another client's");
}
