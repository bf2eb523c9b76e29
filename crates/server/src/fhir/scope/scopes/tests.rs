//! What scopes allow, and what they do not.

use record::json::Doc;

use super::*;

#[test]
fn scopes_allow_what_they_say_and_nothing_else() {
    use Verb::*;
    for (scopes, kind, verb, allowed) in [
        ("", "Patient", Read, false),
        ("system/*.cruds", "Patient", Delete, true),
        ("system/*.rs", "Patient", Read, true),
        ("system/*.rs", "Patient", Search, true),
        ("system/*.rs", "Patient", Create, false),
        ("system/Patient.cu", "Patient", Create, true),
        ("system/Patient.cu", "Patient", Read, false),
        ("system/Patient.cu", "Observation", Create, false),
        (
            "system/Patient.cu system/Observation.r",
            "Observation",
            Read,
            true,
        ),
        ("system/*.read", "Observation", Search, true),
        ("system/*.read", "Observation", Update, false),
        ("system/Observation.write", "Observation", Delete, true),
        ("system/Observation.*", "Observation", Search, true),
        ("user/Observation.rs", "Observation", Read, true),
        ("patient/*.r", "Observation", Search, false),
        (
            "patient/Observation.rs?category=laboratory",
            "Observation",
            Search,
            true,
        ),
    ] {
        let scopes = Scopes::parse(scopes).expect(scopes);
        assert_eq!(
            scopes.allow(kind, verb),
            allowed,
            "{scopes} {kind} {verb:?}"
        );
    }
}

#[test]
fn who_may_read_the_log_may_not_read_the_record_and_the_other_way_round() {
    for (scopes, log, record) in [
        ("log.read", true, false),
        ("system/*.cruds", false, true),
        ("log.read system/*.rs", true, true),
        ("", false, false),
        (
            "openid fhirUser launch/patient offline_access",
            false,
            false,
        ),
    ] {
        let scopes = Scopes::parse(scopes).expect(scopes);
        assert_eq!(scopes.allow_log(), log, "{scopes}");
        assert_eq!(scopes.allow("Patient", Verb::Read), record, "{scopes}");
    }
}

#[test]
fn a_scope_that_is_not_known_is_refused() {
    for scopes in [
        "users/*.rs",
        "patient/Patient",
        "system/Patient",
        "system/Patient.",
        "system/Patient.sr",
        "system/Patient.rr",
        "system/Person_.r",
        "system/*.rsx",
        "log.write",
        "system/log.read",
        "OpenID",
        "patient/*.rs?category=laboratory",
        "patient/Observation.rs?nonsense=1",
        "patient/Observation.rs?_count=1",
        "patient/Observation.rs?_lastUpdated=gt2020",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=%4",
        "/Patient.rs",
        "patient//.rs",
    ] {
        assert!(Scopes::parse(scopes).is_err(), "{scopes}");
    }
}

#[test]
fn a_version_is_admitted_by_its_person_and_by_its_content() {
    let lab = r#"{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#;
    let vital = lab.replace("laboratory", "vital-signs");
    let only_lab = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    for (scopes, launched, person, stored, admitted) in [
        ("patient/Observation.rs", Some("p"), Some("p"), lab, true),
        ("patient/Observation.rs", Some("q"), Some("p"), lab, false),
        ("patient/Observation.rs", None, Some("p"), lab, false),
        ("patient/Observation.s", Some("p"), Some("p"), lab, false),
        ("patient/Observation.rs", Some("p"), None, lab, true),
        ("user/Observation.rs", None, Some("p"), lab, true),
        (only_lab, Some("p"), Some("p"), lab, true),
        (only_lab, Some("p"), Some("p"), vital.as_str(), false),
        (
            "user/Observation.rs?category=laboratory",
            None,
            Some("p"),
            vital.as_str(),
            false,
        ),
        (
            "user/Observation.r?_id=o",
            None,
            Some("p"),
            vital.as_str(),
            true,
        ),
        (
            "user/Observation.r?_id=x",
            None,
            Some("p"),
            vital.as_str(),
            false,
        ),
    ] {
        let scopes = Scopes::parse(scopes).expect(scopes);
        let doc = Doc::parse(stored.as_bytes()).expect("JSON");
        let is_theirs = person.is_none_or(|person| launched == Some(person));
        let seen = scopes.admit("Observation", Verb::Read, is_theirs, doc.root());
        assert_eq!(seen, admitted, "{scopes} {launched:?} {person:?}");
    }
}

#[test]
fn what_is_granted_is_never_more_than_what_is_allowed() {
    for (allowed, asked, granted) in [
        ("system/*.rs", "system/Patient.rs", "system/Patient.rs"),
        ("system/*.rs", "system/Patient.cruds", "system/Patient.rs"),
        ("system/Patient.rs", "system/*.rs", ""),
        ("system/Patient.r", "user/Patient.r", ""),
        ("user/*.rs", "patient/*.rs", ""),
        (
            "patient/Observation.rs",
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.rs?category=laboratory",
        ),
        (
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.rs",
            "",
        ),
        (
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.rs?category=vital-signs",
            "",
        ),
        (
            "patient/Observation.r patient/Observation.s",
            "patient/Observation.rs",
            "patient/Observation.rs",
        ),
        (
            "openid launch/patient",
            "openid fhirUser launch/patient offline_access log.read",
            "openid launch/patient",
        ),
    ] {
        let given = Scopes::parse(allowed)
            .expect(allowed)
            .of_asked(&Scopes::parse(asked).expect(asked));
        assert_eq!(given.to_string(), granted, "{asked} of {allowed}");
    }
}

#[test]
fn what_is_granted_may_be_done_under_what_is_allowed() {
    // Every pair of these: whatever the narrowed one allows, the wider one does.
    let texts = [
        "patient/*.rs",
        "patient/Observation.rs?category=laboratory",
        "patient/Observation.cruds",
        "user/*.cruds",
        "user/Observation.r",
        "system/*.r system/Observation.cud",
        "system/Patient.s",
    ];
    let stored = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#;
    let doc = Doc::parse(stored.as_bytes()).expect("JSON");
    for allowed in texts {
        for asked in texts {
            let wide = Scopes::parse(allowed).expect(allowed);
            let narrow = wide.of_asked(&Scopes::parse(asked).expect(asked));
            for kind in ["Observation", "Patient"] {
                for (verb, _) in LETTERS {
                    let may = |scopes: &Scopes| scopes.admit(kind, verb, true, doc.root());
                    assert!(
                        !may(&narrow) || may(&wide),
                        "{narrow} of {allowed}: {verb:?} {kind}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_written_reads_back() {
    for text in [
        "patient/Observation.rs?category=laboratory openid",
        "system/*.cruds log.read",
        "launch launch/patient",
    ] {
        assert_eq!(Scopes::parse(text).expect(text).to_string(), text);
    }
    assert_eq!(
        Scopes::parse("system/*.read  system/*.read system/Patient.write")
            .expect("version 1")
            .to_string(),
        "system/*.rs system/Patient.cud"
    );
}

#[test]
fn a_scope_is_put_into_words() {
    for (scope, words) in [
        (
            "patient/*.rs",
            "See everything in the record of this one person",
        ),
        (
            "user/*.cruds",
            "See, add, change and delete everything in the record of everybody whom you may see",
        ),
    ] {
        let scopes = Scopes::parse(scope).expect(scope);
        assert_eq!(scopes.on_resources()[0].words(), words);
    }
}
