//! Whose the access log is, who cosigned it, and what the witnesses' times say of both logs.

use super::*;

/// As a stranger reads it, with the log's key and the policy.
fn sentences(export: &Export) -> (String, String) {
    let report = check(&export.write()).expect("it verifies");
    (report.proved.join("\n"), report.not_proved.join("\n"))
}

#[test]
fn the_record_says_which_access_log_is_its_own() {
    let (proved, not_proved) = sentences(&with_access());
    assert!(
        proved.contains("The access log whose key the map of heads names"),
        "{proved}"
    );
    assert!(!not_proved.contains("only the file's word"), "{not_proved}");

    // Anybody can make an access log of that name, with a key of their own.
    let mut forged = with_access();
    let theirs = SigningKey::from_seed(ACCESS, &[66; 32]).expect("a name");
    if let Some(access) = &mut forged.access {
        let note = SignedNote::parse(&access.checkpoint).expect("a note");
        let note = SignedNote::sign(note.text(), &theirs).expect("a text");
        access.checkpoint = note.to_string();
        access.key = theirs.verifier().clone();
    }
    let refused = check(&forged.write()).expect_err("it is another one");
    assert_eq!(
        refused,
        Problem::OtherAccessLog {
            found: theirs.verifier().to_string(),
            named: key(ACCESS).verifier().to_string(),
        }
    );

    // Where the record names none, that is said.
    let unnamed = Export {
        access: with_access().access,
        ..log().export_of(&THEIRS)
    };
    let (proved, not_proved) = sentences(&unnamed);
    assert!(
        proved.contains("An access log with the key that the file names"),
        "{proved}"
    );
    assert!(not_proved.contains("only the file's word"), "{not_proved}");
    // It is not any log's all the same.
    let mut another = unnamed;
    if let Some(access) = &mut another.access {
        access.key = key("else").verifier().clone();
    }
    assert!(matches!(
        check(&another.write()),
        Err(Problem::Distrust {
            log: "access log",
            why: Distrust::UnknownLog { .. }
        })
    ));
}

#[test]
fn witnesses_who_cosigned_the_access_log_are_named() {
    let (proved, not_proved) = sentences(&with_access());
    let says = "Outside witnesses saw the access log, grown from all they had seen of it before, and cosigned: W at \
                2027-01-15T08:00:00";
    assert!(proved.contains(says), "{proved}");
    assert!(!not_proved.contains("have not cosigned it"), "{not_proved}");
    let mut alone = with_access();
    if let Some(access) = &mut alone.access {
        let note = SignedNote::parse(&access.checkpoint).expect("a note");
        let note = SignedNote::sign(note.text(), &key(ACCESS)).expect("a text");
        access.checkpoint = note.to_string();
    }
    let (proved, not_proved) = sentences(&alone);
    assert!(!proved.contains("saw the access log"), "{proved}");
    assert!(not_proved.contains("have not cosigned it"), "{not_proved}");
}

/// Witnesses by the first letters of the alphabet, the times at which they cosigned, and a policy that asks for all.
fn cosigned(note: &str, times: &[u64]) -> (String, Policy) {
    let mut note = SignedNote::parse(note).expect("a note");
    note = SignedNote::sign(note.text(), &key(ORIGIN)).expect("a text");
    let mut policy = String::new();
    let mut names = Vec::new();
    for (letter, time) in ('a'..).zip(times) {
        let name = format!("{letter}.example");
        let seed = [letter as u8; 32];
        let key = CosignerKey::from_seed(&name, Algorithm::Ed25519, &seed).expect("a name");
        note.put(key.cosign(&note, *time).expect("a checkpoint"))
            .expect("room");
        policy += &format!("witness {letter} {}\n", key.witness());
        names.push(letter.to_string());
    }
    policy += &format!("group G all {}\nquorum G\n", names.join(" "));
    (
        note.to_string(),
        Policy::parse(policy.as_bytes()).expect("a policy"),
    )
}

