//! Policies: read strictly, and how many cosignatures they take to be met.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{KeyError, NoteError, SignedNote, SigningKey};
use tlog::policy::{CheckError, Policy, PolicyFault};
use tlog::proof::{Proof, VerifyError};
use tlog::{Tree, leaf_hash, prove_inclusion, root_at};

use crate::model;
use crate::witnesses::cosigner;

const ORIGIN: &str = "ward.example/log";

fn log_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

fn witness(name: &str) -> CosignerKey {
    // One of them signs with the other algorithm: a policy does not mind.
    let algorithm = match name {
        "Y1" => Algorithm::MlDsa44,
        _ => Algorithm::Ed25519,
    };
    cosigner(name, algorithm)
}

/// Writes the keys in: `$NAME` is the key of that witness, `$log` the log's.
fn filled(text: &str) -> String {
    let mut text = text.replace("$log", &log_key().verifier().to_string());
    for name in ["X1", "X2", "X3", "Y1", "Y2", "Y3"] {
        let key = witness(name).witness().to_string();
        text = text.replace(&format!("${name}"), &key);
    }
    text
}

/// The example of tlog-policy.
const EXAMPLE: &str = "log $log

witness X1 $X1
witness X2 $X2
witness X3 $X3
group X-witnesses 2 X1 X2 X3

witness Y1 $Y1
witness Y2 $Y2
witness Y3 $Y3
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
";

fn policy(text: &str) -> Policy {
    Policy::parse(filled(text).as_bytes()).unwrap()
}

fn checkpoint(witnesses: &[&str]) -> SignedNote {
    let tree: Tree = (0..9).map(|i| leaf_hash(&model::leaf_data(i))).collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 9,
        root: root_at(9, &tree).unwrap(),
        extensions: Vec::new(),
    };
    let mut note = SignedNote::parse(&checkpoint.sign(&log_key()).unwrap()).unwrap();
    for (name, time) in witnesses.iter().zip(1_000..) {
        note.put(witness(name).cosign(&note, time).unwrap())
            .unwrap();
    }
    note
}

#[test]
fn the_example_of_tlog_policy_asks_for_two_x_and_one_y() {
    let policy = policy(EXAMPLE);
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    assert_eq!(
        policy.quorum(),
        "2 of (2 of (X1, X2, X3), 1 of (Y1, Y2, Y3))"
    );
    assert!(policy.asks_for_witnesses());
    let names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];
    let mut met = 0;
    for chosen in 0..64_u32 {
        let is_in = |at: &usize| chosen >> at & 1 == 1;
        let who: Vec<&str> = (0..6).filter(is_in).map(|at| names[at]).collect();
        let enough = (chosen & 7).count_ones() >= 2 && chosen >> 3 > 0;
        met += u32::from(enough);
        match policy.check(&checkpoint(&who).to_string()) {
            Ok((checkpoint, quorum)) => {
                assert!(enough, "{who:?}");
                assert_eq!(checkpoint.size, 9);
                let cosigned: Vec<&str> = quorum.cosigned.iter().map(|c| &*c.witness).collect();
                assert_eq!(cosigned, who);
                assert_eq!(quorum.cosigned[0].time, 1_000);
                assert_eq!(quorum.cosigned[0].key, who[0]);
                assert_eq!(quorum.latest(), Some(999 + who.len() as u64));
            }
            Err(CheckError::Shortfall(short)) => {
                assert!(!enough, "{who:?}");
                assert_eq!(short.cosigned.len() + short.absent.len(), 6);
                assert!(short.absent.iter().all(|name| !who.contains(&&**name)));
                assert!(short.to_string().contains(&policy.quorum()));
            }
            Err(other) => panic!("{who:?}: {other}"),
        }
    }
    assert_eq!(met, 4 * 7);
    let none = policy.check(&checkpoint(&[]).to_string()).unwrap_err();
    assert!(
        none.to_string().contains("cosigned by no witness"),
        "{none}"
    );
    let one = policy.check(&checkpoint(&["X2"]).to_string()).unwrap_err();
    assert!(one.to_string().contains("by only X2,"), "{one}");
}

