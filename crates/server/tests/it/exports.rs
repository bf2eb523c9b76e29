//! Exports and promises through the built binary: made, verified, tampered with, broken.

use std::io::Write as _;

use crate::served::{Folder, Served, get, homecoming, homecoming_done, log_key, programme};

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
 {"resource":{"resourceType":"Patient","id":"anna","name":[{"family":"Reyes"}]},"request":{"method":"PUT","url":"Patient/anna"}},
 {"resource":{"resourceType":"Patient","id":"otto"},"request":{"method":"PUT","url":"Patient/otto"}},
 {"resource":{"resourceType":"Observation","id":"one","status":"final","code":{"text":"sleep"},"subject":{"reference":"Patient/anna"},"valueInteger":4},"request":{"method":"PUT","url":"Observation/one"}},
 {"resource":{"resourceType":"Observation","id":"two","status":"final","code":{"text":"sleep"},"subject":{"reference":"Patient/otto"},"valueInteger":5},"request":{"method":"PUT","url":"Observation/two"}},
 {"resource":{"resourceType":"Observation","id":"three","status":"final","code":{"text":"sleep"},"subject":{"reference":"Patient/anna"},"valueInteger":6},"request":{"method":"PUT","url":"Observation/three"}}]}"#;

fn write(path: &str, bytes: &[u8]) {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(bytes).expect("it is written");
}

/// Runs `verify` and gives its exit code and its words.
fn verify(words: &[&str]) -> (i32, String) {
    let words: Vec<&str> = ["verify"].iter().chain(words).copied().collect();
    let output = homecoming(&words);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn an_export_is_made_verified_and_found_out_when_tampered_with() {
    let folder = Folder::new("exports");
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "Exports"]);
    let bundle = folder.join("bundle.json");
    write(&bundle, BUNDLE.as_bytes());
    homecoming_done(&["import", "--data", &data, &bundle]);
    let file = folder.join("anna.export");
    let said = homecoming_done(&[
        "export", "--data", &data, "--person", "anna", "--out", &file,
    ]);
    assert!(said.starts_with("3 entries"), "{said}");

    let key = log_key(&data);
    let (code, said) = verify(&[&file, "--key", &key]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("These 3 entries are all that the log"),
        "{said}"
    );
    assert!(said.contains("asserted by the server"), "{said}");
    let (code, said) = verify(&[&file, "--json"]);
    assert!(code == 0 && said.contains("\"entries\":3"), "{said}");

    // The second export tells of the first one: it was a disclosure.
    let again = folder.join("again.export");
    homecoming_done(&[
        "export", "--data", &data, "--person", "anna", "--out", &again,
    ]);
    let text = std::fs::read_to_string(&again).expect("it is text");
    assert!(text.contains(" operator PATRQT export "), "{text}");
    assert_eq!(verify(&[&again]).0, 0);

    // Nobody is without entries; nobody else's key vouches; nobody's witnesses are enough.
    let output = homecoming(&[
        "export", "--data", &data, "--person", "nobody", "--out", &again,
    ]);
    assert_eq!(output.status.code(), Some(3));
    let other = "other.example/log+5a2a1d0e+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(verify(&[&file, "--key", other]).0, 2);
    let witness = folder.join("witness");
    let policy = folder.join("policy");
    let line = tlog::cosignature::CosignerKey::from_seed(
        "w.example",
        tlog::cosignature::Algorithm::Ed25519,
        &[1; 32],
    )
    .expect("a key");
    write(
        &policy,
        format!("log {key}\nwitness w {}\nquorum w\n", line.witness()).as_bytes(),
    );
    let (code, said) = verify(&[&file, "--policy", &policy]);
    assert!(
        code == 1 && said.contains("cosigned by no witness"),
        "{said}"
    );
    drop(witness);

    // Tampered with: a value, an entry, an order.
    let tampered = folder.join("tampered");
    let good = std::fs::read_to_string(&file).expect("it is text");
    let check = |text: &str, expect: &str| {
        write(&tampered, text.as_bytes());
        let (code, said) = verify(&[&tampered, "--key", &key]);
        assert!(code == 1 && said.contains(expect), "{said}");
    };
    check(
        &good.replace("\"valueInteger\":6", "\"valueInteger\":2"),
        "was altered",
    );
    check(&good.replace("entries 3\n", "entries 2\n"), "not an export");
    let start = good.find("hc2 ").expect("a line");
    let second = start + 4 + good[start + 4..].find("\nhc2 ").expect("a second line");
    let without = good[..start].replace("entries 3", "entries 2") + &good[second + 1..];
    check(&without, "1 entries were left out");
}