#[test]
fn what_witnesses_had_signed_for_was_not_recorded_later() {
    // The map is recorded last, at 09:12:00; two minutes are allowed.
    let noon = |seconds: i64| u64::try_from(at(12).0 / 1_000_000 + seconds).expect("after 1970");
    let check = |times: &[i64]| {
        let mut export = log().export_of(&THEIRS);
        let times: Vec<u64> = times.iter().map(|seconds| noon(*seconds)).collect();
        let (note, policy) = cosigned(&export.record.checkpoint, &times);
        export.record.checkpoint = note;
        let trust = Trust {
            key: None,
            policy: Some(&policy),
        };
        export
            .verify(&trust)
            .map(|report| report.not_proved.join("\n"))
    };
    for times in [&[0][..], &[-120], &[9_999_999], &[-120, -120]] {
        let not_proved = check(times).expect("they agree");
        assert!(
            !not_proved.contains("was signed for before"),
            "{not_proved}"
        );
    }
    for times in [&[-121][..], &[-121, -300], &[-121, -300, 0]] {
        let Err(Problem::Distrust {
            log: "log",
            why:
                Distrust::Time {
                    position: 12,
                    recorded_at,
                    witness,
                    ..
                },
        }) = check(times)
        else {
            panic!("{times:?}");
        };
        assert_eq!(recorded_at, at(12));
        assert_eq!(witness, if times.len() == 1 { "a" } else { "b" });
    }
    for times in [&[-121, 0][..], &[-300, -121, 0, 0], &[0, -121, 9]] {
        let not_proved = check(times).expect("most agree");
        assert!(not_proved.contains("was signed for before"), "{not_proved}");
    }
}

#[test]
fn what_witnesses_had_signed_for_was_not_disclosed_later() {
    let mut export = with_access();
    let access = export.access.as_mut().expect("it has one");
    // The last of the leaves is of 09:03.
    let note = SignedNote::parse(&access.checkpoint).expect("a note");
    let note = SignedNote::sign(note.text(), &key(ACCESS)).expect("a text");
    let cosigned = |time: i64| {
        let mut note = note.clone();
        let time = u64::try_from(time / 1_000_000).expect("after 1970");
        note.put(witness().cosign(&note, time).expect("a checkpoint"))
            .expect("room");
        note.to_string()
    };
    let mut found = |time: i64| {
        if let Some(access) = &mut export.access {
            access.checkpoint = cosigned(time);
        }
        check(&export.write()).map(|_| ())
    };
    assert_eq!(found(at(1).0), Ok(()));
    assert!(matches!(
        found(at(1).0 - 1_000_000),
        Err(Problem::Distrust {
            log: "access log",
            why: Distrust::Time { position: 3, .. },
        })
    ));
}

#[test]
fn an_access_log_that_says_nothing_of_the_person_is_proved_to_have_been_asked() {
    let mut export = with_access();
    let tree: Tree = [tlog::leaf_hash(b"of somebody else")].into_iter().collect();
    let (_, checkpoint) = prove(&tree, &[0], ACCESS);
    let root = root_at(1, &tree).expect("in memory");
    export.access = Some(Section {
        key: key(ACCESS).verifier().clone(),
        items: Vec::new(),
        hashes: vec![root],
        checkpoint,
    });
    let (proved, _) = sentences(&export);
    assert!(proved.contains("these 0 disclosures"), "{proved}");
}

#[test]
fn a_policy_that_names_the_log_vouches_for_its_key() {
    let text = format!(
        "log {}\nwitness W {}\nquorum W\n",
        key(ORIGIN).verifier(),
        witness().witness()
    );
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let trust = Trust {
        key: None,
        policy: Some(&policy),
    };
    let report = with_access().verify(&trust).expect("it verifies");
    let unsure = |s: &String| s.starts_with("Whose log it is");
    assert!(!report.not_proved.iter().any(unsure));
}
