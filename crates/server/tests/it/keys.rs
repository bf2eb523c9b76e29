//! The keys of a programme: changed, put in escrow, lost, destroyed against the law, brought back.

use std::path::Path;
use std::sync::Arc;

use ledger::{Class, Keys, Ledger};
use seal::{Key, KeyProvider, ProviderError};
use serde_json::Value;
use server::chance::Chance;
use server::clock::Clock;
use server::programme::{Offline, keys};

use crate::served::{Folder, homecoming, homecoming_done};

const PEOPLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
{"resource":{"resourceType":"Patient","id":"one"},"request":{"method":"PUT","url":"Patient/one"}},
{"resource":{"resourceType":"Patient","id":"two"},"request":{"method":"PUT","url":"Patient/two"}},
{"resource":{"resourceType":"DocumentReference","id":"note","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},"status":"current","subject":{"reference":"Patient/one"},"content":[{"attachment":{"title":"said in confidence"}}]},"request":{"method":"PUT","url":"DocumentReference/note"}}
]}"#;

/// A programme with two people, one of whom has a therapy note.
fn made(folder: &Folder) -> String {
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "North"]);
    let file = folder.join("people.json");
    std::fs::write(&file, PEOPLE).expect("written");
    homecoming_done(&["import", "--data", &data, &file]);
    data
}

fn status(data: &str) -> (Option<i32>, Value) {
    let output = homecoming(&["keys", "status", "--data", data, "--json"]);
    let said = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.code(), said)
}

