//! Keys, notes and checkpoints: the examples of the specifications, and everything malformed that has a name.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::{KeyError, LineFault, NoteError, SignedNote, SigningKey, VerifierKey};
use tlog::proof::Proof;
use tlog::root_of_empty;

/// The example of the Go checksum database's note package, by which other programs test theirs.
const NEUMANN_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const NEUMANN_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn peter_neumanns_key_signs_and_verifies_his_note() {
    let secret = SigningKey::parse(NEUMANN_SECRET).unwrap();
    assert_eq!(secret.secret_text(), NEUMANN_SECRET);
    assert_eq!(secret.verifier().to_string(), NEUMANN);
    let key: VerifierKey = NEUMANN.parse().unwrap();
    assert_eq!(secret.verifier(), &key);
    assert_eq!((key.name(), key.id()), ("PeterNeumann", 0xc74f_20a3));

    let expected = format!("{NEUMANN_TEXT}\n{NEUMANN_LINE}");
    let note = SignedNote::sign(NEUMANN_TEXT, &secret).unwrap();
    assert_eq!(note.to_string(), expected);
    let read = SignedNote::parse(&expected).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.verify(&key), Ok(NEUMANN_TEXT));
}

#[test]
fn the_examples_of_signed_note_are_read() {
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let example = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = SignedNote::parse(example).unwrap();
    let key = VerifierKey::parse(key).unwrap();
    assert_eq!(note.verify(&key), Ok("This is an example message.\n"));
    assert_eq!(note.to_string(), example);

    // A text with a blank line of its own.
    let salvatore = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = SignedNote::parse(salvatore).unwrap();
    assert!(note.text().ends_with("sole:\n\ned è subito sera.\n"));
    assert_eq!(note.signatures()[0].id(), 0x367b_a04b);
    assert_eq!(note.signatures()[0].bytes().len(), 64);
    assert_eq!(note.to_string(), salvatore);
    let not_signed = NoteError::NotSigned {
        key: "example.com/foo+530d903a".to_owned(),
    };
    assert_eq!(note.verify(&key), Err(not_signed));
}

#[test]
fn the_example_of_tlog_checkpoint_is_read() {
    let example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let note = SignedNote::parse(example).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.root[..4], [0x0a, 0xc5, 0x18, 0x6a]);
    assert!(checkpoint.extensions.is_empty());
    assert_eq!(checkpoint.to_string(), note.text());
}

