//! A bug of another ledger database, replayed here. Another, an audit that did not read an edited value
//! (immudb #2063 and #2091), is carried out in `edit`.

use super::{export, forger, recorded, says, verify};
use crate::served::{Folder, Served, get, log_key};

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
