//! Passkeys, in a real browser with an authenticator that is not real.

use std::time::Duration;

use serde_json::json;

use super::people::{PASSWORD, Person};
use super::served::{Folder, Served, begun, get, homecoming_done, programme};
use super::webdriver::Browser;

/// Waits until the browser is at an address.
fn until_at(browser: &Browser, path: &str) {
    for _ in 0..100 {
        if browser.run("return location.pathname").as_str() == Some(path) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!(
        "not at {path} but at {}: {}",
        browser.run("return location.href"),
        browser.text("main")
    );
}

#[test]
fn a_passkey_is_made_and_signs_in_without_a_name() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new("passkeys");
    let (data, code) = begun(&folder);
    let served = Served::start(&data);
    let base = format!("http://localhost:{}", served.address.port());
    browser.authenticator(true);

    // The code comes from the part of the link that is sent to nobody, and goes from the address.
    browser.go(&format!("{base}/enrol#{code}"));
    for _ in 0..50 {
        if browser.run("return location.hash").as_str() == Some("") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(
        browser.run("return location.href"),
        json!(format!("{base}/enrol"))
    );
    browser.follow("form.stack button");
    until_at(&browser, "/enrol");
    browser.write("#passkey-name", "My phone");
    browser.click("button[data-passkey]");
    until_at(&browser, "/account");
    assert!(
        browser.text("main").contains("Passkey My phone"),
        "{}",
        browser.text("main")
    );

    browser.follow("form.user button");
    sign_in(&browser);
    until_at(&browser, "/caseload");
    browser.go(&format!("{base}/account"));
    assert!(
        browser.text("main").contains("with a passkey"),
        "{}",
        browser.text("main")
    );
    browser.go(&format!("{base}/account/again?next=/drafts"));
    browser.click("button[data-passkey]");
    until_at(&browser, "/drafts");

    // An authenticator that does not verify its user opens nothing.
    browser.user_verified(false);
    browser.follow("form.user button");
    until_at(&browser, "/sign-in");
    browser.click("button[data-passkey]");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(browser.run("return location.pathname"), json!("/sign-in"));
}

/// Signs in with the passkey: by itself where the browser offers it, or else by the button.
fn sign_in(browser: &Browser) {
    std::thread::sleep(Duration::from_millis(1_000));
    if browser.run("return location.pathname").as_str() == Some("/sign-in") {
        browser.click("button[data-passkey]");
    }
}

/// What a passkey signed is checked by anybody, without the server; what a password stood for is not.
#[test]
fn an_entry_is_signed_with_a_passkey_and_the_export_says_who() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new("signing");
    let (data, token) = programme(&folder);
    for (name, id) in [("Dana Whitfield", "d"), ("R. Osei", "o")] {
        homecoming_done(&[
            "user",
            "add",
            name,
            "--data",
            &data,
            "--role",
            "caseworker",
            "--practitioner",
            id,
        ]);
    }
    let served = Served::start(&data);
    let code = |name: &str| {
        let said = homecoming_done(&["user", "code", name, "--data", &data]);
        said.lines().last().expect("a code").to_owned()
    };
    let osei = Person::enrol(&served, "R. Osei", &code("R. Osei"));
    let base = format!("http://localhost:{}", served.address.port());
    browser.authenticator(true);
    browser.go(&format!("{base}/enrol#{}", code("Dana Whitfield")));
    std::thread::sleep(Duration::from_millis(500));
    browser.follow("form.stack button");
    until_at(&browser, "/enrol");
    browser.click("button[data-passkey]");
    until_at(&browser, "/account");
    let account = browser.text("main");
    let key = account
        .split("known by ")
        .nth(1)
        .expect("a key")
        .split_whitespace()
        .next()
        .expect("its number");
    let key = key.trim_end_matches('.').to_owned();
    assert_eq!(key.len(), 32, "{account}");

    let put = |kind: &str, id: &str, body: &str| {
        let answer = ureq::put(served.url(&format!("/fhir/{kind}/{id}")))
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json")
            .send(body)
            .expect("it is taken");
        assert!(answer.status().is_success());
    };
    for id in ["d", "o"] {
        let body = format!(r#"{{"resourceType":"Practitioner","id":"{id}"}}"#);
        put("Practitioner", id, &body);
    }
    let patient = r#"{"resourceType":"Patient","id":"p","generalPractitioner":[{"reference":"Practitioner/d"},{"reference":"Practitioner/o"}]}"#;
    put("Patient", "p", patient);
    let note = |text: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","code":{{"text":"{text}"}},"subject":{{"reference":"Patient/p"}}}}"#
        )
    };
    put("Observation", "o", &note("first"));
    let (_, found) = get(&served.url("/log/test-programme/checkpoint"), None);
    let size: u64 = found
        .lines()
        .nth(1)
        .and_then(|line| line.parse().ok())
        .expect("a size");
    let entry = format!("/entries/{}", size - 1);

    // Only whoever recorded it is its author.
    browser.go(&format!("{base}{entry}/sign?meaning=authored"));
    assert!(
        browser.text("main").contains("You did not record this"),
        "{}",
        browser.text("main")
    );
    browser.go(&format!("{base}{entry}/sign?meaning=reviewed"));
    assert!(
        browser.text("main").contains("meaning reviewed"),
        "{}",
        browser.text("main")
    );
    browser.click("button[data-passkey]");
    until_at(&browser, &entry);
    let shown = browser.text("main");
    assert!(
        shown.contains("Signed as reviewed by Dana Whitfield"),
        "{shown}"
    );
    assert!(
        shown.contains(&key) && shown.contains("The signature fits this version"),
        "{shown}"
    );
    assert!(!shown.contains("does not fit"), "{shown}");

    // With a password the server stands for it; a wrong one signs nothing.
    let wrong = osei.browser.post(
        &format!("{entry}/sign"),
        &[
            ("meaning", "approved"),
            ("password", "wrong wrong wrong"),
            ("one-time", "000000"),
        ],
    );
    assert_eq!(wrong.status, 403);
    let fields = [
        ("meaning", "approved"),
        ("password", PASSWORD),
        ("one-time", &osei.code()),
    ];
    let signed = osei.browser.post(&format!("{entry}/sign"), &fields);
    assert_eq!(
        (signed.status, &*signed.location),
        (303, &*entry),
        "{}",
        signed.body
    );

    // The next version is not signed by any of this, and the old one cannot be signed any more.
    put("Observation", "o", &note("second"));
    let old = osei.browser.get(&format!("{entry}/sign?meaning=witnessed"));
    assert!(old.body.contains("Only the newest version"), "{}", old.body);

    let file = folder.join("p.export");
    drop(served);
    homecoming_done(&["export", "--data", &data, "--person", "p", "--out", &file]);
    let said = homecoming_done(&["verify", &file]);
    let proved = said
        .split("It does not prove")
        .next()
        .expect("a first part");
    assert!(
        proved.contains("signed as reviewed by Dana Whitfield (Practitioner/d)"),
        "{said}"
    );
    assert!(
        proved.contains(&format!(
            "with the passkey {key}, a key that the server does not have"
        )),
        "{said}"
    );
    assert!(!proved.contains("R. Osei"), "{said}");
    assert!(
        said.contains("signed as approved by R. Osei (Practitioner/o)")
            && said.contains("as the server says"),
        "{said}"
    );
    assert!(
        said.contains("a key of a signer's own signed 1 of them"),
        "{said}"
    );

    // No client can write what only a signature says.
    let served = Served::start(&data);
    let forged = r#"{"resourceType":"Provenance","id":"f","target":[{"reference":"Observation/o"}],"recorded":"2026-01-01T00:00:00Z","activity":{"coding":[{"system":"urn:homecoming:governance","code":"signature"}]},"agent":[{"who":{"display":"Somebody"}}]}"#;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let answer = agent
        .put(served.url("/fhir/Provenance/f"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(forged)
        .expect("an answer");
    assert!(answer.status().is_client_error(), "{}", answer.status());
}
