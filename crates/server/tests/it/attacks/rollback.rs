//! Attack 1: the log is cut off or rewritten, hashed and signed again so that it fits together.

use super::{Ward, forger, refused, says};
use crate::served::{Served, get, homecoming_done};
use crate::witnesses::put;

#[test]
fn a_log_that_was_cut_off_and_signed_again_is_refused_at_the_start() {
    let ward = Ward::new("cut-off");
    ward.record("fact", 5, 6);
    let lines = forger::lines(&ward.data);
    assert_eq!(lines.len(), 6);
    forger::replace(&ward.data, &lines[..4]);
    says(
        &refused(&ward.data),
        &[
            "cosigned 6 entries of the record",
            "only 4 here",
            "2 entries at the end",
            "cut off",
            "homecoming restore",
        ],
    );
    // Made from the programme's own files: without the witness nothing would have been wrong with them.
    forger::forget_witnesses(&ward.data);
    homecoming_done(&["rebuild", "--data", &ward.data]);
}

#[test]
fn a_log_whose_past_was_rewritten_and_signed_again_is_refused_at_the_start() {
    let ward = Ward::new("rewritten");
    ward.record("fact", 5, 6);
    let mut lines = forger::lines(&ward.data);
    // Somebody else is said to have written the third entry.
    lines[2] = lines[2].replacen("client/tests", "client/other", 1);
    forger::replace(&ward.data, &lines);
    says(
        &refused(&ward.data),
        &[
            "The record was changed",
            "first 6 entries",
            "rewrote the past",
        ],
    );
}

/// Whoever also removes what is noted here of the witnesses still meets the witness.
#[test]
fn a_log_that_was_cut_off_with_all_traces_is_shut_by_the_witness() {
    let ward = Ward::new("traces");
    ward.record("fact", 5, 6);
    let receipt = {
        let served = Served::start(&ward.data);
        get(
            &served.url("/fhir/Basic/fact-4/$receipt"),
            Some(&ward.token),
        )
        .1
    };
    let lines = forger::lines(&ward.data);
    forger::replace(&ward.data, &lines[..4]);
    forger::forget_witnesses(&ward.data);

    // Not one entry is taken before the witness was heard.
    let served = Served::start(&ward.data);
    let (status, body) = put(&served, &ward.token, "after");
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "cosigned 6 entries of the record",
            "only 4 here",
            "signed with this log's own key",
            "lost or cut off",
        ],
    );
    let (status, _) = get(&served.url("/fhir/Basic/fact-1"), Some(&ward.token));
    assert_eq!(status, 200, "what is left can be read");
    drop(served);

    // What the witness said is noted: without it the server does not even start again.
    says(
        &refused(&ward.data),
        &[
            "The witness w0 has said that it cosigned 6 entries",
            "only 4 here",
        ],
    );
    // And who holds the receipt of what was cut off can show that it was there.
    let key = forger::key(&ward.data);
    ledger::receipt::verify(receipt.as_bytes(), Some(key.verifier())).expect("it stands");
    assert!(receipt.contains("\u{2014} outside.example/w "), "{receipt}");
}
