//! Cosignatures, and what a witness decides: the specifications' examples, every status, every altered byte.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::cosignature::{Algorithm, CosignatureError, CosignerKey, TIMESTAMP_MAX, WitnessKey};
use tlog::note::{KeyError, NoteError, SignedNote, SigningKey, VerifierKey};
use tlog::witness::{
    AnswerError, Refusal, Request, RequestError, Seen, checkpoint_path, decide, parse_size,
    take_answer,
};
use tlog::{ProofError, Tree, leaf_hash, prove_consistency, root_at, root_of_empty};

use crate::model;

const ORIGIN: &str = "ward.example/log";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::MlDsa44];

fn log_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

pub fn cosigner(name: &str, algorithm: Algorithm) -> CosignerKey {
    let seed = leaf_hash(name.as_bytes());
    CosignerKey::from_seed(name, algorithm, &seed).unwrap()
}

fn tree() -> Tree {
    (0..20)
        .map(|index| leaf_hash(&model::leaf_data(index)))
        .collect()
}

fn seen(size: u64) -> Seen {
    let root = root_at(size, &tree()).unwrap();
    Seen { size, root }
}

fn signed(size: u64, root: tlog::Hash, origin: &str, key: &SigningKey) -> SignedNote {
    let root = tlog::proof::Proof {
        extra: None,
        index: 0,
        hashes: vec![root],
        checkpoint: String::new(),
    }
    .to_string();
    // Not `Checkpoint::sign`, which would refuse a wrong root of the empty tree.
    let root = root.lines().nth(2).unwrap();
    SignedNote::sign(&format!("{origin}\n{size}\n{root}\n"), key).unwrap()
}

fn checkpoint(size: u64) -> SignedNote {
    signed(size, seen(size).root, ORIGIN, &log_key())
}

fn request(old: u64, size: u64) -> Request {
    Request {
        old,
        proof: prove_consistency(old, size, &tree()).unwrap(),
        checkpoint: checkpoint(size),
    }
}

#[test]
fn a_cosignature_holds_the_time_and_verifies() {
    for algorithm in ALGORITHMS {
        let key = cosigner("witness.example/w1", algorithm);
        let mut note = checkpoint(7);
        let missing = CosignatureError::NotCosigned {
            key: format!("witness.example/w1+{:08x}", key.witness().id()),
        };
        assert_eq!(key.witness().verify(&note), Err(missing));
        for time in [1, 1_679_315_147, TIMESTAMP_MAX] {
            let mut note = note.clone();
            note.put(key.cosign(&note, time).unwrap()).unwrap();
            let read = SignedNote::parse(&note.to_string()).unwrap();
            assert_eq!(key.witness().verify(&read), Ok(time));
            assert!(read.verify(log_key().verifier()).is_ok());
        }
        for time in [0, TIMESTAMP_MAX + 1, u64::MAX] {
            let refused = key.cosign(&note, time).unwrap_err();
            assert!(matches!(refused, CosignatureError::Timestamp { .. }));
        }
        // Cosigned again, the later takes the earlier's place; a note may yet hold both.
        let earlier = key.cosign(&note, 5).unwrap();
        let later = key.cosign(&note, 6).unwrap();
        let both = format!("{note}{later}{earlier}");
        assert_eq!(
            key.witness().verify(&SignedNote::parse(&both).unwrap()),
            Ok(6)
        );
        note.put(earlier).unwrap();
        note.put(later).unwrap();
        assert_eq!(note.signatures().len(), 2);
        assert_eq!(key.witness().verify(&note), Ok(6));
    }
}

