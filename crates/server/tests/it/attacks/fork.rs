//! Attack 2: two logs under one name and key, one for the witnesses and one for a participant.

use tlog::policy::Policy;
use tlog::proof::{Proof, VerifyError};

use super::{Ward, copy, forger, refused, says};
use crate::served::{Served, get};
use crate::witnesses::{put, put_all};

#[test]
fn a_log_that_only_one_participant_is_shown_has_no_quorum() {
    let ward = Ward::new("fork");
    ward.record("fact", 3, 4);
    // The fork: the same programme, keys and all, on another machine without the witness.
    let fork = ward.folder.join("fork");
    copy(&ward.data, &fork);
    std::fs::remove_file(format!("{fork}/witness.policy")).expect("removed");
    let participant = Served::start(&fork);
    put_all(&participant, &ward.token, "for-you-only", 2);
    let (status, receipt) = get(
        &participant.url("/fhir/Basic/for-you-only-1/$receipt"),
        Some(&ward.token),
    );
    assert_eq!(status, 200, "{receipt}");
    drop(participant);
    ward.record("for-the-others", 3, 7);

    // It is signed by the log, and whoever asks for no more is fooled.
    let key = forger::key(&fork);
    ledger::receipt::verify(receipt.as_bytes(), Some(key.verifier())).expect("it looks right");
    // Who asks for the quorum is not.
    let policy = std::fs::read(format!("{}/witness.policy", ward.data)).expect("the policy");
    let policy = Policy::parse(&policy).expect("a policy");
    let proof = Proof::parse(&receipt).expect("a receipt");
    let extra = proof.extra.as_deref().expect("its content");
    let line = extra.split(|b| *b == b'\n').nth(2).expect("the line");
    match proof.verify_with(line, key.verifier(), key.name(), &policy) {
        Err(error @ VerifyError::Witnesses(_)) => {
            says(
                &error.to_string(),
                &["cosigned by no witness", "missing: w0"],
            );
        }
        other => panic!("it is refused below the quorum: {other:?}"),
    }
}

#[test]
fn a_fork_is_not_cosigned_and_shuts_itself() {
    let ward = Ward::new("fork-shown");
    ward.record("fact", 3, 4);
    let fork = ward.folder.join("fork");
    copy(&ward.data, &fork);
    ward.record("for-the-others", 3, 7);
    // The fork is as long as the real one, and asks the same witness.
    {
        std::fs::rename(format!("{fork}/witness.policy"), format!("{fork}/later")).expect("moved");
        let served = Served::start(&fork);
        put_all(&served, &ward.token, "for-you-only", 3);
        drop(served);
        std::fs::rename(format!("{fork}/later"), format!("{fork}/witness.policy")).expect("moved");
    }
    let served = Served::start(&fork);
    served.until("homecoming_writes_refused", |value| value == 1.0);
    let (status, body) = put(&served, &ward.token, "more");
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "the witness w0 cosigned 7 entries",
            "does not begin with them",
            "another log is served under this name",
        ],
    );
    drop(served);
    // The witness keeps what it was asked: two pasts, signed with one key.
    let kept = std::fs::read_dir(ward.folder.join("witness"))
        .expect("its folder")
        .filter_map(Result::ok)
        .filter(|file| file.file_name().to_string_lossy().ends_with(".fork"))
        .count();
    assert!(kept > 0, "no request that proves the fork was kept");

    // The participant's copy of what is noted here is of the real log, so that copy shows it, too.
    for end in ["", "-wal", "-shm"] {
        let name = format!("witnessed.sqlite{end}");
        let _ = std::fs::remove_file(format!("{fork}/{name}"));
        let _ = std::fs::copy(format!("{}/{name}", ward.data), format!("{fork}/{name}"));
    }
    says(
        &refused(&fork),
        &["The record was changed", "first 7 entries"],
    );
}