#[test]
fn what_is_allowed_between_the_words_is_read() {
    let tabs = "# who\n\n \t\n \t# and \u{fc}\n\tlog \t $log  https://ward.example/log \t\nwitness\tW\t$X1 http://w.example/a\n  quorum\tW";
    let policy = policy(&format!("{tabs}\n"));
    assert_eq!(
        policy.logs()[0].url.as_deref(),
        Some("https://ward.example/log")
    );
    let witness = &policy.witnesses()[0];
    assert_eq!(
        (&*witness.name, witness.url.as_deref()),
        ("W", Some("http://w.example/a"))
    );
    assert_eq!(policy.quorum(), "W");
    assert!(policy.check(&checkpoint(&["X1"]).to_string()).is_ok());
    // A comment may hold other bytes than UTF-8.
    assert!(Policy::parse(b"# \xff\nquorum none\n").is_ok());
    // Numbers and keywords are names like any other.
    let odd = "witness 2 $X1\nwitness all $X2\ngroup any 2 2 all\ngroup log 1 any\nquorum log\n";
    let odd = Policy::parse(filled(odd).as_bytes()).unwrap();
    assert_eq!(odd.quorum(), "1 of (2 of (2, all))");
}

#[test]
fn a_malformed_policy_names_the_line() {
    let key = KeyError::Form;
    let unknown = |name: &str| PolicyFault::Unknown(name.to_owned());
    let twice = |name: &str| PolicyFault::MemberTwice(name.to_owned());
    let two = "witness A $X1\nwitness B $X2\n";
    let with = |rest: &str| format!("{two}{rest}");
    let other_name = {
        let same = CosignerKey::from_seed("other", Algorithm::Ed25519, &leaf_hash(b"X1"));
        same.unwrap().witness().to_string()
    };
    let other_log = SigningKey::from_seed("other", &[9; 32]).unwrap();
    let table = [
        (String::new(), 0, PolicyFault::NoQuorum),
        ("# nothing\n".to_owned(), 1, PolicyFault::NoQuorum),
        (with(""), 2, PolicyFault::NoQuorum),
        (with("quorum A"), 3, PolicyFault::CutOff),
        (with("quorum A\r\n"), 3, PolicyFault::Control),
        (with("quorum A\u{b}\n"), 3, PolicyFault::Control),
        (with("# \u{7f}\nquorum A\n"), 3, PolicyFault::Control),
        (with("\0\n"), 3, PolicyFault::Control),
        (with("Quorum A\n"), 3, PolicyFault::Keyword),
        (with("quorum\u{a0}A\n"), 3, PolicyFault::Keyword),
        (with("quorum\n"), 3, PolicyFault::Words),
        (with("quorum A B\n"), 3, PolicyFault::Words),
        (with("quorum A # or B\n"), 3, PolicyFault::Words),
        (with("quorum A\nquorum A\n"), 4, PolicyFault::SecondQuorum),
        (with("quorum C\nwitness C $X3\n"), 3, unknown("C")),
        (with("quorum a\n"), 3, unknown("a")),
        (with("log\n"), 3, PolicyFault::Words),
        (with("log $log a b\n"), 3, PolicyFault::Words),
        (with("log $X1\n"), 3, PolicyFault::Key(KeyError::Type)),
        (with("log nonsense\n"), 3, PolicyFault::Key(key.clone())),
        (with("log $log\nlog $log\n"), 4, PolicyFault::SameKey),
        (
            with(&format!("log $log\nlog {}\n", other_log.verifier())),
            4,
            PolicyFault::SameKey,
        ),
        (with("witness C\n"), 3, PolicyFault::Words),
        (with("witness C $X3 a b\n"), 3, PolicyFault::Words),
        (with("witness C nonsense\n"), 3, PolicyFault::Key(key)),
        (
            with("witness C $log\n"),
            3,
            PolicyFault::Key(KeyError::Type),
        ),
        (with("witness C $X1\n"), 3, PolicyFault::SameKey),
        (
            with(&format!("witness C {other_name}\n")),
            3,
            PolicyFault::SameKey,
        ),
        (with("witness A $X3\n"), 3, PolicyFault::NameTaken),
        (with("witness none $X3\n"), 3, PolicyFault::NameTaken),
        (with("group none any A\n"), 3, PolicyFault::NameTaken),
        (with("group A any B\n"), 3, PolicyFault::NameTaken),
        (with("group G any\n"), 3, PolicyFault::Words),
        (with("group G\n"), 3, PolicyFault::Words),
        (with("group G 0 A\n"), 3, PolicyFault::Needed),
        (with("group G 2 A\n"), 3, PolicyFault::Needed),
        (with("group G 01 A\n"), 3, PolicyFault::Needed),
        (with("group G -1 A\n"), 3, PolicyFault::Needed),
        (with("group G most A\n"), 3, PolicyFault::Needed),
        (with("group G any G\n"), 3, unknown("G")),
        (with("group G any none\n"), 3, unknown("none")),
        (with("group G any A C\n"), 3, unknown("C")),
        (with("group G any A A\n"), 3, twice("A")),
        (with("group G any A B\ngroup H any B\n"), 4, twice("B")),
        (
            with("group G any A\ngroup H any G\ngroup I any G\n"),
            5,
            twice("G"),
        ),
    ];
    for (text, line, fault) in table {
        let refused = Policy::parse(filled(&text).as_bytes()).unwrap_err();
        assert_eq!((refused.line, refused.fault), (line, fault), "{text}");
    }
    let not_text = Policy::parse(b"quorum none\nwitness \xff x\n").unwrap_err();
    assert_eq!((not_text.line, not_text.fault), (2, PolicyFault::NotUtf8));
    let long = format!("quorum none\n{}", "#\n".repeat(1 << 19));
    let refused = Policy::parse(long.as_bytes()).unwrap_err();
    assert_eq!(refused.fault, PolicyFault::TooLong);
    assert!(refused.to_string().starts_with("line 5242"), "{refused}");
    let message = Policy::parse(b"witness A b\n").unwrap_err().to_string();
    assert_eq!(
        message,
        "line 1 of the policy has no proper key: the key is not of the form name+id+base64"
    );
}