#[test]
fn a_witness_key_has_one_text() {
    for (algorithm, kind, bytes) in [(Algorithm::Ed25519, 4, 32), (Algorithm::MlDsa44, 6, 1312)] {
        let key = cosigner("witness.example/w1", algorithm);
        let text = key.witness().to_string();
        let read: WitnessKey = text.parse().unwrap();
        assert_eq!(&read, key.witness());
        assert_eq!((read.algorithm(), read.bytes().len()), (algorithm, bytes));
        assert_eq!(read.to_string(), text);
        let id = u32::from_be_bytes(key_id("witness.example/w1", kind, &read.bytes()));
        assert_eq!(read.id(), id);
        let secret = key.secret_text();
        assert!(secret.starts_with("PRIVATE+KEY+witness.example/w1+"));
        assert_eq!(CosignerKey::parse(&secret).unwrap().secret_text(), secret);
        assert_eq!(CosignerKey::parse(&secret).unwrap().witness(), &read);
        assert!(!format!("{key:?}{read:?}").contains(secret.rsplit('+').next().unwrap()));
        // Neither is taken for the other, nor for a log's.
        assert_eq!(VerifierKey::parse(&text), Err(KeyError::Type));
        assert_eq!(SigningKey::parse(&secret).err(), Some(KeyError::Type));
        let other = cosigner("witness.example/w2", algorithm);
        assert_ne!(other.witness(), &read);
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= 1;
            let altered = String::from_utf8(altered).unwrap();
            assert_ne!(altered.parse::<WitnessKey>().as_ref(), Ok(&read), "{at}");
        }
    }
    let log = log_key();
    let table = [
        (log.verifier().to_string(), KeyError::Type),
        ("w+00000000+".to_owned(), KeyError::Type),
        ("w+00000000+BA==".to_owned(), KeyError::Key),
        ("w+00000000+Bg==".to_owned(), KeyError::Key),
        (format!("w+00000000+BA{}", "A".repeat(42)), KeyError::Key),
        ("w+00000000".to_owned(), KeyError::Form),
    ];
    for (text, problem) in table {
        assert_eq!(WitnessKey::parse(&text), Err(problem), "{text}");
    }
    assert_eq!(
        CosignerKey::parse(&log.secret_text()).err(),
        Some(KeyError::Type)
    );
    assert_eq!(
        CosignerKey::parse("w+00000000+BA==").err(),
        Some(KeyError::Form)
    );
    let secret = cosigner("w", Algorithm::Ed25519).secret_text();
    let other_name = secret.replace("KEY+w+", "KEY+v+");
    assert!(matches!(
        CosignerKey::parse(&other_name),
        Err(KeyError::OtherId { .. })
    ));
}

fn key_id(name: &str, kind: u8, key: &[u8]) -> [u8; 4] {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest([name.as_bytes(), &[b'\n', kind], key].concat());
    hash[..4].try_into().unwrap()
}

#[test]
fn a_name_that_does_not_fit_is_refused_by_ml_dsa_alone() {
    let long = "w".repeat(256);
    for (algorithm, fits) in [(Algorithm::Ed25519, true), (Algorithm::MlDsa44, false)] {
        let key = CosignerKey::from_seed(&long, algorithm, &[1; 32]);
        assert_eq!(key.is_ok(), fits);
        assert!(CosignerKey::from_seed(&long[1..], algorithm, &[1; 32]).is_ok());
        let key = cosigner("w", algorithm);
        let log = SigningKey::from_seed("log", &[1; 32]).unwrap();
        let note = signed(0, root_of_empty(), &long, &log);
        assert_eq!(key.cosign(&note, 1).is_ok(), fits);
        let note = signed(0, root_of_empty(), &long[1..], &log);
        assert!(key.cosign(&note, 1).is_ok());
    }
    // A cosignature on such a checkpoint cannot be right either.
    let key = cosigner("w", Algorithm::MlDsa44);
    let log = SigningKey::from_seed("log", &[1; 32]).unwrap();
    let line = key.cosign(&checkpoint(3), 1).unwrap();
    let mut note = signed(0, root_of_empty(), &long, &log);
    note.put(line).unwrap();
    let refused = key.witness().verify(&note).unwrap_err();
    assert!(matches!(refused, CosignatureError::Origin { .. }));
}

