//! What can be registered, and what the record says of it.

use super::*;

fn key_set() -> Json {
    json!({ "keys": [{
        "kty": "EC", "crv": "P-384", "kid": "a", "use": "sig", "alg": "ES384",
        // The curve's own generator: any point will do.
        "x": "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
        "y": "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    }] })
}

fn registration(proof: Proof, redirects: &[&str]) -> Registration {
    Registration {
        proof,
        redirects: redirects.iter().map(|one| (*one).to_owned()).collect(),
        keys: (proof == Proof::Key).then(key_set),
        ..Registration::default()
    }
}

#[test]
fn a_registration_must_fit_together() {
    let back: &[&str] = &["https://app.example/back"];
    for (proof, redirects, scope, fits) in [
        (Proof::Token, &[][..], "system/*.cruds", true),
        (Proof::Token, &[], "log.read", true),
        (Proof::Token, &[], "user/*.rs", false),
        (Proof::Token, &[], "openid", false),
        (Proof::Token, back, "system/*.rs", false),
        (Proof::Public, back, "patient/*.rs launch/patient", true),
        (Proof::Public, &[], "patient/*.rs", false),
        (Proof::Public, back, "system/*.rs", false),
        (Proof::Secret, back, "user/*.rs openid fhirUser", true),
        (Proof::Secret, back, "log.read", false),
        (Proof::Key, &[], "system/*.rs token.introspect", true),
        (Proof::Key, &[], "patient/*.rs", false),
        (Proof::Key, back, "patient/*.rs system/Patient.r", true),
        (Proof::Key, &[], "", false),
    ] {
        let scopes = Scopes::parse(scope).expect(scope);
        let outcome = registration(proof, redirects).check("app", &scopes);
        assert_eq!(outcome.is_ok(), fits, "{proof:?} {scope}: {outcome:?}");
    }
}

#[test]
fn a_registration_with_a_wrong_part_is_refused_by_name() {
    let scopes = Scopes::parse("system/*.rs").expect("a scope");
    let with = |change: fn(&mut Registration)| {
        let mut one = registration(Proof::Key, &[]);
        change(&mut one);
        one.check("app", &scopes)
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert!(with(|one| one.purpose = "FUN".into()).is_err());
    assert!(with(|one| one.title = "a\nb".into()).is_err());
    assert!(with(|one| one.keys = None).is_err());
    assert!(with(|one| one.keys_url = Some("https://a.example/jwks".into())).is_err());
    assert!(with(|one| one.keys = Some(json!({ "keys": [] }))).is_err());
    assert!(with(|one| one.launch = Some("javascript:alert(1)".into())).is_err());
    for name in ["", "a b", "../x", "a.b", "ä"] {
        assert!(registration(Proof::Key, &[]).check(name, &scopes).is_err());
    }
}

#[test]
fn the_record_says_all_of_it_but_the_secret() {
    let registration = Registration {
        title: "Chart".into(),
        organisation: "Example Clinic".into(),
        ..registration(Proof::Secret, &["https://app.example/back"])
    };
    let change = ClientChange {
        id: 1,
        client: "growth_chart".into(),
        revision: 3,
        scope: "patient/*.rs".into(),
        document: serde_json::to_string(&registration).expect("it writes"),
        disabled: true,
        removed: false,
        actor: "user/2".into(),
        created_us: 0,
    };
    let stored = entry(&change).expect("it writes");
    let doc = Doc::parse(&stored).expect("JSON");
    assert!(crate::programme::says_governance(doc.root()));
    let text = String::from_utf8(stored.clone()).expect("UTF-8");
    for part in [
        "client-growth.chart",
        "patient/*.rs",
        "https://app.example/back",
        "Example Clinic",
        "disabled",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(record::validate::validate(doc.root()).is_empty(), "{text}");
    let said = Says {
        scope: "patient/*.rs".into(),
        state: "disabled".into(),
    };
    assert_eq!(Says::read(&stored), said);
}

#[test]
fn a_secret_is_known_by_its_hash() {
    use sha2::{Digest, Sha256};
    let kept: [u8; 32] = Sha256::digest("right").into();
    assert!(is_secret(Some(&kept), "right"));
    assert!(!is_secret(Some(&kept), "wrong"));
    assert!(!is_secret(None, "right"));
}