#[test]
fn a_policy_checks_the_logs_own_signature_too() {
    let policy = policy(EXAMPLE);
    let enough = ["X1", "X2", "Y1"];
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let good = checkpoint(&enough);
    assert!(policy.check(&good.to_string()).is_ok());

    let lines = |note: &SignedNote, skip: usize| {
        let lines: String = note.signatures()[skip..]
            .iter()
            .map(|s| s.to_string())
            .collect();
        format!("{}\n{lines}", note.text())
    };
    let unsigned = policy.check(&lines(&good, 1)).unwrap_err();
    assert!(matches!(
        unsigned,
        CheckError::Log(NoteError::NotSigned { .. })
    ));
    let forged = SignedNote::sign(good.text(), &other).unwrap();
    let forged = format!("{forged}{}", lines(&good, 1).split_once("\n\n").unwrap().1);
    let forged = policy.check(&forged).unwrap_err();
    assert!(matches!(
        forged,
        CheckError::Log(NoteError::NotSigned { .. })
    ));
    let elsewhere = good.to_string().replace("ward.example/log\n9", "else\n9");
    assert_eq!(
        policy.check(&elsewhere),
        Err(CheckError::UnknownLog {
            origin: "else".to_owned()
        })
    );
    assert!(matches!(policy.check("x"), Err(CheckError::Checkpoint(_))));
    assert!(matches!(
        policy.check(&lines(&SignedNote::sign("x\n", &log_key()).unwrap(), 0)),
        Err(CheckError::Checkpoint(CheckpointError::Size))
    ));

    // The cosignature of another checkpoint, beside enough good ones.
    let mut mixed = good.clone();
    let elsewhere = SignedNote::sign(&good.text().replace("\n9\n", "\n8\n"), &log_key()).unwrap();
    let line = witness("Y2").cosign(&elsewhere, 4).unwrap();
    mixed.put(line).unwrap();
    let bad = policy.check(&mixed.to_string()).unwrap_err();
    assert!(matches!(bad, CheckError::Cosignature(_)), "{bad}");

    // No log named, or no witness asked for.
    let no_log = EXAMPLE.replace("log $log\n", "");
    let no_log = Policy::parse(filled(&no_log).as_bytes()).unwrap();
    assert!(matches!(
        no_log.check(&good.to_string()),
        Err(CheckError::UnknownLog { .. })
    ));
    assert!(no_log.check_quorum(&good).is_ok());
    let open = self::policy("log $log\nwitness A $X1\nquorum none\n");
    assert!(!open.asks_for_witnesses());
    assert_eq!(open.quorum(), "no witness");
    let (_, quorum) = open.check(&checkpoint(&[]).to_string()).unwrap();
    assert_eq!(quorum.latest(), None);
    let (_, quorum) = open.check(&good.to_string()).unwrap();
    assert_eq!(quorum.cosigned.len(), 1);
}