#[test]
fn what_is_no_checkpoint_is_not_cosigned() {
    for algorithm in ALGORITHMS {
        let key = cosigner("w", algorithm);
        let note = SignedNote::sign("a promise\n", &log_key()).unwrap();
        let refused = CosignatureError::Checkpoint(CheckpointError::Size);
        assert_eq!(key.cosign(&note, 1), Err(refused.clone()));
        assert_eq!(key.witness().verify(&note), Err(refused));
    }
}

#[test]
fn ml_dsa_does_not_sign_extension_lines_and_ed25519_does() {
    for (algorithm, signs) in [(Algorithm::Ed25519, true), (Algorithm::MlDsa44, false)] {
        let key = cosigner("w", algorithm);
        let line = key.cosign(&checkpoint(3), 9).unwrap();
        let extended = format!("{}more\n", checkpoint(3).text());
        let mut note = SignedNote::sign(&extended, &log_key()).unwrap();
        note.put(line).unwrap();
        assert_eq!(key.witness().verify(&note).is_err(), signs);
    }
}

#[test]
fn the_example_of_tlog_cosignature_is_read() {
    let example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = SignedNote::parse(example).unwrap();
    let line = &note.signatures()[1];
    assert_eq!(
        (line.name(), line.id()),
        ("witness.example.com/w1", 0x8d66_cf3f)
    );
    let (time, signature) = line.bytes().split_first_chunk().unwrap();
    assert_eq!(
        (u64::from_be_bytes(*time), signature.len()),
        (1_679_315_147, 64)
    );
}

/// The checkpoint of tlog-cosignature's example, and what its witness is called.
const EXAMPLE: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const EXAMPLE_WITNESS: &str = "witness.example.com/w1";
const EXAMPLE_TIME: u64 = 1_679_315_147;

