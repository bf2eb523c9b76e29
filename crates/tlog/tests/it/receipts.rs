//! Receipts: made, read, verified; and every way of altering one, refused.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::{NoteError, SigningKey, VerifierKey};
use tlog::proof::{Proof, ProofTextError, Verified, VerifyError};
use tlog::{ProofError, Tree, leaf_hash, prove_inclusion, root_at};

use crate::model;

const ORIGIN: &str = "ward.example/log";
const SIZE: u64 = 109;
const INDEX: u64 = 74;

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

fn tree() -> Tree {
    (0..SIZE)
        .map(|index| leaf_hash(&model::leaf_data(index)))
        .collect()
}

fn checkpoint(size: u64, origin: &str, key: &SigningKey) -> String {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size,
        root: root_at(size, &tree()).unwrap(),
        extensions: Vec::new(),
    };
    checkpoint.sign(key).unwrap()
}

/// The receipt of an entry whose data it carries, as a ledger's does.
fn receipt(index: u64, size: u64) -> Proof {
    Proof {
        extra: Some(model::leaf_data(index)),
        index,
        hashes: prove_inclusion(index, size, &tree()).unwrap(),
        checkpoint: checkpoint(size, ORIGIN, &key()),
    }
}

#[derive(Debug, PartialEq)]
enum Refused {
    NotUtf8,
    Text(ProofTextError),
    Claim(VerifyError),
}

/// What a reader does with the bytes of a receipt: the leaf is what the receipt carries.
fn check(receipt: &[u8], key: &VerifierKey) -> Result<Verified, Refused> {
    let text = str::from_utf8(receipt).map_err(|_| Refused::NotUtf8)?;
    let proof = Proof::parse(text).map_err(Refused::Text)?;
    assert_eq!(proof.to_string(), text, "a receipt has one text");
    let leaf = proof.extra.as_deref().unwrap_or_default();
    proof.verify(leaf, key, ORIGIN).map_err(Refused::Claim)
}

#[test]
fn a_receipt_proves_its_leaf() {
    let key = key();
    for size in [1, 2, 75, 108, SIZE] {
        for index in 0..size {
            let text = receipt(index, size).to_string();
            let verified = check(text.as_bytes(), key.verifier()).unwrap();
            assert_eq!((verified.index, verified.checkpoint.size), (index, size));
            assert_eq!(verified.leaf, leaf_hash(&model::leaf_data(index)));
            assert!(verified.others.is_empty());
        }
    }
}

#[test]
fn a_receipt_is_written_as_the_specification_says() {
    let text = receipt(0, 2).to_string();
    let sibling = "Lfs2xvZsrDYUKc9G34aKuCQtOmRB8Qmcj7P5jsXRCKQ=";
    let expected = format!(
        "c2sp.org/tlog-proof@v1\nextra ZW50cnkgMA==\nindex 0\n{sibling}\n\n{}",
        checkpoint(2, ORIGIN, &key())
    );
    assert_eq!(text, expected);
    let without = Proof {
        extra: None,
        ..receipt(0, 1)
    };
    let text = without.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nward.example/log\n1\n"));
    assert_eq!(Proof::parse(&text), Ok(without.clone()));
    let verified = without.verify(&model::leaf_data(0), key().verifier(), ORIGIN);
    assert!(verified.is_ok());
    let empty = Proof {
        extra: Some(Vec::new()),
        ..without.clone()
    };
    assert_eq!(empty.to_string(), text);
}

