//! One row an operation, the last column its named outcome.

use ledger::{Action, Expect, ImportMark, Refused, receipt};

use crate::world::{World, delete, put, transaction, write};

#[test]
fn what_went_in_comes_out_with_a_receipt_that_verifies() {
    let mut world = World::new(1);
    let committed = world.accept(transaction(vec![
        write(
            Action::Create,
            "Patient/anna",
            Expect::Absent,
            Some("anna"),
            "Anna",
        ),
        write(
            Action::Create,
            "Observation/0123456789abcdef",
            Expect::Absent,
            Some("anna"),
            "1.50",
        ),
    ]));
    assert_eq!(committed.first_position, 0);
    let reader = world.reader();
    let (entry, content) = reader.version(1).unwrap();
    assert_eq!(
        content.stored,
        br#"{"resourceType":"Observation","id":"0123456789abcdef","text":"1.50"}"#
    );
    assert_eq!(
        (entry.kind.as_str(), entry.id.as_str(), entry.version),
        ("Observation", "0123456789abcdef", 1)
    );
    assert_eq!(
        (entry.actor.as_str(), entry.purpose.as_str()),
        ("user/dana", "treatment")
    );
    assert_eq!(entry.previous.map(|previous| previous.position), Some(0));
    assert!(!entry.line.contains("anna"), "{}", entry.line);
    let report = receipt::verify(
        reader.receipt(1).unwrap().as_bytes(),
        Some(reader.verifier()),
    )
    .unwrap();
    assert_eq!(report.entry, entry);
    assert_eq!(report.stored, content.stored);
}