/// The example, signed by a log whose secret we have.
fn example_note() -> SignedNote {
    let (origin, _) = EXAMPLE.split_once('\n').unwrap();
    let log = SigningKey::from_seed(origin, &[9; 32]).unwrap();
    SignedNote::sign(EXAMPLE, &log).unwrap()
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The example with a cosignature that was made without us.
fn with_line(id: [u8; 4], signature: &[u8]) -> SignedNote {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let bytes = [&id[..], &EXAMPLE_TIME.to_be_bytes(), signature].concat();
    let line = format!("\u{2014} {EXAMPLE_WITNESS} {}\n", STANDARD.encode(bytes));
    SignedNote::parse(&format!("{}{line}", example_note())).unwrap()
}

/// A witness's key as anybody may write it down.
fn key_text(id: [u8; 4], kind: u8, key: &[u8]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let id = u32::from_be_bytes(id);
    let material = STANDARD.encode([&[kind], key].concat());
    format!("{EXAMPLE_WITNESS}+{id:08x}+{material}")
}

/// The signed message is put together here from the specification's `cosigned_message`, field by field, and not by
/// what signs and verifies; signature and key are held against what other programs make of it.
#[test]
fn an_ml_dsa_cosignature_signs_what_the_specification_says() {
    use ml_dsa::signature::Keypair;
    let root: [u8; 32] = [
        0x0a, 0xc5, 0x18, 0x6a, 0x91, 0x86, 0x3e, 0x8e, 0x1d, 0x90, 0xc8, 0x08, 0x01, 0x4a, 0xa8,
        0x9b, 0xf5, 0xda, 0x8e, 0x3e, 0xe1, 0xd9, 0xf0, 0x76, 0x30, 0xf0, 0x37, 0x8f, 0x68, 0xf1,
        0xab, 0x62,
    ];
    let fields: [(&str, &[u8]); 9] = [
        ("label", b"subtree/v1\n\0"),
        ("cosigner_name's length", &[22]),
        ("cosigner_name", b"witness.example.com/w1"),
        ("timestamp", &[0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb]),
        ("log_origin's length", &[27]),
        ("log_origin", b"example.com/behind-the-sofa"),
        ("start", &[0, 0, 0, 0, 0, 0, 0, 0]),
        ("end", &[0, 0, 0, 0, 0x01, 0x3e, 0x2d, 0xc3]),
        ("hash", &root),
    ];
    let message = fields.map(|(_, bytes)| bytes).concat();
    assert_eq!(message.len(), 12 + 1 + 22 + 8 + 1 + 27 + 8 + 8 + 32);

    let seed = [6_u8; 32];
    let theirs = ml_dsa::SigningKey::<ml_dsa::MlDsa44>::from_seed((&seed).into());
    let public = theirs.verifying_key();
    let ours = CosignerKey::from_seed(EXAMPLE_WITNESS, Algorithm::MlDsa44, &seed).unwrap();
    let line = ours.cosign(&example_note(), EXAMPLE_TIME).unwrap();
    let (time, signature) = line.bytes().split_at(8);
    assert_eq!(time, fields[3].1);
    assert_eq!(signature.len(), 2420);
    let read = ml_dsa::Signature::<ml_dsa::MlDsa44>::try_from(signature).unwrap();
    let verifies = |message: &[u8]| public.verify_with_context(message, &[], &read);
    assert!(verifies(&message));
    let mut at = 0;
    for (field, bytes) in fields {
        let mut altered = message.clone();
        altered[at] ^= 1;
        assert!(!verifies(&altered), "{field} is not signed");
        at += bytes.len();
    }

    // What somebody else signed is taken, and their key as they write it.
    let id = key_id(EXAMPLE_WITNESS, 6, &public.encode());
    let key = WitnessKey::parse(&key_text(id, 6, &public.encode())).unwrap();
    let made = theirs.expanded_key().sign_deterministic(&message, &[]);
    let note = with_line(id, &made.unwrap().encode());
    assert_eq!(key.verify(&note), Ok(EXAMPLE_TIME));

    // As dilithium-py 1.5.1 makes them from the same seed and message; OpenSSL verifies them.
    assert_eq!(format!("{:08x}", line.id()), "88569ce2");
    assert_eq!(
        sha256_hex(&ours.witness().bytes()),
        "27f9ddde9e18c198ae835fdc2c806d30af89bfdbc2498bc127823dee942182de"
    );
    assert_eq!(
        sha256_hex(signature),
        "83f79a24692aea1944bcd3d89c9da83e13b270a7d84887798cd698d65cd86fc8"
    );
}

#[test]
fn an_ed25519_cosignature_signs_what_the_specification_says() {
    use ed25519_dalek::Signer;
    let message = b"cosignature/v1\n\
        time 1679315147\n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let seed = [4; 32];
    let theirs = ed25519_dalek::SigningKey::from_bytes(&seed);
    let ours = CosignerKey::from_seed(EXAMPLE_WITNESS, Algorithm::Ed25519, &seed).unwrap();
    let line = ours.cosign(&example_note(), EXAMPLE_TIME).unwrap();
    let (time, signature) = line.bytes().split_at(8);
    assert_eq!(time, EXAMPLE_TIME.to_be_bytes());
    let read = ed25519_dalek::Signature::from_slice(signature).unwrap();
    let public = theirs.verifying_key();
    assert!(public.verify_strict(message, &read).is_ok());

    let id = key_id(EXAMPLE_WITNESS, 4, public.as_bytes());
    let key = WitnessKey::parse(&key_text(id, 4, public.as_bytes())).unwrap();
    let note = with_line(id, &theirs.sign(message).to_bytes());
    assert_eq!(key.verify(&note), Ok(EXAMPLE_TIME));

    // As OpenSSL makes it from the same seed and message.
    assert_eq!(
        line.to_string(),
        "\u{2014} witness.example.com/w1 dMYwewAAAABkGFDL82BuVAliPYXLWoJdqTHPN+gVatFS5l4TLdVUdui5SWFBYaPFa5qCTXt9oXy6f2KKtotpN9mICDJhWyA+srs/Ag==\n"
    );
}

/// The request and the answer of tlog-witness, word for word.
const SPEC_REQUEST: &str = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
const SPEC_ANSWER: &str = "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n";

#[test]
fn the_examples_of_tlog_witness_are_read() {
    let request = Request::parse(SPEC_REQUEST.as_bytes()).unwrap();
    assert_eq!((request.old, request.proof.len()), (20_852_014, 4));
    assert_eq!(request.origin(), "example.com/behind-the-sofa");
    assert_eq!(request.to_string(), SPEC_REQUEST);
    let mut note = request.checkpoint.clone();
    // Nobody knows the example's keys: its lines are read, and ignored.
    let key = cosigner("witness.example/w1", Algorithm::Ed25519);
    let refused = take_answer(SPEC_ANSWER, &mut note, key.witness()).unwrap_err();
    assert!(matches!(
        refused,
        AnswerError::Cosignature(CosignatureError::NotCosigned { .. })
    ));
    assert_eq!(note, request.checkpoint);
    let hash = "fb9e6a9f7b2e5c7e0f0c2e5e";
    let path = checkpoint_path("example.com/behind-the-sofa");
    assert_eq!(path.len(), 75);
    assert!(path.ends_with("/checkpoint") && !path.starts_with(hash));
    assert_eq!(
        checkpoint_path(""),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/checkpoint"
    );
}

#[test]
fn a_malformed_request_says_which_part_is_wrong() {
    let good = request(5, 12).to_string();
    let (first, rest) = good.split_once('\n').unwrap();
    let (proof, note) = rest.split_once("\n\n").unwrap();
    let hash = proof.lines().next().unwrap();
    let many = |n: usize| format!("old 5\n{}\n{note}", format!("{hash}\n").repeat(n));
    assert_eq!(Request::parse(many(63).as_bytes()).unwrap().proof.len(), 63);
    let root = CheckpointError::Root;
    let no_signature = CheckpointError::Note(NoteError::NoSignatures);
    let table = [
        (String::new(), RequestError::Old),
        ("old 5".to_owned(), RequestError::Old),
        (format!("old 05\n{rest}"), RequestError::Old),
        (format!("old +5\n{rest}"), RequestError::Old),
        (format!("old -1\n{rest}"), RequestError::Old),
        (
            format!("old 18446744073709551616\n{rest}"),
            RequestError::Old,
        ),
        (format!("old  5\n{rest}"), RequestError::Old),
        (format!("Old 5\n{rest}"), RequestError::Old),
        (format!("old 5\r\n{rest}"), RequestError::Old),
        (format!("{first}\n{proof}"), RequestError::NoCheckpoint),
        (format!("{first}\n"), RequestError::NoCheckpoint),
        (
            format!("{first}\n{hash}\n{hash} \n\n{note}"),
            RequestError::Hash { number: 2 },
        ),
        (
            format!("{first}\n{}\n\n{note}", &hash[1..]),
            RequestError::Hash { number: 1 },
        ),
        (many(64), RequestError::TooManyHashes),
        (
            format!("{first}\n{proof}\n\n"),
            RequestError::Checkpoint(no_signature),
        ),
        (
            good.replace("\n12\n", "\n12\nx"),
            RequestError::Checkpoint(root),
        ),
        (" ".repeat(1 << 21), RequestError::TooLong),
    ];
    for (text, problem) in table {
        assert_eq!(
            Request::parse(text.as_bytes()),
            Err(problem),
            "{:.80}",
            text
        );
    }
    assert_eq!(Request::parse(b"old 5\n\xff"), Err(RequestError::NotUtf8));
}

#[test]
fn a_witness_follows_a_log_as_it_grows() {
    let keys = [log_key().verifier().clone()];
    for old in 0..=20 {
        for size in old..=20 {
            let known = (old > 0).then(|| seen(old));
            let request = request(old, size);
            let read = Request::parse(request.to_string().as_bytes()).unwrap();
            assert_eq!(read, request);
            assert_eq!(decide(&read, known, &keys), Ok(seen(size)), "{old}-{size}");
        }
    }
}

#[test]
fn each_refusal_has_the_status_of_the_specification() {
    let mine = log_key().verifier().clone();
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let with = |f: &dyn Fn(&mut Request)| {
        let mut request = request(5, 12);
        f(&mut request);
        request
    };
    let root_of_12 = seen(12).root;
    let bad_line = |note: &SignedNote| {
        // The log's name and id, and a signature over another text.
        let line = checkpoint(11).signatures()[0].clone();
        SignedNote::parse(&format!("{note}{line}")).unwrap()
    };
    let both = std::slice::from_ref(&mine);
    type Row<'k> = (&'static str, u16, Request, Option<Seen>, &'k [VerifierKey]);
    let table: Vec<Row> = vec![
        ("no such log", 404, with(&|_| {}), Some(seen(5)), &[]),
        (
            "signed by somebody else",
            403,
            with(&|r| r.checkpoint = signed(12, root_of_12, ORIGIN, &other)),
            Some(seen(5)),
            both,
        ),
        (
            "one good signature and one bad",
            403,
            with(&|r| r.checkpoint = bad_line(&r.checkpoint)),
            Some(seen(5)),
            both,
        ),
        (
            "old beyond new",
            400,
            with(&|r| r.old = 13),
            Some(seen(13)),
            both,
        ),
        ("another size", 409, with(&|_| {}), Some(seen(6)), both),
        ("nothing known", 409, with(&|_| {}), None, both),
        (
            "old 0, some known",
            409,
            with(&|r| r.old = 0),
            Some(seen(5)),
            both,
        ),
        (
            "proof too short",
            422,
            with(&|r| r.proof.truncate(4)),
            Some(seen(5)),
            both,
        ),
        (
            "proof altered",
            422,
            with(&|r| r.proof[1][0] ^= 1),
            Some(seen(5)),
            both,
        ),
        (
            "another history",
            422,
            with(&|_| {}),
            Some(Seen {
                size: 5,
                root: root_of_12,
            }),
            both,
        ),
        (
            "the same size, another root",
            422,
            with(&|r| {
                r.old = 12;
                r.proof.clear();
            }),
            Some(Seen {
                size: 12,
                root: seen(5).root,
            }),
            both,
        ),
        (
            "the same size, with a proof",
            422,
            with(&|r| r.old = 12),
            Some(seen(12)),
            both,
        ),
        (
            "a proof from nothing",
            422,
            with(&|r| r.old = 0),
            None,
            both,
        ),
        (
            "no leaves, and a root",
            422,
            with(&|r| {
                r.old = 0;
                r.proof.clear();
                r.checkpoint = signed(0, root_of_12, ORIGIN, &log_key());
            }),
            None,
            both,
        ),
    ];
    for (what, status, request, known, keys) in table {
        // As it arrives.
        let request = Request::parse(request.to_string().as_bytes()).unwrap();
        let refusal = decide(&request, known, keys).unwrap_err();
        assert_eq!(refusal.status(), status, "{what}: {refusal}");
        let (kind, body) = refusal.answer();
        assert!(body.ends_with('\n'));
        if status == 409 {
            let size = known.map_or(0, |known| known.size);
            assert_eq!((kind, parse_size(&body)), ("text/x.tlog.size", Some(size)));
        } else {
            assert_eq!(kind, "text/plain; charset=utf-8");
        }
        let is_evidence = ["the same size, another root", "no leaves, and a root"];
        assert_eq!(
            refusal.is_misbehaviour(),
            is_evidence.contains(&what),
            "{what}"
        );
    }
    let malformed = Refusal::from(RequestError::Old);
    assert_eq!(malformed.status(), 400);
    let wrong_length = ProofError::Length {
        expected: 5,
        found: 4,
    };
    let mut short = request(5, 12);
    short.proof.pop();
    assert_eq!(
        decide(&short, Some(seen(5)), both),
        Err(Refusal::Inconsistent(wrong_length))
    );
}

#[test]
fn any_of_a_logs_keys_will_do_and_none_may_be_bad() {
    let old_key = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let keys = [old_key.verifier().clone(), log_key().verifier().clone()];
    assert!(decide(&request(5, 12), Some(seen(5)), &keys).is_ok());
    let mut both = request(5, 12);
    both.checkpoint.sign_also(&old_key);
    assert!(decide(&both, Some(seen(5)), &keys).is_ok());
    assert_eq!(
        both.checkpoint.verify_any(&keys),
        Ok(both.checkpoint.text())
    );
    let none = both.checkpoint.verify_any(&[]);
    assert!(matches!(none, Err(NoteError::NotSigned { .. })));
}

#[test]
fn every_altered_byte_of_a_request_is_refused_or_changes_nothing() {
    let keys = [log_key().verifier().clone()];
    let good = request(5, 12).to_string().into_bytes();
    let accepts = |body: &[u8]| {
        let request = Request::parse(body).ok()?;
        assert_eq!(
            request.to_string().as_bytes(),
            body,
            "a request has one text"
        );
        decide(&request, Some(seen(5)), &keys).ok()
    };
    assert_eq!(accepts(&good), Some(seen(12)));
    let mut tried = 0;
    for at in 0..good.len() {
        for byte in 0..=u8::MAX {
            let mut altered = good.clone();
            altered[at] = byte;
            if altered != good {
                tried += 1;
                assert_eq!(accepts(&altered), None, "{at}: {}", altered.escape_ascii());
            }
        }
        let mut cut = good.clone();
        cut.truncate(at);
        assert_eq!(accepts(&cut), None);
    }
    assert_eq!(tried, good.len() * 255);
}

#[test]
fn every_altered_byte_of_a_cosignature_is_refused() {
    for (algorithm, bits) in [(Algorithm::Ed25519, 8), (Algorithm::MlDsa44, 1)] {
        let key = cosigner("witness.example/w1", algorithm);
        let note = checkpoint(12);
        let line = key.cosign(&note, 1_700_000_000).unwrap().to_string();
        let mut good = note.clone();
        let time = take_answer(&line, &mut good, key.witness());
        assert_eq!(time, Ok(1_700_000_000));
        for at in 0..line.len() {
            for bit in 0..bits {
                let mut altered = line.clone().into_bytes();
                altered[at] ^= 1 << bit;
                let Ok(altered) = String::from_utf8(altered) else {
                    continue;
                };
                let mut note = checkpoint(12);
                let refused = take_answer(&altered, &mut note, key.witness());
                assert!(refused.is_err(), "{at}: {altered}");
                assert_eq!(note, checkpoint(12));
            }
        }
    }
}

/// A line that is not this witness's is passed over; a second one by it must be good too, and the later one counts.
#[test]
fn of_a_witness_that_signs_twice_the_later_signature_is_taken() {
    for algorithm in ALGORITHMS {
        let key = cosigner("witness.example/w1", algorithm);
        let note = checkpoint(12);
        let line = key.cosign(&note, 1_700_000_000).unwrap().to_string();
        let mut good = note.clone();
        take_answer(&line, &mut good, key.witness()).unwrap();
        let other = cosigner("witness.example/w2", algorithm);
        let others = other.cosign(&note, 3).unwrap();
        let mut taken = note.clone();
        let time = take_answer(&format!("{others}{line}"), &mut taken, key.witness());
        assert_eq!(time, Ok(1_700_000_000));
        assert_eq!(taken, good);
        let foreign = key.cosign(&checkpoint(11), 4).unwrap();
        let refused = take_answer(&format!("{line}{foreign}"), &mut taken, key.witness());
        assert!(matches!(
            refused,
            Err(AnswerError::Cosignature(
                CosignatureError::BadSignature { .. }
            ))
        ));
        let earlier = key.cosign(&note, 4).unwrap();
        let both = format!("{line}{earlier}");
        assert_eq!(
            take_answer(&both, &mut taken, key.witness()),
            Ok(1_700_000_000)
        );
        assert_eq!(taken, good);
    }
}

#[test]
fn a_malformed_answer_is_refused() {
    let key = cosigner("w", Algorithm::Ed25519);
    let note = checkpoint(12);
    let line = key.cosign(&note, 9).unwrap().to_string();
    let long = "x".repeat((1 << 20) + 1);
    for body in ["", "\n", "no", &line[..line.len() - 1], &long, "a\r\n"] {
        let mut taken = note.clone();
        assert!(
            take_answer(body, &mut taken, key.witness()).is_err(),
            "{body:.20}"
        );
        assert_eq!(taken, note);
    }
    let many = line.repeat(101);
    let refused = take_answer(&many, &mut note.clone(), key.witness());
    assert_eq!(
        refused,
        Err(AnswerError::Lines(NoteError::TooManySignatures))
    );
    // A note that is full takes no more.
    let mut full = note.to_string();
    for number in 1..100 {
        let key = cosigner(&format!("w{number}"), Algorithm::Ed25519);
        full += &key.cosign(&note, 1).unwrap().to_string();
    }
    let mut full = SignedNote::parse(&full).unwrap();
    let before = full.clone();
    let refused = take_answer(&line, &mut full, key.witness());
    assert_eq!(
        refused,
        Err(AnswerError::Lines(NoteError::TooManySignatures))
    );
    assert_eq!(full, before);
    let text = format!("{}\n", "x".repeat((1 << 20) - 200));
    let mut long = SignedNote::sign(&text, &log_key()).unwrap();
    let line = note.signatures()[0].clone();
    assert_eq!(long.clone().put(line.clone()), Ok(()));
    let big = cosigner("w", Algorithm::MlDsa44).cosign(&note, 1).unwrap();
    assert_eq!(long.put(big), Err(NoteError::TooLong));
    assert_eq!(long.signatures().len(), 1);
    for (body, size) in [
        ("5\n", Some(5)),
        ("0\n", Some(0)),
        ("05\n", None),
        ("5", None),
        ("5\n\n", None),
        ("", None),
    ] {
        assert_eq!(parse_size(body), size, "{body:?}");
    }
}

#[test]
fn a_checkpoint_of_no_leaves_can_be_cosigned() {
    let empty = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 0,
        root: root_of_empty(),
        extensions: Vec::new(),
    };
    let checkpoint = SignedNote::parse(&empty.sign(&log_key()).unwrap()).unwrap();
    let request = Request {
        old: 0,
        proof: Vec::new(),
        checkpoint,
    };
    let keys = [log_key().verifier().clone()];
    assert_eq!(decide(&request, None, &keys), Ok(seen(0)));
    assert_eq!(decide(&request, Some(seen(0)), &keys), Ok(seen(0)));
}

#[test]
fn a_cosignature_of_no_possible_time_is_refused() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    for algorithm in ALGORITHMS {
        let key = cosigner("w", algorithm);
        let note = checkpoint(3);
        let line = key.cosign(&note, 9).unwrap();
        for time in [0, TIMESTAMP_MAX + 1, u64::MAX] {
            let (id, time) = (line.id().to_be_bytes(), time.to_be_bytes());
            let bytes = [&id[..], &time[..], &line.bytes()[8..]].concat();
            let text = format!("{note}\u{2014} w {}\n", STANDARD.encode(bytes));
            let refused = key.witness().verify(&SignedNote::parse(&text).unwrap());
            assert!(matches!(refused, Err(CosignatureError::Timestamp { .. })));
        }
        let short = STANDARD.encode([&line.id().to_be_bytes()[..], &[1; 7]].concat());
        let text = format!("{note}\u{2014} w {short}\n");
        let refused = key.witness().verify(&SignedNote::parse(&text).unwrap());
        assert!(matches!(
            refused,
            Err(CosignatureError::BadSignature { .. })
        ));
    }
}