#[test]
fn every_altered_byte_is_refused() {
    let key = key();
    let good = receipt(INDEX, SIZE).to_string().into_bytes();
    assert!(check(&good, key.verifier()).is_ok());
    let mut tried = 0;
    let mut refuse = |altered: &[u8], at: usize| {
        if altered != good {
            tried += 1;
            let refused = check(altered, key.verifier());
            assert!(refused.is_err(), "byte {at}: {}", altered.escape_ascii());
        }
    };
    for at in 0..good.len() {
        // Every other byte in its place.
        for byte in 0..=u8::MAX {
            let mut altered = good.clone();
            altered[at] = byte;
            refuse(&altered, at);
        }
        // Left out; doubled; something put before it; swapped with the next; cut off there.
        let mut altered = good.clone();
        altered.remove(at);
        refuse(&altered, at);
        for byte in [
            good[at], b'\n', b' ', b'\r', b'\t', b'0', b'A', b'=', b'+', 0,
        ] {
            let mut altered = good.clone();
            altered.insert(at, byte);
            refuse(&altered, at);
        }
        if at + 1 < good.len() {
            let mut altered = good.clone();
            altered.swap(at, at + 1);
            refuse(&altered, at);
        }
        refuse(&good[..at], at);
        refuse(&good[at + 1..], at);
    }
    for tail in ["\n", " ", "x", "\0", "\n\n", "— \n", "— x AAAA\n"] {
        refuse(&[&good, tail.as_bytes()].concat(), good.len());
    }
    assert!(tried > 200 * good.len());
}

#[test]
fn every_altered_line_is_refused() {
    let key = key();
    let good = receipt(INDEX, SIZE).to_string();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let refuse = |lines: Vec<&str>| {
        let text = lines.concat();
        assert!(
            text == good || check(text.as_bytes(), key.verifier()).is_err(),
            "{text}"
        );
    };
    for at in 0..lines.len() {
        let mut altered = lines.clone();
        altered.remove(at);
        refuse(altered);
        for other in 0..lines.len() {
            let mut altered = lines.clone();
            altered.swap(at, other);
            refuse(altered);
            let mut altered = lines.clone();
            altered[at] = lines[other];
            refuse(altered);
            // A second signature by the log's own key over the same text is the same signature.
            if lines[other] != lines[lines.len() - 1] || at + 1 < lines.len() {
                let mut altered = lines.clone();
                altered.insert(at, lines[other]);
                refuse(altered);
            }
        }
    }
}

