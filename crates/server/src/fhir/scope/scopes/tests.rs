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
        ("system/Patient.rs", "system/*.rs", "system/Patient.rs"),
        (
            "system/Patient.rs system/Observation.r",
            "system/*.cruds",
            "system/Patient.rs system/Observation.r",
        ),
        (
            "patient/*.rs patient/Observation.rs?category=survey",
            "patient/Observation.rs",
            "patient/Observation.rs",
        ),
        (
            "patient/Observation.cruds?category=survey patient/*.r",
            "patient/Observation.rs",
            "patient/Observation.rs?category=survey patient/Observation.r",
        ),
        (
            "patient/Observation.rs",
            "patient/*.rs patient/Observation.rs",
            "patient/Observation.rs",
        ),
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
            "patient/Observation.rs?category=laboratory",
        ),
        (
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.rs?category=vital-signs",
            "patient/Observation.rs?category=vital-signs&category=laboratory",
        ),
        (
            "patient/Observation.rs?category=a&status=final patient/Observation.rs?status=final&category=a",
            "patient/Observation.rs",
            "patient/Observation.rs?category=a&status=final",
        ),
        (
            "patient/Observation.rs?category=a&status=final",
            "patient/Observation.rs?status=final",
            "patient/Observation.rs?category=a&status=final",
        ),
        // Version 1's words come back where they were asked for and granted whole.
        ("patient/*.cruds", "patient/*.read", "patient/*.read"),
        ("patient/*.cruds", "patient/*.rs", "patient/*.rs"),
        ("patient/*.read", "patient/Patient.rs", "patient/Patient.rs"),
        ("patient/*.rs", "patient/*.*", "patient/*.rs"),
        ("patient/*.cu", "patient/*.write", "patient/*.cu"),
        ("patient/Patient.rs", "patient/*.read", "patient/Patient.rs"),
        (
            "patient/Patient.rs",
            "patient/*.read patient/Patient.read",
            "patient/Patient.read",
        ),
        (
            "patient/Patient.r patient/*.s",
            "patient/Patient.read",
            "patient/Patient.read",
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

/// Every scope of a small world: three levels, two kinds and all of them, some verbs, some queries.
fn world() -> Vec<String> {
    let mut all = Vec::new();
    for level in ["patient", "user", "system"] {
        for verbs in ["r", "rs", "cud", "us", "read", "*"] {
            all.push(format!("{level}/*.{verbs}"));
            all.push(format!("{level}/Patient.{verbs}"));
            for query in [
                "",
                "?status=final",
                "?code=a",
                "?code=a&status=final",
                "?code=b",
            ] {
                all.push(format!("{level}/Observation.{verbs}{query}"));
            }
        }
    }
    all
}

/// What may be done in that world, by whom: the level, the verb, whose it is, and which of the versions.
fn deeds(scopes: &Scopes) -> Vec<bool> {
    let versions = ["a", "b", "c"]
        .into_iter()
        .flat_map(|code| ["final", "amended"].map(|status| (code, status)))
        .map(|(code, status)| format!(
            r#"{{"resourceType":"Observation","id":"o","status":"{status}","code":{{"coding":[{{"code":"{code}"}},{{"code":"{code}2"}}]}}}}"#
        ))
        .chain([
            r#"{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"code":"a"},{"code":"b"}]}}"#.to_owned(),
            r#"{"resourceType":"Patient","id":"p"}"#.to_owned(),
        ]);
    let mut deeds = Vec::new();
    for stored in versions {
        let doc = Doc::parse(stored.as_bytes()).expect("JSON");
        let kind = doc.root().str_at(&["resourceType"]).expect("a kind");
        for level in Context::ALL {
            // What is on another's behalf does not count for this one.
            let own = Context::ALL
                .into_iter()
                .filter(|other| *other != level)
                .fold(scopes.clone(), Scopes::without_context);
            for (verb, _) in LETTERS {
                for is_theirs in [true, false] {
                    deeds.push(own.admit(kind, verb, is_theirs, doc.root()));
                }
            }
        }
    }
    deeds
}

#[test]
fn two_scopes_have_in_common_exactly_what_both_allow() {
    let all: Vec<Scopes> = world()
        .iter()
        .map(|text| Scopes::parse(text).expect(text))
        .collect();
    let each: Vec<Vec<bool>> = all.iter().map(deeds).collect();
    let mut something = 0;
    for (wide, may) in all.iter().zip(&each) {
        for (asked, would) in all.iter().zip(&each) {
            let granted = wide.of_asked(asked);
            let both: Vec<bool> = may.iter().zip(would).map(|(a, b)| *a && *b).collect();
            assert_eq!(deeds(&granted), both, "{asked} of {wide}: {granted}");
            something += usize::from(!granted.is_empty());
            // Asked for again, by whoever refreshes or comes with a token, it is the same to the letter.
            let again = wide.of_asked(&granted);
            assert_eq!(again.to_string(), granted.to_string(), "{asked} of {wide}");
            let kept = Scopes::parse(&granted.to_string()).expect("it reads back");
            assert_eq!((&kept, kept.to_string()), (&granted, granted.to_string()));
            assert!(
                granted.is_empty() || asked.cover(&granted),
                "{granted} of {asked}"
            );
        }
    }
    assert!(something > 1_000, "{something}");
}

#[test]
fn what_several_scopes_allow_is_what_is_granted_of_several() {
    // Registrations and requests of three scopes each, spread over the whole world.
    let texts = world();
    let three = |at: usize, step: usize| {
        let words: Vec<&str> = (0..3)
            .map(|nth| texts[(at + nth * step) % texts.len()].as_str())
            .collect();
        Scopes::parse(&words.join(" ")).expect("scopes")
    };
    for at in 0..texts.len() {
        for step in [1, 7, 29] {
            let (wide, asked) = (three(at, step), three(at * 5 + step, 11));
            let granted = wide.of_asked(&asked);
            let both: Vec<bool> = deeds(&wide)
                .into_iter()
                .zip(deeds(&asked))
                .map(|(a, b)| a && b)
                .collect();
            assert_eq!(deeds(&granted), both, "{asked} of {wide}: {granted}");
            let again = wide.of_asked(&granted);
            assert_eq!(deeds(&again), both, "{granted} of {wide}: {again}");
            assert!(granted.cover(&granted), "{granted}");
        }
    }
}

#[test]
fn what_is_granted_has_an_end() {
    let queries = |count: usize, name: &str| {
        let all: Vec<String> = (0..count)
            .map(|number| format!("patient/Observation.rs?{name}={number}"))
            .collect();
        Scopes::parse(&all.join(" ")).expect("scopes")
    };
    let granted = queries(40, "code").of_asked(&queries(40, "value-string"));
    assert_eq!(granted.on_resources().len(), GRANTED_MAX);
}

#[test]
fn what_is_written_reads_back() {
    for text in [
        "patient/*.read user/Observation.write system/Patient.*",
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
        "system/*.read system/Patient.write"
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