#[test]
fn every_altered_byte_of_a_cosigned_receipt_is_refused() {
    let policy = policy(EXAMPLE);
    let tree: Tree = (0..9).map(|i| leaf_hash(&model::leaf_data(i))).collect();
    let leaf = model::leaf_data(4);
    let receipt = Proof {
        extra: None,
        index: 4,
        hashes: prove_inclusion(4, 9, &tree).unwrap(),
        checkpoint: checkpoint(&["X1", "X3", "Y2"]).to_string(),
    };
    let key = log_key();
    let check = |text: &[u8]| {
        let proof = Proof::parse(str::from_utf8(text).ok()?).ok()?;
        let verified = proof.verify_with(&leaf, key.verifier(), ORIGIN, &policy);
        verified.ok()
    };
    let good = receipt.to_string().into_bytes();
    let verified = check(&good).unwrap();
    assert_eq!(verified.quorum.cosigned.len(), 3);
    assert!(verified.others.is_empty());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut altered = good.clone();
            altered[at] ^= 1 << bit;
            assert_eq!(check(&altered), None, "{at}: {}", altered.escape_ascii());
        }
        let mut left_out = good.clone();
        left_out.remove(at);
        assert_eq!(check(&left_out), None, "{at}");
    }
}

#[test]
fn a_receipt_below_the_quorum_or_of_another_log_is_refused() {
    let tree: Tree = (0..9).map(|i| leaf_hash(&model::leaf_data(i))).collect();
    let receipt = |witnesses: &[&str]| Proof {
        extra: None,
        index: 4,
        hashes: prove_inclusion(4, 9, &tree).unwrap(),
        checkpoint: checkpoint(witnesses).to_string(),
    };
    let leaf = model::leaf_data(4);
    let log = log_key();
    let key = log.verifier();
    let example = policy(EXAMPLE);
    let check = |receipt: &Proof, policy: &Policy| receipt.verify_with(&leaf, key, ORIGIN, policy);
    let enough = receipt(&["X1", "X2", "Y1"]);
    assert!(check(&enough, &example).is_ok());
    assert!(matches!(
        check(&receipt(&["X1", "X2"]), &example),
        Err(VerifyError::Witnesses(CheckError::Shortfall(_)))
    ));
    // Without a policy a cosignature is only an unknown one.
    let verified = enough.verify(&leaf, key, ORIGIN).unwrap();
    assert_eq!(
        (verified.quorum.cosigned.len(), verified.others.len()),
        (0, 3)
    );
    // The policy's log is another one, or the same one by another key.
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let other_key = filled(&EXAMPLE.replace("$log", &other.verifier().to_string()));
    let other_key = Policy::parse(other_key.as_bytes()).unwrap();
    let refused = VerifyError::UnknownLog {
        origin: ORIGIN.to_owned(),
    };
    assert_eq!(check(&enough, &other_key), Err(refused.clone()));
    let renamed = SigningKey::from_seed("other", &[9; 32]).unwrap();
    let renamed = filled(&EXAMPLE.replace("$log", &renamed.verifier().to_string()));
    let renamed = Policy::parse(renamed.as_bytes()).unwrap();
    assert_eq!(check(&enough, &renamed), Err(refused));
    // A policy without logs leaves the key to who asks.
    let no_log = filled(&EXAMPLE.replace("log $log\n", ""));
    assert!(check(&enough, &Policy::parse(no_log.as_bytes()).unwrap()).is_ok());
}