/// Alters the receipt at the first place where `from` stands, and sees what is said of it.
#[test]
fn a_refusal_names_the_part_that_failed() {
    let key = key();
    let good = receipt(INDEX, SIZE).to_string();
    let proof = receipt(INDEX, SIZE);
    let hashes: Vec<&str> = good.lines().skip(3).take(proof.hashes.len()).collect();
    let root = good.lines().nth(3 + hashes.len() + 3).unwrap();
    let last = good.lines().last().unwrap();
    let signed_by = || format!("{ORIGIN}+{:08x}", key.verifier().id());
    let text = Refused::Text;
    let note = |error| Refused::Text(ProofTextError::Checkpoint(CheckpointError::Note(error)));
    let form = |error| Refused::Text(ProofTextError::Checkpoint(error));
    let claim = Refused::Claim;
    let inclusion = |error| Refused::Claim(VerifyError::Inclusion(error));
    let bad_signature = || {
        claim(VerifyError::Signature(NoteError::BadSignature {
            key: signed_by(),
        }))
    };
    let not_signed = || {
        claim(VerifyError::Signature(NoteError::NotSigned {
            key: signed_by(),
        }))
    };
    let flip = |base64: &str| {
        let first = if base64.starts_with('A') { "B" } else { "A" };
        first.to_owned() + &base64[1..]
    };
    // Spare bits after the last byte: another text of the same hash.
    let spare = |base64: &str| {
        let (rest, last) = base64.split_at(base64.len() - 2);
        let next = char::from(last.as_bytes()[0] + 1);
        format!("{rest}{next}=")
    };
    let table = [
        (
            "@v1".to_owned(),
            "@v2".to_owned(),
            text(ProofTextError::Header),
        ),
        (
            "c2sp".to_owned(),
            "\u{feff}c2sp".to_owned(),
            text(ProofTextError::Header),
        ),
        (
            "extra ".to_owned(),
            "extra  ".to_owned(),
            text(ProofTextError::Extra),
        ),
        (
            "extra ZW50cnkgNzQ=".to_owned(),
            "extra ".to_owned(),
            text(ProofTextError::Extra),
        ),
        (
            "NzQ=".to_owned(),
            "NzR=".to_owned(),
            text(ProofTextError::Extra),
        ),
        (
            "NzQ=".to_owned(),
            "NzU=".to_owned(),
            inclusion(ProofError::Root),
        ),
        (
            "Extra".to_lowercase(),
            "Extra".to_owned(),
            text(ProofTextError::Index),
        ),
        (
            "index 74".to_owned(),
            "index 074".to_owned(),
            text(ProofTextError::Index),
        ),
        (
            "index 74".to_owned(),
            "index 75".to_owned(),
            inclusion(ProofError::Root),
        ),
        (
            "index 74".to_owned(),
            "index 108".to_owned(),
            inclusion(ProofError::Length {
                expected: 4,
                found: 7,
            }),
        ),
        (
            "index 74".to_owned(),
            "index 109".to_owned(),
            inclusion(ProofError::NoSuchLeaf {
                index: 109,
                size: 109,
            }),
        ),
        (
            hashes[0].to_owned(),
            flip(hashes[0]),
            inclusion(ProofError::Root),
        ),
        (
            hashes[6].to_owned(),
            flip(hashes[6]),
            inclusion(ProofError::Root),
        ),
        (
            hashes[2].to_owned(),
            spare(hashes[2]),
            text(ProofTextError::Hash { number: 3 }),
        ),
        (
            hashes[2].to_owned(),
            "AAAA".to_owned(),
            text(ProofTextError::Hash { number: 3 }),
        ),
        (
            format!("{}\n", hashes[2]),
            String::new(),
            inclusion(ProofError::Length {
                expected: 7,
                found: 6,
            }),
        ),
        (
            hashes[0].to_owned(),
            [hashes[0]; 65].join("\n"),
            text(ProofTextError::TooManyHashes),
        ),
        (
            format!("\n\n{ORIGIN}"),
            format!("\n{ORIGIN}"),
            text(ProofTextError::Hash { number: 8 }),
        ),
        (
            format!("\n{ORIGIN}"),
            "\nward.example/lag".to_owned(),
            claim(VerifyError::Checkpoint(CheckpointError::OtherOrigin {
                expected: ORIGIN.to_owned(),
                found: "ward.example/lag".to_owned(),
            })),
        ),
        ("\n109\n".to_owned(), "\n110\n".to_owned(), bad_signature()),
        (
            "\n109\n".to_owned(),
            "\n0109\n".to_owned(),
            form(CheckpointError::Size),
        ),
        (root.to_owned(), flip(root), bad_signature()),
        (root.to_owned(), spare(root), form(CheckpointError::Root)),
        (
            format!("{root}\n"),
            format!("{root}\nmore\n"),
            bad_signature(),
        ),
        (
            format!("\n\n— {ORIGIN}"),
            format!("\n— {ORIGIN}"),
            note(NoteError::NoSignatures),
        ),
        (
            format!("— {ORIGIN}"),
            "— ward.example/lag".to_owned(),
            not_signed(),
        ),
        (
            last.to_owned(),
            format!("{}A{}", &last[..30], &last[31..]),
            bad_signature(),
        ),
    ];
    for (from, to, expected) in table {
        assert!(good.contains(&from), "{from}");
        let altered = good.replacen(&from, &to, 1);
        let refused = check(altered.as_bytes(), key.verifier());
        assert_eq!(refused, Err(expected), "{from} made {to}");
    }
    for end in 0..good.find("\n\n").unwrap() {
        let cut = Proof::parse(&good[..end]).unwrap_err();
        let expected = match good[..end].matches('\n').count() {
            0 => ProofTextError::Header,
            1 | 2 => ProofTextError::Index,
            _ => ProofTextError::NoCheckpoint,
        };
        assert_eq!(cut, expected);
    }
}

