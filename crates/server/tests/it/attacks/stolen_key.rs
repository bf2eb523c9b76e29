//! Attack 11: somebody else has the log's key.

use tlog::note::SignedNote;
use tlog::policy::Policy;
use tlog::proof::{Proof, VerifyError};
use tlog::witness::Request;
use tlog::{prove_consistency, prove_inclusion};

use super::{Ward, forger, says};
use crate::served::Served;
use crate::witnesses::put;

/// What a witness answers to a request: status and body.
fn submit(ward: &Ward, old: u64, lines: &[String]) -> (u16, String) {
    let request = Request {
        old,
        proof: prove_consistency(old, lines.len() as u64, &forger::tree(lines)).expect("a proof"),
        checkpoint: SignedNote::parse(&forger::checkpoint(&forger::key(&ward.data), lines))
            .expect("a note"),
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .post(format!("{}/add-checkpoint", ward.witness.url))
        .send(request.to_string())
        .expect("an answer");
    (
        answer.status().as_u16(),
        answer.body_mut().read_to_string().expect("text"),
    )
}

#[test]
fn whoever_stole_the_logs_key_cannot_forge_a_past_that_a_quorum_signed() {
    let ward = Ward::new("stolen-past");
    ward.record("fact", 4, 5);
    let mut lines = forger::lines(&ward.data);
    lines[1] = lines[1].replacen("client/tests", "client/other", 1);
    // The thief signs whatever they like.
    let key = forger::key(&ward.data);
    let tree = forger::tree(&lines);
    let proof = Proof {
        extra: None,
        index: 1,
        hashes: prove_inclusion(1, 5, &tree).expect("a proof"),
        checkpoint: forger::checkpoint(&key, &lines),
    };
    let leaf = lines[1].as_bytes();
    proof
        .verify(leaf, key.verifier(), key.name())
        .expect("the log's signature alone is genuine");
    let policy = std::fs::read(format!("{}/witness.policy", ward.data)).expect("the policy");
    let policy = Policy::parse(&policy).expect("a policy");
    match proof.verify_with(leaf, key.verifier(), key.name(), &policy) {
        Err(error @ VerifyError::Witnesses(_)) => {
            says(&error.to_string(), &["cosigned by no witness"]);
        }
        other => panic!("it is refused below the quorum: {other:?}"),
    }
    // A witness's signature from the real checkpoint does not fit.
    let real = std::fs::read_dir(ward.folder.join("witness"))
        .expect("its folder")
        .filter_map(Result::ok)
        .find(|file| file.file_name().to_string_lossy().ends_with(".seen"))
        .expect("what it cosigned");
    let real = std::fs::read_to_string(real.path()).expect("text");
    let lifted = real
        .lines()
        .find(|line| line.starts_with("\u{2014} outside.example/w "))
        .expect("a cosignature");
    let lifted = Proof {
        checkpoint: format!("{}{lifted}\n", proof.checkpoint),
        ..proof
    };
    let outcome = lifted.verify_with(leaf, key.verifier(), key.name(), &policy);
    assert!(outcome.is_err(), "{outcome:?}");
    // And the witness gives none.
    let (status, body) = submit(&ward, 5, &lines);
    assert_eq!(status, 422, "{body}");
    says(&body, &["the log signed two roots for the size 5"]);
}

/// What a thief appends, the witness cannot tell from the real log's; the real log finds out and stops.
#[test]
fn a_log_that_somebody_else_continues_with_its_key_stops_and_says_so() {
    let ward = Ward::new("stolen-future");
    ward.record("fact", 4, 5);
    let mut lines = forger::lines(&ward.data);
    lines.push(
        "hc2 5 2026-01-01T00:00:00.000000Z nobody - create Basic/forged/1 - - x y".to_owned(),
    );
    let (status, body) = submit(&ward, 5, &lines);
    assert_eq!(status, 200, "{body}");

    let served = Served::start(&ward.data);
    let (status, body) = put(&served, &ward.token, "after");
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "has cosigned 6 entries",
            "only 5 here",
            "signed with this log's own key",
            "somebody else signs with its key",
        ],
    );
}
