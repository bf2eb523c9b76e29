//! Promises: signed, read, refused where a byte differs. What becomes of one is tested with exports.

use super::*;

fn key() -> SigningKey {
    SigningKey::from_seed("ward.example/log", &[3; 32]).expect("a name")
}

fn promise() -> Promise {
    let at = |text| RecordedAt::parse(text).expect("an instant");
    Promise {
        key: key().verifier().clone(),
        person: Alias([7; 16]),
        received: at("2026-05-05T09:00:00.000000Z"),
        due: at("2026-05-06T09:00:00.000000Z"),
        content: fingerprint(br#"{"resourceType":"Observation","valueInteger":1}"#).expect("JSON"),
    }
}

#[test]
fn a_promise_is_read_as_it_was_signed_and_no_altered_byte_passes() {
    let file = promise().sign(&key()).expect("it signs").into_bytes();
    assert!(is_one(&file));
    assert_eq!(Promise::open(&file, &Trust::default()), Ok(promise()));
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut altered = file.clone();
            altered[at] ^= 1 << bit;
            assert!(Promise::open(&altered, &Trust::default()).is_err(), "{at}");
        }
        assert!(Promise::open(&file[..at], &Trust::default()).is_err());
    }
    let other = SigningKey::from_seed("ward.example/log", &[4; 32]).expect("a name");
    let trust = Trust {
        key: Some(other.verifier()),
        policy: None,
    };
    let refused = Promise::open(&file, &trust).unwrap_err();
    assert!(matches!(
        refused,
        Problem::Distrust(Distrust::OtherKey { .. })
    ));
    // Signed by another than it names.
    let forged = promise().sign(&other).expect("it signs").into_bytes();
    let refused = Promise::open(&forged, &Trust::default()).unwrap_err();
    assert!(matches!(refused, Problem::Signature(_)));
}

#[test]
fn a_promise_is_no_checkpoint() {
    let note = promise().sign(&key()).expect("it signs");
    let refused = tlog::checkpoint::Checkpoint::open(&note, key().verifier(), HEADER);
    assert!(refused.is_err());
}

#[test]
fn a_fingerprint_knows_a_resource_however_it_is_stored() {
    let check = |one: &str, two: &str, same: bool| {
        let of = |text: &str| fingerprint(text.as_bytes());
        assert_eq!(of(one) == of(two), same, "{one} and {two}");
    };
    let plain = r#"{"resourceType":"Observation","status":"final","value":1.50}"#;
    check(
        plain,
        r#"{"status":"final","value":1.50,"resourceType":"Observation"}"#,
        true,
    );
    check(
        plain,
        "{\n \"resourceType\" : \"Observation\",\"status\":\"final\",\"value\":1.50 }",
        true,
    );
    check(
        plain,
        r#"{"resourceType":"Observation","id":"x","meta":{"versionId":"1"},"status":"final","value":1.50}"#,
        true,
    );
    check(
        plain,
        r#"{"resourceType":"Observation","status":"final","value":1.5}"#,
        false,
    );
    check(
        plain,
        r#"{"resourceType":"Observation","status":"final"}"#,
        false,
    );
    check(
        plain,
        r#"{"resourceType":"Observation","status":"final","value":1.50,"x":{}}"#,
        false,
    );
    for text in ["", "[]", "1", "{", "null"] {
        assert_eq!(fingerprint(text.as_bytes()), None);
    }
}
