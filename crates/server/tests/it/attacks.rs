//! The attacks of whoever runs the server, each carried out for real against a running server's files: refused,
//! or found, with a message that says what was done. Their numbers are those of docs/threat-model.md.

mod across;
mod author;
mod backdating;
mod clock;
mod edit;
pub(crate) mod erasure;
mod forger;
mod fork;
mod immudb;
mod old_backup;
mod purpose;
mod rollback;
mod stolen_key;
mod swapped;
mod unwitnessed;
mod withholding;

use std::path::Path;

use crate::served::{
    Folder, Outside, Served, access_log_key, homecoming, homecoming_done, log_key, programme,
    set_witnesses,
};

/// A programme, its client's token and its one witness.
struct Ward {
    folder: Folder,
    data: String,
    token: String,
    witness: Outside,
}

impl Ward {
    fn new(name: &str) -> Ward {
        let folder = Folder::new(name);
        let (data, token) = programme(&folder);
        let logs = [log_key(&data), access_log_key(&data)];
        let witness = Outside::start(&folder.join("witness"), &[&logs[0], &logs[1]]);
        set_witnesses(&data, &[&witness], "1");
        Ward {
            folder,
            data,
            token,
            witness,
        }
    }

    /// Serves it, writes so many facts, waits until so many entries are cosigned, and stops. The first entry of
    /// a programme with a client is that client's registration.
    fn record(&self, prefix: &str, count: u64, size: u64) {
        let served = Served::start(&self.data);
        crate::witnesses::put_all(&served, &self.token, prefix, count);
        served.until_cosigned(size);
    }
}

/// Starts a server that must refuse; what it says.
fn refused(data: &str) -> String {
    let output = homecoming(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "it started: {said}");
    said
}

/// Whether a sentence says each of these.
fn says(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(
            sentence.contains(part),
            "it does not say {part:?}: {sentence}"
        );
    }
}

/// What an audit says, which must find something.
fn audit(data: &str) -> String {
    let output = homecoming(&["audit", "--data", data]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(1),
        "the audit found nothing: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// What `homecoming verify` says, and its exit code.
fn verify(words: &[&str]) -> (i32, String) {
    let words: Vec<&str> = ["verify"].iter().chain(words).copied().collect();
    let output = homecoming(&words);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), said)
}

/// The export of Patient/anna; the file.
fn export(folder: &Folder, data: &str, name: &str) -> String {
    let file = folder.join(name);
    homecoming_done(&["export", "--data", data, "--person", "anna", "--out", &file]);
    file
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"anna","name":[{"family":"Reyes"}]}"#;

fn observation(id: &str, value: u32) -> String {
    observation_of("anna", id, value)
}

fn observation_of(person: &str, id: &str, value: u32) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"sleep"}},"subject":{{"reference":"Patient/{person}"}},"effectiveDateTime":"2026-03-02","valueQuantity":{{"value":{value}}}}}"#
    )
}

/// A therapy note.
const NOTE: &str = r#"{"resourceType":"DocumentReference","id":"5eepab00000000nt","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},"status":"current","subject":{"reference":"Patient/anna"},"description":"what was confided","content":[{"attachment":{"title":"a session"}}]}"#;

/// A file to import: two persons, three scores, a therapy note.
fn bundle(folder: &Folder) -> String {
    let otto = r#"{"resourceType":"Patient","id":"otto"}"#.to_owned();
    let all = [
        ("Patient/anna", PATIENT.to_owned()),
        ("Patient/otto", otto),
        (
            "Observation/5eepab0000000001",
            observation("5eepab0000000001", 4),
        ),
        (
            "Observation/5eepab0000000002",
            observation("5eepab0000000002", 51),
        ),
        (
            "Observation/5eepab0000000009",
            observation_of("otto", "5eepab0000000009", 6),
        ),
        ("DocumentReference/5eepab00000000nt", NOTE.to_owned()),
    ];
    let entries: Vec<String> = all
        .iter()
        .map(|(name, body)| {
            format!(r#"{{"resource":{body},"request":{{"method":"PUT","url":"{name}"}}}}"#)
        })
        .collect();
    let file = folder.join("bundle.json");
    let text = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    );
    std::fs::write(&file, text).expect("written");
    file
}

/// A programme that has imported it, which ends with a map of heads; its client's token.
fn recorded(folder: &Folder) -> (String, String) {
    let (data, token) = programme(folder);
    homecoming_done(&["import", "--data", &data, &bundle(folder)]);
    (data, token)
}

/// Sends a resource; the status and the body.
fn send(served: &Served, token: &str, name: &str, body: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .put(served.url(&format!("/fhir/{name}")))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(body)
        .expect("an answer");
    (
        answer.status().as_u16(),
        answer.body_mut().read_to_string().expect("text"),
    )
}

/// Writes a resource, which is taken; what is answered.
fn put(served: &Served, token: &str, name: &str, body: &str) -> String {
    let (status, said) = send(served, token, name, body);
    assert!(matches!(status, 200 | 201), "{status} {said}");
    said
}

/// Copies a folder with all that is in it.
fn copy(from: &str, to: &str) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = Path::new(to).join(entry.file_name());
        let (from, to) = (entry.path(), to.display().to_string());
        if from.is_dir() {
            copy(&from.display().to_string(), &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}