#[test]
fn a_promise_is_shown_to_be_kept_or_broken() {
    let folder = Folder::new("promises");
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "Promises"]);
    let bundle = folder.join("bundle.json");
    write(&bundle, BUNDLE.as_bytes());
    homecoming_done(&["import", "--data", &data, &bundle]);
    let handed_in = folder.join("handed-in.json");
    let observation = r#"{ "resourceType": "Observation", "status":"final", "code":{"text":"sleep"},
        "subject":{"reference":"Patient/anna"}, "valueInteger": 6 }"#;
    write(&handed_in, observation.as_bytes());
    let promise = folder.join("promise");
    homecoming_done(&[
        "promise", "--data", &data, "--person", "anna", "--file", &handed_in, "--hours", "1",
        "--out", &promise,
    ]);
    let (code, said) = verify(&[&promise, "--json"]);
    assert!(
        code == 0 && said.contains("\"standing\":\"open\""),
        "{said}"
    );
    let export = folder.join("export");
    homecoming_done(&[
        "export", "--data", &data, "--person", "anna", "--out", &export,
    ]);
    let (code, said) = verify(&[&promise, "--with", &export, "--json"]);
    assert!(
        code == 0 && said.contains("\"standing\":\"kept\""),
        "{said}"
    );
    // Of somebody else it says nothing.
    homecoming_done(&[
        "export", "--data", &data, "--person", "otto", "--out", &export,
    ]);
    let (code, said) = verify(&[&promise, "--with", &export]);
    assert!(code == 1 && said.contains("somebody else"), "{said}");
    assert_eq!(verify(&[&export, "--with", &promise]).0, 2);
    let text = std::fs::read_to_string(&promise).expect("it is text");
    write(&promise, text.replace("\ndue 20", "\ndue 30").as_bytes());
    let (code, said) = verify(&[&promise]);
    assert!(code == 1 && said.contains("did not promise"), "{said}");
}

/// Handed in over HTTP, promised, recorded, and held against the receipt; and what the programme never recorded.
#[test]
fn a_promise_that_a_server_gave_is_held_against_what_it_recorded() {
    let folder = Folder::new("promised");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let post = |path: &str, body: &str| {
        let mut answer = agent
            .post(served.url(path))
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json")
            .send(body)
            .expect("an answer");
        let location = answer.headers().get("location").cloned();
        let location = location.map(|location| location.to_str().expect("text").to_owned());
        let body = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), body, location)
    };
    // With an absolute reference, and members in another order than they are stored in.
    let handed_in = |score: u32| {
        format!(
            r#"{{"valueInteger": {score}, "subject": {{"reference": "{}"}}, "code": {{"text": "sleep"}}, "status": "final", "resourceType": "Observation"}}"#,
            served.url("/fhir/Patient/anna")
        )
    };
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        write(&path, text.as_bytes());
        path
    };
    let promised = |score: u32| {
        let (status, promise, _) = post("/fhir/Observation/$promise?hours=2", &handed_in(score));
        assert_eq!(status, 200, "{promise}");
        file(&format!("promise-{score}"), &promise)
    };
    let (kept, forgotten) = (promised(6), promised(7));
    let key = log_key(&data);
    let standing = |words: &[&str]| {
        let words: Vec<&str> = words
            .iter()
            .chain(&["--key", &key, "--json"])
            .copied()
            .collect();
        let (code, said) = verify(&words);
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        (code, said["standing"].as_str().map(str::to_owned))
    };
    assert_eq!(standing(&[&kept]), (0, Some("open".to_owned())));
    let (status, said, location) = post("/fhir/Observation", &handed_in(6));
    assert_eq!(status, 201, "{said}");
    let location = location.expect("where it is");
    let receipt = get(&format!("{location}/$receipt"), Some(&token)).1;
    let receipt = file("receipt", &receipt);
    assert_eq!(
        standing(&[&kept, "--with", &receipt]),
        (0, Some("kept".to_owned()))
    );
    // The receipt of another thing keeps no promise.
    let (code, said) = verify(&[&forgotten, "--with", &receipt]);
    assert!(
        code == 1 && said.contains("something else than what was handed in"),
        "{said}"
    );
    assert_eq!(standing(&[&forgotten]), (0, Some("open".to_owned())));
}
