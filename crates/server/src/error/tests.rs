//! Every kind of error as an OperationOutcome and as a page's headline, against the checked-in file.

use record::finding::{Finding, Severity};

use super::*;
use crate::fhir::outcome;

/// One example of each kind, in the words that the server uses.
fn example(kind: ErrorKind) -> Error {
    use ErrorKind::*;
    let message = match kind {
        Malformed => "The body is not JSON: line 3, column 14: expected `,` or `}`.",
        Invalid => "The Observation was not stored: 1 thing in it is not valid FHIR R4.",
        Unsupported => "`_filter` is not supported.",
        Unauthenticated => "Send an access token: `Authorization: Bearer ...`.",
        Forbidden => "This client may not update Observation: its scopes are `system/*.rs`.",
        NotFound => "There is no Patient/17.",
        Deleted => "Patient/17 was deleted.",
        Erased => "Entry 17 of the record was erased by law: its key was destroyed.",
        MethodNotAllowed => "DELETE is not possible here.",
        NotAcceptable => {
            "This server speaks JSON only; `Accept: application/fhir+xml` cannot be satisfied."
        }
        Conflict => "Two entries of the transaction write Patient/17.",
        Stale => "Observation/17 is at version 4; you sent version 3. Reload it and try again.",
        Ambiguous => "More than one Patient matches `identifier=a|1`; nothing was written.",
        TooLarge => "The body is larger than 4 MB.",
        TooSlow => "The body did not come within the time that there is for it.",
        TooOften => "That was asked too often. Wait 3 seconds, then go on more slowly.",
        WrongMedia => "The body is `text/plain`; send `application/fhir+json`.",
        Refused => "Entry 2 refers to urn:uuid:17, which no entry of the transaction has.",
        Full => "The disk is full. Nothing was written.",
        Unavailable => "The server is stopping. Try again in a moment.",
        Internal => return Error::internal("a source that only the log sees"),
    };
    let error = Error::new(kind, message);
    match kind {
        Invalid => error.with(vec![Finding {
            severity: Severity::Error,
            code: "required",
            expression: "Observation.status".to_owned(),
            message: "`status` is missing.".to_owned(),
        }]),
        _ => error,
    }
}

#[test]
fn every_kind_is_rendered_as_the_file_says() {
    let mut seen = String::new();
    for kind in ErrorKind::ALL {
        let error = example(kind);
        let row = kind.row();
        seen.push_str(&format!(
            "== {kind:?}: {} \u{201c}{}\u{201d}\n",
            row.status, row.title
        ));
        seen.push_str(&String::from_utf8(outcome::of_error(&error)).expect("outcomes are UTF-8"));
        seen.push('\n');
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/error/every_kind.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, &seen).expect("the snapshot can be written");
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        seen, expected,
        "run the tests with UPDATE_SNAPSHOTS=1 if this is meant"
    );
}

#[test]
fn a_source_never_reaches_the_outcome() {
    let text = String::from_utf8(outcome::of_error(&example(ErrorKind::Internal))).expect("UTF-8");
    assert!(!text.contains("only the log sees"));
}

#[test]
fn a_finding_inside_a_bundle_names_the_entry() {
    let error = example(ErrorKind::Invalid).within("Bundle.entry[3]");
    assert_eq!(
        error.findings[0].expression,
        "Bundle.entry[3].resource.status"
    );
    assert!(error.message.starts_with("Bundle.entry[3]: "));
}