#[test]
fn a_malformed_key_says_which_part_is_wrong() {
    let base64 = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let with = |name: &str, id: &str, base64: &str| format!("{name}+{id}+{base64}");
    let other_id = KeyError::OtherId {
        found: 0xc74f_20a4,
        computed: 0xc74f_20a3,
    };
    let table = [
        (String::new(), KeyError::Form),
        ("PeterNeumann".to_owned(), KeyError::Form),
        ("PeterNeumann+c74f20a3".to_owned(), KeyError::Form),
        (with("", "c74f20a3", base64), KeyError::Name),
        (with("Peter Neumann", "c74f20a3", base64), KeyError::Name),
        (with("Peter\u{2003}", "c74f20a3", base64), KeyError::Name),
        (with("Peter\u{1}", "c74f20a3", base64), KeyError::Name),
        (with("PeterNeumann", "c74f20a", base64), KeyError::Id),
        (with("PeterNeumann", "0c74f20a3", base64), KeyError::Id),
        (with("PeterNeumann", "C74F20A3", base64), KeyError::Id),
        (with("PeterNeumann", "c74f20ag", base64), KeyError::Id),
        (with("PeterNeumann", "c74f20a4", base64), other_id),
        (with("PeterNeumann", "c74f20a3", "ARpc2"), KeyError::Base64),
        (with("PeterNeumann", "c74f20a3", " ARpc"), KeyError::Base64),
        (with("PeterNeumann", "c74f20a3", "ARpc\n"), KeyError::Base64),
        (with("PeterNeumann", "c74f20a3", ""), KeyError::Type),
        (with("PeterNeumann", "c74f20a3", "BBpc"), KeyError::Type),
        (with("PeterNeumann", "c74f20a3", "ARpc"), KeyError::Key),
        // Points of small order sign anything.
        (
            with(
                "x",
                "00000000",
                "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            ),
            KeyError::Key,
        ),
        (
            with(
                "x",
                "00000000",
                "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            ),
            KeyError::Key,
        ),
        // Not a point.
        (
            with(
                "x",
                "00000000",
                "AQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            ),
            KeyError::Key,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(VerifierKey::parse(&text), Err(expected), "{text:?}");
    }
    for (text, expected) in [
        (NEUMANN, KeyError::Form),
        (&NEUMANN_SECRET[1..], KeyError::Form),
        (&NEUMANN_SECRET.replace("a3", "a4"), other_id_of_secret()),
        (&NEUMANN_SECRET.replace("Peter", "Pet r"), KeyError::Name),
    ] {
        assert_eq!(SigningKey::parse(text).unwrap_err(), expected, "{text:?}");
    }
    assert_eq!(
        SigningKey::from_seed("a+b", &[1; 32]).unwrap_err(),
        KeyError::Name
    );
}

fn other_id_of_secret() -> KeyError {
    KeyError::OtherId {
        found: 0xc74f_20a4,
        computed: 0xc74f_20a3,
    }
}

#[test]
fn a_secret_key_does_not_show_itself() {
    let secret = SigningKey::parse(NEUMANN_SECRET).unwrap();
    assert_eq!(format!("{secret:?}"), "SigningKey(PeterNeumann+c74f20a3)");
}

#[test]
fn a_malformed_note_says_which_part_is_wrong() {
    let good = format!("{NEUMANN_TEXT}\n{NEUMANN_LINE}");
    let line = |number, fault| NoteError::SignatureLine { number, fault };
    let note = |lines: &str| format!("text\n\n{lines}");
    let table = [
        (String::new(), NoteError::NoSignatures),
        ("text\n".to_owned(), NoteError::NoSignatures),
        ("text\n\n".to_owned(), NoteError::NoSignatures),
        (format!("\n{NEUMANN_LINE}"), NoteError::NoSignatures),
        (good.replace("\n\n", "\n"), NoteError::NoSignatures),
        (
            good.replace("then", "th\ten"),
            NoteError::Control { at: 59 },
        ),
        (good.replace('\n', "\r\n"), NoteError::Control { at: 56 }),
        (good.clone() + "\0", NoteError::Control { at: good.len() }),
        (good.trim_end().to_owned(), line(1, LineFault::CutOff)),
        (good.clone() + "x", line(2, LineFault::CutOff)),
        (good.clone() + "x\n", line(2, LineFault::Dash)),
        (good.clone() + "\n", NoteError::NoSignatures),
        (note("- name AAAAAAA=\n"), line(1, LineFault::Dash)),
        (note("—name AAAAAAA=\n"), line(1, LineFault::Dash)),
        (note("— \n"), line(1, LineFault::Name)),
        (note("— name\n"), line(1, LineFault::Name)),
        (note("—  AAAAAAA=\n"), line(1, LineFault::Name)),
        (note("— na+me AAAAAAA=\n"), line(1, LineFault::Name)),
        (note("— na\u{a0}me AAAAAAA=\n"), line(1, LineFault::Name)),
        (note("— name  AAAAAAA=\n"), line(1, LineFault::Base64)),
        (note("— name AAAAAAA= \n"), line(1, LineFault::Base64)),
        (note("— name AAAAAAA\n"), line(1, LineFault::Base64)),
        (note("— name AAAAAAB=\n"), line(1, LineFault::Base64)),
        (note("— name AAAA_AA=\n"), line(1, LineFault::Base64)),
        (note("— name \n"), line(1, LineFault::Short)),
        (note("— name AAAAAA==\n"), line(1, LineFault::Short)),
        (
            note(&"— name AAAAAAA=\n".repeat(101)),
            NoteError::TooManySignatures,
        ),
        ("x".repeat(1 << 20) + &good, NoteError::TooLong),
    ];
    for (text, expected) in table {
        assert_eq!(SignedNote::parse(&text), Err(expected), "{text:?}");
    }
    assert!(SignedNote::parse(&note(&"— name AAAAAAA=\n".repeat(100))).is_ok());
    assert!(SignedNote::parse(&format!("\n\n{NEUMANN_LINE}")).is_ok());
}

#[test]
fn what_cannot_be_read_back_is_not_signed() {
    let key = SigningKey::from_seed("log.example", &[3; 32]).unwrap();
    for (text, expected) in [
        ("", NoteError::Text),
        ("no end", NoteError::Text),
        ("a\tb\n", NoteError::Control { at: 1 }),
        (&("x".repeat(1 << 20) + "\n"), NoteError::TooLong),
    ] {
        assert_eq!(SignedNote::sign(text, &key).unwrap_err(), expected);
    }
    for text in ["\n", "a\n\n", "\n\n\n", "— log.example AAAA\n"] {
        let note = SignedNote::sign(text, &key).unwrap().to_string();
        let read = SignedNote::parse(&note).unwrap();
        assert_eq!(read.verify(key.verifier()), Ok(text));
    }
}

#[test]
fn only_signatures_by_the_known_key_count_and_all_of_them_must_be_good() {
    let log = SigningKey::from_seed("log.example", &[1; 32]).unwrap();
    // The same name, another key; another name, the same key.
    let namesake = SigningKey::from_seed("log.example", &[2; 32]).unwrap();
    let alias = SigningKey::from_seed("alias.example", &[1; 32]).unwrap();
    let text = "text\n";
    let by = |keys: &[&SigningKey]| {
        let mut note = SignedNote::sign(text, keys[0]).unwrap();
        keys[1..].iter().for_each(|key| note.sign_also(key));
        note.to_string()
    };
    let line = |key| by(&[key])["text\n\n".len()..].to_owned();
    let bad = by(&[&log]).replace("text", "next");
    let key = || "log.example+".to_owned() + &format!("{:08x}", log.verifier().id());
    let not_signed = || Err(NoteError::NotSigned { key: key() });
    let bad_signature = || Err(NoteError::BadSignature { key: key() });
    let table = [
        (by(&[&log]), Ok(())),
        (by(&[&log, &namesake]), Ok(())),
        (by(&[&alias, &log]), Ok(())),
        (by(&[&log, &log]), Ok(())),
        (by(&[&namesake]), not_signed()),
        (by(&[&alias, &namesake]), not_signed()),
        (bad.clone(), bad_signature()),
        // The note of another text, with its own good signature by a stranger.
        (bad + &line(&alias), bad_signature()),
    ];
    for (note, expected) in table {
        let read = SignedNote::parse(&note).unwrap();
        assert_eq!(read.verify(log.verifier()).map(|_| ()), expected, "{note}");
        assert_eq!(read.to_string(), note);
    }
    // One good and one bad by the same key.
    let mixed =
        by(&[&log]) + &SignedNote::sign("next\n", &log).unwrap().to_string()["next\n\n".len()..];
    let read = SignedNote::parse(&mixed).unwrap();
    assert_eq!(read.verify(log.verifier()).map(|_| ()), bad_signature());
    // Cut to the key's id and a byte.
    let short = "text\n\n".to_owned() + &cut(&line(&log));
    let read = SignedNote::parse(&short).unwrap();
    assert_eq!(read.verify(log.verifier()).map(|_| ()), bad_signature());
}

/// A signature's line with only the first six bytes of the signature.
fn cut(line: &str) -> String {
    let (name, base64) = line.rsplit_once(' ').unwrap();
    format!("{name} {}\n", &base64[..8])
}

#[test]
fn a_malformed_checkpoint_says_which_line_is_wrong() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let extension = |number| CheckpointError::Extension { number };
    let table = [
        (String::new(), CheckpointError::CutOff),
        (format!("log\n5\n{root}"), CheckpointError::CutOff),
        ("log\n".to_owned(), CheckpointError::Size),
        (format!("\n5\n{root}\n"), CheckpointError::Origin),
        (format!("l\to\n5\n{root}\n"), CheckpointError::Origin),
        (format!("log\n\n{root}\n"), CheckpointError::Size),
        (format!("log\n05\n{root}\n"), CheckpointError::Size),
        (format!("log\n+5\n{root}\n"), CheckpointError::Size),
        (format!("log\n-5\n{root}\n"), CheckpointError::Size),
        (format!("log\n 5\n{root}\n"), CheckpointError::Size),
        (format!("log\n5 \n{root}\n"), CheckpointError::Size),
        (format!("log\n0x5\n{root}\n"), CheckpointError::Size),
        (format!("log\n٥\n{root}\n"), CheckpointError::Size),
        (format!("log\n00\n{empty}\n"), CheckpointError::Size),
        (
            format!("log\n18446744073709551616\n{root}\n"),
            CheckpointError::Size,
        ),
        ("log\n5\n".to_owned(), CheckpointError::Root),
        (format!("log\n5\n{}\n", &root[4..]), CheckpointError::Root),
        (
            format!("log\n5\n{}\n", root.replace("2I=", "2J=")),
            CheckpointError::Root,
        ),
        (format!("log\n5\n{}\n", &root[..43]), CheckpointError::Root),
        (format!("log\n5\n{root} \n"), CheckpointError::Root),
        (format!("log\n0\n{root}\n"), CheckpointError::EmptyRoot),
        (format!("log\n5\n{root}\n\n"), extension(1)),
        (format!("log\n5\n{root}\na\n\nb\n"), extension(2)),
    ];
    for (text, expected) in table {
        assert_eq!(Checkpoint::parse(&text), Err(expected), "{text:?}");
    }
    for text in [
        format!("log\n0\n{empty}\n"),
        format!("log of the ward\n18446744073709551615\n{root}\n"),
        format!("log\n1\n{root}\none\ntwo\n"),
    ] {
        assert_eq!(Checkpoint::parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn a_checkpoint_opens_with_its_own_key_and_origin_only() {
    let key = SigningKey::from_seed("log.example", &[1; 32]).unwrap();
    let stranger = SigningKey::from_seed("log.example", &[2; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "log.example".to_owned(),
        size: 0,
        root: root_of_empty(),
        extensions: vec!["more".to_owned()],
    };
    let note = checkpoint.sign(&key).unwrap();
    let open =
        |note: &str, key: &SigningKey, origin| Checkpoint::open(note, key.verifier(), origin);
    assert_eq!(open(&note, &key, "log.example").as_ref(), Ok(&checkpoint));
    assert!(matches!(
        open(&note, &stranger, "log.example"),
        Err(CheckpointError::Note(NoteError::NotSigned { .. }))
    ));
    assert!(matches!(
        open(&note, &key, "log.examples"),
        Err(CheckpointError::OtherOrigin { found, .. }) if found == "log.example"
    ));
    assert!(matches!(
        open(&note.replace("more", "less"), &key, "log.example"),
        Err(CheckpointError::Note(NoteError::BadSignature { .. }))
    ));
    let with_origin = |origin: &str| Checkpoint {
        origin: origin.to_owned(),
        ..checkpoint.clone()
    };
    for origin in ["", "log\nexample", "log\rexample"] {
        assert_eq!(with_origin(origin).sign(&key), Err(CheckpointError::Origin));
    }
    let forged = Checkpoint {
        root: [0; 32],
        ..checkpoint.clone()
    };
    assert_eq!(forged.sign(&key), Err(CheckpointError::EmptyRoot));
    let split = Checkpoint {
        extensions: vec!["a\nb".to_owned()],
        ..checkpoint
    };
    assert_eq!(
        split.sign(&key),
        Err(CheckpointError::Extension { number: 1 })
    );
}

/// One text has one reading, and what was read has one text: whatever a parser
/// accepts, it writes again byte for byte. Seeded; a failure prints the text.
#[test]
fn whatever_is_accepted_is_written_again_byte_for_byte() {
    let key = SigningKey::from_seed("log.example", &[1; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "log.example".to_owned(),
        size: 1090,
        root: [0xfb; 32],
        extensions: vec!["more".to_owned()],
    };
    let note = checkpoint.sign(&key).unwrap();
    let hash = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";
    let receipt = format!("c2sp.org/tlog-proof@v1\nextra QUJD\nindex 10\n{hash}\n{hash}\n\n{note}");
    let sources = [
        receipt,
        note,
        checkpoint.to_string(),
        NEUMANN.to_owned(),
        NEUMANN_SECRET.to_owned(),
    ];
    let pieces = [
        "\n", "\n\n", " ", "+", "=", "0", "A", "— ", "extra ", "index ", "\u{a0}", "9",
    ];
    let mut accepted = [0; 5];
    let mut random = 0x5eed_u64;
    let mut below = move |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % n
    };
    for _ in 0..60_000 {
        let mut text = sources[below(sources.len())].clone();
        for _ in 0..1 + below(2) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let from = boundaries[below(boundaries.len())];
            let to = boundaries[below(boundaries.len())];
            match below(4) {
                0 => text.insert_str(from, pieces[below(pieces.len())]),
                1 => drop(text.remove(from)),
                2 => {
                    let piece = text[from.min(to)..from.max(to)].to_owned();
                    text.insert_str(from, &piece);
                }
                _ => text.replace_range(from.min(to)..from.max(to), ""),
            }
            if text.is_empty() {
                break;
            }
        }
        let again = [
            Proof::parse(&text).ok().map(|read| read.to_string()),
            SignedNote::parse(&text).ok().map(|read| read.to_string()),
            Checkpoint::parse(&text).ok().map(|read| read.to_string()),
            VerifierKey::parse(&text).ok().map(|read| read.to_string()),
            SigningKey::parse(&text).ok().map(|read| read.secret_text()),
        ];
        for (again, accepted) in again.into_iter().zip(&mut accepted) {
            if let Some(again) = again {
                assert_eq!(again, text);
                *accepted += 1;
            }
        }
    }
    assert!(
        accepted.iter().all(|accepted| *accepted > 20),
        "{accepted:?}"
    );
}