#[test]
fn a_true_proof_of_something_else_is_refused() {
    let key = key();
    let stranger = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let good = receipt(INDEX, SIZE);
    let with = |checkpoint: String| Proof {
        checkpoint,
        ..good.clone()
    };
    let verify =
        |proof: &Proof, leaf| proof.verify(&model::leaf_data(leaf), key.verifier(), ORIGIN);
    assert!(verify(&good, INDEX).is_ok());
    let root = Err(VerifyError::Inclusion(ProofError::Root));
    assert_eq!(verify(&good, INDEX + 1), root);
    // The leaf's hash in place of its data.
    let hash = leaf_hash(&model::leaf_data(INDEX));
    assert_eq!(good.verify(&hash, key.verifier(), ORIGIN), root);
    // An earlier checkpoint of the same log, of the same shape and of another.
    let earlier = with(checkpoint(SIZE - 1, ORIGIN, &key));
    assert_eq!(verify(&earlier, INDEX), root);
    let before_the_leaf = with(checkpoint(INDEX, ORIGIN, &key));
    let no_such = ProofError::NoSuchLeaf {
        index: INDEX,
        size: INDEX,
    };
    assert_eq!(
        verify(&before_the_leaf, INDEX),
        Err(VerifyError::Inclusion(no_such))
    );
    // The same tree as another log's, and under another's key.
    let elsewhere = with(checkpoint(SIZE, "other.example", &key));
    assert!(matches!(
        verify(&elsewhere, INDEX),
        Err(VerifyError::Checkpoint(CheckpointError::OtherOrigin { .. }))
    ));
    let forged = with(checkpoint(SIZE, ORIGIN, &stranger));
    assert!(matches!(
        verify(&forged, INDEX),
        Err(VerifyError::Signature(NoteError::NotSigned { .. }))
    ));
    // Two notes in a row, the good one last: the first is text that the log did not sign.
    let doubled = with(format!(
        "{}{}",
        checkpoint(SIZE, ORIGIN, &stranger),
        checkpoint(SIZE, ORIGIN, &key)
    ));
    assert!(verify(&doubled, INDEX).is_err());
}

#[test]
fn a_receipt_may_be_as_long_as_the_highest_tree() {
    let with = |hashes| Proof {
        hashes: vec![[1; 32]; hashes],
        ..receipt(0, 1)
    };
    assert_eq!(Proof::parse(&with(64).to_string()), Ok(with(64)));
    let refused = Proof::parse(&with(65).to_string());
    assert_eq!(refused, Err(ProofTextError::TooManyHashes));
}

#[test]
fn a_node_is_not_a_leaf() {
    // The two children of a node, passed off as a leaf one level higher up.
    let key = key();
    let tree = tree();
    let good = receipt(INDEX, SIZE);
    let mut data = leaf_hash(&model::leaf_data(INDEX)).to_vec();
    data.extend_from_slice(&good.hashes[0]);
    let forged = Proof {
        index: INDEX / 2,
        hashes: good.hashes[1..].to_vec(),
        ..good
    };
    assert!(forged.verify(&data, key.verifier(), ORIGIN).is_err());
    assert_eq!(tree.size(), SIZE);
}

#[test]
fn signatures_of_witnesses_are_carried_but_not_believed() {
    let key = key();
    let good = receipt(INDEX, SIZE);
    let witness = SigningKey::from_seed("witness.example", &[4; 32]).unwrap();
    let mut note = tlog::note::SignedNote::parse(&good.checkpoint).unwrap();
    note.sign_also(&witness);
    let cosigned = Proof {
        checkpoint: note.to_string(),
        ..good
    };
    let text = cosigned.to_string();
    let verified = check(text.as_bytes(), key.verifier()).unwrap();
    assert_eq!(verified.others.len(), 1);
    assert_eq!(verified.others[0].name(), "witness.example");
    assert!(note.verify(witness.verifier()).is_ok());
}
