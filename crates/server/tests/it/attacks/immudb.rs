//! Three bugs of another ledger database, replayed here. The third, an audit that did not read an edited value
//! (immudb #2063 and #2091), is carried out in `edit`.

use super::{export, forger, recorded, refused, says, verify};
use crate::served::{Folder, Served, get, homecoming, homecoming_done, log_key};

/// GHSA-672p-m5jq-mrh8: the client believed proofs that the server made up, because it took sizes and roots from the
/// proof and not from what was signed. Whatever a server alters in a receipt or an export is refused.
#[test]
fn a_proof_that_the_server_made_up_is_not_believed() {
    let folder = Folder::new("immudb-proof");
    let (data, token) = recorded(&folder);
    let served = Served::start(&data);
    let receipt_of = |id: &str| {
        let address = served.url(&format!("/fhir/Observation/{id}/$receipt"));
        get(&address, Some(&token)).1
    };
    let (sound, other) = (
        receipt_of("5eepab0000000001"),
        receipt_of("5eepab0000000002"),
    );
    let key = log_key(&data);
    let file = folder.join("receipt");
    let check = |text: &str| {
        std::fs::write(&file, text).expect("written");
        verify(&[&file, "--key", &key])
    };
    assert_eq!(check(&sound).0, 0);
    let lines: Vec<&str> = sound.lines().collect();
    let others: Vec<&str> = other.lines().collect();
    assert_eq!(lines.len(), others.len(), "{sound}{other}");
    let refused = std::cell::Cell::new(0);
    let refuse = |what: &str, text: String| {
        let (code, said) = check(&text);
        assert_eq!(code, 1, "{what} was believed: {said}");
        says(&said, &["NOT VERIFIED"]);
        refused.set(refused.get() + 1);
    };
    for (at, line) in lines.iter().enumerate() {
        let with = |new: &str| {
            let mut altered = lines.clone();
            altered[at] = new;
            format!("{}\n", altered.join("\n"))
        };
        // A part of another sound proof.
        if *line != others[at] {
            refuse("a line of another receipt", with(others[at]));
        }
        // Left out; and another number, which is where the bug was.
        if !line.is_empty() {
            let mut without = lines.clone();
            without.remove(at);
            refuse(
                "a receipt without a line",
                format!("{}\n", without.join("\n")),
            );
        }
        if let Some((head, number)) = line
            .rsplit_once(' ')
            .and_then(|(head, number)| Some((head, number.parse::<u64>().ok()?)))
        {
            refuse("another number", with(&format!("{head} {}", number + 1)));
        }
        if let Ok(number) = line.parse::<u64>() {
            refuse("another size", with(&(number + 1).to_string()));
            refuse("another size", with(&number.saturating_sub(1).to_string()));
        }
    }
    assert!(refused.get() > 10, "{refused:?}");
    // A whole checkpoint that somebody else's key signed, of the same name.
    let impostor = tlog::note::SigningKey::from_seed(forger::key(&data).name(), &[3; 32])
        .expect("a key of the same name");
    let forged = forger::checkpoint(&impostor, &forger::lines(&data));
    let start = sound
        .find(&format!("{}\n", impostor.name()))
        .expect("its checkpoint");
    refuse(
        "another key's signature",
        format!("{}{forged}", &sound[..start]),
    );

    drop(served);
    // The same of an export: each line left out, and each doubled.
    let export = std::fs::read_to_string(export(&folder, &data, "export")).expect("text");
    let file = folder.join("altered");
    let lines: Vec<&str> = export.lines().collect();
    for at in (0..lines.len()).filter(|at| !lines[*at].is_empty()) {
        for doubled in [false, true] {
            let mut altered = lines.clone();
            match doubled {
                true => altered.insert(at, lines[at]),
                false => {
                    altered.remove(at);
                }
            }
            std::fs::write(&file, format!("{}\n", altered.join("\n"))).expect("written");
            let report = evidence::export::Export::parse(&std::fs::read(&file).expect("read"))
                .and_then(|export| export.verify(&evidence::Trust::default()).map(|_| ()));
            assert!(
                report.is_err(),
                "line {at}, doubled {doubled}: {}",
                lines[at]
            );
        }
    }
}

/// CVE-2022-39199: the server chose its own identity, and a client that met a new one began to trust it from nothing.
/// Here the identity is the log's key, which the reader, the witness and the server's own notes have from before.
#[test]
fn a_server_that_gives_itself_another_identity_is_not_taken_for_a_new_one() {
    let ward = super::Ward::new("immudb-identity");
    ward.record("fact", 3, 3);
    let key = log_key(&ward.data);
    let receipt = {
        let served = Served::start(&ward.data);
        let address = served.url("/fhir/Basic/fact-1/$receipt");
        get(&address, Some(&ward.token)).1
    };
    // The same name, another key, another history: a whole new programme in the place of the old one.
    let other = ward.folder.join("other");
    homecoming_done(&["init", "--data", &other, "--name", "Test programme"]);
    assert_ne!(log_key(&other), key);
    for file in ["desk.sqlite", "witness.policy"] {
        std::fs::copy(format!("{}/{file}", ward.data), format!("{other}/{file}")).expect("copied");
    }
    let policy = format!("{other}/witness.policy");
    {
        let served = Served::start(&other);
        crate::witnesses::put_all(&served, &ward.token, "fact", 3);
        // The witness follows a log by its key, and does not know this one.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let cosigned = served.measure("homecoming_log_cosigned_entries{log=\"record\"}");
        assert_eq!(cosigned, Some(0.0));
        let address = served.url("/fhir/Basic/fact-1/$receipt");
        let forged = get(&address, Some(&ward.token)).1;
        let file = ward.folder.join("forged");
        std::fs::write(&file, forged).expect("written");
        let (code, said) = verify(&[&file, "--key", &key]);
        assert_eq!(code, 1, "{said}");
        says(&said, &["was made by the log of", "you trust"]);
        // Nobody who brings nothing along is told more than that.
        let (code, said) = verify(&[&file]);
        assert_eq!(code, 0, "{said}");
        says(&said, &["The key was taken from the receipt itself"]);
        let text = std::fs::read_to_string(&policy).expect("a policy");
        let known = ward.folder.join("known.policy");
        std::fs::write(&known, format!("log {key}\n{text}")).expect("written");
        let (code, said) = verify(&[&file, "--policy", &known]);
        assert_eq!(code, 1, "{said}");
        says(&said, &["which your policy does not name"]);
    }
    // Put in the old one's place beside what was noted of the witnesses, it does not start.
    std::fs::copy(
        format!("{}/witnessed.sqlite", ward.data),
        format!("{other}/witnessed.sqlite"),
    )
    .expect("copied");
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{other}/witnessed.sqlite{end}"));
    }
    let said = refused(&other);
    assert!(said.contains("cosigned"), "{said}");
    let output = homecoming(&["audit", "--data", &other]);
    assert_eq!(output.status.code(), Some(1));
    // And what the old one signed still says so.
    ledger::receipt::verify(receipt.as_bytes(), Some(&key.parse().expect("a key")))
        .expect("it stands");
}