/// The command fails with this exit code and a sentence that has these words.
fn refused(words: &[&str], code: i32, says: &str) {
    let output = homecoming(words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
    assert!(said.contains(says), "{words:?}: {said}");
}

fn slots(data: &str, person: &str) -> Vec<(Class, u32)> {
    let keys = Keys::open(Path::new(data), None).expect("keys");
    let ledger = Ledger::open(Path::new(data), 1, keys).expect("a ledger");
    let uses = ledger.slots_of(person).expect("read");
    uses.iter().map(|used| (used.class, used.slot)).collect()
}

/// What the record says was done to the keys: codes and sentences, in order.
fn noted(data: &str) -> Vec<(String, String)> {
    let keys = Keys::open(Path::new(data), None).expect("keys");
    let ledger = Ledger::open(Path::new(data), 1, keys).expect("a ledger");
    (0..ledger.size().expect("a size"))
        .filter_map(|position| ledger.content(position).ok())
        .filter_map(|content| serde_json::from_slice::<Value>(&content.stored).ok())
        .filter(|resource| resource["code"]["coding"][0]["system"] == "urn:homecoming:governance")
        .filter_map(|resource| {
            let code = resource["code"]["coding"][0]["code"].as_str()?.to_owned();
            code.starts_with("keys-").then(|| {
                (
                    code,
                    resource["code"]["text"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                )
            })
        })
        .collect()
}

#[test]
fn keys_destroyed_without_an_erasure_show_and_come_back_from_escrow() {
    let folder = Folder::new("keys-escrow");
    let data = made(&folder);
    let classes: Vec<Class> = slots(&data, "one")
        .iter()
        .map(|(class, _)| *class)
        .collect();
    assert_eq!(classes, [Class::Record, Class::Notes]);
    let out = folder.join("shares");
    let escrow = |need: &str, person: &str, out: &str| {
        homecoming(&[
            "keys", "escrow", "--data", &data, "--person", person, "--need", need, "--of", "3",
            "--out", out,
        ])
    };
    assert_eq!(
        escrow("4", "one", &folder.join("no")).status.code(),
        Some(3)
    );
    assert_eq!(
        escrow("2", "nobody", &folder.join("none")).status.code(),
        Some(3)
    );
    assert!(escrow("2", "one", &out).status.success());
    let share = |name: &str| format!("{out}/share-{name}.txt");
    let participants = std::fs::read_to_string(share("1-participant")).expect("a share");
    assert!(participants.contains("Share 1 of 3, for the participant. With one more of them"));

    // Whoever has root destroys the keys, without an erasure.
    let keys = Keys::open(Path::new(&data), None).expect("keys");
    let theirs: Vec<u32> = slots(&data, "one").iter().map(|(_, slot)| *slot).collect();
    keys.destroy(&theirs, &mut |bytes| bytes.fill(7))
        .expect("destroyed");
    let (code, said) = status(&data);
    assert_eq!(code, Some(1));
    assert_eq!(said["unaccounted"], serde_json::json!(theirs));

    let bundle = format!("{out}/escrowed.keys");
    let one = share("1-participant");
    let (two, three) = (share("2"), share("3"));
    let recover = ["keys", "recover", "--data", &data, &bundle];
    fn with<'a>(recover: &[&'a str], shares: &[&'a str]) -> Vec<&'a str> {
        [recover, shares].concat()
    }
    refused(
        &with(&recover, &[&one]),
        2,
        "1 different shares were given, and 2 are needed",
    );
    let said = homecoming_done(&with(&recover, &[&one, &three]));
    assert!(said.starts_with("2 of the keys of the person"), "{said}");
    assert_eq!(status(&data).0, Some(0));
    homecoming_done(&["audit", "--data", &data]);
    assert!(
        homecoming_done(&with(&recover, &[&two, &three]))
            .starts_with("None of these keys is missing")
    );

    let codes: Vec<String> = noted(&data).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["keys-escrowed", "keys-recovered"]);
}

#[test]
fn the_wrapping_key_from_escrow_opens_the_keys_of_a_lost_machine_until_it_is_changed() {
    let folder = Folder::new("keys-wrapping");
    let data = made(&folder);
    let out = folder.join("shares");
    homecoming_done(&[
        "keys", "escrow", "--data", &data, "--need", "2", "--of", "2", "--out", &out,
    ]);
    let provider = format!("{data}/keys/provider.key");
    std::fs::remove_file(&provider).expect("lost");
    refused(
        &["audit", "--data", &data],
        3,
        "keys/provider.key` is missing",
    );
    let recover = [
        "keys",
        "recover",
        "--data",
        &data,
        &format!("{out}/escrowed.keys"),
        &format!("{out}/share-1.txt"),
        &format!("{out}/share-2.txt"),
    ];
    homecoming_done(&recover);
    homecoming_done(&["audit", "--data", &data]);
    homecoming_done(&["keys", "rotate", "--data", &data, "--wrapping"]);
    refused(&recover, 3, "wrapped under another wrapping key");
    homecoming_done(&["audit", "--data", &data]);
    let codes: Vec<String> = noted(&data).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["keys-escrowed", "keys-recovered", "keys-rotated"]);
}

#[test]
fn rotation_begins_an_epoch_and_makes_old_copies_of_the_keyring_worthless() {
    let folder = Folder::new("keys-rotate");
    let data = made(&folder);
    let (_, before) = status(&data);
    assert_eq!(before["epoch"], 1);
    let keyring = format!("{data}/keys/ledger.keyring");
    let old = std::fs::read(&keyring).expect("a keyring");
    homecoming_done(&["keys", "rotate", "--data", &data]);
    let (_, after) = status(&data);
    assert_eq!(after["epoch"], 2);
    assert_ne!(after["wrapping"], before["wrapping"]);
    let note = PEOPLE.replace("said in confidence", "said later");
    let file = folder.join("later.json");
    std::fs::write(&file, note).expect("written");
    homecoming_done(&["import", "--data", &data, &file]);
    let classes: Vec<Class> = slots(&data, "one")
        .iter()
        .map(|(class, _)| *class)
        .collect();
    assert_eq!(
        classes,
        [Class::Record, Class::Record, Class::Notes, Class::Notes]
    );
    homecoming_done(&["audit", "--data", &data]);
    let new = std::fs::read(&keyring).expect("a keyring");
    std::fs::write(&keyring, old).expect("put back");
    refused(
        &["audit", "--data", &data],
        3,
        "the keyring is wrapped under another wrapping key",
    );
    std::fs::write(&keyring, new).expect("put back");
    homecoming_done(&["keys", "rotate", "--data", &data, "--epoch"]);
    let (_, last) = status(&data);
    assert_eq!(
        (&last["epoch"], &last["wrapping"]),
        (&3.into(), &after["wrapping"])
    );
}

#[test]
fn a_passphrase_is_asked_for_from_when_it_is_set_until_it_is_taken_away() {
    let folder = Folder::new("keys-passphrase");
    let data = made(&folder);
    let (right, wrong) = (folder.join("right"), folder.join("wrong"));
    std::fs::write(&right, "a long winter\n").expect("written");
    std::fs::write(&wrong, "a long summer\n").expect("written");
    homecoming_done(&[
        "keys",
        "passphrase",
        "--data",
        &data,
        "--new-passphrase-file",
        &right,
    ]);
    let audit = ["audit", "--data", &data];
    let with_right = [&audit[..], &["--passphrase-file", &right]].concat();
    let with_wrong = [&audit[..], &["--passphrase-file", &wrong]].concat();
    refused(&audit, 3, "protected by a passphrase");
    refused(&with_wrong, 3, "the passphrase is not the one");
    homecoming_done(&with_right);
    homecoming_done(&[
        "keys",
        "passphrase",
        "--data",
        &data,
        "--passphrase-file",
        &right,
        "--none",
    ]);
    homecoming_done(&audit);
    refused(
        &with_right,
        3,
        "a passphrase was given, but the programme's key has none",
    );
}

/// A provider of another kind, which has the one key that it was given.
struct Safe(Key);

impl KeyProvider for Safe {
    fn describe(&self) -> &str {
        "a safe"
    }

    fn wrap(
        &self,
        _key: &Key,
        _context: &[u8],
        _chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, ProviderError> {
        Err(ProviderError::Unavailable("it is full".to_owned()))
    }

    fn unwrap(&self, _wrapped: &[u8], _context: &[u8]) -> Result<Key, ProviderError> {
        Ok(self.0.clone())
    }
}

/// The commands know `provider.key` alone. Keys under another provider they leave as they are, and the record tells
/// of nothing that was not done.
#[test]
fn keys_under_another_provider_are_left_to_it() {
    let folder = Folder::new("keys-provider");
    let data = made(&folder);
    let path = Path::new(&data);
    let wrapping = Keys::open(path, None).expect("keys").wrapping();
    let file = path.join("keys").join("programme.key");
    let text = std::fs::read_to_string(&file).expect("a file");
    let (head, _) = text.split_once("current ").expect("a wrapped key");
    let text = format!("{head}current YSBzYWZl\n");
    std::fs::write(&file, &text).expect("written");
    let passphrase = folder.join("passphrase");
    std::fs::write(&passphrase, "one").expect("written");
    let words = "another provider protects the keys";
    let new = ["--new-passphrase-file", &passphrase];
    refused(&["keys", "status", "--data", &data], 3, words);
    let set = ["keys", "passphrase", "--data", &data];
    refused(&[&set[..], &new[..]].concat(), 3, words);

    let disk = Arc::new(ledger::keys::Folder::new(path.join("keys")));
    let opened = Keys::open_with(disk, Arc::new(Safe(wrapping.key().clone()))).expect("opens");
    let system = (Clock::System, Chance::System);
    let mut offline =
        Offline::open(path, opened, system.0, system.1, &mut |_, _| {}).expect("a programme");
    let size = |offline: &Offline| offline.ledger().size().expect("a size");
    let before = size(&offline);
    let outcome = keys::set_passphrase(&mut offline, Some(b"one"));
    let said = outcome.expect_err("a safe has none").to_string();
    let words = "protected by a safe, to which there is no passphrase";
    assert!(said.contains(words), "{said}");
    assert_eq!(size(&offline), before);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
}
